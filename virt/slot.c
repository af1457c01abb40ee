// SPDX-License-Identifier: GPL-2.0-only
/* slot.c - the read side of guest-memory slots */
#include <linux/minmax.h>
#include <hv/slot.h>
#include "virt/memory.h"

const struct hv_slotmap hv_slotmap_empty;

struct hv_slot *hv_slot_find(struct hv_vm *vm, hv_gfn_t gfn)
{
	const struct hv_slotmap *m = hv_slot_map(vm);
	int i = hv_slotmap_find(m, gfn);

	return i < 0 ? NULL : m->ent[i].owner;
}

struct hva_walk {
	hv_hva_t start, end;
	int (*fn)(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last, void *arg);
	void *arg;
};

static int walk_slot(struct hv_vm *vm, const struct hv_slot *s, const struct hva_walk *w)
{
	hv_hva_t s_end = s->hva + (s->npages << PAGE_SHIFT);
	hv_hva_t a = max(w->start, s->hva), b = min(w->end, s_end);

	if (a >= b)
		return 0;
	return w->fn(vm, s->gfn + ((a - s->hva) >> PAGE_SHIFT),
		     s->gfn + ((b - s->hva + PAGE_SIZE - 1) >> PAGE_SHIFT), w->arg);
}

int hv_slot_for_each_hva_locked(struct hv_vm *vm, hv_hva_t start, hv_hva_t end,
				int (*fn)(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last,
					  void *arg), void *arg)
{
	struct hva_walk w = { .start = start, .end = end, .fn = fn, .arg = arg };
	const struct hv_slotmap *m;
	int ret = 0;
	u32 i;

	lockdep_assert_held(&vm->mmu_lock);
	m = hv_slot_map(vm);
	for (i = 0; i < m->nr && !ret; i++)
		ret = walk_slot(vm, m->ent[i].owner, &w);
	if (!ret && vm->slot_retiring)
		ret = walk_slot(vm, vm->slot_retiring, &w);
	return ret;
}
