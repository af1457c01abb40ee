/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * slot.h - guest-memory slots, the dirty log and the life of a VM's memory
 *
 * Readers find a slot in an RCU-published sorted table; writers replace the table whole
 * under vm->slots_lock. A slot itself never changes once published, except for the bits
 * of its dirty log. Every update raises vm->slots_gen after publishing.
 *
 * Context letters as in core.h.
 */
#ifndef _HV_SLOT_H
#define _HV_SLOT_H

#include <linux/rcupdate.h>
#include <linux/bitops.h>
#include <linux/align.h>
#include <hv/types.h>

struct hv_slot {
	hv_gfn_t gfn;		/* I: first guest frame */
	u64 npages;		/* I: 4 KiB pages */
	hv_hva_t hva;		/* I: where the owner has it mapped */
	u32 flags;		/* I: HV_SLOT_F_* */
	u32 id;			/* I */
	u32 vnode;		/* I: virtual node or HV_NO_VNODE */
	s32 fd;			/* I: the owner's name of the backing file, -1 none */
	u64 fd_offset;		/* I: of @hva in it */
	unsigned long *dirty;	/* A bits; NULL without HV_SLOT_F_DIRTY_LOG */
};

static inline hv_hva_t hv_slot_hva(const struct hv_slot *s, hv_gfn_t gfn)
{
	return s->hva + ((gfn - s->gfn) << PAGE_SHIFT);
}

static inline bool hv_slot_has(const struct hv_slot *s, hv_gfn_t gfn)
{
	return gfn - s->gfn < s->npages;
}

/* Slot of @gfn or NULL. Inside an RCU read section or with mmu_lock or slots_lock held. [any] */
struct hv_slot *hv_slot_find(struct hv_vm *vm, hv_gfn_t gfn);

/* Record a write of @gfn; nothing without a dirty log. Same condition. [any] */
static inline void hv_slot_mark_dirty(struct hv_slot *s, hv_gfn_t gfn)
{
	unsigned long n = gfn - s->gfn;

	if (s->dirty && !test_bit(n, s->dirty))
		set_bit(n, s->dirty);
}

/*
 * Call @fn for each part of a slot that [@start, @end) of the owner's addresses shows;
 * [@first, @last) are the frames of the part. A slot that is being taken away is among them
 * until its entries are gone. mmu_lock held. Stops when @fn returns non-zero and returns that.
 */
int hv_slot_for_each_hva_locked(struct hv_vm *vm, hv_hva_t start, hv_hva_t end,
				int (*fn)(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last,
					  void *arg), void *arg);

/*
 * HV_VM_SET_SLOT. -EINVAL misaligned, wrapping, beyond the guest's address width or the
 * owner's address space, fd not what is mapped there; -EEXIST overlap; -ENOENT; -ENOSPC; -ENOMEM.
 * Takes slots_lock; replacing and deleting wait for an RCU grace period. [proc, owner's mm]
 */
int hv_slot_set(struct hv_vm *vm, const struct hv_slot_args *args);

/*
 * HV_REC_VM_SLOT: what the guest can tell of its slots. _get: the one at place @index by
 * guest address; -ENOENT. _check: is the slot of that number the same? -EINVAL. Take
 * slots_lock. [proc]
 */
int hv_slot_get_state(struct hv_vm *vm, u32 index, struct hv_rec_slot *rec);
int hv_slot_check_state(struct hv_vm *vm, const struct hv_rec_slot *rec);

/*
 * HV_VM_GET_DIRTY, a chunk at a time, so that no lock is held while the caller's memory is
 * written. _take: the words from word @done of the range in @args into @buf (room for
 * HV_DIRTY_WORDS), cleared and their pages write-protected with HV_DIRTY_F_CLEAR. Returns
 * their number, 0 at the end, -EINVAL, -ENOENT. _give_back: the caller of the ioctl could
 * not be told @n of them; what was cleared is dirty again. [proc]
 */
#define HV_DIRTY_WORDS	64	/* 4096 pages: bounds the time under mmu_lock */
int hv_dirty_take(struct hv_vm *vm, const struct hv_dirty_args *args, u64 done,
		  unsigned long *buf);
void hv_dirty_give_back(struct hv_vm *vm, const struct hv_dirty_args *args, u64 done, u32 n,
			const unsigned long *buf);

/*
 * Life of a VM's memory, in this order. _create: locks and empty tables, before
 * hv_arch_vm_create(). _attach: from here on host invalidations reach us; after
 * hv_arch_vm_create(). _detach undoes it (may wait for callbacks in flight; no vCPU
 * runs); before hv_arch_vm_release(). _release: slots and overlays, after it.
 */
int hv_mem_vm_create(struct hv_vm *vm);		/* [proc] */
int hv_mem_vm_attach(struct hv_vm *vm);		/* [proc, owner's mm] */
void hv_mem_vm_detach(struct hv_vm *vm);	/* [proc] */
void hv_mem_vm_release(struct hv_vm *vm);	/* [proc] */
void hv_mem_vcpu_release(struct hv_vcpu *vcpu);	/* [proc] nobody runs it any more */

#endif /* _HV_SLOT_H */
