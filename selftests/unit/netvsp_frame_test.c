// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames through the network adapter, both ways, and what is wrong with them. */
#include "lib/nic.h"

/* ---- tests ---- */

/* An RNDIS packet at @at with a frame of @bytes from @frame and information words. Return: its bytes. */
static uint32_t packet_put(uint32_t at, const uint8_t *frame, uint32_t bytes, uint32_t type, uint32_t value)
{
	uint32_t info[4] = { 16, type, 12, value };
	bool has = type != UINT32_MAX;
	struct vmb_rndis_packet r = {
		.header = { VMB_RNDIS_PACKET, sizeof(r) + (has ? 16 : 0) + bytes },
		.data_offset = sizeof(r) - 8 + (has ? 16 : 0), .data_bytes = bytes,
		.info_offset = has ? sizeof(r) - 8 : 0, .info_bytes = has ? 16 : 0,
	};

	memcpy(ram + at, &r, sizeof(r));
	if (has)
		memcpy(ram + at + sizeof(r), info, sizeof(info));
	memcpy(ram + at + 8 + r.data_offset, frame, bytes);
	return r.header.bytes;
}

#define NONE UINT32_MAX

static void frame_make(uint8_t *f, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		f[i] = (uint8_t)(i * 31 + bytes);
	memcpy(f, "\x02\x10\x20\x30\x40\x50", 6);
	memcpy(f + 6, mac, 6);
	f[12] = 0x88;	/* a type that nobody looks into */
	f[13] = 0xb5;
}

static void test_send(void)
{
	uint8_t f[2][1514];
	uint32_t n, a, b;
	struct netvsp_counters was;

	setup();
	was = counts();
	frame_make(f[0], 1514);
	frame_make(f[1], 60);
	/* in a section */
	n = packet_put(SEND + NET_SEND_SECTION, f[0], 1514, NONE, 0);
	CHECK_EQ(send_rndis(0, 1, n, NULL, 0), VMB_NVSP_OK);
	CHECK_EQ(wire.bytes, 1514);
	CHECK(!memcmp(wire.frame, f[0], 1514));
	/* two, padded; then a third that begins there and goes on in pages */
	a = packet_put(SEND, f[1], 60, NONE, 0);
	b = packet_put(SEND + a, f[0], 1514, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, a + b, NULL, 0), VMB_NVSP_OK);
	CHECK_EQ(wire.nr, 3);
	CHECK(!memcmp(wire.frame, f[0], 1514));
	memset(wire.frame, 0, sizeof(wire.frame));
	memcpy(ram + DATA + 4000, f[0], 1000);
	memcpy(ram + DATA + 0x10000, f[0] + 1000, 514);
	CHECK_EQ(send_rndis(0, 0, a + sizeof(struct vmb_rndis_packet),
			    (struct piece[]){ { DATA + 4000, 1000 }, { DATA + 0x10000, 514 } }, 2), VMB_NVSP_OK);
	CHECK_EQ(wire.nr, 5);
	CHECK_EQ(wire.bytes, 1514);
	CHECK(!memcmp(wire.frame, f[0], 1514));
	/* in pages alone, and the backend does not take it */
	n = packet_put(DATA + 4090, f[0], 1514, NONE, 0);
	wire.refuse = -ENOBUFS;
	CHECK_EQ(send_rndis(0, VMB_NVSP_NO_SECTION, 0, &(struct piece){ DATA + 4090, n }, 1), VMB_NVSP_OK);
	wire.refuse = 0;
	CHECK_EQ(counts().tx_packets - was.tx_packets, 5);
	CHECK_EQ(counts().tx_bytes - was.tx_bytes, 1514 * 3 + 60 * 2);
	CHECK_EQ(counts().tx_dropped - was.tx_dropped, 1);
	CHECK_EQ(counts().tx_refused - was.tx_refused, 0);
	/* a tag for a VLAN: priority 5, VLAN 100 */
	n = packet_put(SEND, f[1], 60, VMB_RNDIS_INFO_8021Q, 100 << 4 | 5);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_OK);
	CHECK_EQ(wire.bytes, 64);
	CHECK(!memcmp(wire.frame, f[1], 12) && !memcmp(wire.frame + 16, f[1] + 12, 48));
	CHECK(!memcmp(wire.frame + 12, "\x81\x00\xa0\x64", 4));
}

static void test_send_lies(void)
{
	uint8_t f[2000];
	uint32_t n, nr, words[4];
	struct vmb_rndis_packet r;

	setup();
	frame_make(f, sizeof(f));
	nr = wire.nr;
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 4, n, NULL, 0), VMB_NVSP_BAD_PACKET);		/* no such section */
	CHECK_EQ(send_rndis(0, 0xfffffffe, n, NULL, 0), VMB_NVSP_BAD_PACKET);
	CHECK_EQ(send_rndis(0, 0, NET_SEND_SECTION + 1, NULL, 0), VMB_NVSP_BAD_PACKET);
	CHECK_EQ(send_rndis(0, 0, UINT32_MAX, NULL, 0), VMB_NVSP_BAD_PACKET);
	CHECK_EQ(send_rndis(0, 0, 0, NULL, 0), VMB_NVSP_BAD_PACKET);
	CHECK_EQ(send_rndis(0, 0, n - 1, NULL, 0), VMB_NVSP_BAD_PACKET);	/* cut */
	CHECK_EQ(send_rndis(0, VMB_NVSP_NO_SECTION, 0, &(struct piece){ RAM - 8, 100 }, 1), VMB_NVSP_BAD_PACKET);
	CHECK_EQ(send_rndis(0, VMB_NVSP_NO_SECTION, 0, &(struct piece){ ~0xfffull, 100 }, 1), VMB_NVSP_BAD_PACKET);
	n = packet_put(SEND, f, 13, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_BAD_PACKET);		/* no frame */
	n = packet_put(SEND, f, 1600, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_BAD_PACKET);		/* beyond the MTU */
	n = packet_put(SEND, f, 60, NONE, 0);
	for (unsigned int i = 0; i < 8; i++) {
		static const struct { size_t at; uint32_t v; } lies[8] = {
			{ offsetof(struct vmb_rndis_packet, header.type), 2 },
			{ offsetof(struct vmb_rndis_packet, header.bytes), 43 },
			{ offsetof(struct vmb_rndis_packet, header.bytes), UINT32_MAX },
			{ offsetof(struct vmb_rndis_packet, data_offset), UINT32_MAX },
			{ offsetof(struct vmb_rndis_packet, data_bytes), UINT32_MAX },
			{ offsetof(struct vmb_rndis_packet, data_bytes), 61 },
			{ offsetof(struct vmb_rndis_packet, info_bytes), 11 },
			{ offsetof(struct vmb_rndis_packet, info_bytes), UINT32_MAX },
		};

		memcpy(&r, ram + SEND, sizeof(r));
		memcpy(ram + SEND + lies[i].at, &lies[i].v, 4);
		CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_BAD_PACKET);
		memcpy(ram + SEND, &r, sizeof(r));
	}
	/* information that is shorter than it says, or says too much of itself */
	n = packet_put(SEND, f, 60, 0, 0);
	for (unsigned int i = 0; i < 4; i++) {
		static const uint32_t lies[4][2] = { { 15, 12 }, { 17, 12 }, { 16, 13 }, { 0, 12 } };

		memcpy(words, ram + SEND + sizeof(r), 16);
		words[0] = lies[i][0];
		words[2] = lies[i][1];
		memcpy(ram + SEND + sizeof(r), words, 16);
		CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_BAD_PACKET);
	}
	CHECK_EQ(wire.nr, nr);
}

/* An IPv4 TCP frame with @data bytes: headers of 54. */
static void tcp4_make(uint8_t *f, uint32_t data)
{
	static const uint8_t head[54] = {
		0x02, 0x10, 0x20, 0x30, 0x40, 0x50, 0x02, 1, 2, 3, 4, 5, 0x08, 0x00,
		0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2,
		0x12, 0x34, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0x10, 0, 0, 0, 0, 0,
	};

	memcpy(f, head, sizeof(head));
	for (uint32_t i = 0; i < data; i++)
		f[54 + i] = (uint8_t)(i * 13);
}

static void test_offload(void)
{
	static uint8_t f[54 + 9000];
	uint32_t n, nr;
	struct iovec flat = { wire.frame, 0 };
	uint8_t pseudo[12] = { 10, 0, 2, 15, 10, 0, 2, 2, 0, 6, 0, 0 };
	const struct iovec ps = { pseudo, 12 };

	setup();
	tcp4_make(f, 9000);
	/* to be cut: lengths and sums are set as for the whole */
	n = packet_put(DATA, f, sizeof(f), VMB_RNDIS_INFO_LSO, VMB_RNDIS_LSO_V2 | 34u << 20 | 1460);
	CHECK_EQ(send_rndis(0, VMB_NVSP_NO_SECTION, 0, &(struct piece){ DATA, n }, 1), VMB_NVSP_OK);
	CHECK_EQ(wire.bytes, sizeof(f));
	CHECK_EQ(wire.meta.gso, NET_GSO_TCP4);
	CHECK_EQ(wire.meta.gso_bytes, 1460);
	CHECK_EQ(wire.meta.header_bytes, 54);
	CHECK_EQ(wire.meta.csum_start, 34);
	CHECK_EQ(wire.meta.csum_offset, 16);
	CHECK_EQ(wire.frame[16] << 8 | wire.frame[17], 9040);
	flat.iov_len = wire.bytes;
	CHECK_EQ(net_csum(&flat, 1, 14, 20, 0), 0xffff);
	net_csum_complete(&flat, 1, wire.bytes, &wire.meta);
	pseudo[10] = 9020 >> 8;
	pseudo[11] = 9020 & 255;
	CHECK_EQ(net_csum(&flat, 1, 34, 9020, net_csum(&ps, 1, 0, 12, 0)), 0xffff);
	/* a checksum alone; the tag of a VLAN moves it */
	n = packet_put(SEND, f, 600, VMB_RNDIS_INFO_CHECKSUM, VMB_RNDIS_CSUM_TX_IP4 | VMB_RNDIS_CSUM_TX_TCP | 34 << 16);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_OK);
	CHECK_EQ(wire.meta.flags, NET_META_CSUM);
	CHECK_EQ(wire.meta.csum_start, 34);
	CHECK_EQ(wire.meta.gso, NET_GSO_NONE);
	nr = wire.nr;
	for (unsigned int i = 0; i < 9; i++) {
		static const uint32_t lies[9][2] = {
			{ VMB_RNDIS_INFO_LSO, VMB_RNDIS_LSO_V2 | 34u << 20 | 1 },	/* segments of 1 byte */
			{ VMB_RNDIS_INFO_LSO, VMB_RNDIS_LSO_V2 | 34u << 20 | 2000 },	/* beyond the MTU */
			{ VMB_RNDIS_INFO_LSO, VMB_RNDIS_LSO_V2 | 34u << 20 | 0xfffff },
			{ VMB_RNDIS_INFO_LSO, 34u << 20 | 1460 },			/* version 1 */
			{ VMB_RNDIS_INFO_LSO, VMB_RNDIS_LSO_V2 | VMB_RNDIS_LSO_IP6 | 34u << 20 | 1460 },
			{ VMB_RNDIS_INFO_CHECKSUM, VMB_RNDIS_CSUM_TX_TCP | 1023 << 16 },
			{ VMB_RNDIS_INFO_CHECKSUM, VMB_RNDIS_CSUM_TX_TCP },
			{ VMB_RNDIS_INFO_CHECKSUM, VMB_RNDIS_CSUM_TX_UDP | 595 << 16 },
			{ VMB_RNDIS_INFO_CHECKSUM, VMB_RNDIS_CSUM_TX_IP | VMB_RNDIS_CSUM_TX_IP4 },
		};

		if (i == 5)
			frame_make(f, 600);	/* no IP */
		n = packet_put(DATA, f, i == 1 ? 9000 : 600, lies[i][0], lies[i][1]);
		CHECK_EQ(send_rndis(0, VMB_NVSP_NO_SECTION, 0, &(struct piece){ DATA, n }, 1), VMB_NVSP_BAD_PACKET);
	}
	CHECK_EQ(wire.nr, nr);
}

static void arrive(const uint8_t *f, uint32_t bytes, const struct net_meta *meta)
{
	wire.in[wire.nr_in].p = f;
	wire.in[wire.nr_in].bytes = bytes;
	wire.in[wire.nr_in++].meta = *meta;
}

static void test_receive(void)
{
	static const struct net_meta none = { 0 };
	struct net_meta csum = { .flags = NET_META_CSUM, .csum_start = 34, .csum_offset = 16 };
	uint8_t f[1514], buf[NET_RX_HEAD + 1514];
	struct vmb_rndis_packet r;
	struct netvsp_counters was;
	uint64_t tid, first;
	uint32_t value;

	setup();
	was = counts();
	frame_make(f, sizeof(f));
	memcpy(f, mac, 6);
	arrive(f, sizeof(f), &none);
	net_queue_turn(q);
	CHECK_EQ(held, 0);
	CHECK_EQ(transfer(&tid, VMB_NVSP_DATA, buf, sizeof(buf)), NET_RX_HEAD + 1514);
	memcpy(&r, buf, sizeof(r));
	CHECK_EQ(r.header.type, VMB_RNDIS_PACKET);
	CHECK_EQ(r.header.bytes, NET_RX_HEAD + 1514);
	CHECK_EQ(r.data_bytes, 1514);
	CHECK_EQ(r.info_bytes, 0);
	CHECK(!memcmp(buf + 8 + r.data_offset, f, 1514));
	/* It comes back once; other numbers do not. */
	give_back(tid);
	CHECK_EQ(counts().refused, was.refused);
	give_back(tid);
	give_back(0);
	give_back(RECV_PAGES / 2 + 1);		/* the other queue's */
	give_back(~0ull);
	CHECK_EQ(counts().refused - was.refused, 4);
	/* A checksum to be completed: it is right and is said to be. */
	tcp4_make(f, 100);
	memcpy(f, mac, 6);
	arrive(f, 154, &csum);
	net_queue_turn(q);
	CHECK_EQ(transfer(&tid, VMB_NVSP_DATA, buf, sizeof(buf)), NET_RX_HEAD + 154);
	memcpy(&r, buf, sizeof(r));
	CHECK_EQ(r.info_bytes, 16);
	memcpy(&value, buf + 8 + r.info_offset + 12, 4);
	CHECK(value & VMB_RNDIS_CSUM_RX_TCP_OK);
	CHECK_EQ(net_csum(&(struct iovec){ buf + NET_RX_HEAD, 154 }, 1, 34, 120, 0), 0xffff);
	give_back(tid);
	/* The other station's, a broadcast, a group's */
	was = counts();
	memcpy(f, "\x02\x99\x99\x99\x99\x99", 6);
	arrive(f, 60, &none);
	net_queue_turn(q);
	CHECK_EQ(counts().rx_filtered - was.rx_filtered, 1);
	memset(f, 0xff, 6);
	arrive(f, 60, &none);
	arrive(f, 60, &none);
	net_queue_turn(q);
	CHECK_EQ(counts().rx_packets - was.rx_packets, 2);
	transfer(&first, VMB_NVSP_DATA, buf, sizeof(buf));	/* both in one packet */
	give_back(first);
	CHECK_EQ(counts().refused, was.refused);
	/* As many as there are sections, then it waits; what comes back is used again. */
	for (unsigned int i = 0; i < RECV_PAGES / 2; i++) {
		arrive(f, 60, &none);
		net_queue_turn(q);
		transfer(&tid, VMB_NVSP_DATA, buf, sizeof(buf));
	}
	arrive(f, 60, &none);
	net_queue_turn(q);
	CHECK(!net_can_receive(q));
	CHECK_EQ(wire.nr_in, 1);
	give_back(tid);
	CHECK_EQ(wire.nr_in, 0);
	CHECK_EQ(counts().rx_dropped, was.rx_dropped);
	/* Nobody listens: it is lost, as on a wire. */
	setup();
	value = 0;
	CHECK_EQ(set(VMB_OID_PACKET_FILTER, &value, 4), 0);
	arrive(f, 60, &none);
	net_queue_turn(q);
	CHECK_EQ(counts().rx_dropped - was.rx_dropped, 1);
}

/* The address that a guest chose, and the adapter's own, are its; a reset forgets the first. */
static void test_addresses(void)
{
	static const struct net_meta none = { 0 };
	const uint8_t own[6] = { 0x02, 0x77, 1, 2, 3, 4 };
	struct netvsp_counters was;
	uint8_t f[60];

	setup();
	was = counts();
	frame_make(f, sizeof(f));
	memcpy(nic->mac, own, 6);
	memcpy(f, own, 6);
	arrive(f, sizeof(f), &none);
	net_queue_turn(q);
	memcpy(f, mac, 6);
	arrive(f, sizeof(f), &none);
	net_queue_turn(q);
	CHECK_EQ(counts().rx_packets - was.rx_packets, 2);
	nic->dev.ops->reset(&nic->dev);
	memcpy(f, own, 6);
	arrive(f, sizeof(f), &none);
	net_queue_turn(q);
	CHECK_EQ(counts().rx_packets - was.rx_packets, 2);
	CHECK_EQ(counts().rx_filtered - was.rx_filtered, 1);
}

static void test_link(void)
{
	uint8_t f[64], buf[64];
	struct vmb_rndis_indicate m;
	struct netvsp_counters was;
	uint64_t tid;
	uint32_t n;

	setup();
	was = counts();
	netvsp_link_set(&nic->dev, false);
	net_queue_turn(q);
	CHECK_EQ(transfer(&tid, VMB_NVSP_CONTROL, buf, sizeof(buf)), sizeof(m));
	memcpy(&m, buf, sizeof(m));
	CHECK_EQ(m.header.type, VMB_RNDIS_INDICATE);
	CHECK_EQ(m.status, VMB_RNDIS_LINK_DOWN);
	give_back(tid);
	CHECK_EQ(query(VMB_OID_MEDIA_CONNECT_STATUS, 0, buf, 4), 4);
	CHECK_EQ(buf[0], 1);
	frame_make(f, 60);
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_OK);
	CHECK_EQ(counts().tx_dropped - was.tx_dropped, 1);
	netvsp_link_set(&nic->dev, true);
	net_queue_turn(q);
	CHECK_EQ(transfer(&tid, VMB_NVSP_CONTROL, buf, sizeof(buf)), sizeof(m));
	memcpy(&m, buf, sizeof(m));
	CHECK_EQ(m.status, VMB_RNDIS_LINK_UP);
}

static uint32_t guarded(const uint8_t *f, uint32_t bytes)
{
	return send_rndis(0, 0, packet_put(SEND, f, bytes, NONE, 0), NULL, 0);
}

static void test_guard(void)
{
	uint8_t f[128];
	uint32_t n, nr = wire.nr;

	setup();
	nic->cfg.guard = true;
	frame_make(f, 60);
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_OK);
	f[11] ^= 1;						/* another one's address */
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_BAD_PACKET);
	f[11] ^= 1;
	memcpy(f + 12, "\x08\x06\0\1\x08\0\6\4\0\2", 10);	/* an answer of ARP */
	memcpy(f + 22, mac, 6);
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_OK);
	f[27] ^= 1;
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_BAD_PACKET);
	tcp4_make(f, 6);
	f[23] = 17;
	f[34] = 0;
	f[35] = 67;						/* a DHCP server */
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_BAD_PACKET);
	f[35] = 68;
	n = packet_put(SEND, f, 60, NONE, 0);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), VMB_NVSP_OK);
	CHECK_EQ(wire.nr - nr, 3);
	f[36] = 0;
	f[37] = 68;						/* or one from another port */
	CHECK_EQ(guarded(f, 60), VMB_NVSP_BAD_PACKET);
	f[23] = 1;
	f[34] = 5;						/* a redirect */
	CHECK_EQ(guarded(f, 60), VMB_NVSP_BAD_PACKET);
	f[34] = 8;
	CHECK_EQ(guarded(f, 60), VMB_NVSP_OK);
	memcpy(f, "\x01\x80\xc2\0\0\0", 6);		/* to bridges */
	CHECK_EQ(guarded(f, 60), VMB_NVSP_BAD_PACKET);
	f[5] = 16;
	CHECK_EQ(guarded(f, 60), VMB_NVSP_OK);
	nic->cfg.guard = false;
}

/* What others would take for a router's word or a DHCP server's, hidden behind headers of IPv6, or tags. */
static void test_guard_hidden(void)
{
	static const uint8_t head[14] = { 0x33, 0x33, 0, 0, 0, 1, 2, 1, 2, 3, 4, 5, 0x86, 0xdd };
	uint8_t f[600] = { 0 };

	setup();
	nic->cfg.guard = true;
	memcpy(f, head, sizeof(head));
	f[14] = 0x60;
	f[20] = 58;
	f[54] = 134;					/* a router's advertisement */
	CHECK_EQ(guarded(f, 100), VMB_NVSP_BAD_PACKET);
	f[54] = 136;
	CHECK_EQ(guarded(f, 100), VMB_NVSP_OK);
	f[20] = 44;					/* behind the header of a fragment, the first and only one */
	memset(f + 54, 0, 40);
	f[54] = 58;
	f[62] = 134;
	CHECK_EQ(guarded(f, 100), VMB_NVSP_BAD_PACKET);
	f[62] = 136;
	CHECK_EQ(guarded(f, 100), VMB_NVSP_OK);
	f[62] = 134;
	f[57] = 8;					/* a later one: that is no header */
	CHECK_EQ(guarded(f, 100), VMB_NVSP_OK);
	memset(f + 54, 0, sizeof(f) - 54);
	f[20] = 17;
	memcpy(f + 54, "\4\0\2\x22", 4);			/* to a DHCPv6 client */
	CHECK_EQ(guarded(f, 100), VMB_NVSP_BAD_PACKET);
	f[57] = 0x23;
	CHECK_EQ(guarded(f, 100), VMB_NVSP_OK);
	memset(f + 54, 0, sizeof(f) - 54);
	f[20] = 60;					/* behind more than is looked at */
	f[54] = 58;
	f[55] = 24;
	f[54 + 200] = 134;
	CHECK_EQ(guarded(f, 400), VMB_NVSP_BAD_PACKET);
	memset(f + 54, 0, sizeof(f) - 54);
	for (unsigned int i = 0; i < 9; i++)
		f[54 + 8 * i] = 60;			/* and behind more headers */
	CHECK_EQ(guarded(f, 400), VMB_NVSP_BAD_PACKET);
	memset(f + 14, 0, sizeof(f) - 14);
	for (unsigned int i = 0; i < 3; i++)
		f[12 + 4 * i] = 0x81, f[13 + 4 * i] = 0;
	CHECK_EQ(guarded(f, 100), VMB_NVSP_BAD_PACKET);
	f[20] = 0x88;
	f[21] = 0xb5;
	CHECK_EQ(guarded(f, 100), VMB_NVSP_OK);
	nic->cfg.guard = false;
}

/* A guest that moves its index on and on, without waiting for room: the turn ends all the same. */
static uint32_t moves;

static void move_on(void)
{
	struct vmb_ring_header *h = (void *)rings;

	moves++;
	if (moves < 100000)
		__atomic_store_n(&h->write_index, (h->write_index + 64) % (HALF - 4096), __ATOMIC_RELEASE);
}

static void test_endless(void)
{
	struct vmb_nvsp m = { .type = VMB_NVSP_RNDIS_PACKET };
	uint8_t f[60];

	setup();
	frame_make(f, sizeof(f));
	channel_again();
	m.rndis.section_bytes = packet_put(SEND, f, sizeof(f), NONE, 0);
	CHECK_EQ(hv_ring_send(&guest.out, 0, 1, &m, sizeof(m)), 0);
	hv_ring_publish(&guest.out);
	CHECK_EQ(guest.out.pos, 64);
	for (unsigned int i = 1; i < (HALF - 4096) / 64; i++)
		memcpy(rings + 4096 + 64 * i, rings + 4096, 64);
	((struct vmb_ring_header *)rings)->write_index = HALF - 4096 - 64;
	wire.on_send = move_on;
	moves = 0;
	CHECK(net_queue_turn(q));
	CHECK(moves && moves <= 1024);
	wire.on_send = NULL;
}

/* A receive buffer that is no memory: frames are lost, and it is not tried for ever. */
static void test_no_memory(void)
{
	static const struct net_meta none = { 0 };
	uint8_t f[60];
	uint64_t lost;

	setup();
	frame_make(f, 60);
	memcpy(f, mac, 6);
	for (unsigned int i = 0; i < RECV_PAGES; i++)
		nic->recv.gpadl.pfns[i] = i & 1 ? RAM >> 12 : ~0ull;
	lost = counts().rx_dropped;
	for (unsigned int i = 0; i < 3; i++) {
		arrive(f, 60, &none);
		net_queue_turn(q);
	}
	CHECK_EQ(counts().rx_dropped - lost, 3);
	CHECK_EQ(held, 0);
	CHECK(net_can_receive(q) && !net_sink_ops.listens(&nic->sink, 0));
	CHECK(hv_ring_peek(&guest.in, &(struct hv_ring_packet){ 0 }));
}

/* A reset of the VM: nothing is touched until the channel is opened anew. */
static void test_drain(void)
{
	static const struct net_meta none = { 0 };
	uint8_t f[60];
	uint64_t was;
	uint32_t n;

	setup();
	was = counts().tx_packets;
	frame_make(f, 60);
	n = packet_put(SEND, f, 60, NONE, 0);
	nic->dev.ops->drain(&nic->dev);
	CHECK_EQ(send_rndis(0, 0, n, NULL, 0), 0);
	arrive(f, 60, &none);
	CHECK(!net_queue_turn(q));
	CHECK_EQ(wire.nr_in, 1);
	CHECK_EQ(counts().tx_packets, was);
	wire.nr_in = 0;
	setup();
}

int main(void)
{
	struct device *d = nic_make();

	test_send();
	test_send_lies();
	test_offload();
	test_receive();
	test_addresses();
	test_link();
	test_guard();
	test_guard_hidden();
	test_endless();
	test_no_memory();
	test_drain();
	CHECK_EQ(held, 0);
	d->ops->release(d);
	return unit_done();
}
