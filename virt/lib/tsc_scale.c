// SPDX-License-Identifier: GPL-2.0-or-later
/* tsc_scale.c - TSC ticks to reference time (100 ns units) */
#include "tsc_scale.h"

#define REFTIME_KHZ	10000u

u64 hv_tsc_scale(u32 khz)
{
	u64 rest = REFTIME_KHZ, quot = 0;
	int i;

	if (khz <= REFTIME_KHZ)
		return 0;
	/* long division of REFTIME_KHZ * 2^64; the kernel has no 128-bit divide */
	for (i = 0; i < 64; i++) {
		rest <<= 1;
		quot <<= 1;
		if (rest >= khz) {
			rest -= khz;
			quot |= 1;
		}
	}
	return quot;
}
