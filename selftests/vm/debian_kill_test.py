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
import signal
import sys
import threading

import debian_files
from lib import check, done
from hvlab.debian import Debian, Wrong  # noqa: E402

SECONDS = 600		# of one life; a loaded machine takes 200 to the log-in


def told(vm, first, after, late):
    """Lets the guest write; kills its VMM `late` seconds after the `after`th file it told of. The last one."""
    vm.guest.type(debian_files.WRITE.format(first=first))
    last, killer = first - 1, None
    for last in debian_files.told(vm, last, None):
        if last >= first + after - 1 and not killer:
            killer = threading.Timer(late, os.killpg, (vm.guest.pid, signal.SIGKILL))
            killer.start()
    vm.guest.end()
    if not killer:
        raise Wrong(f"the guest told of {last - first + 1} files only; the console's end:\n"
                    + vm.guest.seen[-3000:])
    return last


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
                wrong = debian_files.look(vm, last)
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
