#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""interactive_test.py: scripts/demo --interactive on a terminal of its own, as a person would use it."""

import os
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/scripts")
from hvlab.console import Guest  # noqa: E402

PROMPT = "root@debian:~# "
# What to wait for, and what to type then.
TALK = [("login: ", "root"), ("Password: ", "hv"), (PROMPT, "echo $((6 * 7)) on $(hostname)"),
        ("\n42 on debian\n", None), (PROMPT, "poweroff"), ("== The disk afterwards", None)]


def main():
    start, person = time.monotonic(), Guest([TOP + "/scripts/demo", "--interactive"], 700)
    for text, answer in TALK:
        if person.wait_for(text) is None:
            print(f"not ok 1 - {text!r} did not come\n" + person.seen[-4000:])
            person.deadline = 0
            person.end()
            return 1
        print(f"# {time.monotonic() - start:.0f} s: {text!r}", flush=True)
        if answer:
            person.type(answer)
    status = person.end()
    print(("not ok" if status else "ok") + f" 1 - the demo ends with status {status}\n" + person.seen[-1500:])
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
