# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that a Debian writes and tells of on its console, each when its fsync came back; are they there?"""

import re

LINES = 2000        # of text in a file: 8 KiB and more
# A file is written under its own name, so that fsync alone makes it durable.
WRITE = ("mkdir -p /root/k; stty -echo; i={first}; while :; do yes $i | head -n %d >/root/k/$i; "
         "sync /root/k/$i && echo A $i; i=$((i+1)); done" % LINES)
# The names of files that are not what was written; what was not told of may be any part of it.
LOOK = ("for i in $(seq {last}); do yes $i | head -n %d | cmp -s - /root/k/$i || echo LOST $i; done; "
        "echo SEEN {last}" % LINES)
FSCK = "systemctl is-failed systemd-fsck-root; dmesg | grep -cE 'EXT4-fs error|I/O error'; findmnt -no OPTIONS /"


def told(vm, last, end):
    """
    Reads the console while the guest writes, until it ends or a line is `end`; the number of the last file
    told of, `last` at first. Yields it after each line, so that the caller may act.
    """
    while True:
        line = vm.guest.wait_for("\n")
        if line is None or line.strip() == end:
            return
        m = re.match(r"A (\d+)\s*$", line)
        if m:
            last = int(m.group(1))
        yield last


def look(vm, last):
    """What is wrong in a booted guest: words."""
    wrong = []
    state = vm.ask(FSCK).split("\n")
    if state[0] == "failed" or state[1] != "0" or not state[2].startswith("rw"):
        wrong.append("fsck: " + " ".join(state))
    answer = vm.ask(LOOK.format(last=last)).split("\n")
    if answer[-1] != f"SEEN {last}":
        wrong.append("no answer: " + answer[-1])
    return wrong + [line for line in answer if line.startswith("LOST")]
