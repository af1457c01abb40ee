// SPDX-License-Identifier: GPL-2.0-only
/* run.c - the run loop */
#include <linux/interrupt.h>
#include <linux/sched/signal.h>
#include <hv/arch.h>
#include <hv/compat.h>
#include <hv/core.h>
#include <hv/run.h>
#include <hv/trace.h>
#include <hv/vm.h>
#include "exit.h"

/*
 * Wait until there is something to run for. Wakers set a request or an interrupt first
 * and look at the state then; rcuwait orders that against our look.
 */
static void vcpu_block(struct hv_vcpu *vcpu)
{
	u64 start = ktime_get_ns();

	vcpu->stat.blocks++;
	hv_vcpu_state_set(vcpu, HV_VS_BLOCKED);
	prepare_to_rcuwait(&vcpu->wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (hv_arch_vcpu_has_event(vcpu) || signal_pending(current))
			break;
		schedule();
	}
	finish_rcuwait(&vcpu->wait);
	hv_vcpu_state_set(vcpu, HV_VS_LOADED);
	vcpu->stat.blocked_ns += ktime_get_ns() - start;
	hv_arch_vcpu_unblock(vcpu);
}

/* Scheduler, task work and signals: all outside the section. 0 or -EINTR. */
static int host_work(struct hv_vcpu *vcpu)
{
	hv_arch_section_end(vcpu);
	return hv_compat_guest_work();
}

/* Requests that end the run. 0, or the errno to return. */
static int stop_requested(struct hv_vcpu *vcpu)
{
	if (hv_vcpu_has_request(vcpu, HV_REQ_KILL))
		return -ECANCELED;
	if (hv_vcpu_take_request(vcpu, HV_REQ_PAUSE) &&
	    READ_ONCE(vcpu->vm->state) == HV_MS_PAUSED)
		return -EAGAIN;
	return 0;
}

/* For the eyes only: user space may have changed the page already. */
static void user_exit_trace(struct hv_vcpu *vcpu)
{
	u32 kind = READ_ONCE(vcpu->run->exit_kind);

	trace_hv_user_exit(vcpu, kind, kind == HV_EXIT_PIO ? READ_ONCE(vcpu->run->pio.port) :
				       kind == HV_EXIT_MMIO ? READ_ONCE(vcpu->run->mmio.gpa) : 0);
}

/*
 * Finish what user space has answered. The guest is not entered before: it would ask the
 * device again. 0, or the errno to return.
 */
static long pending_settle(struct hv_vcpu *vcpu, enum hv_next *next)
{
	int ret = 0;

	for (;;) {
		*next = hv_pending_finish(vcpu);
		if (*next != HV_NEXT_RESUME)
			return 0;
		if (READ_ONCE(vcpu->run->immediate_exit))
			return -EINTR;
		if (likely(!vcpu->pending.answered))
			return 0;
		ret = stop_requested(vcpu);
		if (!ret && hv_compat_guest_work_pending())
			ret = host_work(vcpu);
		if (ret)
			return ret;
	}
}

static long run_loop(struct hv_vcpu *vcpu, enum hv_next next)
{
	int ret = 0;

	while (next == HV_NEXT_RESUME || next == HV_NEXT_BLOCK) {
		if (unlikely(READ_ONCE(vcpu->requests))) {
			ret = stop_requested(vcpu);
			if (ret)
				break;
		}
		if (unlikely(hv_compat_guest_work_pending())) {
			ret = host_work(vcpu);
			if (ret)
				break;
		}
		if (next == HV_NEXT_BLOCK) {
			hv_arch_section_end(vcpu);
			vcpu_block(vcpu);
			next = HV_NEXT_RESUME;
			continue;
		}
		/* On newer kernels a section holds softirqs back: let them run. */
		if (unlikely(vcpu->in_section && local_softirq_pending()))
			hv_arch_section_end(vcpu);
		if (unlikely(!vcpu->in_section))
			hv_arch_section_begin(vcpu);
		next = hv_arch_vcpu_step(vcpu);
	}
	hv_arch_section_end(vcpu);
	if (next == HV_NEXT_STOP)
		return -ECANCELED;
	if (next == HV_NEXT_TO_USER) {
		vcpu->stat.user_exits++;
		if (trace_hv_user_exit_enabled())
			user_exit_trace(vcpu);
	}
	return ret;
}

long hv_vcpu_run(struct hv_vcpu *vcpu)
{
	struct hv_vm *vm = vcpu->vm;
	enum hv_next next;
	long ret;

	/* The gate before the lock: a call that stopped the VM may want all vCPUs' locks. */
	ret = hv_vm_run_enter(vm);
	if (unlikely(ret))
		return ret;
	if (mutex_lock_killable(&vcpu->lock)) {
		ret = -EINTR;
		goto leave;
	}
	if (unlikely(vcpu->state == HV_VS_DEAD)) {
		ret = -ECANCELED;
		goto out;
	}
	hv_vcpu_state_set(vcpu, HV_VS_LOADED);
	if (unlikely(!vcpu->started)) {
		vcpu->started = true;
		hv_event(vm, vcpu, HV_EVENT_VCPU_STARTED, NULL);
	}
	WRITE_ONCE(vcpu->run->exit_kind, HV_EXIT_NONE);
	ret = pending_settle(vcpu, &next);
	if (likely(!ret))
		ret = run_loop(vcpu, next);
	hv_arch_section_end(vcpu);
	hv_vcpu_state_set(vcpu, HV_VS_IDLE);
out:
	mutex_unlock(&vcpu->lock);
leave:
	hv_vm_run_leave(vm);
	return ret;
}
