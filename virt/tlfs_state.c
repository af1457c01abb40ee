// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlfs_state.c - the Hyper-V interface as save records
 *
 * Registers are checked as a guest's write would be, since a record may come from anywhere.
 * The content of overlay pages travels in records of its own; messages that wait for a
 * slot are those of expired timers.
 */
#include <hv/hv_x86.h>
#include <hv/tlfs.h>
#include "reftime.h"
#include "tlfs_page.h"
#include "vsynic.h"

int hv_tlfs_vm_get_state(struct hv_vm *vm, struct hv_rec_tlfs_vm *rec)
{
	struct hv_tlfs_vm *t = vm->tlfs;

	if (!t)
		return -ENOENT;
	mutex_lock(&t->lock);
	*rec = (struct hv_rec_tlfs_vm){
		.guest_os_id = t->guest_os_id,
		.hypercall = t->hypercall,
		.reference_tsc = t->reference_tsc,
		.tsc_sequence = t->tsc_sequence,
		.tsc_invariant = t->tsc_invariant,
		.crash_ctl = t->crash_ctl,
	};
	memcpy(rec->crash_p, t->crash_p, sizeof(rec->crash_p));
	mutex_unlock(&t->lock);
	return 0;
}

int hv_tlfs_vm_set_state(struct hv_vm *vm, const struct hv_rec_tlfs_vm *rec)
{
	struct hv_tlfs_vm *t = vm->tlfs;
	void *page;
	int ret;

	if (!t)
		return -ENOENT;
	if (!hv_tlfs_page_valid(rec->hypercall) || !hv_tlfs_page_valid(rec->reference_tsc) ||
	    (!rec->guest_os_id && (rec->hypercall & TLFS_PAGE_ENABLE)) || rec->rsvd ||
	    (rec->tsc_invariant & ~TLFS_TSC_INVARIANT_EXPOSE) ||
	    (rec->tsc_invariant && !t->tsc_invariant_ok))
		return -EINVAL;
	mutex_lock(&t->lock);
	ret = hv_tlfs_page_restore(vm, HV_OVERLAY_HYPERCALL, 0, rec->hypercall, &page);
	if (!ret)
		ret = hv_tlfs_page_restore(vm, HV_OVERLAY_REFTSC, 0, rec->reference_tsc, &page);
	if (ret)
		goto out;
	t->guest_os_id = rec->guest_os_id;
	t->hypercall = rec->hypercall;
	t->reference_tsc = rec->reference_tsc;
	t->tsc_sequence = rec->tsc_sequence;
	t->tsc_invariant = rec->tsc_invariant;
	t->crash_ctl = rec->crash_ctl;
	memcpy(t->crash_p, rec->crash_p, sizeof(t->crash_p));
	hv_reftime_page_update_locked(vm);
out:
	mutex_unlock(&t->lock);
	return ret;
}

int hv_tlfs_vcpu_get_state(struct hv_vcpu *vcpu, struct hv_rec_tlfs_vcpu *rec)
{
	struct hv_vsynic *s;
	unsigned long flags;
	u32 i;

	if (!vcpu->tlfs)
		return -ENOENT;
	s = to_vsynic(vcpu);
	*rec = (struct hv_rec_tlfs_vcpu){
		.vp_assist = s->vp_assist,
		.scontrol = s->scontrol,
		.siefp = s->siefp,
		.simp = s->simp,
	};
	raw_spin_lock_irqsave(&s->lock, flags);
	for (i = 0; i < TLFS_SINTS; i++)
		rec->sint[i] = s->sint[i];
	for (i = 0; i < TLFS_STIMERS; i++) {
		struct hv_vstimer *t = &s->timer[i];

		rec->stimer[i].config = t->regs.config;
		rec->stimer[i].count = t->regs.count;
		rec->stimer[i].expiry = t->regs.expiry;
		rec->stimer[i].pending_msg = !list_empty(&t->msg.link);
		rec->stimer[i].pending_due = rec->stimer[i].pending_msg ? t->payload.expiration : 0;
	}
	BUILD_BUG_ON(sizeof(rec->autoeoi) != sizeof(s->hot.auto_eoi));
	memcpy(rec->autoeoi, s->hot.auto_eoi, sizeof(rec->autoeoi));
	rec->msg_pending = s->hot.queued;
	raw_spin_unlock_irqrestore(&s->lock, flags);
	return 0;
}

static bool record_valid(const struct hv_rec_tlfs_vcpu *rec)
{
	u32 i;

	if (!hv_tlfs_page_valid(rec->vp_assist) || !hv_tlfs_page_valid(rec->siefp) ||
	    !hv_tlfs_page_valid(rec->simp))
		return false;
	for (i = 0; i < TLFS_SINTS; i++)
		if (!(rec->sint[i] & TLFS_SINT_MASKED) &&
		    (rec->sint[i] & TLFS_SINT_VECTOR_MASK) < TLFS_SINT_MIN_VECTOR)
			return false;
	for (i = 0; i < TLFS_STIMERS; i++) {
		const struct hv_rec_stimer *t = &rec->stimer[i];
		struct hv_stimer_regs regs = { 0 };

		/* The rules hold for a record as for the guest; an armed one-shot counts to its count. */
		if (t->config & ~TLFS_STIMER_VALID ||
		    !hv_stimer_set_config(&regs, t->config, 0) || regs.config != t->config)
			return false;
		if (t->expiry && (!(t->config & TLFS_STIMER_ENABLE) || !t->count))
			return false;
	}
	return true;
}

static void timer_restore_locked(struct hv_vstimer *t, const struct hv_rec_stimer *rec)
{
	hv_vsynic_unqueue_locked(t->synic, &t->msg);
	t->regs.config = rec->config;
	t->regs.count = rec->count;
	t->regs.expiry = rec->expiry;
	if (rec->pending_msg)
		hv_vstimer_queue_locked(t, rec->pending_due);
}

int hv_tlfs_vcpu_set_state(struct hv_vcpu *vcpu, const struct hv_rec_tlfs_vcpu *rec)
{
	struct hv_vm *vm = vcpu->vm;
	unsigned long flags;
	struct hv_vsynic *s;
	void *page, *assist;
	u32 i;
	int ret;

	if (!vcpu->tlfs)
		return -ENOENT;
	if (!record_valid(rec))
		return -EINVAL;
	s = to_vsynic(vcpu);
	ret = hv_tlfs_page_restore(vm, HV_OVERLAY_SIEFP, vcpu->index, rec->siefp, &page);
	if (!ret)
		ret = hv_tlfs_page_restore(vm, HV_OVERLAY_SIMP, vcpu->index, rec->simp, &page);
	if (!ret)
		ret = hv_tlfs_page_restore(vm, HV_OVERLAY_VP_ASSIST, vcpu->index, rec->vp_assist,
					   &assist);
	if (ret)
		return ret;
	hv_vstimer_hold(s);
	s->siefp = rec->siefp;
	s->simp = rec->simp;
	s->vp_assist = rec->vp_assist;
	s->scontrol = rec->scontrol;
	s->hot.assist = assist;
	s->hot.assist_offered = false;	/* collected at every exit, so never in a record */
	raw_spin_lock_irqsave(&s->lock, flags);
	for (i = 0; i < TLFS_SINTS; i++)
		s->sint[i] = rec->sint[i];
	for (i = 0; i < TLFS_STIMERS; i++)
		timer_restore_locked(&s->timer[i], &rec->stimer[i]);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	hv_vsynic_update(s);
	/* The TSC page's content came from where the VM was saved: say what holds here. */
	mutex_lock(&vm->tlfs->lock);
	hv_reftime_page_update_locked(vm);
	mutex_unlock(&vm->tlfs->lock);
	if (!vm->tlfs->paused)
		hv_vstimer_rearm(s);
	return 0;
}
