#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every dispatcher and state machine shows itself: the events are there, and those a small
# guest must raise come.
set -e

t=/sys/kernel/tracing
want="hv_event hv_exit hv_hypercall hv_inject hv_ioctl hv_irq hv_msr hv_slat_fault
	hv_user_exit hv_vcpu_state hv_vm_state hv_vsynic_event hv_vsynic_message"
for e in $want; do
	[ -d $t/events/hv/$e ] || { echo "module_trace: no event $e" >&2; exit 1; }
done
# Room for all: an event that was overwritten would look like one never raised.
echo 65536 >$t/buffer_size_kb
echo 1 >$t/events/hv/enable
echo 1 >$t/tracing_on
build/api/run_state_test >/dev/null
build/api/stats_test >/dev/null
build/api/tlfs_test >/dev/null || true
echo 0 >$t/events/hv/enable
cat $t/trace >/run/trace.txt
bad=0
for e in hv_event hv_exit hv_ioctl hv_slat_fault hv_user_exit hv_vcpu_state hv_vm_state \
	hv_hypercall hv_inject hv_msr hv_vsynic_event hv_vsynic_message hv_irq; do
	n=$(grep -c " $e:" /run/trace.txt || true)
	printf '%-18s %s\n' $e "$n"
	[ "$n" -gt 0 ] || bad=1
done
grep -m1 ' hv_vcpu_state: .*loaded -> guest' /run/trace.txt
[ -n "$(cat /sys/kernel/debug/hv/ioctls)" ] || { echo "module_trace: no calls counted" >&2; exit 1; }
echo 1408 >$t/buffer_size_kb
exit $bad
