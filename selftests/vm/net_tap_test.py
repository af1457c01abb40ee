#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A stock guest on a TAP interface: files both ways at an MTU of 1500 and of 9000, a VLAN, counters of guest, hvctl
and the host's interface, a second adapter on a bridge, and an interface that is taken away.
"""

import hashlib
import os
import subprocess
import sys
import urllib.request

from lib import DIR, check, done, hvctl, refused, show, wait
from net_guest import agree, boot, counters, link_up, serve, served

SIZE = 16 << 20


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def interface(name, what):
    with open(f"/sys/class/net/{name}/statistics/{what}") as f:
        return int(f.read())


def addresses(guest):
    ip("addr", "add", "10.9.0.1/24", "dev", "hvt0")
    guest.ask("ip addr add 10.9.0.2/24 dev eth0; ip link set eth0 up")
    guest.says("ping -c 1 -w 20 10.9.0.1", "1 packets received", "the host answers", 40)
    guest.ask("httpd -p 80 -h /tmp")


def both_ways(guest, port, digest, what):
    guest.says(f"wget -q -O /tmp/f http://10.9.0.1:{port}/file; sha256sum /tmp/f", f"^{digest} ",
               f"{what}: a file comes as it was")
    with urllib.request.urlopen("http://10.9.0.2/f", timeout=60) as r:
        data = r.read()
    check(hashlib.sha256(data).hexdigest() == digest, f"{what}: and goes back", len(data))


PAIRS = {"tx_packets": "rx_packets", "tx_bytes": "rx_bytes", "rx_packets": "tx_packets", "rx_bytes": "tx_bytes"}


def both_count():
    """The adapter's counters, and the interface's, which are the other way round."""
    h = counters("tap")
    return [h[k] for k in PAIRS], [interface("hvt0", k) for k in PAIRS.values()]


def host_agrees(before, what):
    """Frames to be cut count once. What came before the guest listened is lost, so it is what was added that counts."""
    last = []

    def same():
        last[:] = both_count()
        added = [[b - a for a, b in zip(x, y)] for x, y in zip(before, last)]
        return added[0] == added[1] and added[0][2] > 1000

    check(wait(same, 30), what, before, last)


def channels(guest):
    """Two processors, two channels; flows of both."""
    check(wait(lambda: show("tap")["nets"][0]["queues"] == 2, 30), "it has two channels", show("tap")["nets"])
    guest.ask("for i in 1 2 3 4 5 6 7 8; do wget -q -O /dev/null http://10.9.0.1:%d/part & done; wait" %
              guest.port)
    used = [c["stats"]["packets"] for c in show("tap")["channels"] if c["kind"] == "net"]
    check(len(used) == 4 and sum(n > 50 for n in used) >= 2, "and both carry frames", used)


def jumbo(guest):
    guest.ask("ip link set eth0 mtu 9000")
    guest.says("cat /sys/class/net/eth0/mtu", "^9000$", "an MTU of 9000", 10)
    before = interface("hvt0", "rx_packets")
    guest.says("ping -s 8900 -c 1 -w 20 10.9.0.1", "1 packets received", "a frame of that size goes and comes", 60)
    check(interface("hvt0", "rx_packets") - before <= 4, "in one piece", before, interface("hvt0", "rx_packets"))


def vlan(guest):
    ip("link", "add", "link", "hvt0", "name", "v7", "type", "vlan", "id", "7")
    ip("addr", "add", "10.9.7.1/24", "dev", "v7")
    ip("link", "set", "v7", "up")
    guest.ask("vconfig add eth0 7; ip addr add 10.9.7.2/24 dev eth0.7; ip link set eth0.7 up")
    guest.says("ping -c 1 -w 20 -s 4000 10.9.7.1", "1 packets received", "a VLAN", 40)
    guest.ask("vconfig rem eth0.7")
    ip("link", "del", "v7")


def bridged(guest):
    ip("addr", "add", "10.8.0.1/24", "dev", "hvbr")
    guest.ask("ip addr add 10.8.0.2/24 dev eth1; ip link set eth1 up")
    guest.says("ping -c 1 -w 20 10.8.0.1", "1 packets received", "the second adapter is on the bridge", 40)


def cable(guest):
    """Somebody removes the interface under the guest."""
    ip("link", "del", "hvt0")
    guest.says("cat /sys/class/net/eth0/carrier", "^0$", "an interface that goes is a cable that is out", 30)
    check(show("tap")["nets"][0]["link"] == "down", "hvctl show says so")
    check("has gone" in hvctl("logs", "tap").stdout, "and the log why", hvctl("logs", "tap").stdout)
    guest.says("ping -c 1 -w 20 10.8.0.1", "1 packets received", "the other adapter works")


def main():
    link_up()
    subprocess.run(["modprobe", "-a", "tun", "bridge", "8021q"], check=True)
    ip("link", "add", "hvbr", "type", "bridge")
    ip("link", "set", "hvbr", "up")
    port = serve("0.0.0.0")
    served(DIR + "/www/part", 1 << 20)
    digest = served(DIR + "/www/file", SIZE)
    refused("no such bridge", 1, "there is no bridge", "run", "-k", os.path.abspath("build/guest/hello.elf"),
            "--net", "tap,bridge=none0")
    guest = boot("tap", ["tap,ifname=hvt0,mtu=9000", "tap,bridge=hvbr"], words=["-c", "2"])
    if guest:
        addresses(guest)
        before = both_count()
        both_ways(guest, port, digest, "MTU 1500")
        guest.port = port
        channels(guest)
        agree(guest, "guest and host agree")
        host_agrees(before, "so does the interface")
        jumbo(guest)
        both_ways(guest, port, digest, "MTU 9000")
        vlan(guest)
        bridged(guest)
        h = counters("tap")
        check(not h["refused"] and not h["tx_refused"] and not h["tx_dropped"], "nothing was refused or lost", h)
        cable(guest)
    return done()


if __name__ == "__main__":
    sys.exit(main())
