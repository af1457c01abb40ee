// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of a vCPU and the edges between them; the setter is inline, in hv/run.h, as
 * every exit uses it.
 *
 *	idle <-> loaded <-> guest
 *	  |        ^ v
 *	dead     blocked
 *
 * Documentation/vcpu-states.rst says what each state promises to a kicker.
 */
#include <linux/bug.h>
#include <hv/core.h>
#include <hv/run.h>
#include <hv/trace.h>

#define E(s)	(1u << HV_VS_##s)

const u8 hv_vcpu_edges[HV_VS_NR] = {	/* bit n of row m: m -> n is legal */
	[HV_VS_IDLE] = E(LOADED) | E(DEAD),
	[HV_VS_LOADED] = E(IDLE) | E(GUEST) | E(BLOCKED),
	[HV_VS_GUEST] = E(LOADED),
	[HV_VS_BLOCKED] = E(LOADED),
	[HV_VS_DEAD] = 0,
};

void hv_vcpu_state_trace(struct hv_vcpu *vcpu, enum hv_vcpu_state to)
{
	trace_hv_vcpu_state(vcpu, vcpu->state, to);
}

void hv_vcpu_state_bad(struct hv_vcpu *vcpu, enum hv_vcpu_state to)
{
	WARN_ONCE(1, "hv: vCPU %u of VM %llu: no edge from state %u to %u\n", vcpu->index,
		  vcpu->vm->id, vcpu->state, to);
	hv_vm_set_dead(vcpu->vm, "illegal vCPU state change");
}
