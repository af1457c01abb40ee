// SPDX-License-Identifier: GPL-2.0-only
/*
 * vstimer.c - synthetic timers (TLFS chapter 12)
 *
 * What a write or an expiry does stands in lib/stimer_rules.c. Here an hrtimer for each
 * timer wakes us; the reference time, which alone counts, is looked at then. A direct
 * timer raises its vector in hard-irq context; a message timer queues its message, at
 * most one at a time: expiries while it waits are one with it.
 */
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

/*
 * Expire @t if it is due and arm it for what comes next. Returns the vector of a direct
 * timer to raise, or 0; *@sints are message SINTs to raise. The lock must be dropped first.
 */
static u8 check_locked(struct hv_vstimer *t, u32 *sints)
{
	u64 now = hv_reftime_now(t->synic->vcpu->vm);
	u8 vector = 0;
	u64 due;

	*sints = 0;
	if (hv_stimer_due(&t->regs, now)) {
		due = hv_stimer_expire(&t->regs, now);
		t->synic->vcpu->stat.vstimer_expired++;
		if (is_direct(t)) {
			vector = (t->regs.config & TLFS_STIMER_VECTOR_MASK) >>
				TLFS_STIMER_VECTOR_SHIFT;
		} else {
			hv_vstimer_queue_locked(t, due);
			*sints = hv_vsynic_deliver_locked(t->synic);
		}
	}
	arm_locked(t, now);
	return vector;
}

static void raise(struct hv_vstimer *t, u8 vector, u32 sints)
{
	if (vector)
		hv_arch_irq_raise(t->synic->vcpu, vector);
	hv_vsynic_raise(t->synic, sints);
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct hv_vstimer *t = container_of(timer, struct hv_vstimer, timer);
	unsigned long flags;
	u8 vector = 0;
	u32 sints = 0;

	raw_spin_lock_irqsave(&t->synic->lock, flags);
	if (!READ_ONCE(t->synic->vcpu->vm->tlfs->paused))
		vector = check_locked(t, &sints);
	raw_spin_unlock_irqrestore(&t->synic->lock, flags);
	raise(t, vector, sints);
	return HRTIMER_NORESTART;	/* check_locked() armed it again if need be */
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
	u32 i, sints;
	u8 vector;

	for (i = 0; i < TLFS_STIMERS; i++) {
		struct hv_vstimer *t = &s->timer[i];

		raw_spin_lock_irqsave(&s->lock, flags);
		vector = check_locked(t, &sints);
		raw_spin_unlock_irqrestore(&s->lock, flags);
		raise(t, vector, sints);
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
	bool ok = true;
	u8 vector = 0;
	u32 sints = 0;

	raw_spin_lock_irqsave(&s->lock, flags);
	if (index % 2)
		hv_stimer_set_count(&t->regs, val, now);
	else
		ok = hv_stimer_set_config(&t->regs, val, now);
	if (ok) {
		/* A message of the timer as it was before is not wanted any more. */
		if (!t->regs.expiry)
			hv_vsynic_unqueue_locked(s, &t->msg);
		vector = check_locked(t, &sints);
	}
	raw_spin_unlock_irqrestore(&s->lock, flags);
	raise(t, vector, sints);
	return ok ? HV_MSR_OK : HV_MSR_GP;
}
