// SPDX-License-Identifier: GPL-2.0-only
/* ctl.c - the VMCB of a vCPU: creation, reset, and the registers it holds */
#include <linux/slab.h>
#include <linux/mm.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/svm.h>
#include "svm.h"

/* Always intercepted: what the module must see, and what would hurt the host. */
static const u8 intercepts[] = {
	SVM_I_INTR, SVM_I_NMI, SVM_I_SMI, SVM_I_INIT, SVM_I_RDPMC, SVM_I_CPUID, SVM_I_RSM,
	SVM_I_INVD, SVM_I_HLT, SVM_I_INVLPGA, SVM_I_IOIO, SVM_I_MSR, SVM_I_TASK_SWITCH,
	SVM_I_SHUTDOWN, SVM_I_VMRUN, SVM_I_VMMCALL, SVM_I_VMLOAD, SVM_I_VMSAVE, SVM_I_STGI,
	SVM_I_CLGI, SVM_I_SKINIT, SVM_I_WBINVD, SVM_I_MONITOR, SVM_I_MWAIT, SVM_I_XSETBV,
	SVM_I_RDPRU, SVM_I_INVLPGB, SVM_I_INVLPGB_ILLEGAL, SVM_I_MCOMMIT, SVM_I_TLBSYNC,
	SVM_I_CR4_WR,
	/* Endless delivery of these two would keep the CPU for ever; #MC is the host's. */
	SVM_I_EXC + 1, SVM_I_EXC + 17, SVM_I_EXC + 18,
};

struct hv_vcpu_x86 *hv_svm_vcpu_alloc(void)
{
	struct hv_vcpu_svm *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	return s ? &s->x : NULL;
}

void hv_svm_vcpu_free(struct hv_vcpu_x86 *x)
{
	kfree(to_svm(x));
}

int hv_svm_vcpu_create(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);

	s->vmcb = (struct hv_vmcb *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!s->vmcb)
		return -ENOMEM;
	s->vmcb_spa = virt_to_phys(s->vmcb);
	return 0;
}

void hv_svm_vcpu_release(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);
	int cpu;

	/* Another vCPU may get the same address: no CPU may still think it knows this VMCB. */
	for_each_possible_cpu(cpu)
		cmpxchg(&per_cpu(hv_svm_cpu, cpu).last, s, NULL);
	free_page((unsigned long)s->vmcb);
	s->vmcb = NULL;
}

static void control_reset(struct hv_vcpu_svm *s)
{
	struct hv_vmcb *v = s->vmcb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(intercepts); i++)
		v->intercept[intercepts[i] / 32] |= 1u << (intercepts[i] % 32);
	v->intercept[SVM_I_DR_ALL / 32] = 0xffffffff;
	if (hv_svm_feat.pause_filter) {
		v->intercept[SVM_I_PAUSE / 32] |= 1u << (SVM_I_PAUSE % 32);
		v->pause_count = 3000;
		v->pause_threshold = 128;
	}
	v->iopm = hv_svm_iopm_spa();
	v->msrpm = hv_svm_msrpm_spa();
	v->int_ctl = SVM_INT_MASKING;
	v->nested_ctl = 1;
}

void hv_svm_vcpu_reset(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);
	struct hv_vmcb *v = s->vmcb;
	u64 tsc_offset = v->tsc_offset, ncr3 = v->ncr3;

	memset(v, 0, sizeof(*v));
	control_reset(s);
	v->tsc_offset = tsc_offset;
	v->ncr3 = ncr3;
	v->efer = EFER_SVME;
	v->cr4 = X86_CR4_MCE;
	hv_svm_intercept(s, SVM_I_CR4_WR - 16, true);
	v->cr0 = X86_CR0_ET | X86_CR0_CD | X86_CR0_NW;
	v->pat = 0x0007040600070406ULL;
	v->dr6 = 0xffff0ff0;
	v->dr7 = 0x400;
	v->rflags = 2;
	hv_asid_drop(&s->asid);
	s->guest_drs = false;
}

static struct hv_vmcb_seg *vmcb_seg(struct hv_vmcb *v, unsigned int seg)
{
	static const u16 offset[HV_SEG_NR] = {
		[HV_SEG_ES] = offsetof(struct hv_vmcb, es),
		[HV_SEG_CS] = offsetof(struct hv_vmcb, cs),
		[HV_SEG_SS] = offsetof(struct hv_vmcb, ss),
		[HV_SEG_DS] = offsetof(struct hv_vmcb, ds),
		[HV_SEG_FS] = offsetof(struct hv_vmcb, fs),
		[HV_SEG_GS] = offsetof(struct hv_vmcb, gs),
		[HV_SEG_TR] = offsetof(struct hv_vmcb, tr),
		[HV_SEG_LDTR] = offsetof(struct hv_vmcb, ldtr),
	};

	return (void *)v + offset[seg];
}

void hv_svm_seg_get(struct hv_vcpu_x86 *x, unsigned int seg, struct hv_rec_seg *r)
{
	const struct hv_vmcb_seg *s = vmcb_seg(to_svm(x)->vmcb, seg);

	r->base = s->base;
	r->limit = s->limit;
	r->selector = s->selector;
	r->attr = s->attr;
}

void hv_svm_seg_set(struct hv_vcpu_x86 *x, unsigned int seg, const struct hv_rec_seg *r)
{
	struct hv_vcpu_svm *svm = to_svm(x);
	struct hv_vmcb_seg *s = vmcb_seg(svm->vmcb, seg);

	s->base = r->base;
	s->limit = r->limit;
	s->selector = r->selector;
	s->attr = r->attr & 0xfff;
	if (seg == HV_SEG_SS)	/* VMRUN takes the CPL from its own field, which follows SS */
		svm->vmcb->cpl = (r->attr >> 5) & 3;
	hv_svm_dirty(svm, SVM_C_SEG);
}

void hv_svm_dt_get(struct hv_vcpu_x86 *x, bool idt, struct hv_rec_dt *dt)
{
	const struct hv_vmcb *v = to_svm(x)->vmcb;

	dt->base = idt ? v->idtr.base : v->gdtr.base;
	dt->limit = idt ? v->idtr.limit : v->gdtr.limit;
	dt->rsvd = 0;
}

void hv_svm_dt_set(struct hv_vcpu_x86 *x, bool idt, const struct hv_rec_dt *dt)
{
	struct hv_vcpu_svm *s = to_svm(x);
	struct hv_vmcb_seg *d = idt ? &s->vmcb->idtr : &s->vmcb->gdtr;

	d->base = dt->base;
	d->limit = dt->limit & 0xffff;
	hv_svm_dirty(s, SVM_C_DT);
}

u64 hv_svm_cr_get(struct hv_vcpu_x86 *x, unsigned int cr)
{
	const struct hv_vmcb *v = to_svm(x)->vmcb;

	switch (cr) {
	case 0:
		return v->cr0;
	case 2:
		return v->cr2;
	case 3:
		return v->cr3;
	default:
		return (v->cr4 & ~X86_CR4_MCE) | (x->cr4_guest & X86_CR4_MCE);
	}
}

/*
 * The hardware's CR4.MCE is always set, or a machine check would shut the guest down
 * instead of reaching the host; reads are intercepted while the guest has it clear.
 */
void hv_svm_cr_set(struct hv_vcpu_x86 *x, unsigned int cr, u64 val)
{
	struct hv_vcpu_svm *s = to_svm(x);

	switch (cr) {
	case 0:
		s->vmcb->cr0 = val | X86_CR0_ET;
		break;
	case 2:
		s->vmcb->cr2 = val;
		hv_svm_dirty(s, SVM_C_CR2);
		return;
	case 3:
		s->vmcb->cr3 = val;
		break;
	default:
		x->cr4_guest = val;
		s->vmcb->cr4 = val | X86_CR4_MCE;
		hv_svm_intercept(s, SVM_I_CR4_WR - 16, !(val & X86_CR4_MCE));
		break;
	}
	hv_svm_dirty(s, SVM_C_CR);
}

u64 hv_svm_efer_get(struct hv_vcpu_x86 *x)
{
	return to_svm(x)->vmcb->efer & ~EFER_SVME;
}

void hv_svm_efer_set(struct hv_vcpu_x86 *x, u64 val)
{
	struct hv_vcpu_svm *s = to_svm(x);

	s->vmcb->efer = val | EFER_SVME;
	hv_svm_dirty(s, SVM_C_CR);
}

void hv_svm_dr7_set(struct hv_vcpu_x86 *x, u64 val)
{
	struct hv_vcpu_svm *s = to_svm(x);

	x->dr7 = val;
	s->vmcb->dr7 = val;
	s->vmcb->dr6 = x->dr6;
	hv_svm_dirty(s, SVM_C_DR);
	if (val & 0xff)		/* breakpoints of a restored state: DR0-3 go into the CPU */
		hv_svm_drs_load(x);
}

/* MSRs that live in the VMCB. */
static u64 *vmcb_msr(struct hv_vmcb *v, u32 msr)
{
	switch (msr) {
	case MSR_STAR:			return &v->star;
	case MSR_LSTAR:			return &v->lstar;
	case MSR_CSTAR:			return &v->cstar;
	case MSR_SYSCALL_MASK:		return &v->sfmask;
	case MSR_FS_BASE:		return &v->fs.base;
	case MSR_GS_BASE:		return &v->gs.base;
	case MSR_KERNEL_GS_BASE:	return &v->kernel_gs_base;
	case MSR_IA32_SYSENTER_CS:	return &v->sysenter_cs;
	case MSR_IA32_SYSENTER_ESP:	return &v->sysenter_esp;
	case MSR_IA32_SYSENTER_EIP:	return &v->sysenter_eip;
	case MSR_IA32_CR_PAT:		return &v->pat;
	case MSR_IA32_DEBUGCTLMSR:	return &v->dbgctl;
	}
	return NULL;
}

int hv_svm_msr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	u64 *f = vmcb_msr(to_svm(x)->vmcb, msr);

	if (!f)
		return -ENOENT;
	*val = *f;
	return 0;
}

int hv_svm_msr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	struct hv_vcpu_svm *s = to_svm(x);
	u64 *f = vmcb_msr(s->vmcb, msr);

	if (!f)
		return -ENOENT;
	*f = val;
	if (msr == MSR_IA32_CR_PAT)
		hv_svm_dirty(s, SVM_C_NPT);
	else if (msr == MSR_FS_BASE || msr == MSR_GS_BASE)
		hv_svm_dirty(s, SVM_C_SEG);
	else if (msr == MSR_IA32_DEBUGCTLMSR)
		hv_svm_dirty(s, SVM_C_LBR);
	return 0;
}

bool hv_svm_long64(struct hv_vcpu_x86 *x)
{
	const struct hv_vmcb *v = to_svm(x)->vmcb;

	return (v->efer & EFER_LMA) && (v->cs.attr & (1 << 9));
}

unsigned int hv_svm_cpl(struct hv_vcpu_x86 *x)
{
	return to_svm(x)->vmcb->cpl;
}

u32 hv_svm_int_shadow_get(struct hv_vcpu_x86 *x)
{
	return to_svm(x)->vmcb->int_state & 1;
}

void hv_svm_int_shadow_set(struct hv_vcpu_x86 *x, u32 on)
{
	struct hv_vmcb *v = to_svm(x)->vmcb;

	v->int_state = (v->int_state & ~1ULL) | (on ? 1 : 0);
}

void hv_svm_tsc_offset_set(struct hv_vcpu_x86 *x, u64 offset)
{
	struct hv_vcpu_svm *s = to_svm(x);

	s->vmcb->tsc_offset = offset;
	hv_svm_dirty(s, SVM_C_INTERCEPTS);	/* the bit that covers the TSC offset too */
}

void hv_svm_root_set(struct hv_vcpu_x86 *x, struct hv_mmu_root *root)
{
	struct hv_vcpu_svm *s = to_svm(x);

	s->vmcb->ncr3 = hv_mmu_root_spa(root);
	hv_svm_dirty(s, SVM_C_NPT);
	/* An ASID belongs to (vCPU, root). */
	hv_asid_drop(&s->asid);
}

u64 hv_svm_next_rip(struct hv_vcpu_x86 *x)
{
	return hv_svm_feat.nrips ? to_svm(x)->vmcb->next_rip : 0;
}

unsigned int hv_svm_insn_bytes(struct hv_vcpu_x86 *x, u8 *buf)
{
	const struct hv_vmcb *v = to_svm(x)->vmcb;
	unsigned int n = hv_svm_feat.decode_assist ? min_t(u8, v->insn_len & 15, 15) : 0;

	memcpy(buf, v->insn_bytes, n);
	return n;
}
