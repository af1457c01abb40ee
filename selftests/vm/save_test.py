#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
save_test.py PART[,PART] [CYCLES]: VMs that are saved into a file and go on in a new process.

	bare	a busy guest of 2 CPUs, again and again; nothing may be lost
	bad	files that are cut, changed, or not what they seem
	fail	a full disk at each step, descriptors of all kinds, cancels and kills at any time: the VM goes on
	records	each record left out, twice, of a later version, too short, too long; of another CPU
	managed	saved beside its definition, and found by start
	golden	files of earlier releases go on here; "make-golden" writes the one of this release
	genid	a stock kernel hears that it goes on more than once, and only then
	linux	a stock kernel that writes to its disks and reads back; its clock
"""

import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

from lib import (DIR, HVCTL, RELEASE, TOP, bare, check, done, hvctl, initramfs, printed, refused, show, start,
                 wait)
from hvlab import kernel
from hvlab.console import PROMPT, Console
from savefile import END, SaveFile

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


def state(name):
    """None: there is no such VM."""
    return show(name).get("state")


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


class Asker:
    """Who asks a VM for a save as hvctl does, but hangs up when it likes."""

    def __init__(self, name, fd):
        self.s = socket.socket(socket.AF_UNIX)
        self.s.connect(f"{DIR}/run/{name}.sock")
        socket.send_fds(self.s, [b'{"verb":"save"}\n'], [fd])

    def answer(self, seconds=60):
        self.s.settimeout(seconds)
        got = b""
        while not got.endswith(b"\n"):
            part = self.s.recv(4096)
            if not part:
                return {}
            got += part
        return json.loads(got)

    def close(self):
        self.s.close()


def fresh(path):
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def full_disk(name):
    """A disk with room for all, for all but the header, ...: what is written last finds none."""
    small, path = DIR + "/small", DIR + "/size"
    os.mkdir(small)
    hvctl("pause", name)		# so that each is as long as the other
    fd = fresh(path)
    asker = Asker(name, fd)
    check(asker.answer().get("ok"), "a save whose end nobody asks for")
    need = os.fstat(fd).st_blocks * 512
    os.unlink(path)
    asker.close()
    check(wait(lambda: state(name) == "paused", 30), "without a file the VM is what it was", show(name))
    for less, what in ((0, None), (4096, "the header"), (16384, "records"), (need - (256 << 10), "memory")):
        if not check(os.system(f"mount -t tmpfs -o size={need - less} none {small}") == 0, "a small disk"):
            return
        fd = fresh(small + "/f")
        asker = Asker(name, fd)
        got = asker.answer()
        if what:
            check(got.get("error") == "failed" and "No space left" in got["message"], f"no room for {what}", got)
        else:
            check(got.get("ok"), "just enough room", got)
        os.unlink(small + "/f")
        os.close(fd)
        asker.close()
        check(wait(lambda: state(name) == "paused", 30), "it is paused as before", show(name))
        wait(lambda: os.system(f"umount {small}") == 0, 30)
    hvctl("resume", name)
    alive(name, "the VM goes on after full disks")


def strange_files(name):
    """Descriptors into which nothing can be written."""
    ends = os.pipe()
    for what, fd, why in (
            ("a full device", os.open("/dev/full", os.O_RDWR), "No space left"),
            ("a pipe", ends[1], "Illegal seek"),
            ("one only to be read", os.open("/etc/hostname", os.O_RDONLY), "Bad file descriptor"),
    ):
        asker = Asker(name, fd)
        got = asker.answer()
        check(got.get("error") == "failed" and why in got["message"], f"save into {what}: {why}", got)
        asker.close()
        os.close(fd)
    os.close(ends[0])
    alive(name, "the VM goes on after them")


def hang_up(name):
    """Whoever asked is gone, at any time. With a file that has a name the VM may not run by itself."""
    path = DIR + "/gone"
    for ms in (0, 5, 40, 150):
        fd = fresh(path)
        asker = Asker(name, fd)
        time.sleep(ms / 1000)
        os.unlink(path)
        asker.close()
        os.close(fd)
        check(wait(lambda: state(name) == "running", 30), f"hung up after {ms} ms: it runs", show(name),
              hvctl("logs", name).stdout[-800:])
    alive(name, "the guest goes on")
    fd = fresh(path)
    asker = Asker(name, fd)
    check(asker.answer().get("ok"), "saved, and the file stays")
    for verb in ("pause", "resume", "reset"):
        refused(f"{verb} of a VM that is being saved", 4, "saving", verb, name)
    refused("save of it", 4, "saving", "save", name, DIR + "/second")
    asker.close()
    check(wait(lambda: state(name) == "paused", 30), "then it is paused", show(name))
    os.close(fd)
    hvctl("resume", name)
    alive(name, "until it is resumed")


def killed_hvctl(name):
    """hvctl dies while it saves: there is a whole file, or a VM that runs, and never both."""
    for sig, ms in ((signal.SIGINT, 30), (signal.SIGINT, 400), (signal.SIGKILL, 30), (signal.SIGKILL, 400)):
        path = f"{DIR}/k{sig}-{ms}"
        with subprocess.Popen([HVCTL, "save", name, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as p:
            time.sleep(ms / 1000)
            p.send_signal(sig)
            err = p.stderr.read()
        what = f"hvctl save ended by {signal.Signals(sig).name} after {ms} ms"
        if os.path.exists(path):
            check(wait(lambda: not show_alive(name) or state(name) == "paused", 30),
                  what + ": there is a file, and the VM does not run", err)
            if show_alive(name):
                hvctl("kill", name)
            if not restored(path):
                return
            os.unlink(path)
        elif not check(wait(lambda: show_alive(name) and state(name) in ("running", "paused"), 30),
                       what + ": there is no file, and the VM is there", err, hvctl("logs", name).stdout[-800:]):
            return
        left = [f for f in os.listdir(DIR) if f.endswith(".part")]
        check(not left or sig == signal.SIGKILL, "nothing unfinished is left", left)
        for f in left:
            os.unlink(DIR + "/" + f)
        if state(name) == "paused":
            hvctl("resume", name)
    alive(name, "the guest goes on")


def fail(_):
    if not busy("f"):
        return
    wait(lambda: rounds("f") >= 64, 60)
    full_disk("f")
    strange_files("f")
    hang_up("f")
    killed_hvctl("f")


# ---- records ----

MAY_LACK = {0x003, 0x108, 0x10a}		# their owner may never have used them; so may what repeats
REPEATS = {0x005, 0x006, 0x010, 0x011, 0x012, 0x013}


def try_records(path, what, file, records, codes, words=""):
    file.put(path, records)
    r = hvctl("restore", path, seconds=60)
    good = r.returncode in codes and (not r.returncode or re.search(words, r.stderr) is not None)
    if not r.returncode:
        hvctl("kill", "-f", "r")
        wait(lambda: not show_alive("r"), 30)
    return good or [what, r.returncode, r.stderr.strip()]


def each_record(path, file):
    bad_ones = []
    tried = 0
    done_ids = set()
    for i, r in enumerate(file.records):
        if r.id == END or (r.id, r.instance > 0) in done_ids:
            continue
        done_ids.add((r.id, r.instance > 0))
        rest, lax = file.records[i + 1:], {0} if r.id in MAY_LACK | REPEATS else set()
        before = file.records[:i]
        cases = [("left out", before + rest, {7} | lax), ("twice", before + [r, r] + rest, {7})]
        if r.instance == 0:
            cases += [("of a later version", before + [r.but(version=r.version + 7)] + rest, {5}),
                      ("too short", before + [r.but(data=r.data[:-1])] + rest, {7, 5}),
                      ("too long", before + [r.but(data=r.data + b"\1" * 64)] + rest, {7, 5})]
        for what, records, codes in cases:
            tried += 1
            got = try_records(path, f"{r.id:#x} of {r.instance}, {what}", file, records, codes)
            if got is not True:
                bad_ones.append(got)
    check(not bad_ones, f"{tried} files with a record left out, twice, too new, too short, too long: refused",
          *bad_ones)


def other_cpu(path, file):
    """The file as a host with another CPU would have written it."""
    at = {r.id: i for i, r in enumerate(file.records) if r.instance == 0}

    def with_record(ident, data):
        i = at[ident]
        return file.records[:i] + [file.records[i].but(data=data)] + file.records[i + 1:]

    config, cpuid = file.records[at[0x001]].data, file.records[at[0x007]].data
    khz = struct.unpack_from("<I", config, 12)[0]
    more = bytearray(cpuid)
    for i in range(0, len(cpuid), 32):
        if struct.unpack_from("<I", cpuid, i)[0] == 7 and struct.unpack_from("<I", cpuid, i + 4)[0] == 0:
            more[i + 16 + 2] |= 1	# EBX bit 16: AVX512F
    check(bytes(more) != cpuid, "there is a leaf 7")
    for what, records, words in (
            ("with other features", with_record(0x001, config[:16] + bytes(8)), "other CPU: it has other features"),
            ("with AVX-512", with_record(0x007, bytes(more)), "other CPU: it lacks features that the guest has seen"),
            ("of another frequency", with_record(0x001, config[:12] + struct.pack("<I", khz * 2) + config[16:]),
             "other CPU: its time stamp counter runs at another frequency"),
    ):
        got = try_records(path, what, file, records, {5}, words)
        check(got is True, f"saved on a CPU {what}: {words}", *([] if got is True else got))


def records_part(_):
    path = DIR + "/r.hvstate"
    if not busy("r"):
        return
    wait(lambda: rounds("r") >= 32, 60)
    hvctl("pause", "r")
    if not saved("r", path):
        return
    file = SaveFile(path)
    got = try_records(path, "as it was", file, file.records, {0})
    check(got is True, "put together again as it was", *([] if got is True else got))
    other_cpu(path, file)
    each_record(path, file)


def bad(_):
    path = DIR + "/c.hvstate"
    if not busy("c"):
        return
    wait(lambda: rounds("c") >= 64, 60)
    refused("save where a directory lacks", 1, "cannot make", "save", "c", DIR + "/none/f")
    with open(DIR + "/text", "w") as f:
        f.write("mine")
    refused("save over a file", 6, "is there already", "save", "c", DIR + "/text")
    refused("save over a file of another kind", 7, "is not replaced", "save", "c", DIR + "/text", "--force")
    with open(DIR + "/disk", "wb") as f:
        f.truncate(MIB)
    refused("save over a disk that begins with zeros", 7, "is not replaced", "save", "c", DIR + "/disk", "--force")
    check(os.stat(DIR + "/disk").st_size == MIB, "the disk is as it was")
    refused("save of no VM", 3, "", "save", "nobody", path)
    hvctl("pause", "c")
    if not saved("c", path) or not restored(path):
        return
    check(state("c") == "paused", "a paused VM comes back paused", show("c"))
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


# ---- managedsave ----

def first_round(name):
    got = re.findall(r"# round (\d+)", printed(name))
    return int(got[0]) if got else -1


def managed(_):
    os.environ["HV_CONFIG_DIR"] = DIR + "/cfg"
    path = DIR + "/cfg/vms/m.hvstate"
    r = hvctl("create", "m", "-k", bare("moved"), "-m", "48M", "-c", "2", "--serial", "pty", "--test-devices",
              "-a", "smp=2 typed=1")
    if not check(r.returncode == 0, "create m", r.stderr):
        return
    hvctl("start", "m")
    wait(lambda: rounds("m") >= 128, 60)
    refused("managedsave of a VM that is not defined", 3, "is not defined", "managedsave", "o")
    refused("nothing to remove", 7, "has no saved state", "managedsave", "m", "--remove")
    last = rounds("m")
    r = hvctl("managedsave", "m", "--json", seconds=120)
    check(r.returncode == 0 and json.loads(r.stdout)["file"] == path, "managedsave m", r.stdout, r.stderr)
    check(not show_alive("m") and os.stat(path).st_mode & 0o777 == 0o600, "it has ended, its state is there")
    refused("start of it with an option", 2, "goes on as it was", "start", "m", "-m", "64M")
    refused("undefine of it", 4, "is saved, and would be lost", "undefine", "m")
    r = hvctl("start", "m", seconds=120)
    check(r.returncode == 0 and r.stdout == "m\n", "start m", r.stdout, r.stderr)
    check(not os.path.exists(path), "the state is gone when it runs")
    check(wait(lambda: first_round("m") >= 0, 60) and first_round("m") >= last, "it goes on where it was", last,
          first_round("m"))
    check(hvctl("managedsave", "m", "--compress", seconds=120).returncode == 0, "managedsave m --compress")
    with open(path, "r+b") as f:
        f.seek(40)
        f.write(b"\x7f")
    refused("a state that is damaged", 7, "managedsave m --remove", "start", "m")
    check(os.path.exists(path), "stays")
    check(hvctl("managedsave", "m", "--remove").returncode == 0 and not os.path.exists(path), "until it is removed")
    hvctl("start", "m")
    check(wait(lambda: first_round("m") == 0, 60), "then it boots anew", printed("m")[-300:])
    hvctl("managedsave", "m", seconds=120)
    r = hvctl("undefine", "m", "--force")
    check(r.returncode == 0 and not os.path.exists(path), "undefine --force takes its state along", r.stderr)


# ---- files of earlier releases ----

GOLDEN = TOP + "/selftests/golden/save"


def in_config(file, old, new):
    """The file's records with other paths in its configuration, which is text."""
    return [r.but(data=r.data.replace(old.encode(), new.encode())) if r.id == 0x1000 else r for r in file.records]


def golden_disk(where):
    os.makedirs(where, exist_ok=True)
    with open(where + "/disk.img", "wb") as f:
        f.truncate(MIB)


def make_golden(_):
    """A small file with a record of each device; its paths are nobody's."""
    path = GOLDEN + "/v1.hvstate"
    golden_disk(DIR + "/golden")
    shutil.copy(bare("moved"), DIR + "/golden/moved.elf")
    if not start("g", "-k", DIR + "/golden/moved.elf", "-m", "48M", "-c", "2,model=x86-64-v2", "--serial", "pty",
                 "--test-devices", "--disk", DIR + "/golden/disk.img,format=raw", "--net", "user", "-a",
                 "smp=2 typed=1"):
        return
    wait(lambda: rounds("g") >= 64, 60)
    os.makedirs(GOLDEN, exist_ok=True)
    if saved("g", path, "--compress", "--force"):
        os.chmod(path, 0o644)
        file = SaveFile(path)
        file.put(path, in_config(file, DIR, ""))


def clock_khz():
    """What the TSC of a VM here runs at."""
    path = DIR + "/now.hvstate"
    if not busy("now") or not saved("now", path):
        return None
    return next(struct.unpack_from("<I", r.data, 12)[0] for r in SaveFile(path).records if r.id == 0x001)


def golden(_):
    khz = clock_khz()
    golden_disk(DIR + "/golden")
    names = sorted(os.listdir(GOLDEN))
    check(names and khz, "there are files", names)
    for name in names:
        path = DIR + "/" + name
        shutil.copy(GOLDEN + "/" + name, path)
        file = SaveFile(path)
        records = in_config(file, "/golden/", DIR + "/golden/")
        # As if it had been saved on this machine: the frequency is none that a release chooses.
        records = [r.but(data=r.data[:12] + struct.pack("<I", khz) + r.data[16:]) if r.id == 0x001 else r
                   for r in records]
        file.put(path, records)
        if not restored(path, "--force", "--name", "g"):
            continue
        alive("g", f"{name} goes on")
        type_in("g", b"q")
        wait(lambda: not show_alive("g"), 60)
        log = hvctl("logs", "g").stdout
        check("code 0" in log or "wrote 0" in log, f"the guest of {name} found nothing missing", log)


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

    def __init__(self, first, name="l"):
        self.console = Console(os.open(show(name)["serial"], os.O_RDWR | os.O_NOCTTY), 150)
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
    if restored(path, "--force", "--paused"):
        check(state("l") == "paused", "--force goes over that", show("l"))


# ---- the generation id ----

def genid(_):
    path = DIR + "/v.hvstate"
    if not start("l", "-k", kernel.vmlinux(RELEASE), "-i", initramfs("save", INIT, MODULES), "-m", "128M",
                 "--serial", "pty", "-a", "console=ttyS0 quiet panic=-1 mitigations=off loglevel=3"):
        return
    guest = Linux(True)
    if not check(guest.up, "the guest is up", guest.console.seen[-2000:]):
        return

    def forks():
        got = re.search(r"^(\d+)$", guest.ask("dmesg | grep -c 'due to virtual machine fork'"), re.M)
        return int(got[1]) if got else -1

    def look():
        return json.loads(hvctl("save", "inspect", path, "--json").stdout or "{}")

    def again(what, want, name, *words):
        nonlocal guest
        guest.close()
        if not restored(path, *words):
            return False
        guest = Linux(False, name)
        wait(lambda: forks() == want, 30)
        time.sleep(2)
        return check(forks() == want, what, forks(), hvctl("logs", name).stdout, guest.ask("dmesg | tail -5"))

    check("VMGENCTR:00" in guest.ask("ls /sys/bus/acpi/drivers/vmgenid"), "its driver has found the device",
          guest.ask("ls /sys/bus/acpi/devices"))
    if not saved("l", path):
        return
    first = look()
    check(first.get("restores") == 0 and len(first.get("generation_id", "")) == 32, "it is in the file", first)
    if not again("the one that goes on hears nothing", 0, "l"):
        return
    check(look().get("restores") == 1, "the file says that it went on", look())
    hvctl("kill", "l")
    if not again("the second one hears it", 1, "l") or not saved("l", path, "--force"):
        return
    second = look()
    check(second["generation_id"] != first["generation_id"], "it has another one", first, second)
    again("one of another name hears it, too", 2, "k", "--name", "k")


PARTS = {"bare": bare_cycles, "bad": bad, "fail": fail, "records": records_part, "managed": managed,
         "golden": golden, "make-golden": make_golden, "genid": genid,
         "linux": linux}


def main():
    for part in sys.argv[1].split(","):
        PARTS[part](int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    return done()


if __name__ == "__main__":
    sys.exit(main())
