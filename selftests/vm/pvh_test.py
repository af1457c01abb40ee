#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The stock kernel's ELF image, unpacked from its bzImage, by its PVH entry; and how it reboots."""

import os
import sys

from lib import APPEND, HVCTL, INITRD, KERNEL, RELEASE, check, done, hvctl
from hvlab import kernel
from hvlab.console import PROMPT, Guest


def version(path):
    """The boot protocol the kernel was told: a PVH entry says 2.12, a bzImage what it has itself."""
    with open(path, "rb") as f:
        return int.from_bytes(f.read(0x210)[0x206:0x208], "little")


elf = kernel.vmlinux(RELEASE)
with open(elf, "rb") as f:
    check(f.read(4) == b"\x7fELF", "vmlinux from the bzImage is an ELF file", elf)
check(version(KERNEL) != 0x20c, "the bzImage has a newer boot protocol", hex(version(KERNEL)))
guest = Guest([HVCTL, "run", "-n", "pvh", "-k", elf, "-i", INITRD, "-a", APPEND, "-m", "512M", "-c", "2",
               "--no-reboot"], 150)
if check(guest.wait_for(PROMPT) is not None, "its shell comes up", guest.seen[-2000:]):
    answer = guest.ask("cat /sys/kernel/boot_params/version")
    check(answer and answer.strip() == "0x020c", "it came by the PVH entry", answer)
    answer = guest.ask("grep -c ^processor /proc/cpuinfo")
    check(answer and answer.strip() == "2", "2 processors", answer)
    answer = guest.ask("cat /proc/cmdline")
    check(answer and APPEND in answer, "its command line", answer)
    guest.type("reboot -f")
    guest.deadline += 30
else:
    guest.deadline = 0
status = guest.end()
log = hvctl("logs", "pvh").stdout
check(status == 0 and "ended (reset)" in log, "reboot is the end with --no-reboot", status, log)
sys.exit(done())
