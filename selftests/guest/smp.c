// SPDX-License-Identifier: GPL-2.0-or-later
/* smp.c - every processor starts by INIT and SIPI, runs code and takes an IPI */
#include "guest.h"

#define VEC_IPI	0x50

static u32 ran[MAX_CPUS];
static volatile u32 got;

static void mark(void *arg)
{
	(void)arg;
	ran[this_cpu()->index] = lapic_id() + 1;
}

static void on_ipi(struct trap_frame *f)
{
	(void)f;
	__atomic_fetch_add(&got, 1, __ATOMIC_SEQ_CST);
	lapic_eoi();
}

static void open_irqs(void *arg)
{
	(void)arg;
	irq_enable();
	while (!got)
		cpu_pause();
	irq_disable();
}

void main(void)
{
	u32 want = (u32)option("smp", 1);
	u32 n = smp_start();
	u32 i, j, clash = 0;

	check_eq(n, want, "processors that started");
	irq_set(VEC_IPI, on_ipi);
	for (i = 1; i < n; i++)
		smp_call(i, mark, NULL);
	for (i = 1; i < n; i++)
		for (j = i + 1; j < n; j++)
			clash += ran[i] == ran[j];
	for (i = 1; i < n; i++)
		check(ran[i] > 0, "processor %u ran code, APIC id %u", i, ran[i] - 1);
	check_eq(clash, 0, "APIC ids differ");
	for (i = 1; i < n; i++) {
		got = 0;
		smp_call_async(i, open_irqs, NULL);
		lapic_icr(ran[i] - 1, VEC_IPI);
		check(wait_for(&got, LATE_MS), "IPI to processor %u arrives", i);
		smp_wait(i);
	}
}
