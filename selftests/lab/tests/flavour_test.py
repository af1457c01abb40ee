#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lab is chosen: KVM only where its CPUID for guests has svm or vmx. Its log and cache."""

import os
import struct
import sys
import tempfile
import time
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../scripts"))
from hvlab import cache, flavour, klog  # noqa: E402


def kvm(leaves):
    """A /dev/kvm whose KVM_GET_SUPPORTED_CPUID answers {leaf: ecx}."""
    def ioctl(fd, nr, buf):
        struct.pack_into("<I", buf, 0, len(leaves))
        for i, (leaf, ecx) in enumerate(leaves.items()):
            struct.pack_into("<7I", buf, 8 + 40 * i, leaf, 0, 0, 0, 0, ecx, 0)
    fake_os = mock.Mock(open=lambda *a: 9, close=lambda fd: None, environ={}, O_RDWR=2, O_CLOEXEC=0)
    return mock.patch.multiple(flavour, fcntl=mock.Mock(ioctl=ioctl), os=fake_os)


class Choose(unittest.TestCase):
    def accel(self, leaves, **kw):
        with kvm(leaves):
            fl = flavour.choose(kw.get("name"), kw.get("counted", False))
        return fl.accel, fl.why

    def test_svm_offered(self):
        self.assertEqual(self.accel({1: 0, 0x80000001: 1 << 2})[0], "kvm")

    def test_nothing_offered(self):
        accel, why = self.accel({1: 0, 0x80000001: 1})
        self.assertEqual(accel, "tcg")
        self.assertIn("offers neither svm nor vmx", why)

    def test_vmx_is_no_svm_lab(self):
        accel, why = self.accel({1: 1 << 5})
        self.assertEqual(accel, "tcg")
        self.assertIn("offers vmx", why)

    def test_counted_emulates(self):
        self.assertEqual(self.accel({0x80000001: 1 << 2}, counted=True)[0], "tcg")

    def test_no_device(self):
        with mock.patch.object(os, "open", side_effect=FileNotFoundError):
            fl = flavour.choose(None, False)
        self.assertIn("there is no /dev/kvm", fl.why)

    def test_vmx_lab(self):
        with self.assertRaisesRegex(flavour.Unavailable, "Intel backend"):
            flavour.choose("vmx", False)


class Cache(unittest.TestCase):
    def test_prune(self):
        with tempfile.TemporaryDirectory() as d, mock.patch.dict(os.environ, HV_CACHE=d):
            def put(name, age):
                path = os.path.join(d, name)
                open(path, "w").close()
                os.utime(path, (time.time() - age,) * 2)
            for n in range(20):
                put("initramfs-%020x" % n, n * cache.HOUR / 2)
            put("vmlinux-%020x" % 1, 99 * cache.HOUR)
            put("initramfs-notes", 99 * cache.HOUR)
            kept = "initramfs-%020x" % 19
            cache.get(kept, None)       # the oldest, used again
            cache.get("initramfs-" + "f" * 20, lambda: b"new")
            left = set(os.listdir(d))
            want = {"initramfs-%020x" % n for n in range(cache.KEEP - 2)}
            self.assertEqual(left, want | {kept, "initramfs-" + "f" * 20, "vmlinux-%020x" % 1,
                                           "initramfs-notes"})


class Log(unittest.TestCase):
    BAD = (
        "[    1.2] WARNING: CPU: 0 PID: 1 at virt/vm.c:3 f+0x1/0x2 [hv]",
        "[    1.2] BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "[    1.2] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [x:1]",
        "[    1.2] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        "[    1.2] INFO: task hvctl:12 blocked for more than 120 seconds.",
        "[    1.2] WARNING: possible circular locking dependency detected",
        "[    1.2] BUG: KASAN: use-after-free in f+0x1/0x2",
        "[    1.2] general protection fault, probably for non-canonical address",
        "[    1.2] BUG kmalloc-64 (Tainted: G): Poison overwritten",
        "[    1.2] refcount_t: underflow; use-after-free.",
        "[    1.2] Kernel panic - not syncing: Fatal exception",
        "[    1.2] unchecked MSR access error: WRMSR to 0x48",
    )
    GOOD = (
        "[    0.2] Speculative Return Stack Overflow: WARNING: See https://kernel.org/doc/",
        "[    0.2] AMD-Vi: AMD IOMMUv2 functionality not available: This is not a bug.",
        "[    0.2] \tRCU CPU stall warnings timeout set to 40 (rcu_cpu_stall_timeout).",
        "[    1.2] hv: loading out-of-tree module taints kernel.",
        "[    1.2] clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc'",
    )

    def test_bad(self):
        for line in self.BAD:
            self.assertTrue(klog.bad_lines([line]), line)

    def test_good(self):
        for line in self.GOOD:
            self.assertFalse(klog.bad_lines([line]), line)

    def test_taint(self):
        self.assertTrue(klog.bad_taint(1 << 9))
        self.assertFalse(klog.bad_taint(1 << 12 | 1 << 13))


unittest.main()
