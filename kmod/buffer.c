// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffers that ioctl arguments point to: state records and CPUID leaves.
 *
 * Lengths come from a structure that was copied once, so they can't change between check
 * and use; the buffer itself is copied once, whole.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <hv/arch.h>
#include "buffer.h"

static void *buf_alloc(size_t bytes)
{
	return kvzalloc(bytes, GFP_KERNEL_ACCOUNT);
}

long hv_state_get_before(struct hv_call *call, void *args)
{
	struct hv_state_args *a = args;

	if (!a->len)
		return 0;
	/* A room larger than any record is no error; the record's own length comes back. */
	a->len = min(a->len, HV_STATE_BYTES_MAX);
	call->buf = buf_alloc(a->len);
	return call->buf ? 0 : -ENOMEM;
}

long hv_state_get_after(struct hv_call *call, void *args)
{
	const struct hv_state_args *a = args;

	if (!call->buf)
		return 0;
	return copy_to_user(u64_to_user_ptr(a->addr), call->buf, a->len) ? -EFAULT : 0;
}

long hv_state_set_before(struct hv_call *call, void *args)
{
	const struct hv_state_args *a = args;

	if (!a->len || a->len > HV_STATE_BYTES_MAX)
		return -EINVAL;
	call->buf = buf_alloc(a->len);
	if (!call->buf)
		return -ENOMEM;
	return copy_from_user(call->buf, u64_to_user_ptr(a->addr), a->len) ? -EFAULT : 0;
}

long hv_cpuid_before(struct hv_call *call, void *args)
{
	struct hv_cpuid_args *a = args;

	if (call->vm && a->cpu_model)
		return -EINVAL;
	a->nr = min(a->nr, HV_CPUID_ENTRIES_MAX);
	call->buf = buf_alloc(max(a->nr, 1u) * sizeof(struct hv_cpuid_entry));
	return call->buf ? 0 : -ENOMEM;
}

long hv_cpuid_get(struct hv_call *call, void *args)
{
	struct hv_cpuid_args *a = args;

	return hv_arch_cpuid_get(call->vm, a->cpu_model, call->buf, &a->nr);
}

long hv_cpuid_after(struct hv_call *call, void *args)
{
	const struct hv_cpuid_args *a = args;

	return copy_to_user(u64_to_user_ptr(a->addr), call->buf,
			    (size_t)a->nr * sizeof(struct hv_cpuid_entry)) ? -EFAULT : 0;
}
