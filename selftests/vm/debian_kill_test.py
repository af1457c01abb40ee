#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
debian_kill_test.py FOLDER COUNT [SEED]: Debian boots from FOLDER/debian.vhd, writes files, and tells of
each on its console when its fsync came back; its VMM is killed COUNT times at any moment of that. After
each kill the image is sound, and Debian boots again from it, its own fsck in order, and has every file it
told of. At the end it shuts down by itself.
"""

import argparse
import os
import random
import re
import signal
import sys
import threading

from lib import check, done
from hvlab.debian import Debian, Wrong  # noqa: E402

SECONDS = 300
LINES = 2000        # of text in a file: 8 KiB and more
# A file is written under its own name, so that fsync alone makes it durable.
WRITE = ("mkdir -p /root/k; stty -echo; i={first}; while :; do yes $i | head -n %d >/root/k/$i; "
         "sync /root/k/$i && echo A $i; i=$((i+1)); done" % LINES)
# The names of files that are not what was written; what was not told of may be any part of it.
LOOK = ("for i in $(seq {last}); do yes $i | head -n %d | cmp -s - /root/k/$i || echo LOST $i; done; "
        "echo SEEN {last}" % LINES)
FSCK = "systemctl is-failed systemd-fsck-root; dmesg | grep -cE 'EXT4-fs error|I/O error'; findmnt -no OPTIONS /"


def told(vm, first, after, late):
    """Lets the guest write; kills its VMM `late` seconds after the `after`th file it told of. The last one."""
    vm.guest.type(WRITE.format(first=first))
    last, killer = first - 1, None
    while True:
        line = vm.guest.wait_for("\n")
        if line is None:
            break
        m = re.match(r"A (\d+)\s*$", line)
        if m:
            last = int(m.group(1))
        if last >= first + after - 1 and not killer:
            killer = threading.Timer(late, os.killpg, (vm.guest.pid, signal.SIGKILL))
            killer.start()
    vm.guest.end()
    if not killer:
        raise Wrong(f"the guest told of {last - first + 1} files only; the console's end:\n"
                    + vm.guest.seen[-3000:])
    return last


def look(vm, last):
    """What is wrong in a booted guest: words."""
    wrong = []
    state = vm.ask(FSCK).split("\n")
    if state[0] == "failed" or state[1] != "0" or not state[2].startswith("rw"):
        wrong.append("fsck: " + " ".join(state))
    answer = vm.ask(LOOK.format(last=last)).split("\n")
    if answer[-1] != f"SEEN {last}":
        wrong.append("no answer: " + answer[-1])
    return wrong + [line for line in answer if line.startswith("LOST")]


def boot(opt):
    vm = Debian(opt, say=lambda text: print("# " + text.replace("\n", "\n#   "), flush=True))
    vm.login()
    return vm


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    rng, last, wrong, vm = random.Random(seed), 0, [], None
    opt = argparse.Namespace(name="debian", disk=folder + "/debian.vhd", kernel=folder + "/debian.vmlinuz",
                             initrd=folder + "/debian.initrd", memory="512M", cpus=1, seconds=SECONDS)
    try:
        for turn in range(1, count + 2):
            vm = boot(opt)
            if last:
                wrong = look(vm, last)
                check(not wrong, f"turn {turn}: {last} files told of are there, fsck is content", *wrong[:20])
            if wrong or turn > count:
                break
            last = told(vm, last + 1, rng.randrange(3, 40), rng.random() * 0.2)
            print(f"# turn {turn}: killed, {last} files told of", flush=True)
            vm.ctl("disk", "check", opt.disk)
        vm.guest.type("poweroff")
        check(vm.guest.end() == 0, "Debian shuts down")
    except Wrong as e:
        check(False, f"seed {seed}: turn {turn}", e)
        vm.guest.deadline = 0
        vm.guest.end()
    return done()


if __name__ == "__main__":
    sys.exit(main())
