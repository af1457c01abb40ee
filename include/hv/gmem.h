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

int hv_hostpage_init(void);		/* module load and unload */
void hv_hostpage_exit(void);

#endif /* _HV_GMEM_H */
