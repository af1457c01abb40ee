// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on a channel fd. Any process may make them: there is no VM and no lock in a row, the
 * channel has its own. HV_CHAN_SIGNAL does not go through the dispatcher: it is the hot path.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <hv/bus.h>
#include "buffer.h"
#include "ioctl.h"

#define GPADL_ROOM	8192u		/* page numbers at a time: all there can be */

static long chan_get_event(struct hv_call *call, void *args)
{
	return hv_chan_get_event(call->chan, args);
}

static long chan_set_open_result(struct hv_call *call, void *args)
{
	const struct hv_chan_open_result_args *a = args;

	return hv_chan_set_open_result(call->chan, a->status);
}

static long chan_ack(struct hv_call *call, void *args)
{
	const struct hv_chan_ack_args *a = args;

	return hv_chan_ack(call->chan, a->kind, a->gpadl);
}

static long chan_set_eventfd(struct hv_call *call, void *args)
{
	const struct hv_chan_eventfd_args *a = args;
	struct eventfd_ctx *ctx = NULL;

	if (a->fd < -1)
		return -EBADF;
	if (a->fd >= 0) {
		ctx = eventfd_ctx_fdget(a->fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	return hv_chan_set_eventfd(call->chan, ctx);
}

static long gpadl_before(struct hv_call *call, void *args)
{
	struct hv_chan_gpadl_args *a = args;

	a->nr = min(a->nr, GPADL_ROOM);
	call->buf = kvcalloc(max(a->nr, 1u), sizeof(u64), GFP_KERNEL_ACCOUNT);
	return call->buf ? 0 : -ENOMEM;
}

static long chan_get_gpadl(struct hv_call *call, void *args)
{
	return hv_chan_get_gpadl(call->chan, args, call->buf);
}

static long gpadl_after(struct hv_call *call, void *args)
{
	const struct hv_chan_gpadl_args *a = args;

	return copy_to_user(u64_to_user_ptr(a->addr), call->buf, a->nr * sizeof(u64)) ? -EFAULT : 0;
}

static void chan_publish(void *obj)
{
	hv_chan_publish(obj);
}

long hv_newfd_chan(struct hv_call *call, struct hv_chan *chan)
{
	int ret;

	if (IS_ERR(chan))
		return PTR_ERR(chan);
	ret = hv_newfd_create(&call->newfd, "hv-channel", &hv_chan_fops, chan, chan_publish);
	if (ret)
		hv_chan_close(chan);
	else
		hv_chan_set_mapping(chan, call->newfd.file);
	return ret;
}

static long chan_create_sub(struct hv_call *call, void *args)
{
	return hv_newfd_chan(call, hv_chan_create_sub(call->chan, args));
}

static long chan_rescind(struct hv_call *call, void *args)
{
	return hv_chan_rescind(call->chan);
}

static long chan_get_info(struct hv_call *call, void *args)
{
	return hv_chan_get_info(call->chan, args);
}

static const struct hv_ioctl_op chan_ops[] = {
	{ .cmd = HV_CHAN_SIGNAL },	/* without argument: the dispatcher knows no such call */
	HV_OP(HV_CHAN_GET_EVENT, struct hv_chan_event_args, user_defined, 0, 0, chan_get_event),
	HV_OP_RSVD(HV_CHAN_SET_OPEN_RESULT, struct hv_chan_open_result_args, rsvd, 0, 0,
		   chan_set_open_result),
	HV_OP(HV_CHAN_ACK, struct hv_chan_ack_args, gpadl, 0, 0, chan_ack),
	HV_OP_RSVD(HV_CHAN_SET_EVENTFD, struct hv_chan_eventfd_args, rsvd, 0, 0, chan_set_eventfd),
	HV_OP(HV_CHAN_GET_GPADL, struct hv_chan_gpadl_args, addr, HV_GPADL_F_TAKE, 0,
	      chan_get_gpadl, .before = gpadl_before, .after = gpadl_after),
	HV_OP(HV_CHAN_CREATE_SUB, struct hv_chan_sub_args, relid, 0, 0, chan_create_sub),
	HV_OP(HV_CHAN_RESCIND, struct hv_chan_rescind_args, flags, 0, 0, chan_rescind),
	HV_OP(HV_CHAN_GET_INFO, struct hv_chan_info_args, instance, 0, 0, chan_get_info),
	HV_OP_RSVD(HV_CHAN_GET_STATS, struct hv_stats_args, rsvd, 0, 0, hv_stats_chan_get,
		   .before = hv_stats_before, .after = hv_stats_after),
};

static const struct hv_ioctl_table chan_table = {
	.first = _IOC_NR(HV_CHAN_SIGNAL), .nr = ARRAY_SIZE(chan_ops), .ops = chan_ops,
};

static long chan_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd == HV_CHAN_SIGNAL)
		return hv_chan_signal(file->private_data);
	return hv_ioctl_dispatch_chan(&chan_table, file->private_data, cmd, (void __user *)arg);
}

static __poll_t chan_poll(struct file *file, poll_table *pt)
{
	return hv_chan_poll(file->private_data, file, pt);
}

static int chan_mmap(struct file *file, struct vm_area_struct *vma)
{
	return hv_chan_mmap(file->private_data, vma);
}

static int chan_release(struct inode *inode, struct file *file)
{
	hv_chan_close(file->private_data);
	return 0;
}

const struct file_operations hv_chan_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = chan_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = chan_poll,
	.mmap = chan_mmap,
	.release = chan_release,
	.llseek = noop_llseek,
};
