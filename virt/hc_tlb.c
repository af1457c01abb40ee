// SPDX-License-Identifier: GPL-2.0-only
/*
 * hc_tlb.c - HvFlushVirtualAddressSpace, ...List and their Ex forms (TLFS 9.4)
 *
 * The guest relies on it: when the call returns, none of the targets uses a translation
 * from before, also where its code walks page tables without a lock. So the request is
 * set on all, and those that execute guest code at that time are waited for.
 *
 * Every form flushes all guest translations of the target: finer flushing would need
 * the vendor's per-address verbs for a gain that the guest's own choice of this call
 * (more than a handful of pages) makes small. A list is therefore never read.
 */
#include <linux/sched/signal.h>
#include <hv/arch.h>
#include "hcall.h"
#include "lib/vpset.h"

/* Served the request, or out of guest mode, where it will be served before the next entry. */
static bool has_left(struct hv_vcpu *vcpu)
{
	return READ_ONCE(vcpu->state) != HV_VS_GUEST ||
		!hv_vcpu_has_request(vcpu, HV_REQ_TLB_FLUSH);
}

/*
 * The request comes with an IPI, which ends guest mode at once; entering and leaving are
 * short and not preemptible. We are out of guest mode ourselves, so two flushes that aim
 * at each other both end.
 */
static void flush(struct hv_vcpu *self, const struct hv_vp_set *set)
{
	u32 limit = self->vm->max_vcpus;
	struct hv_vcpu *vcpu;
	u32 vp;

	hv_vpset_for_each(set, vp, limit) {
		vcpu = hv_vm_vcpu(self->vm, vp);
		if (vcpu == self)
			set_bit(HV_REQ_TLB_FLUSH, &self->requests);
		else if (vcpu)
			hv_vcpu_request(vcpu, HV_REQ_TLB_FLUSH);
	}
	hv_vpset_for_each(set, vp, limit) {
		vcpu = hv_vm_vcpu(self->vm, vp);
		while (vcpu && vcpu != self && !has_left(vcpu))
			cpu_relax();
	}
	self->vm->stat.remote_tlb_flushes++;
}

static u16 flush_checked(struct hv_hcall_ctx *c, bool ex)
{
	struct tlfs_in_flush in;
	struct hv_vp_set set;
	u16 status;

	status = hv_hcall_read_targets(c, &in, offsetof(struct tlfs_in_flush, mask), ex, &set);
	if (status != TLFS_OK)
		return status;
	if (in.flags & ~TLFS_FLUSH_VALID)
		return TLFS_INVALID_PARAMETER;
	if (signal_pending(current))
		return HV_HCALL_RESTART;
	if (in.flags & TLFS_FLUSH_ALL_PROCESSORS)
		set.all = true;
	flush(c->vcpu, &set);
	return TLFS_OK;
}

u16 hv_hc_flush(struct hv_hcall_ctx *c)
{
	return flush_checked(c, false);
}

u16 hv_hc_flush_ex(struct hv_hcall_ctx *c)
{
	return flush_checked(c, true);
}
