// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reset.c - a guest that resets itself: "by=0" a triple fault, "by=1" "value" to "port"
 *
 * The real-time clock's memory outlives a reset and RAM does not: the second run says so and ends.
 */
#include "guest.h"

#define RTC		0x70
#define CELL		0x7f		/* battery-backed, nobody else's */
#define MARK		0xa7
#define FAR		0x3000000u	/* no loader writes there */

void main(void)
{
	volatile u64 *far = (volatile u64 *)(uintptr_t)FAR;
	static const struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) no_idt;

	outb(RTC, CELL);
	if (inb(RTC + 1) == MARK) {
		check_eq(*far, 0, "memory is fresh after the reset");
		return;
	}
	outb(RTC + 1, MARK);
	*far = MARK;
	print("before\n");
	if (option("by", 0))
		outb((u16)option("port", 0), (u8)option("value", 0));
	__asm__ volatile("lidt %0; ud2" : : "m"(no_idt));
}
