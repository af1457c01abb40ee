// SPDX-License-Identifier: GPL-2.0-or-later
/* perm_map.c - MSR and I/O permission maps, built and read as the CPU reads them */
#include "perm_map.h"

#define RANGE_MSRS	0x2000u

const u32 hv_msrpm_passed[] = {
	0x174, 0x175, 0x176,				/* SYSENTER_CS, ESP, EIP */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,	/* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000100, 0xc0000101, 0xc0000102,		/* FS_BASE, GS_BASE, KERNEL_GS_BASE */
};

const unsigned int hv_msrpm_nr_passed = ARRAY_SIZE(hv_msrpm_passed);

static const u32 range_base[] = { 0, 0xc0000000, 0xc0010000 };

/* The read bit of @msr, the write bit is the next one; -1: in none of the ranges. */
static int msr_bit(u32 msr)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(range_base); i++)
		if (msr >= range_base[i] && msr - range_base[i] < RANGE_MSRS)
			return (int)((i * RANGE_MSRS + (msr - range_base[i])) * 2);
	return -1;
}

void hv_msrpm_build(u8 *map, const u32 *passed, unsigned int nr)
{
	unsigned int i;

	memset(map, 0xff, HV_MSRPM_BYTES);
	for (i = 0; i < nr; i++) {
		int bit = msr_bit(passed[i]);

		if (bit >= 0)
			map[bit / 8] &= (u8)~(3u << (bit % 8));
	}
}

bool hv_msrpm_exits(const u8 *map, u32 msr, bool write)
{
	int bit = msr_bit(msr);

	if (bit < 0)
		return true;
	bit += write;
	return map[bit / 8] >> (bit % 8) & 1;
}

void hv_iopm_build(u8 *map)
{
	memset(map, 0xff, HV_IOPM_BYTES);
}

bool hv_iopm_exits(const u8 *map, u16 port, unsigned int bytes)
{
	unsigned int i, bit;

	for (i = 0; i < bytes; i++) {
		bit = port + i;
		if (map[bit / 8] >> (bit % 8) & 1)
			return true;
	}
	return false;
}
