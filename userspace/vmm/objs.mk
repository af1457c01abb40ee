# SPDX-License-Identifier: GPL-2.0-or-later
userspace-vmm := config loop layout aml acpi load load_bzimage elf_image load_elf_pvh load_multiboot

userspace-vmm += ctl ctl_request ctl_verbs
userspace-vmm-pkgs += jansson
