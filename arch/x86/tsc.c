// SPDX-License-Identifier: GPL-2.0-only
/*
 * tsc.c - the guest's time-stamp counter
 *
 * guest TSC = host TSC + VM offset + delta of the vCPU. The VM's offset makes the counter
 * start at 0 with the VM and go on where it stood after a pause or a move; a guest that
 * writes its TSC or TSC_ADJUST moves only its vCPU's delta.
 */
#include <asm/tsc.h>
#include <asm/msr.h>
#include <hv/vm.h>
#include "lapic.h"
#include "x86.h"

enum hv_tsc_trust hv_arch_tsc_trust(void)
{
	if (check_tsc_unstable())
		return HV_TSC_NONE;
	if (boot_cpu_has(X86_FEATURE_CONSTANT_TSC) && boot_cpu_has(X86_FEATURE_NONSTOP_TSC))
		return HV_TSC_INVARIANT;
	return HV_TSC_SYNCHRONIZED;
}

static void offset_apply(struct hv_vcpu_x86 *x)
{
	hv_v(tsc_offset_set)(x, READ_ONCE(to_vm_x86(x->core.vm)->tsc_offset) + x->tsc_delta);
}

void hv_tsc_vm_create(struct hv_vm_x86 *vm)
{
	vm->tsc_khz = tsc_khz;
	vm->tsc_offset = -rdtsc();
}

u32 hv_arch_tsc_khz(struct hv_vm *vm)
{
	return vm ? to_vm_x86(vm)->tsc_khz : tsc_khz;
}

u64 hv_arch_guest_tsc(struct hv_vm *vm)
{
	struct hv_vm_x86 *v = to_vm_x86(vm);

	if (READ_ONCE(vm->state) == HV_MS_PAUSED)
		return v->tsc_paused;
	return rdtsc() + READ_ONCE(v->tsc_offset);
}

u64 hv_tsc_read(struct hv_vcpu_x86 *x)
{
	return hv_arch_guest_tsc(x->core.vm) + x->tsc_delta;
}

void hv_tsc_write(struct hv_vcpu_x86 *x, u64 val)
{
	u64 delta = val - hv_tsc_read(x);

	x->tsc_delta += delta;
	x->tsc_adjust += delta;
	offset_apply(x);
	hv_lapic_timer_retime(x);
}

void hv_tsc_adjust(struct hv_vcpu_x86 *x, u64 val)
{
	x->tsc_delta += val - x->tsc_adjust;
	x->tsc_adjust = val;
	offset_apply(x);
	hv_lapic_timer_retime(x);
}

void hv_tsc_sync(struct hv_vcpu_x86 *x)
{
	offset_apply(x);
}

/* The VM's run state changes; no vCPU runs, and no state call is in one. The counter stands still meanwhile. */
void hv_arch_vm_pause(struct hv_vm *vm, bool paused)
{
	struct hv_vm_x86 *v = to_vm_x86(vm);
	struct hv_vcpu *vcpu;
	unsigned int i;

	if (paused)
		v->tsc_paused = rdtsc() + v->tsc_offset;
	else
		WRITE_ONCE(v->tsc_offset, v->tsc_paused - rdtsc());
	hv_vm_for_each_vcpu(vm, i, vcpu) {
		/* HV_VCPU_SET_STATE may be arming the timer. */
		hv_vcpu_lock_stopped(vcpu);
		hv_lapic_pause(to_x86(vcpu), paused);
		mutex_unlock(&vcpu->lock);
		if (!paused)
			hv_vcpu_request(vcpu, HV_REQ_CLOCK);
	}
}

/* A moved VM goes on at the TSC it stopped at. The VM is paused. */
void hv_arch_guest_tsc_set(struct hv_vm *vm, u64 tsc)
{
	struct hv_vm_x86 *v = to_vm_x86(vm);

	v->tsc_paused = tsc;
	if (READ_ONCE(vm->state) != HV_MS_PAUSED)
		WRITE_ONCE(v->tsc_offset, tsc - rdtsc());
}
