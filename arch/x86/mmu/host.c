// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c - reading the owner's page table, as get_user_pages_fast() does, without
 * taking references
 *
 * Entries that are usable as they stand are present, for user space, and name an ordinary
 * page: no special one (zero page, VM_PFNMAP), no device memory. A writable entry needs
 * no look at its dirty bit: whoever wants to hear of the first write (write-back,
 * soft-dirty, userfaultfd, KSM, copy on write) takes the write permission, and what the
 * guest wrote reaches the page when our entry goes (zap.c).
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include "slat_ops.h"

/*
 * A device's memory may be mapped large, too: newer kernels mark it special, as they mark
 * small entries; older ones may not, so ask whether there is a page at all.
 */
static void large(struct hv_host_map *h, u64 v, u64 pfn, u32 level, hv_hva_t hva)
{
	if (!hv_host_pte_usable(v) || !pfn_valid(pfn))
		return;
	h->pfn = pfn + ((hva >> PAGE_SHIFT) & (hv_slat_span(level) - 1));
	h->writable = v & _PAGE_RW;
	h->level = level;
}

void hv_host_walk(struct mm_struct *mm, hv_hva_t hva, struct hv_host_map *h)
{
	pgd_t pgd, *pgdp = pgd_offset(mm, hva);
	p4d_t p4d, *p4dp;
	pud_t pud, *pudp;
	pmd_t pmd, *pmdp;
	u64 v;

	h->ptes = NULL;
	h->level = 0;
	pgd = READ_ONCE(*pgdp);
	if (pgd_none(pgd))
		return;
	p4dp = p4d_offset_lockless(pgdp, pgd, hva);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d) || !p4d_present(p4d))
		return;
	pudp = pud_offset_lockless(p4dp, p4d, hva);
	pud = READ_ONCE(*pudp);
	if (!(pud_flags(pud) & _PAGE_PRESENT))
		return;
	if (pud_flags(pud) & _PAGE_PSE) {
		large(h, pud_flags(pud), pud_pfn(pud), 3, hva);
		return;
	}
	pmdp = pmd_offset_lockless(pudp, pud, hva);
	pmd = READ_ONCE(*pmdp);
	if (!(pmd_flags(pmd) & _PAGE_PRESENT))
		return;
	if (pmd_flags(pmd) & _PAGE_PSE) {
		large(h, pmd_flags(pmd), pmd_pfn(pmd), 2, hva);
		return;
	}
	h->ptes = (const u64 *)pmd_page_vaddr(pmd);
	v = READ_ONCE(h->ptes[pte_index(hva)]);
	if (!hv_host_pte_usable(v))
		return;
	h->pfn = (v & PTE_PFN_MASK) >> PAGE_SHIFT;
	h->writable = v & _PAGE_RW;
	h->level = 1;
}
