#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A disk whose boot configuration is hostile harms its own VM alone: scripts without an end, paths and links that lead out
of the disk, files that are no kernel, terminal commands in a title, an initramfs larger than all memory, a kernel
that is garbage behind its header. Another VM runs all the while; the disk and what the paths name stay as they are.
"""

import hashlib
import os
import sys

from lib import DIR, HVCTL, KERNEL, bare, check, done, hvctl, printed, start
from bootdisk_test import disk
from hvlab.console import Guest

CANARY = DIR + "/canary"
ENTRIES = [
    # title, body, what the boot image says of it
    ("endless \x1b]0;owned\x07", "while true; do set x=" + "$a" * 20000 + "; done", "it runs for too long"),
    ("deep", "function f { f; }\nf\nlinux /boot/vmlinuz", "blocks are too deep"),
    ("out by dots", f"linux /../../../../..{CANARY}", f"its kernel {CANARY} is not there"),
    ("out to the boot image", "linux /../../init", "its kernel /init is not there"),
    ("out by a link", "linux /boot/link", "its kernel /boot/link is not there"),
    ("a link to a device", "linux /boot/console", "its kernel /boot/console is not there"),
    ("a folder", "linux /boot", "its kernel /boot is not there"),
    ("no kernel", "linux /boot/text", "it is no kernel for this machine"),
    ("an endless line", "linux /boot/vmlinuz " + "x" * 3000, "its command line is longer than 2047 bytes"),
    ("another device", "linux (fs60000)/boot/vmlinuz", "its kernel /boot/vmlinuz is not there"),
    ("greedy", "linux /boot/vmlinuz\ninitrd /boot/huge /boot/huge", None),
]


def sha(path):
    h = hashlib.sha256()
    with open(path, "rb") as f:
        while data := f.read(1 << 20):
            h.update(data)
    return h.hexdigest()


def image(name, entries, kernel):
    root = f"{DIR}/{name}"
    os.makedirs(root + "/boot/grub")
    with open(root + "/boot/grub/grub.cfg", "w", encoding="ascii") as f:
        for title, body, _ in entries:
            f.write(f"menuentry '{title}' {{\n{body}\n}}\n")
        f.write("while true; do search --file --set=root /boot/vmlinuz; done\n")
    with open(root + "/boot/vmlinuz", "wb") as f:
        f.write(kernel)
    with open(root + "/boot/text", "w", encoding="ascii") as f:
        f.write("This is no kernel.\n" * 100)
    with open(root + "/boot/huge", "wb") as f:
        f.truncate(8 << 30)
    os.symlink(CANARY, root + "/boot/link")
    os.symlink("/dev/console", root + "/boot/console")
    return disk(name, root, name)


def garbage(kernel):
    """Its header says that it is a kernel; behind that is an instruction that no CPU has."""
    at = (kernel[0x1f1] + 1) * 512
    return kernel[:at] + b"\x0f\x0b" * ((len(kernel) - at) // 2)


def tries(path):
    before = sha(path)
    guest = Guest([HVCTL, "run", "-n", "bad", path, "--boot-menu", "--memory", "192M"], 240)
    if not check(guest.wait_for("power off): ") is not None, "the menu comes", guest.seen[-3000:]):
        guest.deadline = 0
        guest.end()
        return
    for nr, (title, _, why) in enumerate(ENTRIES, 1):
        guest.type(str(nr))
        if why is None:
            break
        out = guest.wait_for("power off): ") or guest.seen
        check(why in out and "cannot be started" in out and "\x07" not in out,
              f"'{title.split(chr(27))[0].strip()}' is refused", out[-2000:])
    check(guest.wait_for("Kernel panic") is not None, "one that takes all memory takes its own",
          guest.seen[-3000:])
    hvctl("kill", "-f", "bad")
    guest.end()
    check(sha(path) == before, "its disk is as it was")


def main():
    with open(CANARY, "w", encoding="ascii") as f:
        f.write("untouched\n")
    with open(KERNEL, "rb") as f:
        kernel = f.read()
    if not start("other", "-m", "16M", "-k", bare("echo"), "--test-devices"):
        return done()
    tries(image("hostile", ENTRIES, kernel))
    path = image("garbage", [("garbage", "linux /boot/vmlinuz", None)], garbage(kernel))
    guest = Guest([HVCTL, "run", "-n", "garbage", path, "--memory", "192M", "--no-reboot"], 120)
    status = guest.end()
    check("starting 'garbage'" in guest.seen and status not in (0, 8, 11), "a kernel of garbage ends its VM", status,
          guest.seen[-2000:])
    with open(CANARY, encoding="ascii") as f:
        check(f.read() == "untouched\n", "what the paths named is untouched")
    out = printed("other")
    r = hvctl("stop", "other", seconds=100)
    check(r.returncode == 0 and "echo guest" in out, "the other VM runs and answers", r.returncode, r.stderr, out)
    return done()


if __name__ == "__main__":
    sys.exit(main())
