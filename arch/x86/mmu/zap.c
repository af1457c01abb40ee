// SPDX-License-Identifier: GPL-2.0-only
/*
 * zap.c - taking second-level entries away, and what they knew with them
 *
 * Order for whoever unmaps: clear entries, flush, then free tables (and let the host free
 * pages). Dirty and accessed bits go to the host page when the entry goes.
 */
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/swap.h>
#include "slat_ops.h"

static struct hv_mmu_roots *roots_of(struct hv_vm *vm)
{
	return to_vm_x86(vm)->roots;
}

static void harvest(void *ctx, u64 entry, u32 level)
{
	const struct hv_mmu_root *root = ctx;
	struct page *page;

	if (entry & SLAT_NO_PAGE)
		return;
	page = compound_head(pfn_to_page((entry & SLAT_ADDR & ~root->slat.mask) >> PAGE_SHIFT));
	if (hv_slat_is_dirty(&root->slat, entry) && !PageDirty(page))
		SetPageDirty(page);
	if (hv_slat_is_accessed(&root->slat, entry) && !PageReferenced(page))
		mark_page_accessed(page);
}

void hv_mmu_gather_init(struct hv_slat_gather *g, struct hv_mmu_root *root)
{
	lockdep_assert_held(&root->vm->mmu_lock);
	g->freed = roots_of(root->vm)->freed;
	g->flush = false;
	g->harvest = harvest;
	g->ctx = root;
}

bool hv_mmu_gather_end(struct hv_slat_gather *g, struct hv_mmu_root *root)
{
	roots_of(root->vm)->freed = g->freed;
	return g->flush;
}

void hv_mmu_free_chain(u64 *chain)
{
	void *table;

	while ((table = hv_slat_chain_pop(chain, PAGE_OFFSET)))
		hv_mmu_table_free(table);
}

void hv_mmu_count_locked(struct hv_vm *vm)
{
	const struct hv_slat_root *r = &roots_of(vm)->direct->slat;

	vm->stat.slat_pages_4k = r->leaves[1];
	vm->stat.slat_pages_2m = r->leaves[2] << 9;
	vm->stat.slat_pages_1g = r->leaves[3] << 18;
	vm->stat.slat_tables = r->tables + 1;
}

static bool direct_zap(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end)
{
	struct hv_slat_gather g;

	hv_mmu_gather_init(&g, root);
	hv_slat_zap(&root->slat, start, end, &g);
	return hv_mmu_gather_end(&g, root);
}

static void direct_release(struct hv_mmu_root *root)
{
	struct hv_slat_gather g = { .harvest = harvest, .ctx = root };

	hv_slat_clear(&root->slat, &g);
	hv_mmu_free_chain(&g.freed);
}

bool hv_arch_mmu_zap_range_locked(struct hv_vm *vm, hv_gfn_t start, hv_gfn_t end)
{
	struct hv_mmu_root *root;
	bool flush = false;

	lockdep_assert_held(&vm->mmu_lock);
	list_for_each_entry(root, &roots_of(vm)->list, link)
		flush |= root->ops->zap(root, start, end);
	hv_mmu_count_locked(vm);
	return flush;
}

void hv_arch_mmu_flush_locked(struct hv_vm *vm)
{
	struct hv_mmu_root *root;

	lockdep_assert_held(&vm->mmu_lock);
	list_for_each_entry(root, &roots_of(vm)->list, link)
		WRITE_ONCE(root->gen, root->gen + 1);
	hv_vm_request_all(vm, HV_REQ_TLB_FLUSH, true);
	vm->stat.remote_tlb_flushes++;
	hv_mmu_free_chain(&roots_of(vm)->freed);
}

const struct hv_mmu_root_ops hv_mmu_direct_ops = {
	.zap = direct_zap,
	.wrprotect = hv_mmu_direct_wrprotect,
	.age = hv_mmu_direct_age,
	.release = direct_release,
};
