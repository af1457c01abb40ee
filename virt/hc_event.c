// SPDX-License-Identifier: GPL-2.0-only
/* hc_event.c - HvSignalEvent (TLFS 11.8.2): to the event port of the connection */
#include "hcall.h"
#include "port.h"

u16 hv_hc_signal_event_fast(struct hv_vcpu *vcpu, u64 in)
{
	u32 connection = (u32)in;

	vcpu->stat.signal_events++;
	if (unlikely(connection & ~TLFS_CONNECTION_MASK))
		return TLFS_INVALID_CONNECTION_ID;
	return hv_port_signal(vcpu->vm, connection, in >> 32);
}

u16 hv_hc_signal_event(struct hv_hcall_ctx *c)
{
	u64 in;
	u16 status;

	status = hv_hcall_read(c, 0, &in, sizeof(in));
	return status == TLFS_OK ? hv_hc_signal_event_fast(c->vcpu, in) : status;
}
