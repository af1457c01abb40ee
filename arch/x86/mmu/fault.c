// SPDX-License-Identifier: GPL-2.0-only
/*
 * fault.c - second-level faults
 *
 * All decisions are made under one hold of mmu_lock, from the slot and overlay tables and
 * the host's page table as they are then; what has to be waited for (a table, a host
 * page) is fetched with nothing held and the decision made again.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <hv/trace.h>
#include "fault.h"

/* Mapped read-only for the log's or a tracker's sake: the host has no say in it. */
static enum hv_fault_step allow_write(struct hv_fault *ft, u64 *entry, u32 level)
{
	struct hv_slat_root *r = &ft->root->slat;

	while (level > 1) {
		hv_gfn_t base = ft->gfn & ~(hv_slat_span(level) - 1);

		if (!ft->f.slot->dirty &&
		    !hv_mmu_tracked_locked(ft->vm, base, base + hv_slat_span(level)))
			break;
		if (hv_slat_split(r, entry, level, &ft->x->mmu_cache, &ft->gather))
			return HV_FAULT_TABLES;
		entry = hv_slat_find(r, ft->gfn, &level);
	}
	hv_slot_mark_dirty(ft->f.slot, ft->gfn);
	__atomic_fetch_or(entry, SLAT_WRITE, __ATOMIC_RELAXED);
	return HV_FAULT_DONE;
}

static enum hv_fault_step map_host(struct hv_fault *ft)
{
	struct hv_vm *vm = &ft->vm->core;
	enum hv_fault_step step = HV_FAULT_PAGE;
	struct hv_host_map h;

	ft->hva = hv_slot_hva(ft->f.slot, ft->gfn);
	if (hv_notify_busy_locked(vm, ft->hva, ft->hva + PAGE_SIZE))
		return HV_FAULT_RETRY;
	local_irq_disable();
	hv_host_walk(vm->mm, ft->hva, &h);
	if (h.level && (!ft->write || h.writable))
		step = hv_mmu_map_walked(ft, &h);
	local_irq_enable();
	if (step != HV_FAULT_PAGE)
		return step;
	/* Other memory may be in the slot since; a page of the old one would never be taken back. */
	if (ft->page && ft->page_hva == ft->hva && ft->seq == vm->notify_seq)
		return hv_mmu_map_page(ft, ft->page);
	ft->seq = vm->notify_seq;
	return HV_FAULT_PAGE;
}

static enum hv_fault_step decide(struct hv_fault *ft)
{
	struct hv_mmu_root *root = ft->root;
	u32 level;
	u64 *e, v;

	if (!hv_gmem_resolve(&ft->vm->core, ft->gfn, &ft->f) || (ft->write && ft->f.readonly) ||
	    (ft->write && hv_mmu_tracked_locked(ft->vm, ft->gfn, ft->gfn + 1)))
		return HV_FAULT_MMIO;
	e = hv_slat_find(&root->slat, ft->gfn, &level);
	v = READ_ONCE(*e);
	if (v & SLAT_PRESENT) {
		/* Another vCPU was faster. */
		if (!ft->write || (v & SLAT_WRITE))
			return HV_FAULT_DONE;
		if (v & SLAT_HOST_WRITE)
			return allow_write(ft, e, level);
	}
	return ft->f.overlay ? hv_mmu_map_overlay(ft) : map_host(ft);
}

static enum hv_fault_step decide_and_flush(struct hv_fault *ft)
{
	struct hv_vm *vm = &ft->vm->core;
	enum hv_fault_step step;

	spin_lock(&vm->mmu_lock);
	hv_mmu_gather_init(&ft->gather, ft->root);
	step = decide(ft);
	if (hv_mmu_gather_end(&ft->gather, ft->root))
		hv_arch_mmu_flush_locked(vm);
	hv_mmu_count_locked(vm);
	spin_unlock(&vm->mmu_lock);
	return step;
}

static int fetch_tables(struct hv_fault *ft)
{
	if (!hv_mmu_cache_fill(ft->x, false))
		return 0;
	hv_arch_section_end(&ft->x->core);
	return hv_mmu_cache_fill(ft->x, true);
}

static int fetch_page(struct hv_fault *ft)
{
	ft->fetched = true;
	ft->page_hva = ft->hva;
	return hv_hostpage_get(&ft->x->core, ft->hva, ft->write, &ft->page);
}

static enum hv_slat_result report(struct hv_fault *ft, hv_gpa_t gpa, int error)
{
	if (error == -EINTR || fatal_signal_pending(current)) {
		ft->x->core.stat.slat_faults_retry++;
		return HV_SLAT_RETRY;
	}
	hv_exit_memory_fault(&ft->x->core, gpa, ft->write, error);
	return HV_SLAT_ERROR;
}

static enum hv_slat_result fault_resolve(struct hv_fault *ft, hv_gpa_t gpa)
{
	struct hv_vcpu *vcpu = &ft->x->core;
	int error = 0;

	while (!error) {
		enum hv_fault_step step = decide_and_flush(ft);

		if (ft->page) {
			put_page(ft->page);
			ft->page = NULL;
		}
		switch (step) {
		case HV_FAULT_DONE:
			vcpu->stat.slat_faults_mapped++;
			return HV_SLAT_MAPPED;
		case HV_FAULT_MMIO:
			return HV_SLAT_MMIO;
		case HV_FAULT_RETRY:
			vcpu->stat.slat_faults_retry++;
			return HV_SLAT_RETRY;
		case HV_FAULT_TABLES:
			error = fetch_tables(ft);
			break;
		case HV_FAULT_PAGE:
			error = fetch_page(ft);
			break;
		}
	}
	return report(ft, gpa, error);
}

enum hv_slat_result hv_mmu_fault(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u32 access)
{
	struct hv_fault ft = {
		.x = x,
		.vm = to_vm_x86(x->core.vm),
		.root = x->root,
		.gfn = gpa >> PAGE_SHIFT,
		.write = access & HV_SLAT_F_WRITE,
	};
	enum hv_slat_result ret = fault_resolve(&ft, gpa);

	trace_hv_slat_fault(&x->core, gpa, access, ft.fetched, ret);
	return ret;
}
