#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A panic, a reset and a reboot that the command did not survive are failures,
# even when the command printed that all is well.
. selftests/lab/tests/expect.sh

expect 220 "L1 panicked" "Kernel panic - not syncing: sysrq" -- --no-hv -- \
	sh -c 'echo 1 passed, 0 failed; echo c >/proc/sysrq-trigger; sleep 60'
expect 220 "L1 rebooted" -- --no-hv -- \
	sh -c 'busybox reboot -f; sleep 60'
expect 220 "was reset without a panic" -- --no-hv -- \
	sh -c 'echo b >/proc/sysrq-trigger; sleep 60'
expect 0 -- --no-hv --expect-reboot -- sh -c 'busybox reboot -f; sleep 60'
exit $failed
