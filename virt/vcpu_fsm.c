// SPDX-License-Identifier: GPL-2.0-only
/* vcpu_fsm.c - the states of a vCPU and the edges between them; the setter is in run.h */
#include <hv/core.h>
#include <hv/run.h>

#define E(s)	(1u << HV_VS_##s)

const u8 hv_vcpu_edges[HV_VS_NR] = {
	[HV_VS_IDLE] = E(LOADED) | E(DEAD),
	[HV_VS_LOADED] = E(IDLE) | E(GUEST) | E(BLOCKED),
	[HV_VS_GUEST] = E(LOADED),
	[HV_VS_BLOCKED] = E(LOADED),
	[HV_VS_DEAD] = 0,
};

void hv_vcpu_state_bad(struct hv_vcpu *vcpu, enum hv_vcpu_state to)
{
	hv_vm_set_dead(vcpu->vm, "illegal vCPU state change");
}
