#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A stock kernel with Debian's initramfs, four processors and a disk: hvctl show counts for each VMBus channel
what its storvsc moves, each processor's reads among them; and its hv_utils sets its clock after a pause.
"""

import json
import os
import re
import sys
import time

from lib import APPEND, DIR, KERNEL, RELEASE, check, done, hvctl, initrd_with, show, start, wait
from hvlab import kernel
from hvlab.console import PROMPT, Console

CPUS = 4
READ_MB = 16
PAUSE = 8


def boot():
    """The console at the shell, or None."""
    disk = DIR + "/disk.raw"
    with open(disk, "wb") as f:
        f.truncate(512 << 20)
    files = {"x/" + name: (0o644, data) for name, data in kernel.modules(RELEASE, ["hv_utils"])}
    if not start("chan", "-k", KERNEL, "-i", initrd_with(files), "-a", APPEND, "-c", str(CPUS), "-m", "512M",
                 "--serial", "pty", "--disk", disk):
        return None
    c = Console(os.open(show("chan")["serial"], os.O_RDWR | os.O_NOCTTY), 280)
    return c if check(c.wait_for(PROMPT) is not None, "its shell comes up", c.seen[-2000:]) else None


def channels(kind):
    """{number of the sub-channel: channel} of the device."""
    return {c["sub_channel"]: c for c in show("chan")["channels"] if c["kind"] == kind}


def grown(before, after, key):
    return {n: c["stats"][key] - before[n]["stats"][key] for n, c in after.items() if n in before}


def read_on(c, cpus, turn):
    """One dd a processor, all at once, each on a part of the disk that nobody has read."""
    c.ask("; ".join(f"taskset {1 << cpu:x} dd if=/dev/sda of=/dev/null bs=64k count={READ_MB * 16} "
                    f"skip={(turn * CPUS + cpu) * READ_MB * 16} 2>/x/dd{cpu} &" for cpu in cpus).replace(
                        "&;", "&") + " wait")
    return c.ask("cat " + " ".join(f"/x/dd{cpu}" for cpu in cpus)) or ""


def disk(c):
    closed = channels("scsi")
    check(list(closed) == [0] and closed[0]["state"] == "hidden" and closed[0]["stats"]["packets"] == 0,
          "before the guest has a bus: one channel, no packet", closed)
    c.ask("modprobe hv_storvsc; modprobe sd_mod")
    found = wait(lambda: "sda" in (c.ask("cat /proc/partitions") or ""), 60)
    check(found, "the guest has a disk", c.ask("dmesg | tail -20"))
    c.ask("[ -b /dev/sda ] || mknod /dev/sda b 8 0")
    first = channels("scsi")
    paths = (c.ask("ls /sys/bus/vmbus/devices") or "").split()
    check(first[0]["instance"] in paths, "the guest names it by the same GUID", first[0]["instance"], paths)
    check(len(first) > 1 and all(ch["state"] == "open" for ch in first.values()),
          "the primary channel and sub-channels are open", first)
    check(len({ch["vp"] for ch in first.values()}) == len(first), "each interrupts a virtual CPU of its own", first)
    moved = {n: 0 for n in first}
    for cpu in range(CPUS):
        before = channels("scsi")
        said = read_on(c, [cpu], 0)
        packets = grown(before, channels("scsi"), "packets")
        print(f"# CPU {cpu}: packets by channel {packets}", flush=True)
        check(sum(packets.values()) >= READ_MB, f"reads on CPU {cpu} are counted", packets, said)
        for n, value in packets.items():
            moved[n] += value
    check(all(n >= READ_MB for n in moved.values()), "reads pinned to each CPU went over every channel", moved)
    before = channels("scsi")
    said = read_on(c, range(CPUS), 1)
    after = channels("scsi")
    for key, least in (("packets", READ_MB), ("guest_signals", 1), ("host_signals", 1)):
        more = grown(before, after, key)
        print(f"# all CPUs: {key} by channel {more}", flush=True)
        check(len(more) == len(first) and min(more.values()) >= least,
              f"parallel reads: {key} of every channel grow", more, said)
    text = hvctl("show", "chan").stdout
    rows = {int(m.group(1)): int(m.group(2)) for m in re.finditer(r"(?m)^scsi +(\d+) +open +\d+ +(\d+) ", text)}
    check(set(rows) == set(after) and all(rows[n] >= after[n]["stats"]["packets"] for n in rows),
          "hvctl show prints them", text)


def sectors(c):
    """Bytes that the guest's kernel says it read from and wrote to its disk (Documentation/block/stat)."""
    words = (c.ask("cat /sys/block/sda/stat") or "").split()
    return (512 * int(words[2]), 512 * int(words[6])) if len(words) > 6 else None


def counted():
    """The same as hvctl stats has it."""
    s = json.loads(hvctl("stats", "chan", "--json").stdout)["stats"]
    return s["scsi0.bytes_read"], s["scsi0.bytes_written"]


def agree(c):
    c.ask("dd if=/dev/zero of=/dev/sda bs=64k count=32 seek=100; sync")
    wait(lambda: sectors(c) == counted(), 30)
    guest, host = sectors(c), counted()
    check(guest == host and guest[1] == 32 << 16, "guest and host have counted the same bytes", guest, host)
    top = json.loads(hvctl("top", "chan", "-n", "1", "-d", "500ms", "--json").stdout)["vms"][0]
    check(top["state"] == "running" and top["rss"] > 0 and "hlt" in top["exit_kinds"], "hvctl top", top)


def error(c):
    """Seconds the guest's clock is ahead of the host's, at least; None when it does not tell it."""
    early = time.time()
    said = re.fullmatch(r"\d+", (c.ask("date +%s") or "").strip())
    late = time.time()
    if not said:
        return None
    guest = int(said.group(0))     # busybox knows no fractions: up to a second more
    return min(guest + 1 - early, 0) or max(guest - late, 0)


def right(c):
    off = error(c)
    return off is not None and abs(off) < 1


def clock(c):
    c.ask("for m in /x/*.ko; do insmod $m; done; insmod /x/hv_utils.ko")
    check(wait(lambda: channels("timesync")[0]["state"] == "open", 30), "its hv_utils opens the time service",
          channels("timesync"), c.ask("dmesg | tail -20"))
    check(wait(lambda: right(c)), "its clock is the host's", error(c))
    check(hvctl("pause", "chan").returncode == 0, "pause")
    time.sleep(PAUSE)
    check(hvctl("resume", "chan").returncode == 0, "resume")
    ok = wait(lambda: right(c), 12)
    check(ok, f"it is again after {PAUSE} s of pause", error(c))


console = boot()
if console:
    disk(console)
    agree(console)
    clock(console)
sys.exit(done())
