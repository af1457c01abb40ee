// SPDX-License-Identifier: GPL-2.0-only
/* wrprot.c - taking write permission (dirty log, write tracking) and reading accessed bits */
#include <linux/bitops.h>
#include <linux/xarray.h>
#include "slat_ops.h"

/*
 * A large leaf loses its permission as a whole; the next write splits it (fault.c), so
 * that only what is written after that pays for small entries.
 */
bool hv_mmu_direct_wrprotect(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end,
			     const unsigned long *mask)
{
	unsigned long bit, from, n = end - start;
	bool any = false;

	if (!mask)
		return hv_slat_wrprotect(&root->slat, start, end);
	for (from = 0; ; ) {
		unsigned long stop;

		bit = find_next_bit(mask, n, from);
		if (bit >= n)
			return any;
		stop = find_next_zero_bit(mask, n, bit);
		any |= hv_slat_wrprotect(&root->slat, start + bit, start + stop);
		from = stop;
	}
}

bool hv_mmu_direct_age(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end, bool clear)
{
	return hv_slat_age(&root->slat, start, end, clear);
}

bool hv_arch_mmu_wrprotect_locked(struct hv_vm *vm, hv_gfn_t start, hv_gfn_t end,
				  const unsigned long *mask)
{
	struct hv_mmu_root *root;
	bool flush = false;

	lockdep_assert_held(&vm->mmu_lock);
	list_for_each_entry(root, &to_vm_x86(vm)->roots->list, link)
		flush |= root->ops->wrprotect(root, start, end, mask);
	return flush;
}

bool hv_arch_mmu_age_locked(struct hv_vm *vm, hv_gfn_t start, hv_gfn_t end, bool clear)
{
	struct hv_mmu_root *root;
	bool young = false;

	lockdep_assert_held(&vm->mmu_lock);
	list_for_each_entry(root, &to_vm_x86(vm)->roots->list, link)
		young |= root->ops->age(root, start, end, clear);
	return young;
}
