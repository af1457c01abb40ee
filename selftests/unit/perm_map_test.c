// SPDX-License-Identifier: GPL-2.0-or-later
/* Every MSR and every port against the permission maps. */
#include <string.h>
#include "arch/x86/lib/perm_map.h"
#include "selftests/unit/lib/expect.h"

/* What the guest may have to itself, by name and not by the table under test. */
static bool may_pass(u32 msr)
{
	return (msr >= 0x174 && msr <= 0x176) || (msr >= 0xc0000081 && msr <= 0xc0000084) ||
	       (msr >= 0xc0000100 && msr <= 0xc0000102);
}

static void every_msr(void)
{
	static const u32 base[] = { 0, 0xc0000000, 0xc0010000 };
	static const u32 outside[] = { 0x2000, 0x3fff, 0x40000000, 0x40000070, 0xbfffffff,
				       0xc0002000, 0xc000ffff, 0xc0012000, 0xfffffffe, 0xffffffff };
	u8 map[HV_MSRPM_BYTES];
	unsigned int i, j, open = 0;

	memset(map, 0, sizeof(map));
	hv_msrpm_build(map, hv_msrpm_passed, hv_msrpm_nr_passed);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 0x2000; j++) {
			u32 msr = base[i] + j;

			EXPECT_EQ(hv_msrpm_exits(map, msr, false), !may_pass(msr));
			EXPECT_EQ(hv_msrpm_exits(map, msr, true), !may_pass(msr));
		}
	}
	for (i = 0; i < ARRAY_SIZE(outside); i++)
		EXPECT(hv_msrpm_exits(map, outside[i], false) && hv_msrpm_exits(map, outside[i], true));
	/* The map itself, so that a mistake shared by the two functions shows. */
	for (i = 0; i < sizeof(map); i++)
		for (j = 0; j < 8; j++)
			open += !(map[i] >> j & 1);
	EXPECT_EQ(open, 2 * hv_msrpm_nr_passed);
	EXPECT_EQ(map[0x5d], 0xc0);		/* 0x174, 0x175, 0x176 open, 0x177 not */
	EXPECT_EQ(map[0x800 + 0x20], 0x03);	/* 0xc0000080 (EFER) not, 81 to 83 open */
	EXPECT_EQ(map[0x800 + 0x21], 0xfc);	/* 0xc0000084 open */
	EXPECT_EQ(map[0x800 + 0x40], 0xc0);	/* FS, GS, kernel GS base; TSC_AUX not */
}

static void one_range_does_not_open_another(void)
{
	static const u32 base[] = { 0, 0xc0000000, 0xc0010000 };
	u8 map[HV_MSRPM_BYTES];
	unsigned int i, j;

	for (i = 0; i < 3; i++) {
		u32 one = base[i] + 0x1fff;

		hv_msrpm_build(map, &one, 1);
		for (j = 0; j < 3; j++)
			EXPECT_EQ(hv_msrpm_exits(map, base[j] + 0x1fff, false), i != j);
		EXPECT(hv_msrpm_exits(map, base[i] + 0x1ffe, true));
		EXPECT(hv_msrpm_exits(map, base[i], true));
	}
}

static void every_port(void)
{
	u8 map[HV_IOPM_BYTES];
	unsigned int port, bytes;

	memset(map, 0, sizeof(map));
	hv_iopm_build(map);
	for (port = 0; port <= 0xffff; port++)
		for (bytes = 1; bytes <= 4; bytes *= 2)
			EXPECT(hv_iopm_exits(map, (u16)port, bytes));
	/* Past the end the CPU looks at three more bits. */
	memset(map, 0, 8192);
	EXPECT(!hv_iopm_exits(map, 0xffff, 1));
	EXPECT(hv_iopm_exits(map, 0xffff, 2) && hv_iopm_exits(map, 0xfffd, 4));
	EXPECT(!hv_iopm_exits(map, 0xfffc, 4));
}

int main(void)
{
	every_msr();
	one_range_does_not_open_another();
	every_port();
	return expect_done();
}
