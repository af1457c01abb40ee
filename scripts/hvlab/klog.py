# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel log of L1: what in it is a failure, and whose."""

import re

# One row a kind of trouble. A line that matches fails the test it came in.
BAD = [re.compile(p) for p in (
    r"WARNING: (CPU|possible|suspicious|inconsistent|bad|held|lock|kernel)",
    r"\bBUG: ",
    r"\bBUG [\w-]+ \(",
    r"kernel BUG at",
    r"\bOops\b",
    r"general protection fault, ",
    r"(soft|hard) LOCKUP",
    r"watchdog: BUG",
    r"rcu: INFO: ",
    r"rcu:.*(stall|self-detected)",
    r"INFO: (task .* blocked|possible|rcu_|trying to register|lockdep)",
    r"NMI watchdog: Watchdog detected",
    r"suspicious RCU usage",
    r"possible (circular|recursive) locking",
    r"(KASAN|KCSAN|KMSAN|KFENCE|UBSAN): ",
    r"kmemleak: .* new suspected",
    r"refcount_t: ",
    r"list_(add|del) corruption",
    r"Bad page (state|map)",
    r"scheduling while atomic",
    r"sleeping function called from invalid context",
    r"unchecked MSR access error",
    r"Kernel panic",
    r"unregister_netdevice: waiting",
    r"Objects remaining in ",
    r"double fault:",
    r"stack segment:|invalid opcode:.*\[#",
)]
TAINT_BAD = {7: "died (Oops or BUG)", 9: "warned", 14: "soft lockup", 5: "bad page"}


def strip(line):
    """Without the time stamp, so that expectations can be written plainly."""
    return re.sub(r"^\[ *\d+\.\d+\]\s*(\[[^]]*\]\s*)?", "", line.rstrip("\r\n"))


def bad_lines(lines, expected=()):
    """Lines that fail a run, but for those that match a regex of `expected`."""
    allow = [re.compile(e) for e in expected]
    out = []
    for line in lines:
        line = strip(line)
        if any(b.search(line) for b in BAD) and not any(a.search(line) for a in allow):
            out.append(line)
    return out


def excerpt(lines, most=40):
    """The part to show of a log that ends in trouble: from its first bad line on."""
    lines = [strip(line) for line in lines]
    for n, line in enumerate(lines):
        if any(b.search(line) for b in BAD):
            return lines[max(0, n - 3):n + most]
    return lines[-most:]


def bad_taint(mask, expected=()):
    """Taint bits that mean trouble the scan of the log did not see."""
    if expected:
        return []
    return [f"kernel tainted: {why}" for bit, why in TAINT_BAD.items() if mask >> bit & 1]


# What a guest's kernel says of a machine that is not as it should be.
GUEST_BAD = [re.compile(p) for p in (
    r"ACPI.*(Error|Warning|BUG|Bug|bug:|rror:)",
    r"consistency problem",
    r"[Uu]nexpected (IO-APIC|NMI)",
    r"APIC error|spurious .*interrupt",
    r"\[Firmware (Bug|Warn)\]",
    r"clocksource: .*(unstable|skewed)",
    r"mce: .*Hardware Error",
)]


def guest_bad_lines(lines):
    """Lines of a guest's log that fail its boot: all that fails L1, and the machine's faults."""
    bad = bad_lines(lines)
    return bad + [s for s in map(strip, lines) if s not in bad and any(b.search(s) for b in GUEST_BAD)]


class KernelLog:
    """Follows the log file that the emulator writes."""

    def __init__(self, path):
        self.path = path
        self.offset = 0
        self.partial = ""

    def new_lines(self, final=False):
        """Complete lines that came since the last call; with final the rest too."""
        try:
            with open(self.path, "rb") as f:
                f.seek(self.offset)
                data = f.read()
        except FileNotFoundError:
            return []
        self.offset += len(data)
        text = self.partial + data.decode("utf-8", "replace")
        lines = text.split("\n")
        self.partial = "" if final else lines.pop()
        return [line.rstrip("\r") for line in lines if line]
