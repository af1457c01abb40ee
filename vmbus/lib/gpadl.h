/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gpadl.h - lists of guest pages, as they arrive in a header message and any number of bodies
 *
 * A GPADL has one range, as every guest seen makes it. Nothing is allocated here: the caller keeps
 * the list, and asks how many page numbers of a message belong to it.
 */
#ifndef _HV_VMBUS_LIB_GPADL_H
#define _HV_VMBUS_LIB_GPADL_H

#include <hv/portable.h>
#include <hvguest/vmbus.h>

#define HV_GPADL_MAX_PAGES	((0xffffu - sizeof(struct vmb_gpa_range)) / sizeof(u64))	/* 8190 */

struct hv_gpadl_shape {
	u32 npages;		/* 1..HV_GPADL_MAX_PAGES */
	u32 bytes;		/* of the buffer; > 0 */
	u32 offset;		/* of its first byte in the first page */
};

/*
 * A VMB_MSG_GPADL_HEADER of @bytes (checked by hv_busmsg_check()): what it announces, and in *@nr
 * how many page numbers it carries itself. -EINVAL: not one range, or sizes that do not agree.
 */
int hv_gpadl_header(const void *msg, u32 bytes, struct hv_gpadl_shape *shape, u32 *nr);
/*
 * Page numbers of a VMB_MSG_GPADL_BODY that still count, when @missing are: more than 0, or -EINVAL:
 * nothing is missing, or it brings nothing.
 */
int hv_gpadl_body(u32 bytes, u32 missing);
/* Page number @i of a header or a body message. */
u64 hv_gpadl_header_pfn(const void *msg, u32 i);
u64 hv_gpadl_body_pfn(const void *msg, u32 i);

#endif /* _HV_VMBUS_LIB_GPADL_H */
