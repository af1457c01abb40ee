// SPDX-License-Identifier: GPL-2.0-or-later
/* tap.c - results in the form of the Test Anything Protocol, and the way out */
#include "guest.h"
#include "print.h"

#define DEBUG_EXIT	0xf4

static u32 nr_checks;
static u32 nr_failed;

bool check(bool cond, const char *fmt, ...)
{
	va_list ap;

	nr_checks++;
	if (!cond)
		nr_failed++;
	print("%s %u - ", cond ? "ok" : "not ok", nr_checks);
	va_start(ap, fmt);
	vprint(fmt, ap);
	va_end(ap);
	print("\n");
	return cond;
}

bool check_eq(u64 got, u64 want, const char *name)
{
	if (got == want)
		return check(true, "%s", name);
	return check(false, "%s: got 0x%llx, want 0x%llx", name, got, want);
}

void check_skip(const char *name, const char *reason)
{
	nr_checks++;
	print("ok %u - %s # SKIP %s\n", nr_checks, name, reason);
}

void leave(u8 code)
{
	outb(DEBUG_EXIT, code);
	for (;;) {
		irq_disable();
		__asm__ volatile("hlt");
	}
}

void finish(void)
{
	print("1..%u\n", nr_checks);
	if (nr_failed)
		print("# %u of %u failed\n", nr_failed, nr_checks);
	leave(nr_failed ? 1 : (u8)option("exit", 0));
}
