// SPDX-License-Identifier: GPL-2.0-or-later
/* vpset.c - sets of virtual processors as hypercalls pass them */
#include <hvguest/tlfs.h>
#include "vpset.h"

void hv_vpset_from_mask(struct hv_vp_set *set, u64 mask)
{
	u32 b;

	set->all = false;
	set->bank[0] = mask;
	for (b = 1; b < HV_VPSET_BANKS; b++)
		set->bank[b] = 0;
}

static u32 count_bits(u64 v)
{
	u32 n = 0;

	for (; v; v &= v - 1)
		n++;
	return n;
}

u16 hv_vpset_parse(struct hv_vp_set *set, const u64 *words, u32 nr)
{
	u64 valid;
	u32 b, at = 2;

	hv_vpset_from_mask(set, 0);
	if (nr < 2)
		return TLFS_INVALID_INPUT;
	if (words[0] == TLFS_VPSET_ALL) {
		set->all = true;
		return TLFS_OK;
	}
	if (words[0] != TLFS_VPSET_SPARSE)
		return TLFS_INVALID_PARAMETER;
	valid = words[1];
	if (count_bits(valid) != nr - 2)
		return TLFS_INVALID_INPUT;
	for (b = 0; b < HV_VPSET_BANKS; b++)
		if (valid >> b & 1)
			set->bank[b] = words[at++];
	return TLFS_OK;
}

u32 hv_vpset_next(const struct hv_vp_set *set, u32 from, u32 limit)
{
	u32 b;

	if (from >= limit)
		return limit;
	if (set->all)
		return from;
	for (b = from / 64; b < HV_VPSET_BANKS; b++, from = b * 64) {
		u64 left = set->bank[b] >> (from % 64);

		if (left) {
			from += (u32)__builtin_ctzll(left);
			return min(from, limit);
		}
	}
	return limit;
}
