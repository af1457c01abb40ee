// SPDX-License-Identifier: GPL-2.0-only
/* Calls on a vCPU fd. HV_VCPU_RUN does not go through the dispatcher: it is the hot path. */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <hv/arch.h>
#include <hv/run.h>
#include <hv/vm.h>
#include "buffer.h"
#include "ioctl.h"
#include "runpage.h"

#define TRANSLATE_F_ALL	(HV_TRANSLATE_F_WRITE | HV_TRANSLATE_F_EXEC | HV_TRANSLATE_F_USER)

static long vcpu_get_state(struct hv_call *call, void *args)
{
	struct hv_state_args *a = args;

	return hv_state_vcpu_get(call->vcpu, a->record, a->index, call->buf, &a->len, &a->version);
}

static long vcpu_set_state(struct hv_call *call, void *args)
{
	const struct hv_state_args *a = args;

	return hv_state_vcpu_set(call->vcpu, a->record, a->index, call->buf, a->len, a->version);
}

static long vcpu_inject(struct hv_call *call, void *args)
{
	const struct hv_inject_args *a = args;

	if (a->kind != HV_INJECT_NMI)
		return -EINVAL;
	return hv_arch_vcpu_inject_nmi(call->vcpu);
}

static long vcpu_translate(struct hv_call *call, void *args)
{
	return hv_arch_vcpu_translate(call->vcpu, args);
}

static const struct hv_ioctl_op vcpu_ops[] = {
	{ .cmd = HV_VCPU_RUN },		/* without argument: the dispatcher knows no such call */
	HV_OP(HV_VCPU_GET_STATE, struct hv_state_args, version, 0, HVL_VCPU, vcpu_get_state,
	      .before = hv_state_get_before, .after = hv_state_get_after),
	HV_OP(HV_VCPU_SET_STATE, struct hv_state_args, version, 0, HVL_VCPU, vcpu_set_state,
	      .before = hv_state_set_before),
	HV_OP_RSVD(HV_VCPU_GET_STATS, struct hv_stats_args, rsvd, 0, 0, hv_stats_vcpu_get,
		   .before = hv_stats_before, .after = hv_stats_after),
	HV_OP_RSVD(HV_VCPU_INJECT, struct hv_inject_args, rsvd, 0, 0, vcpu_inject),
	HV_OP_RSVD(HV_VCPU_TRANSLATE, struct hv_translate_args, rsvd, TRANSLATE_F_ALL, HVL_VCPU,
		   vcpu_translate),
};

static const struct hv_ioctl_table vcpu_table = {
	.first = _IOC_NR(HV_VCPU_RUN), .nr = ARRAY_SIZE(vcpu_ops), .ops = vcpu_ops,
};

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct hv_vcpu *vcpu = file->private_data;

	if (likely(cmd == HV_VCPU_RUN)) {
		if (unlikely(vcpu->vm->mm != current->mm))
			return -EIO;
		return hv_vcpu_run(vcpu);
	}
	return hv_ioctl_dispatch(&vcpu_table, vcpu->vm, vcpu, cmd, (void __user *)arg);
}

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	return hv_runpage_mmap(file->private_data, vma);
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct hv_vcpu *vcpu = file->private_data;
	struct hv_vm *vm = vcpu->vm;

	hv_vcpu_kill(vcpu);
	hv_vm_put(vm);
	return 0;
}

const struct file_operations hv_vcpu_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vcpu_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = vcpu_mmap,
	.release = vcpu_release,
	.llseek = noop_llseek,
};
