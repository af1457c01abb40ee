# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs tests: those of the host side by side, those of a lab in one L1."""

import os
import shlex
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

from . import flavour, klog, l1

SKIPPED = 77		# exit status of a test that cannot run here


def _judge(report, test, status, seconds, why, output):
    if status == SKIPPED and test.may_skip and not why:
        report.add(test.name, "skip", seconds, [test.may_skip], output)
    elif status == SKIPPED and not why:
        report.add(test.name, "fail", seconds,
                   ["skipped itself, and tests.cfg does not allow it (may_skip)"], output)
    elif status or why:
        report.add(test.name, "fail", seconds, why or [f"exit status {status}"], output)
    else:
        report.add(test.name, "pass", seconds, (), output)


_running = set()


def kill_children():
    """For a signal handler: no test outlives us."""
    for proc in list(_running):
        try:
            os.killpg(proc.pid, signal.SIGTERM)
        except ProcessLookupError:
            pass


def _host_once(test):
    """Runs a test of the host: (status, seconds, why, output)."""
    start = time.monotonic()
    why = []
    with tempfile.TemporaryFile() as out:
        proc = subprocess.Popen(["bash", "-c", test.command], stdout=out, stderr=out,
                                stdin=subprocess.DEVNULL, cwd=l1.TREE, start_new_session=True)
        _running.add(proc)
        try:
            status = proc.wait(test.timeout)
        except subprocess.TimeoutExpired:
            why = [f"did not end in {test.timeout} s"]
            os.killpg(proc.pid, signal.SIGTERM)
            try:
                proc.wait(5)
            except subprocess.TimeoutExpired:
                pass
            status = 124
        try:
            os.killpg(proc.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        proc.wait()
        _running.discard(proc)
        out.seek(0)
        return status, time.monotonic() - start, why, out.read()


def run_host(report, test, strict=False):
    status, seconds, why, output = _host_once(test)
    failed = (status or why) and status != SKIPPED
    # ADR 4, for a test that boots an L1 of its own; what scripts/lab says of L1's kernel counts.
    if failed and test.emulator and not strict and b"kernel log:" not in output and \
            report.may_run_again():
        report.run_again(test.name, why or [f"exit status {status}"], output)
        status, seconds, why, output = _host_once(test)
    _judge(report, test, status, seconds, why, output)


def run_hosts(report, tests, jobs, strict=False):
    """Side by side but for those marked serial, which come last, alone."""
    with ThreadPoolExecutor(jobs) as pool:
        for t in tests:
            if not t.serial:
                pool.submit(run_host, report, t, strict)
    for t in tests:
        if t.serial:
            run_host(report, t, strict)


class LabGroup:
    """The tests that share one L1, which is booted again when one breaks it."""

    def __init__(self, report, tests, version, lab=None, strict=False):
        self.report = report
        self.strict = strict
        self.tests = tests
        self.version = version
        self.lab = lab
        self.vm = None
        self.taint = 0
        self.boots = 0

    def _config(self, fl):
        t = self.tests[0]
        return l1.Config(flavour=fl, version=self.version,
                         cpus=t.cpus or (1 if t.counted else 2), mem=t.mem, counted=t.counted,
                         mitigations=t.mitigations, append=t.append, params=t.params,
                         qemu_args=shlex.split(t.qemu), bzimage=t.bzimage,
                         ko=l1.find_ko(self.version) if t.module else "")

    def _boot(self):
        """A running L1, or raises LabError; tries twice."""
        fl = flavour.choose(self.lab or self.tests[0].lab, self.tests[0].counted)
        for attempt in (1, 2):
            self._drop()
            self.vm = l1.L1(self._config(fl))
            try:
                self.vm.boot()
                break
            except l1.LabError as e:
                self._drop()
                if attempt == 2:
                    raise
                self.report.note(f"L1 did not come up, once more: {e}")
        self.boots += 1
        self.taint = 0
        self.report.note(f"lab: {fl.name}: {fl.why}; Linux {self.vm.release}, "
                         f"up in {self.vm.boot_seconds:.1f} s")
        # Whoever asks later what this L1 was, finds it beside its tests' logs.
        first = os.path.join(self.report.folder, f"boot.{self.tests[0].name}.{self.boots}.klog")
        with open(first, "w") as f:
            f.write("\n".join(self.vm.boot_log) + "\n")
        bad = klog.bad_lines(self.vm.boot_log)
        if bad:
            self._drop()
            raise l1.LabError("trouble in the kernel log before any test: " + "; ".join(bad))

    def _drop(self):
        if self.vm:
            self.vm.close()
            self.vm = None

    def _why(self, test, res):
        why = {
            "exit": [f"exit status {res.status}"] if res.status else [],
            "timeout": [f"did not end in {test.timeout} s"],
            "hang": [f"L1 hangs: no answer {l1.GRACE} s after the test's {test.timeout} s"],
            "panic": ["L1 panicked"],
            "reboot": ["L1 rebooted or powered off"],
            "reset": ["L1 was reset without a panic (triple fault?)"],
            "kexec": ["another kernel took L1 over"],
        }[res.end]
        if res.end == "panic" and test.log:
            why = why if klog.bad_lines(res.log, test.log) else []
        wanted = list(test.log) + [l1.NMI_PANIC] * (res.end == "hang")
        why = why + ["kernel log: " + b for b in klog.bad_lines(res.log, wanted)]
        why += klog.bad_taint(res.taint & ~self.taint, test.log)
        return why + res.trouble

    def _may_run_again(self, res, why, unexpected):
        """
        ADR 4: the emulator spoils a guest now and then. What the kernel of L1 complained about, a
        panic included, is never put down to that.
        """
        return (why and not self.strict and not unexpected and res.status != SKIPPED and
                self.vm.spare and res.end in ("exit", "timeout", "hang", "reset") and
                self.report.may_run_again())

    def _run_once(self, test, last):
        """True if the test has an outcome; False: it failed, and is to be run again."""
        chunks = []
        if not self.vm:
            self._boot()
        res = self.vm.run(test.name, ["bash", "-c", test.command], test.timeout,
                          lambda s, d: chunks.append(d), cwd=l1.TREE)
        why = self._why(test, res)
        with open(os.path.join(self.report.folder, test.name + ".klog"), "w") as f:
            f.write("\n".join(res.log) + "\n")
        if res.end not in ("exit", "timeout"):
            chunks += [b"\n"] + [line.encode() + b"\n" for line in klog.excerpt(res.log)]
        chunks += [b"lab: " + line.encode() + b"\n" for line in res.look]
        wanted = list(test.log) + [l1.NMI_PANIC] * (res.end == "hang")
        complaints = klog.bad_lines(res.log, wanted) or klog.bad_taint(res.taint & ~self.taint, test.log)
        if not last and self._may_run_again(res, why, complaints or res.trouble):
            self.report.run_again(test.name, why, b"".join(chunks))
            self._drop()
            return False
        status = res.status if res.end == "exit" else 0
        only_status = res.end == "exit" and len(why) == (1 if status else 0)
        if only_status:
            why = []
        if status and why:
            why = [f"exit status {status}"] + [w for w in why if not w.startswith("exit status")]
        _judge(self.report, test, status, res.seconds, why, b"".join(chunks))
        unexpected = klog.bad_lines(res.log, test.log) or res.trouble
        self.taint = res.taint
        if res.end != "exit" or unexpected:
            self._drop()
        return True

    def _run_one(self, test):
        if not self._run_once(test, last=False):
            self._run_once(test, last=True)

    def run(self):
        try:
            for n, test in enumerate(self.tests):
                try:
                    self._run_one(test)
                except l1.LabError as e:
                    for t in self.tests[n:]:
                        self.report.add(t.name, "fail", 0, [f"the lab did not come up: {e}"])
                    return
            self._late()
        finally:
            self._drop()

    def _late(self):
        """What the log says after the last test still counts."""
        if not self.vm:
            return
        time.sleep(0.2)
        bad = klog.bad_lines(self.vm.klog.new_lines(final=True))
        if bad:
            self.report.add("lab.after." + self.tests[-1].name, "fail", 0,
                            ["kernel log after the last test: " + b for b in bad])


def run_labs(report, tests, version, lab=None, strict=False):
    groups = {}
    for t in tests:
        groups.setdefault(t.boot(), []).append(t)
    for group in groups.values():
        LabGroup(report, group, version, lab, strict).run()
