/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ops.h - the vendor boundary: verbs on hardware state, drawn for SVM and VMX
 *
 * No row takes an opcode or a policy: everything smart stands above. Expanded three
 * times: the table type, the static calls, and the check that a vendor fills each row.
 * V_OP(name, return type, arguments). All rows are required. Calls need the vCPU's lock
 * unless said otherwise; "(irqs off)" rows are called with interrupts disabled on the CPU
 * the vCPU is loaded on.
 */
/* host: hw_supported is called once; enable and disable on each CPU, irqs off */
V_OP(hw_supported, bool, (void))		/* CPU has it and every must-have feature */
V_OP(hw_setup, int, (void))			/* allocate bitmaps etc; may sleep */
V_OP(hw_unsetup, void, (void))
V_OP(hw_state, u32, (void))			/* enum hv_hw_state of this CPU (irqs off) */
V_OP(hw_enable, int, (void))			/* -EBUSY if another hypervisor holds it (irqs off) */
V_OP(hw_disable, void, (void))			/* (irqs off) */
V_OP(hw_features, u64, (void))			/* HV_HWF_*, after hw_setup */
/* vCPU objects: the vendor's struct nests struct hv_vcpu_x86 first */
V_OP(vcpu_alloc, struct hv_vcpu_x86 *, (void))
V_OP(vcpu_free, void, (struct hv_vcpu_x86 *x))
V_OP(vcpu_create, int, (struct hv_vcpu_x86 *x))
V_OP(vcpu_release, void, (struct hv_vcpu_x86 *x))
V_OP(vcpu_reset, void, (struct hv_vcpu_x86 *x))
/* running: load and put bracket a section (preemption off) */
V_OP(load, void, (struct hv_vcpu_x86 *x))
V_OP(put, void, (struct hv_vcpu_x86 *x))
V_OP(enter, void, (struct hv_vcpu_x86 *x))	/* the world switch (irqs off) */
V_OP(exit_irqoff, void, (struct hv_vcpu_x86 *x)) /* NMI, #MC and the like before irqs go on (irqs off) */
V_OP(exit_handle, enum hv_next, (struct hv_vcpu_x86 *x))
V_OP(exit_info, void, (struct hv_vcpu_x86 *x, u64 *code, u64 *info1, u64 *info2))
/* architectural state that lives in the control block; gpr, rip, rflags are in hv_vcpu_x86 */
V_OP(seg_get, void, (struct hv_vcpu_x86 *x, unsigned int seg, struct hv_rec_seg *s))
V_OP(seg_set, void, (struct hv_vcpu_x86 *x, unsigned int seg, const struct hv_rec_seg *s))
V_OP(dt_get, void, (struct hv_vcpu_x86 *x, bool idt, struct hv_rec_dt *dt))
V_OP(dt_set, void, (struct hv_vcpu_x86 *x, bool idt, const struct hv_rec_dt *dt))
V_OP(cr_get, u64, (struct hv_vcpu_x86 *x, unsigned int cr))	/* 0, 2, 3, 4 */
V_OP(cr_set, void, (struct hv_vcpu_x86 *x, unsigned int cr, u64 val))	/* checked by the caller */
V_OP(efer_get, u64, (struct hv_vcpu_x86 *x))	/* with LMA as the CPU keeps it */
V_OP(efer_set, void, (struct hv_vcpu_x86 *x, u64 val))
V_OP(dr7_set, void, (struct hv_vcpu_x86 *x, u64 val))	/* also: guest owns DR0-3 or not */
V_OP(msr_get, int, (struct hv_vcpu_x86 *x, u32 msr, u64 *val))	/* MSRs the vendor holds; -ENOENT */
V_OP(msr_set, int, (struct hv_vcpu_x86 *x, u32 msr, u64 val))
V_OP(long64, bool, (struct hv_vcpu_x86 *x))	/* executes 64-bit code now */
V_OP(cpl, unsigned int, (struct hv_vcpu_x86 *x))
V_OP(int_shadow_get, u32, (struct hv_vcpu_x86 *x))	/* 0, 1 */
V_OP(int_shadow_set, void, (struct hv_vcpu_x86 *x, u32 on))
/* events: at most one injection is outstanding; the vendor reports interrupted delivery by x->ev.reinject */
V_OP(inject, void, (struct hv_vcpu_x86 *x, enum hv_event_type type, u8 vector, bool has_error, u32 error))
/* leave when an interrupt of priority class @prio (1..15) could be taken; 0: do not */
V_OP(irq_window, void, (struct hv_vcpu_x86 *x, unsigned int window))	/* enum hv_irq_window */
V_OP(nmi_window, void, (struct hv_vcpu_x86 *x, bool on))
/* translation and time */
V_OP(tsc_offset_set, void, (struct hv_vcpu_x86 *x, u64 offset))
V_OP(root_set, void, (struct hv_vcpu_x86 *x, struct hv_mmu_root *root))
V_OP(tlb_flush, void, (struct hv_vcpu_x86 *x))	/* all guest translations of this vCPU */
/* RIP after the intercepted instruction if the CPU saved it, else 0 */
V_OP(next_rip, u64, (struct hv_vcpu_x86 *x))
/* bytes of the intercepted instruction the CPU delivered (decode assist); 0 if none */
V_OP(insn_bytes, unsigned int, (struct hv_vcpu_x86 *x, u8 *buf))
#undef V_OP
