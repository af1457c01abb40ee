#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
The host's storage fails under a guest: no room for a new block of a dynamic VHD, and a file that
was cut short. The guest's kernel must see the right sense data, its program an error; neither hangs.
"""

import os
import signal
import subprocess
import sys
import threading

import flushed
from lib import DIR, check, done

SIZE = 256 << 20


def run(initrd, disk, count, when=0, then=None):
    """The guest's console up to its own end; after `when` writes then() is called."""
    vmm = flushed.boot(initrd, disk, 1, count)
    watchdog = threading.Timer(150, os.killpg, (vmm.pid, signal.SIGKILL))
    watchdog.start()
    text, model = [], {}
    for line in vmm.stdout:
        text.append(line)
        flushed.told(line, model)
        if then and len(model) == when:
            then()
            then = None
        if line.startswith("E ") or line.startswith("END"):
            break
    ended = text and text[-1].startswith(("E ", "END"))
    os.killpg(vmm.pid, signal.SIGKILL)
    watchdog.cancel()
    vmm.wait()
    return bool(ended), "".join(text), model


def no_room(initrd):
    """A tmpfs of few pages. Linux makes ENOSPC of 7/27/07 alone (sd: DID_ALLOC_FAILURE)."""
    room = DIR + "/room"
    os.mkdir(room)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", room], check=True)
    flushed.create(room + "/disk.vhd", SIZE)
    ended, text, model = run(initrd, room + "/disk.vhd", 1000)
    check(ended and len(model) > 2, "no room: the guest's program ends, after some writes", text[-3000:])
    check("E write 28 " in text or "E sync 28 " in text, "no room: its error is ENOSPC", text[-3000:])
    check("critical space allocation error, dev sda" in text and "scsi 0x2 srb 0x84" in text,
          "no room: sense data 7/27/07 in the guest's log", text[-3000:])
    bad = flushed.lost(room + "/disk.vhd", model)
    check(not bad, "no room: the image is sound and has what was told", *bad)
    subprocess.run(["umount", room], check=True)


def cut_short(initrd):
    """A raw file that loses its end underfoot: reads of it fail as a medium does."""
    disk = DIR + "/disk.raw"
    for _ in range(5):
        with open(disk, "wb") as f:
            f.truncate(SIZE)
        ended, text, _ = run(initrd, disk, 1000, when=5, then=lambda: os.truncate(disk, 1 << 20))
        # The guest goes on meanwhile: cut between its read and its sync, the sync has failed.
        if "E sync 5 " not in text:
            break
    check(ended, "cut short: the guest's program ends", text[-3000:])
    check("E read 61 " in text, "cut short: its error is ENODATA, which is Linux' for a medium", text[-3000:])
    check("critical medium error, dev sda" in text and "scsi 0x2 srb 0x84" in text,
          "cut short: sense data 3/11/00 in the guest's log", text[-3000:])
    os.unlink(disk)


def main():
    initrd = flushed.guest()
    no_room(initrd)
    cut_short(initrd)
    return done()


if __name__ == "__main__":
    sys.exit(main())
