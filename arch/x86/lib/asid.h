/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * asid.h - which address-space id a vCPU's translations are tagged with on a host CPU
 *
 * Each CPU hands out its ids in order. When they are used up it flushes every translation
 * and begins again with a new generation, which makes all ids of the old one worthless. An
 * id belongs to (vCPU, root): who changes the root gives the id up.
 */
#ifndef ARCH_X86_LIB_ASID_H
#define ARCH_X86_LIB_ASID_H

#include "hv/portable.h"

/* Of a host CPU. */
struct hv_asid_pool {
	u64 gen;	/* 64 bits: it never comes round */
	u32 next;
	u32 limit;	/* ids are 1 .. limit - 1; 0 is the host's */
};

/* Of a vCPU. */
struct hv_asid {
	u64 gen;
	u32 id;
	s32 cpu;	/* it was taken there; -1 nowhere */
};

/* All ids are to be handed out anew, after a flush. @limit: at least 2. */
static inline void hv_asid_restart(struct hv_asid_pool *p, u32 limit)
{
	p->gen++;
	p->limit = limit;
	p->next = limit;
}

/* Translations under @a must not be used any more. */
static inline void hv_asid_drop(struct hv_asid *a)
{
	a->cpu = -1;
}

/* May @a be used on @cpu, whose pool is @p? */
static inline bool hv_asid_holds(const struct hv_asid *a, const struct hv_asid_pool *p, s32 cpu)
{
	return a->cpu == cpu && a->gen == p->gen;
}

/**
 * hv_asid_take() - a new id on @cpu, whose pool is @p
 * Return: true if all translations of the CPU must be flushed before it is used.
 */
bool hv_asid_take(struct hv_asid_pool *p, struct hv_asid *a, s32 cpu);

#endif /* ARCH_X86_LIB_ASID_H */
