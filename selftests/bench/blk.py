#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Inside L1: blk.py MIB APPEND SIDE...: block I/O of a stock guest on hv, then on QEMU
with KVM: a raw image and a dynamic VHD of 64 MiB each, on a tmpfs. Prints "SIDE name"
and "BLK disk phase operations ticks exits".
"""

import os
import re
import shutil
import subprocess
import sys

FILES = "/tmp/bench"
DISK = 64 << 20


def exits(side):
    path = "/sys/kernel/debug/hv/vms" if side == "hv" else "/sys/kernel/debug/kvm/exits"
    with open(path, encoding="ascii") as f:
        text = f.read()
    found = re.search(r" exits (\d+)", text)
    return int(found.group(1) if found else text)


def images():
    for name in ("raw", "vhd"):
        if os.path.exists(f"{FILES}/disk.{name}"):
            os.unlink(f"{FILES}/disk.{name}")
    with open(FILES + "/disk.raw", "wb") as f:
        f.truncate(DISK)
    subprocess.run(["qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=dynamic,force_size=on",
                    FILES + "/disk.vhd", str(DISK)], check=True)


def command(side, mib, append):
    boot = [FILES + "/vmlinux", "-initrd", FILES + "/blk.initrd", "-append", append]
    if side == "hv":
        return [FILES + "/hvctl", "-q", "run", "--kernel", boot[0], "--initrd", boot[2],
                "--append", append, "--memory", f"{mib}M", "--cpus", "1",
                "--disk", FILES + "/disk.raw", "--disk", FILES + "/disk.vhd"]
    return ["qemu-system-x86_64", "-M", side, "-accel", "kvm", "-cpu", "host", "-m", mib, "-smp", "1",
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
            "-kernel", *boot,
            "-drive", f"if=virtio,format=raw,cache=writeback,file={FILES}/disk.raw",
            "-drive", f"if=virtio,format=vpc,cache=writeback,file={FILES}/disk.vhd"]


def measure(side, mib, append):
    """0: all phases ran."""
    images()
    vmm = subprocess.Popen(command(side, mib, append), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
    text, begin, count, disk, ok = "", 0, 0, "", False
    while True:
        byte = vmm.stdout.read(1).decode("latin-1")
        if not byte:
            break
        if byte == "<":
            begin = exits(side)
        elif byte == ">":
            count = exits(side) - begin
        text += byte
        if byte != "\n":
            continue
        line = text.rsplit("\n", 2)[-2].split()
        if line[:1] == ["DISK"]:
            disk = line[1]
        elif line[:1] == ["BLK"] and len(line) == 4:
            print("BLK", disk, *line[1:], count, flush=True)
        elif line[:1] == ["END"]:
            ok = True
            break
    vmm.kill()
    vmm.wait()
    if not ok:
        print(f"blk: {side} did not get to its end; its last words:\n{text[-4000:]}", file=sys.stderr)
    return 0 if ok else 1


def main():
    mib, append, sides = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(FILES, exist_ok=True)
    for name in ("build/bench/vmlinux", "build/bench/blk.initrd", "build/bin/hvctl"):
        shutil.copy(name, FILES)
    os.environ.update(XDG_RUNTIME_DIR=FILES, HOME=FILES)
    subprocess.run(["mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug"], check=False,
                   stderr=subprocess.DEVNULL)
    status = 0
    for side in sides:
        if side != "hv" and os.path.exists("/sys/module/hv"):
            subprocess.run(["rmmod", "hv"], check=True)
            if subprocess.run(["modprobe", "kvm_amd"], check=False).returncode:
                subprocess.run(["modprobe", "kvm_intel"], check=True)
        print("SIDE", side, flush=True)
        status |= measure(side, mib, append)
    return status


if __name__ == "__main__":
    sys.exit(main())
