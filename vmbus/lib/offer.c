// SPDX-License-Identifier: GPL-2.0-or-later
/* offer.c - offers: from the VMM, to the guest */
#include "offer.h"

#define MAX_SUB_CHANNELS	(VMB_RELIDS - 2)

static bool guid_is_null(const struct vmb_guid *g)
{
	static const struct vmb_guid null;

	return !memcmp(g, &null, sizeof(null));
}

int hv_offer_init(struct hv_offer *o, const struct hv_channel_args *args)
{
	BUILD_BUG_ON(HV_CHANNEL_USER_BYTES != VMB_USER_DEFINED);

	memset(o, 0, sizeof(*o));
	memcpy(&o->interface, args->interface, sizeof(o->interface));
	memcpy(&o->instance, args->instance, sizeof(o->instance));
	o->flags = args->flags;
	o->mmio_megabytes = args->mmio_megabytes;
	o->max_sub_channels = args->max_sub_channels;
	o->max_ring_pages = args->max_ring_pages;
	memcpy(o->user_defined, args->user_defined, sizeof(o->user_defined));
	if (guid_is_null(&o->interface) || guid_is_null(&o->instance) ||
	    o->max_sub_channels > MAX_SUB_CHANNELS || o->max_ring_pages > VMB_RING_MAX_PAGES ||
	    (o->max_ring_pages && o->max_ring_pages < 4))
		return -EINVAL;
	return 0;
}

bool hv_offer_same(const struct hv_offer *a, const struct hv_offer *b)
{
	return !memcmp(&a->instance, &b->instance, sizeof(a->instance)) &&
	       a->sub_channel == b->sub_channel;
}

void hv_offer_fill(const struct hv_offer *o, struct vmb_offer *m)
{
	memset(m, 0, sizeof(*m));
	m->header.type = VMB_MSG_OFFER;
	m->interface = o->interface;
	m->instance = o->instance;
	m->flags = VMB_OFFER_F_ENUMERATE;
	if (o->flags & HV_CHANNEL_F_PIPE)
		m->flags |= VMB_OFFER_F_NAMED_PIPE;
	if (o->flags & HV_CHANNEL_F_TLNPI)
		m->flags |= VMB_OFFER_F_TLNPI;
	m->mmio_megabytes = o->mmio_megabytes;
	memcpy(m->user_defined, o->user_defined, sizeof(m->user_defined));
	if (o->flags & HV_CHANNEL_F_PIPE)
		put_unaligned_le32(VMB_PIPE_MODE_MESSAGE, m->user_defined);
	m->sub_channel_index = (u16)o->sub_channel;
	m->relid = o->relid;
	/* Its own event flag and connection: the guest leaves the shared interrupt page alone. */
	m->dedicated_interrupt = 1;
	m->connection = hv_offer_connection(o);
}
