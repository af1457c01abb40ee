// SPDX-License-Identifier: GPL-2.0-only
/*
 * framewatch.c - who shows guest frames elsewhere than in second-level tables
 *
 * A mapping of a channel's rings in user space is such a place. Whatever takes frames out of
 * second-level tables (slot, overlay, dirty log, host invalidation) takes them from there,
 * too, and before it goes on. Watchers sleep, so they are called with mmu_lock dropped:
 * a watcher makes its entries under a lock of its own that its zap takes, after
 * a look at the same invalidation counts second-level faults look at.
 */
#include <linux/mm.h>
#include <linux/rculist.h>
#include <linux/srcu.h>
#include <hv/gmem.h>
#include "virt/memory.h"

DEFINE_STATIC_SRCU(hv_frame_srcu);

void hv_frame_watch_add(struct hv_vm *vm, struct hv_frame_watch *w)
{
	mutex_lock(&vm->slots_lock);
	list_add_tail_rcu(&w->link, &vm->frame_watches);
	mutex_unlock(&vm->slots_lock);
}

void hv_frame_watch_del(struct hv_vm *vm, struct hv_frame_watch *w)
{
	mutex_lock(&vm->slots_lock);
	list_del_rcu(&w->link);
	mutex_unlock(&vm->slots_lock);
	synchronize_srcu(&hv_frame_srcu);
}

void hv_frame_zap(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last, bool may_sleep)
{
	struct hv_frame_watch *w;
	int idx;

	if (likely(list_empty(&vm->frame_watches)))
		return;
	idx = srcu_read_lock(&hv_frame_srcu);
	list_for_each_entry_srcu(w, &vm->frame_watches, link, srcu_read_lock_held(&hv_frame_srcu))
		w->zap(w, first, last, may_sleep);
	srcu_read_unlock(&hv_frame_srcu, idx);
}
