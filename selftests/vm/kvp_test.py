#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
kvp_test.py PART[,PART]: key-value pairs with a stock kernel and its stock daemon.

	tell	hvctl show has the guest's system, name and addresses; hvctl kvp lists, sets and deletes; what a guest's
		user wrote never reaches a terminal as control characters
	lost	a daemon that stops, dies and comes back; a reset; a VM that is saved and restored
"""

import json
import os
import re
import sys

from lib import DIR, RELEASE, check, done, hvctl, initramfs, read, refused, show, start, wait
from hvlab import kernel
from hvlab.console import PROMPT, Console

DAEMON = "/usr/sbin/hv_kvp_daemon"
LIBS = {"lib/x86_64-linux-gnu/libc.so.6": "/lib/x86_64-linux-gnu/libc.so.6",
        "lib64/ld-linux-x86-64.so.2": "/lib64/ld-linux-x86-64.so.2"}
MODULES = ["hv_vmbus", "hv_netvsc", "hv_utils"]
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
for m in @modules@; do insmod /m/$m; done
mkdir -p /var/lib
hostname hvguest
ip link set lo up
ip addr add 10.0.2.15/24 dev eth0 2>/dev/null && ip link set eth0 up && ip route add default via 10.0.2.2
while :; do
	printf '@prompt@'
	read -r line && eval "$line"
done
"""
OS_RELEASE = 'NAME="Debian of a test"\nVERSION_ID="12"\nID=debian\n'


def record(name, value):
    """An entry of a pool as the daemon keeps it."""
    return name.encode().ljust(512, b"\0") + value.encode().ljust(2048, b"\0")


POOL = record("plain", "of the guest") + record("evil\x1b[2J", "\x1b]0;owned\x07\r\x9b31m\u202ereversed")


def boot(name, *words):
    files = {"usr/sbin/hv_kvp_daemon": (0o755, read(DAEMON)), "etc/os-release": (0o644, OS_RELEASE.encode()),
             "etc/hosts": (0o644, b"127.0.0.1 localhost\n10.0.2.15 hvguest.example.org hvguest\n"), "pool": (0o644, POOL),
             **{path: (0o755, read(source)) for path, source in LIBS.items()}}
    if not start(name, "-k", kernel.vmlinux(RELEASE), "-i", initramfs("kvp", INIT, MODULES, files), "-m", "256M",
                 "--serial", "pty", "-a", "console=ttyS0 quiet panic=-1 mitigations=off loglevel=3", *words):
        return None
    return attach(name)


def attach(name):
    console = Console(os.open(show(name)["serial"], os.O_RDWR | os.O_NOCTTY), 400)
    up = console.wait_for(PROMPT) is not None
    return console if check(up, f"{name} is up", console.seen[-2000:], hvctl("logs", name).stdout) else None


def guest(name="k"):
    return show(name)["guest"]


def pairs(pool, name="k"):
    """{name: value} of a pool, asked anew; empty after a failure."""
    r = hvctl("kvp", name, "--json", seconds=90)
    if r.returncode:
        return {}
    return {p["name"]: p["value"] for p in json.loads(r.stdout)["pools"][pool]["pairs"]}


def told(c):
    check(guest() is None, "before the daemon runs nothing is known of the guest", guest())
    refused("kvp without a daemon", 4, "hyperv-daemons", "kvp", "k")
    refused("a change without one", 4, "nobody answers", "kvp", "k", "set", "a", "b")
    c.ask(DAEMON)
    got = wait(lambda: guest() and guest()["addresses"] and guest(), 60) or {}
    check(got.get("os") == "Debian of a test" and got.get("architecture") == "x86_64" and
          RELEASE.startswith(got.get("os_version", "?")), "its system", got, c.ask("dmesg | tail; ps | grep hv_kvp"))
    check(got.get("hostname") == "hvguest.example.org", "its name", got)
    check("10.0.2.15" in got.get("addresses", []), "its addresses", got, c.ask("ip addr"))
    nets = got.get("adapters", [])
    check(len(nets) == 1 and "10.0.2.15" in nets[0]["addresses"] and "10.0.2.2" in nets[0]["gateways"] and
          nets[0]["mac"] == show("k")["nets"][0]["mac"], "and those of its adapter", got)
    text = hvctl("show", "k").stdout
    check(re.search(r"(?m)^guest +Debian of a test", text) and re.search(r"(?m)^hostname +hvguest.example.org$", text) and
          re.search(r"(?m)^address +10\.0\.2\.15$", text), "hvctl show prints them", text)
    c.ask("ip addr add 10.0.2.77/24 dev eth0")
    auto = pairs("auto")
    check("10.0.2.77" in auto.get("NetworkAddressIPv4", ""), "hvctl kvp asks anew", auto)


def listed(c):
    c.ask("cp /pool /var/lib/hyperv/.kvp_pool_1")
    mine = pairs("guest")
    check(mine.get("plain") == "of the guest" and len(mine) == 2, "what a user of the guest wrote", mine)
    out = hvctl("kvp", "k", seconds=90).stdout
    everything = out + "".join(k + v for k, v in mine.items())
    check("owned" in out and not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", everything),
          "without control characters", repr(out))


def change(c):
    r = hvctl("kvp", "k", "set", "role", "gr\u00fcn \u20ac \U0001d11e", seconds=90)
    check(r.returncode == 0, "kvp set", r.returncode, r.stderr)
    got = c.ask("tr -d '\\0' </var/lib/hyperv/.kvp_pool_0")
    check("role" in got and "\u20ac" in got, "the guest has it", got)
    check(pairs("external") == {"role": "gr\u00fcn \u20ac \U0001d11e"}, "and it is listed", pairs("external"))
    hvctl("kvp", "k", "set", "role", "blue", seconds=90)
    check(pairs("external") == {"role": "blue"}, "another value", pairs("external"))
    r = hvctl("kvp", "k", "delete", "role", seconds=90)
    check(r.returncode == 0 and pairs("external") == {}, "kvp delete", r.returncode, r.stderr)
    refused("deleting what is not there", 1, "refused that", "kvp", "k", "delete", "role")
    refused("a name that is too long", 7, "can keep", "kvp", "k", "set", "n" * 300, "x")
    s = json.loads(hvctl("stats", "k", "--json").stdout)["stats"]
    check(s["kvp.answers"] > 20 and s["kvp.nonsense"] == 0 and s["kvp.overdue"] == 0 and
          s["kvp.questions"] - s["kvp.answers"] in (0, 1), "counters", {k: v for k, v in s.items() if k[:4] == "kvp."})


def tell():
    c = boot("k", "--net", "user")
    if c:
        told(c)
        listed(c)
        change(c)


def lost():
    c = boot("k")
    if not c:
        return
    c.ask(DAEMON)
    check(wait(guest, 60), "the guest tells", c.ask("dmesg | tail"))
    c.ask("killall -STOP hv_kvp_daemon")
    r = hvctl("kvp", "k", seconds=100)
    check(r.returncode in (0, 9), "the daemon stands still: the guest's driver says so, or it takes too long",
          r.returncode, r.stdout, r.stderr)
    c.ask("killall -CONT hv_kvp_daemon; killall hv_kvp_daemon; sleep 1; killall -9 hv_kvp_daemon")
    r = hvctl("kvp", "k", seconds=100)
    check(r.returncode in (4, 9), "it is gone: nobody answers", r.returncode, r.stdout, r.stderr)
    check(wait(lambda: guest()["kvp"] == "lost", 60) and guest()["os"] == "Debian of a test",
          "hvctl show has what it told before, and says so", guest())
    c.ask(DAEMON)
    check(wait(lambda: guest()["kvp"] == "ok", 60) and pairs("auto"), "another daemon is asked again", guest())
    r = hvctl("save", "k", DIR + "/k.hvstate", seconds=120)
    check(r.returncode == 0, "save", r.stderr)
    r = hvctl("restore", DIR + "/k.hvstate", seconds=120)
    check(r.returncode == 0, "restore", r.stderr)
    got = wait(guest, 60)
    check(got and got["os"] == "Debian of a test", "a restored VM tells", got, hvctl("logs", "k").stdout)
    check("OSName" in pairs("auto"), "and is asked", show("k")["channels"])
    hvctl("reset", "k")
    check(wait(lambda: guest() is None, 60), "after a reset nothing is known", guest())
    c = attach("k")
    if c:
        c.ask(DAEMON)
        check(wait(guest, 60), "until it tells again", c.ask("dmesg | tail"))


def main():
    for part in sys.argv[1].split(","):
        {"tell": tell, "lost": lost}[part]()
        hvctl("kill", "-f", "k")
    return done()


if __name__ == "__main__":
    sys.exit(main())
