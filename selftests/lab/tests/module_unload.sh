#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Unloading: refused while an fd is open, done at once when none is, also in the middle of
# VMs that come and go; nothing stays behind.
set -e

fail()
{
	echo "module_unload: $*" >&2
	exit 1
}

exec 3<>/dev/hv
rmmod hv 2>/dev/null && fail "unloaded under an open /dev/hv"
exec 3>&-
rmmod hv || fail "not unloaded without users"
[ -e /dev/hv ] && fail "/dev/hv stayed behind"
[ -e /sys/kernel/debug/hv ] && fail "debugfs folder stayed behind"
insmod hv.ko

# Each unload hits the VMs at another point: refused or done, never worse.
refused=0
for i in $(seq 12); do
	build/api/lifecycle_test 20 >/dev/null 2>&1 &
	load=$!
	while kill -0 $load 2>/dev/null; do
		if rmmod hv 2>/dev/null; then
			insmod hv.ko
			break
		fi
		refused=$((refused + 1))
	done
	kill -9 $load 2>/dev/null || true
	wait $load 2>/dev/null || true
	[ $i = 4 ] && [ $refused -gt 50 ] && break
done
[ $refused -gt 0 ] || fail "never met a VM"
for i in $(seq 50); do
	rmmod hv 2>/dev/null && break
	sleep 0.1
done
[ -e /sys/module/hv ] && fail "still in use after the last process was killed"
insmod hv.ko
echo "refused $refused times while VMs were there"
