# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian of scripts/guest-image in a VM of its own, on its console: log in, ask, be told."""

import os
import re
import subprocess
import time

from .console import Guest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROMPT = "root@debian:~# "


class Wrong(Exception):
    """Something was not as it should be; the text says what."""


def hvctl():
    return os.environ.get("HVCTL", TOP + "/build/bin/hvctl")


def words(opt):
    """The hvctl that runs it, on a terminal."""
    return [hvctl(), "run", "--name", opt.name, "--kernel", opt.kernel, "--initrd", opt.initrd,
            "--memory", opt.memory, "--cpus", str(opt.cpus), "--disk", opt.disk,
            "--append", "console=ttyS0 root=LABEL=hv-root ro quiet"]


def quoted(argv):
    return "$ " + " ".join(a if " " not in a else f'"{a}"' for a in argv)


class Debian:
    """
    The guest on its console, and the transcript. `opt` has disk, kernel, initrd, name, memory, cpus
    and seconds, how long it may live. say(text) gets the transcript.
    """

    def __init__(self, opt, say=None):
        self.opt = opt
        self.say = say or (lambda text: print(text, flush=True))
        self.start = time.monotonic()
        argv = words(opt)
        self.say(quoted(argv))
        self.guest = Guest(argv, opt.seconds)

    def stamp(self, what):
        self.say(f"... {what} after {time.monotonic() - self.start:.0f} s")

    def want(self, text):
        out = self.guest.wait_for(text)
        if out is None:
            raise Wrong(f"'{text.strip()}' did not come; the console's end:\n"
                        + self.guest.seen[-3000:])
        return out

    def login(self):
        self.want("login: ")
        self.stamp("login prompt")
        self.guest.type("root")
        self.want("Password: ")
        self.guest.type("hv")
        self.want(PROMPT)

    def ask(self, command):
        self.guest.type(command)
        body = self.want(PROMPT)[:-len(PROMPT)].split("\n", 1)[-1].rstrip("\n")
        self.say(PROMPT + command + "\n" + body)
        return body

    def go_through(self, commands):
        """The answers, each checked."""
        out = []
        for command, pattern in commands:
            body = self.ask(command)
            if not re.search(pattern.replace("{cpus}", str(self.opt.cpus)), body, re.M):
                raise Wrong(f"{command}: the answer has no {pattern}")
            out.append(body)
        return out

    def ctl(self, *verb):
        r = subprocess.run([hvctl(), *verb], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, check=False)
        self.say("$ hvctl " + " ".join(verb) + "\n" + r.stdout.rstrip("\n"))
        if r.returncode:
            raise Wrong(f"hvctl {verb[0]}: status {r.returncode}")
        return r.stdout
