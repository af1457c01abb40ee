# SPDX-License-Identifier: GPL-2.0-only
arch-x86-lib := apic_regs apic_msg apic_timer ioapic_regs
arch-x86-lib += insn_decode insn_decode_table insn_decode_move gpt_walk
arch-x86-lib += cpuid_policy
arch-x86-lib += slat_walk slat_edit
