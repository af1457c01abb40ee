// SPDX-License-Identifier: GPL-2.0-only
/* hc_message.c - HvPostMessage (TLFS 11.8.1): to the message port of the connection */
#include <hv/trace.h>
#include "hcall.h"
#include "port.h"

u16 hv_hc_post_message(struct hv_hcall_ctx *c)
{
	struct tlfs_in_post_message in;
	u16 status;

	status = hv_hcall_read(c, 0, &in, sizeof(in));
	if (status != TLFS_OK)
		return status;
	if (in.size > TLFS_MESSAGE_PAYLOAD || in.type == TLFS_MESSAGE_NONE ||
	    (in.type & TLFS_MESSAGE_HYPERVISOR))
		return TLFS_INVALID_PARAMETER;
	status = hv_port_post(c->vcpu, &in);
	if (status == TLFS_OK)
		c->vcpu->vm->stat.messages_posted++;
	trace_hv_post_message(c->vcpu, in.connection, in.type, in.size, status);
	return status;
}
