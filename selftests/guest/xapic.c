// SPDX-License-Identifier: GPL-2.0-or-later
/* xapic.c - the local APIC by its page: registers, errors, priorities, base and modes */
#include "guest.h"

#define MSR_APIC_BASE	0x1b
#define BASE_ENABLE	(1ull << 11)
#define PAGE_GPA	0xfee00000ull
#define MOVED_GPA	0xfed10000ull	/* no RAM and no device there */

static volatile u8 *page = (volatile u8 *)(uintptr_t)PAGE_GPA;
static volatile u32 got[256];
static volatile u8 order[8];
static volatile u32 nr_order;

static u32 rd(u32 reg)
{
	return *(volatile u32 *)(page + reg);
}

static void wr(u32 reg, u32 val)
{
	*(volatile u32 *)(page + reg) = val;
}

/* "peer=1": KVM, which lets some things pass that the manuals do not. */
static bool strict(void)
{
	return !option("peer", 0);
}

static void on_irq(struct trap_frame *f)
{
	got[f->vector]++;
	if (nr_order < sizeof(order))
		order[nr_order++] = (u8)f->vector;
	wr(0xb0, 0);
}

static void open_irqs(void)
{
	u32 i;

	irq_enable();
	for (i = 0; i < 100; i++)	/* emulators are not always prompt */
		cpu_pause();
	irq_disable();
}

/* Lets one of a higher and one of the same class in while it is in service. */
static void on_nesting(struct trap_frame *f)
{
	wr(0x300, 0x40000 | 0x61);
	wr(0x300, 0x40000 | 0x58);
	open_irqs();
	on_irq(f);
}

static void test_registers(void)
{
	u32 version = rd(0x30), tpr_bits = strict() ? 0xff : 0xf0, i, tops = 0;

	check_eq(rd(0x20), 0, "id");
	check(((version & 0xff) & 0xf0) == 0x10, "version %x is of an integrated APIC", version);
	check((version >> 16 & 0xff) >= 4, "highest LVT entry is %u", version >> 16 & 0xff);
	wr(0xf0, 0x1ff);
	check_eq(rd(0xf0), 0x1ff, "software enable");
	wr(0x80, 0xff);
	/* KVM on SVM keeps the half of it that CR8 has. */
	check_eq(rd(0x80) & tpr_bits, tpr_bits, "TPR keeps its bits");
	check_eq(rd(0xa0) & tpr_bits, tpr_bits, "PPR follows TPR");
	wr(0x80, 0);
	wr(0xd0, 0xffffffff);
	check_eq(rd(0xd0), 0xff000000, "LDR keeps its top byte");
	wr(0xe0, 0);
	check_eq(rd(0xe0), 0x0fffffff, "DFR reads ones below its model");
	wr(0xe0, 0xffffffff);
	wr(0xd0, 0x01000000);
	for (i = 0; i < 0x80; i += 16)
		tops |= rd(0x100 + i) | rd(0x200 + i);
	check_eq(tops, 0, "nothing is pending or in service");
	wr(0x310, 0xffffffff);
	check_eq(rd(0x310) >> 24, 0xff, "ICR2 keeps its top byte");
	wr(0x310, 0);
}

static void test_lvt(void)
{
	static const u32 lvt[] = { 0x320, 0x340, 0x350, 0x360, 0x370 };
	u32 i, open = 0;

	for (i = 0; i < ARRAY_SIZE(lvt); i++) {
		wr(lvt[i], 0x10000 | 0xfe);
		check_eq(rd(lvt[i]), 0x100fe, "an LVT entry keeps its vector and mask");
	}
	wr(0x370, 0xfe);
	wr(0xf0, 0xff);
	for (i = 0; i < ARRAY_SIZE(lvt); i++)
		open += !(rd(lvt[i]) & 0x10000);
	check_eq(open, 0, "software disable masks the LVT");
	wr(0x370, 0xfe);
	check_eq(rd(0x370), 0x100fe, "and it can not be unmasked then");
	wr(0xf0, 0x1ff);
}

static void test_self_ipi(void)
{
	wr(0x300, 0x40000 | 0x50);
	check_eq(rd(0x200 + 16 * 2) >> 16 & 1, 1, "self-IPI stands in IRR");
	check_eq(rd(0x300) & 0x1000, 0, "delivery status is idle");
	open_irqs();
	check_eq(got[0x50], 1, "self-IPI is taken once");
	check_eq(rd(0x200 + 16 * 2), 0, "IRR is empty again");
	check_eq(rd(0x100 + 16 * 2), 0, "ISR is empty after EOI");
	wr(0x310, 0);
	wr(0x300, 0x50);
	open_irqs();
	check_eq(got[0x50], 2, "IPI to its own physical id");
	wr(0x310, 0x01000000);
	wr(0x300, 0x850);
	open_irqs();
	check_eq(got[0x50], 3, "IPI to its own logical id, flat");
	wr(0xe0, 0x0fffffff);
	wr(0xd0, 0x32000000);
	wr(0x310, 0x36000000);
	wr(0x300, 0x850);
	open_irqs();
	check_eq(got[0x50], 4, "IPI to its own logical id, cluster");
	wr(0x310, 0x46000000);
	wr(0x300, 0x850);
	open_irqs();
	check_eq(got[0x50], 4, "IPI to another cluster");
	wr(0xe0, 0xffffffff);
	wr(0xd0, 0x01000000);
	wr(0x310, 0xff000000);
	wr(0x300, 0x50);
	open_irqs();
	check_eq(got[0x50], 5, "broadcast reaches the sender");
	wr(0x300, 0xc0050);
	open_irqs();
	check_eq(got[0x50], 5, "all but self does not");
	wr(0x300, 0x80050);
	open_irqs();
	check_eq(got[0x50], 6, "all with self does");
}

static void test_priority(void)
{
	nr_order = 0;
	wr(0x300, 0x40000 | 0x51);
	wr(0x300, 0x40000 | 0x71);
	wr(0x300, 0x40000 | 0x61);
	open_irqs();
	check(order[0] == 0x71 && order[1] == 0x61 && order[2] == 0x51,
	      "three pending are taken from the highest down");
	wr(0x80, 0x60);
	nr_order = 0;
	wr(0x300, 0x40000 | 0x61);
	wr(0x300, 0x40000 | 0x71);
	open_irqs();
	check(nr_order == 1 && order[0] == 0x71, "TPR holds its own class back");
	wr(0x80, 0x50);
	open_irqs();
	check(nr_order == 2 && order[1] == 0x61, "lowering TPR lets it in");
	wr(0x80, 0);
	nr_order = 0;
	wr(0x300, 0x40000 | 0x59);
	open_irqs();
	check(order[0] == 0x61 && order[1] == 0x59 && order[2] == 0x58,
	      "in service: a higher class nests, the same class waits");
	check_eq(got[0x58], 1, "the one that waited came after EOI");
}

static void test_esr(void)
{
	if (!strict()) {
		check_skip("illegal vectors in ESR", "KVM does not tell of them");
		return;
	}
	wr(0x280, 0);
	wr(0x280, 0);
	check_eq(rd(0x280), 0, "ESR is clear");
	wr(0x370, 0xfe);
	wr(0x300, 0x40000 | 0x0f);
	open_irqs();
	check_eq(got[0xfe], 1, "sending vector 15 raises the error interrupt");
	check_eq(rd(0x280), 0, "ESR tells nothing before it is written");
	wr(0x280, 0);
	check_eq(rd(0x280), 0x20, "ESR has an illegal vector sent");
	wr(0x280, 0);
	check_eq(rd(0x280), 0, "and is clear after another write");
	(void)rd(0x2e0);
	open_irqs();
	wr(0x280, 0);
	check_eq(rd(0x280), 0x80, "an illegal register");
	check_eq(got[0xfe], 2, "raises it too");
	/* An error interrupt with an illegal vector is an error; it must not go on for ever. */
	wr(0x370, 0x01);
	wr(0x300, 0x40000 | 0x0f);
	wr(0x280, 0);
	check_eq(rd(0x280), 0x60, "an illegal vector for the error interrupt");
	wr(0x370, 0x100fe);
	wr(0x280, 0);
}

static void test_odd(void)
{
	/* Narrow, misaligned and wide accesses: whatever they give, the guest lives. */
	(void)*(volatile u8 *)(page + 0x30);
	(void)*(volatile u16 *)(page + 0x3f);
	(void)*(volatile u64 *)(page + 0x30);
	*(volatile u8 *)(page + 0x80) = 0x77;
	*(volatile u16 *)(page + 0x81) = 0x7777;
	check(true, "odd accesses are survived");
	wr(0x80, 0);
}

static void test_base(void)
{
	u64 base = rdmsr(MSR_APIC_BASE), back;

	check_eq(base, PAGE_GPA | BASE_ENABLE | 1 << 8, "IA32_APIC_BASE at start");
	check_eq(wrmsr_safe(MSR_APIC_BASE, base | 1), VEC_GP, "reserved bit 0 faults");
	check_eq(wrmsr_safe(MSR_APIC_BASE, base | 1ull << 62), VEC_GP, "bit 62 faults");
	check_eq(wrmsr_safe(MSR_APIC_BASE, (base & ~BASE_ENABLE) | 1 << 10), VEC_GP,
		 "x2APIC without enable faults");
	check_eq(rdmsr_safe(0x802, &back), VEC_GP, "x2APIC MSRs fault in xAPIC mode");
	check_eq(wrmsr_safe(0x80b, 0), VEC_GP, "also the EOI one");
	if (!option("peer", 0)) {
		wrmsr(MSR_APIC_BASE, MOVED_GPA | BASE_ENABLE);
		page = page_window(0, MOVED_GPA, true);
		check_eq(rd(0x30) & 0xf0, 0x10, "the page moves");
		wr(0x300, 0x40000 | 0x50);
		open_irqs();
		check_eq(got[0x50], 7, "and works there");
		wrmsr(MSR_APIC_BASE, base);
		page = (volatile u8 *)(uintptr_t)PAGE_GPA;
	} else {
		check_skip("the page moves", "not on this hypervisor");
	}
	wrmsr(MSR_APIC_BASE, PAGE_GPA);
	check_eq(rdmsr(MSR_APIC_BASE) & BASE_ENABLE, 0, "disabled");
	wrmsr(MSR_APIC_BASE, base);
	check_eq(rd(0x30) & 0xf0, 0x10, "and enabled again");
}

void main(void)
{
	u32 v;

	for (v = 0x30; v < 0x100; v++)
		irq_set((u8)v, on_irq);
	irq_set(0x59, on_nesting);
	test_registers();
	test_lvt();
	test_self_ipi();
	test_priority();
	test_esr();
	test_odd();
	test_base();
}
