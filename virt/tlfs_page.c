// SPDX-License-Identifier: GPL-2.0-only
/* tlfs_page.c - registers that place an overlay page (TLFS 5.2.1), and what the pages hold at first */
#include <linux/mm.h>
#include <linux/string.h>
#include <hv/arch.h>
#include <hv/hv_caps.h>
#include <hv/overlay.h>
#include <hv/tlfs.h>
#include "tlfs_page.h"

#define PFN(val)	((val) >> TLFS_PAGE_PFN_SHIFT)

/* The guest calls the begin of the page; the rest is INT3. */
static void hypercall_page_fill(u8 *page)
{
	static const u8 vmmcall_ret[] = { 0x0f, 0x01, 0xd9, 0xc3 };
	static const u8 vmcall_ret[] = { 0x0f, 0x01, 0xc1, 0xc3 };

	memset(page, 0xcc, PAGE_SIZE);
	if (hv_arch_vendor() == HV_VENDOR_INTEL)
		memcpy(page, vmcall_ret, sizeof(vmcall_ret));
	else
		memcpy(page, vmmcall_ret, sizeof(vmmcall_ret));
}

static bool of_partition(u32 kind)
{
	return kind == HV_OVERLAY_HYPERCALL || kind == HV_OVERLAY_REFTSC;
}

bool hv_tlfs_page_valid(u64 val)
{
	return !(val >> hv_arch_cap(HV_CAP_GPA_BITS));
}

static int page_get(struct hv_vm *vm, u32 kind, u32 vp, void **page)
{
	int ret;

	*page = hv_overlay_page(vm, kind, vp);
	if (*page)
		return 0;
	ret = hv_overlay_create(vm, kind, vp);
	if (ret)
		return ret;
	*page = hv_overlay_page(vm, kind, vp);
	return 0;
}

/* What a page holds when it is enabled anew; the reference TSC page is filled by its owner. */
static void page_init(u32 kind, void *page)
{
	if (kind == HV_OVERLAY_HYPERCALL)
		hypercall_page_fill(page);
	else if (!of_partition(kind))
		clear_page(page);
}

enum hv_msr_result hv_tlfs_page_place(struct hv_vcpu *vcpu, u32 kind, u64 old, u64 val, void **page)
{
	u32 vp = of_partition(kind) ? 0 : vcpu->index;

	if (!hv_tlfs_page_valid(val))
		return HV_MSR_GP;
	hv_arch_section_end(vcpu);
	if (!(val & TLFS_PAGE_ENABLE)) {
		*page = NULL;
		if ((old & TLFS_PAGE_ENABLE) && hv_overlay_move(vcpu, kind, vp, HV_GFN_NONE))
			return HV_MSR_RETRY;
		return HV_MSR_OK;
	}
	if (page_get(vcpu->vm, kind, vp, page))
		return HV_MSR_RETRY;
	if ((old & TLFS_PAGE_ENABLE) && PFN(old) == PFN(val))
		return HV_MSR_OK;
	if (!(old & TLFS_PAGE_ENABLE))
		page_init(kind, *page);
	if (hv_overlay_move(vcpu, kind, vp, PFN(val)))
		return HV_MSR_RETRY;
	return HV_MSR_OK;
}

int hv_tlfs_page_restore(struct hv_vm *vm, u32 kind, u32 vp, u64 val, void **page)
{
	int ret;

	*page = NULL;
	if (val & TLFS_PAGE_ENABLE) {
		ret = page_get(vm, kind, vp, page);
		if (ret)
			return ret;
		if (kind == HV_OVERLAY_HYPERCALL)
			hypercall_page_fill(*page);
		return hv_overlay_move_vm(vm, kind, vp, PFN(val));
	}
	if (hv_overlay_page(vm, kind, vp))
		return hv_overlay_move_vm(vm, kind, vp, HV_GFN_NONE);
	return 0;
}
