/* SPDX-License-Identifier: GPL-2.0-only */
/* run.h - the run loop's entry, for kmod's dispatcher, and the vCPU state setter's fast form */
#ifndef _HV_RUN_H
#define _HV_RUN_H

#include <linux/tracepoint-defs.h>
#include <hv/types.h>

DECLARE_TRACEPOINT(hv_vcpu_state);

/* HV_VCPU_RUN: see hv.h for results. Process context, no locks held; may take as long as the guest likes. */
long hv_vcpu_run(struct hv_vcpu *vcpu);

/* Bit n of hv_vcpu_edges[s]: a vCPU may go from state s to state n. */
extern const u8 hv_vcpu_edges[HV_VS_NR];
void hv_vcpu_state_bad(struct hv_vcpu *vcpu, enum hv_vcpu_state to);
void hv_vcpu_state_trace(struct hv_vcpu *vcpu, enum hv_vcpu_state to);

/*
 * The one setter. Only the thread that holds vcpu->lock calls it. No ordering: who enters
 * the guest orders HV_VS_GUEST against its look at vcpu->requests itself.
 */
static __always_inline void hv_vcpu_state_set(struct hv_vcpu *vcpu, enum hv_vcpu_state to)
{
	if (unlikely(!(hv_vcpu_edges[vcpu->state] & (1u << to))))
		hv_vcpu_state_bad(vcpu, to);
	if (tracepoint_enabled(hv_vcpu_state))
		hv_vcpu_state_trace(vcpu, to);
	WRITE_ONCE(vcpu->state, to);
}

#endif /* _HV_RUN_H */
