// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * overlay.c - each overlay page over RAM, a hole and a read-only region; moved, disabled,
 * aliased; the memory beneath is intact afterwards
 *
 * hole=GPA: an address without memory (default 0xd0000000). ro=GPA: a page of a read-only slot.
 */
#include "hyperv.h"

#define PATTERN	0x5a5a5a5a00000000ull

static u64 ram[4][512] __attribute__((aligned(4096)));

static const struct kind {
	u32 msr;
	bool writable;
	const char *name;
} kinds[] = {
	{ TLFS_MSR_HYPERCALL, false, "hypercall" },
	{ TLFS_MSR_REFERENCE_TSC, false, "reference TSC" },
	{ TLFS_MSR_VP_ASSIST, true, "VP assist" },
	{ TLFS_MSR_SIEFP, true, "SIEFP" },
	{ TLFS_MSR_SIMP, true, "SIMP" },
};

static u64 gpa_of(u32 i)
{
	return (u64)(uintptr_t)ram[i];
}

static void fill(void)
{
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(ram); i++)
		for (j = 0; j < 512; j++)
			ram[i][j] = PATTERN + i * 512 + j;
}

static bool intact(u32 i)
{
	u32 j;

	for (j = 0; j < 512; j++)
		if (((volatile u64 *)ram[i])[j] != PATTERN + i * 512 + j)
			return false;
	return true;
}

/* What is peculiar to a page: does @p look like it? */
static bool looks_right(const struct kind *k, const volatile u64 *p)
{
	const volatile u8 *b = (const volatile u8 *)p;
	u32 j;

	if (k->msr == TLFS_MSR_HYPERCALL)
		return b[0] == 0x0f && b[1] == 0x01 && b[3] == 0xc3 && b[4095] == 0xcc;
	if (k->msr == TLFS_MSR_REFERENCE_TSC)
		return !b[4095] && !b[64];
	for (j = 0; j < 512; j++)
		if (p[j])
			return false;
	return true;
}

static void place(const struct kind *k, u64 gpa)
{
	wrmsr(k->msr, gpa | TLFS_PAGE_ENABLE);
}

/* Over RAM: shown, not writable if it should not be, follows a move, vanishes. */
static void over_ram(const struct kind *k)
{
	volatile u64 *alias;

	fill();
	place(k, gpa_of(1));
	check(looks_right(k, ram[1]), "%s: shown over RAM", k->name);
	alias = page_window(3, gpa_of(1), true);
	check(intact(0) && intact(2), "%s: its neighbours are not touched", k->name);
	if (k->writable) {
		((volatile u64 *)ram[1])[511] = 0x1234;
		check_eq(alias[511], 0x1234, "a second mapping shows the same page");
	} else {
		store_safe(gpa_of(1) + 8, 0x77);
		check(((volatile u8 *)ram[1])[8] != 0x77, "%s: guest writes change nothing", k->name);
	}
	place(k, gpa_of(2));
	check(intact(1), "%s: moved away, RAM is back", k->name);
	check(k->writable ? ((volatile u64 *)ram[2])[511] == 0x1234 : looks_right(k, ram[2]),
	      "%s: its content moved along", k->name);
	wrmsr(k->msr, gpa_of(2));
	check(intact(2), "%s: disabled, RAM is back", k->name);
	((volatile u64 *)ram[2])[5] = 1;
	place(k, gpa_of(2));
	check(looks_right(k, ram[2]), "%s: enabled anew, as at first", k->name);
	wrmsr(k->msr, 0);
	check_eq(((volatile u64 *)ram[2])[5], 1, "RAM holds what was written between");
}

static void over_other(const struct kind *k, u64 gpa, const char *what)
{
	volatile u64 *p = page_window(7, gpa, true);
	u64 before = *p;

	place(k, gpa);
	check(looks_right(k, p), "%s: shown over %s", k->name, what);
	if (k->writable) {
		p[9] = 0x4321;
		check(p[9] == 0x4321, "%s: writable over %s", k->name, what);
	}
	wrmsr(k->msr, 0);
	check(*p == before, "%s: disabled over %s, as before", k->name, what);
}

/* Two pages at one address: one is seen; when it leaves, the other. */
static void aliased(void)
{
	volatile u64 *p = ram[3];

	fill();
	place(&kinds[3], gpa_of(3));
	p[1] = 0x3333;
	place(&kinds[4], gpa_of(3));
	check(p[1] == 0x3333 || p[1] == 0, "aliased: one of the two is seen");
	wrmsr(kinds[3].msr, 0);
	check_eq(p[1], 0, "aliased: the other one shows when the first leaves");
	p[2] = 0x4444;
	wrmsr(kinds[4].msr, 0);
	check(intact(3), "aliased: both gone, RAM is back");
}

static void hypercalls_move(void)
{
	u64 (*call)(u64, u64, u64) = (void *)(uintptr_t)ram[2];
	register u64 r8 __asm__("r8") = 0;
	u64 result, control = 0x3ff, in = 0;

	place(&kinds[0], gpa_of(2));
	__asm__ volatile("call *%[page]"
			 : "=a"(result), "+c"(control), "+d"(in), "+r"(r8)
			 : [page] "r"(call) : "memory", "r9", "r10", "r11", "cc");
	check_eq(result & 0xffff, TLFS_INVALID_CODE, "a hypercall through the moved page");
	wrmsr(TLFS_MSR_HYPERCALL, 0);
}

void main(void)
{
	u64 ro = option("ro", 0);
	u32 i;

	if (!hyperv_present())
		leave(2);
	wrmsr(TLFS_MSR_GUEST_OS_ID, OS_ID);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		over_ram(&kinds[i]);
		over_other(&kinds[i], option("hole", 0xd0000000), "a hole");
		if (ro)
			over_other(&kinds[i], ro, "read-only memory");
	}
	if (!ro)
		check_skip("overlays over read-only memory", "no ro= given");
	aliased();
	hypercalls_move();
}
