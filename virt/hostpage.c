// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostpage.c - bringing in the host page behind an address
 *
 * First without waiting. Where that would wait (swap, a file, userfaultfd) a worker does
 * the waiting in the owner's address space, and the vCPU's thread waits for the worker in
 * a sleep that any signal ends, so that pause, save and kill get through while the page
 * is still on its way. The worker can not be called off: it finishes when the page comes
 * or its source goes away, and holds the address space for so long.
 *
 * So whoever answers for the memory may keep workers for ever, and their number is held
 * in two ways. A vCPU that is moved to other pages has few of them; with all its places
 * taken it waits for one to finish. And each address space has a work queue of its own:
 * when that is full, nobody else's pages wait.
 */
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <hv/arch.h>
#include <hv/core.h>
#include <hv/gmem.h>
#include "virt/memory.h"

/* Requests to leave come without a signal: how long one may go unseen. */
#define WAIT_POLL	msecs_to_jiffies(50)

/* The workers of an address space: for all VMs it owns. */
struct hv_hostpage_pool {
	struct list_head link;		/* pools_lock */
	refcount_t refs;		/* the VMs', the workers'; the last goes under pools_lock */
	struct mm_struct *mm;		/* to find it by: whoever has a reference holds the mm */
	struct workqueue_struct *wq;
	struct work_struct free;
};

struct hv_hostpage_wait {
	refcount_t refs;		/* the worker's, the vCPU's */
	struct work_struct work;
	struct hv_hostpage_pool *pool;
	struct completion done;
	struct mm_struct *mm;		/* mmget'ed until @done */
	hv_hva_t hva;
	bool write;
	int error;			/* valid after @done */
};

static struct workqueue_struct *free_wq;	/* a worker can not destroy its own queue */
static DEFINE_MUTEX(pools_lock);
static LIST_HEAD(pools);
static atomic_t pools_left = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(pools_gone);

int hv_hostpage_init(void)
{
	free_wq = alloc_workqueue("hv_hostpage_free", WQ_UNBOUND, 0);
	return free_wq ? 0 : -ENOMEM;
}

/* No VM is left; workers may be, until their memory is answered for or goes away. */
void hv_hostpage_exit(void)
{
	wait_event(pools_gone, !atomic_read(&pools_left));
	destroy_workqueue(free_wq);
}

static void pool_free(struct work_struct *work)
{
	struct hv_hostpage_pool *p = container_of(work, struct hv_hostpage_pool, free);

	destroy_workqueue(p->wq);
	kfree(p);
	if (atomic_dec_and_test(&pools_left))
		wake_up(&pools_gone);
}

static void pool_put(struct hv_hostpage_pool *p)
{
	if (!p || !refcount_dec_and_mutex_lock(&p->refs, &pools_lock))
		return;
	list_del(&p->link);
	mutex_unlock(&pools_lock);
	queue_work(free_wq, &p->free);
}

static struct hv_hostpage_pool *pool_find(struct mm_struct *mm)
{
	struct hv_hostpage_pool *p;

	lockdep_assert_held(&pools_lock);
	list_for_each_entry(p, &pools, link) {
		if (p->mm == mm) {
			refcount_inc(&p->refs);
			return p;
		}
	}
	return NULL;
}

static struct hv_hostpage_pool *pool_create(struct mm_struct *mm)
{
	struct hv_hostpage_pool *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);

	lockdep_assert_held(&pools_lock);
	if (!p)
		return NULL;
	p->wq = alloc_workqueue("hv_hostpage", WQ_UNBOUND, 0);
	if (!p->wq) {
		kfree(p);
		return NULL;
	}
	refcount_set(&p->refs, 1);
	p->mm = mm;
	INIT_WORK(&p->free, pool_free);
	list_add(&p->link, &pools);
	atomic_inc(&pools_left);
	return p;
}

/* Most VMs never wait, so theirs is made when first one does. NULL: no memory. */
static struct hv_hostpage_pool *pool_of(struct hv_vm *vm)
{
	struct hv_hostpage_pool *p = smp_load_acquire(&vm->hostpages);

	if (likely(p))
		return p;
	mutex_lock(&pools_lock);
	p = vm->hostpages;
	if (!p) {
		p = pool_find(vm->mm);
		if (!p)
			p = pool_create(vm->mm);
		smp_store_release(&vm->hostpages, p);
	}
	mutex_unlock(&pools_lock);
	return p;
}

void hv_hostpage_vm_release(struct hv_vm *vm)
{
	pool_put(vm->hostpages);
	vm->hostpages = NULL;
}

static void wait_put(struct hv_hostpage_wait **place)
{
	struct hv_hostpage_wait *w = *place;

	*place = NULL;
	if (w && refcount_dec_and_test(&w->refs))
		kfree(w);
}

void hv_hostpage_vcpu_release(struct hv_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < HV_HOSTPAGE_WAITS; i++)
		wait_put(&vcpu->hostwait[i]);
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
	pool_put(w->pool);
	mmput(w->mm);
	complete_all(&w->done);
	wait_put(&w);
}

static struct hv_hostpage_wait *wait_start(struct hv_vcpu *vcpu, hv_hva_t hva, bool write)
{
	struct hv_hostpage_pool *pool = pool_of(vcpu->vm);
	struct hv_hostpage_wait *w;

	if (!pool)
		return NULL;
	w = kmalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return NULL;
	refcount_set(&w->refs, 2);
	refcount_inc(&pool->refs);
	w->pool = pool;
	INIT_WORK(&w->work, hostpage_work);
	init_completion(&w->done);
	mmget(current->mm);
	w->mm = current->mm;
	w->hva = hva;
	w->write = write;
	w->error = 0;
	queue_work(pool->wq, &w->work);
	return w;
}

static bool must_leave(struct hv_vcpu *vcpu)
{
	return signal_pending(current) || hv_vcpu_has_request(vcpu, HV_REQ_KILL) ||
	       hv_vcpu_has_request(vcpu, HV_REQ_PAUSE);
}

static bool is_for(const struct hv_hostpage_wait *w, hv_hva_t hva, bool write)
{
	return w->hva == hva && w->write >= write;
}

/*
 * The place of the wait for @hva, under way or started now; else, if all are taken, of one
 * that must end first. Waits that have ended tell nothing new: the page was looked for since.
 */
static struct hv_hostpage_wait **wait_place(struct hv_vcpu *vcpu, hv_hva_t hva, bool write)
{
	struct hv_hostpage_wait **place, **free = NULL;
	unsigned int i;

	for (i = 0; i < HV_HOSTPAGE_WAITS; i++) {
		place = &vcpu->hostwait[i];
		if (*place && completion_done(&(*place)->done))
			wait_put(place);
		if (!*place)
			free = place;
		else if (is_for(*place, hva, write))
			return place;
	}
	if (!free)
		return &vcpu->hostwait[0];
	*free = wait_start(vcpu, hva, write);
	return *free ? free : NULL;
}

/* @hva is of a page. 0: try again without waiting. */
static int wait_for_page(struct hv_vcpu *vcpu, hv_hva_t hva, bool write)
{
	struct hv_hostpage_wait **place;
	int error;

	for (;;) {
		place = wait_place(vcpu, hva, write);
		if (!place)
			return -ENOMEM;
		wait_for_completion_interruptible_timeout(&(*place)->done, WAIT_POLL);
		if (completion_done(&(*place)->done)) {
			error = is_for(*place, hva, write) ? (*place)->error : 0;
			wait_put(place);
			return error;
		}
		if (must_leave(vcpu))
			return -EINTR;
	}
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
		ret = wait_for_page(vcpu, hva & PAGE_MASK, write);
		if (ret)
			return ret;
	}
}
