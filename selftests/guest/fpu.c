// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fpu.c - x87, SSE and AVX state of every processor outlives exits of all kinds, and XCR0
 * takes what it may (APM vol. 2, 11.5). Processors outnumber the host's, so threads change
 * places all the time; user space spoils its own registers at each exit to port 0xf1.
 */
#include "guest.h"

#define PORT_SPOIL	0xf1
#define ROUNDS		300
#define CR4_OSFXSR	(3u << 9)	/* and OSXMMEXCPT */
#define CR4_OSXSAVE	(1u << 18)
#define CR0_EM		(1u << 2)
#define HAS_XSAVE	(1u << 26)
#define HAS_AVX		(1u << 28)
#define XMM_ALL(op, suffix)						\
	op(0, suffix) op(1, suffix) op(2, suffix) op(3, suffix) op(4, suffix) op(5, suffix)	\
	op(6, suffix) op(7, suffix) op(8, suffix) op(9, suffix) op(10, suffix) op(11, suffix)	\
	op(12, suffix) op(13, suffix) op(14, suffix) op(15, suffix)
#define LOAD(n, r)	"vmovdqu " #n "*32(%0), %%ymm" #n "\n\t"
#define SAVE(n, r)	"vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"
#define LOAD_SSE(n, r)	"movdqu " #n "*32(%0), %%xmm" #n "\n\t"
#define SAVE_SSE(n, r)	"movdqu %%xmm" #n ", " #n "*32(%0)\n\t"

static bool has_xsave, has_avx;
static u32 bad[MAX_CPUS], bad_control[MAX_CPUS];

struct vectors {
	u64 q[16][4];
};

static u64 read_cr4(void)
{
	u64 v;

	__asm__ volatile("movq %%cr4, %0" : "=r"(v));
	return v;
}

static void write_cr4(u64 v)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(v) : "memory");
}

static u64 xgetbv(void)
{
	u32 lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (u64)hi << 32 | lo;
}

static int xsetbv_safe(u32 index, u64 v)
{
	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: xsetbv\n2:\n" EXTABLE("1b", "2b")
			 : : "c"(index), "a"((u32)v), "d"((u32)(v >> 32)) : "memory");
	return ((volatile struct cpu *)this_cpu())->fault;
}

static void vectors_load(const struct vectors *v)
{
	if (has_avx)
		__asm__ volatile(XMM_ALL(LOAD, ) : : "r"(v) : "memory");
	else
		__asm__ volatile(XMM_ALL(LOAD_SSE, ) : : "r"(v) : "memory");
}

static void vectors_save(struct vectors *v)
{
	if (has_avx)
		__asm__ volatile(XMM_ALL(SAVE, ) : : "r"(v) : "memory");
	else
		__asm__ volatile(XMM_ALL(SAVE_SSE, ) : : "r"(v) : "memory");
}

/* A processor's own pattern; half of them hold AVX state off in XCR0 meanwhile. */
static void hold(void *arg)
{
	static struct vectors want[MAX_CPUS], got[MAX_CPUS];
	u32 me = this_cpu()->index, i, j, k, out[4];
	u32 mxcsr = 0x1f80 & ~(u32)(1u << (7 + me % 6)), mxcsr_now;
	u16 fcw = (u16)(0x37f & ~(1u << me % 6)), fcw_now;

	(void)arg;
	write_cr4(read_cr4() | CR4_OSFXSR | (has_xsave ? CR4_OSXSAVE : 0));
	if (has_xsave)
		xsetbv_safe(0, has_avx ? 7 : 3);
	for (i = 0; i < 16; i++)
		for (j = 0; j < 4; j++)
			want[me].q[i][j] = has_avx || j < 2 ?
				0x0101010101010101ull * (me * 16 + i + 1) + j : 0;
	vectors_load(&want[me]);
	__asm__ volatile("ldmxcsr %0\n\tfninit\n\tfldcw %1\n\tfldpi" : : "m"(mxcsr), "m"(fcw));
	for (k = 0; k < ROUNDS; k++) {
		outb(PORT_SPOIL, (u8)k);
		cpuid(0, 0, out);
		vectors_save(&got[me]);
		for (i = 0; i < 16; i++)
			for (j = 0; j < 4; j++)
				bad[me] += got[me].q[i][j] != want[me].q[i][j];
		__asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr_now), "=m"(fcw_now));
		bad_control[me] += mxcsr_now != mxcsr || fcw_now != fcw;
	}
}

static void pi_check(void)
{
	u64 was = 0;

	__asm__ volatile("fstpl %0" : "=m"(was));
	check_eq(was, 0x400921fb54442d18ull, "the x87 stack still holds pi");
}

static void xcr_rules(void)
{
	u64 cr4 = read_cr4();
	u32 out[4];
	u64 all;

	cpuid(0xd, 0, out);
	all = (u64)out[3] << 32 | out[0];
	write_cr4(cr4 & ~(u64)CR4_OSXSAVE);
	check_eq((u64)xsetbv_safe(0, 3), VEC_UD, "XSETBV without CR4.OSXSAVE: #UD");
	write_cr4(cr4 | CR4_OSXSAVE);
	check_eq((u64)xsetbv_safe(0, 0), VEC_GP, "XCR0 without x87: #GP");
	check_eq((u64)xsetbv_safe(0, 5), VEC_GP, "AVX without SSE: #GP");
	check_eq((u64)xsetbv_safe(0, 3 | 1ull << 63), VEC_GP, "a reserved bit: #GP");
	check_eq((u64)xsetbv_safe(0, 3 | 1ull << 5), VEC_GP, "a part of AVX-512: #GP");
	check_eq((u64)xsetbv_safe(0, all | 1ull << 17), VEC_GP, "a feature not offered: #GP");
	check_eq((u64)xsetbv_safe(1, 3), VEC_GP, "XCR1: #GP");
	check_eq((u64)xsetbv_safe(0, 1), (u64)NO_FAULT, "x87 alone is taken");
	check_eq(xgetbv(), 1, "and read back");
	check_eq((u64)xsetbv_safe(0, all), (u64)NO_FAULT, "all that CPUID offers is taken");
	outb(PORT_SPOIL, 0);
	check_eq(xgetbv(), all, "and read back after an exit");
	cpuid(1, 0, out);
	check(out[2] >> 27 & 1, "CPUID.OSXSAVE follows CR4");
}

void main(void)
{
	u32 n, i, out[4], wrong = 0, wrong_control = 0;

	cpuid(1, 0, out);
	has_xsave = out[2] & HAS_XSAVE;
	has_avx = has_xsave && out[2] & HAS_AVX;
	n = smp_start();
	for (i = 1; i < n; i++)
		smp_call_async(i, hold, NULL);
	hold(NULL);
	pi_check();
	for (i = 1; i < n; i++)
		smp_wait(i);
	for (i = 0; i < n; i++) {
		wrong += bad[i];
		wrong_control += bad_control[i];
	}
	check_eq(wrong, 0, has_avx ? "parts of YMM registers that changed" :
		 "parts of XMM registers that changed");
	check_eq(wrong_control, 0, "MXCSR and the x87 control word that changed");
	if (has_xsave)
		xcr_rules();
	else
		check_skip("XCR0", "no XSAVE here");
}
