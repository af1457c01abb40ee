// SPDX-License-Identifier: GPL-2.0-only
/* msr_tlfs.c - the local APIC behind the Hyper-V MSRs (TLFS 10.2.2) */
#include <hv/tlfs.h>
#include "x86.h"

#define MSR_APIC_BASE	0x1b
#define BASE_X2APIC	(1u << 10)
#define BASE_ENABLE	(1u << 11)
#define MSR_X2APIC_ICR	0x830
#define XAPIC_ICR	0x300
#define XAPIC_ICR_HIGH	0x310

void hv_arch_apic_eoi(struct hv_vcpu *vcpu)
{
	hv_lapic_eoi(to_x86(vcpu));
}

static bool is_x2apic(struct hv_vcpu_x86 *x, u64 *base)
{
	return hv_lapic_msr_get(x, MSR_APIC_BASE, base) == HV_MSR_OK && (*base & BASE_X2APIC);
}

/* The command register has the format of the mode: the whole destination word, or its top byte. */
bool hv_arch_apic_icr_get(struct hv_vcpu *vcpu, u64 *val)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	u64 base, page, low, high;

	if (is_x2apic(x, &base))
		return hv_lapic_msr_get(x, MSR_X2APIC_ICR, val) == HV_MSR_OK;
	page = base & PAGE_MASK;
	if (!(base & BASE_ENABLE) || hv_lapic_mmio_read(x, page + XAPIC_ICR, 4, &low) ||
	    hv_lapic_mmio_read(x, page + XAPIC_ICR_HIGH, 4, &high))
		return false;
	*val = high << 32 | (u32)low;
	return true;
}

bool hv_arch_apic_icr_set(struct hv_vcpu *vcpu, u64 val)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	u64 base, page;

	if (is_x2apic(x, &base))
		return hv_lapic_msr_set(x, MSR_X2APIC_ICR, val) == HV_MSR_OK;
	page = base & PAGE_MASK;
	return (base & BASE_ENABLE) &&
		!hv_lapic_mmio_write(x, page + XAPIC_ICR_HIGH, 4, val >> 32) &&
		!hv_lapic_mmio_write(x, page + XAPIC_ICR, 4, (u32)val);
}

u8 hv_arch_apic_tpr_get(struct hv_vcpu *vcpu)
{
	return hv_lapic_tpr_get(to_x86(vcpu));
}

bool hv_arch_apic_tpr_set(struct hv_vcpu *vcpu, u64 val)
{
	if (val > 0xff)
		return false;
	hv_lapic_tpr_set(to_x86(vcpu), val);
	return true;
}
