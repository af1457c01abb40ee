// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring_fuzz.c - a hostile guest on both rings of a channel
 *
 * The input is what stands in the header and data of a ring, and how it changes between the
 * device's looks. Besides what the sanitizers find: no packet reaches beyond the ring, a
 * broken ring stays broken, every consumed ring ends.
 */
#include <stdlib.h>
#include <hv/portable.h>
#include <hvguest/vmbus.h>
#include "vmbus/lib/ring.h"

#define EXPECT(cond) do { if (!(cond)) abort(); } while (0)
#define BYTES	VMB_PAGE

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct vmb_ring_header header;
static u8 ring[BYTES];

static void lists(const u8 *buf, u32 len)
{
	struct hv_ring_ranges it;
	struct hv_ring_range range;
	const void *payload;
	u64 sum = 0;
	u32 i;
	int ret;

	ret = hv_ring_pipe_payload(buf, len, &payload);
	EXPECT(ret < 0 || (u32)ret <= len - 8);
	if (hv_ring_ranges_begin(&it, buf, len))
		return;
	while (hv_ring_ranges_next(&it, &range) == 1) {
		EXPECT(range.offset < VMB_PAGE);
		EXPECT((u64)range.npages * VMB_PAGE >= (u64)range.offset + range.bytes);
		for (i = 0; i < range.npages; i++)
			sum += hv_ring_range_pfn(&range, i);
	}
	EXPECT(sum || !sum);
}

static void consume(const u8 **data, size_t *size)
{
	struct hv_ring_packet p;
	struct hv_ring r;
	u8 *buf;
	u32 n = 0;

	if (hv_ring_consumer(&r, &header, ring, 2))
		return;
	while (!hv_ring_peek(&r, &p)) {
		EXPECT(p.bytes + 8 <= BYTES && p.header_bytes >= 16 && p.header_bytes <= p.bytes);
		EXPECT(n++ < 4 * BYTES);
		buf = malloc(p.bytes);
		EXPECT(!hv_ring_copy(&r, &p, 0, buf, p.bytes));
		EXPECT(hv_ring_copy(&r, &p, 1, buf, p.bytes) == -EPROTO);
		lists(buf, p.header_bytes);
		free(buf);
		hv_ring_next(&r, &p);
		/* it writes while we read */
		if (*size >= 4) {
			header.write_index = get_unaligned_le16(*data);
			header.pending_send_bytes = get_unaligned_le16(*data + 2);
			*data += 4;
			*size -= 4;
		} else {
			break;
		}
		hv_ring_release(&r);
		hv_ring_unmask(&r);
	}
	if (r.broken)
		EXPECT(hv_ring_peek(&r, &p) == -EPROTO);
}

static void produce(const u8 *data, size_t size)
{
	struct hv_ring r;
	u32 len, n;
	int ret;

	if (hv_ring_producer(&r, &header, ring, 2))
		return;
	for (n = 0; n < 64 && size >= 4; n++) {
		header.read_index = get_unaligned_le16(data);
		len = min((u32)get_unaligned_le16(data + 2), (u32)size);
		ret = hv_ring_send_pipe(&r, n, data, len);
		EXPECT(!ret || ret == -EAGAIN || ret == -EMSGSIZE || ret == -EPROTO);
		if (ret == -EAGAIN)
			hv_ring_want(&r, hv_ring_room_for(len + 8));
		EXPECT(r.broken || r.pos < r.bytes);
		hv_ring_publish(&r);
		data += 4;
		size -= 4;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	size_t n;

	if (size < 16)
		return 0;
	memset(&header, 0, sizeof(header));
	memset(ring, 0, sizeof(ring));
	header.write_index = get_unaligned_le16(data);
	header.read_index = get_unaligned_le16(data + 2);
	header.pending_send_bytes = get_unaligned_le16(data + 4);
	header.features = data[6];
	header.interrupt_mask = data[7];
	data += 8;
	size -= 8;
	n = min(size, sizeof(ring));
	memcpy(ring, data, n);
	consume(&data, &size);
	produce(data, size);
	return 0;
}
