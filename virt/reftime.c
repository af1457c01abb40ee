// SPDX-License-Identifier: GPL-2.0-only
/*
 * reftime.c - partition reference time and the reference TSC page (TLFS 12.3, 12.7)
 *
 * One formula for all: ((guest TSC * scale) >> 64) + offset, as the page tells it to the
 * guest, so that the counter MSR, the page on every vCPU, and the timers agree. The guest
 * TSC stands still while the VM is paused, and so does all of it; a moved VM gets another
 * offset (and scale), and the page a new sequence.
 *
 * Where host CPUs disagree about the TSC the host's clock is used, and the page says
 * "invalid": the guest reads the MSR.
 */
#include <linux/ktime.h>
#include <hv/arch.h>
#include <hv/core.h>
#include <hv/hv_x86.h>
#include <hv/tlfs.h>
#include "lib/tsc_scale.h"
#include "reftime.h"
#include "vsynic.h"

#define NS_PER_UNIT	100

static u64 raw_now(struct hv_vm *vm, struct hv_tlfs_vm *t)
{
	if (likely(t->scale))
		return hv_tsc_to_reftime(hv_arch_guest_tsc(vm), t->scale);
	return ktime_get_ns() / NS_PER_UNIT;
}

u64 hv_reftime_now(struct hv_vm *vm)
{
	struct hv_tlfs_vm *t = vm->tlfs;

	if (unlikely(!t))
		return 0;
	if (unlikely(!t->scale && READ_ONCE(t->paused)))
		return READ_ONCE(t->stopped_at);
	return raw_now(vm, t) + READ_ONCE(t->offset);
}

void hv_reftime_init(struct hv_vm *vm)
{
	struct hv_tlfs_vm *t = vm->tlfs;

	if (hv_arch_tsc_trust() != HV_TSC_NONE)
		t->scale = hv_tsc_scale(hv_arch_tsc_khz(vm));
	t->tsc_invariant_ok = hv_arch_tsc_trust() == HV_TSC_INVARIANT;
	t->offset = -raw_now(vm, t);
}

/* The counter of a new partition starts at 0. */
void hv_reftime_reset(struct hv_vm *vm)
{
	struct hv_tlfs_vm *t = vm->tlfs;

	WRITE_ONCE(t->stopped_at, 0);
	WRITE_ONCE(t->offset, -raw_now(vm, t));
}

/* Readers take the sequence before and after: change it first to invalid, last to a new value. */
void hv_reftime_page_update_locked(struct hv_vm *vm)
{
	struct tlfs_tsc_page *page = hv_overlay_page(vm, HV_OVERLAY_REFTSC, 0);
	struct hv_tlfs_vm *t = vm->tlfs;

	lockdep_assert_held(&t->lock);
	if (!page || !(t->reference_tsc & TLFS_PAGE_ENABLE))
		return;
	WRITE_ONCE(page->sequence, 0);
	if (!t->scale)
		return;
	smp_wmb();
	page->scale = t->scale;
	page->offset = t->offset;
	smp_wmb();
	if (++t->tsc_sequence == 0 || t->tsc_sequence == ~0u)
		t->tsc_sequence = 1;
	WRITE_ONCE(page->sequence, t->tsc_sequence);
}

static void timers_rearm(struct hv_vm *vm)
{
	struct hv_vcpu *vcpu;
	unsigned int i;

	if (vm->tlfs->paused)
		return;
	hv_vm_for_each_vcpu(vm, i, vcpu)
		if (vcpu->tlfs)
			hv_vstimer_rearm(to_vsynic(vcpu));
}

void hv_reftime_set(struct hv_vm *vm, u64 reftime, u64 tsc)
{
	struct hv_tlfs_vm *t = vm->tlfs;

	if (!t)
		return;
	mutex_lock(&t->lock);
	if (t->scale) {
		WRITE_ONCE(t->offset, reftime - hv_tsc_to_reftime(tsc, t->scale));
	} else {
		WRITE_ONCE(t->stopped_at, reftime);
		WRITE_ONCE(t->offset, reftime - raw_now(vm, t));
	}
	hv_reftime_page_update_locked(vm);
	mutex_unlock(&t->lock);
	timers_rearm(vm);
}

void hv_tlfs_vm_pause(struct hv_vm *vm, bool paused)
{
	struct hv_tlfs_vm *t = vm->tlfs;
	struct hv_vcpu *vcpu;
	unsigned int i;

	if (!t || t->paused == paused)
		return;
	if (paused) {
		WRITE_ONCE(t->stopped_at, raw_now(vm, t) + t->offset);
		WRITE_ONCE(t->paused, true);
		hv_vm_for_each_vcpu(vm, i, vcpu)
			if (vcpu->tlfs)
				hv_vstimer_hold(to_vsynic(vcpu));
		return;
	}
	if (!t->scale)
		WRITE_ONCE(t->offset, t->stopped_at - raw_now(vm, t));
	WRITE_ONCE(t->paused, false);
	timers_rearm(vm);
}
