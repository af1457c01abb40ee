// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * asid.c - two processors read pages of the same addresses in every machine, with this
 * machine's mark in them, while others do the same on the same host CPUs. A translation of
 * another machine, or one that was replaced, shows another mark.
 */
#include "guest.h"

#define PORT_USER	0xf0		/* ends the run: another vCPU has the CPU now */
#define PAGES		64u
#define SET_A		0x1000000ull	/* physical */
#define SET_B		0x1800000ull

static u64 tag;
static u32 wrong[MAX_CPUS];

static u64 mark_of(u32 cpu, u32 set, u32 page)
{
	return tag << 32 | cpu << 16 | set << 15 | page;
}

static u64 page_of(u32 cpu, u32 set, u32 page)
{
	return (set ? SET_B : SET_A) + (cpu * PAGES + page) * 4096ull;
}

/* This processor's stretch of the window shows one set or the other. */
static void window_to(u32 cpu, u32 set)
{
	u32 i;

	for (i = 0; i < PAGES; i++)
		page_window(cpu * PAGES + i, page_of(cpu, set, i), true);
}

static void work(void *arg)
{
	u32 cpu = this_cpu()->index, rounds = *(u32 *)arg, set = 0, n, i;
	volatile u64 *first = page_window(cpu * PAGES, page_of(cpu, 0, 0), true);

	for (n = 0; n < rounds; n++) {
		if (n % 8 == 0) {
			set = n / 8 & 1;
			window_to(cpu, set);
		}
		for (i = 0; i < PAGES; i++)
			if (first[i * 512] != mark_of(cpu, set, i))
				wrong[cpu]++;
		outb(PORT_USER, 0);
	}
}

void main(void)
{
	u32 n = smp_start(), rounds = (u32)option("rounds", 400), c, s, i;

	tag = option("tag", 1);
	for (c = 0; c < n; c++)
		for (s = 0; s < 2; s++)
			for (i = 0; i < PAGES; i++)
				*(u64 *)(uintptr_t)page_of(c, s, i) = mark_of(c, s, i);
	for (c = 1; c < n; c++)
		smp_call_async(c, work, &rounds);
	work(&rounds);
	for (c = 1; c < n; c++)
		smp_wait(c);
	for (c = 0; c < n; c++)
		check_eq(wrong[c], 0, "every page holds this machine's mark");
}
