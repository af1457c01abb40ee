// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostpage.c - bringing in the host page behind an address
 *
 * First without waiting. Where that would wait (swap, a file, userfaultfd) a worker does
 * the waiting in the owner's address space, and the vCPU's thread waits for the worker in
 * a sleep that any signal ends, so that pause, save and kill get through while the page
 * is still on its way. The worker can not be called off: it finishes when the page comes
 * or its source goes away, and holds the address space for so long.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <hv/arch.h>
#include <hv/core.h>
#include <hv/gmem.h>
#include "virt/memory.h"

/* Requests to leave come without a signal: how long one may go unseen. */
#define WAIT_POLL	msecs_to_jiffies(50)

struct hv_hostpage_wait {
	refcount_t refs;		/* the worker's, the vCPU's */
	struct work_struct work;
	struct completion done;
	struct mm_struct *mm;		/* mmget'ed until @done */
	hv_hva_t hva;
	bool write;
	int error;			/* valid after @done */
};

static struct workqueue_struct *hostpage_wq;

int hv_hostpage_init(void)
{
	hostpage_wq = alloc_workqueue("hv_hostpage", WQ_UNBOUND, 0);
	return hostpage_wq ? 0 : -ENOMEM;
}

void hv_hostpage_exit(void)
{
	destroy_workqueue(hostpage_wq);
}

static void wait_put(struct hv_hostpage_wait *w)
{
	if (w && refcount_dec_and_test(&w->refs))
		kfree(w);
}

void hv_hostpage_vcpu_release(struct hv_vcpu *vcpu)
{
	wait_put(vcpu->hostwait);
	vcpu->hostwait = NULL;
}

static unsigned int gup_flags(bool write)
{
	return FOLL_HWPOISON | (write ? FOLL_WRITE : 0);
}

static void hostpage_work(struct work_struct *work)
{
	struct hv_hostpage_wait *w = container_of(work, struct hv_hostpage_wait, work);
	struct page *page;
	long ret;

	kthread_use_mm(w->mm);
	ret = get_user_pages_unlocked(w->hva, 1, &page, gup_flags(w->write));
	kthread_unuse_mm(w->mm);
	if (ret == 1)
		put_page(page);
	w->error = ret == 1 ? 0 : ret ? ret : -EFAULT;
	mmput(w->mm);
	complete_all(&w->done);
	wait_put(w);
}

static struct hv_hostpage_wait *wait_start(struct hv_vcpu *vcpu, hv_hva_t hva, bool write)
{
	struct hv_hostpage_wait *w = kmalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);

	if (!w)
		return NULL;
	refcount_set(&w->refs, 2);
	INIT_WORK(&w->work, hostpage_work);
	init_completion(&w->done);
	mmget(current->mm);
	w->mm = current->mm;
	w->hva = hva & PAGE_MASK;
	w->write = write;
	w->error = 0;
	vcpu->hostwait = w;
	queue_work(hostpage_wq, &w->work);
	return w;
}

static bool must_leave(struct hv_vcpu *vcpu)
{
	return signal_pending(current) || hv_vcpu_has_request(vcpu, HV_REQ_KILL) ||
	       hv_vcpu_has_request(vcpu, HV_REQ_PAUSE);
}

/* 0: try again without waiting. */
static int wait_for_page(struct hv_vcpu *vcpu, hv_hva_t hva, bool write)
{
	struct hv_hostpage_wait *w = vcpu->hostwait;
	int error;

	if (!w || w->hva != (hva & PAGE_MASK) || w->write < write) {
		hv_hostpage_vcpu_release(vcpu);
		w = wait_start(vcpu, hva, write);
		if (!w)
			return -ENOMEM;
	}
	while (!wait_for_completion_interruptible_timeout(&w->done, WAIT_POLL))
		if (must_leave(vcpu))
			return -EINTR;
	if (!completion_done(&w->done))
		return -EINTR;
	error = w->error;
	hv_hostpage_vcpu_release(vcpu);
	return error;
}

int hv_hostpage_get(struct hv_vcpu *vcpu, hv_hva_t hva, bool write, struct page **page)
{
	long ret;

	hv_arch_section_end(vcpu);
	for (;;) {
		ret = get_user_pages_unlocked(hva, 1, page, gup_flags(write) | FOLL_NOWAIT);
		if (ret == 1)
			return 0;
		if (ret < 0 && ret != -EAGAIN && ret != -EBUSY)
			return ret == -ERESTARTSYS ? -EINTR : ret;
		if (must_leave(vcpu))
			return -EINTR;
		ret = wait_for_page(vcpu, hva, write);
		if (ret)
			return ret;
	}
}
