// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A network adapter that goes on in another process: sections that the guest has, answers that wait for one,
 * frames that wait in a full ring; a driver that begins anew; records that lie.
 */
#include "lib/nic.h"

static struct fields_out saved;

static void leave(void)
{
	nic->dev.ops->release(&nic->dev);
}

/* The record, as the machine takes it: the adapter was drained. */
static void save(void)
{
	struct device *d = &nic->dev;

	free(saved.buf);
	memset(&saved, 0, sizeof(saved));
	d->ops->drain(d);
	d->ops->record->save(d, &saved);
	CHECK(!saved.failed);
}

static int load(const uint8_t *buf, size_t len)
{
	struct fields_in in = { .buf = buf, .len = len };
	int ret = nic->dev.ops->record->load(&nic->dev, &in, nic->dev.ops->record->version);

	return ret ? ret : fields_end(&in) ? 0 : -EINVAL;
}

/* The rings stay; no thread, so that each turn is the test's. */
static int open_again(void)
{
	CHECK_EQ(hv_ring_consumer(&q->chan.from_guest, rings, rings + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_producer(&q->chan.to_guest, rings + HALF, rings + HALF + 4096, RING_PAGES), 0);
	return net_saved_open(nic);
}

static void move(void)
{
	save();
	leave();
	nic_make();
	CHECK_EQ(load(saved.buf, saved.len), 0);
	CHECK_EQ(open_again(), 0);
}

static void frame_in(const uint8_t *frame, uint32_t bytes)
{
	wire.in[wire.nr_in].p = frame;
	wire.in[wire.nr_in].meta = (struct net_meta){ 0 };
	wire.in[wire.nr_in++].bytes = bytes;
}

static uint8_t frames[16][64];

static void frames_make(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		memcpy(frames[i], mac, 6);
		frames[i][12] = 8;
		frames[i][20] = (uint8_t)(i + 1);
	}
}

static void test_sections(void)
{
	struct vmb_rndis_query_complete c = { .header = { 0 } };
	struct vmb_rndis_request r = { { VMB_RNDIS_QUERY, sizeof(r) }, 99, VMB_OID_CURRENT_ADDRESS, 0, 20, 0 };
	uint8_t buf[512], now[6];
	struct netvsp_info was, is;
	uint64_t tid[4], more;

	setup();
	/* This queue's share, all with the guest: one, two in one packet, one. */
	for (unsigned int i = 0; i < 3; i++) {
		frame_in(frames[i], 64);
		if (i == 1)
			frame_in(frames[3], 64);
		net_queue_turn(q);
		CHECK_EQ(transfer(&tid[i], VMB_NVSP_DATA, buf, sizeof(buf)), NET_RX_HEAD + 64);
		CHECK_EQ(buf[NET_RX_HEAD + 20], i + 1);
	}
	/* An answer for which there is no section. */
	memcpy(ram + DATA, &r, sizeof(r));
	CHECK_EQ(send_rndis(VMB_NVSP_CONTROL, VMB_NVSP_NO_SECTION, 0, &(struct piece){ DATA, sizeof(r) }, 1), VMB_NVSP_OK);
	CHECK_EQ(q->replies, 1);
	netvsp_look(&nic->dev, &was);
	move();
	netvsp_look(&nic->dev, &is);
	CHECK_EQ(is.version, was.version);
	CHECK_EQ(is.mtu, was.mtu);
	CHECK_EQ(is.filter, was.filter);
	CHECK_EQ(is.count.rx_packets, 4);
	CHECK_EQ(is.count.rx_bytes, was.count.rx_bytes);
	CHECK_EQ(atomic_load(&nic->state), NET_RUNNING);
	/* Nothing is free: a frame would be kept by its backend. */
	net_queue_turn(q);
	CHECK(!net_can_receive(q));
	/* The two of one packet come back together, and the answer goes out. */
	give_back(tid[1]);
	CHECK_EQ(transfer(&more, VMB_NVSP_CONTROL, (uint8_t *)&c, sizeof(c)), sizeof(c) + 6);
	CHECK_EQ(c.id, 99);
	give_back(more);
	give_back(tid[0]);
	give_back(tid[2]);
	CHECK_EQ(counts().refused, was.count.refused);
	give_back(tid[2]);
	CHECK_EQ(counts().refused, was.count.refused + 1);	/* once only */
	for (unsigned int i = 0; i < 4; i++) {
		frame_in(frames[4 + i], 64);
		net_queue_turn(q);
		CHECK_EQ(transfer(&tid[i], VMB_NVSP_DATA, buf, sizeof(buf)), NET_RX_HEAD + 64);
		CHECK_EQ(buf[NET_RX_HEAD + 20], 5 + i);
	}
	CHECK_EQ(counts().rx_packets, 8);
	for (unsigned int i = 0; i < 4; i++)
		give_back(tid[i]);
	/* It sends as before, and is asked as before. */
	CHECK_EQ(query(VMB_OID_CURRENT_ADDRESS, 0, now, 6), 6);
	CHECK(!memcmp(now, mac, 6));
	CHECK_EQ(held, 0);
}

/* Sections that were free are, and no others. */
static void test_free(void)
{
	uint8_t buf[512];
	uint64_t tid[4];

	setup();
	for (unsigned int i = 0; i < 4; i++) {
		if (i == 2)
			move();
		frame_in(frames[i], 64);
		net_queue_turn(q);
		CHECK_EQ(transfer(&tid[i], VMB_NVSP_DATA, buf, sizeof(buf)), NET_RX_HEAD + 64);
		CHECK_EQ(buf[NET_RX_HEAD + 20], i + 1);
		for (unsigned int k = 0; k < i; k++)
			CHECK(tid[k] != tid[i]);
	}
	CHECK(!net_can_receive(q));
	for (unsigned int i = 0; i < 4; i++)
		give_back(tid[i]);
	CHECK(net_can_receive(q));
}

/* Frames in sections for which the ring had no room, the cable pulled and not told yet. */
static void test_batch(void)
{
	uint32_t state = 0;
	uint8_t buf[512];
	uint64_t tid;
	unsigned int n = 0;
	uint64_t refused;

	setup();
	refused = counts().refused;
	/* The guest does not read: completions of nothing fill the ring. */
	while (hv_ring_room(&q->chan.to_guest) >= hv_ring_room_for(16 + VMB_NVSP_BYTES) && n++ < 2000)
		CHECK_EQ(hv_ring_complete(&q->chan.to_guest, 1, &state, sizeof(state)), 0);
	hv_ring_publish(&q->chan.to_guest);
	frame_in(frames[0], 64);
	frame_in(frames[1], 60);
	q->nic->net->ops->receive(q->nic->net, 0, 2);
	CHECK_EQ(q->batched, 2);
	netvsp_link_set(&nic->dev, false);
	move();
	CHECK_EQ(q->batched, 2);
	CHECK(!atomic_load(&nic->up));
	CHECK(atomic_load(&q->tell_link));
	for (struct hv_ring_packet p; n; n--) {
		struct vmb_nvsp m;

		CHECK(receive(&p, NULL, &m));
	}
	net_queue_turn(q);
	CHECK_EQ(transfer(&tid, VMB_NVSP_DATA, buf, sizeof(buf)), NET_RX_HEAD + 64);
	CHECK_EQ(buf[NET_RX_HEAD + 20], 1);
	give_back(tid);
	CHECK_EQ(transfer(&tid, VMB_NVSP_CONTROL, buf, sizeof(buf)), sizeof(struct vmb_rndis_indicate));
	memcpy(&state, buf + 8, 4);
	CHECK_EQ(state, VMB_RNDIS_LINK_DOWN);
	give_back(tid);
	CHECK_EQ(counts().refused, refused);
	netvsp_link_set(&nic->dev, true);
	net_queue_turn(q);
	CHECK_EQ(transfer(&tid, VMB_NVSP_CONTROL, buf, sizeof(buf)), sizeof(struct vmb_rndis_indicate));
	give_back(tid);
}

/* Nothing of the old driver is left for one that opens the channel anew. */
static void test_anew(void)
{
	struct vmb_nvsp m = { .type = VMB_NVSP_SEND_RECV_BUF, .buf = { HANDLE_RECV, VMB_NVSP_RECV_PAGESET, 0 } };

	setup();
	save();
	leave();
	nic_make();
	CHECK_EQ(load(saved.buf, saved.len), 0);
	channel_open();
	CHECK_EQ(say(&m), 40);
	CHECK_EQ(m.type, VMB_NVSP_RNDIS_PACKET_COMPLETE);	/* too early */
	setup();
	/* One that nobody ever opened, and a drain that is taken back. */
	leave();
	nic_make();
	move();
	setup();
	nic->dev.ops->drain(&nic->dev);
	CHECK(q->quiet);
	atomic_store(&q->is_open, true);
	nic->dev.ops->go_on(&nic->dev);
	CHECK(!q->quiet);
	CHECK(nic->queue[1]->quiet);
	atomic_store(&q->is_open, false);
}

/* Sub-channels are offered again, before their records come. */
static void test_subs(void)
{
	setup();
	nr_subs = 1;
	save();
	leave();
	nic_make();
	nr_subs = 0;
	CHECK_EQ(load(saved.buf, saved.len), 0);
	CHECK_EQ(nr_subs, 1);
	nr_subs = 0;
	CHECK_EQ(open_again(), 0);
}

static void try_lie(const uint8_t *buf, size_t len)
{
	uint64_t tid = 1;

	nic_make();
	nr_subs = 0;
	if (!load(buf, len) && !open_again()) {
		/* Whatever it says now, it is an adapter. */
		frame_in(frames[0], 64);
		net_queue_turn(q);
		for (; tid <= RECV_PAGES; tid++)
			give_back(tid);
		net_queue_turn(q);
	}
	wire.nr_in = 0;
	memset(rings, 0, sizeof(rings));
	CHECK_EQ(hv_ring_producer(&guest.out, rings, rings + 4096, RING_PAGES), 0);
	CHECK_EQ(held, 0);
	leave();
}

/* Every length, and every byte changed. */
static void test_lies(void)
{
	static const uint8_t with[] = { 0x01, 0x80, 0xff, 0x02 };
	uint8_t *copy, buf[512];
	uint64_t tid;

	setup();
	frame_in(frames[0], 64);
	frame_in(frames[1], 64);
	net_queue_turn(q);
	CHECK_EQ(transfer(&tid, VMB_NVSP_DATA, buf, sizeof(buf)), NET_RX_HEAD + 64);
	save();
	leave();
	copy = malloc(saved.len);
	for (size_t len = 0; len < saved.len; len++) {
		memcpy(copy, saved.buf, len);
		nic_make();
		CHECK(load(copy, len));
		leave();
	}
	for (size_t at = 0; at < saved.len; at++) {
		for (size_t i = 0; i < sizeof(with); i++) {
			memcpy(copy, saved.buf, saved.len);
			copy[at] ^= with[i];
			try_lie(copy, saved.len);
		}
	}
	free(copy);
	nic_make();
}

int main(void)
{
	frames_make();
	nic_make();
	test_sections();
	test_free();
	test_batch();
	test_anew();
	test_subs();
	test_lies();
	leave();
	free(saved.buf);
	return unit_done();
}
