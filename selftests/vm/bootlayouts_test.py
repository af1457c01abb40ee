#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Disks as installers lay them out, each with what the real grub-mkconfig makes of it, boot themselves: BIOS and UEFI
partition tables, /boot of its own, LVM, ext4, XFS, btrfs with a subvolume. The default is a saved one in a submenu.

  bootlayouts_test.py [LAYOUT...]
"""

import os
import shutil
import subprocess
import sys
import time

from lib import DIR, HVCTL, KERNEL, RELEASE, TOP, check, cpio, done, read
from hvlab.console import Guest

# name: (partition table, file system of the root, /boot of its own, the root on LVM)
LAYOUTS = {
    "bios-xfs-boot": ("dos", "xfs", True, False),
    "efi-lvm-boot": ("gpt", "ext4", True, True),
    "efi-lvm": ("gpt", "ext4", False, True),
    "efi-btrfs": ("gpt", "btrfs", False, False),
}
TOOLS = ("sfdisk", "mkfs.xfs", "mkfs.btrfs", "mkfs.vfat", "lvm", "grub-mkconfig", "losetup")
MNT = DIR + "/mnt"
# There is no udev in L1: lvm makes its nodes itself.
LVM = "devices{use_devicesfile=0} activation{udev_sync=0 udev_rules=0} backup{backup=0 archive=0}"


def run(*argv, text=None):
    r = subprocess.run(argv, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if r.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {r.stdout[-800:]}")
    return r.stdout


def bootmark():
    """An initramfs that says what was started."""
    return cpio({"init": (0o755, read(TOP + "/build/vm/bootmark"))}, ["dev"])


def partition(path, table):
    """The loop devices of /boot (or what would be it) and of the root."""
    with open(path, "wb") as f:
        f.truncate(1000 << 20)
    run("sfdisk", "-q", path, text="label: dos\n2048,200M,83,*\n,,83\n" if table == "dos" else
        "label: gpt\n2048,40M,U\n,160M,L\n,,L\n")
    loop = run("losetup", "-P", "-f", "--show", path).strip()
    last = loop + ("p2" if table == "dos" else "p3")
    until = time.monotonic() + 30
    while not os.path.exists(last) and time.monotonic() < until:
        time.sleep(0.1)
    if table == "gpt":
        run("mkfs.vfat", loop + "p1")
    return loop, loop + ("p1" if table == "dos" else "p2"), last


def root_make(device, fs):
    run("mkfs." + fs, "-q", device)
    run("mount", device, MNT)
    if fs == "btrfs":
        run("btrfs", "subvolume", "create", MNT + "/@rootfs")
        run("umount", MNT)
        run("mount", "-o", "subvol=@rootfs", device, MNT)


def uuid_link(device):
    """What udev would make: grub-mkconfig names the root by UUID where it sees that."""
    uuid = run("blkid", "-p", "-s", "UUID", "-o", "value", device).strip()
    os.makedirs("/dev/disk/by-uuid", exist_ok=True)
    link = "/dev/disk/by-uuid/" + uuid
    if not os.path.islink(link):
        os.symlink(device, link)
    return uuid


def system_make():
    """A root with this machine's GRUB programs, two kernels, and a default that was saved."""
    for d in ("boot/grub", "usr", "etc/default", "proc", "sys", "dev", "run", "tmp", "var/lib"):
        os.makedirs(f"{MNT}/{d}", exist_ok=True)
    for d in ("bin", "sbin", "lib", "lib64"):
        os.symlink("usr/" + d, f"{MNT}/{d}")
    for d in ("usr", "proc", "sys", "dev"):
        run("mount", "--bind", "/" + d, f"{MNT}/{d}")
    shutil.copytree("/etc/grub.d", MNT + "/etc/grub.d")
    for name in ("passwd", "group", "os-release"):
        shutil.copy(f"/etc/{name}", f"{MNT}/etc/{name}")
    with open(MNT + "/etc/default/grub", "w", encoding="ascii") as f:
        f.write("GRUB_DEFAULT=saved\nGRUB_TIMEOUT=5\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT=quiet\n"
                "GRUB_CMDLINE_LINUX=console=ttyS0\nGRUB_DISABLE_OS_PROBER=true\n")
    initrd = bootmark()
    for version in ("6.0.1-1-amd64", "6.0.2-1-amd64"):
        shutil.copy(KERNEL, f"{MNT}/boot/vmlinuz-{version}")
        with open(f"{MNT}/boot/initrd.img-{version}", "wb") as f:
            f.write(initrd)
    run("chroot", MNT, "grub-mkconfig", "-o", "/boot/grub/grub.cfg")
    run("chroot", MNT, "grub-editenv", "/boot/grub/grubenv", "create")
    run("chroot", MNT, "grub-set-default", "1>2")	# the older kernel, in the submenu


def make(name, table, fs, own_boot, lvm):
    """The disk; (path, UUID of the root)."""
    path = f"{DIR}/{name}.img"
    os.makedirs(MNT, exist_ok=True)
    loop, boot, device = partition(path, table)
    group = "vg-" + name
    try:
        if lvm:
            run("lvm", "pvcreate", "--config", LVM, "-ff", "-y", device)
            run("lvm", "vgcreate", "--config", LVM, group, device)
            run("lvm", "lvcreate", "--config", LVM, "-y", "-l", "100%FREE", "-n", "root", group)
            device = f"/dev/{group}/root"
        root_make(device, fs)
        if own_boot:
            os.makedirs(MNT + "/boot")
            run("mkfs.ext4", "-q", boot)
            run("mount", boot, MNT + "/boot")
            uuid_link(boot)
        uuid = uuid_link(device)
        system_make()
        shutil.copy(MNT + "/boot/grub/grub.cfg", f"{TOP}/build/layout-{name}.cfg")
    finally:
        subprocess.run(["umount", "-R", MNT], capture_output=True, check=False)
        if lvm:
            subprocess.run(["lvm", "vgchange", "--config", LVM, "-an", group], capture_output=True, check=False)
        subprocess.run(["losetup", "-d", loop], capture_output=True, check=False)
    return path, uuid


def boots(name, path, uuid, kernel):
    guest = Guest([HVCTL, "run", "-n", name, path, "--memory", "256M"], 150)
    out = guest.wait_for("bootmark> ")
    at = out[out.index("MARK"):] if out else guest.seen[-3000:]
    check(out and f"MARK {RELEASE}" in at and f"BOOT_IMAGE={kernel}" in at and "console=ttyS0 quiet" in at and
          (f"root=UUID={uuid} " in at or "root=/dev/mapper/" in at), f"{name} boots {kernel}", at)
    if out:
        guest.type("poweroff")
    else:
        guest.deadline = 0
    check(guest.end() == 0, f"{name} ends", guest.seen[-500:])


def main():
    missing = [t for t in TOOLS if not shutil.which(t)]
    if missing:
        print("skipped: no " + " ".join(missing))
        return 77
    for module in ("loop", "xfs", "btrfs", "vfat", "dm_mod"):
        subprocess.run(["modprobe", module], check=False)
    for name in sys.argv[1:] or LAYOUTS:
        table, fs, own_boot, lvm = LAYOUTS[name]
        try:
            path, uuid = make(name, table, fs, own_boot, lvm)
        except (RuntimeError, OSError) as e:
            check(False, f"{name} is made", e)
            continue
        prefix = "" if own_boot else "/@rootfs/boot" if fs == "btrfs" else "/boot"
        boots(name, path, uuid, f"{prefix}/vmlinuz-6.0.1-1-amd64")
        os.unlink(path)
    return done()


sys.exit(main())
