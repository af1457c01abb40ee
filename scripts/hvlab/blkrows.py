# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench rows of block I/O: the guest's initramfs, the run in L1, the rows."""

import gzip
import os
import re
import shutil
import subprocess
import sys

from . import kernel

MEMORY = 512
APPEND = "console=ttyS0 quiet panic=-1 mitigations=off"
FOLDER = "build/bench"
MODULES = ["hv_vmbus", "hv_storvsc", "sd_mod", "virtio_pci", "virtio_blk"]

# name: (disk, phase of the guest's program, what, to reach, to reach in exits or None, recorded peer)
ROWS = {
    "blk.randread_qd1": ("raw", "randread_qd1", "4 KiB random read, depth 1, raw", 28000, 1.1,
                         ("kvmtool (recorded)", 40600, 1.14)),
    "blk.randread_qd16": ("raw", "randread_qd16", "4 KiB random read, depth 16, raw", 12000, 0.10,
                          ("kvmtool (recorded)", 15500, 0.14)),
    "blk.vhd_randwrite_qd1": ("vhd", "randwrite_qd1", "4 KiB random write, depth 1, dynamic VHD",
                              35000, None, None),
    "blk.vhd_alloc": ("vhd", "alloc", "first write to a 2 MiB block, dynamic VHD", 80000, None, None),
    "blk.seqread": ("raw", "seqread", "256 KiB sequential read, raw", 150000, None,
                    ("kvmtool (recorded)", 189000, None)),
}
NAMES = [n + s for n, row in ROWS.items() for s in ("", ".exits") if not s or row[4]]
PEERS = {"q35": "QEMU q35", "microvm": "QEMU microvm"}

INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs dev /dev
$b mount -t sysfs sys /sys
for m in %s; do $b insmod /m/$m; done
for i in 1 2 3 4 5 6 7 8 9 10; do
	for d in sd vd; do [ -b /dev/${d}b ] && break 2; done
	$b usleep 100000
done
echo DISK raw
/bin/blkio /dev/${d}a fill randread_qd1 randread_qd16 seqread
echo DISK vhd
/bin/blkio /dev/${d}b alloc fill randwrite_qd1
echo END
$b sleep 1000
"""


def initramfs(top, version):
    def read(path):
        with open(path, "rb") as f:
            return f.read()

    modules = kernel.modules(version, MODULES)
    out = b"".join(kernel.cpio_entry(d, 0o40755) for d in ("dev", "sys", "bin", "m"))
    out += kernel.cpio_entry("dev/console", 0o20600, rdev=(5, 1))
    out += kernel.cpio_entry("bin/busybox", 0o100755, read("/bin/busybox"))
    out += kernel.cpio_entry("bin/blkio", 0o100755, read(os.path.join(top, FOLDER, "blkio")))
    for name, data in modules:
        out += kernel.cpio_entry("m/" + name, 0o100644, data)
    init = INIT % " ".join(name for name, _ in modules)
    out += kernel.cpio_entry("init", 0o100755, init.encode())
    return gzip.compress(out + kernel.cpio_entry("TRAILER!!!", 0), mtime=0)


def measure(top, lab, peers):
    """{side: {row: (value, n)}} of one boot of the counted lab."""
    version = kernel.release()
    os.makedirs(os.path.join(top, FOLDER), exist_ok=True)
    # Unpacked, as the lab boots it: nobody waits for a decompressor.
    shutil.copy(kernel.vmlinux(version), os.path.join(top, FOLDER, "vmlinux"))
    with open(os.path.join(top, FOLDER, "blk.initrd"), "wb") as f:
        f.write(initramfs(top, version))
    cmd = [os.path.join(top, "scripts/lab"), "--lab", lab, "--counted", "--mitigations", "off",
           "--timeout", "900", "--", "selftests/bench/blk.py", str(MEMORY), APPEND, "hv", *peers]
    print("# measuring block I/O ...", file=sys.stderr, flush=True)
    run = subprocess.run(cmd, cwd=top, stdout=subprocess.PIPE, text=True, check=False)
    sides, side = {}, {}
    for line in run.stdout.splitlines():
        word = line.split()
        if word[:1] == ["SIDE"]:
            side = sides.setdefault(word[1], {})
        elif word[:1] == ["BLK"]:
            side[word[1], word[2]] = [int(w) for w in word[3:]]
    if run.returncode:
        sys.stderr.write(run.stdout)
        print(f"bench: the lab run failed with status {run.returncode}", file=sys.stderr)
    return {name: figures(side) for name, side in sides.items()}


def figures(side):
    out = {}
    for name, (disk, phase, *_) in ROWS.items():
        if (disk, phase) in side:
            n, ticks, exits = side[disk, phase]
            out[name] = (round(ticks / n), n)
            out[name + ".exits"] = (round(exits / n, 3), n)
    return out


def target(name):
    row = ROWS[name.removesuffix(".exits")]
    return row[4] if name.endswith(".exits") else row[3]


def rows_of(sides, peers, only):
    out = []
    for name in NAMES:
        if not re.search(only, name):
            continue
        hv = sides.get("hv", {}).get(name)
        recorded = ROWS[name.removesuffix(".exits")][5]
        beside = [(PEERS[p], sides.get(p, {}).get(name, (None,))[0]) for p in peers]
        if recorded:
            beside.append((recorded[0], recorded[2 if name.endswith(".exits") else 1]))
        for who, peer in beside or [("-", None)]:
            row = {"name": name, "unit": "exits" if name.endswith(".exits") else "instructions",
                   "hv": hv and hv[0], "peer": peer, "peer_name": who, "ratio": None,
                   "n": hv[1] if hv else 0}
            if hv and peer:
                row["ratio"] = round(hv[0] / peer, 3)
            out.append(row)
    return out


def missed(rows, pattern):
    """Names of rows that should hold their figure and do not."""
    return sorted({r["name"] for r in rows if re.search(pattern, r["name"]) and
                   (r["hv"] is None or r["hv"] > target(r["name"]))})


def show(rows):
    fmt = "{:<24} {:>9} {:>9} {:>6} {:>9}  {:<20} {}"
    print(fmt.format("row", "hv", "peer", "ratio", "to reach", "peer is", "what"))
    for r in rows:
        mark = "  (missed)" if missed([r], "") else ""
        print(fmt.format(r["name"], *("-" if r[k] is None else r[k] for k in ("hv", "peer", "ratio")),
                         target(r["name"]), r["peer_name"],
                         f"{ROWS[r['name'].removesuffix('.exits')][2]}, {r['unit']}{mark}"))
