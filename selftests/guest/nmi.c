// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmi.c - NMIs: once each, masked until IRET, one more waits, and they wake HLT. A write to
 * port 0xf8 has user space send one to the processor of that number.
 */
#include "guest.h"

#define PORT_NMI	0xf8
#define VEC_NMI		2
#define RACES		200

static volatile u32 count[MAX_CPUS], depth[MAX_CPUS], deepest[MAX_CPUS];
static volatile u32 more;	/* the next handler sends its own processor so many */
static volatile u32 halting, woken;
static u64 rips[8];

static void nmi_send(u32 cpu)
{
	outl(PORT_NMI, cpu);
}

static void on_nmi(struct trap_frame *f)
{
	u32 me = this_cpu()->index, out[4];

	depth[me]++;
	if (depth[me] > deepest[me])
		deepest[me] = depth[me];
	if (count[me] < 8 && !me)
		rips[count[me]] = f->rip;
	count[me]++;
	for (; more && !me; more--)
		nmi_send(me);
	cpuid(0, 0, out);
	depth[me]--;
}

static void halted(void *arg)
{
	(void)arg;
	irq_disable();
	__asm__ volatile("movl $1, %0\n\thlt\n\tmovl $1, %1" : "=m"(halting), "=m"(woken) : : "memory");
}

static void spinning(void *arg)
{
	volatile u32 *stop = arg;
	u32 out[4];

	while (!*stop)
		cpuid(0, 0, out);
}

static void delay(u32 ms)
{
	volatile u32 never = 0;

	wait_for(&never, ms);
}

void main(void)
{
	volatile u32 stop = 0;
	u32 i, lost = 0;

	smp_start();
	irq_set(VEC_NMI, on_nmi);
	nmi_send(0);
	check_eq(count[0], 1, "an NMI reaches the handler");
	outb(0xf0, 0);
	check_eq(count[0], 1, "once");

	count[0] = 0;
	more = 3;
	nmi_send(0);
	check_eq(count[0], 2, "of three sent to a handler one waits, the others merge");
	check_eq(deepest[0], 1, "a handler is not interrupted");
	check_eq(rips[1], rips[0], "the one that waited comes right after IRET");
	nmi_send(0);
	check_eq(count[0], 3, "NMIs are open again");

	smp_call_async(1, halted, NULL);
	wait_for(&halting, LATE_MS);
	delay(200);
	check_eq(count[1], 0, "the halted processor sleeps");
	nmi_send(1);
	check(wait_for(&woken, LATE_MS), "an NMI wakes HLT with interrupts off");
	smp_wait(1);
	check_eq(count[1], 1, "once");

	smp_call_async(1, spinning, (void *)(uintptr_t)&stop);
	for (i = 0; i < RACES; i++) {
		count[1] = 0;
		nmi_send(1);
		lost += !wait_for(&count[1], LATE_MS);
	}
	stop = 1;
	smp_wait(1);
	check_eq(lost, 0, "NMIs lost by a running processor");
	check_eq(deepest[1], 1, "never two at a time");
}
