// SPDX-License-Identifier: GPL-2.0-or-later
/* slat_edit.c - changes to second-level tables; see slat.h for the rules */
#include "slat.h"

/* The CPU sets accessed and dirty bits by locked operations: so do we take entries away. */
static u64 entry_take(u64 *e)
{
	return __atomic_exchange_n(e, 0, __ATOMIC_RELAXED);
}

static void *cache_take(struct hv_slat_cache *c)
{
	return c->n ? c->page[--c->n] : NULL;
}

static u64 table_pa(const struct hv_slat_root *r, const void *table)
{
	return (u64)(size_t)table - r->va_off;
}

/* A table out of use is chained by its entry 0: an aligned address reads as not present. */
static void chain_push(struct hv_slat_root *r, u64 *table, struct hv_slat_gather *g)
{
	WRITE_ONCE(table[0], g->freed);
	g->freed = table_pa(r, table);
	g->flush = true;	/* page-walk caches */
	r->tables--;
}

void *hv_slat_chain_pop(u64 *chain, u64 va_off)
{
	u64 *table;

	if (!*chain)
		return NULL;
	table = (u64 *)(size_t)(*chain + va_off);
	*chain = table[0];
	return table;
}

int hv_slat_make(struct hv_slat_root *r, u64 gfn, u32 level, struct hv_slat_cache *cache,
	      u64 **entry, u32 *have)
{
	u64 *table = r->top;
	u32 l;

	for (l = r->level; ; l--) {
		u64 *e = &table[hv_slat_index(gfn, l)];
		u64 v = READ_ONCE(*e);

		*entry = e;
		*have = l;
		if (l == level)
			return 0;
		if (v & SLAT_PRESENT) {
			if (hv_slat_is_leaf(v, l))
				return -EEXIST;
			table = hv_slat_table(r, v);
			continue;
		}
		table = cache_take(cache);
		if (!table)
			return -ENOMEM;
		r->tables++;
		/* The CPU may walk it at once: its zeroes come first. */
		smp_store_release(e, table_pa(r, table) | r->fmt->table | r->mask);
	}
}

void hv_slat_set(struct hv_slat_root *r, u64 *entry, u64 gfn, u32 level, u64 leaf,
	      struct hv_slat_gather *g)
{
	u64 span = hv_slat_span(level);

	if (READ_ONCE(*entry) & SLAT_PRESENT)
		hv_slat_zap(r, gfn & ~(span - 1), (gfn & ~(span - 1)) + span, g);
	WRITE_ONCE(*entry, leaf);
	r->leaves[level]++;
}

int hv_slat_split(struct hv_slat_root *r, u64 *entry, u32 level, struct hv_slat_cache *cache,
	       struct hv_slat_gather *g)
{
	u64 *table = cache_take(cache);
	u64 old, step = hv_slat_span(level - 1) << 12;
	u32 i;

	if (!table)
		return -ENOMEM;
	/* Not present for a moment, so that no CPU holds both sizes: faults retry. */
	old = entry_take(entry);
	if (level - 1 == 1)
		old &= ~SLAT_LARGE;
	for (i = 0; i < SLAT_ENTRIES; i++)
		table[i] = old + i * step;
	r->leaves[level]--;
	r->leaves[level - 1] += SLAT_ENTRIES;
	r->tables++;
	g->flush = true;
	smp_store_release(entry, table_pa(r, table) | r->fmt->table | r->mask);
	return 0;
}

/* Take tables off that are wholly inside the range; their leaves are gone already. */
static void prune(struct hv_slat_root *r, u64 start, u64 end, struct hv_slat_gather *g)
{
	u32 level, l;

	for (level = 2; level <= r->level; level++) {
		u64 span = hv_slat_span(level);
		u64 gfn = (start + span - 1) & ~(span - 1);

		while (gfn < end && end - gfn >= span) {
			u64 *table = r->top, *e;
			u64 v, skip;

			for (l = r->level; ; l--) {
				e = &table[hv_slat_index(gfn, l)];
				v = READ_ONCE(*e);
				if (!(v & SLAT_PRESENT) || l == level)
					break;
				if (hv_slat_is_leaf(v, l))
					break;
				table = hv_slat_table(r, v);
			}
			if (l == level && (v & SLAT_PRESENT) && !hv_slat_is_leaf(v, l)) {
				entry_take(e);
				chain_push(r, hv_slat_table(r, v), g);
			}
			skip = hv_slat_span(l);
			gfn = (gfn & ~(skip - 1)) + skip;
		}
	}
}

void hv_slat_zap(struct hv_slat_root *r, u64 start, u64 end, struct hv_slat_gather *g)
{
	const u64 limit = hv_slat_span(r->level + 1);
	struct hv_slat_iter it;

	hv_slat_iter_start(&it, r, start, end);
	while (hv_slat_iter_next(&it)) {
		u64 old = entry_take(it.entry);

		r->leaves[it.level]--;
		g->flush = true;
		if (g->harvest)
			g->harvest(g->ctx, old, it.level);
	}
	if (r->tables)
		prune(r, start, min_t(u64, end, limit), g);
}

bool hv_slat_wrprotect(struct hv_slat_root *r, u64 start, u64 end)
{
	struct hv_slat_iter it;
	bool any = false;

	hv_slat_iter_start(&it, r, start, end);
	while (hv_slat_iter_next(&it)) {
		if (!(READ_ONCE(*it.entry) & SLAT_WRITE))
			continue;
		__atomic_fetch_and(it.entry, ~SLAT_WRITE, __ATOMIC_RELAXED);
		any = true;
	}
	return any;
}

bool hv_slat_age(struct hv_slat_root *r, u64 start, u64 end, bool clear)
{
	const u64 bit = r->fmt->accessed;
	struct hv_slat_iter it;
	bool any = false;

	if (!bit)
		return false;
	hv_slat_iter_start(&it, r, start, end);
	while (hv_slat_iter_next(&it)) {
		if (!(READ_ONCE(*it.entry) & bit))
			continue;
		any = true;
		if (!clear)
			break;
		__atomic_fetch_and(it.entry, ~bit, __ATOMIC_RELAXED);
	}
	return any;
}

void hv_slat_clear(struct hv_slat_root *r, struct hv_slat_gather *g)
{
	hv_slat_zap(r, 0, hv_slat_span(r->level + 1), g);
}
