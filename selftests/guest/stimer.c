// SPDX-License-Identifier: GPL-2.0-or-later
/* stimer.c - synthetic timers: direct and message mode, one-shot and periodic */
#include "hyperv.h"

#define VEC	0x70	/* of timer 0; the others follow */
#define SINT	4
#define MS	10000	/* reference time units */

static struct tlfs_message simp[TLFS_SINTS] __attribute__((aligned(4096)));
static volatile u32 hits[TLFS_STIMERS];
static volatile u64 hit_time;
static volatile u64 due[64];
static volatile u32 nr_due;

static void on_direct(struct trap_frame *f)
{
	hit_time = reftime();
	hits[f->vector - VEC]++;
	lapic_eoi();
}

static void on_message(struct trap_frame *f)
{
	struct tlfs_message *m = &simp[SINT];

	(void)f;
	if (m->type == TLFS_MESSAGE_TIMER_EXPIRED && nr_due < ARRAY_SIZE(due))
		due[nr_due++] = ((struct tlfs_timer_message *)m->payload)->expiration;
	__atomic_store_n(&m->type, 0, __ATOMIC_SEQ_CST);
	if (m->flags & TLFS_MESSAGE_F_PENDING)
		wrmsr(TLFS_MSR_EOM, 0);
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

static void one_shot(void *arg)
{
	u64 at;

	(void)arg;
	hits[0] = 0;
	config(0, direct(0) | TLFS_STIMER_ENABLE | TLFS_STIMER_AUTO_ENABLE);
	wait(MS);
	check_eq(hits[0], 0, "enabled with count 0: stopped");
	at = reftime() + 5 * MS;
	count(0, at);
	irq_disable();
	while (!hits[0] && reftime() < at + 1000 * MS)
		irq_enable_halt();
	check_eq(hits[0], 1, "one-shot fires and wakes from HLT");
	check(hit_time >= at, "not before its time (%lld units)", (s64)(hit_time - at));
	check_eq(rdmsr(TLFS_MSR_STIMER0_CONFIG) & TLFS_STIMER_ENABLE, 0, "and is disabled then");
	wait(MS);
	check_eq(hits[0], 1, "once");
	count(0, reftime() - MS);
	wait(MS);
	check_eq(hits[0], 2, "a count in the past fires at once");
	count(0, reftime() + 40 * MS);
	count(0, 0);
	wait(60 * MS);
	check_eq(hits[0], 2, "count 0 stops it");
	count(0, reftime() + 40 * MS);
	config(0, 0);
	wait(60 * MS);
	check_eq(hits[0], 2, "so does a configuration without enable");
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
	wait(20 * MS);
	for (i = 0; i < TLFS_STIMERS; i++)
		check(hits[i] == 1, "timer %u fires once (%u)", i, hits[i]);
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

static void periodic_direct(void)
{
	hits[1] = 0;
	config(1, 0);
	count(1, 2 * MS);
	config(1, direct(1) | TLFS_STIMER_PERIODIC | TLFS_STIMER_ENABLE);
	wait(50 * MS);
	config(1, 0);
	check(hits[1] >= 5 && hits[1] <= 26, "2 ms period fires again and again: %u in 50 ms", hits[1]);
}

static void periodic_message(void)
{
	u64 period = 3 * MS;
	u32 i, off = 0;

	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)simp | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC + 8);
	wrmsr(TLFS_MSR_SCONTROL, TLFS_SCONTROL_ENABLE);
	irq_set(VEC + 8, on_message);
	config(2, 0);
	count(2, period);
	config(2, (u64)SINT << TLFS_STIMER_SINT_SHIFT | TLFS_STIMER_PERIODIC | TLFS_STIMER_ENABLE);
	wait(60 * MS);
	config(2, 0);
	check(nr_due >= 4, "periodic messages: %u in 60 ms", nr_due);
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
