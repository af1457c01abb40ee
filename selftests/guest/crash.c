// SPDX-License-Identifier: GPL-2.0-or-later
/* crash.c - the guest tells of its end through the crash MSRs; the host looks at what arrives */
#include "hyperv.h"

void main(void)
{
	static const char text[] = "the last words";
	u32 i;

	if (!hyperv_present())
		leave(2);
	check_eq(rdmsr(TLFS_MSR_CRASH_CTL), TLFS_CRASH_CTL_NOTIFY | TLFS_CRASH_CTL_MESSAGE,
		 "what the host takes");
	for (i = 0; i < 3; i++)
		wrmsr(TLFS_MSR_CRASH_P0 + i, 0x1111 * (i + 1));
	wrmsr(TLFS_MSR_CRASH_P0 + 3, (u64)(uintptr_t)text);
	wrmsr(TLFS_MSR_CRASH_P4, sizeof(text));
	wrmsr(TLFS_MSR_CRASH_CTL, 0);
	wrmsr(TLFS_MSR_CRASH_CTL, TLFS_CRASH_CTL_NOTIFY | TLFS_CRASH_CTL_MESSAGE);
	check(true, "the guest runs on");
	wrmsr(TLFS_MSR_CRASH_P0, 0x9999);
	wrmsr(TLFS_MSR_CRASH_CTL, TLFS_CRASH_CTL_NOTIFY);
	check_eq(rdmsr(TLFS_MSR_CRASH_P0), 0x9999, "parameters are kept");
}
