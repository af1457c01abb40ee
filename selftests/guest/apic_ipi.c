// SPDX-License-Identifier: GPL-2.0-or-later
/* apic_ipi.c - interrupts between processors: destinations, NMI, lowest priority, a storm (smp=4) */
#include "guest.h"

#define VEC		0x70
#define VEC_NMI		2

static volatile u32 got[MAX_CPUS], nmis[MAX_CPUS];
static volatile u32 quit;
static u32 ids[MAX_CPUS], ldr[MAX_CPUS], nr;	/* by the order in which they started */

static bool is_x2(void)
{
	return rdmsr(0x1b) >> 10 & 1;
}

static void on_ipi(struct trap_frame *f)
{
	(void)f;
	__atomic_fetch_add(&got[this_cpu()->index], 1, __ATOMIC_SEQ_CST);
	lapic_eoi();
}

static void on_nmi(struct trap_frame *f)
{
	(void)f;
	__atomic_fetch_add(&nmis[this_cpu()->index], 1, __ATOMIC_SEQ_CST);
}

static void setup(void *arg)
{
	u32 i = this_cpu()->index;

	(void)arg;
	ids[i] = lapic_id();
	/* Flat logical ids where the APIC lets us choose; x2APIC has its own. */
	if (is_x2())
		ldr[i] = lapic_read(0xd0);
	else
		lapic_write(0xd0, ldr[i] = 1u << (24 + i));
}

static void sleeper(void *arg)
{
	(void)arg;
	while (!READ_ONCE(quit))
		irq_enable_halt();
}

static void clear(void)
{
	u32 i;

	for (i = 0; i < nr; i++)
		got[i] = nmis[i] = 0;
}

/* Everyone in @mask gets exactly one, nobody else any. */
static void expect(u32 mask, const char *name)
{
	u64 end = rdtsc() + LATE_MS * (tsc_hz() / 1000), settle;
	u32 i, have = 0, wrong = 0;

	irq_enable();
	while (have != mask && rdtsc() < end) {
		have = 0;
		for (i = 0; i < nr; i++)
			have |= (got[i] > 0 ? 1u : 0u) << i;
	}
	settle = rdtsc() + tsc_hz() / 500;
	while (rdtsc() < settle)
		cpu_pause();
	irq_disable();
	for (i = 0; i < nr; i++)
		wrong += got[i] != (mask >> i & 1);
	check(!wrong, "%s", name);
	clear();
}

static void test_destinations(void)
{
	u32 all = (1u << nr) - 1, i;
	bool x2 = is_x2();

	for (i = 0; i < nr; i++) {
		lapic_icr(ids[i], VEC);
		expect(1u << i, "physical destination");
	}
	for (i = 0; i < nr; i++) {
		lapic_icr(x2 ? ldr[i] : ldr[i] >> 24, 0x800 | VEC);
		expect(1u << i, "logical destination");
	}
	lapic_icr(x2 ? ldr[1] | ldr[nr - 1] : (ldr[1] | ldr[nr - 1]) >> 24, 0x800 | VEC);
	expect(1u << 1 | 1u << (nr - 1), "two by one logical destination");
	lapic_icr(x2 ? 0xffffffff : 0xff, VEC);
	expect(all, "broadcast");
	lapic_icr(0, 0x80000 | VEC);
	expect(all, "all with self");
	lapic_icr(0, 0xc0000 | VEC);
	expect(all & ~1u, "all but self");
	lapic_icr(0, 0x40000 | VEC);
	expect(1, "self");
	lapic_icr(nr, VEC);
	expect(0, "nobody has that id");
}

/* One of all, whichever; TPR decides among unequal ones. */
static void test_lowest(void)
{
	u32 dest = is_x2() ? 0xf : 0xff >> (8 - nr), i, sum = 0, round;
	u64 end = rdtsc() + LATE_MS * (tsc_hz() / 1000);

	irq_enable();
	for (round = 1; round <= 20; round++) {
		lapic_icr(dest, 0x900 | VEC);
		do {
			for (sum = 0, i = 0; i < nr; i++)
				sum += got[i];
		} while (sum < round && rdtsc() < end);
	}
	end = rdtsc() + tsc_hz() / 500;
	while (rdtsc() < end)
		cpu_pause();
	irq_disable();
	for (sum = 0, i = 0; i < nr; i++)
		sum += got[i];
	check_eq(sum, 20, "twenty with lowest priority come to one each");
	clear();
}

static void test_nmi(void)
{
	u64 end = rdtsc() + LATE_MS * (tsc_hz() / 1000);
	u32 i, bad = 0;

	lapic_icr(0, 0xc4400);
	for (i = 1; i < nr; i++)
		while (!nmis[i] && rdtsc() < end)
			cpu_pause();
	for (i = 0; i < nr; i++)
		bad += nmis[i] != (i ? 1 : 0);
	check_eq(bad, 0, "NMI to all but self, once each, also out of HLT");
	clear();
	for (i = 0; i < 1000; i++)
		lapic_icr(ids[1], 0x4400);
	wait_for(&nmis[1], LATE_MS);
	end = rdtsc() + tsc_hz() / 50;
	while (rdtsc() < end)
		cpu_pause();
	check(nmis[1] >= 1 && nmis[1] <= 1000, "a thousand NMIs merge: %u", nmis[1]);
	clear();
}

static void storm_one(void *arg)
{
	u32 i;

	(void)arg;
	irq_enable();
	for (i = 0; i < 2000; i++) {
		lapic_icr(0, 0xc0000 | VEC);
		lapic_icr(ids[(this_cpu()->index + 1) % nr], VEC + 1);
	}
	irq_disable();
}

/* Takes what is pending still. */
static void drain(void *arg)
{
	u64 end = rdtsc() + tsc_hz() / 500;

	(void)arg;
	irq_enable();
	while (rdtsc() < end)
		cpu_pause();
	irq_disable();
}

static void test_storm(void)
{
	u32 i, least = ~0u;

	for (i = 1; i < nr; i++)
		smp_call_async(i, storm_one, NULL);
	storm_one(NULL);
	for (i = 1; i < nr; i++)
		smp_wait(i);
	for (i = 1; i < nr; i++)
		smp_call(i, drain, NULL);
	drain(NULL);
	for (i = 0; i < nr; i++)
		if (got[i] < least)
			least = got[i];
	check(least > 0, "everybody against everybody: at least %u each", least);
	clear();
}

static void test_init(void)
{
	u32 i;

	/* De-assert is nothing; INIT takes a processor out until it gets a SIPI. */
	lapic_icr(ids[nr - 1], 0x8500);
	for (i = 1; i < nr; i++)
		smp_call_async(i, sleeper, NULL);
	lapic_icr(ids[nr - 1], VEC);
	expect(1u << (nr - 1), "INIT de-assert does nothing");
	lapic_icr(ids[nr - 1], 0xc500);
	lapic_icr(ids[nr - 1], VEC);
	expect(0, "after INIT no interrupt is taken");
	WRITE_ONCE(quit, 1);
	for (i = 1; i + 1 < nr; i++)
		lapic_icr(ids[i], VEC);
	for (i = 1; i + 1 < nr; i++)
		smp_wait(i);
	clear();
}

void main(void)
{
	u32 i;

	nr = smp_start();
	if (nr < 3) {
		check_skip("interrupts between processors", "needs smp=3 or more");
		return;
	}
	irq_set(VEC, on_ipi);
	irq_set(VEC + 1, on_ipi);
	irq_set(VEC_NMI, on_nmi);
	setup(NULL);
	for (i = 1; i < nr; i++)
		smp_call(i, setup, NULL);
	test_storm();
	for (i = 1; i < nr; i++)
		smp_call_async(i, sleeper, NULL);
	test_destinations();
	test_nmi();
	test_lowest();
	WRITE_ONCE(quit, 1);
	for (i = 1; i < nr; i++)
		lapic_icr(ids[i], VEC);
	for (i = 1; i < nr; i++)
		smp_wait(i);
	WRITE_ONCE(quit, 0);
	clear();
	test_init();
}
