/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apic_regs.h - the register file of a local APIC and its priority rules
 *
 * Pure: no locks, no timers, no delivery. A write returns what is left for the caller to
 * do (enum hv_apic_act). Sources: SDM vol. 3A chapter 11 (10 in older prints), APM vol. 2
 * chapter 16.
 *
 * Who writes what: @irr, @tmr and @esr_pending are changed by any CPU with atomic bit operations; the
 * rest belongs to the thread that runs the vCPU, others may only peek at it.
 */
#ifndef _HV_X86_LIB_APIC_REGS_H
#define _HV_X86_LIB_APIC_REGS_H

#include <hv/portable.h>

/* Offsets in the xAPIC page; the x2APIC MSR is 0x800 + offset / 16. */
enum hv_apic_reg {
	HV_APIC_ID	= 0x020,
	HV_APIC_VERSION	= 0x030,
	HV_APIC_TPR	= 0x080,
	HV_APIC_APR	= 0x090,
	HV_APIC_PPR	= 0x0a0,
	HV_APIC_EOI	= 0x0b0,
	HV_APIC_RRD	= 0x0c0,
	HV_APIC_LDR	= 0x0d0,
	HV_APIC_DFR	= 0x0e0,
	HV_APIC_SVR	= 0x0f0,
	HV_APIC_ISR	= 0x100,	/* 8 registers, 16 bytes apart */
	HV_APIC_TMR	= 0x180,
	HV_APIC_IRR	= 0x200,
	HV_APIC_ESR	= 0x280,
	HV_APIC_ICR	= 0x300,
	HV_APIC_ICR2	= 0x310,
	HV_APIC_LVT0	= 0x320,	/* the first of HV_APIC_NR_LVT, 16 bytes apart */
	HV_APIC_TMICT	= 0x380,
	HV_APIC_TMCCT	= 0x390,
	HV_APIC_TDCR	= 0x3e0,
	HV_APIC_SELF	= 0x3f0,
	HV_APIC_END	= 0x400,
};

/* Local vector table entries in the order of their registers. */
enum hv_apic_lvt {
	HV_APIC_LVT_TIMER,
	HV_APIC_LVT_THERMAL,
	HV_APIC_LVT_PERF,
	HV_APIC_LVT_LINT0,
	HV_APIC_LVT_LINT1,
	HV_APIC_LVT_ERROR,
	HV_APIC_NR_LVT,
};

#define HV_APIC_LVT_MASKED	(1u << 16)
#define HV_APIC_LVT_LEVEL	(1u << 15)
#define HV_APIC_SVR_ENABLE	(1u << 8)

/* Timer mode, LVT timer bits 18:17. */
#define HV_APIC_TIMER_MODE(lvtt)	(((lvtt) >> 17) & 3)
enum hv_apic_timer_mode {
	HV_APIC_TIMER_ONESHOT = 0,
	HV_APIC_TIMER_PERIODIC = 1,
	HV_APIC_TIMER_DEADLINE = 2,
};

#define HV_APIC_ESR_SEND_ILLEGAL	(1u << 5)
#define HV_APIC_ESR_RECV_ILLEGAL	(1u << 6)
#define HV_APIC_ESR_ILLEGAL_REG		(1u << 7)

/* IA32_APIC_BASE (MSR 0x1b) */
#define HV_APIC_BASE_BSP	(1ull << 8)
#define HV_APIC_BASE_X2APIC	(1ull << 10)
#define HV_APIC_BASE_ENABLE	(1ull << 11)
#define HV_APIC_BASE_DEFAULT	0xfee00000ull
#define HV_APIC_BASE_ADDR(base)	((base) & ~0xfffull)

enum hv_apic_mode {
	HV_APIC_OFF,		/* disabled by IA32_APIC_BASE */
	HV_APIC_XAPIC,
	HV_APIC_X2APIC,
};

struct hv_apic {
	u64 irr[4];		/* atomic bits */
	u64 tmr[4];		/* atomic bits: level-triggered vectors */
	u64 esr_pending;	/* atomic bits: errors not latched in @esr yet */
	u64 isr[4];
	s32 isr_top;		/* highest vector in service, -1: none */
	u8  tpr;
	u8  ppr;
	u8  mode;		/* enum hv_apic_mode */
	bool has_deadline;	/* CPUID offers the TSC-deadline timer */
	u32 id;			/* APIC id, all 32 bits in every mode */
	u32 ldr;
	u32 dfr;
	u32 svr;
	u32 esr;		/* latched by the last write of ESR */
	u32 icr;
	u32 icr2;		/* x2APIC: all 32 bits are the destination */
	u32 lvt[HV_APIC_NR_LVT];
	u32 tmict;
	u32 tdcr;
};

/* What the caller has to do after an access. */
enum hv_apic_act {
	HV_APIC_DONE,
	HV_APIC_REFUSE,		/* x2APIC: #GP(0). xAPIC: illegal register, ESR bit 7 */
	HV_APIC_DO_EOI,
	HV_APIC_DO_PRIO,	/* TPR changed, PPR is up to date */
	HV_APIC_DO_DEST,	/* LDR, DFR or SVR changed: what hv_apic_key() gives */
	HV_APIC_DO_ICR,		/* send @icr, @icr2 */
	HV_APIC_DO_SELF,	/* fixed edge interrupt to itself, vector as written */
	HV_APIC_DO_ESR,		/* latch the pending errors */
	HV_APIC_DO_TIMER,	/* initial count written: start over */
	HV_APIC_DO_TIMER_DIV,	/* divider changed: the count goes on at the new rate */
	HV_APIC_DO_TIMER_MODE,	/* the timer's mode changed: it is disarmed */
	HV_APIC_DO_TIMER_NOW,	/* read: the current count is the caller's to tell */
};

/* Power-on values, or those of INIT (the id and mode are kept either way). */
void hv_apic_reset(struct hv_apic *a);
/* Registers that change their form with the mode: LDR is computed in x2APIC mode. */
void hv_apic_set_mode(struct hv_apic *a, enum hv_apic_mode mode);
/* Mode of an IA32_APIC_BASE value; EXTD without EN is illegal and reads as off. */
enum hv_apic_mode hv_apic_base_mode(u64 base);
/* May @old become @val? @gpa_mask: bits of a legal physical address. */
bool hv_apic_base_ok(u64 old, u64 val, bool has_x2apic, u64 gpa_mask);

/*
 * Read register @reg (a multiple of 16 below HV_APIC_END). @x2: by MSR, then the value
 * has 64 bits for ICR. HV_APIC_DONE, _REFUSE or _DO_TIMER_NOW.
 */
enum hv_apic_act hv_apic_read(const struct hv_apic *a, u32 reg, bool x2, u64 *val);
/* Write it. @x2: reserved bits are refused, else ignored. */
enum hv_apic_act hv_apic_write(struct hv_apic *a, u32 reg, bool x2, u64 val);

/*
 * The register page as a save record has it: 64 words, one for each 16 bytes.
 * hv_apic_load() -EINVAL: an id that is not @a's, or bits no APIC could hold.
 */
void hv_apic_store(const struct hv_apic *a, u32 page[64]);
int hv_apic_load(struct hv_apic *a, const u32 page[64]);

/* ---- priorities: every interrupt passes here, hence inline ---- */

/* Highest set bit of a 256-bit set, -1 if none. */
static inline int hv_apic_top(const u64 set[4])
{
	int i;

	for (i = 3; i >= 0; i--) {
		u64 word = READ_ONCE(set[i]);

		if (word)
			return i * 64 + 63 - __builtin_clzll(word);
	}
	return -1;
}

static inline bool hv_apic_bit(const u64 set[4], u8 vector)
{
	return READ_ONCE(set[vector >> 6]) >> (vector & 63) & 1;
}

/* PPR from TPR and the highest vector in service (SDM 11.8.3.1). */
static inline void hv_apic_update_ppr(struct hv_apic *a)
{
	u8 isr = a->isr_top < 0 ? 0 : (u8)(a->isr_top & 0xf0);

	WRITE_ONCE(a->ppr, (a->tpr & 0xf0) >= isr ? a->tpr : isr);
}

/* Highest requested vector, if its class is above the processor priority; else -1. */
static inline int hv_apic_deliverable(const struct hv_apic *a, int *top)
{
	*top = hv_apic_top(a->irr);
	return *top >= 0 && (*top & 0xf0) > (a->ppr & 0xf0) ? *top : -1;
}

/* @vector enters service; the caller has taken it out of IRR. It is above all others there. */
static inline void hv_apic_enter_service(struct hv_apic *a, u8 vector)
{
	a->isr[vector >> 6] |= 1ull << (vector & 63);
	a->isr_top = vector;
	hv_apic_update_ppr(a);
}

/* The highest vector leaves service: it is returned, or -1 if there was none. */
static inline int hv_apic_leave_service(struct hv_apic *a)
{
	int vector = a->isr_top;

	if (vector < 0)
		return -1;
	a->isr[vector >> 6] &= ~(1ull << (vector & 63));
	a->isr_top = hv_apic_top(a->isr);
	hv_apic_update_ppr(a);
	return vector;
}

static inline void hv_apic_set_tpr(struct hv_apic *a, u8 tpr)
{
	a->tpr = tpr;
	hv_apic_update_ppr(a);
}

static inline bool hv_apic_enabled(const struct hv_apic *a)
{
	return a->svr & HV_APIC_SVR_ENABLE;
}

#endif /* _HV_X86_LIB_APIC_REGS_H */
