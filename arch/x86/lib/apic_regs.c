// SPDX-License-Identifier: GPL-2.0-or-later
/* The register file of a local APIC: access rules, reset, modes, save form. */
#include "apic_regs.h"

/* Version 0x14 (integrated, x2APIC capable), highest LVT entry 5, no EOI-broadcast suppression. */
#define APIC_VERSION	(0x14u | (HV_APIC_NR_LVT - 1) << 16)

#define LVT_VECTOR	0x000ffu
#define LVT_DELIVERY	0x00700u	/* delivery mode */
#define LVT_INPUT	0x0a000u	/* polarity, trigger mode: LINT pins alone */
#define LVT_TIMER_MODE	0x60000u

/* Bits software can write in each LVT entry. */
static const u32 lvt_bits[HV_APIC_NR_LVT] = {
	[HV_APIC_LVT_TIMER]   = LVT_VECTOR | HV_APIC_LVT_MASKED | LVT_TIMER_MODE,
	[HV_APIC_LVT_THERMAL] = LVT_VECTOR | HV_APIC_LVT_MASKED | LVT_DELIVERY,
	[HV_APIC_LVT_PERF]    = LVT_VECTOR | HV_APIC_LVT_MASKED | LVT_DELIVERY,
	[HV_APIC_LVT_LINT0]   = LVT_VECTOR | HV_APIC_LVT_MASKED | LVT_DELIVERY | LVT_INPUT,
	[HV_APIC_LVT_LINT1]   = LVT_VECTOR | HV_APIC_LVT_MASKED | LVT_DELIVERY | LVT_INPUT,
	[HV_APIC_LVT_ERROR]   = LVT_VECTOR | HV_APIC_LVT_MASKED,
};

#define SVR_BITS	0x3ffu		/* vector, enable, focus checking */
#define TDCR_BITS	0xbu
#define ICR_BITS	0xccfffu	/* delivery status reads as zero: sending is immediate */
#define ICR_X2_IGNORED	0x1000u		/* software that keeps the xAPIC busy bit is let off */

enum {
	R_X = 1 << 0,			/* readable as xAPIC */
	W_X = 1 << 1,
	R_2 = 1 << 2,			/* readable as x2APIC */
	W_2 = 1 << 3,
	RO = R_X | R_2,
	WO = W_X | W_2,
	RW = RO | WO,
};

static const u8 access_rule[HV_APIC_END / 16] = {
	[HV_APIC_ID / 16]	= RO | W_X,	/* the xAPIC id does not change: writes are dropped */
	[HV_APIC_VERSION / 16]	= RO,
	[HV_APIC_TPR / 16]	= RW,
	[HV_APIC_APR / 16]	= R_X,
	[HV_APIC_PPR / 16]	= RO,
	[HV_APIC_EOI / 16]	= WO,
	[HV_APIC_RRD / 16]	= R_X,
	[HV_APIC_LDR / 16]	= RO | W_X,
	[HV_APIC_DFR / 16]	= R_X | W_X,
	[HV_APIC_SVR / 16]	= RW,
	[HV_APIC_ISR / 16 ... HV_APIC_ISR / 16 + 23] = RO,	/* ISR, TMR, IRR */
	[HV_APIC_ESR / 16]	= RW,
	[HV_APIC_ICR / 16]	= RW,
	[HV_APIC_ICR2 / 16]	= R_X | W_X,
	[HV_APIC_LVT0 / 16 ... HV_APIC_LVT0 / 16 + HV_APIC_NR_LVT - 1] = RW,
	[HV_APIC_TMICT / 16]	= RW,
	[HV_APIC_TMCCT / 16]	= RO,
	[HV_APIC_TDCR / 16]	= RW,
	[HV_APIC_SELF / 16]	= W_2,
};

static u32 x2apic_ldr(u32 id)
{
	return (id & ~0xfu) << 12 | 1u << (id & 0xf);
}

static u32 id_reg(const struct hv_apic *a)
{
	return a->mode == HV_APIC_X2APIC ? a->id : a->id << 24;
}

void hv_apic_reset(struct hv_apic *a)
{
	unsigned int i;

	memset(a->irr, 0, sizeof(a->irr));
	memset(a->tmr, 0, sizeof(a->tmr));
	memset(a->isr, 0, sizeof(a->isr));
	a->isr_top = -1;
	a->ldr = a->mode == HV_APIC_X2APIC ? x2apic_ldr(a->id) : 0;
	a->dfr = ~0u;
	a->svr = 0xff;
	a->esr = 0;
	a->esr_pending = 0;
	a->icr = 0;
	a->icr2 = 0;
	a->tmict = 0;
	a->tdcr = 0;
	for (i = 0; i < HV_APIC_NR_LVT; i++)
		a->lvt[i] = HV_APIC_LVT_MASKED;
	hv_apic_set_tpr(a, 0);
}

void hv_apic_set_mode(struct hv_apic *a, enum hv_apic_mode mode)
{
	u8 old = a->mode;

	if (old == mode)
		return;
	a->mode = (u8)mode;
	if (old == HV_APIC_OFF || mode == HV_APIC_OFF) {
		hv_apic_reset(a);
	} else if (mode == HV_APIC_X2APIC) {
		a->ldr = x2apic_ldr(a->id);
		a->icr2 = 0;
	}
}

enum hv_apic_mode hv_apic_base_mode(u64 base)
{
	if (!(base & HV_APIC_BASE_ENABLE))
		return HV_APIC_OFF;
	return base & HV_APIC_BASE_X2APIC ? HV_APIC_X2APIC : HV_APIC_XAPIC;
}

/* Legal transitions: SDM vol. 3A, 11.12.5, figure "local x2APIC state transitions". */
bool hv_apic_base_ok(u64 old, u64 val, bool has_x2apic, u64 gpa_mask)
{
	u64 legal = HV_APIC_BASE_BSP | HV_APIC_BASE_ENABLE | HV_APIC_BASE_ADDR(gpa_mask);
	enum hv_apic_mode from = hv_apic_base_mode(old), to = hv_apic_base_mode(val);

	if (has_x2apic)
		legal |= HV_APIC_BASE_X2APIC;
	if (val & ~legal)
		return false;
	if ((val & HV_APIC_BASE_X2APIC) && to != HV_APIC_X2APIC)
		return false;
	if (from == HV_APIC_OFF && to == HV_APIC_X2APIC)
		return false;
	return !(from == HV_APIC_X2APIC && to == HV_APIC_XAPIC);
}

/* 32 bits of a vector set: register @n of 8. */
static u32 set_word(const u64 set[4], u32 n)
{
	return (u32)(READ_ONCE(set[n / 2]) >> (n & 1) * 32);
}

static u32 read_plain(const struct hv_apic *a, u32 reg)
{
	switch (reg) {
	case HV_APIC_ID:
		return id_reg(a);
	case HV_APIC_VERSION:
		return APIC_VERSION;
	case HV_APIC_TPR:
		return a->tpr;
	case HV_APIC_APR:	/* arbitration ended with the APIC bus; PPR is its lower bound */
	case HV_APIC_PPR:
		return a->ppr;
	case HV_APIC_LDR:
		return a->ldr;
	case HV_APIC_DFR:
		return a->dfr;
	case HV_APIC_SVR:
		return a->svr;
	case HV_APIC_ISR ... HV_APIC_ISR + 0x70:
		return set_word(a->isr, (reg - HV_APIC_ISR) / 16);
	case HV_APIC_TMR ... HV_APIC_TMR + 0x70:
		return set_word(a->tmr, (reg - HV_APIC_TMR) / 16);
	case HV_APIC_IRR ... HV_APIC_IRR + 0x70:
		return set_word(a->irr, (reg - HV_APIC_IRR) / 16);
	case HV_APIC_ESR:
		return a->esr;
	case HV_APIC_ICR:
		return a->icr;
	case HV_APIC_ICR2:
		return a->icr2;
	case HV_APIC_LVT0 ... HV_APIC_LVT0 + (HV_APIC_NR_LVT - 1) * 16:
		return a->lvt[(reg - HV_APIC_LVT0) / 16];
	case HV_APIC_TMICT:
		return HV_APIC_TIMER_MODE(a->lvt[HV_APIC_LVT_TIMER]) == HV_APIC_TIMER_DEADLINE ?
		       0 : a->tmict;
	case HV_APIC_TDCR:
		return a->tdcr;
	default:
		return 0;
	}
}

enum hv_apic_act hv_apic_read(const struct hv_apic *a, u32 reg, bool x2, u64 *val)
{
	*val = 0;
	if (reg >= HV_APIC_END || !(access_rule[reg / 16] & (x2 ? R_2 : R_X)))
		return HV_APIC_REFUSE;
	if (reg == HV_APIC_TMCCT)
		return HV_APIC_DO_TIMER_NOW;
	*val = read_plain(a, reg);
	if (x2 && reg == HV_APIC_ICR)
		*val |= (u64)a->icr2 << 32;
	return HV_APIC_DONE;
}

static enum hv_apic_act write_svr(struct hv_apic *a, u32 val)
{
	unsigned int i;

	a->svr = val & SVR_BITS;
	if (!hv_apic_enabled(a))	/* SDM 11.4.7.2: the whole LVT is masked */
		for (i = 0; i < HV_APIC_NR_LVT; i++)
			WRITE_ONCE(a->lvt[i], a->lvt[i] | HV_APIC_LVT_MASKED);
	return HV_APIC_DO_DEST;
}

static enum hv_apic_act write_lvt(struct hv_apic *a, unsigned int n, bool x2, u32 val)
{
	u32 bits = lvt_bits[n], old = a->lvt[n];

	if (n == HV_APIC_LVT_TIMER && !a->has_deadline)
		bits &= ~(HV_APIC_TIMER_DEADLINE << 17);
	/* Bits 12 and 14 are read-only, not reserved. */
	if (x2 && (val & ~(bits | 0x5000u)))
		return HV_APIC_REFUSE;
	val &= bits;
	if (!hv_apic_enabled(a))
		val |= HV_APIC_LVT_MASKED;
	WRITE_ONCE(a->lvt[n], val);
	if (n != HV_APIC_LVT_TIMER || HV_APIC_TIMER_MODE(old) == HV_APIC_TIMER_MODE(val))
		return HV_APIC_DONE;
	return HV_APIC_DO_TIMER_MODE;
}

static enum hv_apic_act write_icr(struct hv_apic *a, bool x2, u64 val)
{
	if (x2 && (val & ~((u64)ICR_BITS | ICR_X2_IGNORED) & ~0u))
		return HV_APIC_REFUSE;
	a->icr = (u32)val & ICR_BITS;
	if (x2)
		a->icr2 = (u32)(val >> 32);
	return HV_APIC_DO_ICR;
}

/* Registers whose reserved bits x2APIC refuses; the others have rules of their own. */
static u64 reserved_x2(u32 reg)
{
	switch (reg) {
	case HV_APIC_TPR:
	case HV_APIC_SELF:
		return ~0xffull;
	case HV_APIC_EOI:
	case HV_APIC_ESR:
		return ~0ull;
	case HV_APIC_SVR:
		return ~(u64)SVR_BITS;
	case HV_APIC_TDCR:
		return ~(u64)TDCR_BITS;
	case HV_APIC_ICR:
		return 0;
	default:
		return ~0xffffffffull;
	}
}

enum hv_apic_act hv_apic_write(struct hv_apic *a, u32 reg, bool x2, u64 val)
{
	u32 v = (u32)val;

	if (reg >= HV_APIC_END || !(access_rule[reg / 16] & (x2 ? W_2 : W_X)))
		return HV_APIC_REFUSE;
	if (x2 && (val & reserved_x2(reg)))
		return HV_APIC_REFUSE;

	switch (reg) {
	case HV_APIC_TPR:
		hv_apic_set_tpr(a, (u8)v);
		return HV_APIC_DO_PRIO;
	case HV_APIC_EOI:
		return HV_APIC_DO_EOI;
	case HV_APIC_LDR:
		a->ldr = v & 0xff000000;
		return HV_APIC_DO_DEST;
	case HV_APIC_DFR:
		a->dfr = v | 0x0fffffff;
		return HV_APIC_DO_DEST;
	case HV_APIC_SVR:
		return write_svr(a, v);
	case HV_APIC_ESR:
		return HV_APIC_DO_ESR;
	case HV_APIC_ICR:
		return write_icr(a, x2, val);
	case HV_APIC_ICR2:
		a->icr2 = v & 0xff000000;
		return HV_APIC_DONE;
	case HV_APIC_LVT0 ... HV_APIC_LVT0 + (HV_APIC_NR_LVT - 1) * 16:
		return write_lvt(a, (reg - HV_APIC_LVT0) / 16, x2, v);
	case HV_APIC_TMICT:
		/* Ignored in deadline mode (SDM 11.5.4.1). */
		if (HV_APIC_TIMER_MODE(a->lvt[HV_APIC_LVT_TIMER]) == HV_APIC_TIMER_DEADLINE)
			return HV_APIC_DONE;
		a->tmict = v;
		return HV_APIC_DO_TIMER;
	case HV_APIC_TDCR:
		a->tdcr = v & TDCR_BITS;
		return HV_APIC_DO_TIMER_DIV;
	case HV_APIC_SELF:
		return HV_APIC_DO_SELF;
	default:		/* the id of an xAPIC */
		return HV_APIC_DONE;
	}
}

static void store_set(const u64 set[4], u32 *words)
{
	u32 i;

	for (i = 0; i < 8; i++)
		words[i] = set_word(set, i);
}

static void load_set(u64 set[4], const u32 *words)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		WRITE_ONCE(set[i], words[2 * i] | (u64)words[2 * i + 1] << 32);
	/* Vectors below 16 do not exist. */
	set[0] &= ~0xffffull;
}

void hv_apic_store(const struct hv_apic *a, u32 page[64])
{
	unsigned int i;

	memset(page, 0, 64 * sizeof(*page));
	page[HV_APIC_ID / 16] = id_reg(a);
	page[HV_APIC_VERSION / 16] = APIC_VERSION;
	page[HV_APIC_TPR / 16] = a->tpr;
	page[HV_APIC_PPR / 16] = a->ppr;
	page[HV_APIC_LDR / 16] = a->ldr;
	page[HV_APIC_DFR / 16] = a->dfr;
	page[HV_APIC_SVR / 16] = a->svr;
	store_set(a->isr, page + HV_APIC_ISR / 16);
	store_set(a->tmr, page + HV_APIC_TMR / 16);
	store_set(a->irr, page + HV_APIC_IRR / 16);
	page[HV_APIC_ESR / 16] = a->esr;
	page[HV_APIC_ICR / 16] = a->icr;
	page[HV_APIC_ICR2 / 16] = a->icr2;
	for (i = 0; i < HV_APIC_NR_LVT; i++)
		page[HV_APIC_LVT0 / 16 + i] = a->lvt[i];
	page[HV_APIC_TMICT / 16] = a->tmict;
	page[HV_APIC_TDCR / 16] = a->tdcr;
}

int hv_apic_load(struct hv_apic *a, const u32 page[64])
{
	unsigned int i;

	if (page[HV_APIC_ID / 16] != id_reg(a) || page[HV_APIC_TPR / 16] > 0xff ||
	    page[HV_APIC_SVR / 16] & ~SVR_BITS || page[HV_APIC_TDCR / 16] & ~TDCR_BITS ||
	    page[HV_APIC_ICR / 16] & ~ICR_BITS)
		return -EINVAL;
	if (a->mode == HV_APIC_X2APIC && page[HV_APIC_LDR / 16] != x2apic_ldr(a->id))
		return -EINVAL;
	for (i = 0; i < HV_APIC_NR_LVT; i++)
		if (page[HV_APIC_LVT0 / 16 + i] & ~lvt_bits[i])
			return -EINVAL;
	if (!a->has_deadline && HV_APIC_TIMER_MODE(page[HV_APIC_LVT0 / 16]) >= HV_APIC_TIMER_DEADLINE)
		return -EINVAL;

	a->ldr = page[HV_APIC_LDR / 16];
	a->dfr = page[HV_APIC_DFR / 16] | 0x0fffffff;
	a->svr = page[HV_APIC_SVR / 16];
	load_set(a->isr, page + HV_APIC_ISR / 16);
	load_set(a->tmr, page + HV_APIC_TMR / 16);
	load_set(a->irr, page + HV_APIC_IRR / 16);
	a->esr = page[HV_APIC_ESR / 16] & 0xff;
	a->icr = page[HV_APIC_ICR / 16];
	a->icr2 = page[HV_APIC_ICR2 / 16];
	for (i = 0; i < HV_APIC_NR_LVT; i++)
		WRITE_ONCE(a->lvt[i], page[HV_APIC_LVT0 / 16 + i]);
	a->tmict = page[HV_APIC_TMICT / 16];
	a->tdcr = page[HV_APIC_TDCR / 16];
	a->isr_top = hv_apic_top(a->isr);
	hv_apic_set_tpr(a, (u8)page[HV_APIC_TPR / 16]);
	return 0;
}
