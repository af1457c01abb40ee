// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tsc.c - the time-stamp counter: one clock for all processors, writes move one of them,
 * TSC_ADJUST tells by how much (SDM vol. 3B, 18.17.3), RDTSCP gives TSC_AUX
 */
#include "guest.h"

#define MSR_TSC		0x10
#define MSR_TSC_ADJUST	0x3b
#define MSR_TSC_AUX	0xc0000103
#define ROUNDS		2000
#define JUMP		(1ull << 45)	/* more than it counts while this runs */

static volatile u64 last;
static u32 lock, backwards, passed, aux_wrong;
static volatile bool has_rdtscp;

/* Under a lock each reading comes after the one before, whoever took it. */
static void race(void *arg)
{
	u32 i, out[4];

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
			cpu_pause();
		u64 now = rdtsc();

		backwards += now < last;
		last = now;
		passed++;
		__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
		if (!(i % 16))
			cpuid(0, 0, out);
	}
}

static u64 rdtscp(u32 *aux)
{
	u32 lo, hi;

	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(*aux) : : "memory");
	return (u64)hi << 32 | lo;
}

static void aux_hold(void *arg)
{
	u32 want = 0xabc00000 + this_cpu()->index, aux, i;

	(void)arg;
	wrmsr(MSR_TSC_AUX, want);
	for (i = 0; i < 200; i++) {
		outb(0xf0, 0);
		rdtscp(&aux);
		if (aux != want || rdmsr(MSR_TSC_AUX) != want)
			__atomic_fetch_add(&aux_wrong, 1, __ATOMIC_SEQ_CST);
	}
}

static void everywhere(u32 n, void (*fn)(void *arg))
{
	u32 i;

	for (i = 1; i < n; i++)
		smp_call_async(i, fn, NULL);
	fn(NULL);
	for (i = 1; i < n; i++)
		smp_wait(i);
}

static void read_now(void *arg)
{
	*(u64 *)arg = rdtsc();
}

static void by_msr(void)
{
	u64 a, b, c;
	u32 i, wrong = 0;

	for (i = 0; i < 100; i++) {
		a = rdtsc();
		b = rdmsr(MSR_TSC);
		c = rdtsc();
		wrong += b < a || c < b;
	}
	check_eq(wrong, 0, "RDMSR of the counter lies between two RDTSC");
}

static void writes(u32 n)
{
	u64 before = rdtsc(), other = 0, now;

	wrmsr(MSR_TSC, before + JUMP);
	now = rdtsc();
	check(now >= before + JUMP && now < before + 2 * JUMP, "a write sets the counter");
	check(rdmsr(MSR_TSC) >= now, "for RDMSR too");
	if (n > 1) {
		smp_call(1, read_now, &other);
		check(other >= before && other < before + JUMP, "of this processor only");
	}
	wrmsr(MSR_TSC, rdtsc() - JUMP);
	now = rdtsc();
	check(now >= before && now < before + JUMP, "and back");
}

static void adjust(void)
{
	u64 before, now, was;
	u32 out[4];

	cpuid(7, 0, out);
	if (!(out[1] >> 1 & 1)) {
		check_eq((u64)rdmsr_safe(MSR_TSC_ADJUST, &was), VEC_GP,
			 "TSC_ADJUST is not offered: #GP");
		return;
	}
	was = rdmsr(MSR_TSC_ADJUST);
	before = rdtsc();
	wrmsr(MSR_TSC_ADJUST, was + JUMP);
	now = rdtsc();
	check(now >= before + JUMP && now < before + 2 * JUMP, "TSC_ADJUST moves the counter");
	check_eq(rdmsr(MSR_TSC_ADJUST), was + JUMP, "and is read back");
	wrmsr(MSR_TSC_ADJUST, was);
	now = rdtsc();
	check(now >= before && now < before + JUMP, "and back");
	before = rdmsr(MSR_TSC_ADJUST);
	wrmsr(MSR_TSC, rdtsc() + JUMP);
	now = rdmsr(MSR_TSC_ADJUST) - before;
	check(now > JUMP / 2 && now < 2 * JUMP, "it follows a write of the counter");
	wrmsr(MSR_TSC_ADJUST, was);
}

void main(void)
{
	u32 n = smp_start(), out[4];

	everywhere(n, race);
	check_eq(backwards, 0, "readings that went backwards between processors");
	check_eq(passed, (u64)n * ROUNDS, "all were taken");
	by_msr();
	writes(n);
	adjust();
	last = 0;
	cpuid(0x80000001, 0, out);
	if (out[3] >> 27 & 1) {
		everywhere(n, aux_hold);
		check_eq(aux_wrong, 0, "RDTSCP that did not give this processor's TSC_AUX");
	} else {
		check_skip("TSC_AUX", "no RDTSCP here");
	}
}
