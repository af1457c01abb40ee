#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# /dev/hv: group and mode as the udev rule has them, also after a reload; a
# member of the group may open it, another user may not.
fail() { echo "$*"; exit 1; }
gid=$(getent group hv | cut -d: -f3)
rule=$(grep -v '^#' debian/hv.udev)
[ "$rule" = 'KERNEL=="hv", SUBSYSTEM=="misc", GROUP="hv", MODE="0660"' ] || fail "the rule is: $rule"
for turn in first reloaded; do
	[ "$(readlink -f /sys/class/misc/hv/subsystem)" = /sys/class/misc ] || fail "$turn: no misc device"
	for _ in $(seq 50); do
		[ "$(stat -c '%U:%G %a' /dev/hv)" = "root:hv 660" ] && break
		sleep 0.1
	done
	[ "$(stat -c '%U:%G %a' /dev/hv)" = "root:hv 660" ] || fail "$turn: $(stat -c '%U:%G %a' /dev/hv)"
	setpriv --reuid nobody --regid nogroup --groups "$gid" bash -c 'exec 3<>/dev/hv' ||
		fail "$turn: a member of hv cannot open it"
	setpriv --reuid nobody --regid nogroup --clear-groups bash -c 'exec 3<>/dev/hv' 2>/dev/null &&
		fail "$turn: nobody can open it"
	rmmod hv && insmod hv.ko || fail "cannot reload"
done
# With the module loaded here the demo stays here, and says so.
./scripts/demo --dry-run | grep -q 'run on this machine: hv.ko is loaded here already' ||
	fail "the demo does not see that hv.ko is loaded"
