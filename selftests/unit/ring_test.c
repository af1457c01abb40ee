// SPDX-License-Identifier: GPL-2.0-or-later
/* ring_test.c - vmbus/lib/ring: both ends against each other, signalling, and hostile rings */
#include <stdlib.h>
#include <hv/portable.h>
#include <hvguest/vmbus.h>
#include "lib/unit.h"
#include "vmbus/lib/ring.h"

#define PAGES	2u
#define BYTES	((PAGES - 1) * VMB_PAGE)

static struct vmb_ring_header *h;
static u8 *data;

static void fresh(struct hv_ring *in, struct hv_ring *out)
{
	memset(h, 0, VMB_PAGE);
	memset(data, 0xee, BYTES);
	CHECK_EQ(hv_ring_consumer(in, h, data, PAGES), 0);
	CHECK_EQ(hv_ring_producer(out, h, data, PAGES), 0);
}

static void layouts(void)
{
	CHECK_EQ(sizeof(struct vmb_offer), 196);
	CHECK_EQ(offsetof(struct vmb_offer, sub_channel_index), 180);
	CHECK_EQ(offsetof(struct vmb_offer, relid), 184);
	CHECK_EQ(offsetof(struct vmb_offer, connection), 192);
	CHECK_EQ(sizeof(struct vmb_open), 148);
	CHECK_EQ(sizeof(struct vmb_gpadl_header), 28);
	CHECK_EQ(sizeof(struct vmb_gpadl_body), 16);
	CHECK_EQ(sizeof(struct vmb_initiate_contact), 40);
	CHECK_EQ(sizeof(struct vmb_version_response), 16);
	CHECK_EQ(sizeof(struct vmb_tl_connect), 40);
	CHECK_EQ(sizeof(struct vmb_open_result), 20);
	CHECK_EQ(sizeof(struct vmb_monitor_page), 4096);
	CHECK_EQ(offsetof(struct vmb_monitor_page, latency), 0x240);
	CHECK_EQ(offsetof(struct vmb_monitor_page, parameter), 0x440);
	CHECK_EQ(offsetof(struct vmb_ring_header, features), 64);
}

static void one_packet(void)
{
	struct hv_ring in, out;
	struct hv_ring_packet p;
	char buf[16];

	fresh(&in, &out);
	CHECK_EQ(hv_ring_peek(&in, &p), -EAGAIN);
	CHECK_EQ(hv_ring_send(&out, VMB_PACKET_F_COMPLETION, 0x1122334455667788ull, "hello", 5), 0);
	CHECK_EQ(hv_ring_peek(&in, &p), -EAGAIN);
	CHECK(hv_ring_publish(&out));
	CHECK(!hv_ring_publish(&out));
	CHECK_EQ(h->write_index, 16 + 8 + 8);
	CHECK_EQ(hv_ring_peek(&in, &p), 0);
	CHECK_EQ(p.type, VMB_PACKET_INBAND);
	CHECK_EQ(p.flags, VMB_PACKET_F_COMPLETION);
	CHECK(p.transaction == 0x1122334455667788ull);
	CHECK_EQ(p.header_bytes, 16);
	CHECK_EQ(hv_ring_payload(&p), 8);
	CHECK_EQ(hv_ring_copy(&in, &p, p.header_bytes, buf, 8), 0);
	CHECK(!memcmp(buf, "hello\0\0\0", 8));
	CHECK_EQ(hv_ring_copy(&in, &p, p.header_bytes, buf, 9), -EPROTO);
	CHECK_EQ(hv_ring_copy(&in, &p, 25, buf, 0), -EPROTO);
	CHECK_EQ(hv_ring_copy(&in, &p, 8, buf, ~0u), -EPROTO);
	CHECK_EQ(h->read_index, 0);
	hv_ring_next(&in, &p);
	CHECK(!hv_ring_release(&in));
	CHECK_EQ(h->read_index, 32);
	CHECK_EQ(hv_ring_peek(&in, &p), -EAGAIN);
	/* the trailer: where the packet began, in the upper half */
	CHECK_EQ(get_unaligned_le64(data + 24), 0);
	CHECK_EQ(hv_ring_complete(&out, 7, NULL, 0), 0);
	CHECK_EQ(get_unaligned_le64(data + 32 + 16), 32ull << 32);
}

/* Every size at every place, wrapping included, content compared. */
static void stream(void)
{
	struct hv_ring in, out;
	struct hv_ring_packet p;
	u8 buf[600], want[600];
	u32 sent = 0, got = 0, i, len, full = 0;

	fresh(&in, &out);
	srand(1);
	while (got < 20000) {
		len = (u32)rand() % 500;
		memset(buf, (int)sent, len);
		if (sent < 20000 && sent - got < 40) {
			int ret = hv_ring_send(&out, 0, sent, buf, len);

			if (!ret) {
				sent++;
				hv_ring_publish(&out);
				continue;
			}
			CHECK_EQ(ret, -EAGAIN);
			full++;
		}
		if (hv_ring_peek(&in, &p))
			break;
		CHECK(p.transaction == got);
		len = hv_ring_payload(&p);
		CHECK_EQ(hv_ring_copy(&in, &p, p.header_bytes, buf, len), 0);
		memset(want, (int)got, len);
		for (i = 0; len && i < len - min(len, 7u); i++)
			if (buf[i] != want[i])
				break;
		CHECK_EQ(i, len - min(len, 7u));
		hv_ring_next(&in, &p);
		hv_ring_release(&in);
		got++;
	}
	CHECK_EQ(got, 20000);
	CHECK(full > 100);
}

static void full_ring(void)
{
	struct hv_ring in, out;
	struct hv_ring_packet p;
	u8 buf[BYTES];
	u32 need;

	fresh(&in, &out);
	h->features = VMB_RING_F_PENDING_SEND;
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(hv_ring_send(&out, 0, 1, buf, BYTES - 24), -EMSGSIZE);
	CHECK_EQ(hv_ring_room(&out), BYTES - 8);
	CHECK_EQ(hv_ring_send(&out, 0, 1, buf, BYTES - 24 - 8), 0);	/* to the last but one word */
	CHECK_EQ(hv_ring_room(&out), 0);
	CHECK_EQ(hv_ring_complete(&out, 2, NULL, 0), -EAGAIN);
	need = hv_ring_room_for(0);
	CHECK_EQ(need, 24);
	CHECK(hv_ring_publish(&out));
	CHECK(!hv_ring_want(&out, need));
	CHECK_EQ(h->pending_send_bytes, 24);
	CHECK_EQ(hv_ring_peek(&in, &p), 0);
	hv_ring_next(&in, &p);
	CHECK(hv_ring_release(&in));		/* steps over the mark: told once */
	CHECK(!hv_ring_release(&in));
	CHECK(hv_ring_want(&out, need));
	CHECK_EQ(hv_ring_complete(&out, 2, NULL, 0), 0);
	hv_ring_publish(&out);
	CHECK_EQ(hv_ring_peek(&in, &p), 0);
	hv_ring_next(&in, &p);
	CHECK(!hv_ring_release(&in));		/* there was more free than that before */
	hv_ring_want_none(&out);
	CHECK_EQ(h->pending_send_bytes, 0);
	/* without the feature nobody is told */
	fresh(&in, &out);
	hv_ring_send(&out, 0, 1, buf, BYTES - 32);
	hv_ring_publish(&out);
	hv_ring_want(&out, 24);
	hv_ring_peek(&in, &p);
	hv_ring_next(&in, &p);
	CHECK(!hv_ring_release(&in));
}

static void signalling(void)
{
	struct hv_ring in, out;
	struct hv_ring_packet p;

	fresh(&in, &out);
	hv_ring_complete(&out, 1, NULL, 0);
	hv_ring_complete(&out, 2, NULL, 0);
	CHECK(hv_ring_publish(&out));		/* a batch into an empty ring: once */
	hv_ring_complete(&out, 3, NULL, 0);
	CHECK(!hv_ring_publish(&out));		/* not empty */
	hv_ring_mask(&in);
	CHECK_EQ(h->interrupt_mask, 1);
	while (!hv_ring_peek(&in, &p))
		hv_ring_next(&in, &p);
	hv_ring_release(&in);
	hv_ring_complete(&out, 4, NULL, 0);
	CHECK(!hv_ring_publish(&out));		/* empty, but it polls */
	CHECK(hv_ring_unmask(&in));		/* and finds what came in between */
	hv_ring_peek(&in, &p);
	CHECK(p.transaction == 4);
	hv_ring_next(&in, &p);
	hv_ring_release(&in);
	CHECK(!hv_ring_unmask(&in));
	hv_ring_complete(&out, 5, NULL, 0);
	CHECK(hv_ring_publish(&out));
}

static void hostile(void)
{
	static const u32 bad_index[] = { BYTES, 4, ~0u, 0x80000000u, BYTES + 8 };
	struct hv_ring in, out;
	struct hv_ring_packet p;
	struct vmb_packet d;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad_index); i++) {
		fresh(&in, &out);
		h->write_index = bad_index[i];
		CHECK_EQ(hv_ring_peek(&in, &p), -EPROTO);
		h->write_index = 0;
		CHECK_EQ(hv_ring_peek(&in, &p), -EPROTO);
		CHECK_EQ(hv_ring_consumer(&in, h, data, PAGES), 0);
		h->read_index = bad_index[i];
		CHECK_EQ(hv_ring_consumer(&in, h, data, PAGES), -EPROTO);
		CHECK_EQ(hv_ring_room(&out), 0);
		CHECK_EQ(hv_ring_complete(&out, 1, NULL, 0), -EPROTO);
		CHECK(!hv_ring_publish(&out));
	}
	/* descriptors: header words, words, bytes there */
	for (i = 0; i < 7; i++) {
		fresh(&in, &out);
		d = (struct vmb_packet){ .header_words = 2, .words = 2 };
		h->write_index = 64;
		if (i == 0)
			d.header_words = 1;
		if (i == 1)
			d.words = 1;
		if (i == 2)
			d.header_words = 3;
		if (i == 3)
			d.words = 8;
		if (i == 4)
			d.words = d.header_words = 0xffff;
		if (i == 5)
			h->write_index = 16;
		memcpy(data, &d, sizeof(d));
		CHECK_EQ(hv_ring_peek(&in, &p), i == 6 ? 0 : -EPROTO);
	}
	CHECK_EQ(hv_ring_consumer(&in, h, data, 1), -EINVAL);
	CHECK_EQ(hv_ring_consumer(&in, h, data, VMB_RING_MAX_PAGES + 1), -EINVAL);
	/* the guest's indices are nonsense when room is given back */
	fresh(&in, &out);
	hv_ring_complete(&out, 1, NULL, 0);
	hv_ring_publish(&out);
	CHECK_EQ(hv_ring_peek(&in, &p), 0);
	hv_ring_next(&in, &p);
	h->features = 1;
	h->pending_send_bytes = 8;
	h->write_index = 5;
	CHECK(!hv_ring_release(&in));
	CHECK_EQ(hv_ring_peek(&in, &p), -EPROTO);
}

static void lists(void)
{
	struct vmb_transfer_range tr[3] = { { 100, 0 }, { 200, 4096 }, { 8, 8192 } };
	u8 buf[200] = { 0 };
	struct hv_ring_ranges it;
	struct hv_ring_range range;
	struct hv_ring in, out;
	struct hv_ring_packet p;
	const void *payload;

	fresh(&in, &out);
	CHECK_EQ(hv_ring_send_transfer(&out, 9, 0xcafe, tr, 3, "12345678", 8), 0);
	CHECK_EQ(hv_ring_send_transfer(&out, 9, 0xcafe, tr, 0, NULL, 0), -EINVAL);
	CHECK_EQ(hv_ring_send_transfer(&out, 9, 0xcafe, tr, HV_RING_TRANSFER_RANGES + 1, NULL, 0), -EINVAL);
	CHECK_EQ(hv_ring_put(&out, 6, 0, 0, 4, NULL, 0), -EINVAL);
	hv_ring_publish(&out);
	CHECK_EQ(hv_ring_peek(&in, &p), 0);
	CHECK_EQ(p.type, VMB_PACKET_TRANSFER_PAGES);
	CHECK_EQ(p.header_bytes, 16 + 8 + 24);
	CHECK_EQ(hv_ring_payload(&p), 8);
	CHECK_EQ(hv_ring_copy(&in, &p, 0, buf, p.bytes), 0);
	CHECK_EQ(get_unaligned_le16(buf + 16), 0xcafe);
	CHECK_EQ(get_unaligned_le32(buf + 20), 3);
	CHECK_EQ(get_unaligned_le32(buf + 24 + 12), 4096);
	CHECK(!memcmp(buf + 48, "12345678", 8));

	/* GPA-direct: two ranges, 5000 bytes from 4000 (3 pages), 1 byte (1 page) */
	memset(buf, 0, sizeof(buf));
	put_unaligned_le32(2, buf + 20);
	put_unaligned_le32(5000, buf + 24);
	put_unaligned_le32(4000, buf + 28);
	put_unaligned_le64(0x11, buf + 32);
	put_unaligned_le64(0x22, buf + 40);
	put_unaligned_le64(0x33, buf + 48);
	put_unaligned_le32(1, buf + 56);
	put_unaligned_le64(0x44, buf + 64);
	CHECK_EQ(hv_ring_ranges_begin(&it, buf, 72), 0);
	CHECK_EQ(hv_ring_ranges_next(&it, &range), 1);
	CHECK_EQ(range.npages, 3);
	CHECK_EQ(hv_ring_range_pfn(&range, 2), 0x33);
	CHECK_EQ(hv_ring_ranges_next(&it, &range), 1);
	CHECK_EQ(range.npages, 1);
	CHECK_EQ(hv_ring_range_pfn(&range, 0), 0x44);
	CHECK_EQ(hv_ring_ranges_next(&it, &range), 0);
	CHECK_EQ(hv_ring_ranges_begin(&it, buf, 64), 0);
	CHECK_EQ(hv_ring_ranges_next(&it, &range), 1);
	CHECK_EQ(hv_ring_ranges_next(&it, &range), -EPROTO);
	put_unaligned_le32(0xffffffff, buf + 24);
	CHECK_EQ(hv_ring_ranges_begin(&it, buf, 72), 0);
	CHECK_EQ(hv_ring_ranges_next(&it, &range), -EPROTO);
	put_unaligned_le32(4096, buf + 28);
	CHECK_EQ(hv_ring_ranges_begin(&it, buf, 72), 0);
	CHECK_EQ(hv_ring_ranges_next(&it, &range), -EPROTO);
	put_unaligned_le32(7, buf + 20);
	CHECK_EQ(hv_ring_ranges_begin(&it, buf, 72), -EPROTO);
	CHECK_EQ(hv_ring_ranges_begin(&it, buf, 23), -EPROTO);

	/* pipes */
	fresh(&in, &out);
	CHECK_EQ(hv_ring_send_pipe(&out, 0, "abc", 3), 0);
	hv_ring_publish(&out);
	hv_ring_peek(&in, &p);
	hv_ring_copy(&in, &p, p.header_bytes, buf, hv_ring_payload(&p));
	CHECK_EQ(hv_ring_pipe_payload(buf, hv_ring_payload(&p), &payload), 3);
	CHECK(!memcmp(payload, "abc", 3));
	put_unaligned_le32(9, buf + 4);
	CHECK_EQ(hv_ring_pipe_payload(buf, 16, &payload), -EPROTO);
	CHECK_EQ(hv_ring_pipe_payload(buf, 7, &payload), -EPROTO);
	put_unaligned_le32(0, buf);
	CHECK_EQ(hv_ring_pipe_payload(buf, 16, &payload), -EPROTO);
}

/* A ring that was moved in the middle of things goes on where it was. */
static void resumed(void)
{
	struct hv_ring in, out;
	struct hv_ring_packet p;
	u32 i;

	fresh(&in, &out);
	for (i = 0; i < 5; i++)
		hv_ring_complete(&out, i, NULL, 0);
	hv_ring_publish(&out);
	hv_ring_peek(&in, &p);
	hv_ring_next(&in, &p);
	hv_ring_release(&in);
	CHECK_EQ(hv_ring_consumer(&in, h, data, PAGES), 0);
	CHECK_EQ(hv_ring_producer(&out, h, data, PAGES), 0);
	hv_ring_complete(&out, 5, NULL, 0);
	CHECK(!hv_ring_publish(&out));
	for (i = 1; !hv_ring_peek(&in, &p); i++) {
		CHECK(p.transaction == i);
		hv_ring_next(&in, &p);
	}
	CHECK_EQ(i, 6);
}

int main(void)
{
	h = aligned_alloc(VMB_PAGE, VMB_PAGE);
	data = aligned_alloc(VMB_PAGE, BYTES);
	layouts();
	one_packet();
	stream();
	full_ring();
	signalling();
	hostile();
	lists();
	resumed();
	free(h);
	free(data);
	return unit_done();
}
