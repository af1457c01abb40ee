# SPDX-License-Identifier: GPL-2.0-or-later
userspace-backends := chr tty endpoint disk diskq
userspace-backends-pkgs := liburing
