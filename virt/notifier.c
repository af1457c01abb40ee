// SPDX-License-Identifier: GPL-2.0-only
/*
 * notifier.c - the host changes the owner's page tables: second-level entries follow
 *
 * Between start and end of an invalidation no entry may be made for its range. Entries
 * are made under mmu_lock after hv_notify_busy_locked() said no, from host page tables
 * read under the same hold; so an invalidation either sees the entry and removes it, or
 * is seen. Callbacks may run in atomic context or under reverse-map locks: nothing here
 * sleeps, unless the range is blockable.
 *
 * There is no change_pte: its callers bracket it with start and end, which suffice.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/sched.h>
#include <hv/arch.h>
#include <hv/core.h>
#include <hv/gmem.h>
#include <hv/vm.h>
#include <hv/slot.h>
#include "virt/memory.h"

struct zap {
	bool flush;
	bool may_yield;
	hv_gfn_t first, last;	/* around all frames met */
};

static struct hv_vm *to_vm(struct mmu_notifier *n)
{
	return container_of(n, struct hv_vm, notifier);
}

/* 1: work was done and somebody waits; yield and call again, what is done stays done. */
static int zap_part(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last, void *arg)
{
	struct zap *z = arg;

	z->first = min(z->first, first);
	z->last = max(z->last, last);
	while (first < last) {
		hv_gfn_t to = min(last, (first | (HV_MMU_STEP - 1)) + 1);
		bool removed = hv_arch_mmu_zap_range_locked(vm, first, to);

		z->flush |= removed;
		if (removed && z->may_yield &&
		    (need_resched() || spin_needbreak(&vm->mmu_lock)))
			return 1;
		first = to;
	}
	return 0;
}

/* Others get the lock and the CPU; what is done is flushed, so its tables go now, not all at once. */
static void zap_yield(struct hv_vm *vm, struct zap *z)
{
	if (z->flush)
		hv_arch_mmu_flush_locked(vm);
	cond_resched_lock(&vm->mmu_lock);
}

static int invalidate_start(struct mmu_notifier *n, const struct mmu_notifier_range *range)
{
	struct hv_vm *vm = to_vm(n);
	struct zap z = {
		.may_yield = mmu_notifier_range_blockable(range),
		.first = HV_GFN_NONE,
	};

	spin_lock(&vm->mmu_lock);
	if (!vm->notify_count++) {
		vm->notify_start = range->start;
		vm->notify_end = range->end;
	} else {
		vm->notify_start = min(vm->notify_start, range->start);
		vm->notify_end = max(vm->notify_end, range->end);
	}
	while (hv_slot_for_each_hva_locked(vm, range->start, range->end, zap_part, &z))
		zap_yield(vm, &z);
	if (z.flush) {
		hv_arch_mmu_flush_locked(vm);
		vm->stat.notifier_invalidates++;
	}
	spin_unlock(&vm->mmu_lock);
	if (z.first < z.last)
		hv_frame_zap(vm, z.first, z.last, z.may_yield);
	return 0;
}

static void invalidate_end(struct mmu_notifier *n, const struct mmu_notifier_range *range)
{
	struct hv_vm *vm = to_vm(n);

	spin_lock(&vm->mmu_lock);
	vm->notify_seq++;
	vm->notify_count--;
	spin_unlock(&vm->mmu_lock);
}

struct age {
	bool clear;
	bool young;
};

static int age_part(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last, void *arg)
{
	struct age *a = arg;

	a->young |= hv_arch_mmu_age_locked(vm, first, last, a->clear);
	return a->young && !a->clear;
}

static int age(struct mmu_notifier *n, unsigned long start, unsigned long end, bool clear)
{
	struct hv_vm *vm = to_vm(n);
	struct age a = { .clear = clear };

	spin_lock(&vm->mmu_lock);
	hv_slot_for_each_hva_locked(vm, start, end, age_part, &a);
	if (a.young)
		vm->stat.aged_young++;
	else
		vm->stat.aged_old++;
	spin_unlock(&vm->mmu_lock);
	return a.young;
}

/* No flush: x86 does not flush for its own accessed bits either; a page looks older than it is. */
static int clear_young(struct mmu_notifier *n, struct mm_struct *mm, unsigned long start,
		       unsigned long end)
{
	return age(n, start, end, true);
}

static int test_young(struct mmu_notifier *n, struct mm_struct *mm, unsigned long address)
{
	return age(n, address, address + 1, false);
}

/* The address space goes away (its threads are gone), or we detach: then no vCPU runs. */
static void mm_release(struct mmu_notifier *n, struct mm_struct *mm)
{
	struct hv_vm *vm = to_vm(n);
	struct zap z = { .may_yield = true };

	if (READ_ONCE(vm->notifier_on))
		hv_vm_kill(vm, HV_EVENT_VM_DEAD, "its address space is gone");
	spin_lock(&vm->mmu_lock);
	while (hv_slot_for_each_hva_locked(vm, 0, ULONG_MAX, zap_part, &z))
		zap_yield(vm, &z);
	/* What is left are overlays where there is no slot. */
	z.flush |= hv_arch_mmu_zap_range_locked(vm, 0, HV_GFN_NONE);
	if (z.flush)
		hv_arch_mmu_flush_locked(vm);
	spin_unlock(&vm->mmu_lock);
	hv_frame_zap(vm, 0, HV_GFN_NONE, true);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = invalidate_start,
	.invalidate_range_end = invalidate_end,
	.clear_flush_young = clear_young,
	.clear_young = clear_young,
	.test_young = test_young,
	.release = mm_release,
};

int hv_mem_vm_attach(struct hv_vm *vm)
{
	int ret;

	vm->notifier.ops = &notifier_ops;
	ret = mmu_notifier_register(&vm->notifier, vm->mm);
	if (!ret)
		WRITE_ONCE(vm->notifier_on, true);
	return ret;
}

void hv_mem_vm_detach(struct hv_vm *vm)
{
	if (!vm->notifier_on)
		return;
	WRITE_ONCE(vm->notifier_on, false);
	mmu_notifier_unregister(&vm->notifier, vm->mm);
}
