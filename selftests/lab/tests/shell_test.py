#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""scripts/lab on a terminal: a shell in L1, interrupts and status included; a command that gets the terminal."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

failed = False


def read_until(fd, text, seconds):
    out = b""
    end = time.monotonic() + seconds
    while text not in out and time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                data = os.read(fd, 4096)
            except OSError:
                break
            if not data:
                break
            out += data
    return out


def wants(what, text, out):
    global failed
    if text not in out:
        print(f"{what}: no {text!r} in {out!r}")
        failed = True


def lab(*words):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv("scripts/lab", ["scripts/lab", "--no-hv", *words])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 111, 0, 0))
    return pid, fd


def ended(pid, wanted):
    global failed
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != wanted:
        print(f"status {status}, not {wanted}")
        failed = True


pid, fd = lab()
wants("the first prompt", b"lab# ", read_until(fd, b"lab# ", 60))
os.write(fd, b"hostname; tty\n")
wants("a command", b"hv-lab\r\n/dev/ttyS1\r\n", read_until(fd, b"/dev/ttyS1\r\n", 10))
os.write(fd, b"sleep 1000\n")
time.sleep(1)
os.write(fd, b"\x03")
os.write(fd, b"exit 7\n")
wants("after Ctrl-C", b"exit", read_until(fd, b"\nexit", 10))
ended(pid, 7)
pid, fd = lab("--tty", "--", "sh", "-c", "tty; stty size; read a; echo \"<$a>\"; exit 5")
wants("the terminal and its size", b"/dev/ttyS1\r\n33 111\r\n", read_until(fd, b"33 111\r\n", 60))
os.write(fd, b"two words\n")
wants("what was typed", b"<two words>", read_until(fd, b"<two words>", 10))
ended(pid, 5)
sys.exit(failed)
