// SPDX-License-Identifier: GPL-2.0-or-later
/* gpadl.c - lists of guest pages: what the messages say, checked */
#include "gpadl.h"

int hv_gpadl_header(const void *msg, u32 bytes, struct hv_gpadl_shape *shape, u32 *nr)
{
	const u32 fixed = sizeof(struct vmb_gpadl_header);
	struct vmb_gpadl_header h;
	u32 list;
	u64 span;

	if (bytes < fixed)
		return -EINVAL;
	memcpy(&h, msg, sizeof(h));
	if (h.ranges != 1 || h.range_bytes <= sizeof(h.range))
		return -EINVAL;
	list = h.range_bytes - (u32)sizeof(h.range);
	span = (u64)h.range.offset + h.range.bytes;
	if (list % sizeof(u64) || h.range.offset >= VMB_PAGE || !h.range.bytes ||
	    (span + VMB_PAGE - 1) / VMB_PAGE != list / sizeof(u64))
		return -EINVAL;
	shape->npages = list / (u32)sizeof(u64);
	shape->bytes = h.range.bytes;
	shape->offset = h.range.offset;
	*nr = min(shape->npages, (bytes - fixed) / (u32)sizeof(u64));
	return 0;
}

int hv_gpadl_body(u32 bytes, u32 missing)
{
	const u32 fixed = sizeof(struct vmb_gpadl_body);
	u32 nr;

	if (bytes < fixed)
		return -EINVAL;
	nr = min(missing, (bytes - fixed) / (u32)sizeof(u64));
	return nr ? (int)nr : -EINVAL;
}

u64 hv_gpadl_header_pfn(const void *msg, u32 i)
{
	return get_unaligned_le64((const u8 *)msg + sizeof(struct vmb_gpadl_header) + 8 * (size_t)i);
}

u64 hv_gpadl_body_pfn(const void *msg, u32 i)
{
	return get_unaligned_le64((const u8 *)msg + sizeof(struct vmb_gpadl_body) + 8 * (size_t)i);
}
