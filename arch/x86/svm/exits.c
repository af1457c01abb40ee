// SPDX-License-Identifier: GPL-2.0-only
/* exits.c - what each #VMEXIT means (APM vol. 2, appendix C) */
#include <linux/cpumask.h>
#include <linux/smp.h>
#include <uapi/asm/svm.h>
#include <hv/trace.h>
#include "../lapic.h"
#include "svm.h"

#define OP_VMMCALL	HV_OPCODE3(0x0f, 0x01, 0xd9)
#define OP_WBINVD	HV_OPCODE2(0x0f, 0x09)
#define OP_INVD		HV_OPCODE2(0x0f, 0x08)
#define OP_XSETBV	HV_OPCODE3(0x0f, 0x01, 0xd1)

static enum hv_next exit_intr(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_intr++;
	return HV_NEXT_RESUME;
}

static enum hv_next exit_nmi(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_nmi++;
	return HV_NEXT_RESUME;
}

/* The window opened: the next entry injects, or asks for it again. */
static enum hv_next exit_vintr(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_irq_window++;
	s->x.ev.irq_window = HV_WIN_NONE;
	hv_svm_irq_window(&s->x, HV_WIN_NONE);
	return HV_NEXT_RESUME;
}

static enum hv_next exit_iret(struct hv_vcpu_svm *s)
{
	return hv_exit_nmi_window(&s->x);
}

static enum hv_next exit_cpuid(struct hv_vcpu_svm *s)
{
	return hv_exit_cpuid(&s->x);
}

static enum hv_next exit_msr(struct hv_vcpu_svm *s)
{
	return s->vmcb->exit_info1 ? hv_exit_wrmsr(&s->x) : hv_exit_rdmsr(&s->x);
}

static enum hv_next exit_hlt(struct hv_vcpu_svm *s)
{
	return hv_exit_hlt(&s->x);
}

static enum hv_next exit_vmmcall(struct hv_vcpu_svm *s)
{
	return hv_exit_hypercall(&s->x, OP_VMMCALL);
}

/* EXITINFO2 is the next RIP: given by every CPU. */
static enum hv_next exit_ioio(struct hv_vcpu_svm *s)
{
	u32 info = s->vmcb->exit_info1;

	return hv_exit_pio(&s->x, info >> 16, (info >> SVM_IOIO_SIZE_SHIFT_) & 7,
			   info & SVM_IOIO_IN, info & (SVM_IOIO_STRING | SVM_IOIO_REP),
			   s->vmcb->exit_info2);
}

static enum hv_next exit_npf(struct hv_vcpu_svm *s)
{
	u64 e = s->vmcb->exit_info1;
	u64 access = (e & BIT(1) ? HV_SLAT_F_WRITE : 0) | (e & BIT(4) ? HV_SLAT_F_EXEC : 0) |
		     (e & BIT(0) ? HV_SLAT_F_PRESENT : 0);

	return hv_exit_slat(&s->x, s->vmcb->exit_info2, access);
}

static enum hv_next exit_shutdown(struct hv_vcpu_svm *s)
{
	/* The VMCB is undefined after this: nothing of it is kept. */
	hv_svm_vcpu_reset(&s->x);
	return hv_exit_shutdown(&s->x);
}

static enum hv_next exit_db(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_exception++;
	return hv_exit_db(&s->x, s->vmcb->dr6);
}

static enum hv_next exit_ac(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_exception++;
	hv_inject_exception(&s->x, 17, true, 0, 0);
	return HV_NEXT_RESUME;
}

/* The host's handler ran already; the guest is offered no banks. */
static enum hv_next exit_mc(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_exception++;
	return HV_NEXT_RESUME;
}

static enum hv_next exit_cr(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_cr++;
	return hv_emulate(&s->x);
}

static enum hv_next exit_dr(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_dr++;
	hv_svm_drs_load(&s->x);
	return HV_NEXT_RESUME;
}

/* A spinning vCPU lets others of this CPU go first. */
static enum hv_next exit_pause(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_pause++;
	set_tsk_need_resched(current);
	return HV_NEXT_RESUME;
}

/*
 * WBINVD and INVD. Guests own no caches: memory is coherent, nothing to write back. QEMU's
 * TCG reports INVD as WBINVD.
 */
static enum hv_next exit_wbinvd(struct hv_vcpu_svm *s)
{
	u64 rip;

	s->x.core.stat.exits_other++;
	if (!hv_insn_next_rip(&s->x, OP_WBINVD, 2, &rip) ||
	    !hv_insn_next_rip(&s->x, OP_INVD, 2, &rip))
		hv_insn_retire(&s->x, rip);
	return HV_NEXT_RESUME;
}

static enum hv_next exit_xsetbv(struct hv_vcpu_svm *s)
{
	struct hv_vcpu_x86 *x = &s->x;
	u64 rip;

	x->core.stat.exits_other++;
	if (hv_insn_next_rip(x, OP_XSETBV, 3, &rip))
		return HV_NEXT_RESUME;
	if (!(x->cr4_guest & X86_CR4_OSXSAVE)) {
		hv_inject_ud(x);
		return HV_NEXT_RESUME;
	}
	if (hv_svm_cpl(x) || hv_xcr_write(x, x->gpr[HV_RCX],
					  (u32)x->gpr[HV_RAX] | x->gpr[HV_RDX] << 32)) {
		hv_inject_gp(x);
		return HV_NEXT_RESUME;
	}
	hv_insn_retire(x, rip);
	return HV_NEXT_RESUME;
}

/* Not offered by CPUID: SVM itself, MONITOR, RDPRU, INVLPGB, MCOMMIT, SKINIT. */
static enum hv_next exit_ud(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_other++;
	hv_inject_ud(&s->x);
	return HV_NEXT_RESUME;
}

static enum hv_next exit_gp(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_other++;
	hv_inject_gp(&s->x);
	return HV_NEXT_RESUME;
}

/* Task switches exist in 32-bit protected mode only; no supported guest uses them. */
static enum hv_next exit_task_switch(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_other++;
	return hv_exit_internal(&s->x, HV_INTERNAL_EMULATION, s->x.rip, s->vmcb->exit_code,
				s->vmcb->exit_info1, s->vmcb->exit_info2);
}

/* SMI and INIT belong to the host: it has taken them by now. */
static enum hv_next exit_host(struct hv_vcpu_svm *s)
{
	s->x.core.stat.exits_other++;
	return HV_NEXT_RESUME;
}

/*
 * Between the end of a CPU's SVM and the end of its work a thread may still come by: it is
 * moved elsewhere at once. While the machine reboots there is no elsewhere.
 */
static enum hv_next exit_off(void)
{
	return cpu_active(smp_processor_id()) ? HV_NEXT_STOP : HV_NEXT_RESUME;
}

static enum hv_next exit_taken(struct hv_vcpu_svm *s)
{
	hv_vm_lost(s->x.core.vm, "something else switched virtualization off on a CPU");
	return HV_NEXT_STOP;
}

typedef enum hv_next (*svm_exit_fn)(struct hv_vcpu_svm *s);

static const svm_exit_fn exits[] = {
	[SVM_EXIT_READ_CR4] = exit_cr,
	[SVM_EXIT_WRITE_CR4] = exit_cr,
	[SVM_EXIT_WRITE_CR8] = exit_cr,
	[SVM_EXIT_READ_DR0 ... SVM_EXIT_WRITE_DR7 + 8] = exit_dr,
	[SVM_EXIT_EXCP_BASE + 1] = exit_db,
	[SVM_EXIT_EXCP_BASE + 17] = exit_ac,
	[SVM_EXIT_EXCP_BASE + 18] = exit_mc,
	[SVM_EXIT_INTR] = exit_intr,
	[SVM_EXIT_NMI] = exit_nmi,
	[SVM_EXIT_SMI] = exit_host,
	[SVM_EXIT_INIT] = exit_host,
	[SVM_EXIT_VINTR] = exit_vintr,
	[SVM_EXIT_RDPMC] = exit_gp,
	[SVM_EXIT_CPUID] = exit_cpuid,
	[SVM_EXIT_RSM] = exit_ud,
	[SVM_EXIT_IRET] = exit_iret,
	[SVM_EXIT_INVD] = exit_wbinvd,
	[SVM_EXIT_PAUSE] = exit_pause,
	[SVM_EXIT_HLT] = exit_hlt,
	[SVM_EXIT_INVLPGA] = exit_ud,
	[SVM_EXIT_IOIO] = exit_ioio,
	[SVM_EXIT_MSR] = exit_msr,
	[SVM_EXIT_TASK_SWITCH] = exit_task_switch,
	[SVM_EXIT_SHUTDOWN] = exit_shutdown,
	[SVM_EXIT_VMRUN] = exit_ud,
	[SVM_EXIT_VMMCALL] = exit_vmmcall,
	[SVM_EXIT_VMLOAD] = exit_ud,
	[SVM_EXIT_VMSAVE] = exit_ud,
	[SVM_EXIT_STGI] = exit_ud,
	[SVM_EXIT_CLGI] = exit_ud,
	[SVM_EXIT_SKINIT] = exit_ud,
	[SVM_EXIT_WBINVD] = exit_wbinvd,
	[SVM_EXIT_MONITOR] = exit_ud,
	[SVM_EXIT_MWAIT] = exit_ud,
	[SVM_EXIT_XSETBV] = exit_xsetbv,
	[SVM_EXIT_RDPRU] = exit_ud,
	[0xa0 ... 0xa4] = exit_ud,	/* INVLPGB, its illegal form, INVPCID, MCOMMIT, TLBSYNC */
};

enum hv_next hv_svm_exit_handle(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);
	u64 code = s->vmcb->exit_code;

	if (code < ARRAY_SIZE(exits) && likely(exits[code]))
		return exits[code](s);
	if (code == SVM_EXIT_NPF)
		return exit_npf(s);
	if (code == HV_SVM_EXIT_OFF)
		return exit_off();
	if (code == HV_SVM_EXIT_TAKEN)
		return exit_taken(s);
	return hv_exit_internal(x, (s64)code == SVM_EXIT_ERR || (u32)code == (u32)SVM_EXIT_ERR ?
				HV_INTERNAL_ENTRY : HV_INTERNAL_UNKNOWN_EXIT, code,
				s->vmcb->exit_info1, s->vmcb->exit_info2, x->rip);
}

void hv_svm_exit_info(struct hv_vcpu_x86 *x, u64 *code, u64 *info1, u64 *info2)
{
	const struct hv_vmcb *v = to_svm(x)->vmcb;

	*code = v->exit_code;
	*info1 = v->exit_info1;
	*info2 = v->exit_info2;
}
