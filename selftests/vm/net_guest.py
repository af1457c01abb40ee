# SPDX-License-Identifier: GPL-2.0-or-later
"""A stock guest with network adapters, and the host's servers around it. Runs where hv.ko is loaded."""

import hashlib
import http.server
import os
import re
import socketserver
import subprocess
import threading

from lib import DIR, RELEASE, check, hvctl, initramfs, show, start, wait
from hvlab import kernel
from hvlab.console import PROMPT, Console

MODULES = ["hv_vmbus", "hv_netvsc", "8021q"]
# No line editor: it would break long lines. Each line read is done in this shell.
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
for m in @modules@; do insmod /m/$m; done
ip link set lo up
count() { cat /sys/class/net/$1/statistics/$2; }
while :; do
	printf '@prompt@'
	read -r line && eval "$line"
done
"""
DHCP = """#!/bin/busybox sh
[ "$1" = bound ] || exit 0
ip addr flush dev $interface
ip addr add $ip/$mask dev $interface
ip route add default via $router
echo "nameserver $dns" >/etc/resolv.conf
"""


class Guest:
    """A guest's shell."""

    def __init__(self, name, console):
        self.name, self.console = name, console

    def ask(self, command):
        return (self.console.ask(command) or "").strip()

    def says(self, command, pattern, what, seconds=0):
        """The answer must match; until `seconds` have passed it is asked again."""
        got = []

        def answer():
            got[:] = [self.ask(command)]
            return re.search(pattern, got[0])

        return check(wait(answer, seconds), what, got[0], self.ask("dmesg | tail -20"))

    def statistics(self, name="eth0"):
        """The kernel's counters of an adapter."""
        keys = ["rx_packets", "tx_packets", "rx_bytes", "tx_bytes"]
        text = self.ask(f"for c in {' '.join(keys)}; do count {name} $c; done")
        return dict(zip(keys, map(int, text.split())))


def boot(name, nets, seconds=150, words=()):
    """A guest that has `nets`, each as --net wants it; None when it does not come up."""
    options = [w for net in nets for w in ("--net", net)]
    initrd = initramfs("net", INIT, MODULES, {"dhcp": (0o755, DHCP.encode()), "etc/hosts": (0o644, b"")})
    if not start(name, "-k", kernel.vmlinux(RELEASE), "-i", initrd, "-m", "256M", "--serial", "pty",
                 "-a", "console=ttyS0 quiet panic=-1 mitigations=off loglevel=3", *options, *words):
        return None
    console = Console(os.open(show(name)["serial"], os.O_RDWR | os.O_NOCTTY), seconds)
    if not check(console.wait_for(PROMPT) is not None, f"{name} is up", console.seen[-2000:],
                 hvctl("logs", name).stdout):
        return None
    return Guest(name, console)


def link_up():
    """L1's own loopback."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def served(path, size):
    """A file of so many bytes that are no pattern, and its checksum."""
    block = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(2048))
    with open(path, "wb") as f:
        for i in range(0, size, len(block)):
            f.write(block[:size - i])
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args):
        super().__init__(*args, directory=DIR + "/www")

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def serve(address):
    """An HTTP server of DIR/www at address; its port."""
    os.makedirs(DIR + "/www", exist_ok=True)
    s = Server((address, 0), Quiet)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s.server_address[1]


def counters(name, nr=0):
    return show(name)["nets"][nr]["stats"]


def agree(guest, what, adapter="eth0", nr=0):
    """What the guest counted is what the host did. Nothing must be under way."""
    last = []

    def same():
        g, h = guest.statistics(adapter), counters(guest.name, nr)
        last[:] = [g, h]
        return all(g[k] == h[k] for k in g)

    check(wait(same, 30), what, *last)
