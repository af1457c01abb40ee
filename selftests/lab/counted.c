// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * In the counted lab one instruction is one TSC tick: a loop of known length
 * must take exactly that many ticks, every time. Exit status 0 if so.
 */
#include <stdint.h>
#include <stdio.h>

#define LOOPS 10000u

static uint64_t rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* Three instructions a turn, and what stands around it. */
static uint64_t ticks(uint32_t loops)
{
	uint64_t start = rdtsc();

	__asm__ volatile("1: nop; dec %0; jnz 1b" : "+r"(loops) : : "cc");
	return rdtsc() - start;
}

int main(void)
{
	uint64_t best = ~0ull, twice = ~0ull, t;
	int i;

	/* An interrupt may fall into one of them: the least is the loop alone. */
	for (i = 0; i < 20; i++) {
		t = ticks(LOOPS);
		best = t < best ? t : best;
		t = ticks(2 * LOOPS);
		twice = t < twice ? t : twice;
	}
	printf("%u turns of 3 instructions: %llu ticks, twice as many: %llu\n", LOOPS,
	       (unsigned long long)best, (unsigned long long)twice);
	return twice - best == 3 * LOOPS ? 0 : 1;
}
