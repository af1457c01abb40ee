# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of whole VMs share: hvctl, checks in TAP, images. They run where hv.ko is loaded."""

import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, TOP + "/scripts")

HVCTL = os.environ.get("HVCTL", TOP + "/build/bin/hvctl")
RELEASE = os.uname().release
KERNEL = f"/boot/vmlinuz-{RELEASE}"
INITRD = f"/boot/initrd.img-{RELEASE}"
APPEND = "console=ttyS0 quiet break=top"
DIR = tempfile.mkdtemp(prefix="vm-test-")
os.environ["HV_RUNTIME_DIR"] = DIR + "/run"

count = failed = 0


def bare(name):
    """A bare guest image."""
    return f"{TOP}/build/guest/{name}.elf"


def check(good, what, *why):
    """One result line; what is in `why` is printed when it is not good."""
    global count, failed
    count += 1
    failed += not good
    print(("ok" if good else "not ok") + f" {count} - {what}", flush=True)
    if not good:
        for line in "\n".join(str(w) for w in why).split("\n"):
            print("    " + line, flush=True)
    return good


def done():
    """Ends what still runs; the test's exit status."""
    for name in hvctl("list", "-q").stdout.split():
        hvctl("kill", "-f", name)
    print(f"1..{count}")
    return 1 if failed or not count else 0


def hvctl(*words, seconds=40):
    """One hvctl to its end, code -9 when it does not come; output as text."""
    with subprocess.Popen([HVCTL, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace") as p:
        try:
            out, err = p.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
    return subprocess.CompletedProcess(words, p.returncode, out, err)


def start(name, *words):
    """hvctl start; None, after a failed check, when it did not."""
    r = hvctl("start", "-n", name, *words)
    return r if check(r.returncode == 0, f"start {name}", r.returncode, r.stdout, r.stderr) else None


def show(name):
    return json.loads(hvctl("show", name, "--json").stdout)


def printed(name):
    """The last 64 KiB the guest printed."""
    return hvctl("logs", "--console", name).stdout


def wait(fn, seconds=20):
    """What fn() returns as soon as that is true, else its last answer."""
    until = time.monotonic() + seconds
    while True:
        got = fn()
        if got or time.monotonic() > until:
            return got
        time.sleep(0.1)


def refused(what, code, pattern, *words):
    """hvctl with these words must end with `code` and a message of two lines at most."""
    r = hvctl(*words, seconds=15)
    lines = r.stderr.rstrip("\n").split("\n")
    return check(r.returncode == code and re.search(pattern, r.stderr) and len(lines) <= 2,
                 f"{what}: exit code {code}, {pattern}", r.returncode, r.stdout[-500:], r.stderr)


def cpio_entry(name, mode, data=b""):
    head = "070701" + "".join(f"{v:08x}" for v in (
        0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0))
    out = head.encode() + name.encode() + b"\0"
    out += b"\0" * (-len(out) % 4) + data
    return out + b"\0" * (-len(out) % 4)


def initrd_with(files):
    """Debian's own initramfs and `files` (name: (mode, bytes)) behind it."""
    folders = sorted({name[:i] for name in files for i, c in enumerate(name) if c == "/"})
    path = DIR + "/initrd"
    with open(INITRD, "rb") as f, open(path, "wb") as out:
        data = f.read()
        out.write(data + b"\0" * (-len(data) % 4))
        for name in folders:
            out.write(cpio_entry(name, 0o40755))
        for name, (mode, data) in files.items():
            out.write(cpio_entry(name, 0o100000 | mode, data))
        out.write(cpio_entry("TRAILER!!!", 0))
    return path


def patched(path, name, changes, length=None):
    """A copy of a file with bytes changed (offset: bytes), cut to `length`."""
    with open(path, "rb") as f:
        data = bytearray(f.read())
    for at, new in changes.items():
        data[at:at + len(new)] = new
    with open(f"{DIR}/{name}", "wb") as f:
        f.write(data[:length])
    return f"{DIR}/{name}"


def le(value, size):
    return struct.pack("<Q", value)[:size]
