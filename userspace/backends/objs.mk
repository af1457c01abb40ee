# SPDX-License-Identifier: GPL-2.0-or-later
userspace-backends := chr tty endpoint disk diskq window net_frame net_user net_tap
userspace-backends-pkgs := liburing
