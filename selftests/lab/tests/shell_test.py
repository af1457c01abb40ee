#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/lab on a terminal: a shell in L1, interrupts and status included; a command that gets the terminal."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

failed = False


def read_until(term, text, seconds):
    """What the terminal gets until text is in it, or for that long; less when the lab ends before."""
    proc, fd = term
    out = b""
    end = time.monotonic() + seconds
    while text not in out and time.monotonic() < end:
        over = proc.poll() is not None
        if select.select([fd], [], [], 0 if over else 0.2)[0]:
            out += os.read(fd, 1024)
        elif over:
            break
    return out


def wants(what, text, out):
    global failed
    if text not in out:
        print(f"{what}: no {text!r} in {out!r}")
        failed = True


def lab(*words):
    # The lab is no leader of the terminal's session, as it is not below a person's shell: the
    # kernel drops what is on its way through a terminal whose leader ends.
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    return subprocess.Popen(["scripts/lab", "--no-hv", *words], stdin=its, stdout=its, stderr=its,
                            start_new_session=True), ours


def says(term, text):
    os.write(term[1], text)


def ended(term, wanted):
    global failed
    status = term[0].wait()
    if status != wanted:
        print(f"status {status}, not {wanted}")
        failed = True


term = lab()
wants("the first prompt", b"lab# ", read_until(term, b"lab# ", 60))
says(term, b"hostname; tty\n")
wants("a command", b"hv-lab\r\n/dev/ttyS1\r\n", read_until(term, b"/dev/ttyS1\r\n", 60))
says(term, b"sleep 1000\n")
time.sleep(1)
says(term, b"\x03")
says(term, b"exit 7\n")
wants("after Ctrl-C", b"exit", read_until(term, b"\nexit", 60))
ended(term, 7)
term = lab("--tty", "--", "sh", "-c", "tty; stty size; read a; echo \"<$a>\"; exit 5")
wants("the terminal and its size", b"/dev/ttyS1\r\n33 111\r\n", read_until(term, b"33 111\r\n", 60))
says(term, b"two words\n")
wants("what was typed", b"<two words>", read_until(term, b"<two words>", 60))
ended(term, 5)
# What the slow reader of a terminal has not got yet when the command ends is not lost.
term = lab("--tty", "--", "sh", "-c", "echo go; read a; seq 1 16000; exit 6")
wants("the third command", b"go\r\n", read_until(term, b"go\r\n", 60))
says(term, b"\n")
out = b""
while not out.endswith(b"\n16000\r\n"):
    time.sleep(0.02)
    got = read_until(term, b"\n", 30)
    if not got:
        break
    out += got
wants("all that was said before the end", b"\r\n15999\r\n16000\r\n", out[-100:])
ended(term, 6)
sys.exit(failed)
