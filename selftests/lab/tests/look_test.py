#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab's look at a hung L1: names of addresses, and a monitor that does not answer."""

import os
import re
import socket
import subprocess
import sys
import tempfile

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, TREE + "/scripts")
from hvlab import kernel, l1, look  # noqa: E402

failed = 0


def expect(what, got, want):
    global failed
    if got != want:
        print(f"{what}: {got!r}, wanted {want!r}")
        failed = 1


def names(folder):
    ko = l1.find_ko(kernel.release())
    r = subprocess.run(["objdump", "-t", ko], capture_output=True, text=True)
    at = {m[2]: int(m[1], 16) for m in re.finditer(
        r"^([0-9a-f]{16}) .{6}F \.(?:noinstr\.)?text\t[0-9a-f]{16} (\w+)$", r.stdout, re.M)}
    with open(folder + "/kallsyms", "w") as f:
        f.write("ffffffff81000000 T _stext\nffffffff81000100 t idle\n"
                "ffffffffc0000000 t vring_interrupt\t[virtio_ring]\n")
    log = ["[    1.2] hv-lab: hv.ko .text=0xffffffffc0100000 .noinstr.text=0xffffffffc0200000",
           "[    2.2] hv-lab: hv.ko .text=0xffffffffc0300000 .noinstr.text=0xffffffffc0400000"]
    s = look.Symbols().load(folder + "/kallsyms", ko, log)
    expect("kernel", s.find(0xffffffff81000123), "idle+0x23")
    expect("module", s.find(0xffffffffc0000001), "vring_interrupt+0x1 [virtio_ring]")
    expect("hv.ko, as loaded last", s.find(0xffffffffc0300000 + at["hv_vcpu_run"] + 5),
           "hv_vcpu_run+0x5 [hv]")
    expect("its other section", s.find(0xffffffffc0400000 + at["hv_svm_vmrun"] + 1),
           "hv_svm_vmrun+0x1 [hv]")
    expect("user space", s.find(0x401000), "")
    expect("nothing near", s.find(0xffffffff90000000), "")
    expect("no files", look.Symbols().load("/nowhere", "", []).find(0xffffffff81000123), "")


def silent(folder):
    """A monitor that takes the connection and says nothing."""
    look.PATIENCE = 0.2
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(folder + "/qmp")
        s.listen()
        lines = look.look(os.getpid(), folder + "/qmp", look.Symbols())
    expect("says so", lines[-1].split(":")[0], "the emulator's monitor does not answer")
    expect("tells of the threads", lines[0].startswith("emulator thread look_test.py: state "), True)
    look.nmi(folder + "/none")


with tempfile.TemporaryDirectory() as d:
    names(d)
    silent(d)
sys.exit(failed)
