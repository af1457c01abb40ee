# SPDX-License-Identifier: GPL-2.0-only
arch-x86-lib := apic_regs apic_msg apic_timer ioapic_regs
