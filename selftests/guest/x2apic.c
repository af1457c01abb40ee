// SPDX-License-Identifier: GPL-2.0-or-later
/* x2apic.c - the local APIC by MSRs: which accesses fault, modes, self-IPI, EOI, TPR and CR8 */
#include "guest.h"

#define MSR_APIC_BASE	0x1b
#define BASE_X2APIC	(1ull << 10)
#define BASE_ENABLE	(1ull << 11)
#define X2(reg)		(0x800u + ((reg) >> 4))

static volatile u32 got[256];

static void on_irq(struct trap_frame *f)
{
	got[f->vector]++;
	wrmsr(X2(0xb0), 0);
}

static void open_irqs(void)
{
	u32 i;

	irq_enable();
	for (i = 0; i < 100; i++)	/* emulators are not always prompt */
		cpu_pause();
	irq_disable();
}

/* ESR is left out: KVM lets any value be written to it. */
static void test_faults(void)
{
	static const struct { u32 reg; u64 val; } bad[] = {
		{ 0x20, 0 }, { 0x30, 0 }, { 0x90, 0 }, { 0xa0, 0 }, { 0xc0, 0 }, { 0xd0, 0 }, { 0xe0, 0 }, { 0x100, 0 }, { 0x180, 0 }, { 0x270, 0 },
		{ 0x310, 0 }, { 0x390, 0 }, { 0x3f0, 0x100 }, { 0x290, 0 }, { 0x2e0, 0 }, { 0xff0, 0 },
		{ 0x80, 1ull << 32 },
	};
	static const u32 no_read[] = { 0x00, 0x10, 0x40, 0x90, 0xb0, 0xc0, 0xe0, 0x310, 0x3f0, 0xff0 };
	u64 val;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		check(wrmsr_safe(X2(bad[i].reg), bad[i].val) == VEC_GP,
		      "write of 0x%llx to register 0x%x faults", bad[i].val, bad[i].reg);
	for (i = 0; i < ARRAY_SIZE(no_read); i++)
		check(rdmsr_safe(X2(no_read[i]), &val) == VEC_GP, "read of register 0x%x faults",
		      no_read[i]);
	check_eq(wrmsr_safe(X2(0x280), 0), NO_FAULT, "0 may be written to ESR");
}

static void test_reserved(void)
{
	if (option("peer", 0)) {
		check_skip("reserved bits of SVR, LVT, ICR and TDCR fault", "this hypervisor is lenient");
		return;
	}
	check_eq(wrmsr_safe(X2(0x80), 0x100), VEC_GP, "TPR bit 8");
	check_eq(wrmsr_safe(X2(0xb0), 1), VEC_GP, "a bit written to EOI");
	check_eq(wrmsr_safe(X2(0xf0), 0x11ff), VEC_GP, "EOI suppression is not offered: SVR bit 12");
	check_eq(wrmsr_safe(X2(0x320), 0x800ff), VEC_GP, "LVT timer bit 19");
	check_eq(wrmsr_safe(X2(0x370), 0x400), VEC_GP, "delivery mode of the error LVT");
	check_eq(wrmsr_safe(X2(0x3e0), 4), VEC_GP, "divider bit 2");
	check_eq(wrmsr_safe(X2(0x300), 0x2000), VEC_GP, "ICR bit 13");
	check_eq(wrmsr_safe(X2(0x300), 0x100000), VEC_GP, "ICR bit 20");
	check_eq(wrmsr_safe(X2(0x280), 0x80), VEC_GP, "a bit written to ESR");
}

static void test_self_ipi(void)
{
	u64 icr = 0xfull << 32 | 0x51;

	wrmsr(X2(0x3f0), 0x50);
	check_eq(rdmsr(X2(0x220)) >> 16 & 1, 1, "self-IPI stands in IRR");
	open_irqs();
	check_eq(got[0x50], 1, "self-IPI register");
	wrmsr(X2(0x300), 0x40050);
	open_irqs();
	check_eq(got[0x50], 2, "self shorthand");
	wrmsr(X2(0x300), 0x50);
	open_irqs();
	check_eq(got[0x50], 3, "physical id 0");
	wrmsr(X2(0x300), 1ull << 32 | 0x850);
	open_irqs();
	check_eq(got[0x50], 4, "logical cluster 0, bit 0");
	wrmsr(X2(0x300), 0x10001ull << 32 | 0x850);
	wrmsr(X2(0x300), 0xffull << 32 | 0x50);
	open_irqs();
	check_eq(got[0x50], 4, "logical cluster 1 and physical id 255 are somebody else");
	wrmsr(X2(0x300), 0xffffffffull << 32 | 0x50);
	open_irqs();
	check_eq(got[0x50], 5, "physical broadcast");
	wrmsr(X2(0x300), icr);
	check_eq(rdmsr(X2(0x300)), icr, "ICR reads as 64 bits");
	check_eq(rdmsr(X2(0xd0)), 1, "LDR of id 0");
}

static u64 read_cr8(void)
{
	u64 v;

	__asm__ volatile("movq %%cr8, %0" : "=r"(v));
	return v;
}

static void write_cr8(u64 v)
{
	__asm__ volatile("movq %0, %%cr8" : : "r"(v) : "memory");
}

static void test_tpr(void)
{
	write_cr8(5);
	check_eq(rdmsr(X2(0x80)), 0x50, "CR8 is the high half of TPR");
	wrmsr(X2(0x80), 0x73);
	check_eq(read_cr8(), 7, "and the other way round");
	wrmsr(X2(0x3f0), 0x6f);
	open_irqs();
	check_eq(got[0x6f], 0, "TPR 0x73 holds 0x6f back");
	write_cr8(5);
	open_irqs();
	check_eq(got[0x6f], 1, "CR8 5 lets it in");
	write_cr8(15);
	wrmsr(X2(0x3f0), 0xff);
	open_irqs();
	check_eq(got[0xff], 0, "CR8 15 holds everything");
	write_cr8(0);
	open_irqs();
	check_eq(got[0xff], 1, "until it is lowered");
}

static void test_modes(void)
{
	u64 base = rdmsr(MSR_APIC_BASE), val;

	check_eq(wrmsr_safe(MSR_APIC_BASE, base & ~BASE_X2APIC), VEC_GP, "back to xAPIC faults");
	check_eq(wrmsr_safe(MSR_APIC_BASE, base & ~(BASE_X2APIC | BASE_ENABLE)), NO_FAULT,
		 "to disabled does not");
	check_eq(rdmsr_safe(X2(0x20), &val), VEC_GP, "disabled: MSRs fault");
	check_eq(wrmsr_safe(MSR_APIC_BASE, base), VEC_GP, "disabled to x2APIC faults");
	check_eq(wrmsr_safe(MSR_APIC_BASE, base & ~BASE_X2APIC), NO_FAULT, "disabled to xAPIC");
	check_eq(wrmsr_safe(MSR_APIC_BASE, base), NO_FAULT, "xAPIC to x2APIC");
	wrmsr(X2(0xf0), 0x1ff);
	wrmsr(X2(0x3f0), 0x50);
	open_irqs();
	check_eq(got[0x50], 6, "and it works again");
}

void main(void)
{
	u32 out[4], v;

	cpuid(1, 0, out);
	if (!(out[2] >> 21 & 1)) {
		check_skip("x2APIC", "CPUID does not offer it");
		return;
	}
	for (v = 0x30; v < 0x100; v++)
		irq_set((u8)v, on_irq);
	lapic_init();
	test_faults();
	test_reserved();
	test_self_ipi();
	test_tpr();
	test_modes();
}
