#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
save_net_test.py [CYCLES]: a stock guest with network adapters is saved in the middle of a TCP transfer through a
TAP interface on a bridge, with two channels, and goes on in a new process: the transfer completes, as it was sent.
"""

import hashlib
import os
import socketserver
import subprocess
import sys
import threading
import time

from lib import DIR, check, done, hvctl, show, wait
from net_guest import Guest, agree, boot, counters, link_up, serve, served
from hvlab.console import Console

BLOCK = b"".join(hashlib.sha256(str(i).encode()).digest() for i in range(512))


class Slow(socketserver.BaseRequestHandler):
    """Sends until it is told to end, then closes; all of it is remembered."""
    end = False
    sent = hashlib.sha256()
    blocks = 0

    def handle(self):
        while not Slow.end:
            self.request.sendall(BLOCK)
            Slow.sent.update(BLOCK)
            Slow.blocks += 1
            time.sleep(0.01)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def bridge():
    """An address of its own, not its members': the guest remembers it."""
    subprocess.run(["modprobe", "-a", "tun", "bridge"], check=True)
    ip("link", "add", "hvbr", "type", "bridge")
    ip("link", "set", "hvbr", "address", "02:68:76:00:00:01")
    ip("link", "set", "hvbr", "up")
    ip("addr", "add", "10.8.0.1/24", "dev", "hvbr")


def moved(name, cycle):
    """Saved and restored; the guest behind its new console."""
    path = DIR + "/n.hvstate"
    r = hvctl("save", name, path, "--force", *(["--compress"] if cycle % 2 else []), seconds=120)
    if not check(r.returncode == 0, f"cycle {cycle}: save", r.stderr, hvctl("logs", name).stdout[-1500:]):
        return None
    r = hvctl("restore", path, seconds=120)
    if not check(r.returncode == 0, f"cycle {cycle}: restore", r.stderr):
        return None
    return Guest(name, Console(os.open(show(name)["serial"], os.O_RDWR | os.O_NOCTTY), 150))


def goes_on(what):
    was = Slow.blocks
    check(wait(lambda: Slow.blocks > was + 20, 60), what, was, Slow.blocks)


def addresses(guest):
    guest.ask("ip addr add 10.8.0.2/24 dev eth0; ip link set eth0 up")
    guest.says("ping -c 1 -w 20 10.8.0.1", "1 packets received", "the host answers", 60)
    guest.ask("ip link set eth1 up")
    guest.says("udhcpc -i eth1 -n -q -t 10 -s /dhcp 2>&1; ip addr show eth1", r"inet 10\.0\.2\.15/24",
               "the user-mode network gave an address", 60)
    check(wait(lambda: show("n")["nets"][0]["queues"] == 2, 30), "two channels", show("n")["nets"])


def cycles(guest, port, digest, n):
    for i in range(n):
        goes_on(f"cycle {i}: the transfer is under way")
        before = counters("n")
        os.close(guest.console.fd)
        guest = moved("n", i)
        if not guest:
            return None
        after = show("n")["nets"]
        check(after[0]["queues"] == 2 and after[0]["version"] and after[0]["stats"]["rx_packets"] >=
              before["rx_packets"], "its adapter is what it was", before, after[0])
        goes_on(f"cycle {i}: it goes on after the restore")
        guest.says(f"wget -q -O /tmp/g http://10.0.2.2:{port}/file; sha256sum /tmp/g", f"^{digest} ",
                   "a file by the user-mode network", 60)
    return guest


def main():
    link_up()
    bridge()
    slow = Server(("10.8.0.1", 0), Slow)
    threading.Thread(target=slow.serve_forever, daemon=True).start()
    port = serve("127.0.0.1")
    digest = served(DIR + "/www/file", 1 << 20)
    guest = boot("n", ["tap,bridge=hvbr", "user"], words=["-c", "2"])
    if not guest:
        return done()
    addresses(guest)
    guest.ask(f"(nc 10.8.0.1 {slow.server_address[1]} | sha256sum >/tmp/sum) &")
    guest = cycles(guest, port, digest, int(sys.argv[1]) if len(sys.argv) > 1 else 2)
    if guest:
        Slow.end = True
        guest.says("cat /tmp/sum", f"^{Slow.sent.hexdigest()} ", "the transfer completes, as it was sent", 60)
        check(hvctl("link", "n", "down", "0").returncode == 0, "the cable is pulled out")
        guest.says("cat /sys/class/net/eth0/carrier", "^0$", "the guest sees it", 30)
        guest = moved("n", 9)
    if guest:
        guest.says("cat /sys/class/net/eth0/carrier", "^0$", "the cable is still out after one more", 30)
        check(show("n")["nets"][0]["link"] == "down", "hvctl show says so", show("n")["nets"])
        hvctl("link", "n", "up", "0")
        guest.says("cat /sys/class/net/eth0/carrier", "^1$", "and in again", 30)
        guest.says("ping -c 1 -w 20 10.8.0.1", "1 packets received", "frames go and come", 60)
        agree(guest, "guest and host agree on what they counted")
        h = counters("n")
        check(not h["refused"] and not h["tx_refused"], "nothing it said was refused", h)
        guest.says("dmesg | grep -ciE 'error|timeout|reset|stall|lockup|hung'", "^0$", "no trouble in its log")
    return done()


if __name__ == "__main__":
    sys.exit(main())
