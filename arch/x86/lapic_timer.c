// SPDX-License-Identifier: GPL-2.0-only
/*
 * lapic_timer.c - the local APIC timer: one-shot, periodic, TSC deadline
 *
 * One hrtimer a vCPU, pinned to the host CPU the vCPU ran on last, so that its interrupt
 * ends the guest's run there and needs no IPI; it is moved when the vCPU is seen on another
 * CPU. The callback delivers by itself and is the only code here that is not the owner's:
 * it changes @armed, @tsc_deadline and the hrtimer, and the owner touches those only after
 * hrtimer_cancel() or when @armed or @parked says that the callback is done with them.
 *
 * A periodic timer whose interrupt is still pending, or masked, is parked: the host is not
 * interrupted for a vCPU that is halted, or not run at all. The next entry starts it again,
 * on the grid it was on; what it missed would have been one with the pending interrupt.
 */
#include <linux/hrtimer.h>
#include <hv/compat.h>
#include "lapic.h"
#include "lib/apic_timer.h"

/*
 * A guest can ask for a period of one nanosecond. A periodic timer makes 10,000 interrupts a
 * second at most; the shortest period in use by any guest we know is 500 us. One-shot timers
 * have no such floor: arming each costs the guest an exit, which is its own time.
 */
#define MIN_PERIOD_NS	100000ULL

static bool is_deadline(const struct hv_lapic *l)
{
	return HV_APIC_TIMER_MODE(READ_ONCE(l->apic.lvt[HV_APIC_LVT_TIMER])) ==
	       HV_APIC_TIMER_DEADLINE;
}

static u64 deadline_left(struct hv_lapic *l, u64 deadline)
{
	return hv_apic_deadline_ns(deadline, hv_tsc_read(l->vcpu),
				   hv_arch_tsc_khz(l->vcpu->core.vm));
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	struct hv_lapic *l = container_of(timer, struct hv_lapic, timer);
	u64 deadline = READ_ONCE(l->tsc_deadline), period = READ_ONCE(l->period_ns), left;

	if (deadline) {
		/* The host's clock is steered, the TSC is not: wait for the rest. */
		left = deadline_left(l, deadline);
		if (left) {
			hrtimer_set_expires(timer, ktime_add_ns(ktime_get(), left));
			return HRTIMER_RESTART;
		}
		WRITE_ONCE(l->tsc_deadline, 0);
	} else if (period) {
		bool taken = hv_lapic_local(l, HV_APIC_LVT_TIMER);

		hrtimer_forward_now(timer, ns_to_ktime(period));
		if (taken)
			return HRTIMER_RESTART;
		smp_store_release(&l->parked, true);	/* pairs with unpark() */
		hv_vcpu_request_entry(&l->vcpu->core, HV_REQ_LAPIC_TIMER);
		return HRTIMER_NORESTART;
	}
	/* Pairs with disarm(): the owner may start the timer anew from here on. */
	smp_store_release(&l->armed, false);
	hv_lapic_local(l, HV_APIC_LVT_TIMER);
	return HRTIMER_NORESTART;
}

void hv_lapic_timer_init(struct hv_lapic *l)
{
	hv_compat_hrtimer_setup(&l->timer, expired, CLOCK_MONOTONIC,
				HRTIMER_MODE_ABS_PINNED_HARD);
	l->left_ns = HV_LAPIC_NOT_ARMED;
	l->paused = READ_ONCE(l->vcpu->core.vm->state) == HV_MS_PAUSED;
}

static void disarm(struct hv_lapic *l)
{
	l->left_ns = HV_LAPIC_NOT_ARMED;
	if (!smp_load_acquire(&l->armed))
		return;
	hrtimer_cancel(&l->timer);
	WRITE_ONCE(l->parked, false);
	WRITE_ONCE(l->armed, false);
}

/* Start a parked timer again, here. False: it is not. */
static bool unpark(struct hv_lapic *l)
{
	if (likely(!smp_load_acquire(&l->parked)))
		return false;
	WRITE_ONCE(l->parked, false);
	hrtimer_forward_now(&l->timer, ns_to_ktime(l->period_ns));
	l->timer_cpu = raw_smp_processor_id();
	hrtimer_start_expires(&l->timer, HRTIMER_MODE_ABS_PINNED_HARD);
	return true;
}

/* Expire in @left ns; while the VM is paused, that long after it goes on. */
static void arm(struct hv_lapic *l, u64 left)
{
	l->left_ns = left;
	if (l->paused)
		return;
	WRITE_ONCE(l->armed, true);
	l->timer_cpu = raw_smp_processor_id();
	hrtimer_start(&l->timer, ktime_add_ns(ktime_get(), left), HRTIMER_MODE_ABS_PINNED_HARD);
}

/* ns until expiry, 0 if due or not armed. */
static u64 left_now(struct hv_lapic *l)
{
	s64 left;

	if (l->paused)
		return l->left_ns == HV_LAPIC_NOT_ARMED ? 0 : l->left_ns;
	if (!READ_ONCE(l->armed))
		return 0;
	left = ktime_to_ns(hrtimer_expires_remaining(&l->timer));
	if (left <= 0 && READ_ONCE(l->parked))
		return l->period_ns - (u64)-left % l->period_ns;
	return left > 0 ? left : 0;
}

void hv_lapic_timer_stop(struct hv_lapic *l)
{
	/* Also when @armed says no: the callback may still be delivering, and @l may go. */
	hrtimer_cancel(&l->timer);
	disarm(l);
	WRITE_ONCE(l->tsc_deadline, 0);
	WRITE_ONCE(l->period_ns, 0);
}

/* Full length of the count as it is set up now. */
static u64 full_ns(struct hv_lapic *l)
{
	return hv_apic_count_ns(l->apic.tmict, l->apic.tdcr);
}

static void period_update(struct hv_lapic *l)
{
	u32 lvtt = l->apic.lvt[HV_APIC_LVT_TIMER];
	bool periodic = HV_APIC_TIMER_MODE(lvtt) == HV_APIC_TIMER_PERIODIC && l->apic.tmict;

	WRITE_ONCE(l->period_ns, periodic ? max(full_ns(l), MIN_PERIOD_NS) : 0);
}

void hv_lapic_timer_count(struct hv_lapic *l)
{
	disarm(l);
	period_update(l);
	if (l->apic.tmict)
		arm(l, max(full_ns(l), READ_ONCE(l->period_ns)));
}

void hv_lapic_timer_divide(struct hv_lapic *l, u32 old_tdcr)
{
	u64 left = left_now(l);

	if (is_deadline(l) || !left)
		return;
	disarm(l);
	period_update(l);
	arm(l, left >> hv_apic_tdcr_shift(old_tdcr) << hv_apic_tdcr_shift(l->apic.tdcr));
}

void hv_lapic_timer_mode(struct hv_lapic *l, u32 old_lvtt)
{
	if (is_deadline(l) || HV_APIC_TIMER_MODE(old_lvtt) == HV_APIC_TIMER_DEADLINE) {
		/* SDM 11.5.4.1: entering or leaving deadline mode disarms the timer. */
		hv_lapic_timer_stop(l);
		l->apic.tmict = 0;
	} else {
		unpark(l);	/* by the period it had */
		period_update(l);
	}
}

u32 hv_lapic_timer_current(struct hv_lapic *l)
{
	u32 count;

	if (is_deadline(l))
		return 0;
	count = hv_apic_ns_count(left_now(l), l->apic.tdcr);
	return min(count, l->apic.tmict);
}

/* Arm for @tsc_deadline, or deliver now if it has passed. */
static void deadline_arm(struct hv_lapic *l)
{
	u64 left;

	if (!l->tsc_deadline || l->paused)
		return;
	left = deadline_left(l, l->tsc_deadline);
	if (left) {
		arm(l, left);
		return;
	}
	WRITE_ONCE(l->tsc_deadline, 0);
	hv_lapic_local(l, HV_APIC_LVT_TIMER);
}

void hv_lapic_timer_deadline(struct hv_lapic *l, u64 tsc)
{
	if (!is_deadline(l))
		return;
	disarm(l);
	WRITE_ONCE(l->tsc_deadline, tsc);
	deadline_arm(l);
}

void hv_lapic_timer_retime(struct hv_vcpu_x86 *x)
{
	struct hv_lapic *l = x->lapic;

	if (!READ_ONCE(l->tsc_deadline))
		return;
	disarm(l);
	deadline_arm(l);
}

/* ---- where the vCPU runs ---- */

void hv_lapic_loaded(struct hv_vcpu_x86 *x)
{
	struct hv_lapic *l = x->lapic;

	if (unlikely(READ_ONCE(l->armed) && l->timer_cpu != raw_smp_processor_id()))
		hv_vcpu_request(&x->core, HV_REQ_LAPIC_TIMER);
}

void hv_lapic_timer_move(struct hv_lapic *l)
{
	int cpu = raw_smp_processor_id();

	if (!READ_ONCE(l->armed) || unpark(l) || l->timer_cpu == cpu)
		return;
	if (hrtimer_cancel(&l->timer)) {
		l->timer_cpu = cpu;
		hrtimer_start_expires(&l->timer, HRTIMER_MODE_ABS_PINNED_HARD);
	}
}

/* ---- pause, save ---- */

void hv_lapic_pause(struct hv_vcpu_x86 *x, bool paused)
{
	struct hv_lapic *l = x->lapic;
	u64 left;

	if (l->paused == paused)
		return;
	if (paused) {
		hrtimer_cancel(&l->timer);
		left = READ_ONCE(l->armed) ? left_now(l) : HV_LAPIC_NOT_ARMED;
		WRITE_ONCE(l->parked, false);
		WRITE_ONCE(l->armed, false);
		l->left_ns = left;
		l->paused = true;
		return;
	}
	l->paused = false;
	left = l->left_ns;
	l->left_ns = HV_LAPIC_NOT_ARMED;
	if (READ_ONCE(l->tsc_deadline))
		deadline_arm(l);
	else if (left != HV_LAPIC_NOT_ARMED)
		arm(l, left);
}

void hv_lapic_timer_save(struct hv_lapic *l, struct hv_rec_lapic *rec)
{
	u64 now, deadline = READ_ONCE(l->tsc_deadline);

	rec->tsc_deadline = deadline;
	rec->timer_left = HV_LAPIC_NOT_ARMED;
	if (deadline) {
		now = hv_tsc_read(l->vcpu);
		rec->timer_left = deadline > now ? deadline - now : 0;
	} else if (l->paused ? l->left_ns != HV_LAPIC_NOT_ARMED : READ_ONCE(l->armed)) {
		rec->timer_left = left_now(l);
	}
}

/* The timer is stopped, the registers are loaded. */
void hv_lapic_timer_load(struct hv_lapic *l, const struct hv_rec_lapic *rec)
{
	if (is_deadline(l)) {
		WRITE_ONCE(l->tsc_deadline, rec->tsc_deadline);
		deadline_arm(l);
		return;
	}
	period_update(l);
	if (rec->timer_left != HV_LAPIC_NOT_ARMED && l->apic.tmict)
		arm(l, min(rec->timer_left, max(full_ns(l), READ_ONCE(l->period_ns))));
}
