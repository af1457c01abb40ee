#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A command that does not end, and an L1 that stops answering altogether: the lab says where
# the CPUs are.
. selftests/lab/tests/expect.sh

expect 221 "did not end in 3 s" "time is up: CPU 0: RIP" "time is up: CPU 1: RIP" \
	"emulator thread CPU 1/TCG" -- --no-hv --timeout 3 -- sleep 100
# A real-time loop on the only CPU, with the scheduler's brake taken off: the
# lab's init never runs again. It is in user space, where it has no name.
expect 221 "L1 hangs" "15 s later: CPU 0: RIP" "(not the kernel of L1)" \
	"after an NMI: Kernel panic - not syncing: NMI" -- --no-hv --cpus 1 --timeout 3 -- \
	sh -c 'echo -1 >/proc/sys/kernel/sched_rt_runtime_us; chrt -f 99 sh -c "while :; do :; done"'
# One that no signal ends: L1 lives, tells what it sleeps in, and the lab does not wait for it.
expect 221 "does not die of SIGKILL" "kernel log: sysrq: Show Blocked State" \
	"kernel log: sysrq: Show backtrace of all active CPUs" -- --no-hv --timeout 3 -- \
	sh -c 'mkdir /tmp/f && mount -t cgroup -o freezer f /tmp/f && mkdir /tmp/f/a &&
		echo $$ >/tmp/f/a/tasks && echo FROZEN >/tmp/f/a/freezer.state; sleep 100'
exit $failed
