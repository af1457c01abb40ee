# SPDX-License-Identifier: GPL-2.0-or-later
"""
What one turn of a bench row is made of: the counted lab is stepped through it, an
instruction at a time, by the emulator's debug port, for hv and for KVM.

A count of instructions hides what hardware pays most for, so those are told apart.
"""

import bisect
import re
import socket
import struct
import tempfile
import threading

from . import flavour, kernel, l1

# Bare guests live below this address, the host's programs and kernel above.
GUEST_END = 0x10000000
MAX_STEPS = 200000
RIP_REGISTER, RCX_REGISTER = 16, 2

# kind: what it is, and a pattern of the instruction's first bytes (prefixes taken off).
# Hexadecimal; a ModR/M byte is matched by its digits where a kind needs it.
KINDS = (
    ("MSR reads", re.compile(r"0f32")),
    ("MSR writes", re.compile(r"0f30")),
    ("VMRUN", re.compile(r"0f01d8")),
    ("VMLOAD, VMSAVE", re.compile(r"0f01d[ab]")),
    ("STGI, CLGI", re.compile(r"0f01d[cd]")),
    ("CR and DR writes", re.compile(r"0f2[23]")),
    ("TLB flushes", re.compile(r"0f01(df|[37b][89a-f])|0f3882|0f01f[9ab]")),
    ("XSAVE, XRSTOR", re.compile(r"0fae([26a][0-9a-f]|[048][0-7])|0fc7[159df]?[89a-f]|0f01d[01]")),
    ("fences, serializing", re.compile(r"0fae[ef][08]|0fa2|cf|48cf")),
    ("syscall, sysret", re.compile(r"0f0[57]")),
    ("indirect branches", re.compile(r"ff([13579bd][0-7]|[1256ade][0-7])$|ff[e2d]")),
)
PREFIXES = ("66", "f2", "f3", "2e", "36", "3e", "26", "64", "65", "67")
LOCKED_XCHG = re.compile(r"(4[0-9a-f])?8[67][0-9ab]")


class Gdb:
    """The emulator's debug port, as much of its protocol as stepping needs."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.buf = b""
        self.wait()     # it tells that the machine was stopped for us
        # Without it the port does not give out single registers.
        self.ask("qSupported:xmlRegisters=i386")
        self.ask("qXfer:features:read:target.xml:0,ffb")

    def _packet(self):
        while True:
            m = re.search(rb"\$([^#]*)#..", self.buf)
            if m:
                self.buf = self.buf[m.end():]
                self.sock.sendall(b"+")
                return m.group(1).decode("latin-1")
            got = self.sock.recv(65536)
            if not got:
                raise l1.LabError("the emulator closed its debug port")
            self.buf += got

    def send(self, text):
        body = text.encode()
        self.sock.sendall(b"$" + body + b"#%02x" % (sum(body) & 0xff))

    def ask(self, text):
        self.send(text)
        return self._packet()

    def wait(self):
        return self._packet()

    def register(self, nr):
        raw = bytes.fromhex(self.ask(f"p{nr:x}"))
        return struct.unpack("<Q", raw[:8].ljust(8, b"\0"))[0]

    def memory(self, address, size):
        """Hexadecimal digits of what is there, or "" if nothing is mapped."""
        got = self.ask(f"m{address:x},{size:x}")
        return "" if got.startswith("E") else got


class Symbols:
    """Names for the addresses of L1's kernel and modules."""

    def __init__(self, path):
        rows = []
        with open(path, encoding="ascii") as f:
            for line in f:
                word = line.split()
                if word[1] in "tTwW":
                    rows.append((int(word[0], 16), word[2] + (" " + word[3] if word[3:] else "")))
        rows.sort()
        self.start = [r[0] for r in rows]
        self.name = [r[1] for r in rows]

    def of(self, address):
        if address >> 47 == 0:
            return "(program)"
        i = bisect.bisect_right(self.start, address) - 1
        return self.name[i] if i >= 0 else hex(address)


def classify(code, rcx):
    """Kinds of one instruction, given its bytes in hexadecimal and RCX."""
    out, locked = [], False
    while code[:2] in PREFIXES or code[:2] == "f0":
        locked |= code[:2] == "f0"
        code = code[2:]
    bare = code[2:] if re.match("4[0-9a-f]", code) else code
    for name, pattern in KINDS:
        if pattern.match(bare):
            out.append(name)
            if name == "MSR writes" and rcx & 0xffffffff == 0x830:
                out.append("IPIs")
    # XCHG with memory locks by itself.
    if locked or (LOCKED_XCHG.match(code) and bare[2:3] not in "cdef"):
        out.append("locked operations")
    return out


def marks(image):
    """Addresses of vector_begin and vector_end in the bench guest."""
    with open(image, "rb") as f:
        data = f.read()
    wide = data[4] == 2
    shoff = struct.unpack_from("<Q" if wide else "<I", data, 0x28 if wide else 0x20)[0]
    size, number = struct.unpack_from("<HH", data, 0x3a if wide else 0x2e)
    found = {}
    for i in range(number):
        at = shoff + i * size
        if struct.unpack_from("<I", data, at + 4)[0] != 2:      # SHT_SYMTAB
            continue
        if wide:
            off, length = struct.unpack_from("<QQ", data, at + 0x18)
            link = struct.unpack_from("<I", data, at + 0x28)[0]
            text = struct.unpack_from("<Q", data, shoff + link * size + 0x18)[0]
        else:
            off, length, link = struct.unpack_from("<III", data, at + 0x10)
            text = struct.unpack_from("<I", data, shoff + link * size + 0x10)[0]
        for s in range(off, off + length, 24 if wide else 16):
            name, value = struct.unpack_from("<I4xQ" if wide else "<II", data, s)
            end = data.index(b"\0", text + name)
            found[data[text + name:end].decode()] = value
    return found["vector_begin"], found["vector_end"]


def steps(gdb, end):
    """Steps from here to @end: {kind: count}, {address: count}."""
    kinds, at = {"instructions": 0, "of the guest": 0}, {}
    bytes_at = {}
    for _ in range(MAX_STEPS):
        rip = gdb.register(RIP_REGISTER)
        if rip == end:
            return kinds, at
        kinds["instructions"] += 1
        if rip < GUEST_END:
            kinds["of the guest"] += 1
        else:
            if rip not in bytes_at:
                bytes_at[rip] = gdb.memory(rip, 8)
            code = bytes_at[rip]
            rcx = gdb.register(RCX_REGISTER) if code.startswith("0f30") else 0
            for kind in classify(code, rcx):
                kinds[kind] = kinds.get(kind, 0) + 1
        at[rip] = at.get(rip, 0) + 1
        gdb.ask("s")
    raise l1.LabError(f"one turn did not end in {MAX_STEPS} instructions")


def by_function(at, symbols):
    out = {}
    for address, n in at.items():
        name = "(guest)" if address < GUEST_END else symbols.of(address)
        out[name] = out.get(name, 0) + n
    return sorted(out.items(), key=lambda item: -item[1])


def measure(lab, row, mitigations):
    """{side: (kinds, functions)} of one boot."""
    version = kernel.release(None)
    begin, end = marks(l1.TREE + "/build/guest/bench.elf")
    with tempfile.TemporaryDirectory(prefix="hvvec-") as folder:
        port = folder + "/gdb"
        cfg = l1.Config(flavour=flavour.choose(lab, True), version=version, cpus=1, counted=True,
                        mitigations=mitigations, ko=l1.find_ko(version),
                        qemu_args=["-chardev", f"socket,id=gdb,path={port},server=on,wait=off",
                                   "-gdb", "chardev:gdb"])
        with l1.L1(cfg) as vm:
            vm.boot()
            gdb = Gdb(port)
            gdb.ask(f"Z1,{begin:x},1")
            gdb.send("c")
            said = []
            done = threading.Thread(target=lambda: said.append(vm.run(
                "command", ["selftests/bench/both.sh", "vector=" + row], 600, lambda s, d: None)))
            done.start()
            out = {}
            try:
                for side in ("hv", "kvm"):
                    gdb.wait()
                    gdb.ask(f"z1,{begin:x},1")
                    kinds, at = steps(gdb, end)
                    path = f"{l1.TREE}/build/bench/kallsyms.{side}"
                    out[side] = kinds, by_function(at, Symbols(path))
                    gdb.ask(f"Z1,{begin:x},1")
                    gdb.send("c")
            finally:
                vm.kill()
                done.join()
            return out


def show(row, mitigations, sides):
    names = []
    for kinds, _ in sides.values():
        names += [k for k in kinds if k not in names]
    order = ["instructions", "of the guest"] + [k for k, _ in KINDS] + ["IPIs", "locked operations"]
    print(f"\n{row}, one turn, mitigations {mitigations}")
    print(f"{'':<22} {'hv':>8} {'KVM':>8}")
    for name in [n for n in order if n in names]:
        hv, kvm = (sides[s][0].get(name, 0) for s in ("hv", "kvm"))
        print(f"{name:<22} {hv:>8} {kvm:>8}{'  (more)' if hv > kvm else ''}")
    for side, (_, functions) in sides.items():
        print(f"\n{side}: where")
        for name, n in functions[:25]:
            print(f"{n:>8}  {name}")


def run(lab, row):
    """The tables of one row; 1 if any kind costs hv more than KVM."""
    more = []
    for mitigations in ("off", "default"):
        sides = measure(lab, row, mitigations)
        show(row, mitigations, sides)
        hv, kvm = sides["hv"][0], sides["kvm"][0]
        more += [f"{k} ({mitigations})" for k in hv if hv[k] > kvm.get(k, 0)]
    if more:
        print("\nhv spends more than KVM on: " + ", ".join(more))
    return 1 if more else 0

