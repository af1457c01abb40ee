// SPDX-License-Identifier: GPL-2.0-only
/*
 * vp_assist.c - the VP assist page and its "no EOI required" bit (TLFS 10.3.5)
 *
 * The guest ends an interrupt by exchanging the word with 0: it finds 1, and that was the
 * EOI; or it finds 0 and writes the EOI MSR. Whoever takes the 1 out of the word, guest
 * or we, knows that the other has not.
 */
#include <linux/atomic.h>
#include <hv/hv_x86.h>
#include "tlfs_page.h"
#include "vp_assist.h"
#include "vsynic.h"

bool hv_assist_collect_slow(struct hv_vcpu *vcpu)
{
	struct hv_tlfs_vcpu *t = vcpu->tlfs;

	t->assist_offered = false;
	return !(xchg(&t->assist->apic_assist, 0) & TLFS_ASSIST_NO_EOI);
}

enum hv_msr_result hv_vp_assist_get(struct hv_vcpu *vcpu, u32 index, u64 *val)
{
	*val = to_vsynic(vcpu)->vp_assist;
	return HV_MSR_OK;
}

/* In an exit: what was offered has been collected. */
enum hv_msr_result hv_vp_assist_set(struct hv_vcpu *vcpu, u32 index, u64 val)
{
	struct hv_vsynic *s = to_vsynic(vcpu);
	enum hv_msr_result res;
	void *page;

	res = hv_tlfs_page_place(vcpu, HV_OVERLAY_VP_ASSIST, s->vp_assist, val, &page);
	if (res != HV_MSR_OK)
		return res;
	s->vp_assist = val;
	s->hot.assist = page;
	return HV_MSR_OK;
}
