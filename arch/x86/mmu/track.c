// SPDX-License-Identifier: GPL-2.0-only
/*
 * track.c - frames whose writes somebody wants to see
 *
 * The count of a frame changes under mmu_lock, its place in the xarray is reserved before.
 * A fault looks here under the same lock before it gives write permission.
 */
#include "slat_ops.h"

static unsigned long count_of(struct xarray *xa, hv_gfn_t gfn)
{
	void *v = xa_load(xa, gfn);

	return v ? xa_to_value(v) : 0;
}

int hv_mmu_track_add(struct hv_vm_x86 *vm, hv_gfn_t gfn)
{
	struct xarray *xa = &vm->roots->tracked;
	int ret;

	ret = xa_reserve(xa, gfn, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret;
	spin_lock(&vm->core.mmu_lock);
	ret = xa_err(xa_store(xa, gfn, xa_mk_value(count_of(xa, gfn) + 1), GFP_NOWAIT));
	if (!ret && hv_arch_mmu_wrprotect_locked(&vm->core, gfn, gfn + 1, NULL))
		hv_arch_mmu_flush_locked(&vm->core);
	spin_unlock(&vm->core.mmu_lock);
	return ret;
}

void hv_mmu_track_del(struct hv_vm_x86 *vm, hv_gfn_t gfn)
{
	struct xarray *xa = &vm->roots->tracked;
	unsigned long n;

	spin_lock(&vm->core.mmu_lock);
	n = count_of(xa, gfn);
	if (n > 1)
		xa_store(xa, gfn, xa_mk_value(n - 1), GFP_NOWAIT);
	else
		xa_erase(xa, gfn);
	spin_unlock(&vm->core.mmu_lock);
}

bool hv_mmu_tracked_locked(struct hv_vm_x86 *vm, hv_gfn_t start, hv_gfn_t end)
{
	unsigned long at = start;

	lockdep_assert_held(&vm->core.mmu_lock);
	if (xa_empty(&vm->roots->tracked))
		return false;
	return xa_find(&vm->roots->tracked, &at, end - 1, XA_PRESENT);
}
