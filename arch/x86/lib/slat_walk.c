// SPDX-License-Identifier: GPL-2.0-or-later
/* slat_walk.c - formats, finding entries and stepping through them */
#include "slat.h"

/*
 * NPT entries need U/S=1: nested walks count as user accesses (APM vol. 2, 15.25.5).
 * EPT leaves are write-back (memory type 6, bits 5:3).
 */
const struct hv_slat_fmt hv_slat_fmts[3] = {
	[SLAT_FMT_NPT] = {
		.leaf = SLAT_PRESENT | 1u << 2,
		.table = SLAT_PRESENT | SLAT_WRITE | 1u << 2 | 1u << 5,
		.accessed = 1u << 5,
		.dirty = 1u << 6,
	},
	[SLAT_FMT_EPT] = {
		.leaf = SLAT_PRESENT | 1u << 2 | 6u << 3,
		.table = SLAT_PRESENT | SLAT_WRITE | 1u << 2,
		.accessed = 1u << 8,
		.dirty = 1u << 9,
	},
	[SLAT_FMT_EPT_NOAD] = {
		.leaf = SLAT_PRESENT | 1u << 2 | 6u << 3,
		.table = SLAT_PRESENT | SLAT_WRITE | 1u << 2,
	},
};

void hv_slat_root_init(struct hv_slat_root *r, enum hv_slat_format fmt, u32 level, void *top,
		    u64 va_off, u64 mask)
{
	memset(r, 0, sizeof(*r));
	r->fmt = &hv_slat_fmts[fmt];
	r->top = top;
	r->va_off = va_off;
	r->mask = mask;
	r->level = level;
}

u64 *hv_slat_find(const struct hv_slat_root *r, u64 gfn, u32 *level)
{
	u64 *table = r->top;
	u32 l = r->level;

	for (;;) {
		u64 *e = &table[hv_slat_index(gfn, l)];
		u64 v = READ_ONCE(*e);

		if (!(v & SLAT_PRESENT) || hv_slat_is_leaf(v, l)) {
			*level = l;
			return e;
		}
		table = hv_slat_table(r, v);
		l--;
	}
}

void hv_slat_iter_start(struct hv_slat_iter *it, const struct hv_slat_root *r, u64 start, u64 end)
{
	const u64 limit = hv_slat_span(r->level + 1);	/* frames the root can map */

	memset(it, 0, sizeof(*it));
	it->root = r;
	it->next = start;
	it->end = min_t(u64, end, limit);
}

/* A leaf of level 1 is at hand as long as the walk stays in its table. */
static bool iter_next_small(struct hv_slat_iter *it)
{
	while (it->next < it->end) {
		u64 *e = &it->table[hv_slat_index(it->next, 1)];

		it->gfn = it->next++;
		if (!(it->next & (SLAT_ENTRIES - 1)))
			it->table = NULL;
		if (READ_ONCE(*e) & SLAT_PRESENT) {
			it->entry = e;
			it->level = 1;
			return true;
		}
		if (!it->table)
			return false;
	}
	return false;
}

bool hv_slat_iter_next(struct hv_slat_iter *it)
{
	while (it->next < it->end) {
		u32 level;
		u64 span, *e;

		if (it->table) {
			if (iter_next_small(it))
				return true;
			continue;
		}
		e = hv_slat_find(it->root, it->next, &level);
		if (level == 1) {
			it->table = e - hv_slat_index(it->next, 1);
			continue;
		}
		span = hv_slat_span(level);
		it->gfn = it->next & ~(span - 1);
		it->next = it->gfn + span;
		if (READ_ONCE(*e) & SLAT_PRESENT) {
			it->entry = e;
			it->level = level;
			return true;
		}
	}
	return false;
}
