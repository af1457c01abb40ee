/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chan.h - the state machine of a channel, and the numbers an opening is made of
 *
 * The states are enum hv_chan_state of hv/hv_bus.h. The table is here; the one who moves a
 * channel (vmbus/chan.c) traces it and does what a state wants done.
 */
#ifndef _HV_VMBUS_LIB_CHAN_H
#define _HV_VMBUS_LIB_CHAN_H

#include <hv/portable.h>
#include <hv/hv_bus.h>
#include <hvguest/vmbus.h>

enum hv_chan_move {
	HV_CM_OFFER,		/* the guest is told of it */
	HV_CM_OPEN,		/* OPENCHANNEL */
	HV_CM_ACCEPT,		/* the device accepts, or refuses */
	HV_CM_REFUSE,
	HV_CM_CLOSE,		/* CLOSECHANNEL, or its ring GPADL is torn down */
	HV_CM_ACK,		/* the device has let go of it */
	HV_CM_DISCONNECT,	/* the connection is gone; nothing of the guest's is in use */
	HV_CM_DRAIN,		/* likewise, and the device must let go of something */
	HV_CM_RESCIND,		/* the host takes it back; nothing of the guest's is in use */
	HV_CM_RELEASE,		/* RELID_RELEASED */
	HV_CM_RETIRE,		/* it will be rescinded, and the device must let go of something first */
	HV_CM_NR,
};

#define HV_CHAN_STATES	8

/* Where @move leads from @state, or -EPROTO: nowhere, the channel stays as it is. */
int hv_chan_edge(enum hv_chan_state state, enum hv_chan_move move);
const char *hv_chan_state_name(u32 state);

/* Does the guest know of it, so that it may talk about it? */
static inline bool hv_chan_is_offered(enum hv_chan_state s)
{
	return s >= HV_CHAN_OFFERED && s <= HV_CHAN_CLOSING;
}

/* Must its device let go of something before the connection can end? */
static inline bool hv_chan_is_busy(enum hv_chan_state s)
{
	return s == HV_CHAN_CLOSING || s == HV_CHAN_DRAINING;
}

/*
 * Can a ring GPADL of @npages, @bytes long from @offset, be split after @downstream pages? Both
 * rings have a header page and at least one of data. @max: pages the device wants, 0 any.
 * An NTSTATUS.
 */
u32 hv_chan_rings_check(u32 npages, u32 bytes, u32 offset, u32 downstream, u32 max);

#endif /* _HV_VMBUS_LIB_CHAN_H */
