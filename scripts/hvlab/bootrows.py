# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench rows of start-up and footprint: images, the run in L1, the rows."""

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

# name: (what, unit, to reach, the peers' recorded figures where none runs beside it)
# boot.first_page is what a VMM itself costs: the kernel is one page, so hardly anything is read or cleared.
ROWS = {
    "boot.first_insn": ("exec to the first guest instruction, stock kernel, CPU", "instructions",
                        3000000, ("kvmtool (recorded)", 3700000)),
    "boot.first_page": ("exec to the first guest instruction, one-page kernel, CPU",
                        "instructions", 3000000, ("kvmtool (recorded)", 3140000)),
    "boot.exits": ("exits from exec to /init", "exits", 8000, ("QEMU q35 (recorded)", 25700)),
    "boot.cpu": ("exec to /init, CPU, guest included", "instructions", None,
                 ("kvmtool (recorded)", 6310000000)),
    "boot.guest_rss": ("guest memory resident at /init", "MiB", None,
                       ("QEMU microvm (recorded)", 112)),
    "mem.vmm_private": ("PSS beyond guest memory at /init", "MiB", 1.3,
                        ("kvmtool (recorded)", 1.35)),
    "mem.kernel": ("slab, stacks, page tables, vmalloc at /init", "kB", None,
                   ("QEMU microvm (recorded)", 1184)),
}
# Missed; held where it is.
HELD = {"boot.first_insn": 7500000}
# Where the guest's KASLR puts things moves this by huge pages: 118..120 hv, 116..124 QEMU q35.
SLACK = {"boot.guest_rss": 4}
PEERS = {"q35": "QEMU q35", "microvm": "QEMU microvm", "kvmtool": "kvmtool"}
# One byte to the serial port, then halt. The same bytes mean the same in 32 and 64 bits.
MARK_CODE = bytes.fromhex("66baf803" "b040" "ee" "fa" "f4" "ebfd")
MARK_CODE16 = bytes.fromhex("baf803" "b040" "ee" "fa" "f4" "ebfd")
INIT = "#!/bin/busybox sh\necho @@init\nexec /bin/busybox sleep 1000\n"


def first_mark(image):
    """The kernel `image` of the same size, whose three entries print '@' and halt."""
    out = bytearray(image)
    entry = ((image[0x1f1] or 4) + 1) * 512
    for at in (entry, entry + 0x200):
        out[at:at + len(MARK_CODE)] = MARK_CODE
    real = 0x202 + image[0x201]         # where the jump at 0x200 goes
    out[real:real + len(MARK_CODE16)] = MARK_CODE16
    return bytes(out)


def one_page(image):
    """The kernel `image` cut behind the first page of its protected-mode part."""
    entry = ((image[0x1f1] or 4) + 1) * 512
    out = bytearray(image[:entry + 4096])
    out[0x1f4:0x1f8] = (4096 // 16).to_bytes(4, "little")
    return bytes(out)


def initramfs(busybox):
    out = kernel.cpio_entry("dev", 0o40755)
    out += kernel.cpio_entry("dev/console", 0o20600, rdev=(5, 1))
    out += kernel.cpio_entry("bin", 0o40755)
    out += kernel.cpio_entry("bin/busybox", 0o100755, busybox)
    out += kernel.cpio_entry("init", 0o100755, INIT.encode())
    return gzip.compress(out + kernel.cpio_entry("TRAILER!!!", 0), mtime=0)


def images(top):
    """The stock kernel, the same one with its entry replaced, and the initramfs."""
    def read(path):
        with open(path, "rb") as f:
            return f.read()

    stock = read(kernel.image(kernel.release()))
    files = {"vmlinuz": stock, "vmlinuz-first": first_mark(stock),
             "vmlinuz-page": one_page(first_mark(stock)), "initrd": initramfs(read("/bin/busybox"))}
    os.makedirs(os.path.join(top, FOLDER), exist_ok=True)
    for name, data in files.items():
        with open(os.path.join(top, FOLDER, name), "wb") as f:
            f.write(data)


def measure(top, lab, peers):
    """{side: {row or part: number}} of one boot of the counted lab."""
    images(top)
    if "kvmtool" in peers:
        shutil.copy(os.environ["KVMTOOL"], os.path.join(top, FOLDER, "kvmtool"))
    cmd = [os.path.join(top, "scripts/lab"), "--lab", lab, "--counted", "--mitigations", "off",
           "--", "selftests/bench/boot.sh", str(MEMORY), APPEND, "hv", *peers]
    print("# measuring start-up and footprint ...", file=sys.stderr, flush=True)
    run = subprocess.run(cmd, cwd=top, stdout=subprocess.PIPE, text=True, check=False)
    sides, side, mark = {}, {}, ""
    for line in run.stdout.splitlines():
        word = line.split()
        if word[:1] == ["SIDE"]:
            side, mark = sides.setdefault(word[1], {}), word[2]
        elif word[:1] == ["FIG"]:
            side[mark + "." + word[1]] = int(word[2])
    if run.returncode:
        sys.stderr.write(run.stdout)
        print(f"bench: the lab run failed with status {run.returncode}", file=sys.stderr)
    return {name: figures(side) for name, side in sides.items()}


def figures(side):
    out = {"boot.first_insn": side.get("first.cpu_ns"), "boot.first_page": side.get("page.cpu_ns"),
           "boot.cpu": side.get("init.cpu_ns"), "boot.exits": side.get("init.exits")}
    for row, part, kib in (("boot.guest_rss", "guest_rss_kb", 1024),
                           ("mem.vmm_private", "vmm_pss_kb", 1024)):
        if "init." + part in side:
            out[row] = round(side["init." + part] / kib, 2)
    parts = [side.get("init." + p + "_kb") for p in ("slab", "stack", "tables", "slat", "vmalloc")]
    if None not in parts:
        out["mem.kernel"] = sum(parts)
    out["parts"] = side
    return out


def rows_of(sides, peers, only):
    """Rows for the table: live peers in their order; recorded figures of those not run."""
    out, hv = [], sides.get("hv", {})
    for name, (_, unit, _, recorded) in ROWS.items():
        if not re.search(only, name):
            continue
        beside = [(PEERS[p], sides.get(p, {}).get(name)) for p in peers]
        if recorded[0].replace(" (recorded)", "") not in dict(beside):
            beside.append(recorded)
        for who, peer in beside:
            row = {"name": name, "unit": unit, "hv": hv.get(name), "peer": peer, "peer_name": who,
                   "ratio": None, "n": 1 if hv.get(name) is not None else 0}
            if row["hv"] is not None and peer:
                row["ratio"] = round(row["hv"] / peer, 3)
            out.append(row)
    return out


def missed(rows, pattern):
    """Names of rows that should hold and do not: their figure, or the best peer where none is set."""
    best, out = {}, set()
    for r in rows:
        if r["peer"] is not None:
            best[r["name"]] = min(r["peer"], best.get(r["name"], r["peer"]))
    for r in rows:
        limit = HELD.get(r["name"]) or ROWS[r["name"]][2] or best.get(r["name"])
        if limit is not None:
            limit += SLACK.get(r["name"], 0)
        if re.search(pattern, r["name"]) and (r["hv"] is None or limit is None or r["hv"] > limit):
            out.add(r["name"])
    return sorted(out)


def show(rows):
    fmt = "{:<16} {:>11} {:>11} {:>6} {:>9}  {:<24} {}"
    print(fmt.format("row", "hv", "peer", "ratio", "to reach", "peer is", "what"))
    for r in rows:
        what, unit, target, _ = ROWS[r["name"]]
        mark = "" if target is None or r["hv"] is None or r["hv"] <= target else "  (missed)"
        print(fmt.format(r["name"], *("-" if r[k] is None else r[k]
                                      for k in ("hv", "peer", "ratio")),
                         "-" if target is None else target, r["peer_name"],
                         f"{what}, {unit}{mark}"))
