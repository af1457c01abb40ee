#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Units of two SCSI controllers in a stock guest: disks, one that is read-only, a DVD drive; and what
hvctl disk attach, detach, eject and insert do to them while it runs.
"""

import os
import re
import subprocess
import sys

from lib import DIR, RELEASE, check, done, hvctl, initramfs, refused, show, start, wait
from hvlab import kernel
from hvlab.console import PROMPT, Console

MODULES = ["hv_vmbus", "hv_storvsc", "sd_mod", "sr_mod"]
MIB = 1 << 20
# No line editor: it would break long lines. Each line read is done in this shell.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for m in @modules@; do insmod /m/$m; done
units()
{
	for u in /sys/block/s[dr]*; do
		[ -e $u/size ] && echo "U ${u##*/} $(basename $(readlink -f $u/device)) $(cat $u/size) $(cat $u/ro)"
	done
}
first() { dd if=/dev/$1 bs=512 count=1 2>/dev/null | head -c $2; echo; }
while :; do
	printf '@prompt@'
	read -r line && eval "$line"
done
"""


def image(name, size, text):
    """A raw image that begins with `text`."""
    path = f"{DIR}/{name}"
    with open(path, "wb") as f:
        f.write(text.encode())
        f.truncate(size)
    return path


def begins(path, text):
    with open(path, "rb") as f:
        return f.read(len(text)) == text.encode()


class Guest:
    """What the guest says of its units."""

    def __init__(self, console):
        self.console = console

    def ask(self, command):
        return (self.console.ask(command) or "").strip()

    def units(self):
        """{(host, unit): (name, bytes, read-only)}"""
        return {(int(m[2]), int(m[3])): (m[1], int(m[4]) * 512, m[5] == "1") for m in
                re.finditer(r"^U (\w+) (\d+):0:0:(\d+) (\d+) (\d)$", self.ask("units"), re.M)}

    def name(self, place):
        return self.units().get(place, ("none",))[0]

    def appears(self, place, size, what):
        got = wait(lambda: self.units().get(place), 30)
        check(got and got[1] == size, what, got, self.units(), self.ask("dmesg | tail -20"))
        return got[0] if got else "none"

    def goes(self, place, what):
        check(wait(lambda: place not in self.units(), 30), what, self.units(), self.ask("dmesg | tail -20"))

    def first(self, name, text, what):
        got = self.ask(f"first {name} {len(text)}")
        check(got == text, what, got, self.ask("dmesg | tail -5"))


def boot(images):
    a, b, c, iso = images
    if not start("luns", "-k", kernel.vmlinux(RELEASE), "-i", initramfs("luns", INIT, MODULES), "-m", "256M",
                 "--serial", "pty", "-a", "console=ttyS0 quiet panic=-1 mitigations=off loglevel=3", "--disk", a,
                 "--disk", b + ",readonly", "--disk", c + ",bus=scsi1:5", "--cdrom", iso):
        return None
    console = Console(os.open(show("luns")["serial"], os.O_RDWR | os.O_NOCTTY), 150)
    if not check(console.wait_for(PROMPT) is not None, "the guest is up", console.seen[-2000:]):
        return None
    return Guest(console)


def ok(what, *words):
    r = hvctl("disk", *words)
    check(r.returncode == 0, what, r.returncode, r.stdout, r.stderr)
    return r.stdout.strip()


def begin(guest, images):
    """What it was started with. Returns the hosts' numbers of scsi0 and scsi1."""
    want = [(0, 16 * MIB, False), (1, 8 * MIB, True), (5, 12 * MIB, False), (2, 4 * MIB, True)]
    wait(lambda: len(guest.units()) == len(want), 20)
    got = guest.units()
    kinds = sorted((unit, size, ro) for (_, unit), (name, size, ro) in got.items() if name[:2] == "sd")
    check(kinds == sorted(want[:3]), "three disks: units, sizes, and which is read-only", got)
    host = {unit: h for h, unit in got}
    if not check(set(host) == {0, 1, 2, 5} and host[0] == host[1] == host[2] != host[5],
                 "the drive hangs on the first controller, unit 5 on another one", got):
        return None
    s0, s1 = host[0], host[5]
    for place, text in (((s0, 0), "image a"), ((s0, 1), "image b"), ((s1, 5), "image c")):
        guest.first(got[place][0], text, f"{text} is where it was put")
    guest.ask(f"echo changed | dd of=/dev/{got[(s0, 1)][0]} conv=sync,fsync 2>/dev/null")
    check(begins(images[1], "image b"), "the read-only disk did not change")
    guest.ask(f"echo changed | dd of=/dev/{got[(s1, 5)][0]} conv=sync,fsync 2>/dev/null")
    check(begins(images[2], "changed"), "the second controller's disk did")
    return s0, s1


def hot(guest, s0, s1, images):
    """Disks come and go."""
    vhd, other = DIR + "/d.vhd", image("other.img", 6 * MIB, "another")
    ok("a VHD is made", "create", vhd, "--size", "20M")
    place = ok("disk attach", "attach", "luns", vhd)
    check(place == "scsi0:3", "it says where: the next free place", place)
    name = guest.appears((s0, 3), 20 * MIB, "the guest finds it")
    guest.ask(f"echo kept | dd of=/dev/{name} conv=sync,fsync 2>/dev/null")
    guest.first(name, "kept", "it holds what the guest writes")
    listed = [d for d in show("luns")["disks"] if d["unit"] == 3]
    check(len(listed) == 1 and listed[0]["path"] == vhd, "hvctl show lists it", listed)
    refused("attached twice", 6, "in use by", "disk", "attach", "luns", vhd)
    refused("used by hvctl as well", 6, "in use by", "disk", "attach", "luns", images[0] + ",bus=scsi1")
    refused("a place that is taken", 6, "scsi0:3 is in use", "disk", "attach", "luns", other + ",bus=scsi0:3")
    refused("no such controller", 7, "no controller scsi2", "disk", "attach", "luns", other + ",bus=scsi2")
    refused("nothing there", 7, "nothing at scsi1:9", "disk", "detach", "luns", "scsi1:9")
    qcow = DIR + "/q.img"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", qcow, "1M"], check=True)
    refused("a qcow2", 5, "qemu-img convert", "disk", "attach", "luns", qcow)
    ok("readers share an image", "attach", "luns", images[1] + ",readonly,bus=scsi1:0")
    guest.first(guest.appears((s1, 0), 8 * MIB, "it is at the second controller, too"), "image b", "and reads")
    # Away under a reader, whose read fails; then another image at the same place.
    guest.ask(f"while dd if=/dev/{name} of=/dev/null bs=64k iflag=direct 2>/dev/null; do :; done &")
    ok("disk detach", "detach", "luns", "scsi0:3")
    guest.goes((s0, 3), "the guest drops it")
    ok("the image is free and sound", "check", vhd)
    ok("another image at its place", "attach", "luns", other + ",bus=scsi0:3")
    guest.first(guest.appears((s0, 3), 6 * MIB, "the guest sees its size"), "another", "and what is in it")
    ok("the VHD is back, elsewhere", "attach", "luns", vhd + ",bus=scsi1:1")
    guest.first(guest.appears((s1, 1), 20 * MIB, "the guest finds it again"), "kept", "it kept what was written")
    ok("and goes again", "detach", "luns", "scsi1:1")
    guest.goes((s1, 1), "the guest drops it again")


def dvd(guest, one, two):
    guest.first("sr0", "medium one", "the drive has the medium of the start")
    guest.ask("exec 3</dev/sr0")
    refused("the guest has the drive open", 6, "locked the drive", "disk", "eject", "luns")
    guest.ask("exec 3<&-")
    ok("disk eject", "eject", "luns")
    guest.first("sr0", "", "the guest finds no medium")
    check("path" not in [d for d in show("luns")["disks"] if d["type"] == "dvd"][0], "nor does hvctl show")
    ok("disk insert", "insert", "luns", two)
    guest.first("sr0", "medium two", "the guest reads the new one")
    check(guest.units()[(min(h for h, _ in guest.units()), 2)][1] == 2 * MIB or
          "4096" in guest.ask("cat /sys/block/sr0/size"), "with its size", guest.units())
    ok("another in its place", "insert", "luns", one)
    guest.first("sr0", "medium one", "the guest reads that")
    guest.ask("exec 3</dev/sr0")
    ok("eject by force", "eject", "luns", "scsi0:2", "--force")
    guest.ask("exec 3<&-")
    guest.first("sr0", "", "the guest finds none")
    refused("a disk is no drive", 7, "no DVD drive at scsi0:0", "disk", "eject", "luns", "scsi0:0")


def main():
    images = [image("a.img", 16 * MIB, "image a"), image("b.img", 8 * MIB, "image b"),
              image("c.img", 12 * MIB, "image c"), image("one.iso", 4 * MIB, "medium one")]
    guest = boot(images)
    hosts = guest and begin(guest, images)
    if hosts:
        hot(guest, *hosts, images)
        dvd(guest, images[3], image("two.iso", 2 * MIB, "medium two"))
        r = hvctl("show", "luns")
        check(r.returncode == 0 and "scsi1:5" in r.stdout, "the VM lives", r.stdout, r.stderr)
    return done()


if __name__ == "__main__":
    sys.exit(main())
