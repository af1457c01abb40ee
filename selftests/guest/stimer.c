// SPDX-License-Identifier: GPL-2.0-or-later
/* stimer.c - synthetic timers: direct and message mode, one-shot and periodic */
#include "hyperv.h"

#define VEC	0x70	/* of timer 0; the others follow */
#define SINT	4
#define MS	10000	/* reference time units */

#define LATE	(30000ull * MS)	/* lost, not late: the host may have much else to do */
#define PERIOD	(2 * MS)
#define ROUNDS	10

static struct tlfs_message simp[TLFS_SINTS] __attribute__((aligned(4096)));
static volatile u32 hits[TLFS_STIMERS];
static volatile u64 hit_time[TLFS_STIMERS][64];
static volatile u64 due[64], came[64];
static volatile u32 nr_due;
static volatile bool hold;

static void on_direct(struct trap_frame *f)
{
	u32 n = f->vector - VEC;

	hit_time[n][hits[n] % 64] = reftime();
	hits[n]++;
	lapic_eoi();
}

static void take_message(void)
{
	struct tlfs_message *m = &simp[SINT];

	if (m->type == TLFS_MESSAGE_TIMER_EXPIRED && nr_due < ARRAY_SIZE(due)) {
		due[nr_due] = ((struct tlfs_timer_message *)m->payload)->expiration;
		came[nr_due] = reftime();
		nr_due++;
	}
	__atomic_store_n(&m->type, 0, __ATOMIC_SEQ_CST);
	if (m->flags & TLFS_MESSAGE_F_PENDING)
		wrmsr(TLFS_MSR_EOM, 0);
}

/* While @hold, the message stays in its slot and those behind it wait. */
static void on_message(struct trap_frame *f)
{
	(void)f;
	if (!hold)
		take_message();
	lapic_eoi();
}

static u64 direct(u32 n)
{
	return TLFS_STIMER_DIRECT | (u64)(VEC + n) << TLFS_STIMER_VECTOR_SHIFT;
}

static void config(u32 n, u64 val)
{
	wrmsr(TLFS_MSR_STIMER0_CONFIG + 2 * n, val);
}

static void count(u32 n, u64 val)
{
	wrmsr(TLFS_MSR_STIMER0_COUNT + 2 * n, val);
}

static void wait(u64 units)
{
	u64 end = reftime() + units;

	irq_enable();
	while (reftime() < end)
		cpu_pause();
	irq_disable();
}

/* Take interrupts until @p counts @n of them. */
static bool wait_count(const volatile u32 *p, u32 n)
{
	u64 end = reftime() + LATE;

	irq_enable();
	while (*p < n && reftime() < end)
		cpu_pause();
	irq_disable();
	return *p >= n;
}

/* Timer 0 for 40 ms from now, then @stop: it must not fire, if that was in time. */
static void stopped(void (*stop)(void), const char *name)
{
	u32 before, tries = 0;
	u64 at;

	do {
		before = hits[0];
		at = reftime() + 40 * MS;
		count(0, at);
		stop();
		if (reftime() < at)
			break;
		wait(0);	/* what fired before it was stopped */
	} while (++tries < 100);
	wait(60 * MS);
	check_eq(hits[0], before, name);
}

static void stop_by_count(void)
{
	count(0, 0);
}

static void stop_by_config(void)
{
	config(0, 0);
}

static void one_shot(void *arg)
{
	u64 at;

	(void)arg;
	hits[0] = 0;
	config(0, direct(0) | TLFS_STIMER_ENABLE | TLFS_STIMER_AUTO_ENABLE);
	wait(MS);
	check_eq(hits[0], 0, "enabled with count 0: stopped");
	irq_disable();
	at = reftime() + 5 * MS;
	count(0, at);
	while (!hits[0] && reftime() < at + LATE)
		irq_enable_halt();
	check_eq(hits[0], 1, "one-shot fires and wakes from HLT");
	check(hit_time[0][0] >= at, "not before its time (%lld units)", (s64)(hit_time[0][0] - at));
	check_eq(rdmsr(TLFS_MSR_STIMER0_CONFIG) & TLFS_STIMER_ENABLE, 0, "and is disabled then");
	wait(MS);
	check_eq(hits[0], 1, "once");
	count(0, reftime() - MS);
	wait(MS);
	check_eq(hits[0], 2, "a count in the past fires at once");
	stopped(stop_by_count, "count 0 stops it");
	stopped(stop_by_config, "so does a configuration without enable");
}

static void all_four(void)
{
	u64 at = reftime() + 5 * MS;
	u32 i;

	for (i = 0; i < TLFS_STIMERS; i++) {
		hits[i] = 0;
		config(i, direct(i) | TLFS_STIMER_AUTO_ENABLE | TLFS_STIMER_LAZY);
		count(i, at + i);
	}
	for (i = 0; i < TLFS_STIMERS; i++)
		wait_count(&hits[i], 1);
	wait(20 * MS);
	for (i = 0; i < TLFS_STIMERS; i++)
		check(hits[i] == 1 && hit_time[i][0] >= at + i,
		      "timer %u fires once (%u), not before its time", i, hits[i]);
}

static void refused(void)
{
	if (!hyperv_is_hv())
		return;
	check_eq((u64)wrmsr_safe(TLFS_MSR_STIMER0_CONFIG, TLFS_STIMER_DIRECT | TLFS_STIMER_ENABLE),
		 VEC_GP, "direct mode with vector 0 faults");
	config(0, TLFS_STIMER_ENABLE);
	check_eq(rdmsr(TLFS_MSR_STIMER0_CONFIG), 0, "message mode on SINT 0 is disabled");
}

/*
 * How late the host lets an expiry be is its own affair. What must hold: each has a point
 * of the grid to itself, so the n-th is not before n periods; and what was missed does not
 * pile up: one interrupt is pending, two expiries may be under way, the others lie ahead.
 */
static void periodic_direct(void)
{
	u64 start = reftime();
	u32 i, early = 0;

	hits[1] = 0;
	config(1, 0);
	count(1, PERIOD);
	config(1, direct(1) | TLFS_STIMER_PERIODIC | TLFS_STIMER_ENABLE);
	check(wait_count(&hits[1], ROUNDS), "2 ms period fires again and again, %u times", ROUNDS);
	for (i = 0; i < min(hits[1], 64u); i++)
		early += hit_time[1][i] < start + (i + 1) * PERIOD;
	check_eq(early, 0, "none of them early");
	reftime_wait(reftime() + 2 * ROUNDS * PERIOD);
	hits[1] = 0;
	start = reftime();
	check(wait_count(&hits[1], ROUNDS), "goes on after interrupts were off");
	config(1, 0);
	wait(0);
	for (i = 3; i < min(hits[1], 64u); i++)
		early += hit_time[1][i] < start + (i - 3) * PERIOD;
	check_eq(early, 0, "the periods missed meanwhile do not follow");
}

/* The slot was full for many periods: of them one message waits and two may be under way. */
static void missed_messages(u64 period)
{
	u32 i, old = 0, first;
	u64 begin;

	hold = true;
	begin = reftime();
	while (!simp[SINT].type && reftime() < begin + LATE)
		wait(MS);
	wait(2 * ROUNDS * period);
	hold = false;
	first = nr_due;
	begin = reftime();
	take_message();
	check(wait_count(&nr_due, first + ROUNDS), "messages go on after the slot was full");
	for (i = first + 1; i < nr_due; i++)
		old += due[i] + period < begin;
	check(old <= 3, "periods missed are one message, not a queue (%u)", old);
}

static void periodic_message(void)
{
	u64 period = 3 * MS, start = reftime();
	u32 i, off = 0, early = 0;

	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)simp | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC + 8);
	wrmsr(TLFS_MSR_SCONTROL, TLFS_SCONTROL_ENABLE);
	irq_set(VEC + 8, on_message);
	config(2, 0);
	count(2, period);
	config(2, (u64)SINT << TLFS_STIMER_SINT_SHIFT | TLFS_STIMER_PERIODIC | TLFS_STIMER_ENABLE);
	check(wait_count(&nr_due, ROUNDS), "periodic messages, %u of them", ROUNDS);
	missed_messages(period);
	config(2, 0);
	for (i = 0; i < nr_due; i++)
		early += came[i] < due[i] || due[i] < start + (i + 1) * period;
	check_eq(early, 0, "none of them early");
	for (i = 1; i < nr_due; i++)
		off += (due[i] - due[0]) % period != 0 || due[i] <= due[i - 1];
	check_eq(off, 0, "each due on the grid of the first, no drift");
}

void main(void)
{
	u32 i, n;

	if (!hyperv_present())
		leave(2);
	n = smp_start();
	for (i = 0; i < TLFS_STIMERS; i++)
		irq_set((u8)(VEC + i), on_direct);
	one_shot(NULL);
	all_four();
	refused();
	periodic_direct();
	periodic_message();
	if (n > 1)
		smp_call(1, one_shot, NULL);
}
