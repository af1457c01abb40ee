// SPDX-License-Identifier: GPL-2.0-only
/*
 * lapic_msr.c - how a guest reaches its local APIC: IA32_APIC_BASE, the x2APIC MSRs, the
 * xAPIC page, and the Hyper-V MSRs for EOI, ICR and TPR (TLFS 10.2)
 */
#include "lapic.h"

#define MSR_APIC_BASE		0x1b
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_X2APIC		0x800
#define MSR_X2APIC_NR		0x100

/* ---- IA32_APIC_BASE ---- */

static u64 gpa_mask(void)
{
	return (1ULL << hv_gpa_bits()) - 1;
}

static bool has_x2apic(struct hv_vcpu_x86 *x)
{
	return !(x->core.vm->flags & HV_VM_F_NO_X2APIC);
}

static void base_apply(struct hv_lapic *l, u64 base)
{
	enum hv_apic_mode mode = hv_apic_base_mode(base);

	if (mode == HV_APIC_OFF)
		hv_lapic_timer_stop(l);
	l->base = base;
	hv_apic_set_mode(&l->apic, mode);
	hv_lapic_key_update(l);
	WRITE_ONCE(l->attention, true);
}

int hv_lapic_base_set(struct hv_vcpu_x86 *x, u64 base)
{
	struct hv_lapic *l = x->lapic;

	if (!hv_apic_base_ok(l->base, base, has_x2apic(x), gpa_mask()))
		return -EINVAL;
	/* Which processor booted is not the guest's to say. */
	base = (base & ~HV_APIC_BASE_BSP) | (l->base & HV_APIC_BASE_BSP);
	base_apply(l, base);
	return 0;
}

int hv_lapic_base_restore(struct hv_vcpu_x86 *x, u64 base)
{
	u64 from = base & HV_APIC_BASE_X2APIC ? HV_APIC_BASE_DEFAULT | HV_APIC_BASE_ENABLE : 0;

	/* Any mode can be reached in one legal step from one of these two. */
	if (!hv_apic_base_ok(from, base, has_x2apic(x), gpa_mask()))
		return -EINVAL;
	base_apply(x->lapic, base);
	return 0;
}

/* ---- registers ---- */

int hv_lapic_reg_read(struct hv_lapic *l, u32 reg, bool x2, u64 *val)
{
	enum hv_apic_act act = hv_apic_read(&l->apic, reg, x2, val);

	if (act == HV_APIC_DO_TIMER_NOW)
		*val = hv_lapic_timer_current(l);
	return act == HV_APIC_REFUSE ? -EINVAL : 0;
}

int hv_lapic_reg_write(struct hv_lapic *l, u32 reg, bool x2, u64 val)
{
	u32 old_tdcr = l->apic.tdcr, old_lvtt = l->apic.lvt[HV_APIC_LVT_TIMER];

	switch (hv_apic_write(&l->apic, reg, x2, val)) {
	case HV_APIC_REFUSE:
		return -EINVAL;
	case HV_APIC_DO_EOI:
		hv_lapic_eoi(l->vcpu);
		break;
	case HV_APIC_DO_PRIO:
		hv_lapic_prio_changed(l);
		break;
	case HV_APIC_DO_DEST:
		hv_lapic_key_update(l);
		break;
	case HV_APIC_DO_ICR:
		hv_lapic_icr_send(l);
		break;
	case HV_APIC_DO_SELF:
		hv_lapic_self(l, (u8)val);
		break;
	case HV_APIC_DO_ESR:
		l->apic.esr = (u32)xchg((unsigned long *)&l->apic.esr_pending, 0);
		break;
	case HV_APIC_DO_TIMER:
		hv_lapic_timer_count(l);
		break;
	case HV_APIC_DO_TIMER_DIV:
		hv_lapic_timer_divide(l, old_tdcr);
		break;
	case HV_APIC_DO_TIMER_MODE:
		hv_lapic_timer_mode(l, old_lvtt);
		break;
	case HV_APIC_DONE:
	case HV_APIC_DO_TIMER_NOW:
		break;
	}
	return 0;
}

/* ---- MSRs ---- */

enum hv_msr_result hv_lapic_msr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	struct hv_lapic *l = x->lapic;

	if (msr - MSR_X2APIC < MSR_X2APIC_NR) {
		if (l->apic.mode != HV_APIC_X2APIC ||
		    hv_lapic_reg_read(l, (msr - MSR_X2APIC) << 4, true, val))
			return HV_MSR_GP;
		return HV_MSR_OK;
	}
	switch (msr) {
	case MSR_APIC_BASE:
		*val = l->base;
		return HV_MSR_OK;
	case MSR_TSC_DEADLINE:
		if (!l->apic.has_deadline)
			return HV_MSR_GP;
		*val = READ_ONCE(l->tsc_deadline);
		return HV_MSR_OK;
	}
	return HV_MSR_GP;
}

enum hv_msr_result hv_lapic_msr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	struct hv_lapic *l = x->lapic;

	if (msr - MSR_X2APIC < MSR_X2APIC_NR) {
		if (unlikely(l->apic.mode != HV_APIC_X2APIC))
			return HV_MSR_GP;
		if (msr == MSR_X2APIC + HV_APIC_EOI / 16 && likely(!val)) {
			hv_lapic_eoi(x);
			return HV_MSR_OK;
		}
		return hv_lapic_reg_write(l, (msr - MSR_X2APIC) << 4, true, val) ? HV_MSR_GP :
			HV_MSR_OK;
	}
	switch (msr) {
	case MSR_APIC_BASE:
		return hv_lapic_base_set(x, val) ? HV_MSR_GP : HV_MSR_OK;
	case MSR_TSC_DEADLINE:
		if (!l->apic.has_deadline)
			return HV_MSR_GP;
		hv_lapic_timer_deadline(l, val);
		return HV_MSR_OK;
	}
	return HV_MSR_GP;
}

/* ---- the xAPIC page ---- */

static bool page_hit(struct hv_lapic *l, hv_gpa_t gpa)
{
	return l->apic.mode == HV_APIC_XAPIC && !((gpa ^ l->base) >> 12);
}

/*
 * Registers are 32 bits wide at multiples of 16 and want aligned 32-bit accesses (SDM
 * 11.4.1). Narrower reads inside one work on all CPUs we know; anything else reads as 0
 * and is dropped when written.
 */
int hv_lapic_mmio_read(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u32 len, u64 *val)
{
	struct hv_lapic *l = x->lapic;
	u32 off = gpa & 0xfff, at = off & 15;

	if (!page_hit(l, gpa))
		return -EOPNOTSUPP;
	*val = 0;
	if (at + len > 4)
		return 0;
	if (hv_lapic_reg_read(l, off & ~15u, false, val))
		hv_lapic_error(l, HV_APIC_ESR_ILLEGAL_REG);
	*val = *val >> at * 8 & ((1ULL << len * 8) - 1);
	return 0;
}

int hv_lapic_mmio_write(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u32 len, u64 val)
{
	struct hv_lapic *l = x->lapic;
	u32 off = gpa & 0xfff;

	if (!page_hit(l, gpa))
		return -EOPNOTSUPP;
	if ((off & 15) || len != 4)
		return 0;
	if (hv_lapic_reg_write(l, off, false, (u32)val))
		hv_lapic_error(l, HV_APIC_ESR_ILLEGAL_REG);
	return 0;
}

/* ---- the Hyper-V MSRs ---- */

void hv_arch_apic_eoi(struct hv_vcpu *vcpu)
{
	hv_lapic_eoi(to_x86(vcpu));
}

bool hv_arch_apic_icr_get(struct hv_vcpu *vcpu, u64 *val)
{
	struct hv_apic *a = &to_x86(vcpu)->lapic->apic;

	*val = a->icr | (u64)a->icr2 << 32;
	return a->mode != HV_APIC_OFF;
}

bool hv_arch_apic_icr_set(struct hv_vcpu *vcpu, u64 val)
{
	struct hv_lapic *l = to_x86(vcpu)->lapic;

	switch (l->apic.mode) {
	case HV_APIC_X2APIC:
		return !hv_lapic_reg_write(l, HV_APIC_ICR, true, val);
	case HV_APIC_XAPIC:
		hv_lapic_reg_write(l, HV_APIC_ICR2, false, val >> 32);
		return !hv_lapic_reg_write(l, HV_APIC_ICR, false, (u32)val);
	}
	return false;
}

u8 hv_arch_apic_tpr_get(struct hv_vcpu *vcpu)
{
	return hv_lapic_tpr_get(to_x86(vcpu));
}

bool hv_arch_apic_tpr_set(struct hv_vcpu *vcpu, u64 val)
{
	if (val > 0xff)
		return false;
	hv_lapic_tpr_set(to_x86(vcpu), (u8)val);
	return true;
}
