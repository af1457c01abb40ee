// SPDX-License-Identifier: GPL-2.0-or-later
/* Breakpoints against accesses, byte by byte. */
#include <stdlib.h>
#include "arch/x86/lib/debug_regs.h"
#include "selftests/unit/lib/expect.h"

/* The same question, asked of each byte. */
static u32 slowly(const u64 dr[4], u64 dr7, u64 addr, u32 size, enum hv_dr_access access)
{
	u32 hits = 0, i, b;

	for (i = 0; i < 4; i++) {
		u32 rw = (u32)(dr7 >> (16 + 4 * i)) & 3, len = (u32)(dr7 >> (18 + 4 * i)) & 3;
		u64 bytes = len == 0 ? 1 : len == 1 ? 2 : len == 2 ? 8 : 4;
		bool on = (dr7 >> (2 * i) & 1) || (dr7 >> (2 * i + 1) & 1);
		bool kind = (rw == 1 && access == HV_DR_WRITE) || (rw == 2 && access == HV_DR_IO) ||
			    (rw == 3 && access != HV_DR_IO);

		for (b = 0; b < size; b++)
			if (on && kind && (addr + b) / bytes == dr[i] / bytes)
				hits |= 1u << i;
	}
	return hits;
}

int main(void)
{
	u64 dr[4] = { 0x1000, 0x1003, 0xfffffffffffffff8, 0 };
	u32 i, n;

	EXPECT_EQ(hv_dr_hits(dr, 1 | 0x1 << 16, 0x1000, 1, HV_DR_WRITE), 1);
	EXPECT_EQ(hv_dr_hits(dr, 1 | 0x1 << 16, 0x1000, 1, HV_DR_READ), 0);
	EXPECT_EQ(hv_dr_hits(dr, 1 | 0x1 << 16, 0xfff, 1, HV_DR_WRITE), 0);
	EXPECT_EQ(hv_dr_hits(dr, 1 | 0x1 << 16, 0xfff, 2, HV_DR_WRITE), 1);
	EXPECT_EQ(hv_dr_hits(dr, 0xffu | 0xffffull << 16, 0x1000, 4, HV_DR_READ), 3);
	EXPECT_EQ(hv_dr_hits(dr, 0xffull << 16, 0x1000, 4, HV_DR_READ), 0);
	srand(1);
	for (n = 0; n < 500000; n++) {
		u64 addr = 0x1000 + (u64)(rand() % 24) - 8, dr7 = (u64)(rand() & 0xff);
		u32 size = 1u << rand() % 5;
		enum hv_dr_access a = (enum hv_dr_access)(rand() % 3);

		dr7 |= (u64)(rand() & 0xffff) << 16;
		for (i = 0; i < 4; i++)
			dr[i] = 0x1000 + (u64)(rand() % 16);
		EXPECT_EQ(hv_dr_hits(dr, dr7, addr, size, a), slowly(dr, dr7, addr, size, a));
	}
	return expect_done();
}
