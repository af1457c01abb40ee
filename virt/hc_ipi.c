// SPDX-License-Identifier: GPL-2.0-only
/* hc_ipi.c - HvSendSyntheticClusterIpi and its Ex form (TLFS 10.6) */
#include <hv/arch.h>
#include "hcall.h"
#include "lib/vpset.h"

static u16 send(struct hv_hcall_ctx *c, bool ex)
{
	u32 vp, limit = c->vcpu->vm->max_vcpus;
	struct hv_vcpu *vcpu;
	struct tlfs_in_ipi in;
	struct hv_vp_set set;
	u16 status;

	status = hv_hcall_read_targets(c, &in, offsetof(struct tlfs_in_ipi, mask), ex, &set);
	if (status != TLFS_OK)
		return status;
	if (in.vector < TLFS_IPI_MIN_VECTOR || in.vector > 0xff || in.rsvd)
		return TLFS_INVALID_PARAMETER;
	hv_vpset_for_each(&set, vp, limit) {
		vcpu = hv_vm_vcpu(c->vcpu->vm, vp);
		if (vcpu)
			hv_arch_irq_raise(vcpu, in.vector);
	}
	return TLFS_OK;
}

u16 hv_hc_send_ipi(struct hv_hcall_ctx *c)
{
	return send(c, false);
}

u16 hv_hc_send_ipi_ex(struct hv_hcall_ctx *c)
{
	return send(c, true);
}
