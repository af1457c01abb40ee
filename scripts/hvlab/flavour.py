# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lab can run on this machine, and why it is that one."""

import fcntl
import os
import platform
import re
import struct
from collections import namedtuple

KVM_GET_SUPPORTED_CPUID = 0xc008ae05

# accel: qemu's; cpu: qemu's; why: for the first line of the run
Flavour = namedtuple("Flavour", "name accel cpu why")


class Unavailable(Exception):
    """This lab cannot run here; the text says why."""


def kvm_offers():
    """
    The extensions that KVM here gives its guests, as a set of 'svm' and
    'vmx', and a phrase for people. That /dev/kvm opens is not enough.
    """
    try:
        fd = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return set(), "there is no /dev/kvm"
    except OSError as e:
        return set(), f"/dev/kvm: {e.strerror}"
    try:
        n = 256
        buf = bytearray(struct.pack("<II", n, 0) + bytes(40 * n))
        fcntl.ioctl(fd, KVM_GET_SUPPORTED_CPUID, buf)
    except OSError as e:
        return set(), f"/dev/kvm does not answer: {e.strerror}"
    finally:
        os.close(fd)
    found = set()
    for i in range(struct.unpack_from("<I", buf)[0]):
        leaf, _, _, _, _, ecx, _ = struct.unpack_from("<IIIIIII", buf, 8 + 40 * i)
        if leaf == 1 and ecx >> 5 & 1:
            found.add("vmx")
        if leaf == 0x80000001 and ecx >> 2 & 1:
            found.add("svm")
    if not found:
        return found, "/dev/kvm here offers neither svm nor vmx"
    return found, "/dev/kvm here offers " + " and ".join(sorted(found))


def host_has():
    """'svm', 'vmx' or None, from the running kernel's view of the CPU."""
    root = os.environ.get("HV_SYSROOT", "")
    try:
        with open(root + "/proc/cpuinfo") as f:
            flags = set(re.findall(r"\b(svm|vmx)\b", f.read()))
    except OSError:
        return None
    return flags.pop() if flags else None


def choose(name, counted):
    """The flavour for --lab NAME (None: the best there is)."""
    if platform.machine() != "x86_64":
        raise Unavailable("the lab runs on x86-64 only")
    if name == "vmx":
        raise Unavailable("the VMX lab arrives with the Intel backend; use --lab svm")
    if name == "hw":
        have = host_has()
        if not have:
            raise Unavailable("--lab hw: this machine's CPU reports neither svm nor vmx "
                              "(off in the firmware, or a virtual machine without nesting)")
        if have != "svm":
            raise Unavailable("--lab hw: this machine has vmx; the Intel backend is not there yet")
        return Flavour("hw", None, None, "this machine itself, its CPU reports svm")
    if counted:
        return Flavour("svm", "tcg", "EPYC,+svm,+npt",
                       "QEMU TCG with SVM, instructions counted (--counted always emulates)")
    offers, why = kvm_offers()
    if "svm" in offers and os.environ.get("HV_LAB_ACCEL") != "tcg":
        return Flavour("svm", "kvm", "host", f"QEMU with KVM ({why})")
    return Flavour("svm", "tcg", "EPYC,+svm,+npt", f"QEMU TCG with SVM ({why})")
