// SPDX-License-Identifier: GPL-2.0-or-later
/* print.c - formatted output on the first UART */
#include <stdarg.h>
#include "guest.h"
#include "print.h"

#define UART	0x3f8

static void put(char c)
{
	if (c == '\n')
		outb(UART, '\r');
	outb(UART, (u8)c);
}

static void put_number(u64 v, unsigned int base, unsigned int width)
{
	char buf[24];
	unsigned int n = 0;

	do {
		buf[n++] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v);
	while (width-- > n)
		put('0');
	while (n)
		put(buf[--n]);
}

void vprint(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		unsigned int width = 0, longs = 0;
		const char *s;
		s64 d;

		if (*fmt != '%') {
			put(*fmt);
			continue;
		}
		for (fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (unsigned int)(*fmt - '0');
		for (; *fmt == 'l'; fmt++)
			longs++;
		switch (*fmt) {
		case 'd':
			d = longs ? va_arg(ap, s64) : va_arg(ap, int);
			if (d < 0)
				put('-');
			put_number((u64)(d < 0 ? -d : d), 10, 1);
			break;
		case 'u':
			put_number(longs ? va_arg(ap, u64) : va_arg(ap, unsigned int), 10, 1);
			break;
		case 'x':
			put_number(longs ? va_arg(ap, u64) : va_arg(ap, unsigned int), 16,
				   width ? width : 1);
			break;
		case 's':
			for (s = va_arg(ap, const char *); *s; s++)
				put(*s);
			break;
		case 'c':
			put((char)va_arg(ap, int));
			break;
		case '%':
			put('%');
			break;
		default:
			return;		/* not in the contract of guest.h */
		}
	}
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
}
