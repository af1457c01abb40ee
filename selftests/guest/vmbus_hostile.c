// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vmbus_hostile.c - a guest that floods its bus, and says anything in any order
 *
 * Nothing is expected of the answers to nonsense; the bus has to live, and a connection made
 * afterwards works. Options: loops=N (3000), seed=N. Host: selftests/api/vmbus_test.c.
 */
#include "bus.h"

#define PAGES	40u
#define GPADL	0xe1e10u
#define GPADL_FAIR 0xe1e20u	/* of an opening meant well */

static u8 ring_mem[PAGES * 4096] __attribute__((aligned(4096)));
static struct vmb_offer offers[8];
static struct bus_ring out, in;
static u8 msg[VMB_MESSAGE_MAX], answer[VMB_MESSAGE_MAX];
static u64 seed;

static u32 rnd(u32 below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (u32)((seed >> 20) % below);
}

/* Until nothing has come for @ms. */
static void drain(u32 ms)
{
	while (bus_take(answer, ms))
		;
}

/* Ask and do not read: there must be an end to it, and every question that was taken is answered. */
static void flood(void)
{
	struct vmb_tl_connect m = { .header.type = VMB_MSG_TL_CONNECT };
	u32 taken = 0, got = 0;
	u16 status;

	do {
		status = bus_post_once(VMB_CONNECTION_MESSAGES, &m, sizeof(m));
		taken += status == TLFS_OK;
	} while (status == TLFS_OK && taken < 5000);
	check_eq(status, TLFS_INSUFFICIENT_BUFFERS, "a guest that reads no answers is stopped");
	check(taken > 16 && taken < 1000, "after %u messages", taken);
	while (got < taken && bus_take(answer, BUS_WAIT) == VMB_MSG_TL_CONNECT_RESULT)
		got++;
	check_eq(got, taken, "and gets the answers it had coming");
	bus_silent("no more than those");
	check_eq(bus_post_once(VMB_CONNECTION_MESSAGES, &m, sizeof(m)), TLFS_OK, "then it may go on");
	bus_take(answer, BUS_WAIT);
}

static u32 interesting(void)
{
	static const u32 values[] = { 0, 1, 2, 3, 10, 40, 4096, 0x7fff, 0xffff, 0x80000000, 0xffffffff,
				      VMB_VERSION_WIN10_V5_3, VMB_VERSION_WIN8, GPADL, GPADL + 1 };

	return rnd(3) ? values[rnd(ARRAY_SIZE(values))] : rnd(0x10000);
}

/* Mostly messages that are nearly right, so that they get far. */
static void one(void)
{
	static const u8 types[] = {
		VMB_MSG_OPEN, VMB_MSG_CLOSE, VMB_MSG_GPADL_HEADER, VMB_MSG_GPADL_BODY,
		VMB_MSG_GPADL_TEARDOWN, VMB_MSG_MODIFY_CHANNEL, VMB_MSG_REQUEST_OFFERS,
		VMB_MSG_RELID_RELEASED, VMB_MSG_INITIATE_CONTACT, VMB_MSG_UNLOAD,
	};
	u32 i, type = rnd(16) ? types[rnd(rnd(16) ? 7 : ARRAY_SIZE(types))] : interesting();
	u32 bytes = rnd(8) ? VMB_MESSAGE_MAX : rnd(VMB_MESSAGE_MAX);

	for (i = 8; i + 4 <= sizeof(msg); i += 4)
		put_unaligned_le32(interesting(), msg + i);
	put_unaligned_le32(type, msg);
	if (rnd(4))
		put_unaligned_le32(offers[rnd(2)].relid, msg + 8);
	if (rnd(4))	/* the handle, where the two that make one have it, and where an open has it */
		put_unaligned_le32(GPADL + rnd(3), msg + (type == VMB_MSG_OPEN ? 16 : 12));
	if (type == VMB_MSG_GPADL_HEADER && rnd(4)) {
		u32 pages = 4 + rnd(24);

		put_unaligned_le16((u16)(8 + 8 * pages), msg + 16);
		put_unaligned_le16(1, msg + 18);
		put_unaligned_le32(pages * 4096, msg + 20);
		put_unaligned_le32(0, msg + 24);
		for (i = 0; i < 26; i++)
			put_unaligned_le64(((u64)(uintptr_t)ring_mem >> 12) + i, msg + 28 + 8 * i);
	}
	if (type == VMB_MSG_OPEN && rnd(4)) {
		put_unaligned_le32(0, msg + 20);
		put_unaligned_le32(2 + rnd(4), msg + 24);
	}
	bus_post_once(rnd(8) ? VMB_CONNECTION_MESSAGES : VMB_CONNECTION_CONTACT, msg, bytes);
	while (rnd(8) && bus_take(answer, 0))	/* unread answers would stop us soon */
		;
	if (!rnd(16))
		bus_signal(offers[rnd(2)].connection);
	/* rings are the device's nightmare, too */
	for (i = 0; i < 4; i++)
		*(volatile u32 *)(ring_mem + rnd(PAGES) * 4096 + 4 * rnd(8)) = interesting();
}

static void works(void)
{
	struct vmb_packet d;
	u8 back[8];
	u32 n;

	drain(10 * BUS_QUIET);	/* an answer to nonsense may wait for the device */
	n = bus_connect(offers, 8);
	if (!check(n >= 1, "%u channels", n))
		return;
	check_eq(bus_gpadl(offers[0].relid, GPADL, ring_mem, PAGES), 0, "a GPADL");
	check_eq(bus_open(offers[0].relid, GPADL, ring_mem, PAGES, 10, 0), 0, "open");
	bus_ring(&out, ring_mem, 10);
	bus_ring(&in, ring_mem + 10 * 4096, PAGES - 10);
	if (bus_put(&out, VMB_PACKET_INBAND, 0, 7, "abc", 3))
		bus_signal(offers[0].connection);
	check(bus_get(&in, &d, back, 8, BUS_WAIT) && d.transaction == 7 && back[0] == 'b', "a packet");
}

void main(void)
{
	struct vmb_version_response r;
	u64 i, loops = option("loops", 3000);

	seed = option("seed", 88172645463325252ull);
	if (!hyperv_present())
		leave(2);
	hyperv_enable();
	bus_init();
	check_eq(bus_connect(offers, 8), 2, "two channels");
	flood();
	for (i = 0; i < loops; i++) {
		if (i % 256 == 255) {	/* or nothing would be offered after a while */
			bus_contact(VMB_VERSION_WIN10_V5_3, &r);
			bus_header(VMB_MSG_REQUEST_OFFERS);
			drain(5);
			/* Others come and go before a slow device has looked; this one it sees. */
			bus_gpadl(offers[0].relid, GPADL_FAIR, ring_mem, PAGES);
			bus_open(offers[0].relid, GPADL_FAIR, ring_mem, PAGES, 10, 0);
		}
		one();
	}
	works();
}
