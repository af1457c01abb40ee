// SPDX-License-Identifier: GPL-2.0-or-later
/* msg.c - which channel messages there are */
#include "msg.h"

#define TO_HOST(n, s, v)	{ .name = n, .min = sizeof(s), .to_host = true, .since = v }
#define TO_GUEST(n, s, v)	{ .name = n, .min = sizeof(s), .since = v }

const struct hv_busmsg_shape hv_busmsg_shapes[VMB_MSG_TYPES] = {
	[VMB_MSG_OFFER] = TO_GUEST("offer", struct vmb_offer, 0),
	[VMB_MSG_RESCIND] = TO_GUEST("rescind", struct vmb_rescind, 0),
	[VMB_MSG_REQUEST_OFFERS] = TO_HOST("request-offers", struct vmb_header, 0),
	[VMB_MSG_OFFERS_DELIVERED] = TO_GUEST("offers-delivered", struct vmb_header, 0),
	[VMB_MSG_OPEN] = TO_HOST("open", struct vmb_open, 0),
	[VMB_MSG_OPEN_RESULT] = TO_GUEST("open-result", struct vmb_open_result, 0),
	[VMB_MSG_CLOSE] = TO_HOST("close", struct vmb_relid, 0),
	[VMB_MSG_GPADL_HEADER] = TO_HOST("gpadl-header", struct vmb_gpadl_header, 0),
	[VMB_MSG_GPADL_BODY] = TO_HOST("gpadl-body", struct vmb_gpadl_body, 0),
	[VMB_MSG_GPADL_CREATED] = TO_GUEST("gpadl-created", struct vmb_gpadl_created, 0),
	[VMB_MSG_GPADL_TEARDOWN] = TO_HOST("gpadl-teardown", struct vmb_gpadl_teardown, 0),
	[VMB_MSG_GPADL_TORNDOWN] = TO_GUEST("gpadl-torndown", struct vmb_gpadl_torndown, 0),
	[VMB_MSG_RELID_RELEASED] = TO_HOST("relid-released", struct vmb_relid, 0),
	[VMB_MSG_INITIATE_CONTACT] = { .name = "initiate-contact", .to_host = true,
				       .min = sizeof(struct vmb_initiate_contact),
				       .unconnected = true },
	[VMB_MSG_VERSION_RESPONSE] = TO_GUEST("version-response", struct vmb_version_response, 0),
	/* Also while an old connection ends: a crashed guest does not wait for that. */
	[VMB_MSG_UNLOAD] = { .name = "unload", .to_host = true, .min = sizeof(struct vmb_header),
			     .since = VMB_VERSION_WIN8_1, .unconnected = true },
	[VMB_MSG_UNLOAD_RESPONSE] = TO_GUEST("unload-response", struct vmb_header, VMB_VERSION_WIN8_1),
	[VMB_MSG_TL_CONNECT] = TO_HOST("tl-connect", struct vmb_tl_connect, VMB_VERSION_WIN10),
	[VMB_MSG_MODIFY_CHANNEL] = TO_HOST("modify-channel", struct vmb_modify_channel,
					   VMB_VERSION_WIN10_V4_1),
	[VMB_MSG_TL_CONNECT_RESULT] = TO_GUEST("tl-connect-result", struct vmb_tl_connect_result,
					       VMB_VERSION_WIN10),
	[VMB_MSG_MODIFY_CHANNEL_RESPONSE] = TO_GUEST("modify-channel-response",
						     struct vmb_modify_channel_response,
						     VMB_VERSION_WIN10_V5_3),
};

const char *hv_busmsg_name(u32 type)
{
	return type < VMB_MSG_TYPES && hv_busmsg_shapes[type].name ? hv_busmsg_shapes[type].name : "?";
}

int hv_busmsg_check(const void *msg, u32 bytes, u32 version)
{
	const struct hv_busmsg_shape *s;
	u32 type;

	if (bytes < sizeof(struct vmb_header))
		return -EPROTO;
	type = get_unaligned_le32(msg);
	if (type >= VMB_MSG_TYPES)
		return -EPROTO;
	s = &hv_busmsg_shapes[type];
	if (!s->to_host || bytes < s->min)
		return -EPROTO;
	if (version ? version < s->since : !s->unconnected)
		return -EPROTO;
	return (int)type;
}
