#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
save_test.py PART[,PART] [CYCLES]: VMs that are saved into a file and go on in a new process.

	bare	a busy guest of 2 CPUs, again and again; nothing may be lost
	bad	files that are cut, changed, or not what they seem; a full disk
	linux	a stock kernel that writes to its disks and reads back; its clock
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time

from lib import DIR, RELEASE, bare, check, done, hvctl, initramfs, printed, refused, show, start, wait
from hvlab import kernel
from hvlab.console import PROMPT, Console

MIB = 1 << 20


def saved(name, path, *words):
    """hvctl save; whether it went well."""
    r = hvctl("save", name, path, *words, seconds=120)
    return check(r.returncode == 0, f"save {name} {' '.join(words)}", r.returncode, r.stdout, r.stderr,
                 hvctl("logs", name).stdout)


def restored(path, *words):
    r = hvctl("restore", path, *words, seconds=120)
    return check(r.returncode == 0, f"restore {' '.join(words)}", r.returncode, r.stdout, r.stderr)


def rounds(name):
    """The last round that the guest told of since this process began."""
    got = re.findall(r"# round (\d+)", printed(name))
    return int(got[-1]) if got else -1


def busy(name):
    return start(name, "-k", bare("moved"), "-m", "48M", "-c", "2", "--serial", "pty", "--test-devices",
                 "-a", "smp=2 typed=1")


def type_in(name, text):
    fd = os.open(show(name)["serial"], os.O_RDWR | os.O_NOCTTY)
    os.write(fd, text)
    os.close(fd)


def bare_cycles(cycles):
    path = DIR + "/b.hvstate"
    if not busy("b"):
        return
    last = -1
    for i in range(cycles):
        now = wait(lambda: (lambda n: n if n > last else 0)(rounds("b")), 60)
        if not check(now and now > last, f"cycle {i}: it runs (round {now})", printed("b")[-800:],
                     hvctl("logs", "b").stdout):
            return
        last = now
        if not saved("b", path, "--force", *(["--compress"] if i % 4 == 3 else [])) or not restored(path):
            return
    type_in("b", b"q")
    wait(lambda: "1..4" in printed("b") or not show_alive("b"), 60)
    log = hvctl("logs", "b").stdout
    check("code 0" in log or "wrote 0" in log, "the guest found nothing missing", log, printed("b")[-800:])


def show_alive(name):
    return name in hvctl("list", "-q").stdout.split()


# ---- files that are not right, and saves that fail ----

def alive(name, what):
    """The guest goes on: it tells of another round."""
    was = rounds(name)
    check(wait(lambda: rounds(name) > was, 60), what, printed(name)[-300:], hvctl("logs", name).stdout)


def wrong_files(path):
    with open(path, "rb") as f:
        data = f.read()
    records = int.from_bytes(data[24:32], "little")

    def put(what, content):
        name = DIR + "/" + what.replace(" ", "-")
        with open(name, "wb") as f:
            f.write(content)
        return what, name

    def changed(at, new):
        return data[:at] + new + data[at + len(new):]

    for what, name, code, words in (
            (*put("cut in its records", data[:-100]), 7, "truncated"),
            (*put("cut in its header", data[:50]), 7, "truncated"),
            (*put("empty", b""), 7, "not a saved VM"),
            (*put("something else", b"#!/bin/sh\n" * 100), 7, "not a saved VM"),
            (*put("never finished", b"\0" * 4096 + data[4096:]), 7, "incomplete"),
            (*put("changed in its header", changed(40, b"\x7f")), 7, "corrupt"),
            (*put("changed in a record", changed(records + 40, b"\x7f")), 7, "corrupt"),
            (*put("of another version", changed(8, b"\x63")), 5, "version 99 of the format"),
    ):
        refused(f"restore of a file {what}", code, words, "restore", name)
        refused(f"inspect of a file {what}", code, words, "save", "inspect", name)
    at = 4096 + data[4096:records].rindex(b"round ")
    what, name = put("changed in its memory", changed(at, b"R"))
    refused(f"inspect of a file {what}", 7, "corrupt: the checksum of memory", "save", "inspect", name)
    refused("restore --eager of it", 7, "corrupt: the checksum of memory", "restore", "--eager", name)
    if restored(name):
        check(wait(lambda: "corrupt: the checksum of memory" in hvctl("logs", "c").stdout, 60),
              "restored lazily it ends when that is found", hvctl("logs", "c").stdout)


def full_disk(name):
    small = DIR + "/small"
    os.mkdir(small)
    if not check(os.system(f"mount -t tmpfs -o size=256k none {small}") == 0, "a small disk"):
        return
    refused("save to a full disk", 1, "was not saved and goes on: cannot write: No space left", "save", name,
            small + "/f")
    check(os.listdir(small) == [], "nothing is left there", os.listdir(small))
    alive(name, "the VM goes on")
    os.system(f"umount {small}")


def bad(_):
    path = DIR + "/c.hvstate"
    if not busy("c"):
        return
    wait(lambda: rounds("c") >= 64, 60)
    full_disk("c")
    refused("save where a directory lacks", 1, "cannot make", "save", "c", DIR + "/none/f")
    with open(DIR + "/text", "w") as f:
        f.write("mine")
    refused("save over a file", 6, "is there already", "save", "c", DIR + "/text")
    refused("save over a file of another kind", 7, "is not replaced", "save", "c", DIR + "/text", "--force")
    refused("save of no VM", 3, "", "save", "nobody", path)
    hvctl("pause", "c")
    if not saved("c", path) or not restored(path):
        return
    check(show("c")["state"] == "paused", "a paused VM comes back paused", show("c"))
    hvctl("resume", "c")
    alive("c", "it goes on")
    refused("restore of a name that is taken", 6, "", "restore", path)
    hvctl("reset", "c")
    check(wait(lambda: "# round 0\n" in printed("c"), 60), "a reset finds its memory fresh", printed("c")[-300:],
          hvctl("logs", "c").stdout)
    hvctl("kill", "c")
    wrong_files(path)
    r = hvctl("save", "inspect", path, "--json")
    got = json.loads(r.stdout or "{}")
    check(got.get("name") == "c" and got.get("cpus") == 2 and got.get("paused") is True and
          got.get("memory") == 48 * MIB, "inspect --json", r.stdout, r.stderr)
    check(os.stat(path).st_mode & 0o777 == 0o600, "the file is its owner's alone")
    check(os.stat(path).st_blocks * 512 < 24 * MIB, "zero pages take no room", os.stat(path))
    if restored(path, "--eager", "--name", "d"):
        hvctl("resume", "d")
        alive("d", "restored once more, by another name")


# ---- a stock kernel, at work on its disks ----

MODULES = ["hv_vmbus", "hv_storvsc", "hv_utils", "sd_mod"]
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir /t
mount -t tmpfs none /t
for m in @modules@; do insmod /m/$m; done
work()
{
	i=0
	bad=0
	while [ ! -e /t/stop ]; do
		i=$((i + 1))
		yes "$1 $i" | head -c 65536 >/t/$1.a
		dd if=/t/$1.a of=/dev/$1 bs=65536 seek=$((i % 100)) oflag=direct conv=notrunc 2>/dev/null || bad=$((bad + 1))
		dd if=/dev/$1 of=/t/$1.b bs=65536 skip=$((i % 100)) count=1 iflag=direct 2>/dev/null || bad=$((bad + 1))
		cmp -s /t/$1.a /t/$1.b || bad=$((bad + 1))
		echo $i $bad >/t/$1.now
	done
	echo over >>/t/$1.now
}
while :; do
	printf '@prompt@'
	read -r line && eval "$line"
done
"""


class Linux:
    """The guest, through whatever process it runs in."""

    def __init__(self, first):
        self.console = Console(os.open(show("l")["serial"], os.O_RDWR | os.O_NOCTTY), 150)
        self.up = not first or self.console.wait_for(PROMPT) is not None

    def ask(self, command):
        answer = self.console.ask(command)
        return "" if answer is None else answer.strip()

    def close(self):
        os.close(self.console.fd)

    def at(self, disk):
        """(round, errors) of the work on a disk."""
        got = re.search(r"^(\d+) (\d+)", self.ask(f"cat /t/{disk}.now"), re.M)
        return (int(got[1]), int(got[2])) if got else (-1, -1)


def clock_is_right(guest):
    def apart():
        got = re.search(r"^(\d{9,})$", guest.ask("date +%s"), re.M)
        return abs(int(got[1]) - time.time()) if got else 1e9
    check(wait(lambda: apart() < 5, 60), "its clock is right", apart(), guest.ask("dmesg | tail -5"))


def linux(cycles):
    raw, vhd, path = DIR + "/raw.img", DIR + "/d.vhd", DIR + "/l.hvstate"
    with open(raw, "wb") as f:
        f.truncate(16 * MIB)
    hvctl("disk", "create", vhd, "--size", "16M")
    if not start("l", "-k", kernel.vmlinux(RELEASE), "-i", initramfs("save", INIT, MODULES), "-m", "192M", "-c", "2",
                 "--serial", "pty", "-a", "console=ttyS0 quiet panic=-1 mitigations=off loglevel=3", "--disk", raw, "--disk", vhd):
        return
    guest = Linux(True)
    if not check(guest.up, "the guest is up", guest.console.seen[-2000:]):
        return
    wait(lambda: "sdb" in guest.ask("ls /sys/block"), 30)
    guest.ask("work sda & work sdb & :")
    for i in range(cycles):
        was = guest.at("sda")
        now = wait(lambda: (lambda a: a if a[0] > was[0] + 5 else None)(guest.at("sda")), 60)
        check(now, f"cycle {i}: it is at work", was, guest.ask("dmesg | tail -20"))
        guest.close()
        if not saved("l", path, "--force", *(["--compress"] if i % 2 else [])):
            return
        time.sleep(6)		# that a clock which stood still is found
        if not restored(path):
            return
        guest = Linux(False)
        clock_is_right(guest)
    for disk in ("sda", "sdb"):
        was = guest.at(disk)
        now = wait(lambda d=disk, w=was: (lambda a: a if a[0] > w[0] + 5 else None)(guest.at(d)), 60)
        check(now and now[1] == 0, f"{disk}: each block read is what was written", now, guest.ask("dmesg | tail -20"))
    guest.ask("echo >/t/stop")
    check(wait(lambda: "over" in guest.ask("cat /t/sda.now") and "over" in guest.ask("cat /t/sdb.now"), 60),
          "the work ends")
    # Linux names them in the order in which it finds them.
    sums = [guest.ask(f"md5sum </dev/$(ls /sys/bus/scsi/devices/*:0:0:{unit}/block)")[:32] for unit in (0, 1)]
    log = guest.ask("dmesg | grep -iE 'error|timeout|reset|stall|lockup|hung' | grep -v 'error rates'")
    check(log == "", "no trouble in its log", log)
    hvctl("kill", "l")
    subprocess.run(["qemu-img", "convert", "-f", "vpc", "-O", "raw", vhd, DIR + "/d.raw"], check=True)
    for name, want in ((raw, sums[0]), (DIR + "/d.raw", sums[1])):
        with open(name, "rb") as f:
            got = hashlib.md5(f.read(16 * MIB)).hexdigest()
        check(got == want, f"the host finds what the guest sees in {os.path.basename(name)}", got, want)
    refused("restore after the disks were written", 7, "was written after the VM was saved", "restore", path)


PARTS = {"bare": bare_cycles, "bad": bad, "linux": linux}


def main():
    for part in sys.argv[1].split(","):
        PARTS[part](int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    return done()


if __name__ == "__main__":
    sys.exit(main())
