// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model.c - what a CPU model shows and what can be done with it: the level of the x86-64 psABI
 * that CPUID adds up to, and that what hardware can hold back is held back
 */
#include "guest.h"

#define CR4_OSXSAVE	(1ull << 18)

struct word {
	u32 leaf, reg, bits;
};

/* The psABI's lists, level 2 to 4 (x86-64 psABI, 3.1.1). */
static const struct word levels[3][3] = {
	{ { 1, 2, 1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23 },
	  { 0x80000001, 2, 1u << 0 } },
	{ { 1, 2, 1u << 12 | 1u << 22 | 1u << 26 | 1u << 28 | 1u << 29 },
	  { 7, 1, 1u << 3 | 1u << 5 | 1u << 8 },
	  { 0x80000001, 2, 1u << 5 } },
	{ { 7, 1, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31 } },
};

static u32 word(u32 leaf, u32 reg)
{
	u32 a[4];

	cpuid(leaf, 0, a);
	return a[reg];
}

/* How much of level @n is there: all, some, nothing. */
static u32 present(u32 n, bool *any)
{
	u32 i, missing = 0;

	*any = false;
	for (i = 0; i < 3; i++) {
		u32 have = levels[n - 2][i].bits & word(levels[n - 2][i].leaf, levels[n - 2][i].reg);

		missing += have != levels[n - 2][i].bits;
		*any |= have != 0;
	}
	return !missing;
}

/* Executes @bytes; NO_FAULT or the vector. RAX, RCX, RDX as XSETBV wants them for XCR0 = 7. */
#define ATTEMPT(bytes)							\
({									\
	u64 a_ = 7, c_ = 0, d_ = 0;					\
	this_cpu()->fault = NO_FAULT;					\
	__asm__ volatile("1: .byte " bytes "\n2:\n" EXTABLE("1b", "2b")	\
			 : "+a"(a_), "+c"(c_), "+d"(d_) : : "memory");	\
	((volatile struct cpu *)this_cpu())->fault;			\
})

static int cr4_write(u64 v)
{
	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: movq %0, %%cr4\n2:\n" EXTABLE("1b", "2b") : : "r"(v) : "memory");
	return ((volatile struct cpu *)this_cpu())->fault;
}

static int xsetbv(u32 value)
{
	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: xsetbv\n2:\n" EXTABLE("1b", "2b")
			 : : "a"(value), "c"(0), "d"(0) : "memory");
	return ((volatile struct cpu *)this_cpu())->fault;
}

#define VZEROUPPER	"0xc5, 0xf8, 0x77"
#define AVX2_XOR	"0xc5, 0xfd, 0xef, 0xc0"	/* vpxor ymm0, ymm0, ymm0 */

static void without_xsave(u64 cr4)
{
	u32 a[4];

	check_eq((u64)cr4_write(cr4 | CR4_OSXSAVE), VEC_GP, "CR4.OSXSAVE can not be set");
	check_eq((u64)ATTEMPT(VZEROUPPER), VEC_UD, "an AVX instruction");
	check_eq((u64)ATTEMPT(AVX2_XOR), VEC_UD, "and an AVX2 one: #UD");
	check_eq((u64)xsetbv(7), VEC_UD, "XSETBV too");
	cpuid(0xd, 0, a);
	check_eq(a[0] | a[1] | a[2], 0, "CPUID leaf 0xd is empty");
}

static void with_xsave(u64 cr4, u32 level)
{
	u32 a[4];

	check_eq((u64)ATTEMPT(VZEROUPPER), VEC_UD, "AVX before XCR0 allows it: #UD");
	check_eq((u64)cr4_write(cr4 | CR4_OSXSAVE), (u64)NO_FAULT, "CR4.OSXSAVE can be set");
	check_eq(word(1, 2) >> 27 & 1, 1, "and CPUID shows it");
	cpuid(0xd, 0, a);
	check_eq((a[0] >> 5 & 7) == 7, level >= 4, "leaf 0xd offers AVX-512 state from level 4 on");
	check_eq((u64)xsetbv(7), (u64)NO_FAULT, "XCR0 = 7");
	check_eq((u64)ATTEMPT(VZEROUPPER), (u64)NO_FAULT, "AVX");
	check_eq((u64)ATTEMPT(AVX2_XOR), (u64)NO_FAULT, "and AVX2 work");
	/* Where XSETBV is not intercepted (TCG) the hardware decides, and it has no such state. */
	if (level < 4)
		check_eq((u64)xsetbv(0xe7), VEC_GP, "XCR0 with AVX-512 state");
	xsetbv(7);
	cr4_write(cr4);
}

void main(void)
{
	u32 model = (u32)option("model", 0), level = 1, n;
	bool whole, any;
	u64 cr4;

	for (n = 2; n <= 4; n++) {
		whole = present(n, &any);
		if (whole && level == n - 1)
			level = n;
		if (model && n > model)
			check(!any, "nothing of level %u", n);
		else if (model)
			check(whole, "all of level %u", n);
	}
	if (model)
		check_eq(level, model, "the level that CPUID adds up to");
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	if (word(1, 2) >> 26 & 1)
		with_xsave(cr4, level);
	else
		without_xsave(cr4);
}
