// SPDX-License-Identifier: GPL-2.0-only
/*
 * gmem.c - guest memory: the one resolver of guest frames, and the accessors
 *
 * Guest memory is reached at the owner's addresses, without faulting and inside an RCU
 * read section: the end of the grace period of a slot update is the end of all accesses
 * to what was there. A page that is not there is fetched with nothing held, and then
 * everything is looked up again.
 */
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>
#include <hv/core.h>
#include <hv/gmem.h>
#include <hv/overlay.h>
#include "virt/memory.h"

bool hv_gmem_resolve(struct hv_vm *vm, hv_gfn_t gfn, struct hv_gmem_frame *f)
{
	const struct hv_overlaymap *om = hv_overlay_map(vm);
	const struct hv_overlaymap_ent *top;

	f->overlay = NULL;
	f->slot = hv_slot_find(vm, gfn);
	if (f->slot) {
		f->readonly = f->slot->flags & HV_SLOT_F_READONLY;
		f->first = f->slot->gfn;
		f->end = f->slot->gfn + f->slot->npages;
	}
	if (!om)
		return f->slot;
	top = hv_overlaymap_top(om, gfn);
	if (top) {
		f->overlay = top->page;
		f->readonly = HV_OVERLAY_READONLY & 1u << hv_overlay_rank_kind(top->rank);
		f->first = gfn;
		f->end = gfn + 1;
	} else if (f->slot) {
		hv_overlaymap_clip(om, gfn, &f->first, &f->end);
	}
	return f->slot || top;
}

bool hv_gmem_is_ram(struct hv_vcpu *vcpu, hv_gfn_t gfn, bool write)
{
	struct hv_gmem_frame f;
	bool ok;

	rcu_read_lock();
	ok = hv_gmem_resolve(vcpu->vm, gfn, &f) && !(write && f.readonly);
	rcu_read_unlock();
	return ok;
}

/* Copy inside one page without faulting. -EAGAIN: *@hva must be brought in first. */
static int copy_nofault(struct hv_vm *vm, hv_gpa_t gpa, void *buf, u32 len, bool write,
			hv_hva_t *hva)
{
	hv_gfn_t gfn = gpa >> PAGE_SHIFT;
	struct hv_gmem_frame f;
	unsigned long left;
	int ret = 0;

	rcu_read_lock();
	if (!hv_gmem_resolve(vm, gfn, &f) || (write && f.readonly)) {
		ret = -EFAULT;
	} else if (f.overlay) {
		void *p = f.overlay + offset_in_page(gpa);

		memcpy(write ? p : buf, write ? buf : p, len);
	} else {
		*hva = hv_slot_hva(f.slot, gfn) + offset_in_page(gpa);
		pagefault_disable();
		if (write)
			left = __copy_to_user_inatomic((void __user *)*hva, buf, len);
		else
			left = __copy_from_user_inatomic(buf, (void __user *)*hva, len);
		pagefault_enable();
		if (left)
			ret = -EAGAIN;
		else if (write)
			hv_slot_mark_dirty(f.slot, gfn);
	}
	rcu_read_unlock();
	return ret;
}

static int bring_in(struct hv_vcpu *vcpu, hv_gpa_t gpa, hv_hva_t hva, bool write)
{
	struct page *page;
	int ret = hv_hostpage_get(vcpu, hva, write, &page);

	if (!ret)
		put_page(page);
	else if (fatal_signal_pending(current))
		ret = -EINTR;
	else if (ret != -EINTR)
		vcpu->gmem_fault = (struct hv_gmem_fault) {
			.gpa = gpa, .error = ret, .write = write,
		};
	return ret;
}

static int gmem_copy(struct hv_vcpu *vcpu, hv_gpa_t gpa, void *buf, u32 len, bool write)
{
	while (len) {
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(gpa));
		hv_hva_t hva;
		int ret = copy_nofault(vcpu->vm, gpa, buf, n, write, &hva);

		if (ret == -EAGAIN) {
			ret = bring_in(vcpu, gpa, hva, write);
			if (!ret)
				continue;
		}
		if (ret)
			return ret;
		gpa += n;
		buf += n;
		len -= n;
	}
	return 0;
}

int hv_gmem_read(struct hv_vcpu *vcpu, hv_gpa_t gpa, void *buf, u32 len)
{
	return gmem_copy(vcpu, gpa, buf, len, false);
}

int hv_gmem_write(struct hv_vcpu *vcpu, hv_gpa_t gpa, const void *buf, u32 len)
{
	return gmem_copy(vcpu, gpa, (void *)buf, len, true);
}

/* Remember where the memory around @gpa lies, up to the next overlay. RCU read section. */
static void cache_fill(struct hv_vcpu *vcpu, hv_gpa_t gpa)
{
	struct hv_gmem_cache *c = &vcpu->gmem;
	struct hv_gmem_frame f;

	c->npages = 0;
	/* Before the look-up: an update after it must not pass for older. */
	c->gen = smp_load_acquire(&vcpu->vm->slots_gen);
	if (!hv_gmem_resolve(vcpu->vm, gpa >> PAGE_SHIFT, &f) || f.overlay)
		return;
	c->first = f.first;
	c->npages = f.end - f.first;
	c->hva = hv_slot_hva(f.slot, f.first);
}

static noinline int read_uncached(struct hv_vcpu *vcpu, hv_gpa_t gpa, void *buf, u32 len)
{
	hv_hva_t hva;

	if (offset_in_page(gpa) + len > PAGE_SIZE)
		return -EAGAIN;
	rcu_read_lock();
	cache_fill(vcpu, gpa);
	rcu_read_unlock();
	return copy_nofault(vcpu->vm, gpa, buf, len, false, &hva);
}

/*
 * A page walk reads eight bytes a level, most of them from one slot: that case is kept
 * short, the rest is out of line.
 */
int hv_gmem_read_fast(struct hv_vcpu *vcpu, hv_gpa_t gpa, void *buf, u32 len)
{
	const struct hv_gmem_cache *c = &vcpu->gmem;
	const u64 __user *p;
	int ret = -EAGAIN;

	if (unlikely(len != 8 || offset_in_page(gpa) > PAGE_SIZE - 8))
		return read_uncached(vcpu, gpa, buf, len);
	preempt_disable();	/* an RCU read section, too, and cheaper */
	if (unlikely(c->gen != smp_load_acquire(&vcpu->vm->slots_gen) ||
		     (gpa >> PAGE_SHIFT) - c->first >= c->npages)) {
		preempt_enable();
		return read_uncached(vcpu, gpa, buf, len);
	}
	p = (const u64 __user *)(c->hva + (gpa - (c->first << PAGE_SHIFT)));
	pagefault_disable();
	if (likely(user_access_begin(p, 8))) {
		unsafe_get_user(*(u64 *)buf, p, end);
		ret = 0;
end:
		user_access_end();
	}
	pagefault_enable();
	preempt_enable();
	return ret;
}

/*
 * Sets of two: an exit from the hypercall page and one from the code that called it come
 * in turns, and must not push each other out where their hashes agree.
 */
static inline struct hv_gmem_code *code_set(struct hv_vcpu *vcpu, hv_gva_t la)
{
	return &vcpu->code[2 * hash_32(la >> PAGE_SHIFT, HV_GMEM_CODE_BITS - 1)];
}

static inline bool code_is(const struct hv_gmem_code *c, u64 root, hv_gva_t page)
{
	return c->page == page && c->root == root;
}

/* The entry to fill for @page: its own, else the first of the set, whose content moves on. */
static struct hv_gmem_code *code_victim(struct hv_vcpu *vcpu, u64 root, hv_gva_t page)
{
	struct hv_gmem_code *c = code_set(vcpu, page);

	if (code_is(&c[1], root, page))
		return &c[1];
	if (!code_is(&c[0], root, page))
		c[1] = c[0];
	return c;
}

/* All addresses were checked when their slot was set: one opening of user access serves all. */
static __always_inline int code_read(const struct hv_gmem_code *c, u32 at, u64 *buf, u32 len)
{
	u32 i;
	u64 v;

	if (!user_access_begin((void __user *)c->entry[0], 8))
		return -EAGAIN;
	for (i = 0; i < c->levels; i++) {
		unsafe_get_user(v, (u64 __user *)c->entry[i], fault);
		if (v != c->val[i])
			goto fault;
	}
	if (likely(!c->overlay)) {
		if (len == 4) {
			unsafe_get_user(*(u32 *)buf, (u32 __user *)(c->hva + at), fault);
		} else {
			unsafe_get_user(buf[0], (u64 __user *)(c->hva + at), fault);
			unsafe_get_user(buf[1], (u64 __user *)(c->hva + at + 8), fault);
		}
	}
	user_access_end();
	if (unlikely(c->overlay))
		memcpy(buf, c->overlay + at, len);
	return 0;
fault:
	user_access_end();
	return -EAGAIN;
}

/* @len is 4 or 16. */
int hv_gmem_code_peek(struct hv_vcpu *vcpu, u64 root, hv_gva_t la, void *buf, u32 len)
{
	const struct hv_gmem_code *c = code_set(vcpu, la);
	u32 at = offset_in_page(la);
	int ret;

	if (unlikely(at + len > PAGE_SIZE))
		return -EAGAIN;
	if (!code_is(c, root, la - at) && !code_is(++c, root, la - at))
		return -EAGAIN;
	preempt_disable();	/* an RCU read section, too, and cheaper */
	ret = -EAGAIN;
	if (likely(c->gen == smp_load_acquire(&vcpu->vm->slots_gen))) {
		pagefault_disable();
		ret = code_read(c, at, buf, len);
		pagefault_enable();
	}
	preempt_enable();
	return ret;
}

static bool entries_find(struct hv_vm *vm, struct hv_gmem_code *c, const hv_gpa_t *gpa, u32 n)
{
	struct hv_gmem_frame f;
	u32 i;

	for (i = 0; i < n; i++) {
		if (!hv_gmem_resolve(vm, gpa[i] >> PAGE_SHIFT, &f) || f.overlay)
			return false;
		c->entry[i] = hv_slot_hva(f.slot, gpa[i] >> PAGE_SHIFT) + offset_in_page(gpa[i]);
	}
	return true;
}

void hv_gmem_code_remember(struct hv_vcpu *vcpu, u64 root, hv_gva_t la, hv_gpa_t gpa,
			   const hv_gpa_t *entry_gpa, const u64 *val, u32 n)
{
	struct hv_gmem_code *c = code_victim(vcpu, root, la & PAGE_MASK);
	struct hv_gmem_frame f;

	c->page = 1;	/* no page's address: nothing is known */
	if (!n || n > ARRAY_SIZE(c->entry))
		return;
	rcu_read_lock();
	/* Before the look-up: an update after it must not pass for older. */
	c->gen = smp_load_acquire(&vcpu->vm->slots_gen);
	if (entries_find(vcpu->vm, c, entry_gpa, n) &&
	    hv_gmem_resolve(vcpu->vm, gpa >> PAGE_SHIFT, &f)) {
		c->overlay = f.overlay;
		c->hva = f.overlay ? 0 : hv_slot_hva(f.slot, gpa >> PAGE_SHIFT);
		memcpy(c->val, val, n * sizeof(*val));
		c->levels = n;
		c->root = root;
		c->page = la & PAGE_MASK;
	}
	rcu_read_unlock();
}

/* 0 done, -EAGAIN differs, -EFAULT not there now. */
static int cmpxchg_user(void __user *p, u64 *old, u64 new, u32 len)
{
	u32 old32 = *old;
	bool done;

	if (!user_access_begin(p, len))
		return -EFAULT;
	if (len == 8) {
		done = unsafe_try_cmpxchg_user((u64 __user *)p, old, new, fault);
	} else {
		done = unsafe_try_cmpxchg_user((u32 __user *)p, &old32, (u32)new, fault);
		*old = old32;
	}
	user_access_end();
	return done ? 0 : -EAGAIN;
fault:
	user_access_end();
	return -EFAULT;
}

static int cmpxchg_kernel(void *p, u64 *old, u64 new, u32 len)
{
	u32 old32 = *old;
	bool done;

	if (len == 8) {
		done = try_cmpxchg((u64 *)p, old, new);
	} else {
		done = try_cmpxchg((u32 *)p, &old32, (u32)new);
		*old = old32;
	}
	return done ? 0 : -EAGAIN;
}

int hv_gmem_cmpxchg(struct hv_vcpu *vcpu, hv_gpa_t gpa, u64 *old, u64 new, u32 len)
{
	hv_gfn_t gfn = gpa >> PAGE_SHIFT;
	struct hv_gmem_frame f;
	hv_hva_t hva;
	int ret;

	if ((len != 4 && len != 8) || (gpa & (len - 1)))
		return -EFAULT;
	for (;;) {
		rcu_read_lock();
		if (!hv_gmem_resolve(vcpu->vm, gfn, &f) || f.readonly) {
			rcu_read_unlock();
			return -EFAULT;
		}
		if (f.overlay) {
			ret = cmpxchg_kernel(f.overlay + offset_in_page(gpa), old, new, len);
			rcu_read_unlock();
			return ret;
		}
		hva = hv_slot_hva(f.slot, gfn) + offset_in_page(gpa);
		pagefault_disable();
		ret = cmpxchg_user((void __user *)hva, old, new, len);
		pagefault_enable();
		if (!ret)
			hv_slot_mark_dirty(f.slot, gfn);
		rcu_read_unlock();
		if (ret != -EFAULT)
			return ret;
		ret = bring_in(vcpu, gpa, hva, true);
		if (ret)
			return ret;
	}
}
