// SPDX-License-Identifier: GPL-2.0-or-later
/* debug_regs.c - breakpoints against accesses */
#include "debug_regs.h"

/* R/W field: 0 execution, 1 writes, 2 I/O, 3 reads and writes. One bit an access that it watches. */
static const u8 watches[] = {
	[1] = 1u << HV_DR_WRITE,
	[2] = 1u << HV_DR_IO,
	[3] = 1u << HV_DR_READ | 1u << HV_DR_WRITE,
};

/* LEN field: 2 means 8 bytes. */
static const u8 lengths[] = { 1, 2, 8, 4 };

u32 hv_dr_hits(const u64 dr[4], u64 dr7, u64 addr, u32 size, enum hv_dr_access access)
{
	unsigned int i;
	u32 hits = 0;

	for (i = 0; i < 4; i++) {
		unsigned int field = (unsigned int)(dr7 >> (16 + 4 * i)) & 15;
		u64 len = lengths[field >> 2], first = dr[i] & ~(len - 1);

		if (!(dr7 >> (2 * i) & 3) || !(watches[field & 3] >> access & 1))
			continue;
		/* Overlap by distances, so that an end at 2^64 is no special case. */
		if (addr - first < len || first - addr < size)
			hits |= 1u << i;
	}
	return hits;
}
