// SPDX-License-Identifier: GPL-2.0-or-later
/* lapic.c - the local APIC by MSRs if the CPU offers x2APIC, else by its page (SDM vol. 3A, ch. 11) */
#include "guest.h"

#define MSR_APIC_BASE	0x1b
#define BASE_ENABLE	(1u << 11)
#define BASE_X2APIC	(1u << 10)
#define MSR_X2APIC	0x800
#define XAPIC_PAGE	0xfee00000u

#define REG_ID		0x20
#define REG_EOI		0xb0
#define REG_SVR		0xf0
#define REG_ICR		0x300
#define REG_ICR_HIGH	0x310
#define REG_LVT_LINT0	0x350
#define REG_LVT_LINT1	0x360
#define REG_LVT_ERROR	0x370
#define LVT_MASKED	0x10000
#define SVR_ENABLE_FF	0x1ff
#define ICR_PENDING	(1u << 12)

static bool x2apic;

u32 lapic_read(u32 reg)
{
	if (x2apic)
		return (u32)rdmsr(MSR_X2APIC + (reg >> 4));
	return *(volatile u32 *)(uintptr_t)(XAPIC_PAGE + reg);
}

void lapic_write(u32 reg, u32 val)
{
	if (x2apic)
		wrmsr(MSR_X2APIC + (reg >> 4), val);
	else
		*(volatile u32 *)(uintptr_t)(XAPIC_PAGE + reg) = val;
}

u32 lapic_id(void)
{
	return x2apic ? lapic_read(REG_ID) : lapic_read(REG_ID) >> 24;
}

void lapic_eoi(void)
{
	lapic_write(REG_EOI, 0);
}

void lapic_icr(u32 dest, u32 low)
{
	if (x2apic) {
		wrmsr(MSR_X2APIC + (REG_ICR >> 4), (u64)dest << 32 | low);
		return;
	}
	while (lapic_read(REG_ICR) & ICR_PENDING)
		cpu_pause();
	lapic_write(REG_ICR_HIGH, dest << 24);
	lapic_write(REG_ICR, low);
}

void lapic_init(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | BASE_ENABLE;
	u32 out[4];

	cpuid(1, 0, out);
	wrmsr(MSR_APIC_BASE, base);
	if (out[2] >> 21 & 1) {
		x2apic = true;
		wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
	}
	lapic_write(REG_LVT_LINT0, LVT_MASKED);
	lapic_write(REG_LVT_LINT1, LVT_MASKED);
	lapic_write(REG_LVT_ERROR, LVT_MASKED);
	lapic_write(REG_SVR, SVR_ENABLE_FF);
}
