// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * maps.c - touches every MSR and every port; the test outside counts the exits between the
 * marks (selftests/api/maps_test.c), and hands out and collects the bytes of string I/O
 */
#include "guest.h"

#define PORT_MARK	0xf8
#define PORT_GIVES	0xf9		/* bytes 0, 1, 2, ... */
#define PORT_TAKES	0xfa
#define RANGE		0x2000u
#define PAGE_A		0x1800000ull	/* physical pages that do not follow one another */
#define PAGE_B		0x1400000ull
#define LAST		511		/* window page after which nothing is mapped */

static const u32 base[] = { 0, 0xc0000000, 0xc0010000 };
static const u32 passed[] = { 0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083,
			      0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102 };
static const u32 outside[] = { 0x2000, 0x3fff, 0x80000000, 0xbfffffff, 0xc0002000, 0xc000ffff,
			       0xc0012000, 0xffffffff };

static bool is_passed(u32 msr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(passed); i++)
		if (passed[i] == msr)
			return true;
	return false;
}

static void mark(void)
{
	outb(PORT_MARK, 0);
}

static void every_msr(bool write)
{
	u32 i, j, ok = 0;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(base); i++)
		for (j = 0; j < RANGE; j++) {
			if (is_passed(base[i] + j))
				continue;
			/* All ones is wrong or harmless everywhere. */
			ok += (write ? wrmsr_safe(base[i] + j, ~0ull) : rdmsr_safe(base[i] + j, &v)) ==
			      NO_FAULT;
		}
	check(ok > 10 && ok < 600, "%u MSRs %s", ok, write ? "take all ones" : "can be read");
}

static void passed_msrs(void)
{
	u32 i, bad = 0;

	for (i = 0; i < ARRAY_SIZE(passed); i++) {
		u64 was = rdmsr(passed[i]);

		wrmsr(passed[i], was);
		bad += rdmsr(passed[i]) != was;
	}
	check_eq(bad, 0, "the guest's own MSRs keep what is written");
}

static void outside_msrs(void)
{
	u32 i, good = 0;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(outside); i++) {
		good += rdmsr_safe(outside[i], &v) == VEC_GP;
		good += wrmsr_safe(outside[i], 0) == VEC_GP;
	}
	check_eq(good, 2 * ARRAY_SIZE(outside), "MSRs in no range of the map: #GP");
}

static void every_port(void)
{
	u32 p;

	for (p = 0; p <= 0xffff; p++)
		inb((u16)p);
}

/* Accesses that end past the last port. */
static void last_ports(void)
{
	u32 v;

	__asm__ volatile("inw %%dx, %%ax" : "=a"(v) : "d"(0xffff));
	inl(0xfffd);
	inl(0xffff);
	outl(0xfffe, 0x12345678);
}

/* Bytes from PORT_GIVES over two pages that lie apart. */
static void input_string(void)
{
	u8 *a = page_window(0, PAGE_A, true), *b = page_window(1, PAGE_B, true);
	u64 n = 2000, bad = 0, i;
	u8 *to = a + 3001;

	__asm__ volatile("rep insb" : "+c"(n), "+D"(to) : "d"(PORT_GIVES) : "memory");
	for (i = 0; i < 2000; i++)
		bad += *(3001 + i < 4096 ? (u8 *)(uintptr_t)PAGE_A + 3001 + i :
			 (u8 *)(uintptr_t)PAGE_B + 3001 + i - 4096) != (u8)i;
	check_eq(bad, 0, "REP INSB over a page's end: every byte where it belongs");
	check_eq((u64)(to - b), 3001 + 2000 - 4096, "RDI after it");
	check_eq(n, 0, "RCX after it");
}

/* Words to PORT_TAKES, one of which lies in both pages. */
static void output_string(void)
{
	u8 *a = page_window(0, PAGE_A, true), *from = a + 3001;
	u64 n = 1000, i;

	page_window(1, PAGE_B, true);
	for (i = 0; i < 2000; i++)
		from[i] = (u8)(i * 7);
	__asm__ volatile("rep outsw" : "+c"(n), "+S"(from) : "d"(PORT_TAKES) : "memory");
	check_eq(n, 0, "REP OUTSW ends");
}

/* The second page is missing: a fault there, and what was done stays done. */
static void string_fault(void)
{
	u8 *end = (u8 *)page_window(LAST, PAGE_A, true) + 4096, *to = end - 8;
	u64 n = 20;

	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: rep insb\n2:\n" EXTABLE("1b", "2b")
			 : "+c"(n), "+D"(to) : "d"(PORT_GIVES) : "memory");
	check_eq((u64)((volatile struct cpu *)this_cpu())->fault, VEC_PF, "REP INSB into a hole: #PF");
	check_eq(this_cpu()->fault_addr, (uintptr_t)end, "at the hole");
	check_eq(n, 12, "after 8 bytes");
	check_eq((uintptr_t)to, (uintptr_t)end, "RDI points at the hole");
}

void main(void)
{
	u64 v;

	rdmsr_safe(0x1a0, &v);		/* the code is in memory: no exit happens twice */
	wrmsr_safe(0x1a0, v);
	mark();
	every_msr(false);
	mark();
	every_msr(true);
	mark();
	passed_msrs();
	mark();
	outside_msrs();
	mark();
	every_port();
	mark();
	last_ports();
	mark();
	input_string();
	output_string();
	string_fault();
}
