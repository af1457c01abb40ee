/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * params.h - module parameters (kmod/params.c): read at load, checked once, then constant
 *
 * To add a hardware feature with an off switch, add a row to HV_PARAM_FEATURES; the
 * parameter's name, its description and the mask come from it.
 */
#ifndef _HV_PARAMS_H
#define _HV_PARAMS_H

#include <linux/types.h>
#include <hv/hv_caps.h>

/* P(parameter, HV_HWF_* bits it allows, what it is) */
#define HV_PARAM_FEATURES(P)						\
	P(slat_2m, HV_HWF_SLAT_2M, "2 MiB second-level mappings")	\
	P(slat_1g, HV_HWF_SLAT_1G, "1 GiB second-level mappings")	\
	P(next_rip, HV_HWF_NEXT_RIP, "next instruction pointer from the CPU") \
	P(decode_assist, HV_HWF_DECODE_ASSIST, "instruction bytes from the CPU") \
	P(flush_by_asid, HV_HWF_FLUSH_BY_ASID, "TLB flush of one guest") \
	P(clean_bits, HV_HWF_CLEAN_BITS, "VMCB clean bits")		\
	P(pause_filter, HV_HWF_PAUSE_FILTER, "pause filter")		\
	P(xsave, HV_HWF_XSAVE, "XSAVE and AVX for guests")		\
	P(virt_spec_ctrl, HV_HWF_VIRT_SPEC_CTRL, "virtual SPEC_CTRL")

/* HV_HWF_* the administrator allows; every bit without a parameter is set. [any] */
u64 hv_params_features(void);

/* Address-space ids of each CPU to use for guests: 0 all it has. [any] */
u32 hv_params_asids(void);

int hv_params_init(void);			/* at load */

#endif /* _HV_PARAMS_H */
