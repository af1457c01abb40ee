/* SPDX-License-Identifier: GPL-2.0-only */
/* slat_ops.h - between the files of mmu/: editing a direct root and what it leaves to do */
#ifndef _HV_ARCH_X86_MMU_SLAT_OPS_H
#define _HV_ARCH_X86_MMU_SLAT_OPS_H

#include "mmu.h"

extern const struct hv_mmu_root_ops hv_mmu_direct_ops;
bool hv_mmu_direct_wrprotect(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end,
			     const unsigned long *mask);
bool hv_mmu_direct_age(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end, bool clear);

/* Passes what the guest did with a page on to the host's struct page. */
void hv_mmu_gather_init(struct hv_slat_gather *g, struct hv_mmu_root *root);
/* Keeps freed tables for the next flush; true if one is due. mmu_lock held. */
bool hv_mmu_gather_end(struct hv_slat_gather *g, struct hv_mmu_root *root);
void hv_mmu_free_chain(u64 *chain);
/* A zeroed page for a table, counted as such and charged to the caller's memory cgroup; or NULL. */
void *hv_mmu_table_alloc(gfp_t gfp);
void hv_mmu_table_free(void *table);
/* Bring the VM's page counters up to date. mmu_lock held. */
void hv_mmu_count_locked(struct hv_vm *vm);

/* What the owner's page table has at an address. host.c */
struct hv_host_map {
	const u64 *ptes;	/* level 1: the table of 512 entries, else NULL */
	u64 pfn;		/* frame of the address itself */
	u32 level;		/* 0: nothing that may be used as it is */
	bool writable;
};

/*
 * Read the tables of @mm at @hva. Interrupts off until the caller is done with @ptes (they
 * keep tables from being freed); mmu_lock held and the range not busy, so that what is
 * read stays true.
 */
void hv_host_walk(struct mm_struct *mm, hv_hva_t hva, struct hv_host_map *h);

/* May an entry of the host's level 1 be mapped as it stands? The rules are in host.c. */
#define HV_HOST_NEED	(_PAGE_PRESENT | _PAGE_USER)
#define HV_HOST_REFUSE	(_PAGE_SPECIAL | _PAGE_DEVMAP)
static inline bool hv_host_pte_usable(u64 pte)
{
	return (pte & (HV_HOST_NEED | HV_HOST_REFUSE)) == HV_HOST_NEED;
}

#endif /* _HV_ARCH_X86_MMU_SLAT_OPS_H */
