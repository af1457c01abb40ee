# SPDX-License-Identifier: GPL-2.0-only
kmod := main params netlink trace
kmod += buffer caps chardev debugfs fd ioctl ioctl_chan ioctl_sys ioctl_vcpu ioctl_vm power runpage stats
