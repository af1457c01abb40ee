# SPDX-License-Identifier: GPL-2.0-or-later
"""Which headers are for the kernel and which for user space, and building them."""

import os
import re
import subprocess

from . import tree

KERNEL = re.compile(r"(include|virt|arch|vmbus|kmod)/")
USER = re.compile(r"(include/uapi|include/hv/portable\.h|(virt|arch/x86|vmbus)/lib|userspace"
                  r"|selftests/(lib|unit|api|lab))/?")
# X-macro lists: expanded by who includes them, with V_OP or the like defined.
LISTS = {"arch/x86/ops.h": "V_OP"}
USER_FLAGS = ["-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
              "-I.", "-Iinclude", "-Iinclude/uapi", "-Iuserspace", "-Iselftests/lib"]


def include_line(name):
    macro = LISTS.get(name)
    return (f"#define {macro}(...)\n" if macro else "") + f'#include "{name}"\n'


def write_if_changed(path, text):
    try:
        with open(path) as f:
            if f.read() == text:
                return
    except OSError:
        pass
    with open(path, "w") as f:
        f.write(text)


def kernel_build(root, folder, sources):
    """
    Compiles {name: text} as a module's objects in build/<folder> of root, only
    what changed. A list of complaints.
    """
    out = os.path.join(root, "build", folder)
    os.makedirs(out, exist_ok=True)
    stale = {n[:-2] for n in os.listdir(out) if n.endswith(".c") and not n.endswith(".mod.c")}
    for n in stale - set(sources):
        os.unlink(f"{out}/{n}.c")
    for n, text in sources.items():
        write_if_changed(f"{out}/{n}.c", text)
    write_if_changed(out + "/Kbuild", f"obj-m := {' '.join(n + '.o' for n in sorted(sources))}\n"
                     f"ccflags-y := -I{root} -I{root}/include -I{root}/include/uapi -Werror\n")
    r = subprocess.run([os.path.join(tree.TOP, "scripts/kver")], capture_output=True, text=True)
    if r.returncode:
        return [r.stderr.strip()]
    kver = r.stdout.strip()
    argv = ["make", "-k", f"-j{os.cpu_count()}", "-C", f"/lib/modules/{kver}/build", f"M={out}",
            "--no-print-directory"] + [n + ".o" for n in sources]
    r = subprocess.run(argv, capture_output=True, text=True)
    bad = [line for line in (r.stdout + r.stderr).splitlines()
           if re.search(r"(error|warning):", line) and "jobserver" not in line]
    return bad or ([r.stderr.strip()] if r.returncode else [])
