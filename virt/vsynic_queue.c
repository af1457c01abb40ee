// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsynic_queue.c - messages on their way into the slots of a vCPU's SIMP (TLFS chapter 11)
 *
 * Messages of all SINTs wait in one queue in order of arrival. A message goes into its
 * SINT's slot when the slot is free (type 0); if it is not, the "pending" flag of the
 * message there asks the guest for an EOM, which scans the queue again, as an EOI and
 * every new message do. The guest frees a slot by clearing the type and looks at the flag
 * after a barrier; we set the flag and look at the type after one.
 *
 * Who posts from inside the module (the VMBus server) may have HV_VSYNIC_BACKLOG messages
 * waiting for a SINT, is refused then, and hears when it is worth another try. The
 * messages' memory stays with the vCPU: a delivery may happen in hard-irq context, where
 * nothing is freed.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <hv/hv_x86.h>
#include <hv/trace.h>
#include "vsynic.h"

/* One of hv_vsynic_post(). */
struct posted {
	struct hv_vsynic_msg msg;
	u8 payload[TLFS_MESSAGE_PAYLOAD];
};

void hv_vsynic_queue_locked(struct hv_vsynic *s, struct hv_vsynic_msg *msg)
{
	lockdep_assert_held(&s->lock);
	list_add_tail(&msg->link, &s->queue);
	s->waiting[msg->sint] += msg->posted;
	WRITE_ONCE(s->hot.queued, s->hot.queued | 1u << msg->sint);
}

void hv_vsynic_unqueue_locked(struct hv_vsynic *s, struct hv_vsynic_msg *msg)
{
	lockdep_assert_held(&s->lock);
	list_del_init(&msg->link);
	if (!msg->posted)
		return;
	s->waiting[msg->sint]--;
	list_add(&msg->link, &s->spare);
}

void hv_vsynic_drop_locked(struct hv_vsynic *s)
{
	struct hv_vsynic_msg *msg, *next;

	list_for_each_entry_safe(msg, next, &s->queue, link)
		hv_vsynic_unqueue_locked(s, msg);
	WRITE_ONCE(s->hot.queued, 0);
}

/* Is there a message in @slot? Then it is marked: the guest will write EOM. */
static bool slot_busy(struct tlfs_message *slot)
{
	BUILD_BUG_ON(offsetof(struct tlfs_message, size) != 4);

	if (!READ_ONCE(slot->type))
		return false;
	/* size, flags and a reserved word are one aligned u32; flags is its second byte */
	atomic_or(TLFS_MESSAGE_F_PENDING << 8, (atomic_t *)&slot->size);
	smp_mb__after_atomic();		/* pairs with the guest's, between type and flag */
	return READ_ONCE(slot->type);
}

static void slot_fill(struct tlfs_message *slot, const struct hv_vsynic_msg *msg)
{
	slot->size = msg->size;
	slot->flags = 0;
	slot->rsvd = 0;
	slot->sender = msg->sender;
	memcpy(slot->payload, msg->payload, msg->size);
	smp_store_release(&slot->type, msg->type);	/* pairs with the guest's read of it */
}

/* Who was refused before may try again now: noted, for hv_vsynic_raise() to tell. */
static void note_room_locked(struct hv_vsynic *s)
{
	u32 left, sint;

	for (left = s->slots ? s->full : 0; left; left &= left - 1) {
		sint = __ffs(left);
		if (s->waiting[sint] > HV_VSYNIC_BACKLOG / 2)
			continue;
		s->full &= ~(1u << sint);
		s->tell |= 1u << sint;
	}
	for (left = s->events ? s->deaf : 0; left; left &= left - 1) {
		sint = __ffs(left);
		if (READ_ONCE(s->sint[sint]) & TLFS_SINT_MASKED)
			continue;
		s->deaf &= ~(1u << sint);
		s->tell |= 1u << sint;
	}
}

u32 hv_vsynic_deliver_locked(struct hv_vsynic *s)
{
	struct hv_vsynic_msg *msg, *next;
	u32 busy = 0, raise = 0;

	lockdep_assert_held(&s->lock);
	list_for_each_entry_safe(msg, next, &s->queue, link) {
		struct tlfs_message *slot = s->slots ? &s->slots[msg->sint] : NULL;
		u32 bit = 1u << msg->sint;

		if ((busy & bit) || !slot || slot_busy(slot)) {
			busy |= bit;
			continue;
		}
		if (msg->type == TLFS_MESSAGE_TIMER_EXPIRED)
			((struct tlfs_timer_message *)msg->payload)->delivery =
				hv_reftime_now(s->vcpu->vm);
		slot_fill(slot, msg);
		hv_vsynic_unqueue_locked(s, msg);
		s->vcpu->stat.vsynic_messages++;
		trace_hv_vsynic_message(s->vcpu, msg->sint, msg->type, 0);
		raise |= bit;
	}
	WRITE_ONCE(s->hot.queued, busy);
	if (unlikely(s->full | s->deaf))
		note_room_locked(s);
	return raise;
}

void hv_vsynic_rescan(struct hv_vsynic *s)
{
	unsigned long flags;
	u32 raise;

	if (!READ_ONCE(s->hot.queued))
		return;
	raw_spin_lock_irqsave(&s->lock, flags);
	raise = hv_vsynic_deliver_locked(s);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	hv_vsynic_raise(s, raise);
}

/* ---- posting ---- */

static struct posted *spare_take_locked(struct hv_vsynic *s)
{
	struct posted *p = list_first_entry_or_null(&s->spare, struct posted, msg.link);

	lockdep_assert_held(&s->lock);
	if (p)
		list_del_init(&p->msg.link);
	return p;
}

static void post_fill(struct posted *p, u32 sint, const struct tlfs_message *m)
{
	p->msg.type = m->type;
	p->msg.sint = sint;
	p->msg.size = m->size;
	p->msg.sender = m->sender;
	memcpy(p->payload, m->payload, m->size);
}

/* Takes a message from the spare ones, or *@fresh; -ENOMEM: there is neither. */
static int post_locked(struct hv_vsynic *s, u32 sint, const struct tlfs_message *m,
		       struct posted **fresh)
{
	struct posted *p;

	lockdep_assert_held(&s->lock);
	if (!s->slots || s->waiting[sint] >= HV_VSYNIC_BACKLOG) {
		s->full |= 1u << sint;
		return -EAGAIN;
	}
	p = spare_take_locked(s);
	if (!p)
		swap(p, *fresh);
	if (!p)
		return -ENOMEM;
	post_fill(p, sint, m);
	hv_vsynic_queue_locked(s, &p->msg);
	return 0;
}

static struct posted *posted_alloc(void)
{
	struct posted *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	if (!p)
		return NULL;
	INIT_LIST_HEAD(&p->msg.link);
	p->msg.posted = true;
	p->msg.payload = p->payload;
	return p;
}

int hv_vsynic_post(struct hv_vm *vm, u32 vp, u32 sint, const struct tlfs_message *m)
{
	struct hv_vcpu *vcpu = hv_vm_vcpu(vm, vp);
	struct posted *fresh = NULL;
	struct hv_vsynic *s;
	unsigned long flags;
	u32 raise = 0;
	int ret;

	if (!vcpu || !vcpu->tlfs || sint >= TLFS_SINTS || m->size > TLFS_MESSAGE_PAYLOAD ||
	    m->type == TLFS_MESSAGE_NONE || (m->type & TLFS_MESSAGE_HYPERVISOR))
		return -EINVAL;
	sint = array_index_nospec(sint, TLFS_SINTS);
	s = to_vsynic(vcpu);
	do {
		raw_spin_lock_irqsave(&s->lock, flags);
		ret = post_locked(s, sint, m, &fresh);
		if (!ret)
			raise = hv_vsynic_deliver_locked(s);
		raw_spin_unlock_irqrestore(&s->lock, flags);
	} while (ret == -ENOMEM && (fresh = posted_alloc()));
	kfree(fresh);		/* not needed after all */
	if (ret)
		trace_hv_vsynic_message(vcpu, sint, m->type, ret);
	hv_vsynic_raise(s, raise);
	return ret;
}

/* ---- state by record ---- */

int hv_vsynic_messages_get(struct hv_vcpu *vcpu, void *buf, u32 *len)
{
	struct hv_rec_messages *rec = buf;
	struct hv_vsynic_msg *msg;
	u32 room = *len, n = 0;
	struct hv_vsynic *s;
	unsigned long flags;

	if (!vcpu->tlfs)
		return -ENOENT;
	s = to_vsynic(vcpu);
	raw_spin_lock_irqsave(&s->lock, flags);
	list_for_each_entry(msg, &s->queue, link) {
		if (!msg->posted)
			continue;
		if (room >= struct_size(rec, message, n + 1)) {
			rec->message[n] = (struct hv_rec_message){
				.type = msg->type, .sint = msg->sint, .len = msg->size,
				.sender = msg->sender,
			};
			memcpy(rec->message[n].payload, msg->payload, msg->size);
		}
		n++;
	}
	raw_spin_unlock_irqrestore(&s->lock, flags);
	*len = struct_size(rec, message, n);
	if (!room)
		return 0;
	if (room < *len)
		return -ENOSPC;
	rec->count = n;
	rec->rsvd = 0;
	return 0;
}

static bool record_valid(const struct hv_rec_messages *rec, u32 len)
{
	u32 waiting[TLFS_SINTS] = { 0 }, i;

	if (len < sizeof(*rec) || rec->rsvd ||
	    rec->count > TLFS_SINTS * HV_VSYNIC_BACKLOG ||
	    len != struct_size(rec, message, rec->count))
		return false;
	for (i = 0; i < rec->count; i++) {
		const struct hv_rec_message *m = &rec->message[i];

		if (m->sint >= TLFS_SINTS || m->len > TLFS_MESSAGE_PAYLOAD || m->rsvd ||
		    m->type == TLFS_MESSAGE_NONE || (m->type & TLFS_MESSAGE_HYPERVISOR) ||
		    memchr_inv(m->payload + m->len, 0, sizeof(m->payload) - m->len) ||
		    ++waiting[m->sint] > HV_VSYNIC_BACKLOG)
			return false;
	}
	return true;
}

static void messages_free(struct list_head *list)
{
	struct hv_vsynic_msg *msg, *next;

	list_for_each_entry_safe(msg, next, list, link)
		kfree(container_of(msg, struct posted, msg));
}

int hv_vsynic_messages_set(struct hv_vcpu *vcpu, const void *buf, u32 len)
{
	const struct hv_rec_messages *rec = buf;
	struct hv_vsynic_msg *msg, *next;
	struct hv_vsynic *s;
	unsigned long flags;
	LIST_HEAD(fresh);
	LIST_HEAD(old);
	u32 i, raise;

	if (!vcpu->tlfs || !record_valid(rec, len))
		return -EINVAL;
	s = to_vsynic(vcpu);
	for (i = 0; i < rec->count; i++) {
		const struct hv_rec_message *m = &rec->message[i];
		struct posted *p = posted_alloc();

		if (!p) {
			messages_free(&fresh);
			return -ENOMEM;
		}
		p->msg.type = m->type;
		p->msg.sint = m->sint;
		p->msg.size = m->len;
		p->msg.sender = m->sender;
		memcpy(p->payload, m->payload, m->len);
		list_add_tail(&p->msg.link, &fresh);
	}
	raw_spin_lock_irqsave(&s->lock, flags);
	list_for_each_entry_safe(msg, next, &s->queue, link)
		if (msg->posted)
			hv_vsynic_unqueue_locked(s, msg);
	list_for_each_entry_safe(msg, next, &fresh, link) {
		list_del(&msg->link);
		hv_vsynic_queue_locked(s, msg);
	}
	list_splice_init(&s->spare, &old);	/* else each call would leave some behind */
	raise = hv_vsynic_deliver_locked(s);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	messages_free(&old);
	hv_vsynic_raise(s, raise);
	return 0;
}

void hv_vsynic_queue_release(struct hv_vsynic *s)
{
	messages_free(&s->spare);
	INIT_LIST_HEAD(&s->spare);
}

/* ---- who posts hears when to try again ---- */

int hv_vsynic_watch(struct hv_vm *vm, struct hv_vsynic_watch *w)
{
	struct hv_tlfs_vm *t = vm->tlfs;
	int ret = 0;

	if (!t)
		return -ENOENT;
	mutex_lock(&t->lock);
	if (w && rcu_access_pointer(t->watch))
		ret = -EBUSY;
	else
		rcu_assign_pointer(t->watch, w);
	mutex_unlock(&t->lock);
	if (!w)
		synchronize_rcu();
	return ret;
}

void hv_vsynic_tell(struct hv_vsynic *s)
{
	struct hv_vm *vm = s->vcpu->vm;
	struct hv_vsynic_watch *w;
	unsigned long flags;
	u32 sints;

	raw_spin_lock_irqsave(&s->lock, flags);
	sints = s->tell;
	s->tell = 0;
	raw_spin_unlock_irqrestore(&s->lock, flags);
	rcu_read_lock();
	w = rcu_dereference(vm->tlfs->watch);
	for (; w && sints; sints &= sints - 1)
		w->ready(w, s->vcpu->index, __ffs(sints));
	rcu_read_unlock();
}
