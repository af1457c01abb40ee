// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ioapic.c - the I/O APIC: registers, edge and level pins, masks, remote IRR
 *
 * The line under test is pin 4: the UART at 0x3f8 raises it while its transmitter is empty
 * and that interrupt is enabled, until IIR is read.
 */
#include "guest.h"

#define BASE		0xfec00000u
#define PIN		4
#define VEC		0x61
#define LEVEL		0x8000u
#define MASKED		0x10000u
#define REMOTE_IRR	0x4000u

#define UART		0x3f8
#define UART_IER	(UART + 1)
#define UART_IIR	(UART + 2)
#define UART_MCR	(UART + 4)
#define IER_THRE	2

static volatile u32 got, quiet_after;

static u32 rd(u32 reg)
{
	*(volatile u32 *)(uintptr_t)BASE = reg;
	return *(volatile u32 *)(uintptr_t)(BASE + 0x10);
}

static void wr(u32 reg, u32 val)
{
	*(volatile u32 *)(uintptr_t)BASE = reg;
	*(volatile u32 *)(uintptr_t)(BASE + 0x10) = val;
}

static void redir(u32 low)
{
	wr(0x10 + 2 * PIN + 1, 0);
	wr(0x10 + 2 * PIN, low);
}

static void line_up(void)
{
	outb(UART_IER, IER_THRE);
}

static void line_down(void)
{
	outb(UART_IER, 0);
	(void)inb(UART_IIR);
}

/* Lowers the line at the interrupt number @quiet_after. */
static void on_irq(struct trap_frame *f)
{
	(void)f;
	if (++got >= quiet_after)
		line_down();
	lapic_eoi();
}

/* Take @n interrupts, and for 5 ms what else there is. */
static u32 open_irqs(u32 n)
{
	u64 end = rdtsc() + LATE_MS * (tsc_hz() / 1000);

	irq_enable();
	while (got < n && rdtsc() < end)
		cpu_pause();
	end = rdtsc() + tsc_hz() / 200;
	while (rdtsc() < end)
		cpu_pause();
	irq_disable();
	return got;
}

static void test_registers(void)
{
	u32 version = rd(1), i, bad = 0;

	check_eq(version >> 16 & 0xff, 23, "24 pins");
	check((version & 0xff) == 0x11 || (version & 0xff) == 0x20, "version %x", version & 0xff);
	wr(0, 0x0f000000);
	check_eq(rd(0), 0x0f000000, "the id has four bits");
	wr(0, 0);
	for (i = 0; i < 24; i++)
		bad += !(rd(0x10 + 2 * i) & MASKED);
	check_eq(bad, 0, "all pins start masked");
	wr(0x10 + 2 * PIN + 1, 0xa5000000);
	check_eq(rd(0x10 + 2 * PIN + 1) & 0xff000000, 0xa5000000, "the destination reads back");
	wr(0x10 + 2 * PIN, 0xffffffff);
	check_eq(rd(0x10 + 2 * PIN) & 0xffff & ~REMOTE_IRR, 0xafff, "status bits are read-only");
	redir(MASKED);
}

static void test_edge(void)
{
	got = 0;
	quiet_after = 1;
	redir(VEC);
	line_up();
	check_eq(open_irqs(1), 1, "an edge interrupts once");
	check_eq(rd(0x10 + 2 * PIN) & REMOTE_IRR, 0, "without remote IRR");
	quiet_after = 100;
	line_up();
	check_eq(open_irqs(2), 2, "and a line that stays up is no second edge");
	line_down();
}

static void test_level(void)
{
	got = 0;
	quiet_after = 5;
	redir(VEC | LEVEL);
	line_up();
	check_eq(rd(0x10 + 2 * PIN) & REMOTE_IRR, REMOTE_IRR, "remote IRR until EOI");
	check_eq(open_irqs(5), 5, "a level comes again at each EOI while it is up");
	check_eq(rd(0x10 + 2 * PIN) & REMOTE_IRR, 0, "remote IRR is clear afterwards");

	got = 0;
	quiet_after = 1;
	redir(VEC | LEVEL | MASKED);
	line_up();
	check_eq(open_irqs(0), 0, "masked: nothing");
	redir(VEC | LEVEL);
	check_eq(open_irqs(1), 1, "a level that is up when unmasked is delivered");

	got = 0;
	line_up();
	line_down();
	check_eq(open_irqs(1), 1, "one delivered before the line went down is taken");
	check_eq(rd(0x10 + 2 * PIN) & REMOTE_IRR, 0, "and ends there");
}

static void test_eoi_register(void)
{
	if ((rd(1) & 0xff) < 0x20) {
		check_skip("the EOI register", "version below 0x20");
		return;
	}
	got = 0;
	quiet_after = 1;
	redir(VEC | LEVEL);
	line_up();
	check_eq(rd(0x10 + 2 * PIN) & REMOTE_IRR, REMOTE_IRR, "raised");
	outb(UART_IER, 0);
	(void)inb(UART_IIR);
	*(volatile u32 *)(uintptr_t)(BASE + 0x40) = VEC;
	check_eq(rd(0x10 + 2 * PIN) & REMOTE_IRR, 0, "the EOI register clears remote IRR");
	open_irqs(0);
}

static void test_odd(void)
{
	(void)*(volatile u8 *)(uintptr_t)(BASE + 1);
	(void)*(volatile u64 *)(uintptr_t)(BASE + 0x10);
	(void)*(volatile u32 *)(uintptr_t)(BASE + 0xff0);
	*(volatile u8 *)(uintptr_t)(BASE + 0x11) = 1;
	*(volatile u16 *)(uintptr_t)(BASE + 0xffe) = 1;
	wr(0xff, 0x12345678);
	(void)rd(0xff);
	check(true, "odd accesses are survived");
}

void main(void)
{
	lapic_init();
	irq_set(VEC, on_irq);
	outb(UART_MCR, 0x0b);	/* OUT2 lets the line through */
	line_down();
	test_registers();
	test_edge();
	test_level();
	test_eoi_register();
	test_odd();
	redir(MASKED);
}
