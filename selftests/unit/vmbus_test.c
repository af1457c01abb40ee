// SPDX-License-Identifier: GPL-2.0-or-later
/* vmbus_test.c - the pure cores of the VMBus server: messages, versions, GPADLs, offers, channels */
#include <hv/portable.h>
#include <hv/hv_bus.h>
#include <hvguest/vmbus.h>
#include "lib/unit.h"
#include "vmbus/lib/chan.h"
#include "vmbus/lib/conn.h"
#include "vmbus/lib/gpadl.h"
#include "vmbus/lib/msg.h"
#include "vmbus/lib/offer.h"

static void messages(void)
{
	static const struct { u32 type, bytes; } sizes[] = {
		{ VMB_MSG_OFFER, 196 }, { VMB_MSG_RESCIND, 12 }, { VMB_MSG_OPEN, 148 },
		{ VMB_MSG_OPEN_RESULT, 20 }, { VMB_MSG_CLOSE, 12 }, { VMB_MSG_GPADL_HEADER, 28 },
		{ VMB_MSG_GPADL_BODY, 16 }, { VMB_MSG_GPADL_CREATED, 20 }, { VMB_MSG_GPADL_TEARDOWN, 16 },
		{ VMB_MSG_GPADL_TORNDOWN, 12 }, { VMB_MSG_INITIATE_CONTACT, 40 },
		{ VMB_MSG_VERSION_RESPONSE, 16 }, { VMB_MSG_UNLOAD, 8 }, { VMB_MSG_TL_CONNECT, 40 },
		{ VMB_MSG_MODIFY_CHANNEL, 16 }, { VMB_MSG_MODIFY_CHANNEL_RESPONSE, 16 },
	};
	u8 msg[VMB_MESSAGE_MAX] = { 0 };
	u32 i, type;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		CHECK_EQ(hv_busmsg_shapes[sizes[i].type].min, sizes[i].bytes);
	for (type = 0; type < VMB_MSG_TYPES + 3; type++) {
		const struct hv_busmsg_shape *s = type < VMB_MSG_TYPES ? &hv_busmsg_shapes[type] : NULL;
		bool ours = s && s->to_host;

		put_unaligned_le32(type, msg);
		CHECK_EQ(hv_busmsg_check(msg, VMB_MESSAGE_MAX, VMB_VERSION_WIN10_V5_3),
			 ours ? (int)type : -EPROTO);
		if (!ours)
			continue;
		CHECK_EQ(hv_busmsg_check(msg, s->min, VMB_VERSION_WIN10_V5_3), (int)type);
		CHECK_EQ(hv_busmsg_check(msg, s->min - 1u, VMB_VERSION_WIN10_V5_3), -EPROTO);
		CHECK_EQ(hv_busmsg_check(msg, s->min, 0),
			 type == VMB_MSG_INITIATE_CONTACT || type == VMB_MSG_UNLOAD ? (int)type :
			 -EPROTO);
	}
	put_unaligned_le32(VMB_MSG_UNLOAD, msg);
	CHECK_EQ(hv_busmsg_check(msg, 8, VMB_VERSION_WIN8), -EPROTO);
	CHECK_EQ(hv_busmsg_check(msg, 8, VMB_VERSION_WIN8_1), VMB_MSG_UNLOAD);
	put_unaligned_le32(VMB_MSG_MODIFY_CHANNEL, msg);
	CHECK_EQ(hv_busmsg_check(msg, 16, VMB_VERSION_WIN10), -EPROTO);
	CHECK_EQ(hv_busmsg_check(msg, 7, VMB_VERSION_WIN10), -EPROTO);
	CHECK(!strcmp(hv_busmsg_name(VMB_MSG_OPEN), "open"));
	CHECK(!strcmp(hv_busmsg_name(18), "?") && !strcmp(hv_busmsg_name(~0u), "?"));
}

static bool contact(struct hv_conn *c, u32 version, u8 sint, u8 vtl, struct vmb_version_response *r)
{
	memset(&c->contact, 0, sizeof(c->contact));
	c->contact.version = version;
	c->contact.target_vp = 7;
	c->contact.v5.sint = sint;
	c->contact.v5.vtl = vtl;
	hv_conn_end(c, HV_CONN_NEXT_CONTACT);
	CHECK_EQ(c->state, HV_CONN_ENDING);
	CHECK_EQ(c->version, 0);
	CHECK_EQ(hv_conn_ended(c), HV_CONN_NEXT_CONTACT);
	hv_conn_answer(c, r);
	CHECK_EQ(c->version, r->supported ? version : 0);
	CHECK_EQ(c->state, r->supported ? HV_CONN_UP : HV_CONN_OFF);
	CHECK_EQ(r->header.type, VMB_MSG_VERSION_RESPONSE);
	return r->supported;
}

static void connections(void)
{
	struct vmb_version_response r;
	struct hv_conn c;

	CHECK_EQ(hv_conn_init(&c, VMB_VERSION(1, 0)), -EINVAL);
	CHECK_EQ(hv_conn_init(&c, 0), 0);
	CHECK_EQ(c.max_version, VMB_VERSION_WIN10_V5_3);
	CHECK(contact(&c, VMB_VERSION_WIN10_V5_3, VMB_SINT, 0, &r));
	CHECK_EQ(r.connection, VMB_CONNECTION_MESSAGES);
	CHECK_EQ(c.target_vp, 7);
	CHECK(!contact(&c, VMB_VERSION_WIN10_V5, 3, 0, &r));
	CHECK(!contact(&c, VMB_VERSION_WIN10_V5, VMB_SINT, 1, &r));
	/* below 5.0 there is an address where the SINT stands later */
	CHECK(contact(&c, VMB_VERSION_WIN10_V4_1, 0x55, 0x66, &r));
	CHECK_EQ(r.connection, VMB_VERSION_WIN10_V4_1);
	CHECK(!contact(&c, VMB_VERSION_WIN7, VMB_SINT, 0, &r));
	CHECK(!contact(&c, 0, VMB_SINT, 0, &r));
	CHECK_EQ(hv_conn_init(&c, VMB_VERSION_WIN10), 0);
	CHECK(!contact(&c, VMB_VERSION_WIN10_V4_1, 0, 0, &r));
	CHECK(contact(&c, VMB_VERSION_WIN8, 0, 0, &r));
	/* what comes later overtakes; without an end nothing is told */
	CHECK_EQ(hv_conn_ended(&c), HV_CONN_NEXT_NONE);
	CHECK_EQ(c.state, HV_CONN_UP);
	hv_conn_end(&c, HV_CONN_NEXT_UNLOAD);
	hv_conn_end(&c, HV_CONN_NEXT_CONTACT);
	CHECK_EQ(hv_conn_ended(&c), HV_CONN_NEXT_CONTACT);
	CHECK_EQ(c.state, HV_CONN_OFF);
	hv_conn_end(&c, HV_CONN_NEXT_NONE);
	CHECK_EQ(hv_conn_ended(&c), HV_CONN_NEXT_NONE);
	CHECK(!strcmp(hv_conn_state_name(HV_CONN_UP), "up") && !strcmp(hv_conn_state_name(9), "?"));
}

static int header(u16 range_bytes, u16 ranges, u32 bytes, u32 offset, u32 len, struct hv_gpadl_shape *s,
		  u32 *nr)
{
	u8 msg[VMB_MESSAGE_MAX];
	struct vmb_gpadl_header h = {
		.header.type = VMB_MSG_GPADL_HEADER, .range_bytes = range_bytes, .ranges = ranges,
		.range = { bytes, offset },
	};
	u32 i;

	memcpy(msg, &h, sizeof(h));
	for (i = 0; i < 26; i++)
		put_unaligned_le64(0x1000 + i, msg + 28 + 8 * i);
	if (hv_gpadl_header(msg, len, s, nr))
		return -EINVAL;
	CHECK(*nr <= s->npages && *nr <= (len - 28) / 8);
	CHECK(!*nr || hv_gpadl_header_pfn(msg, *nr - 1) == 0x1000 + *nr - 1);
	return 0;
}

static void gpadls(void)
{
	u8 body[VMB_MESSAGE_MAX] = { 0 };
	struct hv_gpadl_shape s;
	u32 nr;

	CHECK_EQ(HV_GPADL_MAX_PAGES, 8190);
	CHECK_EQ(header(16, 1, 4096, 0, 36, &s, &nr), 0);
	CHECK(s.npages == 1 && s.bytes == 4096 && !s.offset && nr == 1);
	CHECK_EQ(header(16, 1, 1, 4095, 36, &s, &nr), 0);
	CHECK_EQ(header(16, 1, 2, 4095, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(24, 1, 2, 4095, 44, &s, &nr), 0);
	CHECK_EQ(header(8 + 8 * 40, 1, 40 * 4096, 0, 236, &s, &nr), 0);
	CHECK(s.npages == 40 && nr == 26);
	CHECK_EQ(header(65528, 1, 8190u * 4096, 0, 28, &s, &nr), 0);
	CHECK(s.npages == 8190 && nr == 0);
	CHECK_EQ(header(16, 1, 4096, 0, 236, &s, &nr), 0);	/* more than announced: ignored */
	CHECK_EQ(nr, 1);
	CHECK_EQ(header(16, 0, 4096, 0, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(16, 2, 4096, 0, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(8, 1, 0, 0, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(17, 1, 4096, 0, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(16, 1, 0, 0, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(16, 1, 4096, 4096, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(16, 1, 0xffffffff, 0xfff, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(16, 1, 4097, 0, 36, &s, &nr), -EINVAL);
	CHECK_EQ(header(16, 1, 4096, 0, 27, &s, &nr), -EINVAL);
	CHECK_EQ(hv_gpadl_body(16 + 28 * 8, 100), 28);
	CHECK_EQ(hv_gpadl_body(16 + 28 * 8, 3), 3);
	CHECK_EQ(hv_gpadl_body(16 + 8, 0), -EINVAL);
	CHECK_EQ(hv_gpadl_body(16 + 7, 5), -EINVAL);
	CHECK_EQ(hv_gpadl_body(15, 5), -EINVAL);
	put_unaligned_le64(0xabc, body + 24);
	CHECK(hv_gpadl_body_pfn(body, 1) == 0xabc);
}

static void offers(void)
{
	struct hv_channel_args a = { .mmio_megabytes = 64, .flags = HV_CHANNEL_F_PIPE, .max_sub_channels = 4 };
	struct hv_offer o, p;
	struct vmb_offer m;

	CHECK_EQ(hv_offer_init(&o, &a), -EINVAL);
	a.interface[0] = 1;
	CHECK_EQ(hv_offer_init(&o, &a), -EINVAL);
	a.instance[15] = 2;
	a.user_defined[0] = 0xff;
	a.user_defined[7] = 0x77;
	CHECK_EQ(hv_offer_init(&o, &a), 0);
	o.relid = 5;
	p = o;
	CHECK(hv_offer_same(&o, &p));
	p.sub_channel = 1;
	CHECK(!hv_offer_same(&o, &p));
	hv_offer_fill(&p, &m);
	CHECK_EQ(m.header.type, VMB_MSG_OFFER);
	CHECK_EQ(m.flags, VMB_OFFER_F_ENUMERATE | VMB_OFFER_F_NAMED_PIPE);
	CHECK_EQ(m.relid, 5);
	CHECK_EQ(m.connection, VMB_CONNECTION_CHANNELS + 5);
	CHECK_EQ(m.sub_channel_index, 1);
	CHECK_EQ(m.mmio_megabytes, 64);
	CHECK_EQ(m.user_defined[0], VMB_PIPE_MODE_MESSAGE);
	CHECK_EQ(m.user_defined[7], 0x77);
	CHECK(!m.monitor_allocated && m.dedicated_interrupt == 1);
	a.max_ring_pages = 3;
	CHECK_EQ(hv_offer_init(&o, &a), -EINVAL);
	a.max_ring_pages = VMB_RING_MAX_PAGES + 1;
	CHECK_EQ(hv_offer_init(&o, &a), -EINVAL);
	a.max_ring_pages = 4;
	CHECK_EQ(hv_offer_init(&o, &a), 0);
	a.max_sub_channels = 0xffff;
	CHECK_EQ(hv_offer_init(&o, &a), -EINVAL);
}

static void channels(void)
{
	static const u8 life[][2] = {
		{ HV_CM_OFFER, HV_CHAN_OFFERED }, { HV_CM_OPEN, HV_CHAN_OPENING },
		{ HV_CM_REFUSE, HV_CHAN_OFFERED }, { HV_CM_OPEN, HV_CHAN_OPENING },
		{ HV_CM_ACCEPT, HV_CHAN_OPEN }, { HV_CM_CLOSE, HV_CHAN_CLOSING },
		{ HV_CM_ACK, HV_CHAN_OFFERED }, { HV_CM_OPEN, HV_CHAN_OPENING },
		{ HV_CM_ACCEPT, HV_CHAN_OPEN }, { HV_CM_DRAIN, HV_CHAN_DRAINING },
		{ HV_CM_ACK, HV_CHAN_HIDDEN }, { HV_CM_OFFER, HV_CHAN_OFFERED },
		{ HV_CM_RESCIND, HV_CHAN_RESCINDED }, { HV_CM_RELEASE, HV_CHAN_DEAD },
	};
	int s = HV_CHAN_HIDDEN, m, to;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(life); i++) {
		s = hv_chan_edge(s, life[i][0]);
		CHECK_EQ(s, life[i][1]);
	}
	for (m = 0; m < HV_CM_NR; m++) {
		CHECK_EQ(hv_chan_edge(HV_CHAN_DEAD, m), -EPROTO);
		for (s = 0; s < HV_CHAN_STATES; s++) {
			to = hv_chan_edge(s, m);
			CHECK(to == -EPROTO || (to >= 0 && to < HV_CHAN_STATES));
			/* every end of a connection leads out of what the guest may talk about */
			if ((m == HV_CM_DISCONNECT || m == HV_CM_DRAIN) && to >= 0)
				CHECK(!hv_chan_is_offered(to));
			/* a device that has not let go is never passed over */
			if (s == HV_CHAN_CLOSING || s == HV_CHAN_DRAINING)
				CHECK(m == HV_CM_ACK || m == HV_CM_RESCIND || to < 0 || hv_chan_is_busy(to));
		}
	}
	CHECK_EQ(hv_chan_edge(HV_CHAN_STATES, HV_CM_OFFER), -EPROTO);
	CHECK_EQ(hv_chan_edge(0, HV_CM_NR), -EPROTO);
	/* rescind is possible wherever it is not over already */
	for (s = 0; s < HV_CHAN_RESCINDED; s++)
		CHECK(hv_chan_edge(s, HV_CM_RESCIND) >= HV_CHAN_RESCINDED);
	/* and wherever the device may use something it can be asked first */
	for (s = HV_CHAN_OFFERED; s < HV_CHAN_RESCINDED; s++)
		CHECK(hv_chan_is_busy(hv_chan_edge(s, HV_CM_RETIRE)));
	CHECK(!strcmp(hv_chan_state_name(HV_CHAN_OPEN), "open") && !strcmp(hv_chan_state_name(8), "?"));

	CHECK_EQ(hv_chan_rings_check(4, 4 * 4096, 0, 2, 0), VMB_STATUS_OK);
	CHECK(hv_chan_rings_check(3, 3 * 4096, 0, 2, 0));
	CHECK(hv_chan_rings_check(4, 4 * 4096, 0, 1, 0));
	CHECK(hv_chan_rings_check(4, 4 * 4096, 0, 3, 0));
	CHECK(hv_chan_rings_check(4, 4 * 4096, 0, 0xffffffff, 0));
	CHECK(hv_chan_rings_check(4, 4 * 4096 - 1, 0, 2, 0));
	CHECK(hv_chan_rings_check(4, 3 * 4096, 4095, 2, 0));
	CHECK(hv_chan_rings_check(8, 8 * 4096, 0, 4, 7));
	CHECK_EQ(hv_chan_rings_check(8, 8 * 4096, 0, 4, 8), VMB_STATUS_OK);
}

int main(void)
{
	messages();
	connections();
	gpadls();
	offers();
	channels();
	return unit_done();
}
