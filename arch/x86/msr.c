// SPDX-License-Identifier: GPL-2.0-only
/*
 * msr.c - model-specific registers: one row a range
 *
 * What no row covers is #GP, as on a CPU that lacks it. Rows are sorted by index; the
 * local APIC's and the TLFS ranges are handed on.
 */
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <hv/trace.h>
#include "x86.h"

struct msr_row {
	u32 first, last;
	enum hv_msr_result (*get)(struct hv_vcpu_x86 *x, u32 msr, u64 *val);
	enum hv_msr_result (*set)(struct hv_vcpu_x86 *x, u32 msr, u64 val);
};

static bool canonical(struct hv_vcpu_x86 *x, u64 v)
{
	unsigned int drop = hv_v(cr_get)(x, 4) & X86_CR4_LA57 ? 7 : 16;

	return (u64)((s64)(v << drop) >> drop) == v;
}

static enum hv_msr_result tsc_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = hv_tsc_read(x);
	return HV_MSR_OK;
}

static enum hv_msr_result tsc_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	hv_tsc_write(x, val);
	return HV_MSR_OK;
}

static enum hv_msr_result tsc_adjust_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = x->tsc_adjust;
	return hv_cpuid_has(to_vm_x86(x->core.vm), X86_FEATURE_TSC_ADJUST) ? HV_MSR_OK : HV_MSR_GP;
}

static enum hv_msr_result tsc_adjust_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	if (!hv_cpuid_has(to_vm_x86(x->core.vm), X86_FEATURE_TSC_ADJUST))
		return HV_MSR_GP;
	hv_tsc_adjust(x, val);
	return HV_MSR_OK;
}

static enum hv_msr_result spec_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = x->spec_ctrl;
	return hv_cpuid_spec_ctrl(to_vm_x86(x->core.vm)) ? HV_MSR_OK : HV_MSR_GP;
}

static enum hv_msr_result spec_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	u64 bits = hv_cpuid_spec_ctrl(to_vm_x86(x->core.vm));

	if (!bits || (val & ~bits))
		return HV_MSR_GP;
	x->spec_ctrl = val;
	return HV_MSR_OK;
}

static enum hv_msr_result write_only_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	return HV_MSR_GP;
}

static enum hv_msr_result pred_cmd_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	if ((val & ~PRED_CMD_IBPB) || !hv_cpuid_has(to_vm_x86(x->core.vm), X86_FEATURE_AMD_IBPB))
		return HV_MSR_GP;
	if (val && boot_cpu_has(X86_FEATURE_IBPB))
		wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
	return HV_MSR_OK;
}

static enum hv_msr_result zero_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = 0;
	return HV_MSR_OK;
}

static enum hv_msr_result ignore_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	return HV_MSR_OK;
}

static enum hv_msr_result gp_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	return HV_MSR_GP;
}

/* What a guest reads as the microcode level: high enough that nothing asks for an update. */
static enum hv_msr_result patch_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = 0x01000065;
	return HV_MSR_OK;
}

#define MTRR_VARS	8

/* Fixed ranges, write-combining supported, 8 variable ones. */
static enum hv_msr_result mtrr_cap_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = 0x500 | MTRR_VARS;
	return HV_MSR_OK;
}

static u64 *mtrr_field(struct hv_vcpu_x86 *x, u32 msr)
{
	if (msr >= 0x200 && msr < 0x200 + 2 * MTRR_VARS)
		return &x->mtrr_var[msr - 0x200];
	switch (msr) {
	case MSR_MTRRfix64K_00000:
		return &x->mtrr_fixed[0];
	case MSR_MTRRfix16K_80000:
	case MSR_MTRRfix16K_A0000:
		return &x->mtrr_fixed[1 + msr - MSR_MTRRfix16K_80000];
	case MSR_MTRRfix4K_C0000 ... MSR_MTRRfix4K_F8000:
		return &x->mtrr_fixed[3 + msr - MSR_MTRRfix4K_C0000];
	case MSR_MTRRdefType:
		return &x->mtrr_def_type;
	}
	return NULL;
}

static bool mtrr_type_ok(u8 t)
{
	return t == 0 || t == 1 || t == 4 || t == 5 || t == 6;
}

static enum hv_msr_result mtrr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	u64 *f = mtrr_field(x, msr);

	if (!f)
		return HV_MSR_GP;
	*val = *f;
	return HV_MSR_OK;
}

/* Stored for the guest's own eyes: with nested paging its PAT and the host's MTRRs decide. */
static enum hv_msr_result mtrr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	u64 *f = mtrr_field(x, msr);
	unsigned int i;

	if (!f)
		return HV_MSR_GP;
	if (msr == MSR_MTRRdefType) {
		if ((val & ~0xcffULL) || !mtrr_type_ok(val & 0xff))
			return HV_MSR_GP;
	} else if (msr >= MSR_MTRRfix64K_00000) {
		for (i = 0; i < 8; i++)
			if (!mtrr_type_ok(val >> (8 * i)))
				return HV_MSR_GP;
	} else if (val >> hv_gpa_bits()) {
		return HV_MSR_GP;
	} else if (msr & 1 ? val & 0x7ff : (val & 0xf00) || !mtrr_type_ok(val)) {
		return HV_MSR_GP;
	}
	*f = val;
	return HV_MSR_OK;
}

static enum hv_msr_result pat_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	unsigned int i;

	for (i = 0; i < 8; i++) {
		u8 t = val >> (8 * i);

		if (t > 7 || t == 2 || t == 3)
			return HV_MSR_GP;
	}
	return hv_v(msr_set)(x, msr, val) ? HV_MSR_GP : HV_MSR_OK;
}

static enum hv_msr_result vendor_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	return hv_v(msr_get)(x, msr, val) ? HV_MSR_GP : HV_MSR_OK;
}

static enum hv_msr_result vendor_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	return hv_v(msr_set)(x, msr, val) ? HV_MSR_GP : HV_MSR_OK;
}

/* Those that hold addresses. */
static enum hv_msr_result vendor_addr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	if (!canonical(x, val))
		return HV_MSR_GP;
	return vendor_set(x, msr, val);
}

static enum hv_msr_result mcg_cap_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = 0;	/* no banks */
	return HV_MSR_OK;
}

static enum hv_msr_result mcg_status_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = x->mcg_status;
	return HV_MSR_OK;
}

static enum hv_msr_result mcg_status_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	x->mcg_status = val & 7;
	return HV_MSR_OK;
}

static enum hv_msr_result efer_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = hv_v(efer_get)(x);
	return HV_MSR_OK;
}

static enum hv_msr_result efer_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	return hv_efer_write(x, val) ? HV_MSR_GP : HV_MSR_OK;
}

static enum hv_msr_result tsc_aux_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = x->tsc_aux;
	return hv_cpuid_has(to_vm_x86(x->core.vm), X86_FEATURE_RDTSCP) ? HV_MSR_OK : HV_MSR_GP;
}

static enum hv_msr_result tsc_aux_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	if (!hv_cpuid_has(to_vm_x86(x->core.vm), X86_FEATURE_RDTSCP) || val >> 32)
		return HV_MSR_GP;
	/* The CPU holds the guest's value during a section only. */
	hv_arch_section_end(&x->core);
	x->tsc_aux = val;
	return HV_MSR_OK;
}

/* Hardware configuration: a few bits guests set and expect to find again; TscFreqSel reads 1. */
#define HWCR_TSC_FREQ_SEL	(1ULL << 24)
#define HWCR_KEPT		((1ULL << 3) | (1ULL << 4) | (1ULL << 6) | (1ULL << 8) | (1ULL << 18))

static enum hv_msr_result hwcr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = x->hwcr | HWCR_TSC_FREQ_SEL;
	return HV_MSR_OK;
}

static enum hv_msr_result hwcr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	if (val & ~(HWCR_KEPT | HWCR_TSC_FREQ_SEL))
		return HV_MSR_GP;
	x->hwcr = val & HWCR_KEPT;
	return HV_MSR_OK;
}

static enum hv_msr_result de_cfg_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	*val = 2;	/* LFENCE is serializing, as the host's is made at boot */
	return HV_MSR_OK;
}

static enum hv_msr_result tlfs_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	return x->core.tlfs ? hv_tlfs_msr_get(&x->core, msr, val) : HV_MSR_GP;
}

static enum hv_msr_result tlfs_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	return x->core.tlfs ? hv_tlfs_msr_set(&x->core, msr, val) : HV_MSR_GP;
}

static const struct msr_row rows[] = {
	{ 0x10, 0x10, tsc_get, tsc_set },
	{ 0x1b, 0x1b, hv_lapic_msr_get, hv_lapic_msr_set },
	{ 0x3b, 0x3b, tsc_adjust_get, tsc_adjust_set },
	{ 0x48, 0x48, spec_get, spec_set },
	{ 0x49, 0x49, write_only_get, pred_cmd_set },
	{ 0x79, 0x79, write_only_get, ignore_set },	/* microcode update: taken, without effect */
	{ 0x8b, 0x8b, patch_get, ignore_set },
	{ 0xfe, 0xfe, mtrr_cap_get, gp_set },
	{ 0x174, 0x174, vendor_get, vendor_set },
	{ 0x175, 0x176, vendor_get, vendor_addr_set },
	{ 0x179, 0x179, mcg_cap_get, gp_set },
	{ 0x17a, 0x17a, mcg_status_get, mcg_status_set },
	{ 0x1d9, 0x1d9, zero_get, ignore_set },		/* no last-branch records are offered */
	{ 0x200, 0x20f, mtrr_get, mtrr_set },
	{ 0x250, 0x250, mtrr_get, mtrr_set },
	{ 0x258, 0x259, mtrr_get, mtrr_set },
	{ 0x268, 0x26f, mtrr_get, mtrr_set },
	{ 0x277, 0x277, vendor_get, pat_set },
	{ 0x2ff, 0x2ff, mtrr_get, mtrr_set },
	{ 0x6e0, 0x6e0, hv_lapic_msr_get, hv_lapic_msr_set },
	{ 0x800, 0x8ff, hv_lapic_msr_get, hv_lapic_msr_set },
	{ 0x40000000, 0x4000ffff, tlfs_get, tlfs_set },
	{ 0xc0000080, 0xc0000080, efer_get, efer_set },
	{ 0xc0000081, 0xc0000081, vendor_get, vendor_set },
	{ 0xc0000082, 0xc0000083, vendor_get, vendor_addr_set },
	{ 0xc0000084, 0xc0000084, vendor_get, vendor_set },
	{ 0xc0000100, 0xc0000102, vendor_get, vendor_addr_set },
	{ 0xc0000103, 0xc0000103, tsc_aux_get, tsc_aux_set },
	{ 0xc0010000, 0xc0010007, zero_get, ignore_set },	/* performance counters that stand still */
	{ 0xc0010010, 0xc0010010, zero_get, ignore_set },	/* SYSCFG */
	{ 0xc0010015, 0xc0010015, hwcr_get, hwcr_set },
	{ 0xc001001f, 0xc001001f, zero_get, ignore_set },	/* NB_CFG */
	{ 0xc0010055, 0xc0010055, zero_get, ignore_set },	/* interrupt pending message */
	{ 0xc0010140, 0xc0010141, zero_get, gp_set },		/* OSVW: no errata to work around */
	/*
	 * No row for LS_CFG: where it can be read, Zen 1 kernels take its SSBD bit for a
	 * mitigation they have, and a write that is only swallowed is none.
	 */
	{ 0xc0011022, 0xc0011022, zero_get, ignore_set },	/* DC_CFG */
	{ 0xc0011029, 0xc0011029, de_cfg_get, ignore_set },
};

static const struct msr_row *row_find(u32 msr)
{
	unsigned int lo = 0, hi = ARRAY_SIZE(rows);

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (msr < rows[mid].first)
			hi = mid;
		else if (msr > rows[mid].last)
			lo = mid + 1;
		else
			return &rows[mid];
	}
	return NULL;
}

enum hv_msr_result hv_msr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val)
{
	const struct msr_row *r = row_find(msr);
	enum hv_msr_result ret = r ? r->get(x, msr, val) : HV_MSR_GP;

	trace_hv_msr(&x->core, false, msr, ret == HV_MSR_OK ? *val : 0, ret);
	return ret;
}

enum hv_msr_result hv_msr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val)
{
	const struct msr_row *r = row_find(msr);
	enum hv_msr_result ret = r ? r->set(x, msr, val) : HV_MSR_GP;

	trace_hv_msr(&x->core, true, msr, val, ret);
	return ret;
}
