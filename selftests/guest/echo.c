// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * echo.c - a guest for the tests of hvctl: gives back what is typed, powers off when the power button is
 * pressed, and does odd things on demand
 *
 *	!	reset through the ACPI register
 *	#	triple fault
 *	$	write 7 to isa-debug-exit
 *	deaf=1 on the command line: the button is not looked at
 */
#include "guest.h"

#define UART_DATA	0x3f8
#define UART_LSR	0x3fd
#define LSR_DATA	0x01
#define PM_STATUS_HIGH	0x401		/* upper half of PM1a status */
#define PM_CONTROL	0x404
#define PM_RESET	0x408
#define PWRBTN		0x01		/* in the upper half */
#define S5		0x3400		/* SLP_TYP 5, SLP_EN */
#define DEBUG_EXIT	0xf4

static void outw(u16 port, u16 val)
{
	__asm__ volatile("outw %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static void triple_fault(void)
{
	static const struct { u16 limit; u64 base; } __attribute__((packed)) none;

	__asm__ volatile("lidt %0\n\tud2" : : "m"(none));
}

static void typed(u8 c)
{
	switch (c) {
	case '!':
		outb(PM_RESET, 1);
		break;
	case '#':
		triple_fault();
		break;
	case '$':
		outl(DEBUG_EXIT, 7);
		break;
	default:
		outb(UART_DATA, c);
		break;
	}
}

void main(void)
{
	bool deaf = option("deaf", 0);

	print("echo guest\n");
	for (;;) {
		if (inb(UART_LSR) & LSR_DATA)
			typed(inb(UART_DATA));
		if (!deaf && inb(PM_STATUS_HIGH) & PWRBTN) {
			print("button\n");
			outw(PM_CONTROL, S5);
		}
		for (unsigned int i = 0; i < 20000; i++)	/* leave the host some time */
			cpu_pause();
	}
}
