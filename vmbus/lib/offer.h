/* SPDX-License-Identifier: GPL-2.0-or-later */
/* offer.h - what the guest is told of a channel */
#ifndef _HV_VMBUS_LIB_OFFER_H
#define _HV_VMBUS_LIB_OFFER_H

#include <hv/portable.h>
#include <hv/hv_bus.h>
#include <hvguest/vmbus.h>

/* What a channel is; never changes while it lives. */
struct hv_offer {
	struct vmb_guid interface;
	struct vmb_guid instance;
	u32 flags;		/* HV_CHANNEL_F_* */
	u32 relid;
	u32 sub_channel;	/* 0: primary */
	u16 mmio_megabytes;
	u16 max_sub_channels;
	u32 max_ring_pages;
	u8  user_defined[VMB_USER_DEFINED];
};

static inline u32 hv_offer_connection(const struct hv_offer *o)
{
	return VMB_CONNECTION_CHANNELS + o->relid;
}

/* Take it from the VMM. -EINVAL: no GUIDs, or more rings or sub-channels than can be. */
int hv_offer_init(struct hv_offer *o, const struct hv_channel_args *args);
/* The same device, so that the guest could not tell them apart? */
bool hv_offer_same(const struct hv_offer *a, const struct hv_offer *b);
void hv_offer_fill(const struct hv_offer *o, struct vmb_offer *m);

#endif /* _HV_VMBUS_LIB_OFFER_H */
