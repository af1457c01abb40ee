# SPDX-License-Identifier: GPL-2.0-or-later
userspace-vmm := config loop layout aml acpi
