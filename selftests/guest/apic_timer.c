// SPDX-License-Identifier: GPL-2.0-or-later
/* apic_timer.c - the local APIC timer: one-shot, periodic, TSC deadline, divider, mode changes */
#include "guest.h"

#define LVT_TIMER	0x320
#define TMICT		0x380
#define TMCCT		0x390
#define MSR_APIC_BASE	0x1b
#define BASE_X2APIC	(1u << 10)
#define TDCR		0x3e0
#define MODE_PERIODIC	0x20000u
#define MODE_DEADLINE	0x40000u
#define MASKED		0x10000u
#define VEC		0x60
#define MSR_DEADLINE	0x6e0

static volatile u32 fired;
static volatile u64 fired_at;

/*
 * QEMU 7.2's VMRUN does not load the interrupt shadow of the VMCB: after an exit between STI and HLT the
 * interrupt is taken in front of the HLT, which then has nothing to wait for.
 */
static void on_timer(struct trap_frame *f)
{
	if (*(const volatile u8 *)f->rip == 0xf4)
		f->rip++;
	fired_at = rdtsc();
	fired++;
	lapic_eoi();
}

static u64 ms(u64 n)
{
	return tsc_hz() / 1000 * n;
}

/* Interrupts on until @n have come or @limit ms are over. */
static u32 wait_fired(u32 n, u64 limit)
{
	u64 end = rdtsc() + ms(limit);

	irq_enable();
	while (fired < n && rdtsc() < end)
		cpu_pause();
	irq_disable();
	return fired;
}

/* The same asleep: HLT is left by the timer alone. */
static void sleep_fired(u32 n)
{
	while (fired < n)
		irq_enable_halt();
}

/* The count and the TSC around it, the closest of some: the host may take the CPU away. */
struct reading {
	u64 before, after;
	u32 count;
};

static struct reading read_both(void)
{
	struct reading r, best = { .after = ~0ull };
	u32 i;

	for (i = 0; i < 50; i++) {
		r.before = rdtsc();
		r.count = lapic_read(TMCCT);
		r.after = rdtsc();
		if (r.after - r.before < best.after - best.before)
			best = r;
	}
	return best;
}

/* Counts per ms of the timer at divider 1, by the TSC. */
static u32 calibrate(void)
{
	struct reading a, b;
	u64 start;

	lapic_write(LVT_TIMER, MASKED | VEC);
	lapic_write(TDCR, 0xb);
	lapic_write(TMICT, 0xffffffff);
	a = read_both();
	start = rdtsc();
	while (rdtsc() - start < ms(10))
		cpu_pause();
	b = read_both();
	lapic_write(TMICT, 0);
	return (u32)((a.count - b.count) * ms(1) / (b.before - a.before));
}

/*
 * @arm sets the timer for @n ms from now, @stop takes that back: it must not fire, if that
 * was in time. What did before it was stopped is taken, and the same is tried again.
 */
static void stopped(void (*arm)(u64 n), u64 n, void (*stop)(void), const char *name)
{
	u32 before, tries = 0;
	u64 start;

	do {
		before = fired;
		start = rdtsc();
		arm(n);
		stop();
		if (rdtsc() < start + ms(n) - ms(n) / 50)
			break;
		wait_fired(0xffffffff, 1);
	} while (++tries < 100);
	check_eq(wait_fired(before + 1, 20), before, name);
}

static u32 rate;	/* counts a ms */

static void arm_count(u64 n)
{
	lapic_write(TMICT, (u32)(rate * n));
}

static void stop_count(void)
{
	lapic_write(TMICT, 0);
}

static void arm_deadline(u64 n)
{
	lapic_write(LVT_TIMER, MODE_DEADLINE | VEC);
	wrmsr(MSR_DEADLINE, rdtsc() + ms(n));
}

static void stop_deadline(void)
{
	wrmsr(MSR_DEADLINE, 0);
}

static void leave_deadline(void)
{
	lapic_write(LVT_TIMER, VEC);
}

/* A read-only register that never holds the same value twice: the operation ends all the same. */
static void test_locked_count(void)
{
	volatile u32 *count = (volatile u32 *)(uintptr_t)(0xfee00000 + TMCCT);

	if (rdmsr(MSR_APIC_BASE) & BASE_X2APIC)
		return;
	lapic_write(LVT_TIMER, MASKED | VEC);
	lapic_write(TDCR, 0xb);
	lapic_write(TMICT, 0xffffff00);
	__asm__ volatile("lock incl %0" : "+m"(*count) : : "memory", "cc");
	__asm__ volatile("lock incb %0" : "+m"(*(volatile u8 *)count) : : "memory", "cc");
	check(lapic_read(TMCCT), "LOCK INC of the current count ends");
	lapic_write(TMICT, 0);
}

static void test_oneshot(u32 per_ms)
{
	u64 start;
	u32 first, second;

	fired = 0;
	lapic_write(LVT_TIMER, VEC);
	lapic_write(TDCR, 0xa);		/* minutes */
	lapic_write(TMICT, 0xffffff00);
	first = lapic_read(TMCCT);
	start = rdtsc();
	while (rdtsc() - start < ms(1))
		cpu_pause();
	second = lapic_read(TMCCT);
	check(first <= 0xffffff00 && second < first && second, "the count goes down: %u, %u", first,
	      second);
	lapic_write(TMICT, 0);
	lapic_write(TDCR, 0xb);
	start = rdtsc();
	lapic_write(TMICT, per_ms * 5);
	check_eq(wait_fired(1, LATE_MS), 1, "one-shot fires");
	check(fired_at - start >= ms(5) - ms(5) / 50, "not before its time");
	check_eq(lapic_read(TMCCT), 0, "the count is 0 afterwards");
	check_eq(wait_fired(2, 20), 1, "and it fires once");

	stopped(arm_count, 5, stop_count, "count 0 stops it");
	fired = 1;

	lapic_write(LVT_TIMER, MASKED | VEC);
	lapic_write(TMICT, per_ms);
	check_eq(wait_fired(2, 10), 1, "masked: it runs out unheard");
	check_eq(lapic_read(TMCCT), 0, "to the end");
	lapic_write(LVT_TIMER, VEC);
	if (!option("peer", 0))
		check_eq(wait_fired(2, 10), 1, "nothing is kept for later");
	else
		check_skip("nothing is kept for later", "KVM keeps it");

	wait_fired(2, 10);
	fired = 0;
	lapic_write(TMICT, per_ms * 2);
	sleep_fired(1);
	check_eq(fired, 1, "it ends HLT");
	lapic_write(TMICT, 1);
	sleep_fired(2);
	check_eq(fired, 2, "the shortest count");
}

static void test_divider(u32 per_ms)
{
	static const struct { u8 code, div; } row[] = {
		{ 0x0, 2 }, { 0x1, 4 }, { 0x2, 8 }, { 0x3, 16 }, { 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 },
	};
	u64 start, took, want;
	u32 i, tries;

	lapic_write(LVT_TIMER, VEC);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		lapic_write(TMICT, 0);
		lapic_write(TDCR, row[i].code);
		check_eq(lapic_read(TDCR), row[i].code, "divider reads back");
		want = ms(4);
		tries = 0;
		do {	/* it may be late when the host is busy, but not every time */
			wait_fired(0xffffffff, 1);
			fired = 0;
			start = rdtsc();
			lapic_write(TMICT, per_ms * 4 / row[i].div);
			wait_fired(1, LATE_MS);
			took = fired_at - start;
		} while (took >= want + ms(200) && ++tries < 50);
		check(fired == 1 && took >= want - want / 20 && took < want + ms(200),
		      "divide by %u: %llu us for 4 ms", row[i].div, took / (tsc_hz() / 1000000));
	}
	lapic_write(TDCR, 0xb);
}

static void test_periodic(u32 per_ms)
{
	u64 start;
	u32 seen;

	fired = 0;
	lapic_write(LVT_TIMER, MODE_PERIODIC | VEC);
	start = rdtsc();
	lapic_write(TMICT, per_ms * 2);
	check(wait_fired(10, LATE_MS) >= 10, "periodic fires again and again");
	check(fired_at - start >= ms(19), "ten periods of 2 ms take 20");
	check(lapic_read(TMCCT) <= per_ms * 2, "the count stays below the initial one");
	lapic_write(LVT_TIMER, VEC);
	seen = fired;
	wait_fired(0xffffffff, 70);
	check(fired <= seen + 2, "turned to one-shot it stops: one that was pending, one more (%u)",
	      fired - seen);
	fired = 0;
	lapic_write(LVT_TIMER, MODE_PERIODIC | VEC);
	lapic_write(TMICT, 1);
	wait_fired(10, LATE_MS);
	lapic_write(TMICT, 0);
	seen = wait_fired(0xffffffff, 1);
	check(seen > 0, "a period of one tick is survived: %u interrupts", seen);
	check_eq(wait_fired(seen + 1, 5), seen, "count 0 stops it");
}

static void test_deadline(void)
{
	u64 when;
	u32 out[4];

	cpuid(1, 0, out);
	if (!(out[2] >> 24 & 1)) {
		check_skip("TSC deadline", "CPUID does not offer it");
		return;
	}
	fired = 0;
	lapic_write(LVT_TIMER, VEC);
	wrmsr(MSR_DEADLINE, rdtsc() + ms(1));
	check_eq(rdmsr(MSR_DEADLINE), 0, "outside of its mode the MSR stays 0");
	lapic_write(LVT_TIMER, MODE_DEADLINE | VEC);
	when = rdtsc() + ms(2 * LATE_MS);
	wrmsr(MSR_DEADLINE, when);
	check_eq(rdmsr(MSR_DEADLINE), when, "the deadline reads back");
	when = rdtsc() + ms(3);
	wrmsr(MSR_DEADLINE, when);
	check_eq(wait_fired(1, LATE_MS), 1, "deadline fires");
	check(fired_at >= when, "not before its time (%lld ticks)", (s64)(fired_at - when));
	check_eq(rdmsr(MSR_DEADLINE), 0, "and reads 0 afterwards");
	wrmsr(MSR_DEADLINE, rdtsc() - 1);
	check_eq(wait_fired(2, LATE_MS), 2, "a deadline in the past fires at once");
	stopped(arm_deadline, 3, stop_deadline, "0 disarms");
	fired = 2;
	wrmsr(MSR_DEADLINE, ~0ull);
	check_eq(wait_fired(3, 5), 2, "the end of time is not now");
	wrmsr(MSR_DEADLINE, rdtsc() + ms(1));
	sleep_fired(3);
	check_eq(fired, 3, "it ends HLT");
	stopped(arm_deadline, 3, leave_deadline, "leaving the mode disarms");
	lapic_write(LVT_TIMER, MODE_DEADLINE | VEC);
	lapic_write(TMICT, 1000);
	check_eq(lapic_read(TMCCT), 0, "in deadline mode there is no count");
	lapic_write(LVT_TIMER, MASKED | VEC);
}

void main(void)
{
	u32 per_ms;

	lapic_init();
	irq_set(VEC, on_timer);
	per_ms = rate = calibrate();
	check(per_ms > 1000, "the timer runs at %u counts a ms", per_ms);
	test_locked_count();
	test_oneshot(per_ms);
	test_divider(per_ms);
	test_periodic(per_ms);
	test_deadline();
}
