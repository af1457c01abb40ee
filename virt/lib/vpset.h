/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vpset.h - sets of virtual processors as hypercalls pass them */
#ifndef HV_VPSET_H
#define HV_VPSET_H

#include <hv/portable.h>

#define HV_VPSET_BANKS	4	/* of 64 VPs: HV_MAX_VCPUS fits */

/* The VPs of a call that this module can have; bit n of bank b is VP 64 * b + n. */
struct hv_vp_set {
	bool all;		/* every VP of the partition; the banks are zero then */
	u64 bank[HV_VPSET_BANKS];
};

/* The set of the plain calls: VPs 0..63. */
void hv_vpset_from_mask(struct hv_vp_set *set, u64 mask);

/*
 * Parse @nr 8-byte words: format, valid-bank mask, banks (TLFS 7.8.7.3 "sparse
 * VP set"). Banks of VPs beyond our limit are accepted and dropped, as absent VPs
 * are. 0 or TLFS_INVALID_INPUT (word count against mask) or TLFS_INVALID_PARAMETER (format).
 */
u16 hv_vpset_parse(struct hv_vp_set *set, const u64 *words, u32 nr);

/* Lowest VP >= @from in the set that is below @limit, or @limit. */
u32 hv_vpset_next(const struct hv_vp_set *set, u32 from, u32 limit);

#define hv_vpset_for_each(set, vp, limit)					\
	for ((vp) = hv_vpset_next((set), 0, (limit)); (vp) < (limit);		\
	     (vp) = hv_vpset_next((set), (vp) + 1, (limit)))

#endif
