# SPDX-License-Identifier: GPL-2.0-or-later
userspace-boot-init := main modules volumes files lvm screen start
userspace-boot-init-prog := hv-boot
userspace-boot-init-libs := boot
userspace-boot-init-static := y
