// SPDX-License-Identifier: GPL-2.0-only
/* Calls on a VM fd. */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <hv/bus.h>
#include <hv/core.h>
#include <hv/irq.h>
#include <hv/slot.h>
#include <hv/tlfs.h>
#include <hv/vm.h>
#include "buffer.h"
#include "ioctl.h"

#define SLOT_F_ALL	(HV_SLOT_F_READONLY | HV_SLOT_F_DIRTY_LOG)
#define IOEVENTFD_F_ALL	(HV_IOEVENTFD_F_PIO | HV_IOEVENTFD_F_DATAMATCH | HV_IOEVENTFD_F_DEASSIGN)
#define CHANNEL_F_ALL	(HV_CHANNEL_F_PIPE | HV_CHANNEL_F_TLNPI)
#define IRQFD_F_ALL	(HV_IRQFD_F_DEASSIGN | HV_IRQFD_F_RESAMPLE)

/*
 * The fd comes first, because making it can fail and publishing can not. The file owns
 * the vCPU from its creation on, so on a failure there is one owner to undo at any time.
 */
static long vm_create_vcpu(struct hv_call *call, void *args)
{
	struct hv_vm *vm = call->vm;
	struct hv_vcpu *vcpu = hv_vcpu_create_locked(vm, args);
	int ret;

	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	ret = hv_newfd_create(&call->newfd, "hv-vcpu", &hv_vcpu_fops, vcpu, NULL);
	if (ret) {
		hv_vcpu_abort(vcpu);
		return ret;
	}
	hv_vm_get(vm);
	hv_vcpu_publish_locked(vcpu);
	return 0;
}

static long vm_set_slot(struct hv_call *call, void *args)
{
	return hv_slot_set(call->vm, args);
}

static long vm_get_dirty(struct hv_call *call, void *args)
{
	unsigned long buf[HV_DIRTY_WORDS];
	struct hv_dirty_args *a = args;
	u64 __user *to = u64_to_user_ptr(a->addr);
	u64 done = 0;
	int i, n;

	a->count = 0;
	while ((n = hv_dirty_take(call->vm, a, done, buf)) > 0) {
		if (copy_to_user(to + done, buf, n * sizeof(*buf))) {
			hv_dirty_give_back(call->vm, a, done, n, buf);
			return -EFAULT;
		}
		for (i = 0; i < n; i++)
			a->count += hweight64(buf[i]);
		done += n;
	}
	return n;
}

static long vm_set_ioeventfd(struct hv_call *call, void *args)
{
	return hv_ioeventfd_set(call->vm, args);
}

static long vm_set_irqfd(struct hv_call *call, void *args)
{
	return hv_irqfd_set(call->vm, args);
}

static long vm_set_irq(struct hv_call *call, void *args)
{
	return hv_irq_set(call->vm, args);
}

static long vm_set_event_port(struct hv_call *call, void *args)
{
	const struct hv_event_port_args *a = args;
	struct eventfd_ctx *ctx = NULL;
	int ret;

	if (a->fd < -1)
		return -EBADF;
	if (a->fd >= 0) {
		ctx = eventfd_ctx_fdget(a->fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	ret = hv_port_set_event(call->vm, a->connection, ctx);
	if (ret && ctx)
		eventfd_ctx_put(ctx);
	return ret;
}

static long vm_message_before(struct hv_call *call, void *args)
{
	const struct hv_message_args *a = args;

	if (a->len > TLFS_MESSAGE_PAYLOAD)
		return -EINVAL;
	call->buf = kvzalloc(sizeof(struct tlfs_message), GFP_KERNEL_ACCOUNT);
	if (!call->buf)
		return -ENOMEM;
	return copy_from_user(((struct tlfs_message *)call->buf)->payload,
			      u64_to_user_ptr(a->addr), a->len) ? -EFAULT : 0;
}

static long vm_post_message(struct hv_call *call, void *args)
{
	const struct hv_message_args *a = args;
	struct tlfs_message *m = call->buf;

	m->type = a->type;
	m->size = a->len;
	m->sender = a->sender;
	return hv_vsynic_post(call->vm, a->vp, a->sint, m);
}

static long vm_get_state(struct hv_call *call, void *args)
{
	struct hv_state_args *a = args;

	return hv_state_vm_get(call->vm, a->record, a->index, call->buf, &a->len, &a->version);
}

static long vm_set_state(struct hv_call *call, void *args)
{
	const struct hv_state_args *a = args;

	return hv_state_vm_set(call->vm, a->record, a->index, call->buf, a->len, a->version);
}

static long vm_set_run_state(struct hv_call *call, void *args)
{
	const struct hv_run_state_args *a = args;

	return hv_vm_set_run_state_locked(call->vm, a->state);
}

static long vm_reset(struct hv_call *call, void *args)
{
	return hv_vm_reset_locked(call->vm);
}

static long vm_create_bus(struct hv_call *call, void *args)
{
	return hv_bus_create_locked(call->vm, args);
}

static long vm_create_channel(struct hv_call *call, void *args)
{
	return hv_newfd_chan(call, hv_chan_create(call->vm, args));
}

static const struct hv_ioctl_op vm_ops[] = {
	HV_OP(HV_VM_CREATE_VCPU, struct hv_vcpu_args, vnode, 0, HVL_VM, vm_create_vcpu),
	HV_OP_RSVD(HV_VM_SET_SLOT, struct hv_slot_args, fd_offset, SLOT_F_ALL, 0, vm_set_slot),
	HV_OP_RSVD(HV_VM_GET_DIRTY, struct hv_dirty_args, count, HV_DIRTY_F_CLEAR, 0,
		   vm_get_dirty),
	HV_OP(HV_VM_SET_IOEVENTFD, struct hv_ioeventfd_args, fd, IOEVENTFD_F_ALL, 0,
	      vm_set_ioeventfd),
	HV_OP(HV_VM_SET_IRQFD, struct hv_irqfd_args, target, IRQFD_F_ALL, 0, vm_set_irqfd),
	HV_OP_RSVD(HV_VM_SET_IRQ, struct hv_irq_args, target, 0, 0, vm_set_irq),
	HV_OP(HV_VM_SET_EVENT_PORT, struct hv_event_port_args, fd, 0, 0, vm_set_event_port),
	HV_OP(HV_VM_GET_STATE, struct hv_state_args, version, 0, HVL_VM, vm_get_state,
	      .before = hv_state_get_before, .after = hv_state_get_after),
	HV_OP(HV_VM_SET_STATE, struct hv_state_args, version, 0, HVL_VM, vm_set_state,
	      .before = hv_state_set_before),
	HV_OP_RSVD(HV_VM_GET_STATS, struct hv_stats_args, rsvd, 0, 0, hv_stats_vm_get,
		   .before = hv_stats_before, .after = hv_stats_after),
	HV_OP_RSVD(HV_VM_SET_RUN_STATE, struct hv_run_state_args, rsvd, 0, HVL_STOPPED,
		   vm_set_run_state),
	HV_OP(HV_VM_RESET, struct hv_reset_args, flags, 0, HVL_STOPPED, vm_reset),
	HV_OP(HV_VM_GET_CPUID, struct hv_cpuid_args, addr, 0, HVL_OUT_E2BIG, hv_cpuid_get,
	      .before = hv_cpuid_before, .after = hv_cpuid_after),
	HV_OP_RSVD(HV_VM_CREATE_BUS, struct hv_bus_args, rsvd, 0, HVL_VM, vm_create_bus),
	HV_OP(HV_VM_CREATE_CHANNEL, struct hv_channel_args, connection, CHANNEL_F_ALL, HVL_VM,
	      vm_create_channel),
	HV_OP(HV_VM_POST_MESSAGE, struct hv_message_args, sender, 0, 0, vm_post_message,
	      .before = vm_message_before),
};

static const struct hv_ioctl_table vm_table = {
	.first = _IOC_NR(HV_VM_CREATE_VCPU), .nr = ARRAY_SIZE(vm_ops), .ops = vm_ops,
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return hv_ioctl_dispatch(&vm_table, file->private_data, NULL, cmd, (void __user *)arg);
}

static int vm_release(struct inode *inode, struct file *file)
{
	hv_vm_put(file->private_data);
	return 0;
}

const struct file_operations hv_vm_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.release = vm_release,
	.llseek = noop_llseek,
};
