# SPDX-License-Identifier: GPL-2.0-or-later
userspace-base := err fdpass fields text
