// SPDX-License-Identifier: GPL-2.0-or-later
/* reftime.c - reference counter and reference TSC page: one clock, on every processor */
#include "hyperv.h"

/* The overlay hides all of the frame: nothing else may lie in it. */
static union {
	struct tlfs_tsc_page tsc;
	u8 all[4096];
} frame __attribute__((aligned(4096)));
#define page frame.tsc

#define RELAY_UNITS	(5 * 10000000ull)

static volatile u64 last;
static volatile u32 turn, backwards, passed, relay_over;

/* A reading of the counter, and the TSC before and after it. */
struct reading {
	u64 before, units, after;
};

static u64 page_time(void)
{
	volatile struct tlfs_tsc_page *p = &page;
	u64 scale, tsc;
	s64 offset;
	u32 seq;

	do {
		seq = p->sequence;
		scale = p->scale;
		offset = p->offset;
		tsc = rdtsc();
	} while (p->sequence != seq);
	return (u64)((unsigned __int128)tsc * scale >> 64) + (u64)offset;
}

/* The closest of some: the host may take the processor away in the middle of one. */
static struct reading read_both(void)
{
	struct reading r, best = { .after = ~0ull };
	u32 i;

	for (i = 0; i < 50; i++) {
		r.before = rdtsc();
		r.units = reftime();
		r.after = rdtsc();
		if (r.after - r.before < best.after - best.before)
			best = r;
	}
	return best;
}

static void counter(void)
{
	u64 t, prev = reftime(), units, least, most;
	u64 per_unit = tsc_hz() / 10000000;
	struct reading a, b;
	u32 i, back = 0;

	for (i = 0; i < 1000; i++, prev = t) {
		t = reftime();
		back += t < prev;
	}
	check_eq(back, 0, "the counter does not go back");
	a = read_both();
	reftime_wait(a.units + 500000);
	b = read_both();
	units = b.units - a.units;
	least = (b.before - a.after) / per_unit;
	most = (b.after - a.before) / per_unit;
	check(units > least - least / 100 && units < most + most / 100,
	      "it runs at 10 MHz (%llu units by it, %llu to %llu by the TSC)", units, least, most);
	check_eq((u64)wrmsr_safe(TLFS_MSR_TIME_REF_COUNT, 0), VEC_GP, "it can not be written");
}

static void compare(void *arg)
{
	u64 a, t, b, far = 0;
	u32 i;

	(void)arg;
	for (i = 0; i < 200; i++) {
		a = reftime();
		t = page_time();
		b = reftime();
		if (t < a || t > b)
			far++;
	}
	check(far == 0, "processor %u: page and counter agree (%llu of 200 do not)",
	      this_cpu()->index, far);
}

/*
 * Two processors hand a time stamp to and fro: it only grows. On a busy host each turn may
 * wait for the other's time slice, so a few seconds are enough of it.
 */
static void relay(void *arg)
{
	u32 me = this_cpu()->index ? 1 : 0;
	u64 end = reftime() + RELAY_UNITS;
	u32 i;

	(void)arg;
	for (i = 0; i < 2000 && !relay_over; i++) {
		u64 t;

		while (turn != me)
			cpu_pause();
		t = i & 1 ? reftime() : page.sequence ? page_time() : reftime();
		if (t < last)
			backwards++;
		last = t;
		passed++;
		if (passed > 20 && t > end)
			relay_over = 1;
		turn = !me;
	}
}

void main(void)
{
	u32 i, n, seq;

	if (!hyperv_present())
		leave(2);
	n = smp_start();
	counter();
	wrmsr(TLFS_MSR_REFERENCE_TSC, (u64)(uintptr_t)&page | TLFS_PAGE_ENABLE | 0xaa);
	check_eq(rdmsr(TLFS_MSR_REFERENCE_TSC), (u64)(uintptr_t)&page | TLFS_PAGE_ENABLE | 0xaa,
		 "the register keeps what it is given");
	seq = page.sequence;
	print("# sequence %u scale 0x%llx offset %lld\n", seq, page.scale, page.offset);
	if (!seq) {
		check_skip("reference TSC page", "the host's TSC can not be used: sequence 0");
	} else {
		compare(NULL);
		for (i = 1; i < n; i++)
			smp_call(i, compare, NULL);
	}
	if (n > 1) {
		smp_call_async(1, relay, NULL);
		relay(NULL);
		smp_wait(1);
		print("# %u turns\n", passed);
		check_eq(backwards, 0, "time does not go back between processors");
	}
	wrmsr(TLFS_MSR_REFERENCE_TSC, (u64)(uintptr_t)&page);
	if (hyperv_is_hv())
		check(!page.sequence && !page.scale, "disabled: the memory beneath is back");
	wrmsr(TLFS_MSR_REFERENCE_TSC, (u64)(uintptr_t)&page | TLFS_PAGE_ENABLE);
	if (seq)
		compare(NULL);
}
