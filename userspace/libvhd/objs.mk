# SPDX-License-Identifier: GPL-2.0-or-later
userspace-libvhd := alloc bat bitmap check create error file flush footer holder lock map open \
	probe transfer zero
