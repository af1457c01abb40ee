// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlfs_msr.c - the synthetic MSRs: the table of all, and those of the partition
 *
 * Nothing but hypercalls is gated on the guest OS id: Linux uses clock, VP index, VP
 * assist page and timers long before it writes one.
 */
#include <linux/nospec.h>
#include <hv/arch.h>
#include <hv/core.h>
#include <hv/tlfs.h>
#include "reftime.h"
#include "tlfs_page.h"
#include "vp_assist.h"
#include "vsynic.h"

/* ---- identity and hypercall page ---- */

static enum hv_msr_result os_id_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = READ_ONCE(vcpu->vm->tlfs->guest_os_id);
	return HV_MSR_OK;
}

static enum hv_msr_result hypercall_place_locked(struct hv_vcpu *vcpu, u64 val)
{
	struct hv_tlfs_vm *t = vcpu->vm->tlfs;
	enum hv_msr_result res;
	void *page;

	res = hv_tlfs_page_place(vcpu, HV_OVERLAY_HYPERCALL, t->hypercall, val, &page);
	if (res == HV_MSR_OK)
		t->hypercall = val;
	return res;
}

/* Without an identity there are no hypercalls, and no page (kexec writes 0). */
static enum hv_msr_result os_id_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_tlfs_vm *t = vcpu->vm->tlfs;
	enum hv_msr_result res = HV_MSR_OK;

	hv_arch_section_end(vcpu);
	mutex_lock(&t->lock);
	if (!val && (t->hypercall & TLFS_PAGE_ENABLE))
		res = hypercall_place_locked(vcpu, t->hypercall & ~TLFS_PAGE_ENABLE);
	if (res == HV_MSR_OK)
		WRITE_ONCE(t->guest_os_id, val);
	mutex_unlock(&t->lock);
	return res;
}

static enum hv_msr_result hypercall_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = READ_ONCE(vcpu->vm->tlfs->hypercall);
	return HV_MSR_OK;
}

static enum hv_msr_result hypercall_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_tlfs_vm *t = vcpu->vm->tlfs;
	enum hv_msr_result res = HV_MSR_OK;

	hv_arch_section_end(vcpu);
	mutex_lock(&t->lock);
	if (!t->guest_os_id)
		val &= ~TLFS_PAGE_ENABLE;
	if (!(t->hypercall & TLFS_HYPERCALL_LOCKED))	/* until the next reset */
		res = hypercall_place_locked(vcpu, val);
	mutex_unlock(&t->lock);
	return res;
}

static enum hv_msr_result vp_index_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = vcpu->index;
	return HV_MSR_OK;
}

/* ---- time ---- */

static enum hv_msr_result ref_count_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = hv_reftime_now(vcpu->vm);
	return HV_MSR_OK;
}

static enum hv_msr_result ref_tsc_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = READ_ONCE(vcpu->vm->tlfs->reference_tsc);
	return HV_MSR_OK;
}

static enum hv_msr_result ref_tsc_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_tlfs_vm *t = vcpu->vm->tlfs;
	enum hv_msr_result res;
	void *page;

	hv_arch_section_end(vcpu);
	mutex_lock(&t->lock);
	res = hv_tlfs_page_place(vcpu, HV_OVERLAY_REFTSC, t->reference_tsc, val, &page);
	if (res == HV_MSR_OK) {
		t->reference_tsc = val;
		hv_reftime_page_update_locked(vcpu->vm);
	}
	mutex_unlock(&t->lock);
	return res;
}

/* Row of TSC (0) and APIC timer (1). */
static enum hv_msr_result frequency_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = index ? HV_ARCH_APIC_HZ : hv_arch_tsc_khz(vcpu->vm) * 1000ULL;
	return HV_MSR_OK;
}

static enum hv_msr_result invariant_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	struct hv_tlfs_vm *t = vcpu->vm->tlfs;

	*val = READ_ONCE(t->tsc_invariant);
	return t->tsc_invariant_ok ? HV_MSR_OK : HV_MSR_GP;
}

static enum hv_msr_result invariant_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_tlfs_vm *t = vcpu->vm->tlfs;

	if (!t->tsc_invariant_ok || (val & ~TLFS_TSC_INVARIANT_EXPOSE))
		return HV_MSR_GP;
	WRITE_ONCE(t->tsc_invariant, val);
	return HV_MSR_OK;
}

/* ---- local APIC ---- */

static enum hv_msr_result eoi_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	hv_arch_apic_eoi(vcpu);
	return HV_MSR_OK;
}

static enum hv_msr_result icr_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	return hv_arch_apic_icr_get(vcpu, val) ? HV_MSR_OK : HV_MSR_GP;
}

static enum hv_msr_result icr_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	return hv_arch_apic_icr_set(vcpu, val) ? HV_MSR_OK : HV_MSR_GP;
}

static enum hv_msr_result tpr_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = hv_arch_apic_tpr_get(vcpu);
	return HV_MSR_OK;
}

static enum hv_msr_result tpr_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	return hv_arch_apic_tpr_set(vcpu, val) ? HV_MSR_OK : HV_MSR_GP;
}

/* ---- guest crash ---- */

static enum hv_msr_result crash_param_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = READ_ONCE(vcpu->vm->tlfs->crash_p[index]);
	return HV_MSR_OK;
}

static enum hv_msr_result crash_param_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	WRITE_ONCE(vcpu->vm->tlfs->crash_p[index], val);
	return HV_MSR_OK;
}

/* What we support, whatever was written. */
static enum hv_msr_result crash_ctl_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = TLFS_CRASH_CTL_NOTIFY | TLFS_CRASH_CTL_MESSAGE;
	return HV_MSR_OK;
}

/*
 * The guest has crashed: told once until the next reset. The text is the guest's to reuse
 * when we return, so user space copies it out during this exit.
 */
static enum hv_msr_result crash_ctl_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_tlfs_vm *t = vcpu->vm->tlfs;
	struct hv_run *run = vcpu->run;
	u32 i;

	if (!(val & TLFS_CRASH_CTL_NOTIFY))
		return HV_MSR_OK;
	if (cmpxchg(&t->crash_ctl, 0, val))
		return HV_MSR_OK;
	run->crash.ctl = val;
	for (i = 0; i < TLFS_CRASH_PARAMS; i++)
		run->crash.p[i] = READ_ONCE(t->crash_p[i]);
	WRITE_ONCE(run->exit_kind, HV_EXIT_CRASH);
	hv_event(vcpu->vm, vcpu, HV_EVENT_VM_CRASHED, "guest wrote its crash registers");
	return HV_MSR_USER;
}

/* ---- the table ---- */

/* A row without a getter or setter refuses that direction with #GP. */
static const struct tlfs_msr_row {
	u32 first;
	enum hv_msr_result (*get)(struct hv_vcpu *vcpu, u32 index, u64 *val);
	enum hv_msr_result (*set)(struct hv_vcpu *vcpu, u32 index, u64 val);
} rows[] = {
	{ 0, NULL, NULL },	/* numbers without an MSR */
#define R_OS_ID		1
	{ TLFS_MSR_GUEST_OS_ID, os_id_get, os_id_set },
#define R_HYPERCALL	2
	{ TLFS_MSR_HYPERCALL, hypercall_get, hypercall_set },
#define R_VP_INDEX	3
	{ TLFS_MSR_VP_INDEX, vp_index_get, NULL },
#define R_REF_COUNT	4
	{ TLFS_MSR_TIME_REF_COUNT, ref_count_get, NULL },
#define R_REF_TSC	5
	{ TLFS_MSR_REFERENCE_TSC, ref_tsc_get, ref_tsc_set },
#define R_FREQUENCY	6
	{ TLFS_MSR_TSC_FREQUENCY, frequency_get, NULL },
#define R_EOI		7
	{ TLFS_MSR_EOI, NULL, eoi_set },
#define R_ICR		8
	{ TLFS_MSR_ICR, icr_get, icr_set },
#define R_TPR		9
	{ TLFS_MSR_TPR, tpr_get, tpr_set },
#define R_VP_ASSIST	10
	{ TLFS_MSR_VP_ASSIST, hv_vp_assist_get, hv_vp_assist_set },
#define R_SCONTROL	11
	{ TLFS_MSR_SCONTROL, hv_vsynic_scontrol_get, hv_vsynic_scontrol_set },
#define R_SVERSION	12
	{ TLFS_MSR_SVERSION, hv_vsynic_sversion_get, NULL },
#define R_PAGES		13
	{ TLFS_MSR_SIEFP, hv_vsynic_page_get, hv_vsynic_page_set },
#define R_EOM		14
	{ TLFS_MSR_EOM, hv_vsynic_eom_get, hv_vsynic_eom_set },
#define R_SINT		15
	{ TLFS_MSR_SINT0, hv_vsynic_sint_get, hv_vsynic_sint_set },
#define R_STIMER	16
	{ TLFS_MSR_STIMER0_CONFIG, hv_vstimer_get, hv_vstimer_set },
#define R_CRASH_P	17
	{ TLFS_MSR_CRASH_P0, crash_param_get, crash_param_set },
#define R_CRASH_CTL	18
	{ TLFS_MSR_CRASH_CTL, crash_ctl_get, crash_ctl_set },
#define R_INVARIANT	19
	{ TLFS_MSR_TSC_INVARIANT, invariant_get, invariant_set },
};

#define AT(msr)		[(msr) - TLFS_MSR_FIRST]
#define RANGE(a, b)	[(a) - TLFS_MSR_FIRST ... (b) - TLFS_MSR_FIRST]

static const u8 row_of[TLFS_MSR_LAST - TLFS_MSR_FIRST + 1] = {
	AT(TLFS_MSR_GUEST_OS_ID) = R_OS_ID,
	AT(TLFS_MSR_HYPERCALL) = R_HYPERCALL,
	AT(TLFS_MSR_VP_INDEX) = R_VP_INDEX,
	AT(TLFS_MSR_TIME_REF_COUNT) = R_REF_COUNT,
	AT(TLFS_MSR_REFERENCE_TSC) = R_REF_TSC,
	RANGE(TLFS_MSR_TSC_FREQUENCY, TLFS_MSR_APIC_FREQUENCY) = R_FREQUENCY,
	AT(TLFS_MSR_EOI) = R_EOI,
	AT(TLFS_MSR_ICR) = R_ICR,
	AT(TLFS_MSR_TPR) = R_TPR,
	AT(TLFS_MSR_VP_ASSIST) = R_VP_ASSIST,
	AT(TLFS_MSR_SCONTROL) = R_SCONTROL,
	AT(TLFS_MSR_SVERSION) = R_SVERSION,
	RANGE(TLFS_MSR_SIEFP, TLFS_MSR_SIMP) = R_PAGES,
	AT(TLFS_MSR_EOM) = R_EOM,
	RANGE(TLFS_MSR_SINT0, TLFS_MSR_SINT0 + TLFS_SINTS - 1) = R_SINT,
	RANGE(TLFS_MSR_STIMER0_CONFIG, TLFS_MSR_STIMER3_COUNT) = R_STIMER,
	RANGE(TLFS_MSR_CRASH_P0, TLFS_MSR_CRASH_P4) = R_CRASH_P,
	AT(TLFS_MSR_CRASH_CTL) = R_CRASH_CTL,
	AT(TLFS_MSR_TSC_INVARIANT) = R_INVARIANT,
};

static const struct tlfs_msr_row *row_find(struct hv_vcpu *vcpu, u32 msr)
{
	u32 n = msr - TLFS_MSR_FIRST;

	if (!vcpu->tlfs || n >= ARRAY_SIZE(row_of))
		return &rows[0];
	return &rows[row_of[array_index_nospec(n, ARRAY_SIZE(row_of))]];
}

enum hv_msr_result hv_tlfs_msr_get(struct hv_vcpu *vcpu, u32 msr, u64 *val)
{
	const struct tlfs_msr_row *row = row_find(vcpu, msr);

	return row->get ? row->get(vcpu, msr - row->first, val) : HV_MSR_GP;
}

enum hv_msr_result hv_tlfs_msr_set(struct hv_vcpu *vcpu, u32 msr, u64 val)
{
	const struct tlfs_msr_row *row = row_find(vcpu, msr);

	return row->set ? row->set(vcpu, msr - row->first, val) : HV_MSR_GP;
}
