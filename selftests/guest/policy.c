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
ATTEMPT(monitorx, "0x0f, 0x01, 0xfa")
ATTEMPT(mwaitx, "0x0f, 0x01, 0xfb")
ATTEMPT(pconfig, "0x0f, 0x01, 0xc5")
ATTEMPT(encls, "0x0f, 0x01, 0xcf")
ATTEMPT(getsec, "0x0f, 0x37")
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
	{ "MONITORX", monitorx, VEC_UD },
	{ "MWAITX", mwaitx, VEC_UD },
	{ "PCONFIG", pconfig, VEC_UD },
	{ "ENCLS", encls, VEC_UD },
	{ "GETSEC", getsec, VEC_UD },
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

#define MODE_OSXSAVE	(1u << 18)
#define VEC_AC		17
#define PORT_AC		0xf9

static int xsetbv_to(u32 index, u64 val)
{
	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: xsetbv\n2:\n" EXTABLE("1b", "2b")
			 : : "c"(index), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
	return ((volatile struct cpu *)this_cpu())->fault;
}

/* XSETBV once it is enabled: what CPUID offers and no more. */
static void xsetbv_enabled(void)
{
	u32 a[4], d[4];
	u64 cr4;

	cpuid(1, 0, a);
	if (!(a[2] >> 26 & 1)) {
		check_skip("XSETBV", "CPUID offers no XSAVE");
		return;
	}
	cpuid(0xd, 0, d);
	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | MODE_OSXSAVE) : "memory");
	check_eq((u64)xsetbv_to(0, 3), DONE, "XSETBV of x87 and SSE");
	check_eq((u64)xsetbv_to(0, 2), VEC_GP, "without x87");
	check_eq((u64)xsetbv_to(0, (u64)d[3] << 32 | d[0] | 1ull << 62), VEC_GP, "with more than is offered");
	check_eq((u64)xsetbv_to(1, 1), VEC_GP, "of a register that does not exist");
	check_eq((u64)xsetbv_to(0, 3), DONE, "XSETBV again");
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4) : "memory");
}

static volatile u32 ac_hits;
static volatile u64 ac_error = ~0ull;

static void on_ac(struct trap_frame *f)
{
	ac_error = f->error;
	ac_hits++;
}

/*
 * The exit for #AC passes it on as this does: user space makes it pending. An emulated CPU
 * that checks no alignment (QEMU's TCG) raises none itself.
 */
static void alignment_check(void)
{
	irq_set(VEC_AC, on_ac);
	outb(PORT_AC, 0);
	check_eq(ac_hits, 1, "#AC arrives, once");
	check_eq(ac_error, 0, "its error code is 0");
}

static volatile u32 cached;

/* No model of a CPU without them offers speculation controls: the MSRs are not there. */
static void speculation(void)
{
	u32 a[4];
	u64 v;

	cpuid(0x80000008, 0, a);
	if (a[1] >> 14 & 3 || a[1] >> 24 & 1) {
		u64 ok = (a[1] >> 14 & 3) | (a[1] >> 24 & 1) << 2;

		check_eq((u64)wrmsr_safe(0x48, ok), DONE, "SPEC_CTRL takes what CPUID offers");
		check_eq(rdmsr(0x48), ok, "and keeps it");
		check_eq((u64)wrmsr_safe(0x48, ~ok), VEC_GP, "SPEC_CTRL: a bit that is not offered");
		wrmsr(0x48, 0);
	} else {
		check_eq((u64)rdmsr_safe(0x48, &v), VEC_GP, "SPEC_CTRL that is not offered: read");
		check_eq((u64)wrmsr_safe(0x48, 0), VEC_GP, "and write");
	}
	if (a[1] >> 12 & 1)
		check_eq((u64)wrmsr_safe(0x49, 1), DONE, "PRED_CMD takes IBPB");
	else
		check_eq((u64)wrmsr_safe(0x49, 1), VEC_GP, "PRED_CMD that is not offered");
	check_eq((u64)rdmsr_safe(0x49, &v), VEC_GP, "PRED_CMD can not be read");
	check_eq(a[1] >> 25 & 1, 0, "CPUID does not offer VIRT_SPEC_CTRL");
	check_eq((u64)rdmsr_safe(0xc001011f, &v), VEC_GP, "VIRT_SPEC_CTRL");
	check_eq((u64)rdmsr_safe(0xc0011020, &v), VEC_GP, "LS_CFG, whose SSBD bit would do nothing");
}

/* Banks are not offered: nothing reads as an error, nothing can be switched on. */
static void machine_check(void)
{
	u64 v = 1;

	check(rdmsr_safe(0x179, &v) == NO_FAULT && !v, "MCG_CAP: no banks");
	check_eq((u64)wrmsr_safe(0x179, 0), VEC_GP, "it is read-only");
	check(rdmsr_safe(0x17a, &v) == NO_FAULT && !v, "MCG_STATUS is clear");
	check_eq((u64)rdmsr_safe(0x17b, &v), VEC_GP, "MCG_CTL is not there");
	check_eq((u64)rdmsr_safe(0x400, &v), VEC_GP, "nor a bank");
}

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
	xsetbv_enabled();
	alignment_check();
	speculation();
	machine_check();
}
