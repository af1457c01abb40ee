# SPDX-License-Identifier: GPL-2.0-or-later
userspace-hvctl-def := vm_table
