// SPDX-License-Identifier: GPL-2.0-only
/* hc_ipi.c - HvSendSyntheticClusterIpi and its Ex form (TLFS 10.6) */
#include <hv/arch.h>
#include "hcall.h"
#include "lib/vpset.h"

static u16 send(struct hv_hcall_ctx *c, const struct tlfs_in_ipi *in, const struct hv_vp_set *set)
{
	struct hv_vm *vm = c->vcpu->vm;
	u32 limit = vm->max_vcpus;
	struct hv_vcpu *vcpu;
	u32 vp;

	if (in->vector < TLFS_IPI_MIN_VECTOR || in->vector > 0xff || in->rsvd)
		return TLFS_INVALID_PARAMETER;
	for (vp = hv_vpset_next(set, 0, limit); vp < limit; vp = hv_vpset_next(set, vp + 1, limit)) {
		vcpu = hv_vm_vcpu(vm, vp);
		if (vcpu)
			hv_arch_irq_raise(vcpu, in->vector);
	}
	return TLFS_OK;
}

u16 hv_hc_send_ipi(struct hv_hcall_ctx *c)
{
	struct tlfs_in_ipi in;
	struct hv_vp_set set;
	u16 status;

	status = hv_hcall_read(c, 0, &in, sizeof(in));
	if (status != TLFS_OK)
		return status;
	hv_vpset_from_mask(&set, in.mask);
	return send(c, &in, &set);
}

u16 hv_hc_send_ipi_ex(struct hv_hcall_ctx *c)
{
	struct tlfs_in_ipi in;
	struct hv_vp_set set;
	u16 status;

	status = hv_hcall_read(c, 0, &in, offsetof(struct tlfs_in_ipi, mask));
	if (status == TLFS_OK)
		status = hv_hcall_read_vpset(c, offsetof(struct tlfs_in_ipi, mask), &set);
	return status == TLFS_OK ? send(c, &in, &set) : status;
}
