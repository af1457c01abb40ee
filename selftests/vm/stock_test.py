#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A stock kernel with Debian's initramfs, four processors on two virtual nodes, its console on a pseudo
terminal: the nodes it finds, its clocks after a pause, and hvctl stop, which it hears by acpid.
"""

import os
import re
import sys
import time

from lib import APPEND, KERNEL, RELEASE, check, done, hvctl, initrd_with, show, start
from hvlab.console import PROMPT, Console

MODULES = f"/lib/modules/{RELEASE}/kernel/drivers"
POWER = "etc/acpi/PWRF/00000080"		# what busybox' acpid runs at the power button


def boot():
    """The console at the shell, or None."""
    files = {POWER: (0o755, b"#!/bin/sh\npoweroff -f\n")}
    for path in ("acpi/button.ko", "input/evdev.ko"):
        with open(f"{MODULES}/{path}", "rb") as f:
            files["x/" + os.path.basename(path)] = (0o644, f.read())
    if not start("stock", "-k", KERNEL, "-i", initrd_with(files), "-a", APPEND, "-c", "4", "--serial", "pty",
                 "--numa", "memory=384M,cpus=0-2", "--numa", "memory=256M,cpus=3"):
        return None
    c = Console(os.open(show("stock")["serial"], os.O_RDWR | os.O_NOCTTY), 200)
    return c if check(c.wait_for(PROMPT) is not None, "its shell comes up on the pty", c.seen[-2000:]) else None


def nodes(c):
    node = "/sys/devices/system/node/"
    for what, command, pattern in (
            ("two nodes", f"cat {node}online", r"^0-1$"),
            ("CPUs of node 0", f"cat {node}node0/cpulist", r"^0-2$"),
            ("CPUs of node 1", f"cat {node}node1/cpulist", r"^3$"),
            ("distances", f"cat {node}node1/distance", r"^20 10$"),
            ("ACPI has no complaint", "dmesg | grep -E 'ACPI.*(Error|Warning|BUG|Bug|bug:|rror:)'", r"^$")):
        answer = c.ask(command)
        check(answer is not None and re.search(pattern, answer.strip()), what, answer)
    for n, low, high in ((0, 300, 384), (1, 200, 256)):
        answer = c.ask(f"grep MemTotal {node}node{n}/meminfo") or ""
        got = re.search(r"MemTotal: +(\d+) kB", answer)
        check(got and low << 10 < int(got.group(1)) <= high << 10, f"memory of node {n}", answer)


def uptime(c):
    got = re.match(r"([\d.]+) ", c.ask("cat /proc/uptime") or "")
    return float(got.group(1)) if got else 0.0


def clocks(c):
    """A pause is no time for the guest; its RTC goes on with the host's; nothing is said about it."""
    lines = (c.ask("dmesg | wc -l") or "").strip()
    first, started = uptime(c), time.monotonic()
    check(hvctl("pause", "stock").returncode == 0, "pause")
    time.sleep(8)
    check(hvctl("resume", "stock").returncode == 0, "resume")
    second, ran = uptime(c), time.monotonic() - started - 8
    check(0 < second - first <= ran + 0.5, "8 s of pause are no time of the guest", first, second, ran)
    second, started = uptime(c), time.monotonic()
    time.sleep(3)
    third, ran = uptime(c), time.monotonic() - started
    check(abs(third - second - ran) < 1, "then its clock runs at the right speed", second, third, ran)
    c.ask("mknod /dev/rtc0 c $(sed 's/:/ /' /sys/class/rtc/rtc0/dev)")
    answer = (c.ask("cat /sys/class/rtc/rtc0/since_epoch") or "").strip()
    check(answer.isdigit() and abs(int(answer) - time.time()) < 4, "its RTC tells the host's time", answer,
          time.time())
    answer = c.ask(f"dmesg | tail -n +{int(lines) + 1 if lines.isdigit() else 1}")
    check(answer == "", "the kernel says nothing about it", answer)
    answer = c.ask("cat /sys/devices/system/clocksource/clocksource0/current_clocksource") or ""
    check("hyperv_clocksource_tsc_page" in answer, "its clock source is the same", answer)


def power_button(c):
    c.ask("insmod /x/button.ko; insmod /x/evdev.ko; mkdir -p /dev/input")
    c.ask("for i in /sys/class/input/event*; do n=${i##*/}; "
          "[ -e /dev/input/$n ] || mknod /dev/input/$n c $(sed 's/:/ /' $i/dev); done")
    c.ask("acpid -l /acpid.log")
    time.sleep(2)
    r = hvctl("stop", "stock", "--timeout", "40", seconds=60)
    if not check(r.returncode == 0, "hvctl stop: acpid hears the button and powers off", r.stderr):
        print(c.ask("cat /acpid.log; ls -l /dev/input; cat /sys/firmware/acpi/interrupts/ff_pwr_btn; "
                    "grep acpi /proc/interrupts; dmesg | tail -5"))
    log = hvctl("logs", "stock").stdout
    check("ended (power-off)" in log and "stopping" in log, "the log tells of it", log)


console = boot()
if console:
    nodes(console)
    clocks(console)
    power_button(console)
sys.exit(done())
