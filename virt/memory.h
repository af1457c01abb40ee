/* SPDX-License-Identifier: GPL-2.0-only */
/* memory.h - what the memory files of virt share and nobody else sees */
#ifndef _HV_VIRT_MEMORY_H
#define _HV_VIRT_MEMORY_H

#include <linux/rcupdate.h>
#include <hv/types.h>
#include <hv/slot.h>
#include "virt/lib/slotmap.h"
#include "virt/lib/overlaymap.h"

/* Frames whose entries are changed in one hold of mmu_lock, before a look at who waits: 1 GiB. */
#define HV_MMU_STEP	(1ULL << 18)

struct hv_slot_table {
	struct rcu_head rcu;
	struct hv_slotmap map;	/* last; owners are struct hv_slot */
};

struct hv_overlay_table {
	struct rcu_head rcu;
	struct hv_overlaymap map;	/* last; shown pages */
};

extern const struct hv_slotmap hv_slotmap_empty;

#define hv_mem_deref(vm, p)						\
	rcu_dereference_check(p, lockdep_is_held(&(vm)->mmu_lock) ||	\
			      lockdep_is_held(&(vm)->slots_lock))

static inline const struct hv_slotmap *hv_slot_map(struct hv_vm *vm)
{
	const struct hv_slot_table *t = hv_mem_deref(vm, vm->slots);

	return t ? &t->map : &hv_slotmap_empty;
}

/* NULL: nothing is shown. */
static inline const struct hv_overlaymap *hv_overlay_map(struct hv_vm *vm)
{
	const struct hv_overlay_table *t = hv_mem_deref(vm, vm->overlays);

	return t ? &t->map : NULL;
}

static inline u32 hv_overlay_rank(u32 kind, u32 vp)
{
	return kind << 16 | vp;
}

static inline u32 hv_overlay_rank_kind(u32 rank)
{
	return rank >> 16;
}

/* Frames changed their meaning: what was cached about them is void. slots_lock held. */
static inline void hv_mem_gen_raise(struct hv_vm *vm)
{
	lockdep_assert_held(&vm->slots_lock);
	smp_store_release(&vm->slots_gen, vm->slots_gen + 1);
}

void hv_hostpage_vcpu_release(struct hv_vcpu *vcpu);
void hv_hostpage_vm_release(struct hv_vm *vm);
void hv_overlay_vm_release(struct hv_vm *vm);

#endif /* _HV_VIRT_MEMORY_H */
