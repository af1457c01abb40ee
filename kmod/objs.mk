# SPDX-License-Identifier: GPL-2.0-only
kmod := main params netlink trace
