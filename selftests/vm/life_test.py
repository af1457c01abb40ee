#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bare guests under hvctl: multiboot, test devices and their exit status, resets, ends, pause, backings."""

import os
import re
import sys
import time

from lib import bare, check, done, hvctl, printed, refused, show, start, wait

# The FADT's reset register (userspace/vmm/layout.h), in the words of reset.elf.
RESET = "port=0x408 value=1"


def run(image, *words):
    return hvctl("run", "-m", "64M", "-k", bare(image), "--test-devices", "--exit-with-guest", *words)


def multiboot():
    r = run("hello", "-a", "answer=42")
    check(r.returncode == 1 and "ok 3 - the command line" in r.stdout, "hello.elf: all held, status 1",
          r.returncode, r.stdout, r.stderr)
    r = run("hello", "-a", "answer=41")
    check(r.returncode == 3 and "not ok 3" in r.stdout, "it reads its command line: status 3", r.returncode,
          r.stdout)
    r = run("testdev", "-a", "exit=85")
    check(r.returncode == 85 * 2 + 1, "pc-testdev's ports; isa-debug-exit gives 85 as 171", r.returncode,
          r.stdout, r.stderr)
    r = run("testdev", "-a", "exit=200")
    check(r.returncode == (200 * 2 + 1) & 0xff, "a code above 127 is cut as by the shell", r.returncode)
    r = run("smp", "-c", "4", "-a", "smp=4")
    check(r.returncode == 1, "4 processors", r.returncode, r.stdout, r.stderr)


def ends():
    """How a VM ends is in its exit code and its log."""
    for what, by in (("a triple fault", "by=0"), ("the ACPI reset register", f"by=1 {RESET}")):
        r = run("reset", "-a", by)
        check(r.returncode == 1 and "before" in r.stdout and "ok 1 - memory is fresh" in r.stdout,
              f"{what} resets, and the guest starts anew", r.returncode, r.stdout, r.stderr)
    r = run("reset", "--no-reboot", "-n", "end1", "-a", f"by=1 {RESET}")
    check(r.returncode == 0 and "ended (reset)" in hvctl("logs", "end1").stdout,
          "--no-reboot: a reset is the end, code 0", r.returncode, r.stderr)
    r = run("reset", "--no-reboot", "-n", "end2", "-a", "by=0")
    check(r.returncode == 1 and "ended (triple-fault)" in hvctl("logs", "end2").stdout,
          "--no-reboot: so is a triple fault, code 1", r.returncode, r.stderr)


def reset_verb():
    if not start("r", "-m", "64M", "-c", "2", "-k", bare("hello")):
        return
    for n in range(1, 4):
        check(wait(lambda: printed("r").count("1..3") == n), f"boot {n}", printed("r"))
        r = hvctl("reset", "r")
        check(r.returncode == 0, f"hvctl reset {n}", r.stderr)
    wait(lambda: printed("r").count("1..3") == 4)
    hvctl("kill", "r")
    check("ended (killed)" in hvctl("logs", "r").stdout, "the log tells of the kill", hvctl("logs", "r").stdout)


def vcpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])


def sandboxed(pid):
    """Every thread of the VM has the filter, nothing has privileges."""
    wrong = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as f:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        got = [fields[k] for k in ("Seccomp", "NoNewPrivs", "CapEff", "CapPrm")]
        if got != ["2", "1", "0" * 16, "0" * 16]:
            wrong.append((task, got))
    return wrong


def pause_verb():
    """echo.elf spins: while it is paused it takes no CPU time and answers nothing."""
    if not start("p", "-m", "16M", "-k", bare("echo"), "--test-devices"):
        return
    pid = show("p")["pid"]
    wait(lambda: "echo guest" in printed("p"))
    wrong = sandboxed(pid)
    check(not wrong, "every thread has the seccomp filter and no capability", wrong)
    busy = vcpu_ticks(pid)
    time.sleep(1)
    check(vcpu_ticks(pid) - busy > 10, "it takes CPU time", vcpu_ticks(pid) - busy)
    check(hvctl("pause", "p").returncode == 0 and show("p")["state"] == "paused", "pause")
    still = vcpu_ticks(pid)
    time.sleep(1)
    check(vcpu_ticks(pid) - still <= 2, "and none while paused", vcpu_ticks(pid) - still)
    refused("stop while paused", 4, "it is paused", "stop", "p")
    check(hvctl("resume", "p").returncode == 0 and show("p")["state"] == "running", "resume")
    busy = vcpu_ticks(pid)
    time.sleep(1)
    check(vcpu_ticks(pid) - busy > 10, "and again after it", vcpu_ticks(pid) - busy)
    hvctl("kill", "p")


def smaps(pid, bytes_):
    """The fields of the mapping of this size (one may be a little larger: room to align in)."""
    with open(f"/proc/{pid}/smaps") as f:
        text = f.read()
    for part in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", text)[1:]:
        a, b = (int(x, 16) for x in part.split()[0].split("-"))
        if bytes_ <= b - a <= bytes_ + (2 << 20) and " rw" in part.split("\n")[0]:
            fields = dict(re.findall(r"(?m)^(\w+): +(\d+) kB", part))
            return part.split("\n")[0], {k: int(v) for k, v in fields.items()}
    return "", {}


def meminfo(key):
    with open("/proc/meminfo") as f:
        return int(re.search(rf"(?m)^{key}: +(\d+)", f.read()).group(1))


def backings():
    size = 64 << 20
    with open("/proc/sys/vm/nr_hugepages", "w") as f:
        f.write("48")
    for kind in ("memfd", "thp", "hugetlb"):
        before = meminfo("HugePages_Free") - meminfo("HugePages_Rsvd")
        if not start(kind, "-m", f"64M,backing={kind}", "-k", bare("hello")):
            continue
        check(wait(lambda: "1..3" in printed(kind)), f"{kind}: the guest runs", printed(kind))
        line, fields = smaps(show(kind)["pid"], size)
        check(show(kind)["backing"] == kind, f"{kind}: show tells it", show(kind))
        if kind == "thp":
            check("memfd" not in line and fields.get("AnonHugePages", 0) >= 2048,
                  "thp: anonymous, in huge pages", line, fields)
        else:
            check(f"/memfd:hv-{kind}" in line, f"{kind}: a memfd with the VM's name", line)
            check(fields.get("KernelPageSize") == (2048 if kind == "hugetlb" else 4), f"{kind}: its page size",
                  fields)
        if kind == "hugetlb":
            left = meminfo("HugePages_Free") - meminfo("HugePages_Rsvd")
            check(before - left == 32, "hugetlb: all of it is reserved", before, left)
            refused("hugetlb: no room for a second one", 1, "reserve 2 MiB pages", "run", "-m",
                    "64M,backing=hugetlb", "--serial", "none", "-k", bare("hello"))
        hvctl("reset", kind)
        check(wait(lambda: printed(kind).count("1..3") == 2), f"{kind}: runs again after a reset", printed(kind))
        hvctl("kill", kind)
        hvctl("wait", kind)
    check(wait(lambda: meminfo("HugePages_Free") - meminfo("HugePages_Rsvd") == 48), "huge pages are given back",
          meminfo("HugePages_Free"), meminfo("HugePages_Rsvd"))
    with open("/proc/sys/vm/nr_hugepages", "w") as f:
        f.write("0")


def numa_maps(pid):
    """Of guest memory: (policy, pages by node) for each mapping with a policy of its own."""
    with open(f"/proc/{pid}/numa_maps") as f:
        lines = [line.split() for line in f]
    return [(w[1], {int(n): int(p) for n, p in re.findall(r"\bN(\d+)=(\d+)", " ".join(w))})
            for w in lines if w[1] != "default"]


def host_nodes():
    if not os.path.exists("/sys/devices/system/node/node1"):
        check(False, "this lab has two host nodes (qemu = in tests.cfg)")
        return
    for kind in ("memfd", "thp"):
        for node in (0, 1):
            name = f"{kind}{node}"
            if not start(name, "-m", f"64M,backing={kind},host-node={node}", "-k", bare("hello")):
                continue
            wait(lambda: "1..3" in printed(name))
            maps = numa_maps(show(name)["pid"])
            check([m[0] for m in maps] == [f"bind:{node}"] and list(maps[0][1]) == [node],
                  f"{kind}: bound to host node {node}, all its pages are there", maps)
            hvctl("kill", name)
    if start("vnuma", "--numa", "memory=32M,cpus=0,host-node=1", "--numa", "memory=32M,cpus=1,host-node=0",
             "-c", "2", "-m", "64M,backing=memfd", "-k", bare("hello")):
        maps = numa_maps(show("vnuma")["pid"])
        check(sorted(m[0] for m in maps) == ["bind:0", "bind:1"], "virtual nodes on host nodes of their own", maps)
        hvctl("kill", "vnuma")


PARTS = {"multiboot": multiboot, "ends": ends, "reset": reset_verb, "pause": pause_verb, "backings": backings,
         "host-nodes": host_nodes}
for part in sys.argv[1:] or PARTS:
    PARTS[part]()
sys.exit(done())
