#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
kill_test.py COUNT [SEED]: a guest writes and flushes on a dynamic VHD; its VMM is killed COUNT times at
any moment. After each the image is sound and has every write that the guest was told of; nobody holds it.
"""

import os
import random
import signal
import sys
import threading

import flushed
from lib import DIR, check, done

SIZE = 256 << 20


def one(initrd, disk, turn, rng, model):
    """Return: writes told before the kill."""
    vmm = flushed.boot(initrd, disk, turn * flushed.ROUND, flushed.ROUND)
    watchdog = threading.Timer(120, os.killpg, (vmm.pid, signal.SIGKILL))
    watchdog.start()
    n, after, text = 0, rng.randrange(1, 60), []
    late = None
    for line in vmm.stdout:
        text.append(line)
        n += flushed.told(line, model)
        if n == after and not late:
            # Anywhere in the writes that follow.
            late = threading.Timer(rng.random() * 0.02, os.killpg, (vmm.pid, signal.SIGKILL))
            late.start()
    vmm.wait()
    watchdog.cancel()
    if n < after:
        check(False, f"turn {turn}: the guest writes", *text[-30:])
    return n


def main():
    count = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    rng, model, disk = random.Random(seed), {}, DIR + "/disk.vhd"
    initrd = flushed.guest()
    flushed.create(disk, SIZE)
    writes, bad = 0, []
    for turn in range(1, count + 1):
        writes += one(initrd, disk, turn, rng, model)
        bad = flushed.lost(disk, model)
        if bad:
            break
        print(f"# turn {turn}: {writes} writes told, {len(model)} blocks", flush=True)
    check(not bad, f"seed {seed}: {count} kills, {writes} writes that were told are there, the image is sound",
          *bad[:20])
    check(writes >= count, "every boot wrote", writes)
    return done()


if __name__ == "__main__":
    sys.exit(main())
