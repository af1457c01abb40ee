#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A guest is reset while a write of its is under way. The image lies in a file system that is frozen then, so
that the write has begun and cannot go on. Once thawed, the disk holds what the guest wrote: not zeros,
and nothing of the kernel that was loaded anew. reset_test.py [DISKOPTS]: ",aio=threads", for instance.
"""

import os
import queue
import struct
import subprocess
import sys
import threading
import time

import flushed
from lib import DIR, check, done, hvctl, show, wait

SIZE = 8 << 20
MOUNT = DIR + "/fs"


def pattern(block, number):
    return struct.pack("<II", block, number) * (flushed.BLOCK // 8)


def file_system():
    """A file system of its own for the image."""
    with open(DIR + "/fs.img", "wb") as f:
        f.truncate(64 << 20)
    os.mkdir(MOUNT)
    for words in (["modprobe", "loop"], ["modprobe", "ext4"], ["mke2fs", "-q", "-t", "ext4", DIR + "/fs.img"],
                  ["mount", "-o", "loop", DIR + "/fs.img", MOUNT]):
        subprocess.run(words, check=True)


def wrong(path, known):
    """Blocks of the image that the guest never wrote like this."""
    out = []
    with open(path, "rb") as f:
        for block in range(SIZE // flushed.BLOCK):
            data = f.read(flushed.BLOCK)
            if not any(data == pattern(block, n) for n in known.get(block, {0})):
                out.append(f"block {block}: {data[:16].hex()} ...")
    return out


def follow(vmm, lines):
    for line in vmm.stdout:
        lines.put(line)
    lines.put("")


def writes_until(lines, text, known, stop):
    """Takes what the guest says until stop() or nothing comes for some seconds; the number of its last write."""
    last, until = 0, time.monotonic() + 100
    while time.monotonic() < until:
        try:
            line = lines.get(timeout=5)
        except queue.Empty:
            if last:
                break
            continue
        text.append(line)
        told = {}
        if flushed.told(line, told):
            (block, last), = told.items()
            known.setdefault(block, {0}).add(last)
        if not line or stop(last):
            break
    return last


def freeze(how):
    subprocess.run(["fsfreeze", how, MOUNT], check=True)


def one(initrd, name, opts=""):
    disk, known, text, lines = f"{MOUNT}/{name}.img", {}, [], queue.Queue()
    with open(disk, "wb") as f:
        for block in range(SIZE // flushed.BLOCK):
            f.write(pattern(block, 0))
    vmm = flushed.boot(initrd, f"{disk},format=raw{opts}", 1, flushed.ROUND, "-n", name)
    threading.Thread(target=follow, args=(vmm, lines), daemon=True).start()
    last = writes_until(lines, text, known, lambda n: n >= 20)
    check(last >= 20, f"{name}: the guest writes", *text[-30:])
    freeze("-f")
    try:
        last = max(last, writes_until(lines, text, known, lambda n: False))
        # It stays as it is after the reset: what is on the disk then is of the guest before.
        check(hvctl("pause", name).returncode == 0 and show(name)["state"] == "paused",
              "it is paused, in the middle of a write")
        r = hvctl("reset", name)
        check(r.returncode == 0, "it is reset", r.stderr)
        time.sleep(2)
    finally:
        freeze("-u")
    over = wait(lambda: "resetting" in hvctl("logs", name).stdout and show(name)["state"] == "paused", 60)
    check(over, "the reset ends", hvctl("logs", name).stdout)
    block = (last + 1) * 2654435761 % (1 << 32) % (SIZE // flushed.BLOCK)
    known.setdefault(block, {0}).add(last + 1)
    with open(disk, "rb") as f:
        f.seek(block * flushed.BLOCK)
        data = f.read(flushed.BLOCK)
    check(data == pattern(block, last + 1), f"the write under way is on the disk as the guest meant it, write {last + 1}",
          data[:64].hex())
    bad = wrong(disk, known)
    check(not bad, "and so is everything else", *bad[:20])
    hvctl("kill", "-f", name)
    vmm.wait()


def main():
    file_system()
    initrd = flushed.guest()
    try:
        one(initrd, "wr", *sys.argv[1:])
    finally:
        subprocess.run(["umount", "-l", MOUNT], check=False)
    return done()


if __name__ == "__main__":
    sys.exit(main())
