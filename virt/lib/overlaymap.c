// SPDX-License-Identifier: GPL-2.0-or-later
/* overlaymap.c - order of overlay pages; see overlaymap.h */
#include "overlaymap.h"

u32 hv_overlaymap_from(const struct hv_overlaymap *m, u64 gfn)
{
	u32 lo = 0, hi = m->nr;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (m->ent[mid].gfn < gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct hv_overlaymap_ent *hv_overlaymap_top(const struct hv_overlaymap *m, u64 gfn)
{
	u32 i = hv_overlaymap_from(m, gfn);

	return i < m->nr && m->ent[i].gfn == gfn ? &m->ent[i] : NULL;
}

void hv_overlaymap_clip(const struct hv_overlaymap *m, u64 gfn, u64 *first, u64 *end)
{
	u32 i = hv_overlaymap_from(m, gfn);

	if (i > 0 && m->ent[i - 1].gfn >= *first)
		*first = m->ent[i - 1].gfn + 1;
	while (i < m->nr && m->ent[i].gfn == gfn)
		i++;
	if (i < m->nr && m->ent[i].gfn < *end)
		*end = m->ent[i].gfn;
}

static bool above(const struct hv_overlaymap_ent *a, const struct hv_overlaymap_ent *b)
{
	return a->gfn != b->gfn ? a->gfn < b->gfn : a->rank < b->rank;
}

void hv_overlaymap_build(struct hv_overlaymap *dst, const struct hv_overlaymap *src, u32 out_rank,
		      const struct hv_overlaymap_ent *in)
{
	u32 i, n = 0;

	for (i = 0; i < src->nr; i++) {
		if (src->ent[i].rank == out_rank)
			continue;
		if (in && above(in, &src->ent[i])) {
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
