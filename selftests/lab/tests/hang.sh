#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A command that does not end, and an L1 that stops answering altogether.
. selftests/lab/tests/expect.sh

expect 221 "did not end in 3 s" -- --no-hv --timeout 3 -- sleep 100
# A real-time loop on the only CPU, with the scheduler's brake taken off: the
# lab's init never runs again.
expect 221 "L1 hangs" -- --no-hv --cpus 1 --timeout 3 -- \
	sh -c 'echo -1 >/proc/sys/kernel/sched_rt_runtime_us; chrt -f 99 sh -c "while :; do :; done"'
exit $failed
