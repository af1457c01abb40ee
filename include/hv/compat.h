/* SPDX-License-Identifier: GPL-2.0-only */
/* compat.h - host kernel calls whose form changed in the range of kernels; made in kmod/compat/ */
#ifndef _HV_COMPAT_H
#define _HV_COMPAT_H

#include <linux/hrtimer.h>
#ifdef HV_HAVE_ENTRY_VIRT	/* __has_include is beyond sparse */
#include <linux/entry-virt.h>
#else
#include <linux/entry-kvm.h>
#endif

struct eventfd_ctx;
struct mm_struct;
struct page;

/* Add 1 to the eventfd's counter. [any] */
void hv_compat_eventfd_signal(struct eventfd_ctx *ctx);
/*
 * Work the kernel wants done before the guest is entered (scheduler, task work, signals):
 * is there any, and do it. Interrupts off for the question if the answer must hold.
 * 0, or -EINTR when a signal waits. [run, out of the section]
 */
static inline bool hv_compat_guest_work_pending(void)
{
	return __xfer_to_guest_mode_work_pending();
}

int hv_compat_guest_work(void);
/*
 * get_user_pages_remote() of one page; mmap_lock of @mm held for reading. 1, or an error. With
 * @locked NULL it is held all the time.
 */
long hv_compat_gup_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
			  struct page **page, int *locked);
/*
 * Count a page of second-level tables (@n = 1), or no more (-1), where meminfo and the memory
 * cgroup show those of every hypervisor. [any]
 */
void hv_compat_slat_account(void *table, int n);
/* Prepare a timer that is not armed yet. [any] */
void hv_compat_hrtimer_setup(struct hrtimer *timer,
			     enum hrtimer_restart (*fn)(struct hrtimer *timer),
			     clockid_t clock, enum hrtimer_mode mode);

#endif /* _HV_COMPAT_H */
