// SPDX-License-Identifier: GPL-2.0-only
/* regs.c - checked writes of control registers, EFER and XCR0 (APM vol. 2, 3.1 and 3.2) */
#include <asm/cpufeature.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include "x86.h"

enum hv_insn_mode hv_cpu_mode(struct hv_vcpu_x86 *x)
{
	struct hv_rec_seg cs;

	if (likely(hv_v(long64)(x)))
		return HV_INSN_LONG64;
	if (!(hv_v(cr_get)(x, 0) & X86_CR0_PE) || (x->rflags & X86_EFLAGS_VM))
		return HV_INSN_REAL16;
	hv_v(seg_get)(x, HV_SEG_CS, &cs);
	return cs.attr & (1 << 10) ? HV_INSN_PROT32 : HV_INSN_PROT16;
}

const struct hv_gpt_mode *hv_gpt_mode(struct hv_vcpu_x86 *x)
{
	u64 cr0 = hv_v(cr_get)(x, 0), cr3 = hv_v(cr_get)(x, 3), cr4 = hv_v(cr_get)(x, 4);
	u64 efer = hv_v(efer_get)(x);

	if (likely(x->gpt.levels >= 4 && cr0 == x->gpt_cr0 && cr4 == x->gpt_cr4 &&
		   efer == x->gpt_efer)) {
		x->gpt.root = cr3 & HV_GPTE_ADDR;
		x->gpt.pkru = x->pkru;
	} else {
		struct hv_gpt_regs r = {
			.cr0 = cr0, .cr3 = cr3, .cr4 = cr4, .efer = efer,
			.pkru = x->pkru, .maxphyaddr = hv_gpa_bits(), .gb_pages = true,
			.pse36 = true,
		};
		unsigned int i;

		/* With nested paging the CPU reads the PDPTEs at each walk, not at MOV CR3. */
		if ((cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & EFER_LMA))
			for (i = 0; i < 4; i++)
				hv_gmem_read(&x->core, (cr3 & 0xffffffe0) + 8 * i, &r.pdpte[i], 8);
		hv_gpt_mode_init(&x->gpt, &r);
		x->gpt_cr0 = cr0;
		x->gpt_cr4 = cr4;
		x->gpt_efer = efer;
	}
	return &x->gpt;
}

static int cr0_check(struct hv_vcpu_x86 *x, u64 val)
{
	if (val & ~0xe005003fULL)
		return -EINVAL;
	if ((val & X86_CR0_PG) && !(val & X86_CR0_PE))
		return -EINVAL;
	if ((val & X86_CR0_NW) && !(val & X86_CR0_CD))
		return -EINVAL;
	return 0;
}

/* CR4 bits a guest may set, by what its CPUID offers. */
u64 hv_cr4_allowed(struct hv_vcpu_x86 *x)
{
	static const struct {
		u32 feature;
		u64 bits;
	} rows[] = {
		{ X86_FEATURE_XSAVE, X86_CR4_OSXSAVE },
		{ X86_FEATURE_PCID, X86_CR4_PCIDE },
		{ X86_FEATURE_FSGSBASE, X86_CR4_FSGSBASE },
		{ X86_FEATURE_SMEP, X86_CR4_SMEP },
		{ X86_FEATURE_SMAP, X86_CR4_SMAP },
		{ X86_FEATURE_PKU, X86_CR4_PKE },
		{ X86_FEATURE_UMIP, X86_CR4_UMIP },
		{ X86_FEATURE_LA57, X86_CR4_LA57 },
	};
	struct hv_vm_x86 *vm = to_vm_x86(x->core.vm);
	u64 v = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE | X86_CR4_PSE |
		X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE | X86_CR4_PCE | X86_CR4_OSFXSR |
		X86_CR4_OSXMMEXCPT;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (hv_cpuid_has(vm, rows[i].feature))
			v |= rows[i].bits;
	return v;
}

static int cr4_check(struct hv_vcpu_x86 *x, u64 val)
{
	u64 old = hv_v(cr_get)(x, 4);
	bool lma = hv_v(efer_get)(x) & EFER_LMA;

	if (val & ~hv_cr4_allowed(x))
		return -EINVAL;
	if (lma && !(val & X86_CR4_PAE))
		return -EINVAL;
	if (lma && ((val ^ old) & X86_CR4_LA57))
		return -EINVAL;
	if ((val & X86_CR4_PCIDE) && !(old & X86_CR4_PCIDE) &&
	    (!lma || (hv_v(cr_get)(x, 3) & 0xfff)))
		return -EINVAL;
	return 0;
}

int hv_cr_write(struct hv_vcpu_x86 *x, unsigned int cr, u64 val)
{
	u64 efer = hv_v(efer_get)(x), old;

	switch (cr) {
	case 0:
		old = hv_v(cr_get)(x, 0);
		if (cr0_check(x, val))
			return -EINVAL;
		if ((val & ~old & X86_CR0_PG) && (efer & EFER_LME)) {
			if (!(hv_v(cr_get)(x, 4) & X86_CR4_PAE))
				return -EINVAL;
			hv_v(efer_set)(x, efer | EFER_LMA);
		} else if (!(val & X86_CR0_PG) && (hv_v(cr_get)(x, 4) & X86_CR4_PCIDE)) {
			return -EINVAL;		/* PCIDs are of long mode: SDM vol. 3, 2.5 */
		} else if (!(val & X86_CR0_PG) && (efer & EFER_LMA)) {
			hv_v(efer_set)(x, efer & ~EFER_LMA);
		}
		hv_v(cr_set)(x, 0, val);
		if ((val ^ old) & (X86_CR0_PG | X86_CR0_WP))
			hv_v(tlb_flush)(x);
		return 0;
	case 3:
		if (efer & EFER_LMA) {
			bool keep = hv_v(cr_get)(x, 4) & X86_CR4_PCIDE && val >> 63;

			val &= ~(1ULL << 63);
			if (val >> hv_gpa_bits())
				return -EINVAL;
			hv_v(cr_set)(x, 3, val);
			if (!keep)
				hv_v(tlb_flush)(x);
			return 0;
		}
		hv_v(cr_set)(x, 3, val);
		hv_v(tlb_flush)(x);
		return 0;
	case 4:
		if (cr4_check(x, val))
			return -EINVAL;
		old = hv_v(cr_get)(x, 4);
		hv_v(cr_set)(x, 4, val);
		if ((val ^ old) & (X86_CR4_PGE | X86_CR4_PSE | X86_CR4_PAE | X86_CR4_PCIDE |
				   X86_CR4_SMEP | X86_CR4_SMAP | X86_CR4_LA57))
			hv_v(tlb_flush)(x);
		return 0;
	case 8:
		if (val >> 4)
			return -EINVAL;
		hv_lapic_tpr_set(x, val << 4);
		return 0;
	}
	return -EINVAL;
}

u64 hv_efer_allowed(struct hv_vcpu_x86 *x)
{
	struct hv_vm_x86 *vm = to_vm_x86(x->core.vm);
	u64 ok = EFER_SCE;

	ok |= hv_cpuid_has(vm, X86_FEATURE_LM) ? EFER_LME : 0;
	ok |= hv_cpuid_has(vm, X86_FEATURE_NX) ? EFER_NX : 0;
	ok |= hv_cpuid_has(vm, X86_FEATURE_FXSR_OPT) ? EFER_FFXSR : 0;
	return ok;
}

int hv_efer_write(struct hv_vcpu_x86 *x, u64 val)
{
	u64 old = hv_v(efer_get)(x);

	if (val & ~(hv_efer_allowed(x) | EFER_LMA))
		return -EINVAL;
	if (((val ^ old) & EFER_LME) && (hv_v(cr_get)(x, 0) & X86_CR0_PG))
		return -EINVAL;
	/* LMA is the CPU's: a write of it is ignored. */
	val = (val & ~EFER_LMA) | (old & EFER_LMA);
	hv_v(efer_set)(x, val);
	if ((val ^ old) & EFER_NX)
		hv_v(tlb_flush)(x);
	return 0;
}

int hv_xcr_write(struct hv_vcpu_x86 *x, u32 index, u64 val)
{
	if (index || !(val & 1) || (val & ~hv_fpu_xcr0_allowed()))
		return -EINVAL;
	if ((val & 4) && !(val & 2))
		return -EINVAL;
	if ((val & 0xe0) && ((val & 0xe0) != 0xe0 || !(val & 4)))
		return -EINVAL;
	x->xcr0 = val;
	return 0;
}
