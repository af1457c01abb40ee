// SPDX-License-Identifier: GPL-2.0-or-later
/* clock.c - how fast the TSC runs */
#include "guest.h"

#define LEAF_MAX_TLFS	0x40000000
#define LEAF_PRIVILEGES	0x40000003
#define MSR_TSC_HZ	0x40000022

u64 tsc_hz(void)
{
	static u64 hz;
	u32 out[4];

	if (hz)
		return hz;
	hz = option("tsc_mhz", 1000) * 1000000;
	cpuid(1, 0, out);
	if (!(out[2] >> 31))
		return hz;
	cpuid(LEAF_MAX_TLFS, 0, out);
	if (out[1] != 0x7263694d)	/* "Micr" */
		return hz;
	cpuid(LEAF_PRIVILEGES, 0, out);
	if (out[0] >> 11 & 1)
		hz = rdmsr(MSR_TSC_HZ);
	return hz;
}
