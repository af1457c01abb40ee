#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the serial port goes: a pseudo terminal, a socket, a file, nowhere; both directions."""

import os
import re
import socket
import stat
import sys

from lib import DIR, bare, check, done, hvctl, printed, show, start, wait
from hvlab.console import Console

ECHO = ("-m", "16M", "-k", bare("echo"), "--test-devices")
TEXT = "hello, guest " * 20


def talk(what, fd):
    """The guest gives back what we say, and ends on $."""
    c = Console(fd, 30)
    check(c.wait_for("echo guest\n") is not None, f"{what}: what came before is shown", c.seen)
    os.write(fd, TEXT.encode())
    check((c.wait_for(TEXT) or "").endswith(TEXT), f"{what}: 260 bytes there and back", c.seen)


def end(what, name):
    hvctl("wait", name)
    log = hvctl("logs", name).stdout
    check("ended (debug-exit)" in log, f"{what}: $ reaches the guest", log)


def pty():
    if not start("pty", *ECHO, "--serial", "pty"):
        return
    path = show("pty").get("serial") or ""
    if not check(re.match(r"/dev/pts/\d+$", path), "pty: show tells its name", path):
        return
    wait(lambda: "echo guest" in printed("pty"))
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    talk("pty", fd)
    os.write(fd, b"$")
    end("pty", "pty")


def unix_socket():
    path = DIR + "/serial"
    if not start("socket", *ECHO, "--serial", f"socket,path={path}"):
        return
    check(stat.S_IMODE(os.stat(path).st_mode) == 0o600, "socket: its mode is 0600")
    wait(lambda: "echo guest" in printed("socket"))
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        talk("socket", s.fileno())
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        c = Console(s.fileno(), 30)
        check(c.wait_for("echo guest\n") is not None, "socket: a second client after the first one left", c.seen)
        s.sendall(b"$")
        end("socket", "socket")
    check(not os.path.exists(path), "socket: removed at the end")


def file():
    path = DIR + "/out"
    with open(path, "w") as f:
        f.write("before\n")
    if not start("file", "-m", "16M", "-k", bare("hello"), "--test-devices", "--serial", f"file,path={path}"):
        return
    hvctl("wait", "file")
    with open(path) as f:
        text = f.read().replace("\r", "")
    check(text.startswith("before\n") and "hello\n" in text and text.endswith("1..3\n"),
          "file: all output is appended, nothing is lost at the end", text)


def nowhere():
    if start("none", *ECHO, "--serial", "none"):
        check(wait(lambda: "echo guest" in printed("none")), "none: the ring keeps the output", printed("none"))
        hvctl("kill", "none")


pty()
unix_socket()
file()
nowhere()
sys.exit(done())
