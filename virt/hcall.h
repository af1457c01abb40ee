/* SPDX-License-Identifier: GPL-2.0-only */
/* hcall.h - one hypercall on its way through the table, inside virt */
#ifndef _HV_VIRT_HCALL_H
#define _HV_VIRT_HCALL_H

#include <hv/core.h>
#include <hvguest/tlfs.h>
#include "lib/hcall_parse.h"

struct hv_vp_set;

/* A call whose control word passed; handlers read its input through the functions below. */
struct hv_hcall_ctx {
	struct hv_vcpu *vcpu;
	const struct hv_hcall *hc;
	struct hv_hcall_form form;
};

/* Not a status: do the call again from @form.start (a signal is pending). */
#define HV_HCALL_RESTART	0xfffe

/*
 * Copy @len bytes of input from offset @off, from registers or guest memory; once: what
 * is checked is the copy. TLFS_OK, TLFS_INVALID_INPUT (no readable memory there), or
 * HV_HCALL_RESTART. [run, may sleep]
 */
u16 hv_hcall_read(struct hv_hcall_ctx *c, u32 off, void *buf, u32 len);
/*
 * Input of a call that names VPs: @len bytes into @head, then a 64-bit mask of VPs 0..63, or
 * in the @ex form a sparse set (two words, its banks are the variable header).
 */
u16 hv_hcall_read_targets(struct hv_hcall_ctx *c, void *head, u32 len, bool ex,
			  struct hv_vp_set *set);

/* Handlers: a status, HV_HCALL_RESTART; a rep call that returns TLFS_OK has done all. */
u16 hv_hc_flush(struct hv_hcall_ctx *c);		/* hc_tlb.c */
u16 hv_hc_flush_ex(struct hv_hcall_ctx *c);
u16 hv_hc_send_ipi(struct hv_hcall_ctx *c);		/* hc_ipi.c */
u16 hv_hc_send_ipi_ex(struct hv_hcall_ctx *c);
u16 hv_hc_post_message(struct hv_hcall_ctx *c);		/* hc_message.c */
u16 hv_hc_signal_event(struct hv_hcall_ctx *c);		/* hc_event.c */
/* The fast form, by far the most frequent call: @in as the guest's register has it. */
u16 hv_hc_signal_event_fast(struct hv_vcpu *vcpu, u64 in);

#endif /* _HV_VIRT_HCALL_H */
