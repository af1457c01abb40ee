# SPDX-License-Identifier: GPL-2.0-or-later
"""
What an L1 that does not answer is doing: the registers of its CPUs with names
for their addresses, the kernel addresses on their stacks, their pending
interrupts, and how the emulator's own threads are. All from outside.
"""

import bisect
import json
import os
import re
import socket
import subprocess
import time

SAMPLES = 3		# of RIP, to see whether it moves
PATIENCE = 5		# seconds that the emulator's monitor has to answer
STACK_WORDS = 384	# looked through for return addresses
FRAMES = 20		# of them shown
KERNEL_TEXT = 0xffffffff80000000


class NoAnswer(Exception):
    """The emulator's monitor does not answer."""


class Monitor:
    """QEMU's monitor (QMP) on a unix socket."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.buf = b""
        try:
            self.sock.connect(path)
            self._message()
            self.execute("qmp_capabilities")
        except OSError as e:
            raise NoAnswer(str(e)) from e

    def _message(self):
        while b"\n" not in self.buf:
            try:
                got = self.sock.recv(1 << 16)
            except OSError as e:
                raise NoAnswer(str(e)) from e
            if not got:
                raise NoAnswer("it closed the connection")
            self.buf += got
        line, self.buf = self.buf.split(b"\n", 1)
        return json.loads(line)

    def execute(self, command, **arguments):
        text = json.dumps({"execute": command, "arguments": arguments})
        try:
            self.sock.sendall(text.encode() + b"\n")
        except OSError as e:
            raise NoAnswer(str(e)) from e
        while True:
            m = self._message()
            if "return" in m:
                return m["return"]
            if "error" in m:
                return None

    def human(self, line, cpu=0):
        """The text that a command of the human monitor prints."""
        got = self.execute("human-monitor-command", **{"command-line": line, "cpu-index": cpu})
        return (got or "").replace("\r", "")

    def close(self):
        self.sock.close()


class Symbols:
    """Names for addresses in L1's kernel, its boot modules and hv.ko."""

    def __init__(self):
        self.addr, self.name = [], []

    def load(self, kallsyms, ko, log):
        rows = _kallsyms(kallsyms) + _module(ko, log)
        rows.sort()
        self.addr = [a for a, _ in rows]
        self.name = [n for _, n in rows]
        return self

    def find(self, address):
        """'function+0x12', or '' when it is none of ours."""
        i = bisect.bisect_right(self.addr, address) - 1
        if address < KERNEL_TEXT or i < 0 or address - self.addr[i] > 0x8000:
            return ""
        name, _, module = self.name[i].partition(" ")
        return f"{name}+0x{address - self.addr[i]:x} {module}".rstrip()


def _kallsyms(path):
    rows = []
    try:
        with open(path) as f:
            for line in f:
                part = line.split()
                rows.append((int(part[0], 16), " ".join(part[2:4])))
    except (OSError, ValueError, IndexError):
        pass
    return rows


def _module(ko, log):
    """hv.ko: symbols from the file, the sections' addresses from the kernel log."""
    where = {}
    for line in log:
        m = re.search(r"hv-lab: hv\.ko (\S.*)", line)
        if m:
            where = dict(word.split("=") for word in m[1].split())
    if not ko or not where:
        return []
    r = subprocess.run(["objdump", "-t", ko], capture_output=True, text=True)
    rows = []
    for line in r.stdout.splitlines():
        m = re.match(r"([0-9a-f]{16}) .{6}F (\S+)\s+[0-9a-f]{16} (?:\S+ )?(\S+)$", line)
        if m and m[2] in where:
            rows.append((int(where[m[2]], 16) + int(m[1], 16), m[3] + " [hv]"))
    return rows


def _register(text, name):
    m = re.search(r"\b%s *= ?([0-9a-f]+)" % name, text)
    return int(m[1], 16) if m else 0


def _stack(mon, cpu, rsp, symbols):
    """Kernel text addresses on the stack, newest first: some of them are return addresses."""
    found = []
    text = mon.human(f"x/{STACK_WORDS}gx 0x{rsp:x}", cpu) if rsp >= 1 << 63 else ""
    for line in text.splitlines():
        for word in line.partition(":")[2].split():
            name = symbols.find(int(word, 16)) if re.fullmatch(r"0x[0-9a-f]+", word) else ""
            if name:
                found.append(name)
    return found[:FRAMES]


def _describe(address, symbols):
    return f"0x{address:x} {symbols.find(address) or '(not the kernel of L1)'}"


def _cpu(mon, cpu, symbols):
    """One CPU: where it is, flags, what waits, all its registers."""
    samples = []
    for _ in range(SAMPLES):
        text = mon.human("info registers", cpu)
        samples.append(text)
        time.sleep(0.1)
    rip = [_register(t, "RIP") for t in samples]
    flags = _register(text, "R?FL")
    halted = re.search(r"HLT=(\d)", text)
    out = [f"CPU {cpu}: " + (
        "RIP " + " then ".join(_describe(a, symbols) for a in dict.fromkeys(rip))) +
        f"; interrupts {'on' if flags & 0x200 else 'off'}" +
        ("; halted" if halted and halted[1] == "1" else "")]
    out += ["  stack: " + name for name in _stack(mon, cpu, _register(text, "RSP"), symbols)]
    apic = mon.human(f"info lapic {cpu}", cpu)
    keep = re.compile(r"^(ISR|IRR|LVTT|Timer|APR|TPR|PPR|SPIV|ICR)\b|initial_count|current_count")
    out += ["  APIC " + line.strip() for line in apic.splitlines() if keep.match(line.strip())]
    out += ["  " + line for line in text.splitlines() if line.strip()
            and not re.match(r"(FCW|FPR|XMM|YMM|Opmask|CPU#|[DEFGC]S |SS |LDT|TR |[GI]DT)", line)]
    return out


def threads(pid):
    """The emulator's threads: name, state, CPU time in ticks over half a second."""
    def look():
        rows = {}
        for tid in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
            try:
                with open(f"/proc/{pid}/task/{tid}/stat") as f:
                    name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
                with open(f"/proc/{pid}/task/{tid}/wchan") as f:
                    wchan = f.read().strip("0")
            except OSError:
                continue
            part = rest.split()
            rows[tid] = (name, part[0], int(part[11]) + int(part[12]), wchan)
        return rows

    try:
        first = look()
        time.sleep(0.5)
        second = look()
    except OSError:
        return ["the emulator is gone"]
    return [f"emulator thread {second[t][0]}: state {second[t][1]}, ran "
            f"{second[t][2] - first[t][2]} of {os.sysconf('SC_CLK_TCK') // 2} ticks"
            + (f", waits in {second[t][3]}" if second[t][3] else "")
            for t in second if t in first]


def look(pid, qmp, symbols):
    """Lines for people. Never raises: what cannot be had is said."""
    out = threads(pid)
    try:
        mon = Monitor(qmp)
        try:
            for row in mon.execute("query-cpus-fast") or []:
                out += _cpu(mon, row["cpu-index"], symbols)
        finally:
            mon.close()
    except (NoAnswer, ValueError, KeyError) as e:
        out.append(f"the emulator's monitor does not answer: {e}")
    return out


def nmi(qmp):
    """Makes L1's kernel panic and print where it was (unknown_nmi_panic)."""
    try:
        mon = Monitor(qmp)
        mon.execute("inject-nmi")
        mon.close()
    except NoAnswer:
        pass
