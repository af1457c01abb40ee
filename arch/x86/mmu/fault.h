/* SPDX-License-Identifier: GPL-2.0-only */
/* fault.h - one second-level fault on its way through fault.c and map.c */
#ifndef _HV_ARCH_X86_MMU_FAULT_H
#define _HV_ARCH_X86_MMU_FAULT_H

#include <hv/gmem.h>
#include "slat_ops.h"

enum hv_fault_step {
	HV_FAULT_DONE,		/* mapped */
	HV_FAULT_MMIO,
	HV_FAULT_RETRY,		/* an invalidation is in progress */
	HV_FAULT_TABLES,	/* the vCPU's table cache is empty */
	HV_FAULT_PAGE,		/* the host page must be fetched */
};

struct hv_fault {
	struct hv_vcpu_x86 *x;
	struct hv_vm_x86 *vm;
	struct hv_mmu_root *root;
	hv_gfn_t gfn;
	bool write;
	bool fetched;		/* the host page had to be fetched */
	struct page *page;	/* fetched, with a reference, or NULL */
	hv_hva_t page_hva;	/* of @page */
	unsigned long seq;	/* vm->notify_seq before the fetch */

	/* valid while mmu_lock is held */
	struct hv_gmem_frame f;
	hv_hva_t hva;
	struct hv_slat_gather gather;
};

/* All with mmu_lock held, interrupts on or off; the caller flushes for ft->gather. */
enum hv_fault_step hv_mmu_map_overlay(struct hv_fault *ft);
enum hv_fault_step hv_mmu_map_page(struct hv_fault *ft, struct page *page);
enum hv_fault_step hv_mmu_map_walked(struct hv_fault *ft, const struct hv_host_map *h);

#endif /* _HV_ARCH_X86_MMU_FAULT_H */
