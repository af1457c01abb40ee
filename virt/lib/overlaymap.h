/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overlaymap.h - which overlay page the guest sees at a frame
 *
 * Shown pages sorted by frame, then rank: of several at one frame the lowest rank is on
 * top. Replaced as a whole, like a slotmap.
 */
#ifndef HV_VIRT_LIB_OVERLAYMAP_H
#define HV_VIRT_LIB_OVERLAYMAP_H

#include <hv/portable.h>

struct hv_overlaymap_ent {
	u64 gfn;
	u32 rank;		/* unique */
	u32 rsvd;
	void *page;
};

struct hv_overlaymap {
	u32 nr;
	u32 rsvd;
	struct hv_overlaymap_ent ent[];
};

static inline size_t hv_overlaymap_bytes(u32 nr)
{
	return sizeof(struct hv_overlaymap) + nr * sizeof(struct hv_overlaymap_ent);
}

/* Index of the first entry at @gfn or above; nr if none. */
u32 hv_overlaymap_from(const struct hv_overlaymap *m, u64 gfn);

/* The entry on top at @gfn, or NULL. */
const struct hv_overlaymap_ent *hv_overlaymap_top(const struct hv_overlaymap *m, u64 gfn);

/* Cut [*first, *end), which holds @gfn, to the part around it without a page at another frame. */
void hv_overlaymap_clip(const struct hv_overlaymap *m, u64 gfn, u64 *first, u64 *end);

/* @dst = @src without the entry of @out_rank, with @in (may be NULL); room for src->nr + 1. */
void hv_overlaymap_build(struct hv_overlaymap *dst, const struct hv_overlaymap *src, u32 out_rank,
		      const struct hv_overlaymap_ent *in);

#endif /* HV_VIRT_LIB_OVERLAYMAP_H */
