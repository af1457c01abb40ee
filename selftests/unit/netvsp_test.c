// SPDX-License-Identifier: GPL-2.0-or-later
/* How the network adapter and a guest's driver get to know each other: NVSP, RNDIS, OIDs, and lies in them. */
#include "lib/nic.h"

/* ---- tests ---- */

static void test_versions(void)
{
	static const uint32_t good[] = { 2, 0x30002, 0x40000, 0x50000, 0x60000, 0x60001 };
	struct vmb_nvsp m = { .type = VMB_NVSP_SEND_RECV_BUF, .buf = { HANDLE_RECV, VMB_NVSP_RECV_PAGESET, 0 } };

	channel_open();
	CHECK_EQ(say(&m), 40);
	CHECK_EQ(m.type, VMB_NVSP_RNDIS_PACKET_COMPLETE);	/* too early */
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		channel_open();
		m = (struct vmb_nvsp){ .type = VMB_NVSP_INIT, .init = { good[i], good[i] } };
		CHECK_EQ(say(&m), 40);
		CHECK_EQ(m.type, VMB_NVSP_INIT_COMPLETE);
		CHECK_EQ(m.init_complete.status, VMB_NVSP_OK);
		CHECK_EQ(m.init_complete.version, good[i]);
	}
	channel_open();
	m = (struct vmb_nvsp){ .type = VMB_NVSP_INIT, .init = { 0x70000, 0x80000 } };
	say(&m);
	CHECK_EQ(m.init_complete.status, VMB_NVSP_TOO_NEW);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_INIT, .init = { 1, 1 } };
	say(&m);
	CHECK_EQ(m.init_complete.status, VMB_NVSP_TOO_OLD);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_INIT, .init = { 0, UINT32_MAX } };
	say(&m);
	CHECK_EQ(m.init_complete.version, VMB_NVSP_VERSION_6_1);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_INIT, .init = { 2, 2 } };
	say(&m);
	CHECK_EQ(m.type, VMB_NVSP_RNDIS_PACKET_COMPLETE);	/* not twice */
}

static void test_buffers(void)
{
	struct vmb_nvsp m;
	uint64_t tid;

	begin();
	CHECK_EQ(nr_gpadls, 2);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_RECV_BUF, .buf = { HANDLE_RECV, VMB_NVSP_RECV_PAGESET, 0 } };
	say(&m);
	CHECK_EQ(m.recv_complete.status, VMB_NVSP_FAILED);	/* there is one */
	m = (struct vmb_nvsp){ .type = VMB_NVSP_REVOKE_RECV_BUF, .revoke = { VMB_NVSP_RECV_PAGESET } };
	CHECK_EQ(say(&m), -1);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_RECV_BUF, .buf = { HANDLE_RECV, 1, 0 } };
	say(&m);
	CHECK_EQ(m.recv_complete.status, VMB_NVSP_FAILED);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_RECV_BUF, .buf = { 1, VMB_NVSP_RECV_PAGESET, 0 } };
	say(&m);
	CHECK_EQ(m.recv_complete.status, VMB_NVSP_FAILED);
	/* A larger MTU: sections of three pages, and the rest of the buffer is none. */
	m = (struct vmb_nvsp){ .type = VMB_NVSP_NDIS_CONFIG, .ndis_config = { .mtu = 9014 } };
	CHECK_EQ(say(&m), -1);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_RECV_BUF, .buf = { HANDLE_RECV, VMB_NVSP_RECV_PAGESET, 0 } };
	say(&m);
	CHECK_EQ(m.recv_complete.status, VMB_NVSP_OK);
	CHECK_EQ(m.recv_complete.section_bytes, 12288);
	CHECK_EQ(m.recv_complete.section_count, 2);
	/* Its list is torn down under the driver. */
	q->chan.ops->gpadl_gone(&q->chan, HANDLE_RECV);
	CHECK(!nic->recv.gpadl.pfns && !nic->section);
	CHECK(nic->send.gpadl.pfns);
	(void)tid;
}

static void test_oids(void)
{
	uint8_t buf[512];
	uint32_t v;
	struct vmb_ndis_offload o;

	setup();
	CHECK_EQ(query(VMB_OID_PERMANENT_ADDRESS, 0, buf, 6), 6);
	CHECK(!memcmp(buf, mac, 6));
	CHECK_EQ(query(VMB_OID_MEDIA_CONNECT_STATUS, 0, buf, 4), 4);
	memcpy(&v, buf, 4);
	CHECK_EQ(v, 0);
	CHECK_EQ(query(VMB_OID_PACKET_FILTER, 0, buf, 4), 4);
	memcpy(&v, buf, 4);
	CHECK_EQ(v, 0xd);
	CHECK_EQ(query(VMB_OID_SUPPORTED_LIST, 0, buf, 512) % 4, 0);
	CHECK_EQ(query(0x12345678, 0, buf, 0), VMB_RNDIS_NOT_SUPPORTED);
	CHECK_EQ(query(VMB_OID_RSS_PARAMETERS, 0, buf, 0), VMB_RNDIS_NOT_SUPPORTED);
	/* Linux refuses an answer that is longer than its packed structure. */
	CHECK_EQ(query(VMB_OID_RSS_CAPABILITIES, 0, buf, 18), 18);
	CHECK_EQ(buf[12], 2);
	CHECK_EQ(buf[16], 128);
	CHECK_EQ(query(VMB_OID_OFFLOAD_CAPABILITIES, 156, buf, 156), 156);
	memcpy(&o, buf, sizeof(o));
	CHECK_EQ(o.header.type, VMB_NDIS_OFFLOAD);
	CHECK_EQ(o.header.bytes, 156);
	CHECK_EQ(o.ip4_txcsum & 0x14, 0x14);
	CHECK_EQ(o.ip6_txcsum & 0x15, 0x15);
	CHECK(o.lso4_encap & VMB_ENCAP_8023 && o.lso4_max_bytes);
	CHECK_EQ(query(VMB_OID_OFFLOAD_CAPABILITIES, 144, buf, 144), 144);
	CHECK_EQ(query(VMB_OID_OFFLOAD_CAPABILITIES, 112, buf, 112), 112);
	CHECK_EQ(query(VMB_OID_OFFLOAD_CAPABILITIES, 111, buf, 0), VMB_RNDIS_BUFFER_TOO_SHORT);
	CHECK_EQ(set(VMB_OID_OFFLOAD_PARAMETERS, "\x80\x03\x20\0\x01\x04\x04", 32 > 7 ? 7 : 0), 0);
	CHECK_EQ(set(VMB_OID_OFFLOAD_PARAMETERS, "\x81\x03\x20\0", 4), VMB_RNDIS_INVALID_DATA);
	CHECK_EQ(set(VMB_OID_PACKET_FILTER, buf, 3), VMB_RNDIS_INVALID_LENGTH);
	CHECK_EQ(set(VMB_OID_MULTICAST_LIST, buf, 12), 0);
	CHECK_EQ(set(VMB_OID_MULTICAST_LIST, buf, 13), VMB_RNDIS_INVALID_LENGTH);
	CHECK_EQ(set(VMB_OID_PERMANENT_ADDRESS, buf, 6), VMB_RNDIS_NOT_SUPPORTED);
}

/* NetworkAddress as the guest writes it. */
static uint32_t set_mac(const char *digits)
{
	static const char name[] = "NetworkAddress";
	uint32_t words[5] = { 20, 28, 2, 48, 24 };
	uint8_t info[72] = { 0 };

	memcpy(info, words, sizeof(words));
	for (int i = 0; i < 14; i++)
		info[20 + 2 * i] = (uint8_t)name[i];
	for (int i = 0; i < 12; i++)
		info[48 + 2 * i] = (uint8_t)digits[i];
	return set(VMB_OID_CONFIG_PARAMETER, info, sizeof(info));
}

static void test_mac(void)
{
	uint32_t words[5] = { UINT32_MAX, 28, 2, 48, 24 };
	uint8_t buf[8];

	setup();
	CHECK_EQ(set_mac("02aABB00FfcC"), 0);
	CHECK_EQ(query(VMB_OID_CURRENT_ADDRESS, 0, buf, 6), 6);
	CHECK(!memcmp(buf, "\x02\xaa\xbb\x00\xff\xcc", 6));
	CHECK_EQ(set_mac("03aabb00ffcc"), VMB_RNDIS_INVALID_DATA);
	CHECK_EQ(set_mac("02aabb00ffc:"), VMB_RNDIS_INVALID_DATA);
	CHECK_EQ(set(VMB_OID_CONFIG_PARAMETER, words, 20), VMB_RNDIS_INVALID_DATA);
	CHECK_EQ(set(VMB_OID_CONFIG_PARAMETER, words, 19), VMB_RNDIS_INVALID_LENGTH);
	nic->cfg.guard = true;
	CHECK_EQ(set_mac("02aabb00ff00"), VMB_RNDIS_FAILURE);
	CHECK_EQ(set_mac("020102030405"), 0);
	nic->cfg.guard = false;
}

static void test_rndis_lies(void)
{
	struct vmb_rndis_request r = { { VMB_RNDIS_QUERY, sizeof(r) }, 1, VMB_OID_LINK_SPEED, 0, 0, 0 };
	const uint64_t before = counts().refused;
	uint8_t buf[64];

	begin();
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);	/* before INIT */
	setup();
	r.header.bytes = sizeof(r) + 1;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);	/* longer than what came */
	r.header.bytes = sizeof(r) - 1;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);
	r.header.bytes = 7;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);
	r.header.bytes = sizeof(r);
	r.info_bytes = 1;
	r.info_offset = 20;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);	/* beyond its end */
	r.info_offset = UINT32_MAX;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);
	r.info_offset = 0;
	r.info_bytes = UINT32_MAX;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);
	r.header.type = 99;
	r.info_bytes = 0;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 0);
	CHECK_EQ(request(&r, 5, buf, sizeof(buf)), 0);
	CHECK_EQ(counts().refused - before, 9);
	r.header.type = VMB_RNDIS_KEEPALIVE;
	CHECK_EQ(request(&r, sizeof(r), buf, sizeof(buf)), 16);
	/* Nobody takes answers: those beyond are dropped, and nothing else is. */
	for (unsigned int i = 0; i < RECV_PAGES + NET_REPLIES + 4; i++)
		send_rndis(VMB_NVSP_CONTROL, VMB_NVSP_NO_SECTION, 0, &(struct piece){ DATA, sizeof(r) }, 1);
	CHECK_EQ(q->replies, NET_REPLIES);
}

static void test_subchannels(void)
{
	struct vmb_nvsp m = { .type = VMB_NVSP_SUBCHANNEL, .subchannel = { 1, 5 } };

	setup();
	CHECK_EQ(say(&m), 40);
	CHECK_EQ(m.subchannel_complete.status, VMB_NVSP_OK);
	CHECK_EQ(m.subchannel_complete.count, 1);
	CHECK_EQ(nr_subs, 1);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SUBCHANNEL, .subchannel = { 2, 1 } };
	CHECK_EQ(say(&m), 40);
	CHECK_EQ(m.subchannel_complete.status, VMB_NVSP_FAILED);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SWITCH_DATA_PATH, .words = { 1 } };
	CHECK_EQ(say(&m), 0);
}

/* With its own thread: opened, spoken to, closed. */
static void test_thread(void)
{
	struct vmb_nvsp m = { .type = VMB_NVSP_INIT, .init = { 2, 2 } };
	struct hv_ring_packet p;
	const uint64_t one = 1;
	bool came = false;

	channel_open();
	CHECK_EQ(q->chan.ops->open(&q->chan), 0);
	CHECK_EQ(hv_ring_send(&guest.out, VMB_PACKET_F_COMPLETION, 1, &m, sizeof(m)), 0);
	hv_ring_publish(&guest.out);
	CHECK_EQ(write(q->chan.wake, &one, 8), 8);
	for (int i = 0; i < 5000 && !came; i++) {
		came = receive(&p, NULL, &m);
		if (!came)
			usleep(1000);
	}
	CHECK(came && m.type == VMB_NVSP_INIT_COMPLETE);
	q->chan.ops->close(&q->chan);
	for (int i = 0; i < 5000 && !__atomic_load_n(&closed, __ATOMIC_SEQ_CST); i++)
		usleep(1000);
	CHECK(closed);
}

int main(void)
{
	struct netvsp_config cfg = { .mac = { 1 }, .queues = 1 };
	struct device *d = nic_make();
	struct netvsp_info info;

	test_versions();
	test_buffers();
	test_oids();
	test_mac();
	test_rndis_lies();
	test_subchannels();
	test_thread();
	netvsp_look(d, &info);
	CHECK(!strcmp(info.backend, "wire") && info.up);
	CHECK_EQ(held, 0);
	d->ops->release(d);
	CHECK(!wire.net.sink);
	CHECK_EQ(netvsp_create(&d, &services, &cfg, &wire.net), -EINVAL);	/* a group address */
	return unit_done();
}
