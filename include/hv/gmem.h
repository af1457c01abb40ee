/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gmem.h - guest memory as arch's paging code and long-lived users see it
 *
 * The plain accessors (hv_gmem_read and friends) are in core.h. Here: what a guest frame
 * resolves to, and getting a host page behind an address into place.
 */
#ifndef _HV_GMEM_H
#define _HV_GMEM_H

#include <linux/rcupdate.h>
#include <hv/types.h>
#include <hv/slot.h>

struct page;

/* What the one resolver of guest addresses says about a frame. */
struct hv_gmem_frame {
	struct hv_slot *slot;	/* NULL: no memory, unless @overlay */
	void *overlay;		/* kernel address of the overlay page that covers it, or NULL */
	bool readonly;		/* guest writes are not memory writes */
	hv_gfn_t first, end;	/* [first, end): around the frame, same slot, no overlay in it */
};

/*
 * Resolve @gfn: overlay, else slot. False: neither. RCU read section, or mmu_lock held,
 * until the caller is done with @f. [any]
 */
bool hv_gmem_resolve(struct hv_vm *vm, hv_gfn_t gfn, struct hv_gmem_frame *f);

/*
 * Make the host page at @hva present (and writable for @write) in the owner's page table
 * and return it with a reference. Ends the section, sleeps. A wait for I/O or userfaultfd
 * ends with -EINTR on any signal and on a request to pause or die; the page still comes
 * later. -EFAULT not mapped, VM_PFNMAP or VM_IO; -EHWPOISON, -ENOMEM. [run; no lock held]
 */
int hv_hostpage_get(struct hv_vcpu *vcpu, hv_hva_t hva, bool write, struct page **page);

/*
 * Are host pages of @hva under invalidation? Then nothing may be mapped from there.
 * mmu_lock held; the answer holds as long as it is.
 */
static inline bool hv_notify_busy_locked(struct hv_vm *vm, hv_hva_t start, hv_hva_t end)
{
	lockdep_assert_held(&vm->mmu_lock);
	return vm->notify_count && start < vm->notify_end && end > vm->notify_start;
}

/*
 * Somebody who shows guest frames elsewhere than in second-level tables: virt/framewatch.c.
 * @zap: nothing of [@first, @last) may be shown any more when it returns. It is called
 * after what changed there is visible to hv_gmem_resolve() or hv_notify_busy_locked(); with
 * slots_lock, mmap_lock or reverse-map locks of the host held, so it allocates nothing that
 * reclaims, and takes no lock that is held across a look at user memory. Only with
 * @may_sleep may it sleep; without, a reference on the page must keep what is shown
 * safe until it is gone. It may be called for frames it never showed, and inside itself.
 */
struct hv_frame_watch {
	struct list_head link;
	void (*zap)(struct hv_frame_watch *w, hv_gfn_t first, hv_gfn_t last, bool may_sleep);
};

/* After _del returns @w is not called any more. [proc, slots_lock not held] */
void hv_frame_watch_add(struct hv_vm *vm, struct hv_frame_watch *w);
void hv_frame_watch_del(struct hv_vm *vm, struct hv_frame_watch *w);
/* Tell all of them. Not under mmu_lock. [proc; any with @may_sleep false] */
void hv_frame_zap(struct hv_vm *vm, hv_gfn_t first, hv_gfn_t last, bool may_sleep);

int hv_hostpage_init(void);		/* module load and unload */
void hv_hostpage_exit(void);

#endif /* _HV_GMEM_H */
