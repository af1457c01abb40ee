#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Kernels and initramfs that are missing, cut, corrupt or too large, and a host that cannot: hvctl ends
with the documented code and names the object; nothing is left; the next VM runs.
"""

import os
import subprocess
import sys

from lib import (DIR, HVCTL, INITRD, KERNEL, TOP, bare, check, done, hvctl, le, patched, refused, start,
                 wait, printed)

RUN = ("run", "-m", "256M", "--serial", "none")


def kernels():
    def bad(what, pattern, path):
        refused(what, 7, f"{os.path.basename(path)}.*{pattern}", *RUN, "-k", path)

    bad("no such kernel", "No such file", "/nonexistent/vmlinuz")
    bad("a folder", "not a regular file", "/tmp")
    bad("a device", "not a regular file", "/dev/zero")
    for size in (0, 1, 100, 511, 600):
        bad(f"cut to {size} bytes", "neither a bzImage", patched(KERNEL, f"cut{size}", {}, size))
    for size in (8192, 1 << 20, os.path.getsize(KERNEL) - 4096):
        bad(f"cut to {size} bytes", "truncated|bzImage", patched(KERNEL, f"cut{size}", {}, size))
    bad("text", "neither a bzImage", TOP + "/README")
    for what, at, new, pattern in (
            ("an old boot protocol", 0x206, le(0x20b, 2), "too old"),
            ("no 64-bit entry", 0x236, le(0, 2), "xloadflags"),
            ("a setup part beyond the file", 0x1f4, le(0xffffffff, 4), "syssize"),
            ("a preferred address beyond memory", 0x258, le(1 << 60, 8), "pref_address"),
            ("an initial size of 4 GiB", 0x260, le(0xffffffff, 4), "init_size")):
        bad(what, pattern, patched(KERNEL, f"k{at:x}", {at: new}))
    elf = bare("hello")
    bad("ELF without segments", "e_phnum|neither", patched(elf, "nophdr.elf", {0x2c: le(0, 2)}))
    bad("ELF cut", "truncated|beyond the end", patched(elf, "cut.elf", {}, 5000))


def initrds():
    big = DIR + "/big"
    with open(big, "wb") as f:
        f.truncate(1 << 30)
    with open(DIR + "/empty", "wb"):
        pass
    stock = (*RUN, "-k", KERNEL)
    refused("initrd too large", 7, "big.*more memory", *stock, "-i", big)
    refused("initrd empty", 7, "empty.*is empty", *stock, "-i", DIR + "/empty")
    refused("no such initrd", 7, "/nonexistent/initrd.*No such file", *stock, "-i", "/nonexistent/initrd")
    refused("initrd is a folder", 7, "/tmp.*not a regular file", *stock, "-i", "/tmp")
    refused("memory too small for the kernel", 7, "vmlinuz.*give it more", "run", "-m", "16M", "--serial",
            "none", "-k", KERNEL, "-i", INITRD)
    refused("command line too long for the kernel", 7, "command line", *stock, "-a", "x" * 3000)


def host():
    hello = bare("hello")
    # The limit is the process's address space: what the host has no memory for fails alike.
    r = subprocess.run(["prlimit", f"--as={1 << 30}", HVCTL, "run", "-m", "8G", "--serial", "none", "-k", hello],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(r.returncode == 1 and "8192 MiB of guest memory" in r.stderr, "no memory", r.returncode, r.stderr)
    refused("no huge pages", 1, "reserve 2 MiB pages", "run", "-m", "64M,backing=hugetlb", "--serial", "none",
            "-k", hello)
    refused("no such host node", 7, "host node 63", "run", "-m", "64M,host-node=63", "--serial", "none",
            "-k", hello)
    refused("an unreachable socket", 1, "/nonexistent/s", "run", "-m", "64M", "-k", hello, "--serial",
            "socket,path=/nonexistent/s")


def afterwards():
    left = [f for f in os.listdir(DIR + "/run") if not f.endswith(".log")]
    check(not left, "refused VMs leave nothing but logs", left)
    if start("after", "-m", "64M", "-k", bare("hello")):
        check(wait(lambda: "1..3" in printed("after")), "the next VM runs", printed("after"))
        hvctl("kill", "after")


kernels()
initrds()
host()
afterwards()
sys.exit(done())
