// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmbus.c - a guest on its bus: negotiation, offers, GPADLs, an open channel, and every end
 *
 * Its host is selftests/api/vmbus_test.c: two channels; the first one's device echoes packets
 * with 1 added to each byte. Writes to PORT tell the host what to do (enum in both files).
 */
#include "bus.h"

#define PORT	0x600

enum { DO_HOLD_ACKS = 1, DO_ACK = 2, DO_REFUSE = 3, DO_SWAP_PAGE = 4, DO_SWAP_SLOT = 5,
       DO_RESCIND = 6, DO_CHECK_ZEROS = 7, DO_SUB = 8, DO_TAKE = 9, DO_GIVE_BACK = 10,
       DO_NOW_OFFER = 11, DO_STALL = 12, DO_RESUME = 13 };

#define PAGES	40u		/* both rings: a header and a body message */
#define DOWN	10u
#define GPADL	0xe1e10u
#define BUFFER	0xe1e11u

static u8 ring_mem[PAGES * 4096] __attribute__((aligned(4096)));
static u8 buffer[20 * 4096] __attribute__((aligned(4096)));
static struct vmb_offer offers[8];
static struct bus_ring out, in;
static u8 msg[VMB_MESSAGE_MAX];
static u8 buf[3000], back[3000];

static void host(u32 what)
{
	outl(PORT, what);
}

static void versions(void)
{
	static const u32 good[] = {
		VMB_VERSION_WIN8, VMB_VERSION_WIN8_1, VMB_VERSION_WIN10, VMB_VERSION_WIN10_V4_1,
		VMB_VERSION_WIN10_V5, VMB_VERSION_WIN10_V5_1, VMB_VERSION_WIN10_V5_2,
		VMB_VERSION_WIN10_V5_3,
	};
	static const u32 bad[] = { VMB_VERSION_WS2008, VMB_VERSION_WIN7, VMB_VERSION(5, 4),
				   VMB_VERSION(6, 0), 0xffffffff, 0 };
	struct vmb_version_response r;
	u32 i;

	check_eq(bus_header(VMB_MSG_REQUEST_OFFERS), TLFS_INVALID_PARAMETER, "nothing before contact");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		check_eq(bus_contact(bad[i], &r), TLFS_OK, "a version is offered");
		check(r.header.type == VMB_MSG_VERSION_RESPONSE && !r.supported,
		      "version 0x%x is refused", bad[i]);
		check_eq(bus_header(VMB_MSG_REQUEST_OFFERS), TLFS_INVALID_PARAMETER, "and nothing works");
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		check_eq(bus_contact(good[i], &r), TLFS_OK, "a version is offered");
		check(r.supported == 1 && !r.state, "version 0x%x is agreed upon", good[i]);
		if (good[i] >= VMB_VERSION_WIN10_V5)
			check_eq(r.connection, VMB_CONNECTION_MESSAGES, "where messages go from now on");
	}
	bus_contact(VMB_VERSION_WIN10, &r);
	check_eq(bus_header(VMB_MSG_UNLOAD), TLFS_OK, "unload");
	bus_expect(VMB_MSG_UNLOAD_RESPONSE, msg, "unload is answered");
	check_eq(bus_header(VMB_MSG_REQUEST_OFFERS), TLFS_INVALID_PARAMETER, "nothing after it");
}

static void offered(void)
{
	u32 n = bus_connect(offers, 8);

	check_eq(n, 2, "two channels are offered");
	check(offers[0].relid && offers[0].relid < VMB_RELIDS && offers[0].relid != offers[1].relid,
	      "relids %u and %u", offers[0].relid, offers[1].relid);
	check_eq(offers[0].instance.b[0], 0xa1, "in order of creation");
	check_eq(offers[0].interface.b[15], 0x77, "class");
	check_eq(offers[0].mmio_megabytes, 8, "megabytes of MMIO");
	check_eq(offers[0].user_defined[5], 0x55, "what only the driver understands");
	check_eq(offers[0].flags & VMB_OFFER_F_NAMED_PIPE, 0, "the first is no pipe");
	check_eq(offers[1].flags & VMB_OFFER_F_NAMED_PIPE, VMB_OFFER_F_NAMED_PIPE, "the second is");
	check_eq(offers[0].monitor_allocated, 0, "no monitor page");
	check_eq(offers[0].dedicated_interrupt, 1, "an event flag of its own");
	check(bus_header(VMB_MSG_REQUEST_OFFERS) == TLFS_OK && bus_silent("asked twice, told once"),
	      "second request");
}

static void bad_gpadls(u32 relid)
{
	struct vmb_gpadl_header h = {
		.header.type = VMB_MSG_GPADL_HEADER, .relid = relid, .gpadl = 5,
		.range_bytes = 16, .ranges = 2, .range.bytes = 4096,
	};
	struct vmb_gpadl_body b = { .header.type = VMB_MSG_GPADL_BODY, .gpadl = 77 };
	u32 i;

	for (i = 0; i < 4; i++) {
		memcpy(msg, &h, sizeof(h));
		bus_post(1, msg, sizeof(h) + 8);
		bus_expect(VMB_MSG_GPADL_CREATED, msg, "a bad GPADL is answered");
		check(((struct vmb_gpadl_created *)msg)->status, "with an error");
		h.ranges = i ? 1 : 0;
		h.range_bytes = i == 1 ? 8 : 17;
		if (i == 2)
			h.range.bytes = 0xffffffff;
	}
	bus_post(1, &b, sizeof(b));
	bus_silent("a body of nothing is dropped");
	check(bus_gpadl(1999, 5, buffer, 1), "a GPADL for no channel");
}

static void opens(u32 relid)
{
	check(bus_open(relid, GPADL, ring_mem, PAGES, DOWN, 0), "open without the GPADL fails");
	check_eq(bus_gpadl(relid, GPADL, ring_mem, PAGES), 0, "a GPADL in two messages");
	check(bus_gpadl(relid, GPADL, ring_mem, PAGES), "its handle is taken");
	check(bus_open(relid, GPADL, ring_mem, PAGES, 1, 0), "a ring without data");
	check(bus_open(relid, GPADL, ring_mem, PAGES, PAGES - 1, 0), "the other one");
	check(bus_open(relid, GPADL, ring_mem, PAGES, 0xffffffff, 0), "beyond all");
	check(bus_open(relid, GPADL, ring_mem, PAGES, DOWN, 99), "a VP that is not there");
	host(DO_REFUSE);
	check_eq(bus_open(relid, GPADL, ring_mem, PAGES, DOWN, 0), VMB_STATUS_UNSUCCESSFUL,
		 "the device refuses");
	check_eq(bus_open(relid, GPADL, ring_mem, PAGES, DOWN, 0), 0, "the device accepts");
	check(bus_open(relid, GPADL, ring_mem, PAGES, DOWN, 0), "it is open already");
	bus_ring(&out, ring_mem, DOWN);
	bus_ring(&in, ring_mem + DOWN * 4096, PAGES - DOWN);
}

/* One packet there and back. */
static bool echo(u32 i, u32 len, u32 vp)
{
	u32 relid = offers[0].relid, k;
	struct vmb_packet d;

	for (k = 0; k < len; k++)
		buf[k] = (u8)(i + k);
	if (bus_put(&out, VMB_PACKET_INBAND, VMB_PACKET_F_COMPLETION, i + 1, buf, len))
		bus_signal(offers[0].connection);
	if (!bus_get(&in, &d, back, sizeof(back), BUS_WAIT))
		return false;
	if (d.type != VMB_PACKET_COMPLETION || d.transaction != i + 1)
		return false;
	for (k = 0; k < len; k++)
		if (back[k] != (u8)(i + k + 1))
			return false;
	return bus_flag(vp, relid, BUS_WAIT);
}

static bool echoes(u32 n, u32 vp)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (!echo(i, (i * 37) % sizeof(buf), vp))
			break;
	return check(i == n, "%u of %u packets came back by VP %u", i, n, vp);
}

static void modified(u32 relid)
{
	struct vmb_modify_channel m = { .header.type = VMB_MSG_MODIFY_CHANNEL, .relid = relid,
					.target_vp = 1 };
	struct vmb_modify_channel_response *r = (void *)msg;

	bus_post(1, &m, sizeof(m));
	bus_expect(VMB_MSG_MODIFY_CHANNEL_RESPONSE, msg, "modify is answered");
	check(r->relid == relid && !r->status, "well");
	echoes(20, 1);
	check(!bus_flag(0, relid, 1), "and none by VP 0");
	m.target_vp = 55;
	bus_post(1, &m, sizeof(m));
	bus_expect(VMB_MSG_MODIFY_CHANNEL_RESPONSE, msg, "a VP that is not there is answered");
	check(r->status, "with an error");
	m.target_vp = 0;
	bus_post(1, &m, sizeof(m));
	bus_expect(VMB_MSG_MODIFY_CHANNEL_RESPONSE, msg, "back to VP 0");
	echoes(5, 0);
}

static void closes(u32 relid)
{
	bus_relid(VMB_MSG_CLOSE, relid);
	bus_teardown(relid, GPADL);
	bus_expect(VMB_MSG_GPADL_TORNDOWN, msg, "close, and the rings' GPADL is torn down");
	host(DO_CHECK_ZEROS);
	opens(relid);
	echoes(3, 0);
	/* the device has not let go: no torn-down before it does */
	host(DO_HOLD_ACKS);
	bus_relid(VMB_MSG_CLOSE, relid);
	bus_teardown(relid, GPADL);
	bus_silent("rings in use are not torn down");
	check(bus_open(relid, GPADL, ring_mem, PAGES, DOWN, 0), "nor opened again");
	host(DO_ACK);
	bus_expect(VMB_MSG_GPADL_TORNDOWN, msg, "but when the device has let go");
	/* torn down without a close: the same */
	opens(relid);
	bus_teardown(relid, GPADL);
	bus_expect(VMB_MSG_GPADL_TORNDOWN, msg, "torn down without a close");
}

static void buffers(u32 relid)
{
	check_eq(bus_gpadl(relid, BUFFER, buffer, 20), 0, "a buffer's GPADL");
	host(DO_TAKE);
	bus_teardown(relid, BUFFER);
	bus_silent("a buffer in use is not torn down");
	host(DO_GIVE_BACK);
	bus_expect(VMB_MSG_GPADL_TORNDOWN, msg, "but when the device has given it back");
	check_eq(bus_gpadl(relid, BUFFER, buffer, 20), 0, "and made again");
	bus_teardown(relid, BUFFER);
	bus_expect(VMB_MSG_GPADL_TORNDOWN, msg, "torn down at once");
	bus_teardown(relid, BUFFER);
	bus_silent("twice: nothing");
}

/* The memory below the rings is exchanged under the device. */
static void memory(u32 relid)
{
	opens(relid);
	echoes(3, 0);
	host(DO_SWAP_PAGE);
	echoes(200, 0);
	host(DO_SWAP_SLOT);
	echoes(200, 0);
}

/* A kernel that crashes while it connects anew waits for the unload alone. */
static void crashes(void)
{
	struct vmb_initiate_contact m = { .header.type = VMB_MSG_INITIATE_CONTACT,
					  .version = VMB_VERSION_WIN10_V5_3, .v5.sint = 2 };

	host(DO_HOLD_ACKS);
	check_eq(bus_post(4, &m, sizeof(m)), TLFS_OK, "a contact over an open channel");
	bus_silent("it waits for the device");
	check_eq(bus_header(VMB_MSG_UNLOAD), TLFS_OK, "an unload then");
	bus_silent("waits too");
	host(DO_ACK);
	bus_expect(VMB_MSG_UNLOAD_RESPONSE, msg, "and is what is answered");
	bus_silent("alone");
	check_eq(bus_connect(offers, 8), 2, "connected again");
	opens(offers[0].relid);
	echoes(3, 0);
}

static void reconnects(void)
{
	struct vmb_version_response r;
	u32 n;

	/* a new kernel on top of the old one: the device must let go first */
	host(DO_HOLD_ACKS);
	check_eq(bus_gpadl(offers[0].relid, BUFFER, buffer, 20), 0, "a buffer");
	host(DO_TAKE);
	bus_header(VMB_MSG_UNLOAD);
	bus_silent("unload waits for the device");
	host(DO_ACK);
	bus_expect(VMB_MSG_UNLOAD_RESPONSE, msg, "unload is answered");
	n = bus_connect(offers, 8);
	check_eq(n, 2, "connected again: the same channels");
	opens(offers[0].relid);
	echoes(3, 0);
	bus_contact(VMB_VERSION_WIN10_V5_3, &r);
	check(r.supported, "a contact over an open channel");
	check_eq(bus_header(VMB_MSG_REQUEST_OFFERS), TLFS_OK, "offers");
	for (n = 0; n < 2; n++)
		bus_expect(VMB_MSG_OFFER, msg, "an offer");
	bus_expect(VMB_MSG_OFFERS_DELIVERED, msg, "and that is all");
	opens(offers[0].relid);
	echoes(3, 0);
	crashes();
}

static void subs(u32 relid)
{
	struct vmb_offer o;
	u32 sub;

	host(DO_SUB);
	if (!bus_expect(VMB_MSG_OFFER, msg, "a sub-channel is offered"))
		return;
	memcpy(&o, msg, sizeof(o));
	sub = o.relid;
	check_eq(o.sub_channel_index, 1, "index 1");
	check(!memcmp(&o.instance, &offers[0].instance, 16), "of the same instance");
	bus_relid(VMB_MSG_CLOSE, relid);
	bus_expect(VMB_MSG_RESCIND, msg, "it goes with the primary one");
	check_eq(((struct vmb_rescind *)msg)->relid, sub, "by relid");
	bus_relid(VMB_MSG_RELID_RELEASED, sub);
	bus_teardown(relid, GPADL);
	bus_expect(VMB_MSG_GPADL_TORNDOWN, msg, "closed");
}

static void rescinds(void)
{
	u32 relid = offers[1].relid;

	check_eq(bus_gpadl(relid, BUFFER, buffer, 20), 0, "a buffer on the second channel");
	host(DO_RESCIND);
	bus_expect(VMB_MSG_RESCIND, msg, "the second channel is rescinded");
	check_eq(((struct vmb_rescind *)msg)->relid, relid, "by relid");
	check(bus_gpadl(relid, BUFFER + 1, buffer, 20), "no GPADL on it any more");
	bus_relid(VMB_MSG_RELID_RELEASED, relid);
	bus_silent("released");
	host(DO_NOW_OFFER);
	bus_expect(VMB_MSG_OFFER, msg, "and the same instance is offered anew");
	check_eq(bus_gpadl(((struct vmb_offer *)msg)->relid, BUFFER, buffer, 20), 0,
		 "the handle is free again");
}

static void tl_connect(void)
{
	struct vmb_tl_connect m = { .header.type = VMB_MSG_TL_CONNECT, .endpoint.b = { 9 } };

	bus_post(1, &m, sizeof(m));
	bus_expect(VMB_MSG_TL_CONNECT_RESULT, msg, "a connection nobody listens for");
	check(((struct vmb_tl_connect_result *)msg)->status, "is refused");
}

static void on_other(void *arg)
{
	(void)arg;
	bus_init();
}

void main(void)
{
	u32 relid;

	if (!hyperv_present())
		leave(2);
	hyperv_enable();
	if (smp_start() > 1)
		smp_call(1, on_other, NULL);
	bus_init();
	if (option("nobus", 0)) {
		check_eq(bus_header(VMB_MSG_REQUEST_OFFERS), TLFS_INVALID_CONNECTION_ID, "no bus: 1");
		check_eq(bus_post(4, msg, 40), TLFS_INVALID_CONNECTION_ID, "no bus: 4");
		return;
	}
	versions();
	offered();
	relid = offers[0].relid;
	bad_gpadls(relid);
	opens(relid);
	echoes(300, 0);
	modified(relid);
	closes(relid);
	buffers(relid);
	memory(relid);
	reconnects();
	subs(relid);
	tl_connect();
	rescinds();
	bus_header(VMB_MSG_UNLOAD);
	bus_expect(VMB_MSG_UNLOAD_RESPONSE, msg, "and the last unload");
}
