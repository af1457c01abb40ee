#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A disk boots itself: no --kernel. The boot image reads the GRUB configuration on an ext4 partition, shows the
menu, starts the stock kernel with an initramfs in two parts by kexec; a reboot from inside goes the same way.
And what is said of a disk that has nothing to start.
"""

import os
import struct
import subprocess
import sys

from lib import DIR, HVCTL, KERNEL, RELEASE, TOP, check, cpio, done, read
from hvlab.console import Guest

UUID = "5c8d1c0e-1111-4222-8333-123456789abc"
GRUB_CFG = f"""
if [ -s $prefix/grubenv ]; then load_env; fi
set default="${{saved_entry}}"
if [ x"${{feature_menuentry_id}}" = xy ]; then menuentry_id_option="--id"; else menuentry_id_option=""; fi
export menuentry_id_option
menuentry 'Other' {{ chainloader +1 }}
submenu 'Advanced options' $menuentry_id_option 'advanced' {{
	menuentry 'The second' --class debian $menuentry_id_option 'second' {{
		insmod ext2
		set root='hd0,msdos1'
		search --no-floppy --fs-uuid --set=root {UUID}
		linux /boot/vmlinuz root=UUID={UUID} ro quiet console=ttyS0 from=second
		initrd /boot/initrd.img /boot/extra.img
	}}
}}
menuentry 'The third' {{
	linux (hd0,msdos1)/boot/vmlinuz console=ttyS0 quiet from=third
	initrd ($root)/boot/link.img
}}
"""
ENV = "# GRUB Environment Block\nsaved_entry=advanced>second\n"
END = "#" * (1024 - len(ENV))


def disk(name, folder, label):
    """An MBR with one ext4 partition that holds what is in `folder`."""
    size = 64 << 20
    path = f"{DIR}/{name}.img"
    with open(path, "wb") as f:
        mbr = bytearray(512)
        mbr[446:462] = struct.pack("<8B2I", 0x80, 0, 0, 0, 0x83, 0, 0, 0, 2048, size // 512)
        mbr[510:] = b"\x55\xaa"
        f.write(mbr)
        f.truncate((1 << 20) + size)
    r = subprocess.run(["mke2fs", "-q", "-t", "ext4", "-U", UUID, "-L", label, "-E", f"offset={1 << 20}",
                        "-d", folder, path, f"{size >> 10}k"], capture_output=True, text=True, check=False)
    check(r.returncode == 0, f"a disk with the label {label}", r.stderr)
    return path


def bootable():
    root = DIR + "/root"
    os.makedirs(root + "/boot/grub")
    for name, files, folders in (("initrd", {"init": (0o755, read(TOP + "/build/vm/bootmark"))}, ["dev"]),
                                 ("extra", {"extra": (0o644, b"x")}, [])):
        with open(f"{root}/boot/{name}.img", "wb") as f:
            f.write(cpio(files, folders))
    # An absolute link, as distributions have them, ends in its own file system.
    os.symlink("/boot/initrd.img", root + "/boot/link.img")
    with open(KERNEL, "rb") as f, open(root + "/boot/vmlinuz", "wb") as out:
        out.write(f.read())
    for name, text in (("grub.cfg", GRUB_CFG), ("grubenv", ENV + END)):
        with open(f"{root}/boot/grub/{name}", "w", encoding="ascii") as f:
            f.write(text)
    return disk("good", root, "hv-good")


def visits(path):
    """Twice up: the third entry with words of ours, then after a reboot the default."""
    guest = Guest([HVCTL, "run", "-n", "boot", path, "--boot-menu", "--append", "more=words last",
                   "--memory", "256M"], 240)

    def boot(answer):
        if not check(guest.wait_for("power off): ") is not None, "the menu comes", guest.seen[-3000:]):
            return ""
        guest.type(answer)
        mark = guest.wait_for("bootmark> ")
        check(mark is not None, f"'{answer}' starts a kernel", guest.seen[-3000:])
        return mark or ""

    mark = boot("3 own=1")
    check(f"MARK {RELEASE} extra=no [BOOT_IMAGE=(hd0,msdos1)/boot/vmlinuz console=ttyS0 quiet from=third "
          "more=words last own=1]" in mark, "the third entry, with --append and the menu's words", mark)
    if mark:
        guest.type("reboot")
        mark = boot("")
    check(f"MARK {RELEASE} extra=yes [BOOT_IMAGE=/boot/vmlinuz root=UUID={UUID} ro quiet console=ttyS0 "
          "from=second more=words last]" in mark,
          "the default by grubenv, in a submenu, with two initramfs, after a reboot", mark)
    if mark:
        guest.type("poweroff")
    else:
        guest.deadline = 0
    status = guest.end()
    check(status == 0, "power-off ends it with 0", status, guest.seen[-2000:])


def nothing():
    root = DIR + "/none"
    os.makedirs(root + "/etc")
    guest = Guest([HVCTL, "run", "-n", "none", disk("bad", root, "hv-none"), "--memory", "256M"], 120)
    status = guest.end()
    out = guest.seen
    check(status == 11, "a disk without a loader: exit code 11", status, out[-2000:])
    check("hv-boot: no GRUB configuration" in out and f'sda1: ext4 "hv-none" UUID={UUID}' in out and
          "loader in its first sector: none" in out, "what was found is told", out[-2000:])
    check("nothing on its disks could be started" in out and "--kernel" in out, "and what to do", out[-2000:])


if __name__ == "__main__":
    visits(bootable())
    nothing()
    sys.exit(done())
