// SPDX-License-Identifier: GPL-2.0-only
/*
 * hypercall.c - the table of hypercalls, and what is done alike for all of them
 *
 * A row gives the shape of a call (fixed input, repetitions, variable header, register
 * form), the privilege it needs, and its handler. The shape is checked here, once;
 * handlers see calls that fit it.
 */
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <hv/arch.h>
#include <hv/tlfs.h>
#include <hv/trace.h>
#include "hcall.h"
#include "lib/vpset.h"

#define SIMPLE(in, f)		{ .in_bytes = (in), .flags = (f) }
#define REP(in, rep, f)		{ .in_bytes = (in), .rep_bytes = (rep), .flags = (f) }
#define FAST			HV_HCALL_F_FAST
#define VAR			HV_HCALL_F_VAR

/* Privileges of group B (TLFS_CPUID_FEATURES, EBX) that every partition has. */
#define PRIVILEGES_B	(TLFS_PRIV_B_POST_MESSAGES | TLFS_PRIV_B_SIGNAL_EVENTS)

/*
 * The Ex forms of flush and IPI have their VP set's two words in the fixed part; a fast
 * flush would need XMM input beyond two registers.
 */
static const struct hcall_row {
	struct hv_hcall_shape shape;
	u32 privilege;		/* TLFS_PRIV_B_*, 0: none */
	u16 (*handler)(struct hv_hcall_ctx *c);
} rows[] = {
	[TLFS_HC_FLUSH_SPACE] = { SIMPLE(24, FAST), 0, hv_hc_flush },
	[TLFS_HC_FLUSH_LIST] = { REP(24, 8, FAST), 0, hv_hc_flush },
	[TLFS_HC_SEND_IPI] = { SIMPLE(16, FAST), 0, hv_hc_send_ipi },
	[TLFS_HC_FLUSH_SPACE_EX] = { SIMPLE(32, VAR | FAST), 0, hv_hc_flush_ex },
	[TLFS_HC_FLUSH_LIST_EX] = { REP(32, 8, VAR | FAST), 0, hv_hc_flush_ex },
	[TLFS_HC_SEND_IPI_EX] = { SIMPLE(24, VAR | FAST), 0, hv_hc_send_ipi_ex },
	[TLFS_HC_POST_MESSAGE] = {
		SIMPLE(256, 0), TLFS_PRIV_B_POST_MESSAGES, hv_hc_post_message },
	[TLFS_HC_SIGNAL_EVENT] = {
		SIMPLE(8, FAST), TLFS_PRIV_B_SIGNAL_EVENTS, hv_hc_signal_event },
};

static const struct hcall_row *row_find(u32 code)
{
	const struct hcall_row *row;

	if (code >= ARRAY_SIZE(rows))
		return NULL;
	row = &rows[array_index_nospec(code, ARRAY_SIZE(rows))];
	return row->handler ? row : NULL;
}

u16 hv_hcall_read(struct hv_hcall_ctx *c, u32 off, void *buf, u32 len)
{
	u64 regs[2];
	int ret;

	if (c->form.fast) {
		regs[0] = c->hc->in;
		regs[1] = c->hc->out;
		memcpy(buf, (u8 *)regs + off, len);	/* the shape bounds off + len */
		return TLFS_OK;
	}
	ret = hv_gmem_read(c->vcpu, c->hc->in + off, buf, len);
	if (!ret)
		return TLFS_OK;
	return ret == -EFAULT ? TLFS_INVALID_INPUT : HV_HCALL_RESTART;
}

static noinline u16 read_vpset(struct hv_hcall_ctx *c, u32 off, struct hv_vp_set *set)
{
	u64 words[2 + 64];
	u32 nr = 2 + c->form.var_words;
	u16 status;

	if (nr > ARRAY_SIZE(words))
		return TLFS_INVALID_INPUT;
	status = hv_hcall_read(c, off, words, nr * sizeof(u64));
	return status == TLFS_OK ? hv_vpset_parse(set, words, nr) : status;
}

u16 hv_hcall_read_targets(struct hv_hcall_ctx *c, void *head, u32 len, bool ex,
			  struct hv_vp_set *set)
{
	u16 status = hv_hcall_read(c, 0, head, len);
	u64 mask;

	if (status == TLFS_OK && ex)
		return read_vpset(c, len, set);
	if (status == TLFS_OK)
		status = hv_hcall_read(c, len, &mask, sizeof(mask));
	if (status == TLFS_OK)
		hv_vpset_from_mask(set, mask);
	return status;
}

static u16 dispatch(struct hv_hcall_ctx *c)
{
	const struct hcall_row *row = row_find(c->hc->control & TLFS_HC_CODE_MASK);
	u16 status;

	if (!row)
		return TLFS_INVALID_CODE;
	if (row->privilege & ~PRIVILEGES_B)
		return TLFS_ACCESS_DENIED;
	status = hv_hcall_parse(&row->shape, c->hc->control, c->hc->in, c->hc->out, &c->form);
	if (status != TLFS_OK)
		return status;
	return row->handler(c);
}

enum hv_next hv_hypercall(struct hv_vcpu *vcpu, struct hv_hcall *hc)
{
	struct hv_hcall_ctx c = { .vcpu = vcpu, .hc = hc };
	u16 status;

	hc->restart = false;
	hc->ud = false;
	/* No interface, or a guest that has not said who it is (TLFS 3.13). */
	if (unlikely(!vcpu->tlfs || !READ_ONCE(vcpu->vm->tlfs->guest_os_id))) {
		hc->ud = true;
		return HV_NEXT_RESUME;
	}
	vcpu->stat.hypercalls++;
	if (likely(hc->control == (TLFS_HC_FAST | TLFS_HC_SIGNAL_EVENT)))
		status = hv_hc_signal_event_fast(vcpu, hc->in);
	else
		status = dispatch(&c);
	if (unlikely(status == HV_HCALL_UD)) {
		hc->ud = true;
		return HV_NEXT_RESUME;
	}
	if (unlikely(status == HV_HCALL_RESTART)) {
		/* The start index stands in @control; nothing before it is done twice. */
		hc->restart = true;
		return HV_NEXT_RESUME;
	}
	hc->result = hv_hcall_result(status, status == TLFS_OK ? c.form.count : c.form.start);
	trace_hv_hypercall(vcpu, hc->control, hc->in, hc->out, hc->result);
	return HV_NEXT_RESUME;
}
