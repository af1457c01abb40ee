#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
debian_kexec_test.py FOLDER COUNT [SEED]: Debian boots from FOLDER/debian.vhd, writes files, and tells of
each on its console when its fsync came back; at any moment of that it starts its own stock kernel anew by
kexec, COUNT times, without shutting anything down. Each new kernel finds the bus, the disk and every file
told of, and all channels are open again, as many as before. At the end it shuts down by itself.
"""

import argparse
import json
import os
import random
import subprocess
import sys

import debian_files
from lib import TOP, check, done
from hvlab.debian import Debian, Wrong, hvctl  # noqa: E402

SECONDS = 300       # for a kernel
KEXEC = TOP + "/build/lab/kexec"
LOAD = ('/root/kexec load /boot/vmlinuz-$(uname -r) /boot/initrd.img-$(uname -r) '
        '"console=ttyS0 root=LABEL=hv-root ro quiet turn={turn}" && echo LOADED')


def channels():
    r = subprocess.run([hvctl(), "show", "--json", "debian"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(r.stdout)["channels"]


def opened():
    """{(device, sub-channel): how often its channel was opened} of those that are open."""
    return {(c["instance"], c["sub_channel"]): c["stats"]["opens"] for c in channels() if c["state"] == "open"}


def bring(vm, folder):
    """The program that starts a kernel, by a disk of its own, which goes again."""
    image = folder + "/tool.raw"
    with open(KEXEC, "rb") as f, open(image, "wb") as out:
        out.write(f.read())
        size = out.tell()
        out.truncate(4 << 20)
    where = vm.ctl("disk", "attach", "debian", image).split()[-1]
    vm.go_through([
        ("for i in $(seq 300); do [ -b /dev/sdb ] && break; sleep 0.1; done; "
         f"head -c {size} /dev/sdb >/root/kexec; chmod 755 /root/kexec; sync /root/kexec; echo $?", r"^0$"),
    ])
    vm.ctl("disk", "detach", "debian", where)


def over(vm, turn, first, after, late):
    """The guest writes and starts a new kernel `late` seconds after the `after`th file. The last one told of."""
    vm.go_through([(LOAD.format(turn=turn), r"^LOADED$")])
    vm.guest.type("(while [ ! -e /run/go ]; do sleep 0.1; done; sleep %.2f; /root/kexec go) & " % late +
                  debian_files.WRITE.format(first=first).replace(
                      "&& echo", "&& { [ $i -lt %d ] || : >/run/go; } && echo" % (first + after - 1)))
    last = first - 1
    for last in debian_files.told(vm, last, "Debian GNU/Linux 12 debian ttyS0"):
        pass
    if last < first + after - 1:
        raise Wrong(f"the guest told of {last - first + 1} files only; the console's end:\n"
                    + vm.guest.seen[-3000:])
    return last


def new_kernel(vm, turn, last, before):
    """A kernel that came by kexec, logged into: the bus, the disk, the files."""
    vm.go_through([("cat /proc/cmdline", f"turn={turn}$"), ("lsmod", r"^hv_storvsc"),
                   ("cat /sys/kernel/kexec_loaded", r"^0$")])
    wrong = debian_files.look(vm, last)
    check(not wrong, f"turn {turn}: {last} files told of are there, fsck is content", *wrong[:20])
    now = opened()
    primary = [k for k in before if k[1] == 0]
    check(set(now) == set(before), f"turn {turn}: the same channels are open", now, before)
    check(all(now.get(k) == before[k] + 1 for k in primary), f"turn {turn}: each was opened once more", now, before)
    left = [c for c in channels() if c["state"] not in ("open", "offered", "hidden")]
    check(not left, f"turn {turn}: no channel is still ending", left)
    return not wrong


def main():
    folder, count = sys.argv[1], int(sys.argv[2])
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    rng, last, turn = random.Random(seed), 0, 0
    opt = argparse.Namespace(name="debian", disk=folder + "/debian.vhd", kernel=folder + "/debian.vmlinuz",
                             initrd=folder + "/debian.initrd", memory="768M", cpus=2, seconds=SECONDS * (count + 1))
    vm = Debian(opt, say=lambda text: print("# " + text.replace("\n", "\n#   "), flush=True))
    try:
        vm.login()
        bring(vm, folder)
        before = opened()
        check(len(before) > 1, "channels are open", before)
        for turn in range(1, count + 1):
            last = over(vm, turn, last + 1, rng.randrange(3, 20), rng.random())
            print(f"# turn {turn}: another kernel, {last} files told of", flush=True)
            vm.login()
            if not new_kernel(vm, turn, last, before):
                break
            before = opened()
        vm.guest.type("poweroff")
        check(vm.guest.end() == 0, "Debian shuts down")
    except (Wrong, subprocess.CalledProcessError) as e:
        check(False, f"seed {seed}: turn {turn}", e)
        vm.guest.deadline = 0
        vm.guest.end()
    return done()


if __name__ == "__main__":
    sys.exit(main())
