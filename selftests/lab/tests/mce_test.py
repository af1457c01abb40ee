#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
A machine check ends a guest's run: the host's own handler must get it, as one from user mode.

The emulator has no such exit: what its monitor's "mce" sends goes to the guest's IDT whatever
the intercepts say. So the exit is made here. MCG_STATUS is written as hardware would leave it,
the banks stay empty; by the emulator's debug port the CPU is stopped right behind VMRUN, and the
exit code in the VMCB becomes that of vector 18. All that runs after it is the module and the
kernel as they are.

  - restart possible (RIPV): the kernel counts a machine check and ends it, the guest goes on;
  - no restart: what ran cannot go on, and that is the VMM's thread. The handler kills it if it
    is told of user mode; told of the kernel it would not.
"""

import os
import re
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../scripts"))
from hvlab import flavour, kernel, klog, l1, vector  # noqa: E402

RAX_REGISTER = 0
VMRUN = "0f01d8"
EXIT_CODE = 0x70                        # in the VMCB (APM vol. 2, appendix B)
EXIT_INTR, EXIT_MC = 0x60, 0x40 + 18    # appendix C
STOPS = 100                             # to look for an exit by an interrupt
PATIENCE = 60

# MCG_STATUS (MSR 0x17a): RIPV 1, EIPV 2, MCIP 4.
SCRIPT = r"""
export HV_RUNTIME_DIR=/run/vms
modprobe msr allow_writes=on || exit 1
wrmsr() { python3 -c 'import os, sys
fd = os.open("/dev/cpu/1/msr", os.O_WRONLY)
os.pwrite(fd, int(sys.argv[2], 0).to_bytes(8, "little"), int(sys.argv[1], 0))' "$@" || exit 1; }
rdmsr() { python3 -c 'import os, sys
fd = os.open("/dev/cpu/1/msr", os.O_RDONLY)
print(hex(int.from_bytes(os.pread(fd, 8, int(sys.argv[1], 0)), "little")))' "$@"; }
count() { awk '/^ *MCE:/ { print $2 + $3 }' /proc/interrupts; }
stat() { build/bin/hvctl stats mc --json | python3 -c 'import json, sys
print(json.load(sys.stdin)["stats"].get(sys.argv[1], "?"))' "vcpu0.$1"; }
counted() {	# N WHAT: waits for N machine checks
	for try in $(seq 50); do
		[ "$(count)" = "$1" ] && break
		sleep 0.2
	done
	echo "$2 count $(count)"
	[ "$(count)" = "$1" ] || exit 1
}
taskset -c 1 build/bin/hvctl start -k build/guest/spin.elf -n mc -m 32M || exit 1
for try in $(seq 100); do
	build/bin/hvctl logs --console mc | grep -q spinning && break
	sleep 0.2
done
echo "first count $(count) exceptions $(stat exits_exception)"
wrmsr 0x17a 5
grep -w hv_svm_vmrun /proc/kallsyms
echo STOP 1
counted 1 restart
a=$(stat exits); sleep 1; b=$(stat exits)
echo "restart exceptions $(stat exits_exception) mcg $(rdmsr 0x17a)"
[ "$b" -gt "$a" ] && echo "restart guest goes on"
pid=$(build/bin/hvctl show mc | sed -n 's/^pid *//p')
wrmsr 0x17a 6
echo STOP 2
counted 2 fatal
for try in $(seq 50); do
	kill -0 "$pid" || break
	sleep 0.2
done 2>/dev/null
kill -0 "$pid" 2>/dev/null && exit 1
echo "fatal VMM ended"
build/bin/hvctl logs mc | tail -3
echo "fatal mcg $(rdmsr 0x17a)"
taskset -c 1 build/bin/hvctl run --test-devices --exit-with-guest --no-reboot \
	--kernel build/guest/hello.elf --memory 32M </dev/null; [ $? = 1 ] && echo "fatal next guest ran"
"""

failed = 0


def check(good, what):
    global failed
    print("ok:" if good else "NOT OK:", what, flush=True)
    failed += not good


class Output:
    """What the script said, and an event for each STOP of it."""

    def __init__(self):
        self.data = b""
        self.stops = [threading.Event(), threading.Event()]

    def add(self, _, data):
        self.data += data
        for n, event in enumerate(self.stops):
            if b"STOP %d\n" % (n + 1) in self.data:
                event.set()

    def text(self):
        return self.data.decode("utf-8", "replace")


class Port(vector.Gdb):
    """The debug port, with what it takes to write the VMCB."""

    def __init__(self, path):
        super().__init__(path)
        self.sock.settimeout(PATIENCE)

    def physical(self, packet):
        self.ask("Qqemu.PhyMemMode:1")
        got = self.ask(packet)
        self.ask("Qqemu.PhyMemMode:0")
        return got

    def behind_vmrun(self, text):
        """Address of the instruction after VMRUN, None if that is not to be found."""
        m = re.search(r"^([0-9a-f]+) . hv_svm_vmrun\b", text, re.M)
        code = self.memory(int(m.group(1), 16), 192) if m else ""
        at = code.find(VMRUN)
        return int(m.group(1), 16) + at // 2 + 3 if at >= 0 and at % 2 == 0 else None

    def make_exit(self, at):
        """Turns the next exit by an interrupt into one by a machine check."""
        self.ask(f"Z1,{at:x},1")
        done = False
        for _ in range(STOPS):
            self.send("c")
            self.wait()
            vmcb = self.register(RAX_REGISTER)
            code = self.physical(f"m{vmcb + EXIT_CODE:x},8")
            if code == struct.pack("<Q", EXIT_INTR).hex():
                new = struct.pack("<Q", EXIT_MC).hex()
                done = self.physical(f"M{vmcb + EXIT_CODE:x},8:{new}") == "OK"
                break
            self.ask("s")
        self.ask(f"z1,{at:x},1")
        self.send("c")
        return done


def drive(path, out, runs):
    port = at = None
    for n, event in enumerate(out.stops):
        while not event.wait(0.2):
            if not runs():
                return
        if port:
            port.sock.sendall(b"\x03")
            port.wait()
        else:
            port = Port(path)
            at = port.behind_vmrun(out.text())
        check(at and port.make_exit(at), f"stopped behind VMRUN, exit {n + 1} made a machine check")


def judge(res, out, log):
    text = out.text()
    for line in klog.bad_lines(log) + res.trouble:
        check(False, "kernel log: " + line)
    check(res.end == "exit", "L1 lives (it ended by: %s)" % res.end)
    for want, what in (
            ("first count 0 exceptions 0", "nothing was counted before"),
            ("restart count 1", "restart possible: the host's handler ran"),
            ("restart exceptions 1 mcg 0x0", "it ended the machine check; the exit is counted once"),
            ("restart guest goes on", "the guest goes on"),
            ("fatal count 2", "no restart: the host's handler ran"),
            ("fatal VMM ended", "the VMM is gone"),
            (".*the VM process died: SIGBUS.*", "by the signal the handler sent"),
            ("fatal mcg 0x0", "and ended the machine check"),
            ("fatal next guest ran", "another guest runs on that CPU")):
        check(re.search("^" + want + "$", text, re.M), what)
    if failed:
        print(text, *map(klog.strip, log[-40:]), sep="\n")


def main():
    fl = flavour.choose(None, True)     # the emulator, for its debug port
    version = kernel.release()
    with tempfile.TemporaryDirectory(prefix="hvmce-") as folder:
        path = folder + "/gdb"
        cfg = l1.Config(flavour=fl, version=version, ko=l1.find_ko(version),
                        qemu_args=["-chardev", f"socket,id=gdb,path={path},server=on,wait=off",
                                   "-gdb", "chardev:gdb"])
        with l1.L1(cfg) as vm:
            vm.boot()
            print(f"lab: {fl.name}: QEMU TCG, up in {vm.boot_seconds:.1f} s", flush=True)
            out, result = Output(), []
            run = threading.Thread(target=lambda: result.append(
                vm.run("mce", ["bash", "-c", SCRIPT], 80, out.add)))
            run.start()
            try:
                drive(path, out, run.is_alive)
            except (OSError, l1.LabError) as e:
                check(False, f"the debug port: {e}")
                vm.kill()
            run.join()
        judge(result[0], out, result[0].log)


main()
sys.exit(1 if failed else 0)
