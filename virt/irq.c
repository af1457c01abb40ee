// SPDX-License-Identifier: GPL-2.0-only
/* irq.c - an interrupt to its target, and the VM's interrupt and I/O tables */
#include <linux/slab.h>
#include <hv/arch.h>
#include <hv/trace.h>
#include <hvguest/tlfs.h>
#include "irq.h"

int hv_irq_target_check(struct hv_vm *vm, const struct hv_irq_target *t)
{
	if (t->kind != HV_IRQ_SINT)
		return hv_arch_irq_check(vm, t);
	if (!vm->tlfs || t->vp >= vm->max_vcpus || t->sint >= TLFS_SINTS ||
	    t->flag >= TLFS_EVENT_FLAGS)
		return -EINVAL;
	return 0;
}

int hv_irq_deliver(struct hv_vm *vm, const struct hv_irq_target *t, u32 level)
{
	int ret;

	if (t->kind == HV_IRQ_SINT) {
		ret = hv_vsynic_signal(vm, t->vp, t->sint, t->flag);
		trace_hv_irq(vm, t->kind, t->vp, t->sint, ret);
	} else {
		ret = hv_arch_irq_deliver(vm, t, level);
		if (t->kind == HV_IRQ_GSI)
			trace_hv_irq(vm, t->kind, t->gsi, level, ret);
		else
			trace_hv_irq(vm, t->kind, t->msi_addr, t->msi_data, ret);
	}
	return ret;
}

int hv_irq_set(struct hv_vm *vm, const struct hv_irq_args *args)
{
	int ret = hv_irq_target_check(vm, &args->target);

	if (ret)
		return ret;
	if (args->target.kind == HV_IRQ_GSI && args->level > 1)
		return -EINVAL;
	/* The target exists: that it does not listen now is no error of the caller's. */
	return !!hv_irq_deliver(vm, &args->target, args->level);
}

int hv_irq_vm_create(struct hv_vm *vm)
{
	struct hv_irq_table *t;
	int ret = hv_iobus_create(vm);
	unsigned int gsi;

	if (ret)
		return ret;
	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t) {
		hv_iobus_release(vm);
		return -ENOMEM;
	}
	mutex_init(&t->lock);
	hash_init(t->irqfds);
	INIT_WORK(&t->hup_work, hv_irqfd_hup_work);
	t->vm = vm;
	for (gsi = 0; gsi < HV_NR_GSI; gsi++) {
		t->resampler[gsi].vm = vm;
		t->resampler[gsi].gsi = gsi;
		INIT_LIST_HEAD(&t->resampler[gsi].irqfds);
	}
	vm->irqs = t;
	return 0;
}

void hv_irq_vm_release(struct hv_vm *vm)
{
	hv_irqfd_vm_release(vm->irqs);
	mutex_destroy(&vm->irqs->lock);
	kfree(vm->irqs);
	vm->irqs = NULL;
	hv_iobus_release(vm);
}
