#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
What runs between VMRUN and the first RET, in the module as this kernel patched it: the steps
that the kernel took for itself, by what it says of the CPU's bugs, must be there, and none else.
"""

import re
import struct
import subprocess
import sys
import tempfile

VULN = "/sys/devices/system/cpu/vulnerabilities/"
UNTRAIN = ("entry_untrain_ret", "srso_untrain_ret", "srso_alias_untrain_ret", "retbleed_untrain_ret",
           "zen_untrain_ret")
failed = 0


def read(path):
    try:
        with open(path) as f:
            return f.read()
    except FileNotFoundError:
        return ""


def check(good, what):
    global failed
    failed += not good
    print(("ok - " if good else "not ok - ") + what)


def symbols():
    return {n: int(a, 16) for a, _, n, *_ in (line.split() for line in read("/proc/kallsyms").split("\n") if line)}


def memory(addr, size):
    with open("/proc/kcore", "rb") as f:
        head = f.read(64)
        off, = struct.unpack_from("<Q", head, 32)
        count, = struct.unpack_from("<H", head, 56)
        f.seek(off)
        table = f.read(56 * count)
        for i in range(count):
            kind, _, at, va, _, length = struct.unpack_from("<IIQQQQ", table, 56 * i)
            if kind == 1 and va <= addr < va + length:
                f.seek(at + addr - va)
                return f.read(size)
    raise SystemExit(f"{addr:#x} is not in /proc/kcore")


def code(addr, size):
    """[(address, mnemonic, operands)]"""
    with tempfile.NamedTemporaryFile() as f:
        f.write(memory(addr, size))
        f.flush()
        out = subprocess.run(["objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "--no-show-raw-insn",
                              f"--adjust-vma={addr:#x}", f.name], stdout=subprocess.PIPE, text=True, check=True)
    rows = re.findall(r"^[ \t]*([0-9a-f]+):[ \t]+(\S+)[ \t]*(.*)$", out.stdout, re.M)
    return [(int(a, 16), m, o) for a, m, o in rows]


def body(name, sym):
    later = sorted(a for a in sym.values() if a > sym[name])
    return code(sym[name], min(later[0] - sym[name] if later else 1024, 1024))


sym = symbols()
switch = body("hv_svm_vmrun", sym)
names = {a: n for n, a in sym.items() if n in UNTRAIN or n == "entry_ibpb"}
ops = [m for _, m, _ in switch]
vmrun, ret = ops.index("vmrun"), len(ops)
for i in range(vmrun, len(ops)):
    # A return thunk is a jump out of the function.
    out = re.match(r"0x([0-9a-f]+)", switch[i][2]) if ops[i] == "jmp" else None
    if ops[i].startswith("ret") or (out and not switch[0][0] <= int(out.group(1), 16) <= switch[-1][0]):
        ret = i
        break
path = switch[vmrun:ret]
targets = [names[int(o.split()[0], 16)] for _, m, o in path if m.startswith("call") and
           re.match(r"0x[0-9a-f]+$", o.split()[0]) and int(o.split()[0], 16) in names]
retbleed, spectre = read(VULN + "retbleed"), read(VULN + "spectre_v2")
print("# retbleed:", retbleed.strip(), "\n# spectre_v2:", spectre.strip(), "\n# calls:", targets)
check(len(path) > 20 and ret < len(ops), f"{len(path)} instructions from VMRUN to the first return")
check(("untrained return thunk" in retbleed) == any(t in UNTRAIN for t in targets),
      "return thunks are untrained where the kernel untrains its own")
check(("IBPB" in retbleed and "untrained" not in retbleed) == ("entry_ibpb" in targets),
      "IBPB where the kernel does one at its entry")
check(("VMEXIT" in spectre or "RSB filling" in spectre or "Filling RSB" in spectre) ==
      any(m == "int3" for _, m, _ in path), "the return stack is filled where the kernel fills its own")
verw = ops.index("verw")  # a jump over it stands before it where it is not wanted
check((ops[verw - 1] != "jmp") == ("Clear CPU buffers" in read(VULN + "tsa")),
      "buffers are cleared before VMRUN on a CPU with TSA")
enter = [m for _, m, _ in body("hv_svm_enter", sym)]
bugs = re.search(r"^bugs\s*:(.*)$", read("/proc/cpuinfo"), re.M).group(1).split()
check(("div0" in bugs) == any(m.startswith("div") for m in enter), "the divider is cleared on a CPU with DIV0")
sys.exit(failed > 0)
