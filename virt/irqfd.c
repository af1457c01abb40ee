// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqfd.c - eventfds that raise interrupts
 *
 * A write to the eventfd wakes its wait queue; our entry there delivers at once, in the
 * writer's context: with interrupts off and the queue's lock held. Everything on the way
 * of a delivery can be called like that, so no work item stands in between.
 *
 * When the last user-space reference of the eventfd goes, the queue is woken with HUP;
 * the entry can not be removed under its own lock, so a work item does it.
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/poll.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <hv/arch.h>
#include <hv/compat.h>
#include "irq.h"

struct hv_irqfd {
	struct hv_vm *vm;
	struct hv_irq_target target;
	struct eventfd_ctx *ctx;
	struct eventfd_ctx *resample;		/* NULL: none */
	wait_queue_entry_t wait;
	wait_queue_head_t *queue;		/* where @wait is; NULL: nowhere */
	poll_table pt;
	bool hup;				/* A: the eventfd is closed */
	struct hlist_node node;			/* hv_irq_table.irqfds; its lock */
	struct list_head resample_link;		/* hv_resampler.irqfds; its lock, RCU */
};

static void deliver(struct hv_irqfd *f)
{
	struct hv_vm *vm = f->vm;

	vm->stat.irqfd_signals++;
	if (f->target.kind != HV_IRQ_GSI) {
		hv_irq_deliver(vm, &f->target, 1);
	} else if (f->resample) {
		hv_arch_irq_set_line(vm, f->target.gsi, HV_IRQ_SOURCE_RESAMPLE, true);
	} else {
		hv_arch_irq_set_line(vm, f->target.gsi, HV_IRQ_SOURCE_PULSE, true);
		hv_arch_irq_set_line(vm, f->target.gsi, HV_IRQ_SOURCE_PULSE, false);
	}
}

/* The eventfd was written or closed. Its queue's lock is held, interrupts are off. */
static int wakeup(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct hv_irqfd *f = container_of(wait, struct hv_irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLIN) {
		eventfd_ctx_do_read(f->ctx, &count);
		deliver(f);
	}
	if (events & EPOLLHUP) {
		WRITE_ONCE(f->hup, true);
		schedule_work(&f->vm->irqs->hup_work);
	}
	return 0;
}

static void queue_join(struct file *file, wait_queue_head_t *queue, poll_table *pt)
{
	struct hv_irqfd *f = container_of(pt, struct hv_irqfd, pt);

	f->queue = queue;
	add_wait_queue(queue, &f->wait);
}

/* ---- resampling ---- */

/* The guest ended the interrupt of this GSI. In an RCU section of the interrupt controller. */
static void resampled(void *arg)
{
	struct hv_resampler *r = arg;
	struct hv_irqfd *f;

	hv_arch_irq_set_line(r->vm, r->gsi, HV_IRQ_SOURCE_RESAMPLE, false);
	list_for_each_entry_rcu(f, &r->irqfds, resample_link)
		hv_compat_eventfd_signal(f->resample);
}

static int resample_join_locked(struct hv_irq_table *t, struct hv_irqfd *f)
{
	struct hv_resampler *r = &t->resampler[f->target.gsi];
	int ret = 0;

	lockdep_assert_held(&t->lock);
	if (list_empty(&r->irqfds))
		ret = hv_arch_irq_set_resample(t->vm, r->gsi, resampled, r);
	if (!ret)
		list_add_tail_rcu(&f->resample_link, &r->irqfds);
	return ret;
}

/* After return the resample eventfd is not signalled any more. */
static void resample_leave_locked(struct hv_irq_table *t, struct hv_irqfd *f)
{
	struct hv_resampler *r = &t->resampler[f->target.gsi];

	lockdep_assert_held(&t->lock);
	list_del_rcu(&f->resample_link);
	if (!list_empty(&r->irqfds)) {
		synchronize_rcu();
		return;
	}
	hv_arch_irq_set_resample(t->vm, r->gsi, NULL, NULL);
	hv_arch_irq_set_line(t->vm, r->gsi, HV_IRQ_SOURCE_RESAMPLE, false);
}

/* ---- assign, deassign ---- */

static struct hv_irqfd *find_locked(struct hv_irq_table *t, struct eventfd_ctx *ctx)
{
	struct hv_irqfd *f;

	lockdep_assert_held(&t->lock);
	hash_for_each_possible(t->irqfds, f, node, (unsigned long)ctx)
		if (f->ctx == ctx && !READ_ONCE(f->hup))
			return f;
	return NULL;
}

/* Leaves the queue (a delivery under way ends first), the GSI and the table. */
static void irqfd_kill_locked(struct hv_irq_table *t, struct hv_irqfd *f)
{
	if (f->queue)
		remove_wait_queue(f->queue, &f->wait);
	if (f->resample)
		resample_leave_locked(t, f);
	hash_del(&f->node);
}

static void irqfd_free(struct hv_irqfd *f)
{
	if (f->resample)
		eventfd_ctx_put(f->resample);
	eventfd_ctx_put(f->ctx);
	kfree(f);
}

/* Start to listen; a count that stands in the eventfd already is delivered. */
static void listen(struct hv_irqfd *f, struct file *file)
{
	__poll_t events;
	u64 count;

	init_waitqueue_func_entry(&f->wait, wakeup);
	init_poll_funcptr(&f->pt, queue_join);
	events = vfs_poll(file, &f->pt);
	if (!(events & EPOLLIN) || !f->queue)
		return;
	spin_lock_irq(&f->queue->lock);
	eventfd_ctx_do_read(f->ctx, &count);
	if (count)		/* else a writer came in between, and was heard */
		deliver(f);
	spin_unlock_irq(&f->queue->lock);
}

static int publish(struct hv_irq_table *t, struct hv_irqfd *f, struct file *file)
{
	int ret = 0;

	mutex_lock(&t->lock);
	if (find_locked(t, f->ctx))
		ret = -EEXIST;
	else if (f->resample)
		ret = resample_join_locked(t, f);
	if (!ret) {
		hash_add(t->irqfds, &f->node, (unsigned long)f->ctx);
		listen(f, file);
	}
	mutex_unlock(&t->lock);
	return ret;
}

static int assign(struct hv_vm *vm, const struct hv_irqfd_args *args)
{
	struct hv_irqfd *f;
	struct file *file;
	int ret;

	ret = hv_irq_target_check(vm, &args->target);
	if (ret)
		return ret;
	if ((args->flags & HV_IRQFD_F_RESAMPLE) && args->target.kind != HV_IRQ_GSI)
		return -EINVAL;
	file = fget(args->fd);
	if (!file)
		return -EBADF;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f) {
		ret = -ENOMEM;
		goto put_file;
	}
	f->vm = vm;
	f->target = args->target;
	if (f->target.kind == HV_IRQ_GSI)
		f->target.gsi = array_index_nospec(f->target.gsi, HV_NR_GSI);
	f->ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(f->ctx)) {
		ret = PTR_ERR(f->ctx);
		kfree(f);
		goto put_file;
	}
	if (args->flags & HV_IRQFD_F_RESAMPLE) {
		struct eventfd_ctx *ctx = eventfd_ctx_fdget(args->resample_fd);

		if (IS_ERR(ctx)) {
			ret = PTR_ERR(ctx);
			irqfd_free(f);
			goto put_file;
		}
		f->resample = ctx;
	}
	ret = publish(vm->irqs, f, file);
	if (ret)
		irqfd_free(f);
put_file:
	/* The VM holds the eventfd, not its file: closing the file is how the irqfd ends. */
	fput(file);
	return ret;
}

static int deassign(struct hv_vm *vm, const struct hv_irqfd_args *args)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(args->fd);
	struct hv_irq_table *t = vm->irqs;
	struct hv_irqfd *f;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	mutex_lock(&t->lock);
	f = find_locked(t, ctx);
	if (f)
		irqfd_kill_locked(t, f);
	mutex_unlock(&t->lock);
	eventfd_ctx_put(ctx);
	if (!f)
		return -ENOENT;
	irqfd_free(f);
	return 0;
}

int hv_irqfd_set(struct hv_vm *vm, const struct hv_irqfd_args *args)
{
	return args->flags & HV_IRQFD_F_DEASSIGN ? deassign(vm, args) : assign(vm, args);
}

/* ---- the end ---- */

static void kill_all(struct hv_irq_table *t, bool hup_only)
{
	struct hlist_node *tmp;
	struct hv_irqfd *f;
	unsigned int i;

	mutex_lock(&t->lock);
	hash_for_each_safe(t->irqfds, i, tmp, f, node) {
		if (hup_only && !READ_ONCE(f->hup))
			continue;
		irqfd_kill_locked(t, f);
		irqfd_free(f);
	}
	mutex_unlock(&t->lock);
}

void hv_irqfd_hup_work(struct work_struct *work)
{
	kill_all(container_of(work, struct hv_irq_table, hup_work), true);
}

void hv_irqfd_vm_release(struct hv_irq_table *t)
{
	kill_all(t, false);
	/* No queue calls us any more, so the work can not be started again. */
	cancel_work_sync(&t->hup_work);
}
