// SPDX-License-Identifier: GPL-2.0-only
/* step.c - one entry into the guest and the exit that ends it; sections */
#include <hv/compat.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <hv/guest_time.h>
#include <hv/run.h>
#include <hv/trace.h>
#include "lapic.h"

/*
 * A section keeps preemption off and the guest's extended state in the CPU, so that exits
 * handled in the module cost no state switch. The run loop ends it for anything that
 * sleeps, for softirqs and when the scheduler or a signal wants the CPU.
 */
void hv_arch_section_begin(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);

	hv_fpu_load(x);
	WRITE_ONCE(vcpu->cpu, smp_processor_id());
	vcpu->in_section = true;
	vcpu->stat.sections++;
	hv_v(load)(x);
	hv_lapic_loaded(x);
}

void hv_arch_section_end(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);

	if (!vcpu->in_section)
		return;
	hv_v(put)(x);
	vcpu->in_section = false;
	WRITE_ONCE(vcpu->cpu, -1);
	hv_fpu_put(x);
}

/* Requests that arch serves; those of virt were served by the run loop. */
static enum hv_next requests_serve(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu *vcpu = &x->core;

	if (hv_vcpu_take_request(vcpu, HV_REQ_SHUTDOWN))
		return hv_exit_shutdown(x);
	if (hv_vcpu_take_request(vcpu, HV_REQ_LAPIC_TIMER) ||
	    hv_vcpu_has_request(vcpu, HV_REQ_INIT_SIPI)) {
		clear_bit(HV_REQ_INIT_SIPI, &vcpu->requests);
		smp_mb__after_atomic();
		hv_lapic_service(x);
	}
	if (hv_vcpu_has_request(vcpu, HV_REQ_VSYNIC) || hv_vcpu_has_request(vcpu, HV_REQ_STIMER)) {
		clear_bit(HV_REQ_VSYNIC, &vcpu->requests);
		clear_bit(HV_REQ_STIMER, &vcpu->requests);
		smp_mb__after_atomic();
		hv_tlfs_vcpu_service(vcpu);
	}
	if (hv_vcpu_take_request(vcpu, HV_REQ_CLOCK))
		hv_tsc_sync(x);
	if (hv_vcpu_take_request(vcpu, HV_REQ_SLAT_RELOAD))
		hv_v(root_set)(x, x->root);
	if (hv_vcpu_take_request(vcpu, HV_REQ_TLB_FLUSH))
		hv_v(tlb_flush)(x);
	/* These only made the vCPU come here: pending events are looked at on every entry. */
	clear_bit(HV_REQ_EVENT, &vcpu->requests);
	clear_bit(HV_REQ_NMI, &vcpu->requests);
	smp_mb__after_atomic();
	return HV_NEXT_RESUME;
}

static bool must_leave(struct hv_vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) || xfer_to_guest_mode_work_pending();
}

enum hv_next hv_arch_vcpu_step(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);
	enum hv_next next;
	unsigned long now;
	bool ext;

	if (unlikely(READ_ONCE(vcpu->requests))) {
		next = requests_serve(x);
		if (next != HV_NEXT_RESUME)
			return next;
	}
	if (unlikely(x->mp_state != HV_MP_RUNNABLE))
		return HV_NEXT_BLOCK;
	if (unlikely(!vcpu->in_section))	/* serving a request had to sleep */
		return HV_NEXT_RESUME;

	local_irq_disable();
	/*
	 * From here a request comes with an IPI, which ends the guest's run at once. Pairs
	 * with the barrier between setting a request and reading the state in
	 * hv_vcpu_request().
	 */
	hv_vcpu_state_set(vcpu, HV_VS_GUEST);
	smp_mb();
	if (unlikely(must_leave(vcpu))) {
		hv_vcpu_state_set(vcpu, HV_VS_LOADED);
		local_irq_enable();
		return HV_NEXT_RESUME;
	}
	hv_events_inject(x);
	hv_guest_time_begin();
	/* CR4 writes are intercepted: the guest cannot begin to use either while it runs. */
	ext = x->cr4_guest & (X86_CR4_OSXSAVE | X86_CR4_PKE);
	if (ext)
		hv_fpu_enter(x);
	now = jiffies;
	hv_guest_state_enter(x->rcu_noted != now);
	x->rcu_noted = now;
	hv_v(enter)(x);
	hv_guest_state_leave();
	if (ext)
		hv_fpu_leave(x);
	hv_lapic_assist_collect(x);
	hv_v(exit_irqoff)(x);
	hv_vcpu_state_set(vcpu, HV_VS_LOADED);

	/*
	 * The interrupt that ended the run is taken here, still on the guest's time. STI
	 * opens its window one instruction late: CLI must not be that one.
	 */
	local_irq_enable();
	vcpu->stat.exits++;
	local_irq_disable();
	hv_guest_time_end();
	local_irq_enable();

	next = hv_v(exit_handle)(x);
	if (trace_hv_exit_enabled()) {
		u64 code, info1, info2;

		hv_v(exit_info)(x, &code, &info1, &info2);
		trace_hv_exit(vcpu, code, info1, info2, x->rip, next);
	}
	return next;
}

bool hv_arch_vcpu_has_event(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);

	if (READ_ONCE(vcpu->requests))
		return true;
	if (x->mp_state == HV_MP_RUNNABLE)
		return true;
	if (x->mp_state != HV_MP_HALTED)
		return false;
	if (atomic_read(&x->ev.nmi_pending) && !hv_nmi_masked(x))
		return true;
	return hv_lapic_pending(x) >= 0 && (x->rflags & X86_EFLAGS_IF);
}

void hv_arch_vcpu_unblock(struct hv_vcpu *vcpu)
{
	struct hv_vcpu_x86 *x = to_x86(vcpu);

	if (x->mp_state == HV_MP_HALTED &&
	    ((atomic_read(&x->ev.nmi_pending) && !hv_nmi_masked(x)) ||
	     (hv_lapic_pending(x) >= 0 && (x->rflags & X86_EFLAGS_IF))))
		WRITE_ONCE(x->mp_state, HV_MP_RUNNABLE);
}
