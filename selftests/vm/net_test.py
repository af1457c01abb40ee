#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A stock guest on the user-mode network: DHCP, names, a file by HTTP, a forwarded port, counters."""

import hashlib
import socket
import sys
import urllib.request

from lib import DIR, bare, check, done, hvctl, refused, show
from net_guest import agree, boot, counters, link_up, serve, served

SIZE = 8 << 20


def port_free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dhcp(guest):
    guest.says("cat /sys/class/net/eth0/address", "^" + show(guest.name)["nets"][0]["mac"] + "$",
               "it has the adapter with the address that hvctl shows")
    guest.ask("ip link set eth0 up")
    guest.says("cat /sys/class/net/eth0/carrier", "^1$", "its cable is in", 30)
    guest.says("udhcpc -i eth0 -n -q -t 10 -s /dhcp 2>&1; ip addr show eth0", r"inet 10\.0\.2\.15/24",
               "it has an address by DHCP", 60)
    guest.says("ping -c 1 -w 20 10.0.2.2", "1 packets received", "its router answers")


def down(guest, port, digest):
    """From the host to the guest."""
    guest.says(f"wget -q -O /tmp/f http://10.0.2.2:{port}/file; sha256sum /tmp/f", f"^{digest} ",
               "a file from a server on the host is what it was")
    rx = counters(guest.name)
    check(rx["rx_bytes"] > SIZE and rx["rx_packets"] > 1000, "the host counted it", rx)


def up(guest, forward, digest):
    """From the guest, through a forwarded port."""
    guest.ask("httpd -p 80 -h /tmp")
    with urllib.request.urlopen(f"http://127.0.0.1:{forward}/f", timeout=60) as r:
        data = r.read()
    check(hashlib.sha256(data).hexdigest() == digest, "and comes back through a forwarded port", len(data))


def mtu(guest):
    guest.ask("ip link set eth0 mtu 1400")
    guest.says("cat /sys/class/net/eth0/mtu", "^1400$", "the MTU is changed", 10)
    guest.says("ip route add default via 10.0.2.2 2>/dev/null; ping -s 1300 -c 1 -w 30 10.0.2.2",
               "1 packets received", "and frames go and come", 60)


def cable(guest):
    check(hvctl("link", "net", "down").returncode == 0, "the cable is pulled out")
    guest.says("cat /sys/class/net/eth0/carrier", "^0$", "the guest sees it", 30)
    guest.says("ping -c 1 -w 2 10.0.2.2", " 0 packets received|unreachable", "and nothing goes")
    check(hvctl("link", "net", "up", "0").returncode == 0, "and put in again")
    guest.says("cat /sys/class/net/eth0/carrier", "^1$", "the guest sees it", 30)
    guest.says("ping -c 1 -w 20 10.0.2.2", "1 packets received", "and frames go and come", 60)
    refused("an adapter that is not there", 7, "no network adapter 1", "link", "net", "down", "1")


def main():
    link_up()
    forward = port_free()
    port = serve("127.0.0.1")
    digest = served(DIR + "/www/file", SIZE)
    guest = boot("net", [f"user,hostfwd=tcp:127.0.0.1:{forward}-:80"])
    if guest:
        dhcp(guest)
        down(guest, port, digest)
        up(guest, forward, digest)
        agree(guest, "guest and host agree on frames and bytes")
        mtu(guest)
        cable(guest)
        check(not counters("net")["refused"] and not counters("net")["tx_refused"],
              "nothing it said was refused", counters("net"))
        text = hvctl("show", "net").stdout
        check("user, 02:" in text and "link up" in text, "hvctl show tells of it", text)
        refused("a port that is taken", 1, "cannot listen on port", "run", "-k", bare("hello"), "--net",
                f"user,hostfwd=tcp:127.0.0.1:{forward}-:80")
        log = hvctl("logs", "net").stdout
        check("net0: user" in log, "the log, too", log)
    return done()


if __name__ == "__main__":
    sys.exit(main())
