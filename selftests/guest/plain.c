// SPDX-License-Identifier: GPL-2.0-or-later
/* plain.c - a machine without the Hyper-V interface (HV_VM_F_NO_TLFS) shows nothing of it */
#include "hyperv.h"

void main(void)
{
	u32 out[4];
	u64 v;

	cpuid(TLFS_CPUID_BASE, 0, out);
	check(out[1] != TLFS_VENDOR_EBX, "no Hyper-V signature");
	check_eq((u64)rdmsr_safe(TLFS_MSR_GUEST_OS_ID, &v), VEC_GP, "no OS id");
	check_eq((u64)wrmsr_safe(TLFS_MSR_SCONTROL, 1), VEC_GP, "no SynIC");
	check_eq((u64)rdmsr_safe(TLFS_MSR_TIME_REF_COUNT, &v), VEC_GP, "no reference counter");
	check_eq((u64)hcall_raw(0x3ff, 0, 0, &v), VEC_UD, "no hypercalls");
}
