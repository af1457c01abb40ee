#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside L1: boot.sh MIB APPEND SIDE...: what a VMM costs up to the first guest
# instruction and up to /init; hv first, then peers on KVM. The files come from a
# tmpfs, so that nobody pays for the way to the disk.
mib=$1
append=$2
shift 2
files=/tmp/bench
mkdir -p $files && cp build/bench/vmlinuz* build/bench/initrd build/bin/hvctl $files || exit 1
tool=$files/hvctl
export XDG_RUNTIME_DIR=/tmp/bench HOME=/tmp/bench
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null

vmm()	# SIDE KERNEL
{
	case $1 in
	hv)	set -- "$tool" -q run --kernel "$2" --initrd $files/initrd --memory "${mib}M" --cpus 1 \
			--append "$append" ;;
	kvmtool) set -- $files/kvmtool run -k "$2" -i $files/initrd -m "$mib" -c 1 -p "$append" \
			--console serial --network mode=none ;;
	*)	set -- qemu-system-x86_64 -M "$1" -accel kvm -cpu host -m "$mib" -smp 1 -nodefaults \
			-no-user-config -display none -serial stdio -kernel "$2" \
			-initrd $files/initrd -append "$append" ;;
	esac
	build/bench/measure -g "$mib" -m "$mark" -c "$counter" -- "$@"
}

status=0
counter=/sys/kernel/debug/hv/vms
for side; do
	if [ "$side" != hv ] && [ -e /sys/module/hv ]; then
		rmmod hv || exit 1
		modprobe kvm_amd 2>/dev/null || modprobe kvm_intel || exit 1
		counter=/sys/kernel/debug/kvm/exits
	fi
	[ "$side" = kvmtool ] && cp build/bench/kvmtool $files
	# Once for the caches and what a module does once, then the runs that count.
	mark=@ vmm "$side" $files/vmlinuz-first >/dev/null
	echo "SIDE $side first"
	mark=@ vmm "$side" $files/vmlinuz-first || status=1
	echo "SIDE $side page"
	mark=@ vmm "$side" $files/vmlinuz-page || status=1
	echo "SIDE $side init"
	mark=@@init vmm "$side" $files/vmlinuz || status=1
done
exit $status
