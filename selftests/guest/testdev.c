// SPDX-License-Identifier: GPL-2.0-or-later
/* testdev.c - the ports and memory of pc-testdev, as QEMU's device of that name has them */
#include "guest.h"

#define LATCH		0xe0
#define LINES		0x2000
#define MEM		0xff000000u
#define IOAPIC		0xfec00000u
#define PIN		10
#define VEC		0x62

static volatile u32 got;

static void outw(u16 port, u16 val)
{
	__asm__ volatile("outw %0, %1" : : "a"(val), "Nd"(port));
}

static u16 inw(u16 port)
{
	u16 val;

	__asm__ volatile("inw %1, %0" : "=a"(val) : "Nd"(port));
	return val;
}

static void wr(u32 reg, u32 val)
{
	*(volatile u32 *)(uintptr_t)IOAPIC = reg;
	*(volatile u32 *)(uintptr_t)(IOAPIC + 0x10) = val;
}

static void on_irq(struct trap_frame *f)
{
	(void)f;
	got++;
	lapic_eoi();
}

static void test_latch(void)
{
	outl(LATCH, 0x12345678);
	check_eq(inl(LATCH), 0x12345678, "the latch keeps 4 bytes");
	outw(LATCH, 0xabcd);
	check_eq(inw(LATCH), 0xabcd, "the latch keeps 2 bytes");
	outb(LATCH, 0x5a);
	check_eq(inb(LATCH), 0x5a, "the latch keeps 1 byte");
}

static void test_memory(void)
{
	volatile u8 *m8 = (volatile u8 *)(uintptr_t)MEM;
	volatile u64 *m64 = (volatile u64 *)(uintptr_t)MEM;

	*m64 = 0x1122334455667788ull;
	check_eq(*m64, 0x1122334455667788ull, "its memory keeps 8 bytes");
	check_eq(m8[6], 0x22, "bytes of it are where they belong");
	m8[0xffff] = 0x77;
	check_eq(m8[0xffff], 0x77, "its last byte");
	check_eq(m8[6], 0x22, "the last byte is not the first ones");
}

static void test_line(void)
{
	lapic_init();
	irq_set(VEC, on_irq);
	wr(0x10 + 2 * PIN + 1, lapic_id() << 24);
	wr(0x10 + 2 * PIN, VEC);
	irq_enable();
	outb(LINES + PIN, 1);
	check(wait_for(&got, LATE_MS), "raising line %u interrupts", PIN);
	outb(LINES + PIN, 0);
	outb(LINES + PIN, 1);
	wait_for(&got, LATE_MS);
	irq_disable();
	check_eq(got, 2, "an edge for each rise");
	outb(LINES + PIN, 0);
	wr(0x10 + 2 * PIN, 0x10000);
}

void main(void)
{
	test_latch();
	test_memory();
	test_line();
}
