// SPDX-License-Identifier: GPL-2.0-or-later
/* slotmap.c - look-up, overlap and replacement in sorted ranges; see slotmap.h */
#include "slotmap.h"

u32 hv_slotmap_from(const struct hv_slotmap *m, u64 gfn)
{
	u32 lo = 0, hi = m->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (m->ent[mid].gfn + m->ent[mid].npages <= gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int hv_slotmap_find(const struct hv_slotmap *m, u64 gfn)
{
	u32 i = hv_slotmap_from(m, gfn);

	return i < m->nr && m->ent[i].gfn <= gfn ? (int)i : -1;
}

void *hv_slotmap_overlap(const struct hv_slotmap *m, u64 gfn, u64 npages, const void *except)
{
	u32 i;

	for (i = hv_slotmap_from(m, gfn); i < m->nr && m->ent[i].gfn < gfn + npages; i++)
		if (m->ent[i].owner != except)
			return m->ent[i].owner;
	return NULL;
}

void hv_slotmap_build(struct hv_slotmap *dst, const struct hv_slotmap *src, const void *out,
		   const struct hv_slotmap_ent *in)
{
	u32 i, n = 0;

	for (i = 0; i < src->nr; i++) {
		if (out && src->ent[i].owner == out)
			continue;
		if (in && in->gfn < src->ent[i].gfn) {
			dst->ent[n++] = *in;
			in = NULL;
		}
		dst->ent[n++] = src->ent[i];
	}
	if (in)
		dst->ent[n++] = *in;
	dst->nr = n;
	dst->rsvd = 0;
}
