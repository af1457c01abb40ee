# SPDX-License-Identifier: GPL-2.0-or-later
userspace-vmm := config loop layout aml acpi load load_bzimage elf_image load_elf_pvh load_multiboot \
	mem memmap readers iobus lifecycle log services boot vcpu_thread exits control signals sandbox \
	machine stats cpu_model
userspace-vmm-pkgs := liburcu-memb

userspace-vmm += bus bus_stats nets disks disk_verbs guest_info
userspace-vmm += ctl ctl_request ctl_kvp ctl_save ctl_verbs
userspace-vmm += genid save save_fields save_records restore
userspace-vmm-pkgs += jansson
