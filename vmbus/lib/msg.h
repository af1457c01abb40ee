/* SPDX-License-Identifier: GPL-2.0-or-later */
/* msg.h - the shapes of channel messages: one table for checking, tracing and tests */
#ifndef _HV_VMBUS_LIB_MSG_H
#define _HV_VMBUS_LIB_MSG_H

#include <hv/portable.h>
#include <hvguest/vmbus.h>

struct hv_busmsg_shape {
	const char *name;	/* NULL: no such message */
	u16 min;		/* bytes of the fixed part */
	bool to_host;
	bool unconnected;	/* may come before a version is agreed upon */
	u32 since;		/* first version that has it */
};

extern const struct hv_busmsg_shape hv_busmsg_shapes[VMB_MSG_TYPES];

/* "?" for an unknown one */
const char *hv_busmsg_name(u32 type);

/*
 * Is @msg of @bytes a message the guest may send now? @version: what was agreed upon, 0: nothing.
 * Its type, or -EPROTO: too short, unknown, the host's own, or not of this version. The rest of
 * the message may be read at once up to the shape's min.
 */
int hv_busmsg_check(const void *msg, u32 bytes, u32 version);

#endif /* _HV_VMBUS_LIB_MSG_H */
