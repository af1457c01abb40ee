# SPDX-License-Identifier: GPL-2.0-or-later
userspace-libstate := crc error pages parse read write zstd
userspace-libstate-pkgs := libzstd
