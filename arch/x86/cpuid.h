/* SPDX-License-Identifier: GPL-2.0-only */
/* cpuid.h - the leaves of a VM, for the files that build and replace them */
#ifndef _HV_ARCH_CPUID_H
#define _HV_ARCH_CPUID_H

#include "x86.h"

#define HV_CPUID_BASIC_MAX	0x16
#define HV_CPUID_EXT_MAX		0x21
#define HV_CPUID_MAX_ENTRIES	40
#define HV_CPUID_NO_ENTRY	0xff

/* Made when the VM is; the record may replace entries until the first vCPU runs. */
struct hv_cpuid_policy {
	u32 nr;
	u8 basic[HV_CPUID_BASIC_MAX + 1];	/* index of the leaf's first entry, or HV_CPUID_NO_ENTRY */
	u8 ext[HV_CPUID_EXT_MAX + 1];
	u8 tlfs;			/* first of the Hyper-V leaves */
	u32 signature;
	u32 max_vcpus;
	struct hv_cpuid_entry e[HV_CPUID_MAX_ENTRIES];
};

#endif /* _HV_ARCH_CPUID_H */
