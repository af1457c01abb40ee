/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tsc_scale.h - TSC ticks to reference time (100 ns units) as the reference TSC page has it */
#ifndef HV_TSC_SCALE_H
#define HV_TSC_SCALE_H

#include <hv/portable.h>

/* 2^64 * 10 MHz / frequency, rounded down. @khz 10001..2^32-1, so that the result fits; 0 otherwise. */
u64 hv_tsc_scale(u32 khz);

static inline u64 hv_tsc_to_reftime(u64 tsc, u64 scale)
{
	return (u64)((unsigned __int128)tsc * scale >> 64);
}

#endif
