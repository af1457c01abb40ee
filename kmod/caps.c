// SPDX-License-Identifier: GPL-2.0-only
/* Capabilities, one row each: a constant, or a function that asks. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <hv/arch.h>
#include <hv/hv_caps.h>
#include <hv/hv_run.h>
#include "caps.h"

#define TLFS_CPUID_BASE	0x40000000u	/* TLFS 2.4: its EAX is the highest leaf */

static int cap_hw_state(u32 cap, u64 *value)
{
	*value = hv_arch_hw_state();
	return 0;
}

static int cap_hw_features(u32 cap, u64 *value)
{
	*value = hv_arch_hw_features();
	return 0;
}

static int cap_arch(u32 cap, u64 *value)
{
	*value = hv_arch_cap(cap);
	return 0;
}

/* What a VM would see, so that it can't drift from the leaf tables. */
static int cap_tlfs(u32 cap, u64 *value)
{
	struct hv_cpuid_entry *e;
	u32 i, nr = 0;
	int ret;

	*value = 0;
	ret = hv_arch_cpuid_get(NULL, HV_CPU_HOST, NULL, &nr);
	if (ret != -E2BIG)
		return 0;	/* no usable CPU: no leaves either */
	e = kvcalloc(nr, sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	ret = hv_arch_cpuid_get(NULL, HV_CPU_HOST, e, &nr);
	for (i = 0; !ret && i < nr; i++) {
		if (e[i].leaf == TLFS_CPUID_BASE)
			*value = e[i].eax;
	}
	kvfree(e);
	return 0;
}

static const struct {
	u64 value;
	int (*get)(u32 cap, u64 *value);	/* NULL: @value */
} hv_caps[] = {
	[HV_CAP_MAX_VCPUS]	= { .value = HV_MAX_VCPUS },
	[HV_CAP_MAX_SLOTS]	= { .value = HV_MAX_SLOTS },
	[HV_CAP_RUN_BYTES]	= { .value = HV_RUN_BYTES },
	[HV_CAP_HW_STATE]	= { .get = cap_hw_state },
	[HV_CAP_HW_FEATURES]	= { .get = cap_hw_features },
	[HV_CAP_GPA_BITS]	= { .get = cap_arch },
	[HV_CAP_DIRTY_LOG]	= { .value = 1 },
	[HV_CAP_IOEVENTFD]	= { .value = 1 },
	[HV_CAP_IRQFD]		= { .value = BIT(HV_IRQ_GSI) | BIT(HV_IRQ_MSI) | BIT(HV_IRQ_SINT) },
	[HV_CAP_EVENT_PORT]	= { .value = 1 },
	[HV_CAP_STATE_RECORDS]	= { .value = 1 },
	[HV_CAP_TLFS]		= { .get = cap_tlfs },
	[HV_CAP_TSC_KHZ]	= { .get = cap_arch },
	[HV_CAP_FORK_BACKING]	= { .value = HV_FORK_BACKING_PRIVATE },
	[HV_CAP_BUS]		= { .value = 5 << 16 | 3 },
};

int hv_caps_get(u32 cap, u64 *value)
{
	if (!cap || cap >= ARRAY_SIZE(hv_caps))
		return -EINVAL;
	cap = array_index_nospec(cap, ARRAY_SIZE(hv_caps));
	if (hv_caps[cap].get)
		return hv_caps[cap].get(cap, value);
	*value = hv_caps[cap].value;
	return 0;
}
