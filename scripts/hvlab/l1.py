# SPDX-License-Identifier: GPL-2.0-or-later
"""One boot of the lab VM and the commands run in it."""

import ctypes
import os
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

from . import kernel, klog, look

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOOT_TIMEOUT = 120
# Seconds that L1 has to kill a command before it is called hung.
GRACE = 15
# Seconds that a hung L1 has to say where it was, once it got an NMI.
LAST_WORDS = 5
NMI_PANIC = "Kernel panic - not syncing: NMI: Not continuing"
SHELL_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class LabError(Exception):
    """The lab itself failed: nothing is known of the command."""


@dataclass
class Config:
    """
    What to boot. `mem` in MiB; `mitigations` is 'default' or 'off'; `bzimage` boots the
    kernel as it is packed: the emulator puts an ELF image into memory again at each reset,
    waking up from suspend to memory included. `interactive`: our terminal is L1's, with a shell
    on it, or `script`, a path in the tree.
    """
    flavour: object
    version: str
    cpus: int = 2
    mem: int = 2048
    counted: bool = False
    mitigations: str = "default"
    ko: str = ""
    params: str = ""
    append: str = ""
    qemu_args: list = field(default_factory=list)
    bzimage: bool = False
    interactive: bool = False
    script: str = ""
    cwd: str = TREE
    log: str = ""


@dataclass
class Result:
    """
    How a command ended. end: 'exit' (status holds), 'timeout', 'hang' (L1 did
    not answer any more), 'panic', 'reboot' (an orderly one), 'reset' or 'kexec'
    (another kernel is up and takes commands; status is the errno of loading hv.ko).
    look: for 'timeout' and 'hang', what L1's CPUs did when the time was up.
    """
    end: str
    status: int = 0
    seconds: float = 0.0
    taint: int = 0
    log: list = field(default_factory=list)
    trouble: list = field(default_factory=list)
    look: list = field(default_factory=list)


def find_ko(version):
    """hv.ko built for `version`, or a LabError that says how to get one."""
    tries = [f"{TREE}/build/ko/{version}/hv.ko", f"{TREE}/hv.ko"]
    for path in tries:
        try:
            with open(path, "rb") as f:
                if b"vermagic=" + version.encode() + b" " in f.read():
                    return path
        except OSError:
            continue
    raise LabError(f"no hv.ko for kernel {version}: run make KVER={version}")


def init_program():
    """The init program, built if it is older than its source."""
    src = f"{TREE}/selftests/lab/init"
    path = f"{TREE}/build/lab/init"
    newest = max(os.stat(f"{src}/{n}").st_mtime for n in os.listdir(src))
    if not os.path.exists(path) or os.stat(path).st_mtime < newest:
        r = subprocess.run(["make", "-s", "-C", TREE, "build/lab/init"],
                           capture_output=True, text=True)
        if r.returncode:
            raise LabError(f"cannot build the lab's init:\n{r.stdout}{r.stderr}")
    return path


def _die_with_parent():
    os.setsid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def environment(cfg):
    """What of our environment a command in L1 sees."""
    keep = ("LANG", "LC_ALL", "TERM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "CI")
    env = {k: v for k, v in os.environ.items() if k in keep or k.startswith("HV_")}
    env.update(PATH=SHELL_PATH, HOME="/tmp", USER="root", LOGNAME="root",
               HV_LAB=cfg.flavour.name, HV_LAB_COUNTED=str(int(cfg.counted)),
               HV_LAB_MITIGATIONS=cfg.mitigations)
    return env


class L1:
    """A booted lab VM. Use as a context manager: it never outlives it."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.proc = None
        self.release = ""
        self.boot_seconds = 0.0
        self.boot_log = []
        self._buf = b""
        self._dir = tempfile.mkdtemp(prefix="hvlab-")
        self._qmp = self._dir + "/qmp"
        self.log_path = cfg.log or self._dir + "/kernel.log"
        self.klog = klog.KernelLog(self.log_path)
        open(self.log_path, "w").close()

    @property
    def spare(self):
        """
        CPUs besides those that tests run on. With a thread for each CPU the emulator's XRSTOR and
        FXRSTOR, on whichever CPU, change flags of the first one without a lock (FERR# of old), among
        them GIF and nested paging: guests and the host itself go wrong on that CPU, and on no other.
        So CPU 0 is left alone.
        """
        return int(self.cfg.flavour.accel == "tcg" and not self.cfg.counted)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def command_line(self):
        """Of L1's kernel."""
        c = self.cfg
        words = ["console=ttyS0,115200", "panic=-1", "oops=panic", "nokaslr", "tsc=reliable",
                 "watchdog_thresh=20", "rcupdate.rcu_cpu_stall_timeout=40", "random.trust_cpu=on", "unknown_nmi_panic",
                 f"hvlab.tree={TREE}", f"hvlab.cwd={c.cwd}"]
        if c.mitigations == "off":
            words.append("mitigations=off")
        if c.ko:
            words.append(f"hvlab.ko={c.ko}")
        if c.params:
            words.append("hvlab.params=" + c.params.replace(" ", ","))
        if self.spare:
            words.append("hvlab.beat=1")
            words.append("hvlab.spare=1")
        if c.interactive:
            words.append("hvlab.tty=ttyS1")
        if c.script:
            words.append("hvlab.script=" + c.script)
        if c.append:
            words.append(c.append)
        return " ".join(words)

    def _argv(self, fd):
        c = self.cfg
        share = "security_model=none,multidevs=remap"
        accel = c.flavour.accel
        argv = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
                "-name", "hvlab,debug-threads=on", "-qmp", f"unix:{self._qmp},server=on,wait=off",
                "-display", "none", "-machine", "q35,usb=off,vmport=off",
                "-cpu", c.flavour.cpu, "-smp", str(c.cpus + self.spare), "-m", f"{c.mem}M",
                "-kernel", (kernel.image if c.bzimage else kernel.vmlinux)(c.version),
                "-initrd", kernel.initramfs(c.version, init_program()),
                "-append", self.command_line(), "-serial", f"file:{self.log_path}",
                "-device", "virtio-serial-pci", "-chardev", f"socket,id=lab,fd={fd}",
                "-device", "virtserialport,chardev=lab,name=hv.lab",
                "-fsdev", f"local,id=root,path=/,readonly=on,{share}",
                "-device", "virtio-9p-pci,fsdev=root,mount_tag=hvroot",
                "-fsdev", f"local,id=tree,path={TREE},{share}",
                "-device", "virtio-9p-pci,fsdev=tree,mount_tag=hvtree"]
        if c.counted:
            argv += ["-accel", "tcg", "-icount", "shift=0,sleep=off", "-rtc", "clock=vm"]
        elif accel == "tcg":
            argv += ["-accel", "tcg,thread=multi"]
        else:
            argv += ["-accel", accel]
        if c.interactive:
            argv += ["-chardev", "stdio,id=tty,signal=off", "-serial", "chardev:tty"]
        return argv + c.qemu_args

    def boot(self):
        """Returns when L1 takes commands; LabError when it does not get there."""
        if not shutil.which("qemu-system-x86_64"):
            raise LabError("qemu-system-x86_64 is not installed: run scripts/setup test")
        ours, theirs = socket.socketpair()
        start = time.monotonic()
        argv = self._argv(theirs.fileno())
        with open(self._dir + "/qemu.log", "w") as err:
            self.proc = subprocess.Popen(
                argv, pass_fds=(theirs.fileno(),), preexec_fn=_die_with_parent,
                stdin=None if self.cfg.interactive else subprocess.DEVNULL,
                stdout=None if self.cfg.interactive else err, stderr=err)
        theirs.close()
        self.sock = ours
        said = []
        while True:
            kind, data = self._frame(start + BOOT_TIMEOUT)
            if kind == "L":
                said.append(data.decode())
            elif kind == "r":
                break
            elif kind in ("eof", "late"):
                raise LabError(self._boot_failure(kind, said))
        release, err = data.decode().split("\0")[:2]
        self.release = release
        self.boot_seconds = time.monotonic() - start
        self.boot_log = self.klog.new_lines()
        if int(err):
            raise LabError("L1 is up but: " + "; ".join(said) + "".join(
                "\n  " + klog.strip(line) for line in self.boot_log[-5:]))

    def _boot_failure(self, kind, said):
        what = "L1 did not come up in %d s" % BOOT_TIMEOUT if kind == "late" else \
            "L1 stopped before it was up"
        tail = self.klog.new_lines(final=True)[-8:]
        return "\n  ".join([what] + said + self._emulator_said() + tail)

    def _emulator_said(self):
        with open(self._dir + "/qemu.log", errors="replace") as f:
            return [line.strip() for line in f
                    if "TCG doesn't support requested feature" not in line]

    def _frame(self, deadline):
        """(type, bytes); type 'eof' when L1 is gone, 'late' past the deadline."""
        while True:
            if len(self._buf) >= 5:
                size = struct.unpack_from("<I", self._buf, 1)[0]
                if len(self._buf) >= 5 + size:
                    kind = chr(self._buf[0])
                    data = self._buf[5:5 + size]
                    self._buf = self._buf[5 + size:]
                    return kind, data
            left = deadline - time.monotonic()
            if left <= 0:
                return "late", b""
            ready, _, _ = select.select([self.sock], [], [], left)
            if not ready:
                continue
            try:
                got = self.sock.recv(1 << 16)
            except ConnectionError:
                got = b""
            if not got:
                return "eof", b""
            self._buf += got

    def run(self, ident, argv, timeout, output, cwd=None, env=None):
        """
        Runs argv in L1. output(stream, bytes) gets 'O' and 'E' as they come.
        After an end other than 'exit', 'timeout' and 'kexec' this L1 is gone.
        """
        full = environment(self.cfg)
        full.update(env or {})
        envs = [f"{k}={v}" for k, v in full.items()]
        words = [ident, cwd or self.cfg.cwd, str(len(envs))] + envs + list(argv)
        payload = b"".join(os.fsencode(w) + b"\0" for w in words)
        if len(payload) > 65536:
            raise LabError("the command line is too long")
        start = time.monotonic()
        self.sock.sendall(b"R" + struct.pack("<I", len(payload)) + payload)
        return self._await(start, start + timeout, output)

    def _await(self, start, deadline, output):
        trouble, told, seen = [], False, []
        while True:
            kind, data = self._frame(deadline)
            if kind in "OE":
                output(kind, data)
            elif kind == "L":
                trouble.append("lab: " + data.decode("utf-8", "replace"))
            elif kind == "X":
                status, late, taint, ms = data.decode().split("\0")[:4]
                seconds = time.monotonic() - start
                trouble += self._clock_trouble(seconds, int(ms) / 1000)
                return Result("timeout" if late == "1" else "exit", int(status), seconds,
                              int(taint), self.klog.new_lines(), trouble, seen)
            elif kind == "r":
                self.release, err = data.decode().split("\0")[:2]
                return Result("kexec", int(err), time.monotonic() - start, 0,
                              self.klog.new_lines(), trouble)
            elif kind == "late" and not told:
                told = True
                seen = self._look("time is up")
                deadline = time.monotonic() + GRACE
                self.sock.sendall(b"K" + struct.pack("<I", 0))
            elif kind == "late":
                seen += self._look(f"{GRACE} s later") + self._last_words()
                self.kill()
                return Result("hang", 0, time.monotonic() - start, 0,
                              self.klog.new_lines(final=True), trouble, seen)
            elif kind == "eof":
                self._reap()
                return self._gone(start, trouble)

    def efer(self):
        """EFER of each CPU as it is in the CPU: nothing inside has to answer for that."""
        m = look.Monitor(self._qmp)
        text = m.human("info registers -a")
        m.close()
        return [int(v, 16) for v in re.findall(r"EFER=([0-9a-f]+)", text)]

    def _look(self, when):
        """What L1's CPUs do now, for a Result."""
        with open(self.log_path, errors="replace") as f:
            symbols = look.Symbols().load(f"{TREE}/build/lab/kallsyms-{self.release}",
                                          self.cfg.ko, f)
        return [f"{when}: " + line for line in look.look(self.proc.pid, self._qmp, symbols)]

    def _last_words(self):
        """An NMI makes a kernel that can still take one panic, and say where it was."""
        with open(self.log_path, errors="replace") as f:
            f.seek(0, os.SEEK_END)
            look.nmi(self._qmp)
            end = time.monotonic() + LAST_WORDS
            while self.alive and time.monotonic() < end:
                time.sleep(0.1)
            said = [klog.strip(line) for line in f]
        if not said:
            return ["after an NMI: L1's kernel says nothing"]
        return ["after an NMI: " + line for line in said if line]

    def _clock_trouble(self, ours, theirs):
        """L1's clock is the emulator's view of ours, unless instructions are counted."""
        if self.cfg.counted or not theirs or abs(ours - theirs) < 10 + 0.2 * ours:
            return []
        return [f"lab: L1's clock went {theirs:.1f} s in {ours:.1f} s of the host's"]

    def _gone(self, start, trouble):
        log = self.klog.new_lines(final=True)
        text = "\n".join(log)
        if "Kernel panic" in text:
            end = "panic"
        elif "reboot: Restarting system" in text or "reboot: Power down" in text:
            end = "reboot"
        else:
            end = "reset"
        if self.proc.returncode:  # it ends well when L1 does not
            trouble.append(f"lab: the emulator ended with status {self.proc.returncode}")
            trouble += ["lab: emulator: " + line for line in self._emulator_said()]
        return Result(end, 0, time.monotonic() - start, 0, log, trouble)

    def shell(self):
        """Waits for the interactive shell to end; its Result."""
        return self._await(time.monotonic(), time.monotonic() + 86400 * 7, lambda s, d: None)

    @property
    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def _reap(self):
        """The emulator closed the channel: let it end by itself."""
        try:
            self.proc.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        if self.proc:
            if self.proc.poll() is None:
                self.proc.kill()
            self.proc.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self._dir, ignore_errors=True)
