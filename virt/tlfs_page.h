/* SPDX-License-Identifier: GPL-2.0-only */
/* tlfs_page.h - registers that place an overlay page, inside virt */
#ifndef _HV_VIRT_TLFS_PAGE_H
#define _HV_VIRT_TLFS_PAGE_H

#include <hv/core.h>

/*
 * The guest changes a page register from @old to @val: create the page at its first use,
 * and show, move or hide it. A page of a vCPU is cleared when it is enabled anew, the
 * hypercall page is filled. *@page: its kernel address while enabled, else NULL. [run]
 */
enum hv_msr_result hv_tlfs_page_place(struct hv_vcpu *vcpu, u32 kind, u64 old, u64 val, void **page);
/* The same from a save record: no vCPU runs, the content comes with its own record. [proc] */
int hv_tlfs_page_restore(struct hv_vm *vm, u32 kind, u32 vp, u64 val, void **page);
/* Could a guest have written @val? Not if its frame lies beyond the physical address width. */
bool hv_tlfs_page_valid(u64 val);

#endif /* _HV_VIRT_TLFS_PAGE_H */
