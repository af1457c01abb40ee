# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of whole VMs share: hvctl, checks in TAP, images. They run where hv.ko is loaded."""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/scripts")
from hvlab import kernel  # noqa: E402
from hvlab.console import PROMPT  # noqa: E402

HVCTL = os.environ.get("HVCTL", TOP + "/build/bin/hvctl")
RELEASE = os.uname().release
KERNEL = f"/boot/vmlinuz-{RELEASE}"
INITRD = f"/boot/initrd.img-{RELEASE}"
APPEND = "console=ttyS0 quiet break=top"
DIR = tempfile.mkdtemp(prefix="vm-test-")
os.environ["HV_RUNTIME_DIR"] = DIR + "/run"

count = failed = 0


def bare(name):
    """A bare guest image."""
    return f"{TOP}/build/guest/{name}.elf"


def check(good, what, *why):
    """One result line; what is in `why` is printed when it is not good."""
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok") + f" {count} - {what}", flush=True)
    if not good:
        for line in "\n".join(str(w) for w in why).split("\n"):
            print("    " + line, flush=True)
    return good


def done():
    """Ends what still runs; the test's exit status."""
    for name in hvctl("list", "-q").stdout.split():
        hvctl("kill", "-f", name)
    print(f"1..{count}")
    return 1 if failed or not count else 0


def hvctl(*words, seconds=40):
    """One hvctl to its end, code -9 when it does not come; output as text."""
    with subprocess.Popen([HVCTL, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace") as p:
        try:
            out, err = p.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
    return subprocess.CompletedProcess(words, p.returncode, out, err)


def start(name, *words):
    """hvctl start; None, after a failed check, when it did not."""
    r = hvctl("start", "-n", name, *words)
    return r if check(r.returncode == 0, f"start {name}", r.returncode, r.stdout, r.stderr) else None


def show(name):
    return json.loads(hvctl("show", name, "--json").stdout)


def printed(name):
    """The last 64 KiB the guest printed."""
    return hvctl("logs", "--console", name).stdout


def wait(fn, seconds=20):
    """What fn() returns as soon as that is true, else its last answer."""
    until = time.monotonic() + seconds
    while True:
        got = fn()
        if got or time.monotonic() > until:
            return got
        time.sleep(0.1)


def refused(what, code, pattern, *words):
    """hvctl with these words must end with `code` and a message of two lines at most."""
    r = hvctl(*words, seconds=15)
    lines = r.stderr.rstrip("\n").split("\n")
    return check(r.returncode == code and re.search(pattern, r.stderr) and len(lines) <= 2,
                 f"{what}: exit code {code}, {pattern}", r.returncode, r.stdout[-500:], r.stderr)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def cpio(files, folders=()):
    """A newc archive: `folders`, those that `files` (name: (mode, bytes)) need, and these."""
    needed = set(folders) | {name[:i] for name in files for i, c in enumerate(name) if c == "/"}
    out = b"".join(kernel.cpio_entry(name, 0o40755) for name in sorted(needed))
    if "dev" in needed:
        out += kernel.cpio_entry("dev/console", 0o20600, rdev=(5, 1))
    out += b"".join(kernel.cpio_entry(name, 0o100000 | mode, data) for name, (mode, data) in files.items())
    return out + kernel.cpio_entry("TRAILER!!!", 0)


def initrd_with(files):
    """Debian's own initramfs and `files` (name: (mode, bytes)) behind it."""
    path = DIR + "/initrd"
    with open(path, "wb") as out:
        data = read(INITRD)
        out.write(data + b"\0" * (-len(data) % 4) + cpio(files))
    return path


def initramfs(name, init, modules, files=None):
    """
    An initramfs of busybox, `modules` of the stock kernel with all they need in /m, and `files` as cpio()
    takes them; its path. The shell script `init` is told the modules' files in the order in which they load
    (@modules@), and how a line is asked for so that Console finds it (@prompt@).
    """
    mods = kernel.modules(RELEASE, modules)
    init = init.replace("@modules@", " ".join(m for m, _ in mods)).replace("@prompt@", PROMPT)
    path = f"{DIR}/{name}.initrd"
    with open(path, "wb") as f:
        f.write(cpio({"bin/busybox": (0o755, read("/bin/busybox")), "init": (0o755, init.encode()),
                      **{"m/" + m: (0o644, data) for m, data in mods}, **(files or {})},
                     ("dev", "proc", "sys", "tmp")))
    return path


def patched(path, name, changes, length=None):
    """A copy of a file with bytes changed (offset: bytes), cut to `length`."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    for at, new in changes.items():
        data[at:at + len(new)] = new
    with open(f"{DIR}/{name}", "wb") as f:
        f.write(data[:length])
    return f"{DIR}/{name}"


def le(value, size):
    return struct.pack("<Q", value)[:size]
