#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# In L1, which must have been booted from a bzImage: the host sleeps (api/suspend_test.c says how)
# with guests of the module alone and with VMs of hvctl. L1's root does not live through that (the kernel's 9p driver sets up nothing again), so
# all that runs from here on is copied to memory first.
#
# suspend.sh ROUNDS STATE...: rounds of the busy guest; freeze or mem
root=/tmp/root
[ $# -ge 2 ] || exit 2
put()
{
	local f
	for f; do
		mkdir -p "$root$(dirname "$f")"
		cp -L "$f" "$root$f" || exit 1
	done
}

mkdir -p $root/{dev,proc,sys,tmp,run}
put /bin/busybox
for p in build/bin/hvctl build/api/suspend_test; do
	mkdir -p $root/$(dirname $p)
	cp $p $root/$p || exit 1
	put $(ldd $p | grep -o '/[^ ]*')
done
mkdir -p $root/build/guest
cp build/guest/{moved,echo}.elf $root/build/guest || exit 1
for d in dev proc sys; do
	mount --rbind /$d $root/$d || exit 1
done
modprobe msr || exit 1
cat >$root/inside <<'X'
/bin/busybox --install -s /bin
export HV_RUNTIME_DIR=/run/vms PATH=/bin:/build/bin
for n in a b; do
	hvctl start -k build/guest/echo.elf -n $n -m 32M || exit 1
done
build/api/suspend_test "$@" || exit 1
[ "$(hvctl list | grep -c running)" = 2 ] || { hvctl list; echo "VMs of hvctl are gone"; exit 1; }
for n in a b; do
	# The button is the guest's to answer: the machine and the guest are alive.
	hvctl stop -t 30 $n || exit 1
done
X
exec chroot $root /bin/busybox sh /inside "$@"
