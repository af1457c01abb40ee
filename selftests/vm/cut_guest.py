#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Inside L1, for cut_test.py: cut_guest.py TURN MODEL DISKOPTS. Mounts the scratch disk /dev/vda, looks
whether the VHD on it has what MODEL (json) says, prints "SOUND" or "LOST ..." lines and "CHECKED"; then
unless TURN is 0 a guest writes there, and its console is passed on until the power is cut.
"""

import json
import os
import subprocess
import sys

import flushed

MOUNT = "/tmp/cut"
SIZE = 256 << 20


def main():
    turn, model, opts = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    disk = MOUNT + "/disk.vhd"
    os.mkdir(MOUNT)
    for module in ("virtio_blk", "ext4"):
        subprocess.run(["modprobe", module], check=True)
    subprocess.run(["mount", "-t", "ext4", "/dev/vda", MOUNT], check=True)
    if not os.path.exists(disk):
        flushed.create(disk, SIZE)
        subprocess.run(["sync"], check=True)
    else:
        with open(model, encoding="ascii") as f:
            told = {int(k): v for k, v in json.load(f).items()}
        for line in flushed.lost(disk, told) or ["SOUND"]:
            print("LOST " + line if line != "SOUND" else line)
    print("CHECKED", flush=True)
    if turn:
        vmm = flushed.boot(flushed.guest(), disk + opts, turn * flushed.ROUND, flushed.ROUND)
        for line in vmm.stdout:
            print(line, end="", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
