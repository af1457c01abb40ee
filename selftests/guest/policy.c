// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * policy.c - one row for each instruction the hypervisor takes away or neutralizes: what it
 * gives a guest whose CPUID does not offer it (APM vol. 3)
 */
#include "guest.h"

#define DONE	((u64)NO_FAULT)

/* RAX and RCX are 0: a harmless address or index where one is taken. */
#define ATTEMPT(name, ...)						\
static int name(void)							\
{									\
	u64 a = 0, c = 0, d = 0;					\
									\
	this_cpu()->fault = NO_FAULT;					\
	__asm__ volatile("1: .byte " __VA_ARGS__ "\n2:\n" EXTABLE("1b", "2b")	\
			 : "+a"(a), "+c"(c), "+d"(d) : : "rbx", "memory", "cc");	\
	return ((volatile struct cpu *)this_cpu())->fault;		\
}

ATTEMPT(invd, "0x0f, 0x08")
ATTEMPT(wbinvd, "0x0f, 0x09")
ATTEMPT(rdpmc, "0x0f, 0x33")
ATTEMPT(rsm, "0x0f, 0xaa")
ATTEMPT(monitor, "0x0f, 0x01, 0xc8")
ATTEMPT(mwait, "0x0f, 0x01, 0xc9")
ATTEMPT(xsetbv, "0x0f, 0x01, 0xd1")
ATTEMPT(vmrun, "0x0f, 0x01, 0xd8")
ATTEMPT(vmload, "0x0f, 0x01, 0xda")
ATTEMPT(vmsave, "0x0f, 0x01, 0xdb")
ATTEMPT(stgi, "0x0f, 0x01, 0xdc")
ATTEMPT(clgi, "0x0f, 0x01, 0xdd")
ATTEMPT(skinit, "0x0f, 0x01, 0xde")
ATTEMPT(invlpga, "0x0f, 0x01, 0xdf")
ATTEMPT(rdpru, "0x0f, 0x01, 0xfd")
ATTEMPT(invlpgb, "0x0f, 0x01, 0xfe")
ATTEMPT(tlbsync, "0x0f, 0x01, 0xff")
ATTEMPT(mcommit, "0xf3, 0x0f, 0x01, 0xfa")
ATTEMPT(vmcall, "0x0f, 0x01, 0xc1")

static const struct {
	const char *name;
	int (*attempt)(void);
	u64 want;
} rows[] = {
	{ "INVD: nothing to lose", invd, DONE },
	{ "WBINVD", wbinvd, DONE },
	{ "RDPMC: no counters", rdpmc, VEC_GP },
	{ "RSM outside SMM", rsm, VEC_UD },
	{ "MONITOR", monitor, VEC_UD },
	{ "MWAIT", mwait, VEC_UD },
	{ "XSETBV without CR4.OSXSAVE", xsetbv, VEC_UD },
	{ "VMRUN", vmrun, VEC_UD },
	{ "VMLOAD", vmload, VEC_UD },
	{ "VMSAVE", vmsave, VEC_UD },
	{ "STGI", stgi, VEC_UD },
	{ "CLGI", clgi, VEC_UD },
	{ "SKINIT", skinit, VEC_UD },
	{ "INVLPGA", invlpga, VEC_UD },
	{ "RDPRU", rdpru, VEC_UD },
	{ "INVLPGB", invlpgb, VEC_UD },
	{ "TLBSYNC", tlbsync, VEC_UD },
	{ "MCOMMIT", mcommit, VEC_UD },
	{ "VMCALL, the other vendor's", vmcall, VEC_UD },
};

/* What exists but is held back must not be offered either. */
static void offers(void)
{
	u32 a[4], b[4];

	cpuid(1, 0, a);
	cpuid(0x80000001, 0, b);
	check_eq(a[2] >> 3 & 1, 0, "CPUID does not offer MONITOR");
	check_eq(b[2] >> 2 & 1, 0, "nor SVM");
	check_eq(b[2] >> 12 & 1, 0, "nor SKINIT");
	cpuid(0x80000008, 0, b);
	check_eq(b[1] >> 3 & 3, 0, "nor INVLPGB and RDPRU");
	check_eq(b[1] >> 8 & 1, 0, "nor MCOMMIT");
}

static volatile u32 cached;

void main(void)
{
	u32 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cached = i + 1;
		check_eq((u64)rows[i].attempt(), rows[i].want, rows[i].name);
		if (cached != i + 1)
			check_eq(cached, i + 1, "memory written before it");
	}
	offers();
}
