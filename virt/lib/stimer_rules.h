/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stimer_rules.h - what a synthetic timer does with a register write and at expiry
 *
 * TLFS chapter 12. No clock and no locks here: the caller passes the reference time
 * (100 ns units) and arms what comes out.
 */
#ifndef HV_STIMER_RULES_H
#define HV_STIMER_RULES_H

#include <hv/portable.h>

struct hv_stimer_regs {
	u64 config;		/* TLFS_STIMER_* */
	u64 count;		/* one-shot: absolute expiry; periodic: the period; 0: stopped */
	u64 expiry;		/* absolute time of the next expiry, 0: not armed */
};

/*
 * The guest wrote the register at time @now. Reserved bits of the configuration are
 * dropped; a message timer on SINT 0 is disabled. False: a direct timer's vector
 * is below 16, inject #GP (nothing changed).
 */
bool hv_stimer_set_config(struct hv_stimer_regs *t, u64 val, u64 now);
void hv_stimer_set_count(struct hv_stimer_regs *t, u64 val, u64 now);

/* Due at @now? */
static inline bool hv_stimer_due(const struct hv_stimer_regs *t, u64 now)
{
	return t->expiry && now >= t->expiry;
}

/*
 * It is due: the time it was due at is returned, and the next expiry set. A periodic
 * timer keeps to the grid of its first expiry; periods that have gone by are
 * skipped, one expiry stands for all of them. A one-shot timer is disabled.
 */
u64 hv_stimer_expire(struct hv_stimer_regs *t, u64 now);

#endif
