# SPDX-License-Identifier: GPL-2.0-or-later
userspace-libhv := sys vm vcpu state bus
