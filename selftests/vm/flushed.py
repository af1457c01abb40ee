# SPDX-License-Identifier: GPL-2.0-or-later
"""A small stock guest that tells of each write when its flush came back, and the model of its disk."""

import os
import re
import struct
import subprocess

from lib import DIR, HVCTL, RELEASE, TOP, initramfs, read
from hvlab import kernel

BLOCK = 4096
ROUND = 1000000     # numbers of a boot
MODULES = ["hv_vmbus", "hv_storvsc", "sd_mod"]
APPEND = "console=ttyS0 quiet panic=-1 mitigations=off loglevel=5"
INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
for m in @modules@; do $b insmod /m/$m; done
for i in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/sda ] && break; $b usleep 100000; done
/bin/flushed /dev/sda $first $number
$b sleep 1000
"""


def guest():
    """The initramfs."""
    return initramfs("flushed", INIT, MODULES, {"bin/flushed": (0o755, read(TOP + "/build/vm/flushed"))})


def boot(initrd, disk, first, count, *words):
    """hvctl run as a process of its own group; its output is the guest's console."""
    return subprocess.Popen([HVCTL, "-q", "run", "--kernel", kernel.vmlinux(RELEASE), "--initrd", initrd,
                             "--memory", "256M", "--cpus", "1", "--disk", disk, *words,
                             "--append", f"{APPEND} first={first} number={count}"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, errors="replace", start_new_session=True)


def create(path, size):
    subprocess.run(["qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=dynamic,force_size=on",
                    path, str(size)], check=True)


def told(line, model):
    """Takes one line of the console into {block: number}. True: a write was told."""
    m = re.match(r"F (\d+) (\d+)\s*$", line)
    if m:
        model[int(m.group(1))] = int(m.group(2))
    return bool(m)


def lost(path, model):
    """What the image at `path` lacks: words, none when every write that was told is there."""
    raw = os.path.join(DIR, "flushed.raw")
    r = subprocess.run([HVCTL, "disk", "check", path], capture_output=True, text=True, check=False)
    if r.returncode:
        return ["hvctl disk check: " + r.stdout + r.stderr]
    r = subprocess.run(["qemu-img", "convert", "-f", "vpc", "-O", "raw", path, raw],
                       capture_output=True, text=True, check=False)
    if r.returncode:
        return ["qemu-img convert: " + r.stderr]
    out = []
    with open(raw, "rb") as f:
        for block, number in model.items():
            f.seek(block * BLOCK)
            data = f.read(BLOCK)
            # A later write of the block may have been under way: newer sectors are right, too.
            for at in range(0, BLOCK, 512):
                b, n = struct.unpack_from("<II", data, at)
                if b != block or n < number or data[at:at + 512] != data[at:at + 8] * 64:
                    out.append(f"block {block} sector {at // 512}: has {b} {n}, write {number} was told")
                    break
    os.unlink(raw)
    return out
