// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctl dispatcher: one path for every call but HV_VCPU_RUN.
 *
 * Order: row, size, copy, flags, reserved fields, owner, buffers in, locks, handler, buffers
 * out, copy back, publish the new fd. User memory is never touched under a lock: the page
 * may wait for userfaultfd, and pause and kill must not wait with it. Nothing before "owner" depends on the object, so a malformed call gets the
 * same answer in every state of the VM.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/uaccess.h>
#include <hv/trace.h>
#include <hv/vm.h>
#include "ioctl.h"

static DEFINE_PER_CPU(u64 [HV_IOCTL_NRS], hv_ioctl_counts);

u64 hv_ioctl_count(u32 nr)
{
	u64 sum = 0;
	int cpu;

	if (nr >= HV_IOCTL_NRS)
		return 0;
	for_each_possible_cpu(cpu)
		sum += per_cpu(hv_ioctl_counts, cpu)[nr];
	return sum;
}

/* The size in the number is what the caller's headers said; it plays no part. */
static const struct hv_ioctl_op *op_find(const struct hv_ioctl_table *table, unsigned int cmd)
{
	const struct hv_ioctl_op *op;
	u32 i = _IOC_NR(cmd) - table->first;

	if (i >= table->nr)
		return NULL;
	op = &table->ops[array_index_nospec(i, table->nr)];
	if (!op->size || (cmd ^ op->cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT))
		return NULL;
	return op;
}

/* Bring the structure in. Returns the caller's size. */
static long args_copy_in(const struct hv_ioctl_op *op, struct hv_call *call, void __user *arg)
{
	u32 size, flags, rsvd;
	int ret;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < op->min)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(call->args.bytes, op->size, arg, size);
	if (ret)
		return ret;
	/* The second read of @size may differ: the first one is what was checked. */
	memcpy(call->args.bytes, &size, sizeof(size));

	memcpy(&flags, call->args.bytes + sizeof(u32), sizeof(flags));
	if (flags & ~op->flags)
		return -EINVAL;
	if (op->rsvd) {
		memcpy(&rsvd, call->args.bytes + op->rsvd, sizeof(rsvd));
		if (rsvd)
			return -EINVAL;
	}
	return size;
}

static long locks_take(const struct hv_ioctl_op *op, struct hv_call *call)
{
	int ret;

	if (op->locks & (HVL_VM | HVL_STOPPED)) {
		if (mutex_lock_killable(&call->vm->lock))
			return -EINTR;
	}
	if (op->locks & HVL_STOPPED) {
		ret = hv_vm_gate_close_locked(call->vm);
		if (ret) {
			mutex_unlock(&call->vm->lock);
			return ret;
		}
	}
	if (op->locks & HVL_VCPU) {
		if (mutex_lock_killable(&call->vcpu->lock))
			return -EINTR;
	}
	return 0;
}

static void locks_drop(const struct hv_ioctl_op *op, struct hv_call *call)
{
	if (op->locks & HVL_VCPU)
		mutex_unlock(&call->vcpu->lock);
	if (op->locks & HVL_STOPPED)
		hv_vm_gate_open_locked(call->vm);
	if (op->locks & (HVL_VM | HVL_STOPPED))
		mutex_unlock(&call->vm->lock);
}

static long call_locked(const struct hv_ioctl_op *op, struct hv_call *call)
{
	long ret = locks_take(op, call);

	if (ret)
		return ret;
	/* Looked at under the locks: what a handler changes stays changed until it is dead. */
	if (call->vm && hv_vm_is_dead(call->vm))
		ret = -EIO;
	else
		ret = op->fn(call, call->args.bytes);
	locks_drop(op, call);
	return ret;
}

static long call_run(const struct hv_ioctl_op *op, struct hv_call *call, void __user *arg)
{
	long size, ret;

	size = args_copy_in(op, call, arg);
	if (size < 0)
		return size;
	if (call->vm && call->vm->mm != current->mm)
		return -EIO;
	ret = op->before ? op->before(call, call->args.bytes) : 0;
	if (ret)
		return ret;
	ret = call_locked(op, call);
	if (!ret && op->after)
		ret = op->after(call, call->args.bytes);

	if ((_IOC_DIR(op->cmd) & _IOC_READ) &&
	    (!ret || (ret == -E2BIG && (op->locks & HVL_OUT_E2BIG)))) {
		if (copy_to_user(arg, call->args.bytes, min_t(size_t, size, op->size)))
			ret = -EFAULT;
	}
	if (!hv_newfd_is_set(&call->newfd))
		return ret;
	if (ret) {
		hv_newfd_abort(&call->newfd);
		return ret;
	}
	return hv_newfd_publish(&call->newfd);
}

static long dispatch(const struct hv_ioctl_table *table, struct hv_call *call, unsigned int cmd,
		     void __user *arg)
{
	const struct hv_ioctl_op *op = op_find(table, cmd);
	long ret;
	u32 flags;

	if (!op)
		return -ENOTTY;
	this_cpu_inc(hv_ioctl_counts[_IOC_NR(op->cmd)]);
	ret = call_run(op, call, arg);
	kvfree(call->buf);
	memcpy(&flags, call->args.bytes + sizeof(u32), sizeof(flags));
	trace_hv_ioctl(call->vm ? call->vm->id : 0, call->vcpu ? (int)call->vcpu->index : -1,
		       _IOC_NR(op->cmd), flags, ret);
	return ret;
}

long hv_ioctl_dispatch(const struct hv_ioctl_table *table, struct hv_vm *vm, struct hv_vcpu *vcpu,
		       unsigned int cmd, void __user *arg)
{
	struct hv_call call = { .vm = vm, .vcpu = vcpu };

	return dispatch(table, &call, cmd, arg);
}

long hv_ioctl_dispatch_chan(const struct hv_ioctl_table *table, struct hv_chan *chan,
			    unsigned int cmd, void __user *arg)
{
	struct hv_call call = { .chan = chan };

	return dispatch(table, &call, cmd, arg);
}
