// SPDX-License-Identifier: GPL-2.0-only
/*
 * vstimer.c - synthetic timers (TLFS chapter 12)
 *
 * What a write or an expiry does stands in lib/stimer_rules.c. Here an hrtimer for each
 * timer wakes us; the reference time, which alone counts, is looked at then. A direct
 * timer raises its vector in hard-irq context; a message timer queues its message, at
 * most one at a time: expiries while it waits are one with it.
 *
 * A periodic timer whose last message or interrupt still waits is parked: the host is not
 * woken up for a vCPU that is halted, or not run at all. The next entry looks at it again.
 */
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <hv/arch.h>
#include <hv/compat.h>
#include <hv/trace.h>
#include "vsynic.h"

#define NS_PER_UNIT	100
#define FAR_UNITS	(1ULL << 40)	/* 30 hours: the callback finds it is early and arms again */
#define MIN_PERIOD	1000		/* 100 us between host wake-ups of a periodic timer */

static bool is_direct(const struct hv_vstimer *t)
{
	return t->regs.config & TLFS_STIMER_DIRECT;
}

/* Start, move or stop the host's timer for the expiry that is set now. */
static void arm_locked(struct hv_vstimer *t, u64 now)
{
	struct hv_vm *vm = t->synic->vcpu->vm;
	u64 left;

	lockdep_assert_held(&t->synic->lock);
	if (!t->regs.expiry || READ_ONCE(vm->tlfs->paused)) {
		/* A callback that runs finds nothing due. */
		hrtimer_try_to_cancel(&t->timer);
		return;
	}
	left = t->regs.expiry > now ? t->regs.expiry - now : 0;
	if (t->regs.config & TLFS_STIMER_PERIODIC)
		left = max_t(u64, left, MIN_PERIOD);
	left = min(left, FAR_UNITS);
	hrtimer_start(&t->timer, ktime_add_ns(ktime_get(), left * NS_PER_UNIT),
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

void hv_vstimer_queue_locked(struct hv_vstimer *t, u64 due)
{
	if (!list_empty(&t->msg.link))
		return;
	t->msg.sint = (t->regs.config & TLFS_STIMER_SINT_MASK) >> TLFS_STIMER_SINT_SHIFT;
	t->payload.expiration = due;
	hv_vsynic_queue_locked(t->synic, &t->msg);
}

/* What an expiry leaves to do once the lock is dropped. */
struct outcome {
	u8 vector;	/* of a direct timer to raise, or 0 */
	u32 sints;	/* message SINTs to raise */
	bool unread;	/* the message of an expiry before still waits */
};

static void expire_locked(struct hv_vstimer *t, u64 now, struct outcome *o)
{
	u64 due;

	*o = (struct outcome){ 0 };
	if (!hv_stimer_due(&t->regs, now))
		return;
	due = hv_stimer_expire(&t->regs, now);
	t->synic->vcpu->stat.vstimer_expired++;
	if (is_direct(t)) {
		o->vector = (t->regs.config & TLFS_STIMER_VECTOR_MASK) >> TLFS_STIMER_VECTOR_SHIFT;
		return;
	}
	o->unread = !list_empty(&t->msg.link);
	hv_vstimer_queue_locked(t, due);
	o->sints = hv_vsynic_deliver_locked(t->synic);
}

/* Expire @t if it is due and arm it for what comes next. */
static void check_locked(struct hv_vstimer *t, struct outcome *o)
{
	u64 now = hv_reftime_now(t->synic->vcpu->vm);

	expire_locked(t, now, o);
	arm_locked(t, now);
}

/* False: the vector of a direct timer was pending already. */
static bool raise(struct hv_vstimer *t, const struct outcome *o)
{
	bool taken = !o->vector || hv_arch_irq_raise(t->synic->vcpu, o->vector);

	hv_vsynic_raise(t->synic, o->sints);
	return taken;
}

static void park_locked(struct hv_vstimer *t)
{
	struct hv_vsynic *s = t->synic;

	lockdep_assert_held(&s->lock);
	WRITE_ONCE(s->parked, s->parked | 1u << (t - s->timer));
	hv_vcpu_request_entry(s->vcpu, HV_REQ_STIMER);
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct hv_vstimer *t = container_of(timer, struct hv_vstimer, timer);
	struct hv_vsynic *s = t->synic;
	struct outcome o = { 0 };
	unsigned long flags;
	bool later = false;
	u64 now;

	raw_spin_lock_irqsave(&s->lock, flags);
	if (!READ_ONCE(s->vcpu->vm->tlfs->paused)) {
		now = hv_reftime_now(s->vcpu->vm);
		expire_locked(t, now, &o);
		/* Whether anybody took the interrupt of a period is known when it was raised. */
		later = o.vector && (t->regs.config & TLFS_STIMER_PERIODIC);
		if (o.unread && t->regs.expiry)
			park_locked(t);
		else if (!later)
			arm_locked(t, now);
	}
	raw_spin_unlock_irqrestore(&s->lock, flags);
	if (raise(t, &o) && later) {
		raw_spin_lock_irqsave(&s->lock, flags);
		arm_locked(t, hv_reftime_now(s->vcpu->vm));
		raw_spin_unlock_irqrestore(&s->lock, flags);
	} else if (later) {
		raw_spin_lock_irqsave(&s->lock, flags);
		park_locked(t);
		raw_spin_unlock_irqrestore(&s->lock, flags);
	}
	return HRTIMER_NORESTART;	/* it was armed again if need be */
}

void hv_vstimer_init(struct hv_vsynic *s)
{
	u32 i;

	for (i = 0; i < TLFS_STIMERS; i++) {
		struct hv_vstimer *t = &s->timer[i];

		t->synic = s;
		t->payload.index = i;
		t->msg.type = TLFS_MESSAGE_TIMER_EXPIRED;
		t->msg.size = sizeof(t->payload);
		t->msg.payload = &t->payload;
		INIT_LIST_HEAD(&t->msg.link);
		hv_compat_hrtimer_setup(&t->timer, expired, CLOCK_MONOTONIC,
					HRTIMER_MODE_ABS_PINNED_HARD);
	}
}

void hv_vstimer_reset(struct hv_vsynic *s)
{
	unsigned long flags;
	u32 i;

	for (i = 0; i < TLFS_STIMERS; i++) {
		struct hv_vstimer *t = &s->timer[i];

		raw_spin_lock_irqsave(&s->lock, flags);
		t->regs = (struct hv_stimer_regs){ 0 };
		WRITE_ONCE(s->parked, s->parked & ~(1u << i));
		hv_vsynic_unqueue_locked(s, &t->msg);
		raw_spin_unlock_irqrestore(&s->lock, flags);
		hrtimer_cancel(&t->timer);
	}
}

void hv_vstimer_hold(struct hv_vsynic *s)
{
	u32 i;

	for (i = 0; i < TLFS_STIMERS; i++)
		hrtimer_cancel(&s->timer[i].timer);
}

void hv_vstimer_rearm(struct hv_vsynic *s)
{
	unsigned long flags;
	struct outcome o;
	u32 i;

	for (i = 0; i < TLFS_STIMERS; i++) {
		struct hv_vstimer *t = &s->timer[i];

		raw_spin_lock_irqsave(&s->lock, flags);
		check_locked(t, &o);
		raw_spin_unlock_irqrestore(&s->lock, flags);
		raise(t, &o);
	}
}

void hv_vstimer_service(struct hv_vsynic *s)
{
	unsigned long flags;
	struct outcome o;
	u32 parked, i;

	if (likely(!READ_ONCE(s->parked)))
		return;
	raw_spin_lock_irqsave(&s->lock, flags);
	parked = s->parked;
	WRITE_ONCE(s->parked, 0);
	raw_spin_unlock_irqrestore(&s->lock, flags);
	for (; parked; parked &= parked - 1) {
		i = __ffs(parked);
		raw_spin_lock_irqsave(&s->lock, flags);
		check_locked(&s->timer[i], &o);
		raw_spin_unlock_irqrestore(&s->lock, flags);
		raise(&s->timer[i], &o);
	}
}

/* ---- registers: pairs of configuration (even) and count (odd) ---- */

enum hv_msr_result hv_vstimer_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	struct hv_vsynic *s = to_vsynic(vcpu);
	struct hv_vstimer *t = &s->timer[index / 2];
	unsigned long flags;

	/* The callback clears the enable bit of an expired timer. */
	raw_spin_lock_irqsave(&s->lock, flags);
	*val = index % 2 ? t->regs.count : t->regs.config;
	raw_spin_unlock_irqrestore(&s->lock, flags);
	return HV_MSR_OK;
}

enum hv_msr_result hv_vstimer_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_vsynic *s = to_vsynic(vcpu);
	struct hv_vstimer *t = &s->timer[index / 2];
	u64 now = hv_reftime_now(vcpu->vm);
	unsigned long flags;
	struct outcome o = { 0 };
	bool ok = true;

	raw_spin_lock_irqsave(&s->lock, flags);
	if (index % 2)
		hv_stimer_set_count(&t->regs, val, now);
	else
		ok = hv_stimer_set_config(&t->regs, val, now);
	if (ok) {
		/* A message of the timer as it was before is not wanted any more. */
		if (!t->regs.expiry)
			hv_vsynic_unqueue_locked(s, &t->msg);
		check_locked(t, &o);
	}
	raw_spin_unlock_irqrestore(&s->lock, flags);
	raise(t, &o);
	return ok ? HV_MSR_OK : HV_MSR_GP;
}
