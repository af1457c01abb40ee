// SPDX-License-Identifier: GPL-2.0-or-later
/* vp_assist.c - ending interrupts through the VP assist page: none is lost, none comes twice */
#include "hyperv.h"

#define VEC_LOW		0x41
#define VEC_MID		0x61
#define VEC_HIGH	0x81

/* The overlay hides all of the frame: nothing else may lie in it. */
static union {
	struct tlfs_vp_assist assist;
	u8 all[4096];
} frame __attribute__((aligned(4096)));
#define page frame.assist

static volatile u32 hits[256], skipped, written, order[8], nr_order;
static volatile u32 raise_inside;	/* vector the middle handler sends itself */

static void self_ipi(u32 vector)
{
	lapic_icr(0, 0x40000 | vector);
}

/* As Linux does it. */
static void end(void)
{
	if (__atomic_exchange_n(&page.apic_assist, 0, __ATOMIC_SEQ_CST) & TLFS_ASSIST_NO_EOI) {
		skipped++;
		return;
	}
	wrmsr(TLFS_MSR_EOI, 0);
	written++;
}

static void on_irq(struct trap_frame *f)
{
	hits[f->vector]++;
	if (f->vector == VEC_MID && raise_inside) {
		u32 v = raise_inside;

		raise_inside = 0;
		self_ipi(v);
		irq_enable();		/* a higher one comes here, a lower one must wait */
		for (v = 0; v < 1000; v++)
			cpu_pause();
		irq_disable();
		order[nr_order++] = VEC_MID;
	} else {
		order[nr_order++ & 7] = (u32)f->vector;
	}
	end();
}

static u32 in_service(void)
{
	u32 i, any = 0;

	for (i = 0; i < 8; i++)
		any |= lapic_read(0x100 + i * 0x10);
	return any;
}

static void wait_hits(u32 vector, u32 n)
{
	u64 stop = rdtsc() + LATE_MS * (tsc_hz() / 1000);

	irq_enable();
	while (hits[vector] < n && rdtsc() < stop)
		cpu_pause();
	irq_disable();
}

static void many(void)
{
	u32 i, n = 1000;

	for (i = 0; i < n; i++) {
		self_ipi(VEC_MID);
		wait_hits(VEC_MID, i + 1);
	}
	check_eq(hits[VEC_MID], n, "every interrupt arrives once");
	check_eq(in_service(), 0, "none is left in service");
	check(skipped + written == n, "each ended: %u by the page, %u by the register", skipped, written);
	if (hyperv_is_hv())
		check(skipped > n / 2, "most without an exit");
}

static void nested(u32 inner, const char *what, u32 first, u32 second)
{
	u32 was = hits[inner];

	nr_order = 0;
	raise_inside = inner;
	self_ipi(VEC_MID);
	wait_hits(inner, was + 1);
	check(hits[inner] == was + 1, "%s arrives (%u)", what, hits[inner] - was);
	check(order[0] == first && order[1] == second, "%s: in the order of priorities", what);
	check_eq(in_service(), 0, "and nothing is left in service");
}

void main(void)
{
	u32 before;

	if (!hyperv_present())
		leave(2);
	lapic_init();
	irq_set(VEC_LOW, on_irq);
	irq_set(VEC_MID, on_irq);
	irq_set(VEC_HIGH, on_irq);
	wrmsr(TLFS_MSR_VP_ASSIST, (u64)(uintptr_t)&page | TLFS_PAGE_ENABLE);
	check_eq(rdmsr(TLFS_MSR_VP_ASSIST), (u64)(uintptr_t)&page | TLFS_PAGE_ENABLE,
		 "the register keeps what it is given");
	many();
	nested(VEC_LOW, "a lower interrupt during a higher one", VEC_MID, VEC_LOW);
	nested(VEC_HIGH, "a higher interrupt during a lower one", VEC_HIGH, VEC_MID);
	wrmsr(TLFS_MSR_VP_ASSIST, 0);
	page.apic_assist = 0;
	before = skipped;
	self_ipi(VEC_MID);
	wait_hits(VEC_MID, hits[VEC_MID] + 1);
	check_eq(skipped, before, "page off: ended by the register");
	check_eq(in_service(), 0, "and ended it is");
}
