#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian disk with GRUB boots itself, to its log-in; a default that was changed inside counts after a reboot."""

import re
import sys

from lib import DIR, HVCTL, check, done
from hvlab.console import Guest
from hvlab.debian import PROMPT

USER_DATA = "#cloud-config\nhostname: seeded\n"
with open(DIR + "/user-data", "w", encoding="ascii") as seed:
    seed.write(USER_DATA)
guest = Guest([HVCTL, "run", "-n", "own", sys.argv[1], "--memory", "1G", "--cloud-init", DIR + "/user-data"], 1300)


def login():
    if guest.wait_for("login: ") is None:
        return None
    guest.type("root")
    if guest.wait_for("Password: ") is None:
        return None
    guest.type("hv")
    return guest.wait_for(PROMPT)


def ask(command):
    guest.type(command)
    out = guest.wait_for(PROMPT)
    return "" if out is None else out[:-len(PROMPT)].split("\n", 1)[-1].strip()


if check(login() is not None, "the log-in prompt comes, by the disk's own kernel", guest.seen[-3000:]):
    words = ask("cat /proc/cmdline")
    check(re.match(r"BOOT_IMAGE=/boot/vmlinuz-\S+ root=UUID=[0-9a-f-]{36} ro console=ttyS0 quiet", words),
          "with GRUB's command line", words)
    out = ask("findmnt -no SOURCE /; grub-probe --target=fs_uuid /boot; echo status $?")
    check(out.startswith("/dev/sda1") and "status 0" in out, "from the partition; GRUB's own tools work", out)
    out = ask("blkid -s LABEL -o value /dev/sr0; mount -o ro /dev/sr0 /mnt; cat /mnt/*-data; umount /mnt")
    check(out.startswith("cidata\n") and USER_DATA.strip() in out and 'local-hostname: "own"' in out,
          "cloud-init's seed is on the DVD", out)
    # As a kernel's package does it: a second kernel, and update-grub.
    ask("v=$(uname -r); cp /boot/vmlinuz-$v /boot/vmlinuz-99.0-new; cp /boot/initrd.img-$v /boot/initrd.img-99.0-new; "
        "sed -i 's/=quiet/=\"quiet upgraded=yes\"/' /etc/default/grub; sync")
    out = ask("update-grub 2>&1; sync; echo status $?")
    check("vmlinuz-99.0-new" in out and "status 0" in out, "update-grub inside finds another kernel", out)
    guest.type("reboot")
    if check(login() is not None, "a reboot from inside comes back", guest.seen[-3000:]):
        words = ask("cat /proc/cmdline")
        check("vmlinuz-99.0-new" in words and "upgraded=yes" in words, "with the kernel that was added", words)
        guest.type("poweroff")
else:
    guest.deadline = 0
status = guest.end()
check(status == 0, "power-off ends it with 0", status, guest.seen[-1000:])
sys.exit(done())
