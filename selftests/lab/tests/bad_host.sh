#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A host without /dev/hv and one without SVM: hvctl, its doctor and the kernel log each name
# what is missing and the next step, and the module unloads again.
. selftests/lab/tests/expect.sh
run='build/bin/hvctl run --test-devices --exit-with-guest --no-reboot --kernel build/guest/hello.elf -m 32M </dev/null'

# Exit code 8 is "hv.ko, virtualization support or permission is missing".
expect 0 "cannot open /dev/hv: No such file or directory" "modprobe hv" "code 8" \
	"there is no /dev/hv: hv.ko is not loaded" "insmod hv.ko" "doctor 8" \
	-- --no-hv -- bash -c "$run; echo code \$?; build/bin/hvctl doctor; echo doctor \$?"

expect 0 "this CPU reports no SVM with nested paging (svm, npt in /proc/cpuinfo): VMs cannot be created" \
	"cannot make a VM: No such device" "hvctl doctor tells more" "code 8" \
	"the CPU reports neither svm nor vmx" "have nesting switched on outside" "doctor 8" "unloaded" \
	-- --qemu-arg=-cpu --qemu-arg=EPYC,-svm -- bash -c "dmesg | grep hv:; $run; echo code \$?
	build/bin/hvctl doctor; echo doctor \$?; rmmod hv && dmesg | tail -n 1"

# SVM without nested paging.
expect 0 "this CPU reports no SVM with nested paging" "cannot make a VM: No such device" "code 8" \
	"the CPU reports svm without npt" "doctor 8" \
	-- --qemu-arg=-cpu --qemu-arg=EPYC,+svm,-npt -- bash -c "dmesg | grep hv:; $run; echo code \$?
	build/bin/hvctl doctor; echo doctor \$?"
exit $failed
