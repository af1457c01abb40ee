# SPDX-License-Identifier: GPL-2.0-only
arch-x86-lib := apic_regs apic_msg apic_timer ioapic_regs
arch-x86-lib += insn_decode insn_decode_table insn_decode_move gpt_walk \
	insn_exec insn_exec_alu insn_exec_mem insn_exec_flow insn_exec_string \
	insn_exec_seg insn_exec_sys
arch-x86-lib += cpuid_policy perm_map asid debug_regs
arch-x86-lib += slat_walk slat_edit
