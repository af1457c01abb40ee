// SPDX-License-Identifier: GPL-2.0-or-later
/* stimer_rules.c - what a synthetic timer does with a register write and at expiry */
#include <hvguest/tlfs.h>
#include "stimer_rules.h"

static u32 vector_of(u64 config)
{
	return (u32)((config & TLFS_STIMER_VECTOR_MASK) >> TLFS_STIMER_VECTOR_SHIFT);
}

static void arm(struct hv_stimer_regs *t, u64 now)
{
	t->expiry = 0;
	if (!(t->config & TLFS_STIMER_ENABLE) || !t->count)
		return;
	if (!(t->config & TLFS_STIMER_PERIODIC))
		t->expiry = t->count;
	else if (t->count <= ~0ull - now)
		t->expiry = now + t->count;
	else
		t->expiry = ~0ull;	/* a period beyond the end of time never ends */
}

bool hv_stimer_set_config(struct hv_stimer_regs *t, u64 val, u64 now)
{
	val &= TLFS_STIMER_VALID;
	if (val & TLFS_STIMER_DIRECT) {
		if ((val & TLFS_STIMER_ENABLE) && vector_of(val) < TLFS_SINT_MIN_VECTOR)
			return false;
	} else if (!(val & TLFS_STIMER_SINT_MASK)) {
		val &= ~TLFS_STIMER_ENABLE;
	}
	t->config = val;
	arm(t, now);
	return true;
}

void hv_stimer_set_count(struct hv_stimer_regs *t, u64 val, u64 now)
{
	t->count = val;
	if (!val)
		t->config &= ~TLFS_STIMER_ENABLE;
	else if (t->config & TLFS_STIMER_AUTO_ENABLE)
		t->config |= TLFS_STIMER_ENABLE;
	if (!(t->config & (TLFS_STIMER_DIRECT | TLFS_STIMER_SINT_MASK)) ||
	    ((t->config & TLFS_STIMER_DIRECT) && vector_of(t->config) < TLFS_SINT_MIN_VECTOR))
		t->config &= ~TLFS_STIMER_ENABLE;
	arm(t, now);
}

u64 hv_stimer_expire(struct hv_stimer_regs *t, u64 now)
{
	u64 due = t->expiry;
	u64 periods;

	if (!(t->config & TLFS_STIMER_PERIODIC)) {
		t->config &= ~TLFS_STIMER_ENABLE;
		t->expiry = 0;
		return due;
	}
	periods = (now - due) / t->count + 1;
	if (periods <= (~0ull - due) / t->count)
		t->expiry = due + periods * t->count;
	else
		t->expiry = ~0ull;
	return due;
}
