// SPDX-License-Identifier: GPL-2.0-or-later
/* page.c - a window of 512 small pages beside the identity map */
#include "guest.h"
#include "boot.h"

#define WINDOW		(512ull << 30)	/* second entry of level 4 */

static u64 tables[3][512] __attribute__((aligned(4096)));

void *page_window(u32 index, u64 gpa, bool writable)
{
	u64 va = WINDOW + index * 4096ull;

	boot_pml4[1] = (u64)(uintptr_t)tables[0] | 3;
	tables[0][0] = (u64)(uintptr_t)tables[1] | 3;
	tables[1][0] = (u64)(uintptr_t)tables[2] | 3;
	tables[2][index & 511] = gpa | (writable ? 3 : 1);
	invlpg(va);
	return (void *)(uintptr_t)va;
}
