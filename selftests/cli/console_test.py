#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The console habits of hvctl on a real terminal, with a VM that echoes (selftests/cli/fake_vm.c)."""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

TOOL = os.path.abspath("build/cli/hvctl")
failed = False


def check(what, good, more=""):
    global failed
    print(("ok - " if good else "not ok - ") + what + (f": {more!r}" if not good else ""))
    failed |= not good


class Terminal:
    """A pseudo terminal with hvctl on it, in a session of its own."""

    def __init__(self, *args, shell=False):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        before = [sys.executable, "-c", SHELL, "pid"] if shell else []
        self.proc = subprocess.Popen([*before, TOOL, *args], stdin=self.slave, stdout=self.slave,
                                     stderr=self.slave, start_new_session=True,
                                     preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def expect(self, text, seconds=5):
        """Everything up to and with text, or None."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                return None
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:
                return None
        at = self.seen.index(text) + len(text)
        out, self.seen = self.seen[:at], self.seen[at:]
        return out

    def type(self, data):
        os.write(self.master, data)

    def raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def wait_raw(self, want=True):
        for _ in range(500):
            if self.raw() == want:
                return True
            time.sleep(0.01)
        return False

    def code(self, seconds=5):
        end = time.monotonic() + seconds
        while self.proc.poll() is None and time.monotonic() < end:
            self.expect(b"\0never\0", 0.05)     # keep it from blocking on a full terminal
        if self.proc.poll() is None:
            self.proc.kill()
            return "hangs"
        self.expect(b"\0never\0", 0.1)         # its last words
        return self.proc.returncode

    def restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        os.close(self.master)
        os.close(self.slave)


def hvctl(*args):
    return subprocess.run([TOOL, *args], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)


def attach(*args):
    t = Terminal("console", *args)
    t.hint = t.expect(b"detaches\r\n") or b""
    t.wait_raw()
    return t


def ended(t, what, code, text=b""):
    got = t.code()
    tail = t.seen
    check(f"{what}: exit code", got == code, got)
    check(f"{what}: terminal as before", t.restored())
    if text:
        check(f"{what}: message", text in tail, tail)
    t.close()


def detach():
    hvctl("start", "-k", "k", "-n", "a", "-a", "fake.print=3")
    t = attach("a")
    check("hint names VM and escape", b"console of VM 'a'; ^] detaches" in t.hint, t.hint)
    check("replay of what was printed before", t.expect(b"line 2 of the guest\r\n") is not None, t.seen)
    t.type(b"hello\x03\x1a")
    check("typed bytes, ^C and ^Z go to the guest", t.expect(b"hello\x03\x1a") is not None, t.seen)
    fcntl.ioctl(t.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 132, 0, 0))
    t.proc.send_signal(signal.SIGWINCH)
    t.type(b"still here\n")
    check("a resize changes nothing", t.expect(b"still here\n") is not None, t.seen)
    t.type(b"\x1d")
    ended(t, "^]", 0)
    check("the VM goes on", "running" in hvctl("list").stdout)

    t = attach("a", "-e", "^a")
    check("hint of another escape", b"^a detaches" in t.hint, t.hint)
    t.type(b"\x1dx")
    check("^] is an ordinary byte then", t.expect(b"\x1dx") is not None, t.seen)
    t.type(b"\x01")
    ended(t, "-e ^a", 0)


def many():
    first = attach("a")
    other = Terminal("console", "a")
    check("a second writer is refused", other.code() == 6)
    check("and told what to do", other.expect(b"--force") is not None, other.seen)
    other.close()
    reader = attach("-r", "a")
    check("hint of a reader", b"read-only" in reader.hint, reader.hint)
    reader.expect(b"\x1dx")
    first.expect(b"\x1dx")
    reader.type(b"not this")
    first.type(b"but this")
    check("a reader sees", reader.expect(b"but this") == b"but this", reader.seen)
    check("a reader does not type", first.expect(b"but this") == b"but this", first.seen)
    thief = attach("--force", "a")
    ended(first, "stolen console", 6, b"another client took the console")
    thief.type(b"mine")
    check("--force may type", thief.expect(b"mine") is not None, thief.seen)
    thief.type(b"\x1d")
    ended(thief, "thief", 0)
    reader.type(b"\x1d")
    ended(reader, "reader", 0)


def signals():
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        t = attach("a")
        t.proc.send_signal(sig)
        ended(t, sig.name, 10, b"VM 'a' goes on")
    t = attach("a")
    t.proc.send_signal(signal.SIGSEGV)
    ended(t, "SIGSEGV", -signal.SIGSEGV)
    stop_and_go()


# A shell in small: the kernel stops nobody whose group has no parent in the session.
SHELL = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
p = subprocess.Popen(sys.argv[2:], preexec_fn=os.setpgrp)
os.tcsetpgrp(0, p.pid)
open(sys.argv[1], "w").write(str(p.pid))
sys.exit(p.wait())
"""


def stop_and_go():
    t = Terminal("console", "a", shell=True)
    t.expect(b"detaches\r\n")
    t.wait_raw()
    pid = int(open("pid").read())

    def stopped():
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] == "T"

    os.kill(pid, signal.SIGTSTP)
    for _ in range(100):
        if stopped():
            break
        time.sleep(0.02)
    check("SIGTSTP: stopped", stopped())
    check("SIGTSTP: terminal as before", t.restored())
    os.kill(pid, signal.SIGCONT)
    check("SIGCONT: raw again", t.wait_raw(True))
    t.type(b"again")
    check("SIGCONT: goes on", t.expect(b"again") is not None, t.seen)
    t.type(b"\x1d")
    ended(t, "after SIGCONT", 0)


def ends():
    t = attach("a")
    hvctl("kill", "a")
    ended(t, "VM ends", 0, b"VM 'a' ended: killed")
    hvctl("start", "-k", "k", "-n", "b")
    t = attach("b")
    pid = [w for w in hvctl("show", "b").stdout.split("\n") if w.startswith("pid")][0].split()[1]
    os.kill(int(pid), signal.SIGKILL)
    ended(t, "VM process dies", 1, b"the process of VM 'b' died")
    t = Terminal("run", "-k", "k", "-n", "c")
    check("run: hint", t.expect(b"VM 'c'; ^] ends it at once") is not None, t.seen)
    t.wait_raw()
    t.type(b"hi")
    check("run: echo", t.expect(b"hi") is not None, t.seen)
    t.type(b"\x1d")
    ended(t, "run: ^]", 10, b"escape")


def pipes():
    hvctl("start", "-k", "k", "-n", "p")
    p = subprocess.Popen([TOOL, "console", "p"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    p.stdin.write(b"\x1dfrom a pipe\n")
    p.stdin.close()
    out = os.read(p.stdout.fileno(), 100)
    check("a pipe has no escape character", out.startswith(b"\x1d"), out)
    check("the end of a pipe does not detach", p.poll() is None)
    hvctl("kill", "p")
    check("the end of the VM does", p.wait(5) == 0, p.returncode)
    p.stdout.close()
    p.stderr.close()


def main():
    folder = tempfile.mkdtemp()
    os.environ["HV_RUNTIME_DIR"] = folder + "/run"
    os.chdir(folder)
    open("k", "w").close()
    try:
        for step in (detach, many, signals, ends, pipes):
            step()
    finally:
        for name in hvctl("list", "-q").stdout.split():
            hvctl("kill", "-f", name)
        shutil.rmtree(folder)
    return failed


sys.exit(main())
