// SPDX-License-Identifier: GPL-2.0-only
/*
 * vsynic.c - the synthetic interrupt controller: SINTs, event flags, registers
 *
 * TLFS chapters 10 and 11; messages are in vsynic_queue.c. Pages are module-owned
 * overlays, so all of it works in hard-irq context.
 */
#include <linux/bitops.h>
#include <linux/nospec.h>
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
	INIT_LIST_HEAD(&s->spare);
	hv_vsynic_reset(s);
}

void hv_vsynic_reset(struct hv_vsynic *s)
{
	unsigned long flags;
	u32 i;

	raw_spin_lock_irqsave(&s->lock, flags);
	hv_vsynic_drop_locked(s);
	s->full = 0;
	s->deaf = 0;
	s->tell = 0;
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

/* ---- interrupts ---- */

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
	if (unlikely(READ_ONCE(s->tell)))
		hv_vsynic_tell(s);
}

/* ---- event flags ---- */

/* The flags of @sint while it takes events, else NULL. */
static unsigned long *events_of(struct hv_vsynic *s, u32 sint)
{
	unsigned long *events = READ_ONCE(s->events);

	if (!events || (READ_ONCE(s->sint[sint]) & TLFS_SINT_MASKED))
		return NULL;
	return events + sint * EVENT_WORDS;
}

/* It does not listen: whoever changes that under the lock will tell. Looks again for that reason. */
static unsigned long *events_await(struct hv_vsynic *s, u32 sint)
{
	unsigned long *events;
	unsigned long flags;

	raw_spin_lock_irqsave(&s->lock, flags);
	events = events_of(s, sint);
	if (!events)
		s->deaf |= 1u << sint;
	raw_spin_unlock_irqrestore(&s->lock, flags);
	return events;
}

int hv_vsynic_signal(struct hv_vm *vm, u32 vp, u32 sint, u32 flag)
{
	struct hv_vcpu *vcpu = hv_vm_vcpu(vm, vp);
	unsigned long *events;
	struct hv_vsynic *s;
	int ret = -EINVAL;

	if (!vcpu || !vcpu->tlfs || sint >= TLFS_SINTS || flag >= TLFS_EVENT_FLAGS)
		goto out;
	sint = array_index_nospec(sint, TLFS_SINTS);
	s = to_vsynic(vcpu);
	events = events_of(s, sint);
	ret = -EAGAIN;
	if (unlikely(!events) && !(events = events_await(s, sint)))
		goto out;
	ret = 0;
	if (test_and_set_bit(flag, events))
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
	unsigned long flags;

	raw_spin_lock_irqsave(&s->lock, flags);
	hv_vsynic_drop_locked(s);
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
