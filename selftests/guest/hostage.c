// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostage.c - a guest that tries to keep the host's CPU for itself; it never ends. "way=":
 * 1 spins with interrupts off; 2 has each #DB followed by the next before its handler executes
 * anything (there is a breakpoint on it); 3 has all its timers run with the shortest period and
 * takes each interrupt; 4 the same, and takes none.
 *
 * A watched address where the frame of #DB is pushed would be worse: there a real processor
 * never gets to an end by itself. QEMU's TCG (7.2) dies of that by an assertion of its own.
 */
#include "boot.h"
#include "hyperv.h"

enum { WAY_CLI = 1, WAY_DB, WAY_TIMERS, WAY_TIMERS_CLI };

#define VEC		0x70
#define LVT_TIMER	0x320
#define LVT_PERIODIC	0x20000u
#define TMICT		0x380
#define TDCR		0x3e0
#define TSS_BYTES	104
#define TSS_IST1	36
#define DR7_EXEC	(0x400u | 1)	/* DR0: execution */

struct table {
	u16 limit;
	u64 base;
} __attribute__((packed));

static u8 tss[TSS_BYTES] __attribute__((aligned(16)));
static u8 ist[4096] __attribute__((aligned(16)));
static u64 gdt[16];

static void ignore(struct trap_frame *f)
{
	(void)f;
}

static void on_irq(struct trap_frame *f)
{
	(void)f;
	lapic_eoi();
}

/* Vector 1 gets a stack of its own, so the frames do not use one up. */
static void debug_for_ever(void)
{
	u64 top = (u64)(uintptr_t)(ist + sizeof(ist)), base = (u64)(uintptr_t)tss;
	struct table t;
	u32 n;

	memcpy(tss + TSS_IST1, &top, sizeof(top));
	__asm__ volatile("sgdt %0" : "=m"(t));
	n = (t.limit + 1u) / 8;
	memcpy(gdt, (void *)(uintptr_t)t.base, t.limit + 1u);
	gdt[n] = (TSS_BYTES - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
		 (base >> 24 & 0xff) << 56;
	gdt[n + 1] = base >> 32;
	t.base = (u64)(uintptr_t)gdt;
	t.limit += 16;
	__asm__ volatile("lgdt %0\n\tltr %w1" : : "m"(t), "r"(n * 8));
	__asm__ volatile("sidt %0" : "=m"(t));
	((u8 *)(uintptr_t)t.base)[16 * VEC_DB + 4] = 1;
	__asm__ volatile("movq %0, %%dr0\n\tmovq %1, %%dr7"
			 : : "r"(trap_entries + 16 * VEC_DB), "r"((u64)DR7_EXEC) : "memory");
	for (;;)	/* a single step begins it */
		__asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop" : : : "memory", "cc");
}

static void timers(void)
{
	u32 i;

	hyperv_enable();
	lapic_init();
	for (i = 0; i < TLFS_STIMERS; i++) {
		irq_set((u8)(VEC + i), on_irq);
		wrmsr(TLFS_MSR_STIMER0_CONFIG + 2 * i,
		      TLFS_STIMER_DIRECT | TLFS_STIMER_PERIODIC | TLFS_STIMER_AUTO_ENABLE |
		      (u64)(VEC + i) << TLFS_STIMER_VECTOR_SHIFT);
		wrmsr(TLFS_MSR_STIMER0_CONFIG + 2 * i + 1, 1);
	}
	irq_set(VEC + TLFS_STIMERS, on_irq);
	lapic_write(TDCR, 0xb);
	lapic_write(LVT_TIMER, LVT_PERIODIC | (VEC + TLFS_STIMERS));
	lapic_write(TMICT, 1);
}

void main(void)
{
	u64 way = option("way", WAY_CLI);

	print("way %llu\n", way);
	irq_disable();
	if (way == WAY_DB) {
		irq_set(VEC_DB, ignore);
		debug_for_ever();
	}
	if (way >= WAY_TIMERS)
		timers();
	if (way == WAY_TIMERS)
		irq_enable();
	for (;;)
		__asm__ volatile("" : : : "memory");
}
