# SPDX-License-Identifier: GPL-2.0-or-later
#
# The folders that go into hv.ko, in link order. A folder without an objs.mk
# is skipped. Those named */lib are pure cores: they are also built into
# build/lib/libhvpure.a and into the fuzzers.
hv-pure-folders := virt/lib arch/x86/lib vmbus/lib
hv-folders := kmod kmod/compat \
	virt \
	arch/x86 arch/x86/mmu arch/x86/nested arch/x86/svm arch/x86/vmx \
	vmbus \
	$(hv-pure-folders)
