// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counters in the self-describing form of hv_stats.h.
 *
 * The descriptors come from the lists of hv/stats.h, which also make the structures, so a
 * new counter is one line there. Counters are read while they run: each one is a single
 * aligned load, and the set is not a snapshot.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <hv/bus.h>
#include <hv/stats.h>
#include "buffer.h"

#define HV_STATS_ROW(counter, u, k)					\
	{ .name = #counter, .unit = HV_STATS_##u, .kind = HV_STATS_##k },

static const struct hv_stats_desc hv_stats_vm_descs[] = { HV_STATS_VM_LIST(HV_STATS_ROW) };
static const struct hv_stats_desc hv_stats_vcpu_descs[] = { HV_STATS_VCPU_LIST(HV_STATS_ROW) };
static const struct hv_stats_desc hv_stats_chan_descs[] = { HV_STATS_CHAN_LIST(HV_STATS_ROW) };

static_assert(ARRAY_SIZE(hv_stats_vm_descs) * sizeof(u64) == sizeof(struct hv_stats_vm));
static_assert(ARRAY_SIZE(hv_stats_vcpu_descs) * sizeof(u64) == sizeof(struct hv_stats_vcpu));
static_assert(ARRAY_SIZE(hv_stats_chan_descs) * sizeof(u64) == sizeof(struct hv_stats_chan));

static u32 counters_of(const struct hv_call *call)
{
	if (call->chan)
		return ARRAY_SIZE(hv_stats_chan_descs);
	return call->vcpu ? ARRAY_SIZE(hv_stats_vcpu_descs) : ARRAY_SIZE(hv_stats_vm_descs);
}

static u32 stats_bytes(u32 nr)
{
	return sizeof(struct hv_stats_header) + nr * (sizeof(struct hv_stats_desc) + sizeof(u64));
}

static void stats_fill(void *buf, const struct hv_stats_desc *descs, u32 nr, const u64 *values)
{
	struct hv_stats_header *h = buf;
	u64 *out;
	u32 i;

	h->nr = nr;
	h->desc_off = sizeof(*h);
	h->desc_bytes = sizeof(*descs);
	h->data_off = h->desc_off + nr * sizeof(*descs);
	memcpy(buf + h->desc_off, descs, nr * sizeof(*descs));
	out = buf + h->data_off;
	for (i = 0; i < nr; i++)
		out[i] = READ_ONCE(values[i]);
}

long hv_stats_before(struct hv_call *call, void *args)
{
	struct hv_stats_args *a = args;
	u32 room = a->len;

	a->len = stats_bytes(counters_of(call));
	if (!room)
		return 0;
	if (room < a->len)
		return -ENOSPC;
	call->buf = kvzalloc(a->len, GFP_KERNEL_ACCOUNT);
	return call->buf ? 0 : -ENOMEM;
}

long hv_stats_vm_get(struct hv_call *call, void *args)
{
	if (call->buf)
		stats_fill(call->buf, hv_stats_vm_descs, ARRAY_SIZE(hv_stats_vm_descs),
			   (const u64 *)&call->vm->stat);
	return 0;
}

long hv_stats_vcpu_get(struct hv_call *call, void *args)
{
	if (call->buf)
		stats_fill(call->buf, hv_stats_vcpu_descs, ARRAY_SIZE(hv_stats_vcpu_descs),
			   (const u64 *)&call->vcpu->stat);
	return 0;
}

long hv_stats_chan_get(struct hv_call *call, void *args)
{
	if (call->buf)
		stats_fill(call->buf, hv_stats_chan_descs, ARRAY_SIZE(hv_stats_chan_descs),
			   (const u64 *)hv_chan_stats(call->chan));
	return 0;
}

long hv_stats_after(struct hv_call *call, void *args)
{
	const struct hv_stats_args *a = args;

	if (!call->buf)
		return 0;
	return copy_to_user(u64_to_user_ptr(a->addr), call->buf, a->len) ? -EFAULT : 0;
}
