/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hcall_parse.h - the control word of a hypercall against the shape of the call */
#ifndef HV_HCALL_PARSE_H
#define HV_HCALL_PARSE_H

#include <hv/portable.h>

#define HV_HCALL_F_FAST		(1u << 0)	/* register input allowed */
#define HV_HCALL_F_VAR		(1u << 1)	/* variable header allowed */

#define HV_HCALL_FAST_BYTES	16		/* two registers; XMM input is not offered */
#define HV_HCALL_PAGE		4096u

/* What a call looks like (TLFS chapter 3: simple and rep, fixed and variable headers). */
struct hv_hcall_shape {
	u16 in_bytes;		/* fixed part of the input */
	u16 rep_bytes;		/* of one repetition; 0: simple call */
	u16 out_bytes;
	u16 flags;		/* HV_HCALL_F_* */
};

/* A control word that passed. */
struct hv_hcall_form {
	bool fast;
	u16 var_words;		/* 8-byte words of variable header */
	u16 count;		/* repetitions, 0 for a simple call */
	u16 start;		/* first one to do */
	u16 head_bytes;		/* fixed and variable header */
};

#define HV_HCALL_UD	0xffff	/* not a status: inject #UD (XMM input that is not offered) */

/*
 * Check @control, and the addresses @in and @out if they are used. TLFS_OK,
 * TLFS_INVALID_INPUT (reserved bits, repetition, variable header or fast where the
 * shape has none), TLFS_INVALID_ALIGNMENT (not 8-byte aligned, or the list leaves
 * its page), or HV_HCALL_UD.
 */
u16 hv_hcall_parse(const struct hv_hcall_shape *shape, u64 control, u64 in, u64 out,
		   struct hv_hcall_form *form);

/* Result register: @status, and @done repetitions counted from the list's begin. */
static inline u64 hv_hcall_result(u16 status, u32 done)
{
	return status | (u64)done << 32;
}

#endif
