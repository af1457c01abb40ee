// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hostile.c - random synthetic MSR accesses and hypercalls from all processors at once
 *
 * Nothing is expected of the answers; the machine has to live, and still work afterwards.
 * loops=N (default 3000), seed=N. Interrupts stay off: what is raised stays pending. Pages
 * are placed in a region that nothing else uses, and the ICR MSR is left alone, because
 * both would only kill the guest itself.
 */
#include "hyperv.h"

#define SCRATCH_PAGES	8

static u8 scratch[SCRATCH_PAGES][4096] __attribute__((aligned(4096)));
static u64 input[MAX_CPUS][512] __attribute__((aligned(4096)));
static u64 faults, statuses[32];

static u64 rnd(u64 *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Mostly values with few bits, or none, or all: where the checks are. */
static u64 value(u64 *s)
{
	u64 r = rnd(s);

	switch (r >> 60) {
	case 0: case 1: case 2:
		return r & 0xff;
	case 3:
		return 0;
	case 4:
		return ~0ull;
	case 5: case 6: case 7:
		return 1ull << (r & 63);
	case 8:
		return reftime() + (r & 0xffff);
	default:
		return r & rnd(s);
	}
}

static bool places_page(u32 msr)
{
	return msr == TLFS_MSR_HYPERCALL || msr == TLFS_MSR_REFERENCE_TSC ||
		msr == TLFS_MSR_VP_ASSIST || msr == TLFS_MSR_SIEFP || msr == TLFS_MSR_SIMP;
}

static void one_msr(u64 *s)
{
	u32 msr = TLFS_MSR_FIRST + (u32)(rnd(s) % 0x120);
	u64 v = value(s);

	if (rnd(s) & 1) {
		faults += rdmsr_safe(msr, &v) != NO_FAULT;
		return;
	}
	if (msr == TLFS_MSR_ICR)
		return;
	if (places_page(msr) && (v & TLFS_PAGE_ENABLE))
		v = (v & 0xfff) | (u64)(uintptr_t)scratch[rnd(s) % SCRATCH_PAGES];
	if (msr == TLFS_MSR_GUEST_OS_ID && !(rnd(s) & 7))
		v = 0;
	faults += wrmsr_safe(msr, v) != NO_FAULT;
}

static void one_hypercall(u64 *s, u64 *in)
{
	static const u8 codes[] = { 2, 3, 0xb, 0x13, 0x14, 0x15, 0x5c, 0x5d, 0x7e };
	u64 control = rnd(s) & 1 ? codes[rnd(s) % sizeof(codes)] : value(s) & 0xffff;
	u64 gpa = (u64)(uintptr_t)in, result;
	u32 i;

	for (i = 0; i < 8; i++)
		in[i] = value(s);
	control |= rnd(s) & 3 ? (rnd(s) & 7) << TLFS_HC_VAR_SHIFT : 0;
	control |= rnd(s) & 3 ? 0 : TLFS_HC_FAST;
	control |= rnd(s) & 1 ? (rnd(s) & 15) << TLFS_HC_COUNT_SHIFT : 0;
	control |= rnd(s) & 7 ? 0 : value(s);
	if (!(rnd(s) & 7))
		gpa = value(s);
	if (hcall_raw(control, gpa, value(s), &result) != NO_FAULT)
		faults++;
	else
		statuses[result & 31]++;
}

static void hammer(void *arg)
{
	u64 seed = *(u64 *)arg + this_cpu()->index * 0x9e3779b97f4a7c15ull;
	u32 i, n = (u32)option("loops", 3000);

	for (i = 0; i < n; i++) {
		one_msr(&seed);
		one_hypercall(&seed, input[this_cpu()->index]);
	}
}

void main(void)
{
	u64 seed = option("seed", 12345) | 1, before;
	u32 i, n;

	if (!hyperv_present())
		leave(2);
	n = smp_start();
	wrmsr(TLFS_MSR_GUEST_OS_ID, OS_ID);
	for (i = 1; i < n; i++)
		smp_call_async(i, hammer, &seed);
	hammer(&seed);
	for (i = 1; i < n; i++)
		smp_wait(i);
	print("# seed %llu, faults %llu, statuses", seed, faults);
	for (i = 0; i < 32; i++)
		if (statuses[i])
			print(" %u:%llu", i, statuses[i]);
	print("\n");
	check(faults > 0 && statuses[TLFS_OK] > 0 && statuses[TLFS_INVALID_CODE] > 0 &&
	      statuses[TLFS_INVALID_INPUT] > 0, "refused and accepted both");
	before = reftime();
	reftime_wait(before + 1000);
	check(reftime() > before, "time still runs");
	wrmsr(TLFS_MSR_GUEST_OS_ID, OS_ID);
	hcall_raw(0x3ff, 0, 0, &before);
	check_eq(before & 0xffff, TLFS_INVALID_CODE, "hypercalls still answer");
}
