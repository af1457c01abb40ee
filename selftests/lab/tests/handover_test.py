#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Another kernel takes L1 over while guests run on two of its CPUs: by kexec, or after a panic
(kdump). What is looked at:

  - the emulator says of each CPU that SVM is off before the new kernel has touched CPU 1
    (it is started with one CPU);
  - after a panic the memory image says that the other CPU was taken out of a guest, by an NMI
    that came right behind the world switch;
  - the new kernel comes up, loads hv.ko and runs a guest, after kexec on CPU 1 too, which has
    to take INIT for that;
  - the kernel log of both has nothing but the panic that was asked for.

  handover_test.py kexec|kdump
"""

import os
import re
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../scripts"))
from hvlab import flavour, kernel, klog, l1  # noqa: E402

SVME = 1 << 12
INITRD = f"{l1.TREE}/build/lab/second.initrd"   # L1 need not see the cache
GUEST = ("build/bin/hvctl run --test-devices --exit-with-guest --no-reboot "
         "--kernel build/guest/hello.elf --memory 32M </dev/null; [ $? = 1 ] && echo guest ran")

# Guests that never leave by themselves, one a CPU, and both seen in HV_VCPU_RUN.
START = """{
export HV_RUNTIME_DIR=/run/vms
for cpu in FIRST SECOND; do
	taskset -c $cpu build/bin/hvctl start -k build/guest/spin.elf -n cpu$cpu -m 32M || exit 1
done
for try in $(seq 100); do
	[ "$(for n in FIRST SECOND; do build/bin/hvctl logs --console cpu$n; done | grep -c spinning)" = 2 ] && break
	[ $try != 100 ] || { build/bin/hvctl list; exit 1; }
	sleep 0.2
done
grep '\\[hv\\]' /proc/kallsyms
} || exit 1; sync;"""

WAYS = {
    "kexec": dict(append="", words="maxcpus=1", load="load", go="build/lab/kexec go",
                  log=[], says=["kexec_core: Starting new kernel", "hv: version"]),
    "kdump": dict(append="crashkernel=320M", words="nr_cpus=1 reset_devices", load="panic",
                  go="taskset -c FIRST sh -c 'echo c >/proc/sysrq-trigger'",
                  log=["Kernel panic - not syncing: sysrq triggered crash"],
                  says=["Kernel panic - not syncing: sysrq triggered crash", "hv: version"]),
}

failed = 0


def check(good, what):
    global failed
    print("ok:" if good else "NOT OK:", what, flush=True)
    failed += not good


class Lab:
    """L1, its output and its log collected."""

    def __init__(self, way):
        fl = flavour.choose(None, False)
        version = kernel.release()
        self.vm = l1.L1(l1.Config(flavour=fl, version=version, ko=l1.find_ko(version),
                                  append=way["append"]))
        self.first = self.vm.spare      # of those that guests run on
        self.cpus = self.vm.cfg.cpus + self.first
        self.way = way
        self.log = []
        print(f"lab: {fl.name}: {fl.why}", flush=True)

    def run(self, script, timeout=90):
        chunks = []
        script = script.replace("FIRST", str(self.first)).replace("SECOND", str(self.first + 1))
        res = self.vm.run("handover", ["bash", "-c", script], timeout,
                          lambda kind, data: chunks.append(data))
        for line in klog.bad_lines(res.log, self.way["log"]) + res.trouble:
            check(False, "kernel log: " + line)
        self.log += [klog.strip(line) for line in res.log]
        return res, b"".join(chunks)


def symbols(text):
    """(address, name) of hv.ko's functions, sorted."""
    rows = re.findall(r"^([0-9a-f]{16}) [tT] (\S+)\s+\[hv\]", text, re.M)
    return sorted((int(a, 16), n) for a, n in rows)


def where(syms, rip):
    below = [(a, n) for a, n in syms if a <= rip]
    return "%s+0x%x" % (below[-1][1], rip - below[-1][0]) if below else hex(rip)


def prstatus_rips(image):
    """RIP of each CPU from the notes of /proc/vmcore (ELF core of struct elf_prstatus)."""
    if image[:4] != b"\x7fELF":
        return []
    phoff, = struct.unpack_from("<Q", image, 32)
    kind, _, start, _, _, size = struct.unpack_from("<IIQQQQ", image, phoff)
    rips, at = [], start
    while kind == 4 and at + 12 <= min(start + size, len(image)):
        name, desc, note = struct.unpack_from("<III", image, at)
        body = at + 12 + (name + 3 & ~3)
        if note == 1 and body + 248 <= len(image):
            rips.append(struct.unpack_from("<Q", image, body + 112 + 16 * 8)[0])
        at = body + (desc + 3 & ~3)
    return rips


def second_kernel(lab, name):
    off = lab.vm.efer()
    check(len(off) == lab.cpus and not any(v & SVME for v in off),
          "SVM is off on each CPU at hand-over (EFER %s)" % " ".join(map(hex, off)))
    res, out = lab.run(GUEST)
    check(res.end == "exit" and b"guest ran" in out, "the new kernel runs a guest")
    if name == "kexec":
        res, out = lab.run("echo 1 >/sys/devices/system/cpu/cpu1/online && "
                           f"taskset -c 1 bash -c '{GUEST}'")
        check(res.end == "exit" and b"guest ran" in out, "and one on CPU 1")
    if failed:
        print(out.decode("utf-8", "replace"))


def other_cpu(lab, syms):
    _, image = lab.run("head -c 131072 /proc/vmcore")
    at = [where(syms, rip) for rip in prstatus_rips(image)]
    check(len(at) == lab.cpus and at[lab.first + 1].startswith("hv_svm_vmrun+"),
          "the NMI took the second CPU out of its guest (they were at: %s)" % ", ".join(at))


def main(name):
    way = WAYS[name]
    lab = Lab(way)
    with lab.vm as vm:
        vm.boot()
        shutil.copyfile(kernel.initramfs(vm.cfg.version, l1.init_program()), INITRD)
        line = f"{vm.command_line()} {way['words']}".replace(way["append"] or "\0", "")
        res, out = lab.run(f"build/lab/kexec {way['load']} {kernel.image(vm.cfg.version)} "
                           f"{INITRD} '{line}' || exit 1; {START} {way['go']}; sleep 60")
        check(res.end == "kexec", f"the new kernel is up and reports (it ended by: {res.end})")
        if res.end != "kexec":
            print(out.decode("utf-8", "replace"), *lab.log[-60:], sep="\n")
            return
        check(not res.status, "it loads hv.ko")
        second_kernel(lab, name)
        for text in way["says"]:
            check(any(text in s for s in lab.log), "the kernel log says: " + text)
        if name == "kdump":
            other_cpu(lab, symbols(out.decode("utf-8", "replace")))


main(sys.argv[1])
sys.exit(1 if failed else 0)
