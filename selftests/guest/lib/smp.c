// SPDX-License-Identifier: GPL-2.0-or-later
/* smp.c - start the other processors by INIT and SIPI, and have them run functions */
#include "guest.h"
#include "boot.h"

#define ICR_INIT_OTHERS	0xc4500u	/* INIT, assert, all but self */
#define ICR_SIPI_OTHERS	0xc4600u	/* start-up, all but self */

static struct call {
	void (*fn)(void *arg);
	void *arg;
	u32 busy;
} calls[MAX_CPUS];

static u32 nr_idle;

void smp_idle(u32 index)
{
	struct call *c = &calls[index];

	__atomic_fetch_add(&nr_idle, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		while (!smp_load_acquire(&c->busy))
			cpu_pause();
		c->fn(c->arg);
		smp_store_release(&c->busy, 0);
	}
}

void smp_call_async(u32 index, void (*fn)(void *arg), void *arg)
{
	struct call *c = &calls[index];

	smp_wait(index);
	c->fn = fn;
	c->arg = arg;
	smp_store_release(&c->busy, 1);
}

void smp_wait(u32 index)
{
	while (smp_load_acquire(&calls[index].busy))
		cpu_pause();
}

void smp_call(u32 index, void (*fn)(void *arg), void *arg)
{
	smp_call_async(index, fn, arg);
	smp_wait(index);
}

static void delay_us(u64 us)
{
	u64 end = rdtsc() + us * (tsc_hz() / 1000000);

	while (rdtsc() < end)
		cpu_pause();
}

bool wait_for(volatile u32 *p, u32 ms)
{
	u64 end = rdtsc() + (u64)ms * (tsc_hz() / 1000);

	while (!*p) {
		if (rdtsc() > end)
			return false;
		cpu_pause();
	}
	return true;
}

u32 smp_start(void)
{
	u32 want = (u32)option("smp", 1);
	u32 i;

	if (want > MAX_CPUS)
		want = MAX_CPUS;
	lapic_init();
	if (want < 2)
		return 1;
	memcpy((void *)(uintptr_t)AP_TRAMPOLINE, ap_trampoline,
	       (size_t)(ap_trampoline_end - ap_trampoline));
	lapic_icr(0, ICR_INIT_OTHERS);
	delay_us(10000);
	lapic_icr(0, ICR_SIPI_OTHERS | AP_TRAMPOLINE >> 12);
	delay_us(200);
	lapic_icr(0, ICR_SIPI_OTHERS | AP_TRAMPOLINE >> 12);
	for (i = 0; i < LATE_MS / 10 && READ_ONCE(nr_idle) < want - 1; i++)
		delay_us(10000);
	return READ_ONCE(nr_idle) + 1;
}
