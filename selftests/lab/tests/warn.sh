#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A warning in the kernel log fails a command that passed, unless the test
# said that it wants that line. Anyone may write to /dev/kmsg: the scan must
# not depend on who wrote.
. selftests/lab/tests/expect.sh

warn='echo "<4>WARNING: CPU: 0 PID: 1 at a/test.c:1 of+0x0/the [lab]" >/dev/kmsg'
expect 222 "kernel log: WARNING: CPU: 0" -- --no-hv -- sh -c "$warn"
expect 5 "kernel log: WARNING: CPU: 0" -- --no-hv -- sh -c "$warn; exit 5"
expect 0 -- --no-hv --expect-log 'at a/test\.c' -- sh -c "$warn"
expect 222 "soft lockup" -- --no-hv -- \
	sh -c 'echo "<0>watchdog: BUG: soft lockup - CPU#0 stuck for 22s!" >/dev/kmsg'
exit $failed
