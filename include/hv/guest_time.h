/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest_time.h - telling the host kernel that a CPU runs a guest: time accounting, context
 * tracking and RCU. The kernel's own helpers stand in KVM's header, which we do not use.
 */
#ifndef _HV_GUEST_TIME_H
#define _HV_GUEST_TIME_H

#include <linux/context_tracking.h>
#include <linux/ftrace.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/rcupdate.h>
#include <linux/vtime.h>

/* Time from here on is the guest's. Interrupts off. */
static __always_inline void hv_guest_time_begin(void)
{
	vtime_account_guest_enter();
}

static __always_inline void hv_guest_time_end(void)
{
	vtime_account_guest_exit();
}

/*
 * The CPU leaves the kernel for guest mode: no RCU, tracing or lockdep until _leave.
 * @quiet: tell RCU that this is a quiescent state. Needed about once a tick, not at each
 * entry.
 */
static __always_inline void hv_guest_state_enter(bool quiet)
{
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	if (!context_tracking_guest_enter() && quiet)
		rcu_virt_note_context_switch(smp_processor_id());
	lockdep_hardirqs_on(CALLER_ADDR0);
}

static __always_inline void hv_guest_state_leave(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();
	trace_hardirqs_off_finish();
}

#endif /* _HV_GUEST_TIME_H */
