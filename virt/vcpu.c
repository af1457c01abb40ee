// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a vCPU: create, publish, kill, release.
 *
 * The VM's table holds the object from publish until the VM itself is released, so other
 * vCPUs find it without a reference of their own (interrupts, flushes). Its fd holds the
 * VM. When the fd is closed nobody can run it any more: it is killed, but stays in the
 * table, and its index is not given out again.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <hv/arch.h>
#include <hv/core.h>
#include <hv/run.h>
#include <hv/slot.h>
#include <hv/vm.h>

static void vcpu_free(struct hv_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->run);
	mutex_destroy(&vcpu->lock);
	hv_arch_vcpu_free(vcpu);
}

static int vcpu_build(struct hv_vcpu *vcpu)
{
	int ret;

	vcpu->run = (struct hv_run *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->run)
		return -ENOMEM;
	ret = hv_arch_vcpu_create(vcpu);
	if (ret)
		return ret;
	if (!(vcpu->vm->flags & HV_VM_F_NO_TLFS)) {
		ret = hv_tlfs_vcpu_create(vcpu);
		if (ret)
			hv_arch_vcpu_release(vcpu);
	}
	return ret;
}

struct hv_vcpu *hv_vcpu_create_locked(struct hv_vm *vm, const struct hv_vcpu_args *args)
{
	struct hv_vcpu *vcpu;
	int ret;

	lockdep_assert_held(&vm->lock);
	if (args->index >= vm->max_vcpus)
		return ERR_PTR(-EINVAL);
	if (args->vnode != HV_NO_VNODE && args->vnode >= HV_MAX_VNODES)
		return ERR_PTR(-EINVAL);
	if (vm->vcpu[args->index])
		return ERR_PTR(-EEXIST);
	vcpu = hv_arch_vcpu_alloc();
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->index = args->index;
	vcpu->vnode = args->vnode;
	refcount_set(&vcpu->refs, 1);
	mutex_init(&vcpu->lock);
	vcpu->state = HV_VS_IDLE;
	vcpu->cpu = -1;
	rcuwait_init(&vcpu->wait);
	ret = vcpu_build(vcpu);
	if (ret) {
		vcpu_free(vcpu);
		return ERR_PTR(ret);
	}
	return vcpu;
}

void hv_vcpu_publish_locked(struct hv_vcpu *vcpu)
{
	struct hv_vm *vm = vcpu->vm;

	lockdep_assert_held(&vm->lock);
	/* Pairs with the acquire in hv_vm_vcpu(): who finds it finds it complete. */
	smp_store_release(&vm->vcpu[vcpu->index], vcpu);
	WRITE_ONCE(vm->nr_vcpus, vm->nr_vcpus + 1);
	/* hv_vm_kill() asked those in the table; this one may have come too late. */
	smp_mb();
	if (hv_vm_is_dead(vm))
		hv_vcpu_request(vcpu, HV_REQ_KILL);
	hv_event(vm, vcpu, HV_EVENT_VCPU_CREATED, NULL);
}

static void vcpu_destroy(struct hv_vcpu *vcpu)
{
	if (vcpu->tlfs)
		hv_tlfs_vcpu_release(vcpu);
	hv_mem_vcpu_release(vcpu);
	hv_arch_vcpu_release(vcpu);
	vcpu_free(vcpu);
}

void hv_vcpu_lock_stopped(struct hv_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->vm->lock);
	hv_vcpu_request(vcpu, HV_REQ_PAUSE);
	mutex_lock(&vcpu->lock);
	hv_vcpu_take_request(vcpu, HV_REQ_PAUSE);
}

void hv_vcpu_abort(struct hv_vcpu *vcpu)
{
	vcpu_destroy(vcpu);
}

void hv_vcpu_kill(struct hv_vcpu *vcpu)
{
	mutex_lock(&vcpu->lock);
	hv_vcpu_state_set(vcpu, HV_VS_DEAD);
	mutex_unlock(&vcpu->lock);
	hv_event(vcpu->vm, vcpu, HV_EVENT_VCPU_DESTROYED, NULL);
}

void hv_vcpu_release(struct hv_vcpu *vcpu)
{
	if (refcount_dec_and_test(&vcpu->refs))
		vcpu_destroy(vcpu);
}
