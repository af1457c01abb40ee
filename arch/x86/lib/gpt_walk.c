// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gpt_walk.c - walker of the guest's page tables, see gpt_walk.h
 *
 * A walk reads the entries from the top down and remembers them, decides
 * whether the access is allowed, and only then sets accessed and dirty bits,
 * each with a compare-and-exchange against what was read. If an entry changed
 * meanwhile the walk starts again.
 */
#include "gpt_walk.h"

#define CR0_WP		(1ull << 16)
#define CR0_PG		(1ull << 31)
#define CR4_PSE		(1ull << 4)
#define CR4_PAE		(1ull << 5)
#define CR4_LA57	(1ull << 12)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define CR4_PKE		(1ull << 22)
#define EFER_LMA	(1ull << 10)
#define EFER_NX		(1ull << 11)

#define MAX_LEVELS	5
#define MAX_RESTARTS	8

/* What one walk has seen: entry and its address by level, 1..levels. */
struct trail {
	u64 entry[MAX_LEVELS + 1];
	u64 at[MAX_LEVELS + 1];
	unsigned int leaf;	/* level of the leaf or of the faulting entry */
	bool nonpresent;
	bool reserved;
};

static u64 bits(unsigned int first, unsigned int last)
{
	return first > last ? 0 : (~0ull >> (63 - last)) & (~0ull << first);
}

static void init_rsvd32(struct hv_gpt_mode *mode, const struct hv_gpt_regs *regs)
{
	/* 4 MiB entry: bits 13..20 hold address bits 32..39 (PSE-36), else reserved. */
	unsigned int high = regs->pse36 ? min_t(unsigned int, regs->maxphyaddr, 40) - 32 : 0;

	mode->rsvd_large[2] = bits(13 + high, 21);
}

static void init_rsvd64(struct hv_gpt_mode *mode, const struct hv_gpt_regs *regs)
{
	u64 addr = bits(regs->maxphyaddr, 51) | (mode->nx ? 0 : HV_GPTE_NX);
	unsigned int level;

	if (mode->levels == 3)
		addr |= bits(52, 62);
	for (level = 1; level <= mode->levels; level++)
		mode->rsvd[level] = addr;
	mode->rsvd_large[2] = addr | bits(13, 20);
	mode->rsvd_large[3] = addr | bits(13, 29) | (regs->gb_pages ? 0 : HV_GPTE_PS);
	for (level = 4; level <= mode->levels; level++)
		mode->rsvd[level] |= HV_GPTE_PS;
	if (mode->levels == 3) {
		/* PDPTEs are registers: checked when loaded, so here bits are only cut. */
		mode->rsvd[3] = 0;
		for (level = 0; level < 4; level++)
			mode->pdpte[level] = regs->pdpte[level] & bits(0, regs->maxphyaddr - 1u);
	}
}

int hv_gpt_mode_init(struct hv_gpt_mode *mode, const struct hv_gpt_regs *regs)
{
	if (regs->maxphyaddr < 32 || regs->maxphyaddr > 52)
		return -EINVAL;
	*mode = (struct hv_gpt_mode){ .pkru = regs->pkru };
	if (!(regs->cr0 & CR0_PG))
		return 0;
	mode->wp = regs->cr0 & CR0_WP;
	mode->smep = regs->cr4 & CR4_SMEP;
	mode->smap = regs->cr4 & CR4_SMAP;
	mode->entry = 8;
	mode->bits = 9;
	if (!(regs->cr4 & CR4_PAE)) {
		mode->levels = 2;
		mode->entry = 4;
		mode->bits = 10;
		mode->pse = regs->cr4 & CR4_PSE;
		mode->root = regs->cr3 & 0xfffff000;
		init_rsvd32(mode, regs);
		return 0;
	}
	mode->nx = regs->efer & EFER_NX;
	if (regs->efer & EFER_LMA) {
		mode->levels = regs->cr4 & CR4_LA57 ? 5 : 4;
		mode->root = regs->cr3 & HV_GPTE_ADDR & bits(0, regs->maxphyaddr - 1u);
		mode->pke = regs->cr4 & CR4_PKE;
	} else {
		mode->levels = 3;
		mode->root = regs->cr3 & 0xffffffe0;
	}
	init_rsvd64(mode, regs);
	return 0;
}

static bool is_leaf(const struct hv_gpt_mode *mode, unsigned int level, u64 entry)
{
	if (level == 1)
		return true;
	if (!(entry & HV_GPTE_PS))
		return false;
	if (mode->levels == 2)
		return mode->pse;
	/* In PAE mode level 3 is a PDPTE; at 4 and 5 the bit is reserved. */
	return level == 2 || (level == 3 && mode->levels > 3);
}

static unsigned int level_shift(const struct hv_gpt_mode *mode, unsigned int level)
{
	return 12 + mode->bits * (level - 1);
}

/* Reads entries from the top down to the leaf, or to one that ends the walk. */
static int collect(const struct hv_gpt_mode *mode, const struct hv_gpt_ops *ops, void *cookie,
		   u64 gva, struct trail *t)
{
	unsigned int level, index;
	u64 table = mode->root, rsvd;
	int ret;

	t->nonpresent = t->reserved = false;
	for (level = mode->levels; ; level--) {
		index = (unsigned int)(gva >> level_shift(mode, level)) & ((1u << mode->bits) - 1);
		t->leaf = level;
		t->at[level] = table + index * mode->entry;
		if (mode->levels == 3 && level == 3) {
			t->entry[3] = mode->pdpte[index & 3];
		} else {
			t->entry[level] = 0;
			ret = ops->read(cookie, t->at[level], &t->entry[level], mode->entry);
			if (ret)
				return ret;
		}
		if (!(t->entry[level] & HV_GPTE_P)) {
			t->nonpresent = true;
			return 0;
		}
		rsvd = mode->rsvd[level];
		if (level > 1 && is_leaf(mode, level, t->entry[level]))
			rsvd = mode->rsvd_large[level];
		if (t->entry[level] & rsvd) {
			t->reserved = true;
			return 0;
		}
		if (is_leaf(mode, level, t->entry[level]))
			return 0;
		table = t->entry[level] & HV_GPTE_ADDR;
	}
}

static u8 rights_of(const struct hv_gpt_mode *mode, const struct trail *t)
{
	u64 all = ~0ull, any = 0;
	unsigned int level;
	u8 rights = 0;

	for (level = t->leaf; level <= mode->levels; level++) {
		if (mode->levels == 3 && level == 3)	/* PDPTEs carry no rights */
			continue;
		all &= t->entry[level];
		any |= t->entry[level];
	}
	if (all & HV_GPTE_RW)
		rights |= HV_GPT_R_WRITE;
	if (all & HV_GPTE_US)
		rights |= HV_GPT_R_USER;
	if (!(mode->nx && (any & HV_GPTE_NX)))
		rights |= HV_GPT_R_EXEC;
	if (t->entry[t->leaf] & HV_GPTE_D)
		rights |= HV_GPT_R_DIRTY;
	return rights;
}

/* Protection key of a user page: data accesses only, whoever makes them. */
static bool pkey_denies(const struct hv_gpt_mode *mode, u64 leaf, u8 rights, u32 access)
{
	u32 key;

	if (!mode->pke || !(rights & HV_GPT_R_USER) || (access & HV_GPT_FETCH))
		return false;
	key = mode->pkru >> ((leaf >> 59 & 15) * 2);
	if (key & 1)
		return true;
	return (key & 2) && (access & HV_GPT_WRITE) && ((access & HV_GPT_USER) || mode->wp);
}

static bool denied(const struct hv_gpt_mode *mode, u8 rights, u32 access)
{
	bool user_page = rights & HV_GPT_R_USER;

	if ((access & HV_GPT_FETCH) && !(rights & HV_GPT_R_EXEC))
		return true;
	if (access & HV_GPT_USER)
		return !user_page || ((access & HV_GPT_WRITE) && !(rights & HV_GPT_R_WRITE));
	if (user_page && (access & HV_GPT_FETCH))
		return mode->smep;
	if (user_page && mode->smap && !(access & HV_GPT_AC))
		return true;
	return (access & HV_GPT_WRITE) && !(rights & HV_GPT_R_WRITE) && mode->wp;
}

/*
 * Sets accessed bits on the way and the dirty bit of the leaf.
 * Return: 0, 1 when an entry changed, or a negative errno.
 */
static int mark(const struct hv_gpt_mode *mode, const struct hv_gpt_ops *ops, void *cookie,
		struct trail *t, bool write)
{
	unsigned int level;
	u64 want;
	int ret;

	for (level = mode->levels; level >= t->leaf; level--) {
		if (mode->levels == 3 && level == 3)
			continue;
		want = HV_GPTE_A | (write && level == t->leaf ? HV_GPTE_D : 0);
		if ((t->entry[level] & want) == want)
			continue;
		ret = ops->cmpxchg(cookie, t->at[level], t->entry[level], t->entry[level] | want,
				   mode->entry);
		if (ret)
			return ret;
		t->entry[level] |= want;
	}
	return 0;
}

static u64 leaf_gpa(const struct hv_gpt_mode *mode, const struct trail *t, u64 gva)
{
	u64 entry = t->entry[t->leaf], offset = (1ull << level_shift(mode, t->leaf)) - 1;
	u64 base = entry & HV_GPTE_ADDR & ~offset;

	if (mode->levels == 2) {
		base = entry & 0xfffff000 & ~offset;
		if (t->leaf == 2)		/* PSE-36 */
			base |= (entry >> 13 & 0xff) << 32;
	}
	return base | (gva & offset);
}

static int fault(const struct hv_gpt_mode *mode, u32 access, u32 code, struct hv_gpt_result *result)
{
	code |= access & (HV_PFEC_WRITE | HV_PFEC_USER);
	if ((access & HV_GPT_FETCH) && (mode->nx || mode->smep))
		code |= HV_PFEC_FETCH;
	result->error_code = code;
	return HV_GPT_FAULT;
}

int hv_gpt_walk(const struct hv_gpt_mode *mode, const struct hv_gpt_ops *ops, void *cookie,
		u64 gva, u32 access, struct hv_gpt_result *result)
{
	unsigned int tries;
	struct trail t;
	int ret;

	*result = (struct hv_gpt_result){ .page_shift = 12 };
	if (mode->levels < 4)
		gva = (u32)gva;
	if (mode->levels == 0) {
		result->gpa = gva;
		result->rights = HV_GPT_R_WRITE | HV_GPT_R_USER | HV_GPT_R_EXEC | HV_GPT_R_DIRTY;
		return 0;
	}
	for (tries = 0; tries < MAX_RESTARTS; tries++) {
		ret = collect(mode, ops, cookie, gva, &t);
		if (ret)
			return ret;
		result->level = (u8)t.leaf;
		if (t.nonpresent)
			return fault(mode, access, 0, result);
		if (t.reserved)
			return fault(mode, access, HV_PFEC_PRESENT | HV_PFEC_RSVD, result);
		result->page_shift = (u8)level_shift(mode, t.leaf);
		result->rights = rights_of(mode, &t);
		if (denied(mode, result->rights, access)) {
			u32 pk = pkey_denies(mode, t.entry[t.leaf], result->rights, access) ?
				HV_PFEC_PKEY : 0;

			return fault(mode, access, HV_PFEC_PRESENT | pk, result);
		}
		if (pkey_denies(mode, t.entry[t.leaf], result->rights, access))
			return fault(mode, access, HV_PFEC_PRESENT | HV_PFEC_PKEY, result);
		if (!(access & HV_GPT_PEEK)) {
			ret = mark(mode, ops, cookie, &t, access & HV_GPT_WRITE);
			if (ret < 0)
				return ret;
			if (ret)
				continue;
			if (access & HV_GPT_WRITE)
				result->rights |= HV_GPT_R_DIRTY;
		}
		result->gpa = leaf_gpa(mode, &t, gva);
		return 0;
	}
	return -EAGAIN;
}
