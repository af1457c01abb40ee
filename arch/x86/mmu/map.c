// SPDX-License-Identifier: GPL-2.0-only
/*
 * map.c - making second-level entries from what the host has
 *
 * The entry is as large as the host's, where guest and host address are congruent and the
 * whole range is one slot's, without an overlay, a dirty log or a tracked frame in it.
 * Otherwise it is small, and the neighbours the host already has are mapped in the same
 * go (fault-around): up to a whole table for the price of one exit. Neighbours get
 * neither accessed nor dirty bit, here or in the host.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include "fault.h"

/* After a fault of the host, few neighbours are there: look at 64 KiB only. */
#define AROUND_FAULTED	16

int hv_mmu_cache_fill(struct hv_vcpu_x86 *x, bool may_sleep)
{
	struct hv_slat_cache *c = &x->mmu_cache;
	gfp_t gfp = may_sleep ? GFP_KERNEL_ACCOUNT :
				GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN;
	void *page;

	if (c->n)
		return 0;
	page = hv_mmu_table_alloc(gfp);
	if (!page)
		return -ENOMEM;
	c->page[c->n++] = page;
	return 0;
}

void hv_mmu_cache_release(struct hv_vcpu_x86 *x)
{
	struct hv_slat_cache *c = &x->mmu_cache;

	while (c->n)
		hv_mmu_table_free(c->page[--c->n]);
}

/* Permission bits of an entry over a host page that is writable or not. */
static u64 rights(const struct hv_fault *ft, bool host_writable)
{
	if (!host_writable || ft->f.readonly)
		return 0;
	/* With a dirty log only the written page itself gets the permission. */
	return ft->f.slot->dirty ? SLAT_HOST_WRITE : SLAT_HOST_WRITE | SLAT_WRITE;
}

/* The same for the frame that faulted; a write (never to a tracked frame) is logged. */
static u64 own_rights(const struct hv_fault *ft, bool host_writable)
{
	u64 bits = rights(ft, host_writable);

	if (ft->write) {
		bits |= SLAT_WRITE;
		hv_slot_mark_dirty(ft->f.slot, ft->gfn);
	} else if (hv_mmu_tracked_locked(ft->vm, ft->gfn, ft->gfn + 1)) {
		bits &= ~SLAT_WRITE;
	}
	return bits;
}

/* Entry for the faulting frame; a leaf in the way (the host's became smaller) goes. */
static enum hv_fault_step make(struct hv_fault *ft, u32 level, u64 **entry)
{
	struct hv_slat_root *r = &ft->root->slat;
	u32 have;
	int ret;

	for (;;) {
		ret = hv_slat_make(r, ft->gfn, level, &ft->x->mmu_cache, entry, &have);
		if (ret != -EEXIST)
			return ret ? HV_FAULT_TABLES : HV_FAULT_DONE;
		hv_slat_zap(r, ft->gfn, ft->gfn + 1, &ft->gather);
	}
}

static enum hv_fault_step map_one(struct hv_fault *ft, u32 level, u64 pfn, u64 bits, u64 **entry)
{
	struct hv_slat_root *r = &ft->root->slat;
	enum hv_fault_step step = make(ft, level, entry);

	if (step != HV_FAULT_DONE)
		return step;
	pfn &= ~(hv_slat_span(level) - 1);
	hv_slat_set(r, *entry, ft->gfn, level, hv_slat_leaf(r, pfn << PAGE_SHIFT, level, bits),
		 &ft->gather);
	return HV_FAULT_DONE;
}

enum hv_fault_step hv_mmu_map_overlay(struct hv_fault *ft)
{
	u64 *entry;

	return map_one(ft, 1, __pa(ft->f.overlay) >> PAGE_SHIFT,
		       SLAT_NO_PAGE | (ft->f.readonly ? 0 : SLAT_WRITE), &entry);
}

/* A page fetched for this fault, by itself: special ones, which the walk refuses. */
enum hv_fault_step hv_mmu_map_page(struct hv_fault *ft, struct page *page)
{
	u64 pfn = page_to_pfn(page), bits = 0, *entry;

	if (is_zero_pfn(pfn) || PageReserved(page) || is_zone_device_page(page))
		bits = SLAT_NO_PAGE;
	return map_one(ft, 1, pfn, bits | (ft->write ? own_rights(ft, true) : 0), &entry);
}

static u32 pick_level(const struct hv_fault *ft, const struct hv_host_map *h)
{
	u32 level = min(h->level, ft->vm->roots->max_level);

	if (ft->root->role.flags & HV_MMU_F_SMALL || ft->f.slot->dirty)
		return 1;
	for (; level > 1; level--) {
		u64 span = hv_slat_span(level);
		hv_gfn_t base = ft->gfn & ~(span - 1);
		hv_hva_t hva;

		if (((ft->hva >> PAGE_SHIFT) ^ ft->gfn) & (span - 1))
			continue;
		if (base < ft->f.first || base + span > ft->f.end)
			continue;
		hva = hv_slot_hva(ft->f.slot, base);
		if (hv_notify_busy_locked(&ft->vm->core, hva, hva + (span << PAGE_SHIFT)) ||
		    hv_mmu_tracked_locked(ft->vm, base, base + span))
			continue;
		break;
	}
	return level;
}

/* [@lo, @hi) around the frame: one second-level table, one host table or large entry. */
static void pick_window(const struct hv_fault *ft, const struct hv_host_map *h,
			hv_gfn_t *lo, hv_gfn_t *hi)
{
	u64 span = h->ptes ? SLAT_ENTRIES : hv_slat_span(h->level);
	u64 off = (ft->hva >> PAGE_SHIFT) & (span - 1);
	u64 around = ft->fetched ? AROUND_FAULTED : SLAT_ENTRIES;
	hv_gfn_t gfn = ft->gfn, start = gfn > off ? gfn - off : 0;
	hv_hva_t hva;

	*lo = max3(gfn & ~(around - 1), ft->f.first, start);
	*hi = min3((gfn | (around - 1)) + 1, ft->f.end, gfn - off + span);
	hva = hv_slot_hva(ft->f.slot, *lo);
	if (hv_notify_busy_locked(&ft->vm->core, hva, hva + ((*hi - *lo) << PAGE_SHIFT)) ||
	    hv_mmu_tracked_locked(ft->vm, *lo, *hi)) {
		*lo = gfn;
		*hi = gfn + 1;
	}
}

/* The hot loop of fault-around: from a host table to ours, @n entries. */
static u32 fill_from_ptes(u64 *e, const u64 *h, u32 n, u64 leaf, u64 write_bits)
{
	const u64 pfn_mask = PTE_PFN_MASK;
	u32 i, made = 0;

	for (i = 0; i < n; i++) {
		u64 v = READ_ONCE(h[i]);

		if (!hv_host_pte_usable(v) || e[i])
			continue;
		WRITE_ONCE(e[i], (v & pfn_mask) | leaf | (v & _PAGE_RW ? write_bits : 0));
		made++;
	}
	return made;
}

static u32 fill_from_large(u64 *e, u64 spa, u32 n, u64 leaf)
{
	u32 i, made = 0;

	for (i = 0; i < n; i++, spa += PAGE_SIZE) {
		if (e[i])
			continue;
		WRITE_ONCE(e[i], spa | leaf);
		made++;
	}
	return made;
}

static void fill_window(struct hv_fault *ft, const struct hv_host_map *h, u64 *entry)
{
	struct hv_slat_root *r = &ft->root->slat;
	u64 leaf = hv_slat_leaf(r, 0, 1, 0);
	hv_gfn_t lo, hi;
	u32 made, n;

	pick_window(ft, h, &lo, &hi);
	n = hi - lo;
	entry -= ft->gfn - lo;
	if (h->ptes)
		made = fill_from_ptes(entry, &h->ptes[pte_index(ft->hva) - (ft->gfn - lo)], n, leaf,
				      rights(ft, true));
	else
		made = fill_from_large(entry, (h->pfn - (ft->gfn - lo)) << PAGE_SHIFT, n,
				       leaf | rights(ft, h->writable));
	r->leaves[1] += made;
	ft->x->core.stat.slat_prefaulted += made;
}

enum hv_fault_step hv_mmu_map_walked(struct hv_fault *ft, const struct hv_host_map *h)
{
	u32 level = pick_level(ft, h);
	enum hv_fault_step step;
	u64 *entry;

	step = map_one(ft, level, h->pfn, own_rights(ft, h->writable), &entry);
	if (step == HV_FAULT_DONE && level == 1)
		fill_window(ft, h, entry);
	return step;
}
