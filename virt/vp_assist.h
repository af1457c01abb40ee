/* SPDX-License-Identifier: GPL-2.0-only */
/* vp_assist.h - MSR row of the VP assist page, inside virt; the EOI protocol is in hv/tlfs.h */
#ifndef _HV_VIRT_VP_ASSIST_H
#define _HV_VIRT_VP_ASSIST_H

#include <hv/core.h>

enum hv_msr_result hv_vp_assist_get(struct hv_vcpu *vcpu, u32 index, u64 *val);
enum hv_msr_result hv_vp_assist_set(struct hv_vcpu *vcpu, u32 index, u64 val);

#endif /* _HV_VIRT_VP_ASSIST_H */
