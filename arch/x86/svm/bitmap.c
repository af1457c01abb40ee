// SPDX-License-Identifier: GPL-2.0-only
/* bitmap.c - MSR and I/O permission maps (APM vol. 2, 15.10 and 15.11) */
#include <linux/mm.h>
#include <asm/msr-index.h>
#include "svm.h"

#define MSRPM_ORDER	1		/* 8 KiB */
#define IOPM_ORDER	2		/* 12 KiB, a little is wasted */

static struct page *msrpm, *iopm;

/* MSRs that VMLOAD and VMSAVE switch: the guest may touch its own without an exit. */
static const u32 passed[] = {
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SYSCALL_MASK,
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
};

/* Each of the three ranges has 2 KiB: two bits (read, write) an MSR. */
static void msr_pass(u8 *map, u32 msr)
{
	static const u32 base[] = { 0, 0xc0000000, 0xc0010000 };
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		if (msr < base[i] || msr >= base[i] + 0x2000)
			continue;
		bit = i * 0x4000 + (msr - base[i]) * 2;
		map[bit / 8] &= ~(3u << (bit % 8));
	}
}

int hv_svm_bitmap_create(void)
{
	unsigned int i;

	msrpm = alloc_pages(GFP_KERNEL, MSRPM_ORDER);
	iopm = alloc_pages(GFP_KERNEL, IOPM_ORDER);
	if (!msrpm || !iopm)
		return -ENOMEM;
	memset(page_address(msrpm), 0xff, PAGE_SIZE << MSRPM_ORDER);
	memset(page_address(iopm), 0xff, PAGE_SIZE << IOPM_ORDER);
	for (i = 0; i < ARRAY_SIZE(passed); i++)
		msr_pass(page_address(msrpm), passed[i]);
	return 0;
}

void hv_svm_bitmap_release(void)
{
	if (msrpm)
		__free_pages(msrpm, MSRPM_ORDER);
	if (iopm)
		__free_pages(iopm, IOPM_ORDER);
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
