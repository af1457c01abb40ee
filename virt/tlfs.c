// SPDX-License-Identifier: GPL-2.0-only
/* tlfs.c - birth, reset and death of the Hyper-V interface of VMs and vCPUs */
#include <linux/slab.h>
#include <hv/core.h>
#include <hv/tlfs.h>
#include "reftime.h"
#include "vsynic.h"

int hv_tlfs_vm_create(struct hv_vm *vm)
{
	struct hv_tlfs_vm *t;

	if (vm->flags & HV_VM_F_NO_TLFS)
		return 0;
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return -ENOMEM;
	mutex_init(&t->lock);
	vm->tlfs = t;
	hv_reftime_init(vm);
	return 0;
}

void hv_tlfs_vm_release(struct hv_vm *vm)
{
	kfree(vm->tlfs);
	vm->tlfs = NULL;
}

/* The overlay pages are hidden and cleared by hv_overlay_reset(). */
void hv_tlfs_vm_reset(struct hv_vm *vm)
{
	struct hv_tlfs_vm *t = vm->tlfs;

	if (!t)
		return;
	mutex_lock(&t->lock);
	t->guest_os_id = 0;
	t->hypercall = 0;
	t->reference_tsc = 0;
	t->tsc_invariant = 0;
	memset(t->crash_p, 0, sizeof(t->crash_p));
	t->crash_ctl = 0;
	hv_reftime_reset(vm);
	mutex_unlock(&t->lock);
}

int hv_tlfs_vcpu_create(struct hv_vcpu *vcpu)
{
	struct hv_vsynic *s;

	if (!vcpu->vm->tlfs)
		return 0;
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	hv_vsynic_init(s, vcpu);
	hv_vstimer_init(s);
	vcpu->tlfs = &s->hot;
	return 0;
}

void hv_tlfs_vcpu_release(struct hv_vcpu *vcpu)
{
	struct hv_vsynic *s;

	if (!vcpu->tlfs)
		return;
	s = to_vsynic(vcpu);
	hv_vstimer_reset(s);
	hv_vsynic_reset(s);
	hv_vsynic_queue_release(s);
	vcpu->tlfs = NULL;
	kfree(s);
}

void hv_tlfs_vcpu_reset(struct hv_vcpu *vcpu)
{
	if (!vcpu->tlfs)
		return;
	hv_vstimer_reset(to_vsynic(vcpu));
	hv_vsynic_reset(to_vsynic(vcpu));
}

void hv_tlfs_vcpu_service(struct hv_vcpu *vcpu)
{
	if (!vcpu->tlfs)
		return;
	hv_vstimer_service(to_vsynic(vcpu));
	hv_vsynic_rescan(to_vsynic(vcpu));
}
