// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsynic.c - the synthetic interrupt controller: SINTs, message slots, event flags
 *
 * TLFS chapters 10 and 11. Messages wait in one queue in order of arrival. A message goes
 * into its SINT's slot when the slot is free (type 0); if it is not, the "pending" flag
 * of the message there asks the guest for an EOM, which scans the queue again, as an EOI
 * and every new message do. The guest frees a slot by clearing the type and looks at the
 * flag after a barrier; we set the flag and look at the type after one.
 *
 * Pages are module-owned overlays, so all of it works in hard-irq context.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/string.h>
#include <hv/arch.h>
#include <hv/hv_x86.h>
#include <hv/trace.h>
#include "tlfs_page.h"
#include "vsynic.h"

#define EVENT_WORDS	(TLFS_EVENT_FLAGS / BITS_PER_LONG)	/* of the SIEFP, per SINT */

void hv_vsynic_init(struct hv_vsynic *s, struct hv_vcpu *vcpu)
{
	s->vcpu = vcpu;
	raw_spin_lock_init(&s->lock);
	INIT_LIST_HEAD(&s->queue);
	hv_vsynic_reset(s);
}

void hv_vsynic_reset(struct hv_vsynic *s)
{
	struct hv_vsynic_msg *msg, *next;
	unsigned long flags;
	u32 i;

	raw_spin_lock_irqsave(&s->lock, flags);
	list_for_each_entry_safe(msg, next, &s->queue, link)
		list_del_init(&msg->link);
	s->hot.queued = 0;
	s->slots = NULL;
	s->events = NULL;
	for (i = 0; i < TLFS_SINTS; i++)
		s->sint[i] = TLFS_SINT_RESET;
	bitmap_zero(s->hot.auto_eoi, 256);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	s->scontrol = 0;
	s->siefp = 0;
	s->simp = 0;
	s->vp_assist = 0;
	s->hot.assist = NULL;
	s->hot.assist_offered = false;
}

/* ---- messages ---- */

void hv_vsynic_queue_locked(struct hv_vsynic *s, struct hv_vsynic_msg *msg)
{
	lockdep_assert_held(&s->lock);
	list_add_tail(&msg->link, &s->queue);
	WRITE_ONCE(s->hot.queued, s->hot.queued | 1u << msg->sint);
}

void hv_vsynic_unqueue_locked(struct hv_vsynic *s, struct hv_vsynic_msg *msg)
{
	lockdep_assert_held(&s->lock);
	list_del_init(&msg->link);
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

u32 hv_vsynic_deliver_locked(struct hv_vsynic *s)
{
	struct hv_vsynic_msg *msg, *next;
	u32 busy = 0, raise = 0;

	lockdep_assert_held(&s->lock);
	if (list_empty(&s->queue)) {
		s->hot.queued = 0;
		return 0;
	}
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
		list_del_init(&msg->link);
		s->vcpu->stat.vsynic_messages++;
		trace_hv_vsynic_message(s->vcpu, msg->sint, msg->type, 0);
		raise |= bit;
	}
	WRITE_ONCE(s->hot.queued, busy);
	return raise;
}

static void raise_one(struct hv_vsynic *s, u32 sint)
{
	u64 reg = READ_ONCE(s->sint[sint]);

	if (!(reg & (TLFS_SINT_MASKED | TLFS_SINT_POLLING)))
		hv_arch_irq_raise(s->vcpu, reg & TLFS_SINT_VECTOR_MASK);
}

void hv_vsynic_raise(struct hv_vsynic *s, u32 sints)
{
	for (; sints; sints &= sints - 1)
		raise_one(s, __ffs(sints));
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

/* ---- event flags ---- */

int hv_vsynic_signal(struct hv_vm *vm, u32 vp, u32 sint, u32 flag)
{
	struct hv_vcpu *vcpu = hv_vm_vcpu(vm, vp);
	unsigned long *events;
	struct hv_vsynic *s;
	int ret = -EINVAL;

	if (!vcpu || !vcpu->tlfs || sint >= TLFS_SINTS || flag >= TLFS_EVENT_FLAGS)
		goto out;
	s = to_vsynic(vcpu);
	events = READ_ONCE(s->events);
	if (!events || (READ_ONCE(s->sint[sint]) & TLFS_SINT_MASKED))
		goto out;
	ret = 0;
	if (test_and_set_bit(flag, events + sint * EVENT_WORDS))
		goto out;
	vcpu->stat.vsynic_events++;
	raise_one(s, sint);
out:
	trace_hv_vsynic_event(vm, vp, sint, flag, ret);
	return ret;
}

/* ---- what the local APIC tells and asks ---- */

void hv_tlfs_eoi(struct hv_vcpu *vcpu, u8 vector)
{
	if (vcpu->tlfs && unlikely(READ_ONCE(vcpu->tlfs->queued)))
		hv_vcpu_request(vcpu, HV_REQ_VSYNIC);
}

bool hv_tlfs_vector_autoeoi(struct hv_vcpu *vcpu, u8 vector)
{
	return vcpu->tlfs && test_bit(vector, vcpu->tlfs->auto_eoi);
}

/* ---- registers ---- */

void hv_vsynic_update(struct hv_vsynic *s)
{
	struct hv_vm *vm = s->vcpu->vm;
	bool on = s->scontrol & TLFS_SCONTROL_ENABLE;
	DECLARE_BITMAP(auto_eoi, 256);
	unsigned long flags;
	u32 i, raise;

	bitmap_zero(auto_eoi, 256);
	for (i = 0; i < TLFS_SINTS; i++)
		if ((s->sint[i] & (TLFS_SINT_AUTO_EOI | TLFS_SINT_MASKED)) == TLFS_SINT_AUTO_EOI)
			__set_bit(s->sint[i] & TLFS_SINT_VECTOR_MASK, auto_eoi);
	raw_spin_lock_irqsave(&s->lock, flags);
	bitmap_copy(s->hot.auto_eoi, auto_eoi, 256);
	s->slots = on && (s->simp & TLFS_PAGE_ENABLE) ?
		hv_overlay_page(vm, HV_OVERLAY_SIMP, s->vcpu->index) : NULL;
	WRITE_ONCE(s->events, on && (s->siefp & TLFS_PAGE_ENABLE) ?
		   hv_overlay_page(vm, HV_OVERLAY_SIEFP, s->vcpu->index) : NULL);
	raise = hv_vsynic_deliver_locked(s);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	hv_vsynic_raise(s, raise);
}

enum hv_msr_result hv_vsynic_scontrol_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = to_vsynic(vcpu)->scontrol;
	return HV_MSR_OK;
}

enum hv_msr_result hv_vsynic_scontrol_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_vsynic *s = to_vsynic(vcpu);

	s->scontrol = val;
	hv_vsynic_update(s);
	return HV_MSR_OK;
}

enum hv_msr_result hv_vsynic_sversion_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = TLFS_SYNIC_VERSION;
	return HV_MSR_OK;
}

/* Row of SIEFP (0) and SIMP (1). */
static u64 *page_register(struct hv_vsynic *s, u32 index)
{
	return index ? &s->simp : &s->siefp;
}

enum hv_msr_result hv_vsynic_page_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = *page_register(to_vsynic(vcpu), index);
	return HV_MSR_OK;
}

/* Messages for a page that went away are stale: the next owner of the SINT gets none of them. */
static void queue_drop(struct hv_vsynic *s)
{
	struct hv_vsynic_msg *msg, *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&s->lock, flags);
	list_for_each_entry_safe(msg, next, &s->queue, link)
		hv_vsynic_unqueue_locked(s, msg);
	WRITE_ONCE(s->hot.queued, 0);
	raw_spin_unlock_irqrestore(&s->lock, flags);
}

enum hv_msr_result hv_vsynic_page_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	static const u32 kinds[] = { HV_OVERLAY_SIEFP, HV_OVERLAY_SIMP };
	struct hv_vsynic *s = to_vsynic(vcpu);
	u64 *reg = page_register(s, index);
	enum hv_msr_result res;
	void *page;

	res = hv_tlfs_page_place(vcpu, kinds[index], *reg, val, &page);
	if (res != HV_MSR_OK)
		return res;
	if (kinds[index] == HV_OVERLAY_SIMP && ((*reg ^ val) & TLFS_PAGE_ENABLE))
		queue_drop(s);
	*reg = val;
	hv_vsynic_update(s);
	return HV_MSR_OK;
}

enum hv_msr_result hv_vsynic_eom_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = 0;
	return HV_MSR_OK;
}

enum hv_msr_result hv_vsynic_eom_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	hv_vsynic_rescan(to_vsynic(vcpu));
	return HV_MSR_OK;
}

enum hv_msr_result hv_vsynic_sint_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = to_vsynic(vcpu)->sint[index];
	return HV_MSR_OK;
}

enum hv_msr_result hv_vsynic_sint_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_vsynic *s = to_vsynic(vcpu);

	/* The reset value has vector 0: that is fine as long as it is masked. */
	if (!(val & TLFS_SINT_MASKED) && (val & TLFS_SINT_VECTOR_MASK) < TLFS_SINT_MIN_VECTOR)
		return HV_MSR_GP;
	WRITE_ONCE(s->sint[index], val);
	hv_vsynic_update(s);
	return HV_MSR_OK;
}
