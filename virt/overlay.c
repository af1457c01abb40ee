// SPDX-License-Identifier: GPL-2.0-only
/*
 * overlay.c - module-owned pages over guest memory; see hv/overlay.h
 *
 * All pages stand in an xarray by rank (kind, vp), for look-up from any context; those
 * shown also in an RCU-published table by frame. Both change under slots_lock. A page
 * lives as long as the VM, so a reader needs no reference; a move needs no grace period,
 * because an access in flight is one the guest could have made before.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <hv/arch.h>
#include <hv/hv_caps.h>
#include <hv/core.h>
#include <hv/gmem.h>
#include <hv/overlay.h>
#include "virt/memory.h"

struct hv_overlay {
	u32 rank;		/* I */
	hv_gfn_t gfn;		/* S; HV_GFN_NONE: not shown */
	void *page;		/* I */
};

static struct hv_overlay *overlay_find(struct hv_vm *vm, u32 kind, u32 vp)
{
	return xa_load(&vm->overlay_pages, hv_overlay_rank(kind, vp));
}

void *hv_overlay_page(struct hv_vm *vm, u32 kind, u32 vp)
{
	struct hv_overlay *o = overlay_find(vm, kind, vp);

	return o ? o->page : NULL;
}

static int overlay_create_locked(struct hv_vm *vm, u32 kind, u32 vp)
{
	struct hv_overlay *o;
	int ret = -ENOMEM;

	if (overlay_find(vm, kind, vp))
		return 0;
	o = kmalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);
	if (!o)
		return -ENOMEM;
	o->rank = hv_overlay_rank(kind, vp);
	o->gfn = HV_GFN_NONE;
	o->page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!o->page)
		goto free;
	ret = xa_err(xa_store(&vm->overlay_pages, o->rank, o, GFP_KERNEL_ACCOUNT));
	if (!ret)
		return 0;
	free_page((unsigned long)o->page);
free:
	kfree(o);
	return ret;
}

int hv_overlay_create(struct hv_vm *vm, u32 kind, u32 vp)
{
	int ret;

	if (kind >= HV_OVERLAY_NR || vp >= vm->max_vcpus)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	ret = overlay_create_locked(vm, kind, vp);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/* What the guest sees at these frames changed. */
static void overlay_zap(struct hv_vm *vm, hv_gfn_t a, hv_gfn_t b)
{
	bool flush = false;

	spin_lock(&vm->mmu_lock);
	if (a != HV_GFN_NONE)
		flush |= hv_arch_mmu_zap_range_locked(vm, a, a + 1);
	if (b != HV_GFN_NONE)
		flush |= hv_arch_mmu_zap_range_locked(vm, b, b + 1);
	if (flush)
		hv_arch_mmu_flush_locked(vm);
	spin_unlock(&vm->mmu_lock);
	if (a != HV_GFN_NONE)
		hv_frame_zap(vm, a, a + 1, true);
	if (b != HV_GFN_NONE)
		hv_frame_zap(vm, b, b + 1, true);
}

static int overlay_move_locked(struct hv_vm *vm, struct hv_overlay *o, hv_gfn_t gfn)
{
	struct hv_overlay_table *prev = rcu_dereference_protected(vm->overlays,
						lockdep_is_held(&vm->slots_lock));
	struct hv_overlaymap_ent ent = { .gfn = gfn, .rank = o->rank, .page = o->page };
	u32 nr = prev ? prev->map.nr : 0;
	struct hv_overlaymap none = {};
	struct hv_overlay_table *next;
	hv_gfn_t old = o->gfn;

	if (old == gfn)
		return 0;
	next = kmalloc(offsetof(struct hv_overlay_table, map) + hv_overlaymap_bytes(nr + 1),
		       GFP_KERNEL_ACCOUNT);
	if (!next)
		return -ENOMEM;
	hv_overlaymap_build(&next->map, prev ? &prev->map : &none, o->rank,
			 gfn == HV_GFN_NONE ? NULL : &ent);
	WRITE_ONCE(o->gfn, gfn);
	rcu_assign_pointer(vm->overlays, next);
	hv_mem_gen_raise(vm);
	overlay_zap(vm, old, gfn);
	if (prev)
		kfree_rcu(prev, rcu);
	return 0;
}

int hv_overlay_move_vm(struct hv_vm *vm, u32 kind, u32 vp, hv_gfn_t gfn)
{
	struct hv_overlay *o = overlay_find(vm, kind, vp);
	int ret;

	if (!o)
		return -ENOENT;
	if (gfn != HV_GFN_NONE && gfn >> (hv_arch_cap(HV_CAP_GPA_BITS) - PAGE_SHIFT))
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	ret = overlay_move_locked(vm, o, gfn);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

int hv_overlay_move(struct hv_vcpu *vcpu, u32 kind, u32 vp, hv_gfn_t gfn)
{
	struct hv_overlay *o = overlay_find(vcpu->vm, kind, vp);

	if (o && READ_ONCE(o->gfn) == gfn)
		return 0;
	hv_arch_section_end(vcpu);
	return hv_overlay_move_vm(vcpu->vm, kind, vp, gfn);
}

void hv_overlay_reset(struct hv_vm *vm)
{
	struct hv_overlay_table *prev;
	struct hv_overlay *o;
	unsigned long i;

	mutex_lock(&vm->slots_lock);
	prev = rcu_replace_pointer(vm->overlays, NULL, lockdep_is_held(&vm->slots_lock));
	hv_mem_gen_raise(vm);
	xa_for_each(&vm->overlay_pages, i, o) {
		overlay_zap(vm, o->gfn, HV_GFN_NONE);
		WRITE_ONCE(o->gfn, HV_GFN_NONE);
		clear_page(o->page);
	}
	mutex_unlock(&vm->slots_lock);
	if (prev)
		kfree_rcu(prev, rcu);
}

int hv_overlay_get_state(struct hv_vm *vm, u32 index, struct hv_rec_overlay *rec)
{
	struct hv_overlay *o;
	unsigned long i;
	int ret = -ENOENT;

	mutex_lock(&vm->slots_lock);
	xa_for_each(&vm->overlay_pages, i, o) {
		if (index--)
			continue;
		rec->kind = hv_overlay_rank_kind(o->rank);
		rec->vp = o->rank & 0xffff;
		rec->gpa = o->gfn == HV_GFN_NONE ? HV_GPA_NONE : o->gfn << PAGE_SHIFT;
		memcpy(rec->page, o->page, PAGE_SIZE);
		ret = 0;
		break;
	}
	mutex_unlock(&vm->slots_lock);
	return ret;
}

int hv_overlay_set_state(struct hv_vm *vm, const struct hv_rec_overlay *rec)
{
	int ret;

	if (rec->gpa != HV_GPA_NONE && !PAGE_ALIGNED(rec->gpa))
		return -EINVAL;
	ret = hv_overlay_create(vm, rec->kind, rec->vp);
	if (ret)
		return ret;
	memcpy(hv_overlay_page(vm, rec->kind, rec->vp), rec->page, PAGE_SIZE);
	return hv_overlay_move_vm(vm, rec->kind, rec->vp,
				  rec->gpa == HV_GPA_NONE ? HV_GFN_NONE : rec->gpa >> PAGE_SHIFT);
}

void hv_overlay_vm_release(struct hv_vm *vm)
{
	struct hv_overlay *o;
	unsigned long i;

	xa_for_each(&vm->overlay_pages, i, o) {
		free_page((unsigned long)o->page);
		kfree(o);
	}
	xa_destroy(&vm->overlay_pages);
	kfree(rcu_dereference_protected(vm->overlays, true));
	RCU_INIT_POINTER(vm->overlays, NULL);
}
