// SPDX-License-Identifier: GPL-2.0-only
/*
 * slot_update.c - the write side of guest-memory slots, and the life of a VM's memory
 *
 * An update publishes a whole new table, so a reader sees the old or the new slot, never a
 * hole. Then what was derived from the old one goes: second-level entries (zap and flush
 * under mmu_lock; a fault resolves its frame again under that lock, so none can bring the
 * old back), caches (by slots_gen), and accesses in flight (RCU grace period).
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <hv/arch.h>
#include <hv/gmem.h>
#include <hv/hv_caps.h>
#include <hv/slot.h>
#include "virt/memory.h"

#define SLOT_FLAGS	(HV_SLOT_F_READONLY | HV_SLOT_F_DIRTY_LOG)

static struct hv_slot *find_id(const struct hv_slotmap *m, u32 id)
{
	u32 i;

	for (i = 0; i < m->nr; i++) {
		struct hv_slot *s = m->ent[i].owner;

		if (s->id == id)
			return s;
	}
	return NULL;
}

/* A named file must be what is mapped at the address, at that offset. */
static int check_fd(const struct hv_slot_args *a)
{
	struct vm_area_struct *vma;
	struct file *file;
	int ret = -EINVAL;

	if (a->fd < 0)
		return a->fd == -1 ? 0 : -EINVAL;
	file = fget(a->fd);
	if (!file)
		return -EBADF;
	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, a->host_addr);
	if (vma && vma->vm_start <= a->host_addr && vma->vm_file &&
	    file_inode(vma->vm_file) == file_inode(file) &&
	    ((u64)vma->vm_pgoff << PAGE_SHIFT) + (a->host_addr - vma->vm_start) == a->fd_offset)
		ret = 0;
	mmap_read_unlock(current->mm);
	fput(file);
	return ret;
}

static int check_args(const struct hv_slot_args *a)
{
	u64 limit = 1ULL << hv_arch_cap(HV_CAP_GPA_BITS);

	if (a->flags & ~SLOT_FLAGS || a->slot >= HV_MAX_SLOTS || a->rsvd ||
	    (a->vnode != HV_NO_VNODE && a->vnode >= HV_MAX_VNODES))
		return -EINVAL;
	if (!a->bytes)
		return 0;
	if ((a->gpa | a->bytes | a->host_addr | a->fd_offset) & ~PAGE_MASK)
		return -EINVAL;
	/* Bitmaps of pages count in 32 bits, here and in the kernel. */
	if (a->bytes >> PAGE_SHIFT > INT_MAX)
		return -EINVAL;
	if (a->gpa >= limit || a->bytes > limit - a->gpa)
		return -EINVAL;
	if (!access_ok((void __user *)(hv_hva_t)a->host_addr, a->bytes))
		return -EINVAL;
	return check_fd(a);
}

static void slot_free(struct hv_slot *s)
{
	if (!s)
		return;
	kvfree(s->dirty);
	kfree(s);
}

static bool same_memory(const struct hv_slot *a, const struct hv_slot *b)
{
	return a->gfn == b->gfn && a->npages == b->npages && a->hva == b->hva &&
	       !((a->flags ^ b->flags) & HV_SLOT_F_READONLY);
}

/*
 * The new slot's dirty log: the old one's bits if it shows the same memory (its owner
 * changes when the old slot is freed), else everything is dirty unless the slot is new.
 */
static int slot_add_log(struct hv_slot *s, struct hv_slot *old)
{
	size_t words = BITS_TO_LONGS(s->npages);

	if (!(s->flags & HV_SLOT_F_DIRTY_LOG))
		return 0;
	if (old && old->dirty && same_memory(s, old)) {
		s->dirty = old->dirty;
		return 0;
	}
	s->dirty = kvcalloc(words, sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!s->dirty)
		return -ENOMEM;
	if (old && !same_memory(s, old))
		bitmap_set(s->dirty, 0, s->npages);	/* not _fill: that fills the last word */
	return 0;
}

static struct hv_slot *slot_alloc(const struct hv_slot_args *a, struct hv_slot *old)
{
	struct hv_slot *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return NULL;
	s->gfn = a->gpa >> PAGE_SHIFT;
	s->npages = a->bytes >> PAGE_SHIFT;
	s->hva = a->host_addr;
	s->flags = a->flags;
	s->id = a->slot;
	s->vnode = a->vnode;
	s->fd = a->fd;
	s->fd_offset = a->fd_offset;
	if (slot_add_log(s, old)) {
		kfree(s);
		return NULL;
	}
	return s;
}

static bool zap(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last)
{
	return hv_arch_mmu_zap_range_locked(vm, first, last);
}

static bool wrprotect(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last)
{
	return hv_arch_mmu_wrprotect_locked(vm, first, last, NULL);
}

/*
 * Change second-level entries of a whole slot. A slot may be TiB of small entries: others
 * get the lock and the CPU in between, and what they see then has been flushed.
 */
static void slot_walk(struct hv_vm *vm, const struct hv_slot *s,
		      bool (*fn)(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last))
{
	hv_gfn_t at = s->gfn, end = s->gfn + s->npages, to;
	bool flush = false;

	spin_lock(&vm->mmu_lock);
	for (; at < end; at = to) {
		to = min(end, (at | (HV_MMU_STEP - 1)) + 1);
		flush |= fn(vm, at, to);
		if (!need_resched() && !spin_needbreak(&vm->mmu_lock))
			continue;
		if (flush)
			hv_arch_mmu_flush_locked(vm);
		flush = false;
		cond_resched_lock(&vm->mmu_lock);
	}
	if (flush)
		hv_arch_mmu_flush_locked(vm);
	spin_unlock(&vm->mmu_lock);
}

/*
 * @next is the table from now on. Who looks for slots by host address goes on to find @old
 * (NULL: none) until what was built on it is gone: the host may take its memory back meanwhile.
 */
static void slot_switch(struct hv_vm *vm, struct hv_slot_table *next, struct hv_slot *old)
{
	spin_lock(&vm->mmu_lock);
	vm->slot_retiring = old;
	rcu_assign_pointer(vm->slots, next);
	spin_unlock(&vm->mmu_lock);
	hv_mem_gen_raise(vm);
	vm->stat.slot_updates++;
}

/* Take back what was built on @old. After it nothing of it is in use. */
static void slot_retire(struct hv_vm *vm, struct hv_slot *old, struct hv_slot *new)
{
	if (!new || !same_memory(old, new))
		slot_walk(vm, old, zap);
	else if (new->dirty && !old->dirty)
		slot_walk(vm, old, wrprotect);
	hv_frame_zap(vm, old->gfn, old->gfn + old->npages, true);
	spin_lock(&vm->mmu_lock);
	vm->slot_retiring = NULL;
	spin_unlock(&vm->mmu_lock);

	synchronize_rcu_expedited();
	if (new && new->dirty == old->dirty)
		old->dirty = NULL;	/* handed on */
	slot_free(old);
}

static int slot_publish(struct hv_vm *vm, struct hv_slot *old, struct hv_slot *new)
{
	struct hv_slot_table *prev = rcu_dereference_protected(vm->slots,
						lockdep_is_held(&vm->slots_lock));
	const struct hv_slotmap *m = prev ? &prev->map : &hv_slotmap_empty;
	struct hv_slotmap_ent ent = { .owner = new };
	struct hv_slot_table *next;

	next = kmalloc(offsetof(struct hv_slot_table, map) + hv_slotmap_bytes(m->nr + 1),
		       GFP_KERNEL_ACCOUNT);
	if (!next)
		return -ENOMEM;
	if (new) {
		ent.gfn = new->gfn;
		ent.npages = new->npages;
	}
	hv_slotmap_build(&next->map, m, old, new ? &ent : NULL);
	slot_switch(vm, next, old);
	if (old)
		slot_retire(vm, old, new);
	else
		hv_frame_zap(vm, new->gfn, new->gfn + new->npages, true);	/* a hole was shown */
	if (prev)
		kfree_rcu(prev, rcu);
	return 0;
}

static int slot_set_locked(struct hv_vm *vm, const struct hv_slot_args *a)
{
	const struct hv_slotmap *m = hv_slot_map(vm);
	struct hv_slot *old = find_id(m, a->slot), *new = NULL;
	int ret;

	if (!a->bytes && !old)
		return -ENOENT;
	if (a->bytes) {
		if (hv_slotmap_overlap(m, a->gpa >> PAGE_SHIFT, a->bytes >> PAGE_SHIFT, old))
			return -EEXIST;
		new = slot_alloc(a, old);
		if (!new)
			return -ENOMEM;
	}
	ret = slot_publish(vm, old, new);
	if (ret && new) {
		if (old && new->dirty == old->dirty)
			new->dirty = NULL;
		slot_free(new);
	}
	return ret;
}

int hv_slot_set(struct hv_vm *vm, const struct hv_slot_args *args)
{
	int ret = check_args(args);

	if (ret)
		return ret;
	mutex_lock(&vm->slots_lock);
	ret = slot_set_locked(vm, args);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

static void slot_to_record(const struct hv_slot *s, struct hv_rec_slot *rec)
{
	memset(rec, 0, sizeof(*rec));
	rec->slot = s->id;
	rec->flags = s->flags;
	rec->gpa = s->gfn << PAGE_SHIFT;
	rec->bytes = s->npages << PAGE_SHIFT;
	rec->vnode = s->vnode;
}

int hv_slot_get_state(struct hv_vm *vm, u32 index, struct hv_rec_slot *rec)
{
	const struct hv_slotmap *m;
	int ret = -ENOENT;

	mutex_lock(&vm->slots_lock);
	m = hv_slot_map(vm);
	if (index < m->nr) {
		slot_to_record(m->ent[index].owner, rec);
		ret = 0;
	}
	mutex_unlock(&vm->slots_lock);
	return ret;
}

int hv_slot_check_state(struct hv_vm *vm, const struct hv_rec_slot *rec)
{
	struct hv_rec_slot have, want = *rec;
	struct hv_slot *s;
	int ret = -EINVAL;

	mutex_lock(&vm->slots_lock);
	s = find_id(hv_slot_map(vm), rec->slot);
	if (s) {
		slot_to_record(s, &have);
		have.flags &= ~HV_SLOT_F_DIRTY_LOG;
		want.flags &= ~HV_SLOT_F_DIRTY_LOG;
		ret = memcmp(&have, &want, sizeof(have)) ? -EINVAL : 0;
	}
	mutex_unlock(&vm->slots_lock);
	return ret;
}

int hv_mem_vm_create(struct hv_vm *vm)
{
	mutex_init(&vm->slots_lock);
	spin_lock_init(&vm->mmu_lock);
	INIT_LIST_HEAD(&vm->frame_watches);
	xa_init(&vm->overlay_pages);
	vm->slots_gen = 1;	/* 0 is an empty gmem cache */
	return 0;
}

void hv_mem_vm_release(struct hv_vm *vm)
{
	struct hv_slot_table *t = rcu_dereference_protected(vm->slots, true);
	u32 i;

	for (i = 0; t && i < t->map.nr; i++)
		slot_free(t->map.ent[i].owner);
	kfree(t);
	RCU_INIT_POINTER(vm->slots, NULL);
	hv_overlay_vm_release(vm);
	hv_hostpage_vm_release(vm);
}

void hv_mem_vcpu_release(struct hv_vcpu *vcpu)
{
	hv_hostpage_vcpu_release(vcpu);
}
