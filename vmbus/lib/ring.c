// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ring.c - the host's end of a channel's rings
 *
 * Order of accesses. A producer's bytes are visible before its write index (release, paired
 * with the consumer's acquire); a consumer has read its bytes before its read index moves.
 * Whoever is about to sleep writes its wish (mask off, pending size), has a full barrier, and looks
 * once more; the other side moves its index, has a full barrier, and reads the wish.
 */
#include "ring.h"

#define TRAILER		((u32)sizeof(struct vmb_packet_trailer))
#define DESCRIPTOR	((u32)sizeof(struct vmb_packet))
#define WORD		8u
#define MAX_WORDS	0xffffu

static bool index_is_sane(const struct hv_ring *r, u32 index)
{
	return index < r->bytes && !(index % WORD);
}

static u32 distance(const struct hv_ring *r, u32 from, u32 to)
{
	return to >= from ? to - from : r->bytes - from + to;
}

static u32 advance(const struct hv_ring *r, u32 pos, u32 by)
{
	u32 left = r->bytes - pos;

	return by < left ? pos + by : by - left;
}

static int broken(struct hv_ring *r)
{
	r->broken = true;
	return -EPROTO;
}

static int ring_init(struct hv_ring *r, void *header, void *data, u32 pages)
{
	BUILD_BUG_ON(sizeof(struct vmb_packet) != 16);
	BUILD_BUG_ON(sizeof(struct vmb_packet_trailer) != 8);
	BUILD_BUG_ON(offsetof(struct vmb_ring_header, features) != 64);

	if (pages < 2 || pages > VMB_RING_MAX_PAGES)
		return -EINVAL;
	r->header = header;
	r->data = data;
	r->bytes = (pages - 1) * VMB_PAGE;
	r->broken = false;
	return 0;
}

int hv_ring_consumer(struct hv_ring *r, void *header, void *data, u32 pages)
{
	int ret = ring_init(r, header, data, pages);

	if (ret)
		return ret;
	r->pos = READ_ONCE(r->header->read_index);
	r->published = r->pos;
	r->other = smp_load_acquire(&r->header->write_index);
	return index_is_sane(r, r->pos) && index_is_sane(r, r->other) ? 0 : broken(r);
}

int hv_ring_producer(struct hv_ring *r, void *header, void *data, u32 pages)
{
	int ret = ring_init(r, header, data, pages);

	if (ret)
		return ret;
	r->pos = READ_ONCE(r->header->write_index);
	r->published = r->pos;
	r->other = smp_load_acquire(&r->header->read_index);
	return index_is_sane(r, r->pos) && index_is_sane(r, r->other) ? 0 : broken(r);
}

/* ---- bytes in and out, around the end ---- */

static void copy_out(const struct hv_ring *r, u32 pos, void *buf, u32 len)
{
	u32 first = r->bytes - pos;

	if (len <= first) {
		memcpy(buf, r->data + pos, len);
		return;
	}
	memcpy(buf, r->data + pos, first);
	memcpy((u8 *)buf + first, r->data, len - first);
}

static u32 copy_in(struct hv_ring *r, u32 pos, const void *buf, u32 len)
{
	u32 first = r->bytes - pos;

	if (!len)
		return pos;
	if (len < first) {
		memcpy(r->data + pos, buf, len);
		return pos + len;
	}
	memcpy(r->data + pos, buf, first);
	memcpy(r->data, (const u8 *)buf + first, len - first);
	return len - first;
}

/* ---- consumer ---- */

int hv_ring_peek(struct hv_ring *r, struct hv_ring_packet *p)
{
	struct vmb_packet d;
	u32 avail;

	if (r->broken)
		return -EPROTO;
	avail = distance(r, r->pos, r->other);
	if (!avail) {
		r->other = smp_load_acquire(&r->header->write_index);
		if (!index_is_sane(r, r->other))
			return broken(r);
		avail = distance(r, r->pos, r->other);
		if (!avail)
			return -EAGAIN;
	}
	if (avail < DESCRIPTOR + TRAILER)
		return broken(r);
	copy_out(r, r->pos, &d, sizeof(d));
	if (d.header_words < DESCRIPTOR / WORD || d.header_words > d.words ||
	    d.words * WORD + TRAILER > avail)
		return broken(r);
	p->at = r->pos;
	p->header_bytes = d.header_words * WORD;
	p->bytes = d.words * WORD;
	p->type = d.type;
	p->flags = d.flags;
	p->transaction = d.transaction;
	return 0;
}

int hv_ring_copy(const struct hv_ring *r, const struct hv_ring_packet *p, u32 off, void *buf,
		 u32 len)
{
	if (off > p->bytes || len > p->bytes - off)
		return -EPROTO;
	if (len)
		copy_out(r, advance(r, p->at, off), buf, len);
	return 0;
}

void hv_ring_next(struct hv_ring *r, const struct hv_ring_packet *p)
{
	r->pos = advance(r, p->at, p->bytes + TRAILER);
}

bool hv_ring_release(struct hv_ring *r)
{
	u32 want, write, freed, before;

	if (r->broken || r->pos == r->published)
		return false;
	freed = distance(r, r->published, r->pos);
	r->published = r->pos;
	smp_store_release(&r->header->read_index, r->pos);
	smp_mb();	/* pairs with the guest's, between its wish and its second look */
	if (!(READ_ONCE(r->header->features) & VMB_RING_F_PENDING_SEND))
		return false;
	want = READ_ONCE(r->header->pending_send_bytes);
	if (!want)
		return false;
	write = READ_ONCE(r->header->write_index);
	if (!index_is_sane(r, write)) {
		broken(r);
		return false;
	}
	/* Only the step over the mark is told: who was free before has been told then. */
	before = r->bytes - min(r->bytes, distance(r, r->pos, write) + freed);
	return before <= want && r->bytes - distance(r, r->pos, write) > want;
}

void hv_ring_mask(struct hv_ring *r)
{
	WRITE_ONCE(r->header->interrupt_mask, 1);
}

bool hv_ring_unmask(struct hv_ring *r)
{
	WRITE_ONCE(r->header->interrupt_mask, 0);
	smp_mb();	/* pairs with the guest's, between its write index and our mask */
	if (r->broken)
		return false;
	r->other = smp_load_acquire(&r->header->write_index);
	if (!index_is_sane(r, r->other)) {
		broken(r);
		return true;	/* hv_ring_peek() tells */
	}
	return r->pos != r->other;
}

/* ---- producer ---- */

/* Free bytes; one of them at least stays free for ever. 0 when broken. */
static u32 room_now(struct hv_ring *r)
{
	r->other = smp_load_acquire(&r->header->read_index);
	if (!index_is_sane(r, r->other)) {
		broken(r);
		return 0;
	}
	return r->bytes - distance(r, r->other, r->pos);
}

u32 hv_ring_room(struct hv_ring *r)
{
	u32 room = r->broken ? 0 : room_now(r);

	return room ? room - WORD : 0;
}

int hv_ring_put(struct hv_ring *r, u16 type, u16 flags, u64 transaction, u32 head,
		const struct hv_ring_vec *vec, u32 n)
{
	static const u8 zeros[WORD];
	struct vmb_packet_trailer trailer = { .write_index = r->pos };
	struct vmb_packet d = { .type = type, .flags = flags, .transaction = transaction };
	u32 i, pos, total;
	u64 bytes = 0;

	if (r->broken)
		return -EPROTO;
	for (i = 0; i < n; i++)
		bytes += vec[i].len;
	if (head % WORD || head > bytes)
		return -EINVAL;
	if (bytes + DESCRIPTOR > MAX_WORDS * WORD)
		return -EMSGSIZE;
	total = hv_ring_room_for((u32)bytes);
	if (total >= r->bytes)
		return -EMSGSIZE;
	if (total >= r->bytes - distance(r, r->other, r->pos) && total >= room_now(r))
		return r->broken ? -EPROTO : -EAGAIN;

	d.header_words = (u16)((DESCRIPTOR + head) / WORD);
	d.words = (u16)((total - TRAILER) / WORD);
	pos = copy_in(r, r->pos, &d, sizeof(d));
	for (i = 0; i < n; i++)
		pos = copy_in(r, pos, vec[i].base, vec[i].len);
	if (bytes % WORD)
		pos = copy_in(r, pos, zeros, (u32)-bytes % WORD);
	r->pos = copy_in(r, pos, &trailer, sizeof(trailer));
	return 0;
}

bool hv_ring_publish(struct hv_ring *r)
{
	u32 old = r->published;

	if (r->broken || r->pos == old)
		return false;
	r->published = r->pos;
	smp_store_release(&r->header->write_index, r->pos);
	smp_mb();	/* pairs with the guest's, between its mask and its second look */
	if (READ_ONCE(r->header->interrupt_mask))
		return false;
	/* It had read all there was: nobody looks any more. */
	return READ_ONCE(r->header->read_index) == old;
}

bool hv_ring_want(struct hv_ring *r, u32 bytes)
{
	WRITE_ONCE(r->header->pending_send_bytes, bytes);
	smp_mb();	/* pairs with the guest's, between its read index and our wish */
	return room_now(r) > bytes || r->broken;
}

void hv_ring_want_none(struct hv_ring *r)
{
	WRITE_ONCE(r->header->pending_send_bytes, 0);
}

/* ---- usual packets ---- */

int hv_ring_send_pipe(struct hv_ring *r, u64 transaction, const void *buf, u32 len)
{
	const struct vmb_pipe pipe = { .type = VMB_PIPE_DATA, .bytes = len };
	const struct hv_ring_vec vec[] = { { &pipe, sizeof(pipe) }, { buf, len } };

	return hv_ring_put(r, VMB_PACKET_INBAND, 0, transaction, 0, vec, ARRAY_SIZE(vec));
}

int hv_ring_send_transfer(struct hv_ring *r, u64 transaction, u16 pageset,
			  const struct vmb_transfer_range *ranges, u32 n, const void *buf, u32 len)
{
	const struct vmb_transfer_pages head = { .pageset = pageset, .ranges = n };
	const u32 list = n * (u32)sizeof(*ranges);
	const struct hv_ring_vec vec[] = { { &head, sizeof(head) }, { ranges, list }, { buf, len } };

	if (!n || n > HV_RING_TRANSFER_RANGES)
		return -EINVAL;
	return hv_ring_put(r, VMB_PACKET_TRANSFER_PAGES, 0, transaction,
			   (u32)sizeof(head) + list, vec, ARRAY_SIZE(vec));
}

/* ---- lists of guest memory ---- */

int hv_ring_ranges_begin(struct hv_ring_ranges *it, const void *buf, u32 len)
{
	const u32 fixed = DESCRIPTOR + (u32)sizeof(struct vmb_gpa_direct);

	if (len < fixed)
		return -EPROTO;
	it->buf = buf;
	it->len = len;
	it->pos = fixed;
	it->left = get_unaligned_le32(it->buf + DESCRIPTOR + offsetof(struct vmb_gpa_direct, ranges));
	return it->left <= (len - fixed) / sizeof(struct vmb_gpa_range) ? 0 : -EPROTO;
}

int hv_ring_ranges_next(struct hv_ring_ranges *it, struct hv_ring_range *range)
{
	u32 left = it->len - it->pos;
	const u8 *p = it->buf + it->pos;
	u64 npages;

	if (!it->left)
		return 0;
	if (left < sizeof(struct vmb_gpa_range))
		return -EPROTO;
	range->bytes = get_unaligned_le32(p);
	range->offset = get_unaligned_le32(p + 4);
	if (range->offset >= VMB_PAGE)
		return -EPROTO;
	npages = ((u64)range->bytes + range->offset + VMB_PAGE - 1) / VMB_PAGE;
	left -= (u32)sizeof(struct vmb_gpa_range);
	if (npages > left / sizeof(u64))
		return -EPROTO;
	range->npages = (u32)npages;
	range->pfns = p + sizeof(struct vmb_gpa_range);
	it->pos += (u32)(sizeof(struct vmb_gpa_range) + npages * sizeof(u64));
	it->left--;
	return 1;
}

int hv_ring_pipe_payload(const void *buf, u32 len, const void **payload)
{
	u32 bytes;

	if (len < sizeof(struct vmb_pipe))
		return -EPROTO;
	bytes = get_unaligned_le32((const u8 *)buf + offsetof(struct vmb_pipe, bytes));
	if (get_unaligned_le32(buf) != VMB_PIPE_DATA || bytes > len - sizeof(struct vmb_pipe) ||
	    bytes > 0x7fffffff)
		return -EPROTO;
	*payload = (const u8 *)buf + sizeof(struct vmb_pipe);
	return (int)bytes;
}
