# SPDX-License-Identifier: GPL-2.0-only
kmod := main params netlink trace
# See arch/x86/objs.mk.
ifneq ($(HV_NEXT),)
CFLAGS_kmod/main.o := -DHV_NEXT
kmod += buffer caps chardev debugfs fd ioctl ioctl_sys ioctl_vcpu ioctl_vm runpage stats
endif
