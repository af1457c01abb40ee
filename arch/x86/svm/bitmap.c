// SPDX-License-Identifier: GPL-2.0-only
/* bitmap.c - MSR and I/O permission maps, the same for all VMs (APM vol. 2, 15.10 and 15.11) */
#include <linux/mm.h>
#include "svm.h"
#include "../lib/perm_map.h"

static struct page *msrpm, *iopm;

int hv_svm_bitmap_create(void)
{
	msrpm = alloc_pages(GFP_KERNEL, get_order(HV_MSRPM_BYTES));
	iopm = alloc_pages(GFP_KERNEL, get_order(HV_IOPM_BYTES));
	if (!msrpm || !iopm)
		return -ENOMEM;
	hv_msrpm_build(page_address(msrpm), hv_msrpm_passed, hv_msrpm_nr_passed);
	hv_iopm_build(page_address(iopm));
	return 0;
}

void hv_svm_bitmap_release(void)
{
	if (msrpm)
		__free_pages(msrpm, get_order(HV_MSRPM_BYTES));
	if (iopm)
		__free_pages(iopm, get_order(HV_IOPM_BYTES));
	msrpm = iopm = NULL;
}

phys_addr_t hv_svm_msrpm_spa(void)
{
	return page_to_phys(msrpm);
}

phys_addr_t hv_svm_iopm_spa(void)
{
	return page_to_phys(iopm);
}
