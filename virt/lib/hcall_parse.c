// SPDX-License-Identifier: GPL-2.0-or-later
/* hcall_parse.c - the control word of a hypercall against the shape of the call */
#include <hvguest/tlfs.h>
#include "hcall_parse.h"

static bool span_ok(u64 gpa, u32 bytes)
{
	return gpa % 8 == 0 && gpa % HV_HCALL_PAGE + bytes <= HV_HCALL_PAGE;
}

u16 hv_hcall_parse(const struct hv_hcall_shape *shape, u64 control, u64 in, u64 out,
		   struct hv_hcall_form *form)
{
	u32 var = (u32)(control >> TLFS_HC_VAR_SHIFT & TLFS_HC_VAR_MASK);
	u32 count = (u32)(control >> TLFS_HC_COUNT_SHIFT & TLFS_HC_REP_MASK);
	u32 start = (u32)(control >> TLFS_HC_START_SHIFT & TLFS_HC_REP_MASK);
	bool fast = control & TLFS_HC_FAST;
	u32 head = shape->in_bytes + var * 8u;
	u32 bytes = head + count * shape->rep_bytes;

	if (control & TLFS_HC_RESERVED)
		return TLFS_INVALID_INPUT;
	if (shape->rep_bytes ? start >= count : (count || start))
		return TLFS_INVALID_INPUT;
	if (var && !(shape->flags & HV_HCALL_F_VAR))
		return TLFS_INVALID_INPUT;
	if (fast) {
		if (!(shape->flags & HV_HCALL_F_FAST))
			return TLFS_INVALID_INPUT;
		if (bytes > HV_HCALL_FAST_BYTES)
			return HV_HCALL_UD;
	} else if (bytes && !span_ok(in, bytes)) {
		return TLFS_INVALID_ALIGNMENT;
	}
	if (shape->out_bytes && !fast && !span_ok(out, shape->out_bytes))
		return TLFS_INVALID_ALIGNMENT;
	form->fast = fast;
	form->var_words = (u16)var;
	form->count = (u16)count;
	form->start = (u16)start;
	form->head_bytes = (u16)head;
	return TLFS_OK;
}
