// SPDX-License-Identifier: GPL-2.0-or-later
/* chan.c - the edges between a channel's states */
#include "chan.h"

#define NONE	0		/* entries are state + 1 */
#define TO(s)	((s) + 1)

static const u8 edges[HV_CHAN_STATES][HV_CM_NR] = {
	[HV_CHAN_HIDDEN] = {
		[HV_CM_OFFER] = TO(HV_CHAN_OFFERED),
		[HV_CM_DISCONNECT] = TO(HV_CHAN_HIDDEN),
		[HV_CM_DRAIN] = TO(HV_CHAN_DRAINING),
		[HV_CM_RESCIND] = TO(HV_CHAN_DEAD),
	},
	[HV_CHAN_OFFERED] = {
		[HV_CM_OPEN] = TO(HV_CHAN_OPENING),
		[HV_CM_DISCONNECT] = TO(HV_CHAN_HIDDEN),
		[HV_CM_DRAIN] = TO(HV_CHAN_DRAINING),
		[HV_CM_RESCIND] = TO(HV_CHAN_RESCINDED),
		[HV_CM_RELEASE] = TO(HV_CHAN_HIDDEN),	/* the guest does not want it */
		[HV_CM_RETIRE] = TO(HV_CHAN_CLOSING),
	},
	[HV_CHAN_OPENING] = {
		[HV_CM_ACCEPT] = TO(HV_CHAN_OPEN),
		[HV_CM_REFUSE] = TO(HV_CHAN_OFFERED),
		[HV_CM_CLOSE] = TO(HV_CHAN_CLOSING),
		[HV_CM_DRAIN] = TO(HV_CHAN_DRAINING),
		[HV_CM_RESCIND] = TO(HV_CHAN_RESCINDED),
		[HV_CM_RETIRE] = TO(HV_CHAN_CLOSING),
	},
	[HV_CHAN_OPEN] = {
		[HV_CM_CLOSE] = TO(HV_CHAN_CLOSING),
		[HV_CM_DRAIN] = TO(HV_CHAN_DRAINING),
		[HV_CM_RESCIND] = TO(HV_CHAN_RESCINDED),
		[HV_CM_RETIRE] = TO(HV_CHAN_CLOSING),
	},
	[HV_CHAN_CLOSING] = {
		[HV_CM_ACK] = TO(HV_CHAN_OFFERED),
		[HV_CM_DRAIN] = TO(HV_CHAN_DRAINING),
		[HV_CM_RESCIND] = TO(HV_CHAN_RESCINDED),
		[HV_CM_RETIRE] = TO(HV_CHAN_CLOSING),
	},
	[HV_CHAN_DRAINING] = {
		[HV_CM_ACK] = TO(HV_CHAN_HIDDEN),
		[HV_CM_DRAIN] = TO(HV_CHAN_DRAINING),
		[HV_CM_RESCIND] = TO(HV_CHAN_DEAD),
		[HV_CM_RETIRE] = TO(HV_CHAN_DRAINING),
	},
	[HV_CHAN_RESCINDED] = {
		[HV_CM_RELEASE] = TO(HV_CHAN_DEAD),
		[HV_CM_DISCONNECT] = TO(HV_CHAN_DEAD),
		[HV_CM_DRAIN] = TO(HV_CHAN_DEAD),
	},
};

int hv_chan_edge(enum hv_chan_state state, enum hv_chan_move move)
{
	if ((u32)state >= HV_CHAN_STATES || (u32)move >= HV_CM_NR || edges[state][move] == NONE)
		return -EPROTO;
	return edges[state][move] - 1;
}

const char *hv_chan_state_name(u32 state)
{
	static const char *const names[HV_CHAN_STATES] = {
		[HV_CHAN_HIDDEN] = "hidden", [HV_CHAN_OFFERED] = "offered",
		[HV_CHAN_OPENING] = "opening", [HV_CHAN_OPEN] = "open",
		[HV_CHAN_CLOSING] = "closing", [HV_CHAN_DRAINING] = "draining",
		[HV_CHAN_RESCINDED] = "rescinded", [HV_CHAN_DEAD] = "dead",
	};

	return state < HV_CHAN_STATES ? names[state] : "?";
}

u32 hv_chan_rings_check(u32 npages, u32 bytes, u32 offset, u32 downstream, u32 max)
{
	if (offset || (u64)npages * VMB_PAGE != bytes)
		return VMB_STATUS_INVALID_PARAMETER;
	if (downstream < 2 || downstream > npages || npages - downstream < 2)
		return VMB_STATUS_INVALID_PARAMETER;
	return max && npages > max ? VMB_STATUS_NO_RESOURCES : VMB_STATUS_OK;
}
