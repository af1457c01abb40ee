#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# L1 reboots while guests run on its CPUs: an orderly reset with nothing in the kernel log. The
# guests poll their UART and never halt, so they are in guest mode when it comes.
. selftests/lab/tests/expect.sh

expect 0 "two guests run" -- --expect-reboot -- bash -c '
	export HV_RUNTIME_DIR=/run/vms
	for n in a b; do
		build/bin/hvctl start -k build/guest/echo.elf -n $n -m 32M || exit 1
	done
	sleep 1
	[ "$(build/bin/hvctl list | grep -c running)" = 2 ] || exit 2
	echo two guests run
	sleep 1
	busybox reboot -f
	sleep 60'
exit $failed
