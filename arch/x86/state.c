// SPDX-License-Identifier: GPL-2.0-only
/*
 * state.c - the vCPU's and VM's x86 state as records (hv_x86.h)
 *
 * Get fills a record from the live state, set checks it as if the guest had written it
 * and only then takes it: a hostile record can be refused, not believed.
 */
#include <linux/slab.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <hv/hv_state.h>
#include "lapic.h"

static int get_regs(struct hv_vcpu_x86 *x, void *buf)
{
	struct hv_rec_regs *r = buf;

	memcpy(r->gpr, x->gpr, sizeof(r->gpr));
	r->rip = x->rip;
	r->rflags = x->rflags;
	return 0;
}

#define FLAGS_OK	0x3f7fd7ULL

static int set_regs(struct hv_vcpu_x86 *x, const void *buf)
{
	const struct hv_rec_regs *r = buf;

	if ((r->rflags & ~FLAGS_OK) || !(r->rflags & X86_EFLAGS_FIXED))
		return -EINVAL;
	memcpy(x->gpr, r->gpr, sizeof(x->gpr));
	x->rip = r->rip;
	x->rflags = r->rflags;
	/* User space moved the guest elsewhere: nothing of the old instruction is owed. */
	memset(&x->core.pending, 0, sizeof(x->core.pending));
	x->pio_next_rip = 0;
	return 0;
}

static int get_sregs(struct hv_vcpu_x86 *x, void *buf)
{
	struct hv_rec_sregs *r = buf;
	unsigned int i;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < HV_SEG_NR; i++)
		hv_v(seg_get)(x, i, &r->seg[i]);
	hv_v(dt_get)(x, false, &r->gdt);
	hv_v(dt_get)(x, true, &r->idt);
	r->cr0 = hv_v(cr_get)(x, 0);
	r->cr2 = hv_v(cr_get)(x, 2);
	r->cr3 = hv_v(cr_get)(x, 3);
	r->cr4 = hv_v(cr_get)(x, 4);
	r->cr8 = hv_lapic_tpr_get(x) >> 4;
	r->efer = hv_v(efer_get)(x);
	r->apic_base = hv_lapic_base(x);
	return 0;
}

#define CR3_KEEP	(1ULL << 63)	/* of a MOV to CR3: keep translations; not a bit of the register */
#define SEG_LONG	(1u << 9)	/* of hv_rec_seg.attr */
#define SEG_BIG		(1u << 10)

/*
 * Control registers must fit each other, as VMRUN wants them (APM vol. 2, 15.5.1); the order
 * in which a guest would reach them is not asked.
 */
static int sregs_check(struct hv_vcpu_x86 *x, const struct hv_rec_sregs *r)
{
	bool pg = r->cr0 & X86_CR0_PG, lme = r->efer & EFER_LME, lma = r->efer & EFER_LMA;
	u16 cs = r->seg[HV_SEG_CS].attr;

	if ((r->cr0 & ~0xe005003fULL) || (pg && !(r->cr0 & X86_CR0_PE)) ||
	    ((r->cr0 & X86_CR0_NW) && !(r->cr0 & X86_CR0_CD)))
		return -EINVAL;
	if (lma != (pg && lme) || (lma && !(r->cr4 & X86_CR4_PAE)))
		return -EINVAL;
	if ((r->cr4 & ~hv_cr4_allowed(x)) || (r->efer & ~(hv_efer_allowed(x) | EFER_LMA)))
		return -EINVAL;
	if (!lma && (r->cr4 & X86_CR4_PCIDE))
		return -EINVAL;
	if (lma && (cs & SEG_LONG) && (cs & SEG_BIG))
		return -EINVAL;
	if (r->cr8 > 15 || (r->cr3 & ~CR3_KEEP) >> hv_gpa_bits())
		return -EINVAL;
	return 0;
}

static int set_sregs(struct hv_vcpu_x86 *x, const void *buf)
{
	const struct hv_rec_sregs *r = buf;
	unsigned int i;

	if (sregs_check(x, r))
		return -EINVAL;
	if (hv_lapic_base_restore(x, r->apic_base))
		return -EINVAL;
	for (i = 0; i < HV_SEG_NR; i++)
		hv_v(seg_set)(x, i, &r->seg[i]);
	hv_v(dt_set)(x, false, &r->gdt);
	hv_v(dt_set)(x, true, &r->idt);
	hv_v(efer_set)(x, r->efer);
	hv_v(cr_set)(x, 0, r->cr0);
	hv_v(cr_set)(x, 2, r->cr2);
	hv_v(cr_set)(x, 3, r->cr3 & ~CR3_KEEP);
	hv_v(cr_set)(x, 4, r->cr4);
	hv_lapic_tpr_set(x, r->cr8 << 4);
	memset(&x->gpt, 0, sizeof(x->gpt));
	hv_vcpu_request(&x->core, HV_REQ_TLB_FLUSH);
	return 0;
}

static int get_debug(struct hv_vcpu_x86 *x, void *buf)
{
	struct hv_rec_debug *r = buf;

	memcpy(r->dr, x->dr, sizeof(r->dr));
	r->dr6 = x->dr6;
	r->dr7 = x->dr7;
	return 0;
}

static int set_debug(struct hv_vcpu_x86 *x, const void *buf)
{
	const struct hv_rec_debug *r = buf;

	if (r->dr6 >> 32 || r->dr7 >> 32)
		return -EINVAL;
	memcpy(x->dr, r->dr, sizeof(x->dr));
	x->dr6 = (r->dr6 & ~(1ULL << 12)) | 0xffff0ff0;
	hv_v(dr7_set)(x, (r->dr7 & 0xffff2fffULL) | 0x400);
	return 0;
}

static int get_events(struct hv_vcpu_x86 *x, void *buf)
{
	struct hv_rec_events *r = buf;
	struct hv_x86_events *ev = &x->ev;

	*r = (struct hv_rec_events) {
		.level = x->core.level,
		.mp_state = x->mp_state,
		.exc_pending = ev->exc_pending,
		.exc_vector = ev->exc_vector,
		.exc_has_error = ev->exc_has_error,
		.exc_error = ev->exc_error,
		.exc_payload = ev->exc_payload,
		.nmi_pending = atomic_read(&ev->nmi_pending),
		.nmi_masked = hv_nmi_masked(x),
		.int_shadow = hv_v(int_shadow_get)(x),
		.reinject = ev->reinject ? ev->reinject_type + 1 : 0,
		.reinject_vector = ev->reinject_vector,
		.reinject_error = ev->reinject_error,
		.reinject_has_error = ev->reinject_has_error,
		.started = x->core.started,
	};
	hv_lapic_latch_get(x, &r->init_pending, &r->sipi_pending, &r->sipi_vector);
	return 0;
}

/* Vector of an exception? 2 is the NMI's: VMRUN fails with it (APM vol. 2, 15.20). */
static bool is_exception(u8 vector)
{
	return vector < 32 && vector != 2;
}

static int set_events(struct hv_vcpu_x86 *x, const void *buf)
{
	const struct hv_rec_events *r = buf;
	struct hv_x86_events *ev = &x->ev;

	if (r->level || r->mp_state > HV_MP_SHUTDOWN || r->exc_pending > 1 ||
	    r->exc_vector > 31 || (r->exc_pending && !is_exception(r->exc_vector)) ||
	    r->nmi_pending > 2 || r->nmi_masked > 1 || r->int_shadow > 1 ||
	    r->reinject > HV_EV_SOFT_INT + 1 || r->reinject == 2 || r->init_pending > 1 ||
	    r->sipi_pending > 1 || r->started > 1 || memchr_inv(r->rsvd, 0, 3))
		return -EINVAL;
	if (r->reinject == HV_EV_EXCEPTION + 1 && !is_exception(r->reinject_vector))
		return -EINVAL;
	ev->exc_pending = r->exc_pending;
	ev->exc_vector = r->exc_vector;
	ev->exc_has_error = r->exc_has_error;
	ev->exc_error = r->exc_error;
	ev->exc_payload = r->exc_payload;
	atomic_set(&ev->nmi_pending, r->nmi_pending);
	ev->nmi_masked = r->nmi_masked;
	ev->nmi_iret = false;
	ev->nmi_step = false;
	ev->reinject = r->reinject;
	ev->reinject_type = r->reinject ? r->reinject - 1 : 0;
	ev->reinject_vector = r->reinject_vector;
	ev->reinject_error = r->reinject_error;
	ev->reinject_has_error = r->reinject_has_error;
	hv_v(int_shadow_set)(x, r->int_shadow);
	hv_lapic_latch_set(x, r->init_pending, r->sipi_pending, r->sipi_vector);
	x->core.started = r->started;
	WRITE_ONCE(x->mp_state, r->mp_state);
	hv_vcpu_request(&x->core, HV_REQ_EVENT);
	return 0;
}

static int get_lapic(struct hv_vcpu_x86 *x, void *buf)
{
	return hv_lapic_get_state(x, buf);
}

static int set_lapic(struct hv_vcpu_x86 *x, const void *buf)
{
	return hv_lapic_set_state(x, buf);
}

/* MSRs a moved guest must find again; what its CPU model lacks is skipped. */
static const u32 saved_msrs[] = {
	MSR_IA32_TSC_ADJUST, MSR_IA32_SPEC_CTRL,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	MSR_IA32_MCG_STATUS, MSR_IA32_CR_PAT, MSR_MTRRdefType,
	0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207,
	0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d, 0x20e, 0x20f,
	MSR_MTRRfix64K_00000, MSR_MTRRfix16K_80000, MSR_MTRRfix16K_A0000,
	MSR_MTRRfix4K_C0000, MSR_MTRRfix4K_C8000, MSR_MTRRfix4K_D0000, MSR_MTRRfix4K_D8000,
	MSR_MTRRfix4K_E0000, MSR_MTRRfix4K_E8000, MSR_MTRRfix4K_F0000, MSR_MTRRfix4K_F8000,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_TSC_AUX, MSR_K7_HWCR,
};

/* Record-only numbers above the architectural space: the delta itself, since a write of TSC moves with time. */
#define REC_MSR_TSC_DELTA	0xffff0010u

static int get_msrs(struct hv_vcpu_x86 *x, void *buf, u32 *len)
{
	struct hv_rec_msr *m = buf;
	u32 need = (ARRAY_SIZE(saved_msrs) + 1) * sizeof(*m);
	unsigned int i, n = 0;

	if (!*len) {
		*len = need;
		return 0;
	}
	if (*len < need)
		return -ENOSPC;
	memset(buf, 0, need);
	for (i = 0; i < ARRAY_SIZE(saved_msrs); i++) {
		u64 val;

		if (hv_msr_get(x, saved_msrs[i], &val) != HV_MSR_OK)
			continue;
		m[n].index = saved_msrs[i];
		m[n++].value = val;
	}
	m[n].index = REC_MSR_TSC_DELTA;
	m[n++].value = x->tsc_delta;
	*len = n * sizeof(*m);
	return 0;
}

static bool msr_settable(u32 msr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(saved_msrs); i++)
		if (saved_msrs[i] == msr)
			return true;
	return msr == REC_MSR_TSC_DELTA || msr == MSR_EFER;
}

static int set_msrs(struct hv_vcpu_x86 *x, const void *buf, u32 len)
{
	const struct hv_rec_msr *m = buf;
	unsigned int i, n = len / sizeof(*m);
	u64 delta = x->tsc_delta;
	bool have = false;

	if (!n || len % sizeof(*m))
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (m[i].rsvd || !msr_settable(m[i].index))
			return -EINVAL;
	for (i = 0; i < n; i++) {
		if (m[i].index == REC_MSR_TSC_DELTA) {
			delta = m[i].value;
			have = true;
		} else if (hv_msr_set(x, m[i].index, m[i].value) != HV_MSR_OK) {
			return -EINVAL;
		}
	}
	if (have) {
		x->tsc_delta = delta;
		hv_tsc_sync(x);
	}
	return 0;
}

static int get_xsave(struct hv_vcpu_x86 *x, void *buf, u32 *len)
{
	struct hv_rec_xsave *r = buf;
	u32 need = sizeof(*r) + x->xsave_bytes;

	if (!*len) {
		*len = need;
		return 0;
	}
	if (*len < need)
		return -ENOSPC;
	r->xcr0 = x->xcr0;
	r->bytes = x->xsave_bytes;
	r->rsvd = 0;
	memcpy(r + 1, x->xsave, x->xsave_bytes);
	hv_fpu_pkru_store(x, r + 1);
	*len = need;
	return 0;
}

static int set_xsave(struct hv_vcpu_x86 *x, const void *buf, u32 len)
{
	const struct hv_rec_xsave *r = buf;

	if (len < sizeof(*r) || r->rsvd || r->bytes != len - sizeof(*r))
		return -EINVAL;
	return hv_fpu_set(x, r->xcr0, r + 1, r->bytes);
}

static const struct {
	u32 rec, bytes;
	int (*get)(struct hv_vcpu_x86 *x, void *buf);
	int (*set)(struct hv_vcpu_x86 *x, const void *buf);
} fixed[] = {
	{ HV_REC_VCPU_REGS, sizeof(struct hv_rec_regs), get_regs, set_regs },
	{ HV_REC_VCPU_SREGS, sizeof(struct hv_rec_sregs), get_sregs, set_sregs },
	{ HV_REC_VCPU_DEBUG, sizeof(struct hv_rec_debug), get_debug, set_debug },
	{ HV_REC_VCPU_LAPIC, sizeof(struct hv_rec_lapic), get_lapic, set_lapic },
	{ HV_REC_VCPU_EVENTS, sizeof(struct hv_rec_events), get_events, set_events },
};

static const struct {
	u32 rec;
	int (*get)(struct hv_vcpu_x86 *x, void *buf, u32 *len);
	int (*set)(struct hv_vcpu_x86 *x, const void *buf, u32 len);
} sized[] = {
	{ HV_REC_VCPU_XSAVE, get_xsave, set_xsave },
	{ HV_REC_VCPU_MSRS, get_msrs, set_msrs },
};

int hv_arch_vcpu_get_state(struct hv_vcpu *vcpu, u32 rec, void *buf, u32 *len, u32 *version)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	unsigned int i;

	*version = 1;
	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (fixed[i].rec != rec)
			continue;
		if (*len && *len < fixed[i].bytes)
			return -ENOSPC;
		if (*len) {
			*len = fixed[i].bytes;
			return fixed[i].get(x, buf);
		}
		*len = fixed[i].bytes;
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(sized); i++)
		if (sized[i].rec == rec)
			return sized[i].get(x, buf, len);
	return -ENOENT;
}

int hv_arch_vcpu_set_state(struct hv_vcpu *vcpu, u32 rec, const void *buf, u32 len, u32 version)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (fixed[i].rec != rec)
			continue;
		if (version != 1)
			return -EOPNOTSUPP;
		return len == fixed[i].bytes ? fixed[i].set(x, buf) : -EINVAL;
	}
	for (i = 0; i < ARRAY_SIZE(sized); i++)
		if (sized[i].rec == rec)
			return version == 1 ? sized[i].set(x, buf, len) : -EOPNOTSUPP;
	return -ENOENT;
}

int hv_arch_vm_get_state(struct hv_vm *vm, u32 rec, u32 index, void *buf, u32 *len, u32 *version)
{
	if (index)
		return -EINVAL;
	*version = 1;
	if (rec == HV_REC_VM_CPUID)
		return hv_cpuid_get_state(to_vm_x86(vm), buf, len);
	if (rec != HV_REC_VM_IOAPIC)
		return -ENOENT;
	if (*len && *len < sizeof(struct hv_rec_ioapic))
		return -ENOSPC;
	if (*len)
		hv_ioapic_get_state(to_vm_x86(vm), buf);
	*len = sizeof(struct hv_rec_ioapic);
	return 0;
}

int hv_arch_vm_set_state(struct hv_vm *vm, u32 rec, u32 index, const void *buf, u32 len, u32 version)
{
	if (rec == HV_REC_VM_CPUID && version == 1 && !index)
		return hv_cpuid_set_state(to_vm_x86(vm), buf, len);
	if (rec != HV_REC_VM_IOAPIC)
		return rec == HV_REC_VM_CPUID ? -EOPNOTSUPP : -ENOENT;
	if (version != 1)
		return -EOPNOTSUPP;
	if (index || len != sizeof(struct hv_rec_ioapic))
		return -EINVAL;
	return hv_ioapic_set_state(to_vm_x86(vm), buf);
}
