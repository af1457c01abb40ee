/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slotmap.h - sorted, non-overlapping ranges of guest frames, replaced as a whole
 *
 * A published map never changes; a change is built into a new one (hv_slotmap_build) that
 * the caller allocated with hv_slotmap_bytes() and publishes.
 */
#ifndef HV_VIRT_LIB_SLOTMAP_H
#define HV_VIRT_LIB_SLOTMAP_H

#include <hv/portable.h>

struct hv_slotmap_ent {
	u64 gfn;
	u64 npages;		/* > 0; gfn + npages does not wrap */
	void *owner;		/* not NULL, unique */
};

struct hv_slotmap {
	u32 nr;
	u32 rsvd;
	struct hv_slotmap_ent ent[];
};

static inline size_t hv_slotmap_bytes(u32 nr)
{
	return sizeof(struct hv_slotmap) + nr * sizeof(struct hv_slotmap_ent);
}

/* Index of the entry that holds @gfn, or -1. */
int hv_slotmap_find(const struct hv_slotmap *m, u64 gfn);

/* Index of the first entry that ends above @gfn, nr if none. */
u32 hv_slotmap_from(const struct hv_slotmap *m, u64 gfn);

/* An entry that touches [gfn, gfn + npages) and is not @except's: its owner, else NULL. */
void *hv_slotmap_overlap(const struct hv_slotmap *m, u64 gfn, u64 npages, const void *except);

/*
 * @dst = @src without @out's entry, with @in in its place by order; either may be NULL.
 * @dst has room for src->nr + 1. The caller has checked @in for overlaps.
 */
void hv_slotmap_build(struct hv_slotmap *dst, const struct hv_slotmap *src, const void *out,
		   const struct hv_slotmap_ent *in);

#endif /* HV_VIRT_LIB_SLOTMAP_H */
