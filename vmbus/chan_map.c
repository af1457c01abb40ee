// SPDX-License-Identifier: GPL-2.0-only
/*
 * chan_map.c - the rings of a channel in user space: filled in by faults, zapped when revoked
 *
 * A fault looks the guest page up (slot, then the owner's page table), and puts the host page
 * there unless something changed meanwhile. Whatever changes what a guest page is (host
 * invalidation, slot, overlay, dirty log) calls ring_zap(), which takes the entries away before
 * the change goes on. The map's lock makes the two exclude each other:
 *
 *	fault: [lock] counts unchanged? entry made [unlock]
 *	zap:   counts changed, [lock] entry gone [unlock]
 *
 * The lock is taken in mmu notifiers, so nothing under it may reclaim (page tables are
 * allocated with reclaim off) or touch user memory (the page is fetched before). It sleeps;
 * notifiers that may not (the OOM killer's) leave the work to a work item: the reference the
 * map has on a page it shows keeps the page from being anything else until then. Such
 * references end in the zap, so they do not hinder migration, swap or merging. Why this and
 * nothing simpler: Documentation/adr/0003-ring-maps.rst.
 *
 * Taking entries away is itself an invalidation of the address space they are in. If that is
 * a VM's, its notifier comes here again from inside; the pages of a ring mapping can not be
 * fetched as anybody's memory, so there is nothing to do then (zap_is_nested()).
 */
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <hv/compat.h>
#include <hv/slot.h>
#include "bus.h"

static struct lock_class_key mapping_key;

/* ---- zapping ---- */

static DEFINE_SPINLOCK(zappers_lock);
static LIST_HEAD(zappers);

struct zapper {
	struct list_head link;
	struct task_struct *task;
};

static bool zap_is_nested(void)
{
	struct zapper *z;
	bool found = false;

	spin_lock(&zappers_lock);
	list_for_each_entry(z, &zappers, link)
		found |= z->task == current;
	spin_unlock(&zappers_lock);
	return found;
}

static void zapper_enter(struct zapper *z)
{
	z->task = current;
	spin_lock(&zappers_lock);
	list_add(&z->link, &zappers);
	spin_unlock(&zappers_lock);
}

static void zapper_leave(struct zapper *z)
{
	spin_lock(&zappers_lock);
	list_del(&z->link);
	spin_unlock(&zappers_lock);
}

/* Entries of page @i in every mapping are gone when this returns. */
static void page_hide_locked(struct hv_ringmap *m, u32 i)
{
	struct page *page = m->page[i];
	struct zapper z;

	lockdep_assert_held(&m->lock);
	if (!test_bit(i, m->shown))
		return;
	zapper_enter(&z);
	unmap_mapping_range(&m->mapping, (loff_t)i << PAGE_SHIFT, PAGE_SIZE, 1);
	zapper_leave(&z);
	clear_bit(i, m->shown);
	m->page[i] = NULL;
	if (page)
		put_page(page);
	m->stat->ring_zaps++;
}

static bool any_shown(struct hv_ringmap *m, hv_gfn_t first, hv_gfn_t last)
{
	u32 i;

	for_each_set_bit(i, m->shown, m->npages)
		if (m->pfn[i] >= first && m->pfn[i] < last)
			return true;
	return false;
}

static void zap_all_work(struct work_struct *work)
{
	struct hv_ringmap *m = container_of(work, struct hv_ringmap, work);
	u32 i;

	mutex_lock(&m->lock);
	for (i = 0; m->vm && i < m->npages; i++)
		page_hide_locked(m, i);
	mutex_unlock(&m->lock);
}

/* The watch is on from _show to _revoke, so @pfn and @shown are there. */
static void ring_zap(struct hv_frame_watch *w, hv_gfn_t first, hv_gfn_t last, bool may_sleep)
{
	struct hv_ringmap *m = container_of(w, struct hv_ringmap, watch);
	u32 i;

	if (zap_is_nested())
		return;
	if (!may_sleep) {
		if (any_shown(m, first, last))
			schedule_work(&m->work);
		return;
	}
	/* Always under the lock: a fault may be about to show one. */
	mutex_lock(&m->lock);
	for_each_set_bit(i, m->shown, m->npages)
		if (m->pfn[i] >= first && m->pfn[i] < last)
			page_hide_locked(m, i);
	mutex_unlock(&m->lock);
}

/* ---- showing ---- */

static vm_fault_t insert(struct vm_fault *vmf, struct page *page)
{
	unsigned int flags = memalloc_noreclaim_save();
	vm_fault_t ret = vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(page));

	memalloc_noreclaim_restore(flags);
	return ret;
}

/* The present opening's mapping, and a page of its rings? */
static bool is_live_locked(struct hv_ringmap *m, struct vm_fault *vmf)
{
	lockdep_assert_held(&m->lock);
	return m->vm && (unsigned long)vmf->vma->vm_private_data == m->opening &&
	       vmf->pgoff < m->npages;
}

/* What of the guest's memory @gfn is; false: nothing to be written. Marks it dirty if @dirty. */
static bool find_hva(struct hv_vm *vm, hv_gfn_t gfn, hv_hva_t *hva, bool dirty)
{
	struct hv_gmem_frame f;
	bool ok;

	rcu_read_lock();
	ok = hv_gmem_resolve(vm, gfn, &f) && !f.overlay && !f.readonly;
	if (ok) {
		*hva = hv_slot_hva(f.slot, gfn);
		if (dirty)
			hv_slot_mark_dirty(f.slot, gfn);
	}
	rcu_read_unlock();
	return ok;
}

struct fetch {
	struct mm_struct *mm;	/* mmget'ed */
	hv_hva_t hva;
	unsigned long seq;	/* of invalidations, before the page was looked up */
	struct page *page;
};

/* The owner's page without waiting. -EAGAIN: it would wait. */
static int fetch_now(struct fetch *f, struct mm_struct *held)
{
	int ret;

	if (f->mm != held && !mmap_read_trylock(f->mm))
		return -EAGAIN;
	ret = hv_compat_gup_remote(f->mm, f->hva, FOLL_WRITE | FOLL_HWPOISON | FOLL_NOWAIT,
				   &f->page, NULL);
	if (f->mm != held)
		mmap_read_unlock(f->mm);
	if (ret == 1)
		return 0;
	return !ret || ret == -EBUSY ? -EAGAIN : ret;
}

/*
 * Wait for it without any lock held; the fault comes again then. With the lock of the address space
 * the mapping may go, and with it the last user of the channel and of this code: the file stays. The
 * last fput() acts when the task leaves the kernel, and so after this has returned.
 */
static vm_fault_t fetch_slowly(struct vm_fault *vmf, struct fetch *f)
{
	struct file *file;
	struct page *page;
	int locked = 1;

	if (!(vmf->flags & FAULT_FLAG_ALLOW_RETRY))
		return VM_FAULT_SIGBUS;		/* only the kernel's own look-ups come like that */
	if (vmf->flags & FAULT_FLAG_RETRY_NOWAIT)
		return VM_FAULT_RETRY;
	file = get_file(vmf->vma->vm_file);
	mmap_read_unlock(vmf->vma->vm_mm);	/* from here on @vmf may be gone */
	if (mmap_read_lock_killable(f->mm))
		goto out;
	if (hv_compat_gup_remote(f->mm, f->hva, FOLL_WRITE | FOLL_HWPOISON, &page, &locked) == 1)
		put_page(page);
	if (locked)
		mmap_read_unlock(f->mm);
out:
	fput(file);
	return VM_FAULT_RETRY;
}

/* Is what was fetched still what belongs there? mmu_lock's answer holds while the map's lock does. */
static bool is_current_locked(struct hv_ringmap *m, struct vm_fault *vmf, const struct fetch *f)
{
	struct hv_vm *vm = m->vm;
	hv_hva_t hva;
	bool ok;

	if (!is_live_locked(m, vmf) || !find_hva(vm, m->pfn[vmf->pgoff], &hva, false) ||
	    hva != f->hva)
		return false;
	spin_lock(&vm->mmu_lock);
	ok = vm->notify_seq == f->seq && !hv_notify_busy_locked(vm, hva, hva + PAGE_SIZE);
	spin_unlock(&vm->mmu_lock);
	return ok;
}

static vm_fault_t show_locked(struct hv_ringmap *m, struct vm_fault *vmf, struct page *page)
{
	u32 i = vmf->pgoff;
	hv_hva_t hva;

	lockdep_assert_held(&m->lock);
	if (!test_and_set_bit(i, m->shown)) {
		m->page[i] = page;
		if (page)
			get_page(page);
		m->stat->ring_faults++;
	}
	/* May be written, now or after an mprotect(), of which nobody hears. */
	if (page && (vmf->vma->vm_flags & VM_MAYWRITE))
		find_hva(m->vm, m->pfn[i], &hva, true);
	return insert(vmf, page ? page : m->zeros);
}

/*
 * First half, under the lock: 0 if @f must be fetched, else the answer to the fault. What is
 * shown elsewhere (the second mapping of the data) is simply shown here, too.
 */
static vm_fault_t look_up(struct hv_ringmap *m, struct vm_fault *vmf, struct fetch *f)
{
	vm_fault_t ret = 0;

	mutex_lock(&m->lock);
	if (!is_live_locked(m, vmf)) {
		ret = insert(vmf, m->zeros);
	} else if (test_bit(vmf->pgoff, m->shown)) {
		ret = show_locked(m, vmf, m->page[vmf->pgoff]);
	} else {
		f->seq = READ_ONCE(m->vm->notify_seq);
		smp_rmb();	/* before the page tables are looked at */
		f->mm = m->vm->mm;
		if (!find_hva(m->vm, m->pfn[vmf->pgoff], &f->hva, false) ||
		    !mmget_not_zero(f->mm))
			ret = show_locked(m, vmf, NULL);
	}
	mutex_unlock(&m->lock);
	return ret;
}

static vm_fault_t ring_fault(struct vm_fault *vmf)
{
	struct hv_chan *c = vmf->vma->vm_file->private_data;
	struct hv_ringmap *m = &c->map;
	struct fetch f = {};
	vm_fault_t ret = look_up(m, vmf, &f);
	int err;

	if (ret)
		return ret;
	err = fetch_now(&f, vmf->vma->vm_mm);
	if (err == -EAGAIN) {
		ret = fetch_slowly(vmf, &f);
	} else if (err == -ENOMEM) {
		ret = VM_FAULT_OOM;
	} else if (err) {
		/* The owner has nothing there, which is its own doing: zeros until that changes. */
		mutex_lock(&m->lock);
		ret = VM_FAULT_NOPAGE;
		if (is_current_locked(m, vmf, &f))
			ret = show_locked(m, vmf, NULL);
		mutex_unlock(&m->lock);
	} else {
		mutex_lock(&m->lock);
		ret = VM_FAULT_NOPAGE;	/* once more, if something changed */
		if (is_current_locked(m, vmf, &f))
			ret = show_locked(m, vmf, f.page);
		mutex_unlock(&m->lock);
		put_page(f.page);
	}
	mmput_async(f.mm);
	return ret;
}

static const struct vm_operations_struct ring_vm_ops = {
	.fault = ring_fault,
};

/* ---- the map ---- */

int hv_ringmap_init(struct hv_ringmap *m, struct hv_stats_chan *stat)
{
	m->zeros = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!m->zeros)
		return -ENOMEM;
	mutex_init(&m->lock);
	address_space_init_once(&m->mapping);
	/* Taken below other files' in a notifier: a class of its own. */
	lockdep_set_class(&m->mapping.i_mmap_rwsem, &mapping_key);
	INIT_WORK(&m->work, zap_all_work);
	m->watch.zap = ring_zap;
	m->stat = stat;
	return 0;
}

/* No file, so no mapping of it. */
void hv_ringmap_release(struct hv_ringmap *m)
{
	__free_page(m->zeros);
	mutex_destroy(&m->lock);
}

int hv_ringmap_show(struct hv_ringmap *m, struct hv_vm *vm, const u64 *pfn, u32 npages)
{
	hv_ringmap_revoke(m);
	m->pfn = kvmalloc_array(npages, sizeof(*pfn), GFP_KERNEL_ACCOUNT);
	m->page = kvcalloc(npages, sizeof(*m->page), GFP_KERNEL_ACCOUNT);
	m->shown = kvcalloc(BITS_TO_LONGS(npages), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!m->pfn || !m->page || !m->shown) {
		kvfree(m->pfn);
		kvfree(m->page);
		kvfree(m->shown);
		return -ENOMEM;
	}
	memcpy(m->pfn, pfn, npages * sizeof(*pfn));
	m->npages = npages;
	hv_frame_watch_add(vm, &m->watch);
	mutex_lock(&m->lock);
	m->opening++;
	m->vm = vm;
	mutex_unlock(&m->lock);
	return 0;
}

void hv_ringmap_revoke(struct hv_ringmap *m)
{
	struct hv_vm *vm = m->vm;
	u32 i;

	if (!vm)
		return;
	mutex_lock(&m->lock);
	for_each_set_bit(i, m->shown, m->npages)
		page_hide_locked(m, i);
	m->vm = NULL;
	mutex_unlock(&m->lock);
	hv_frame_watch_del(vm, &m->watch);
	cancel_work_sync(&m->work);
	kvfree(m->pfn);
	kvfree(m->page);
	kvfree(m->shown);
	m->npages = 0;
}

void hv_chan_set_mapping(struct hv_chan *c, struct file *file)
{
	c->map.mapping.host = file_inode(file);
	c->map.mapping.a_ops = file_inode(file)->i_mapping->a_ops;
	file->f_mapping = &c->map.mapping;
}

int hv_chan_mmap(struct hv_chan *c, struct vm_area_struct *vma)
{
	struct hv_ringmap *m = &c->map;

	/* A private copy would never show the guest's side. */
	if (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;
	if (vma_pages(vma) > VMB_RING_MAX_PAGES || vma->vm_pgoff > VMB_RING_MAX_PAGES)
		return -EINVAL;
	vm_flags_set(vma, VM_PFNMAP | VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vm_flags_clear(vma, VM_MAYEXEC);
	if (!(vma->vm_flags & VM_WRITE))
		vm_flags_clear(vma, VM_MAYWRITE);
	mutex_lock(&m->lock);
	vma->vm_private_data = (void *)(m->vm ? m->opening : 0);
	mutex_unlock(&m->lock);
	vma->vm_ops = &ring_vm_ops;
	return 0;
}
