// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module parameters.
 *
 * Read-only after load: nothing that a running guest stands on may change under it. All
 * checks are made once, here; the rest of the module reads the results.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <hv/params.h>

#define HV_PARAM_FEATURE(name, mask, what)				\
	static bool hv_param_##name __ro_after_init = true;		\
	module_param_named(name, hv_param_##name, bool, 0444);		\
	MODULE_PARM_DESC(name, "0 does without: " what);
HV_PARAM_FEATURES(HV_PARAM_FEATURE)

/* The off switch of ASIDs: with one, each other vCPU that runs flushes all translations. */
static uint hv_param_asids __ro_after_init;
module_param_named(asids, hv_param_asids, uint, 0444);
MODULE_PARM_DESC(asids, "address-space ids of a CPU to use for guests; 0 all, 1 does without");

static const struct {
	const bool *on;
	u64 mask;
} hv_param_features[] = {
#define HV_PARAM_ROW(name, mask, what) { &hv_param_##name, mask },
	HV_PARAM_FEATURES(HV_PARAM_ROW)
};

static u64 hv_features_allowed __ro_after_init;

u64 hv_params_features(void)
{
	return hv_features_allowed;
}

u32 hv_params_asids(void)
{
	return hv_param_asids;
}

int __init hv_params_init(void)
{
	u64 off = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(hv_param_features); i++) {
		if (!*hv_param_features[i].on)
			off |= hv_param_features[i].mask;
	}
	/* A 1 GiB mapping is split to 2 MiB first, so it can't stand alone. */
	if ((off & HV_HWF_SLAT_2M) && !(off & HV_HWF_SLAT_1G)) {
		pr_info("slat_2m=0 implies slat_1g=0\n");
		off |= HV_HWF_SLAT_1G;
	}
	hv_features_allowed = ~off;
	return 0;
}
