/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ring.h - the host's end of a channel: reading packets of the guest, sending packets to it
 *
 * Ring memory belongs to both sides, and the other side is not trusted: every index and every
 * descriptor is read once, checked, and used from the copy. A ring that makes no sense is
 * -EPROTO, and stays so; the caller closes the device. Payload bytes are copied out; they may
 * change under the copy, so check what was copied, never the ring.
 *
 * One thread at a time uses a struct hv_ring. Nothing here allocates, waits or signals:
 * functions say when the guest must be signalled and the caller does it.
 *
 *	consumer			producer
 *	  hv_ring_mask()		  hv_ring_put() ...
 *	  while !hv_ring_peek()		  if (hv_ring_publish()) signal
 *	    hv_ring_copy() ...		  when -EAGAIN: hv_ring_want(), wait for a signal, again
 *	    hv_ring_next()
 *	  if (hv_ring_release()) signal
 *	  if (hv_ring_unmask()) again, else wait for a signal
 */
#ifndef _HV_VMBUS_LIB_RING_H
#define _HV_VMBUS_LIB_RING_H

#include <hv/portable.h>
#include <hvguest/vmbus.h>

struct hv_ring {
	struct vmb_ring_header *header;
	u8 *data;
	u32 bytes;		/* of @data; multiple of VMB_PAGE */
	u32 pos;		/* consumer: read up to here; producer: written up to here */
	u32 published;		/* what the other side has been told */
	u32 other;		/* the other side's index as last seen */
	bool broken;
};

/* A packet that lies in the ring at @at; all from one checked copy of its descriptor. */
struct hv_ring_packet {
	u32 at;			/* of the descriptor in the data */
	u32 header_bytes;	/* descriptor and what its type adds */
	u32 bytes;		/* all of it, without the trailer */
	u16 type;		/* enum vmb_packet_type, or something unknown */
	u16 flags;		/* VMB_PACKET_F_* */
	u64 transaction;
};

static inline u32 hv_ring_payload(const struct hv_ring_packet *p)
{
	return p->bytes - p->header_bytes;
}

/*
 * Start with a ring of @pages, its header page included, at @header and (header's next page
 * or wherever it is mapped) @data. Consumer and producer begin at the indices found
 * there, so that it also serves after a move. -EINVAL size, -EPROTO indices.
 */
int hv_ring_consumer(struct hv_ring *r, void *header, void *data, u32 pages);
int hv_ring_producer(struct hv_ring *r, void *header, void *data, u32 pages);

/* ---- consumer ---- */

/* The next packet, which stays in the ring. -EAGAIN there is none, -EPROTO. */
int hv_ring_peek(struct hv_ring *r, struct hv_ring_packet *p);
/* Copy @len bytes of @p from @off, counted from its descriptor. -EPROTO beyond its end. */
int hv_ring_copy(const struct hv_ring *r, const struct hv_ring_packet *p, u32 off, void *buf,
		 u32 len);
/* Step over @p; the guest does not hear of it before hv_ring_release(). */
void hv_ring_next(struct hv_ring *r, const struct hv_ring_packet *p);
/* Give the guest the room of all that was stepped over. True: it waits for that, signal it. */
bool hv_ring_release(struct hv_ring *r);
/* I am looking: the guest need not signal. */
void hv_ring_mask(struct hv_ring *r);
/* I am going to wait: signal. True: something came in meanwhile, look again. */
bool hv_ring_unmask(struct hv_ring *r);

/* ---- producer ---- */

struct hv_ring_vec {
	const void *base;
	u32 len;
};

/*
 * Add a packet of @n pieces, padded to 8 bytes. The first @head bytes of them (a multiple of 8,
 * 0 for most types) belong to its header, behind the descriptor. -EAGAIN no room now, -EMSGSIZE
 * it would never fit, -EINVAL, -EPROTO. The guest sees it after hv_ring_publish().
 */
int hv_ring_put(struct hv_ring *r, u16 type, u16 flags, u64 transaction, u32 head,
		const struct hv_ring_vec *vec, u32 n);
/* Show the guest what was put. True: signal it (the ring was empty, and it does not poll). */
bool hv_ring_publish(struct hv_ring *r);
/* No room: ask for a signal when @bytes are free. True: they are already, try again at once. */
bool hv_ring_want(struct hv_ring *r, u32 bytes);
/* Room was found: no more signals wanted. */
void hv_ring_want_none(struct hv_ring *r);
/* Bytes a packet takes in the ring: descriptor, @bytes padded, trailer. */
static inline u32 hv_ring_room_for(u32 bytes)
{
	return (u32)sizeof(struct vmb_packet) + ((bytes + 7) & ~7u) +
	       (u32)sizeof(struct vmb_packet_trailer);
}
/* Bytes that can be put now. */
u32 hv_ring_room(struct hv_ring *r);

/* ---- usual packets ---- */

/* Completion of @transaction with @len bytes at @buf. Errors of hv_ring_put(). */
static inline int hv_ring_complete(struct hv_ring *r, u64 transaction, const void *buf, u32 len)
{
	const struct hv_ring_vec vec = { buf, len };

	return hv_ring_put(r, VMB_PACKET_COMPLETION, 0, transaction, 0, &vec, 1);
}

/* In-band data; @flags: VMB_PACKET_F_COMPLETION to be answered. */
static inline int hv_ring_send(struct hv_ring *r, u16 flags, u64 transaction, const void *buf,
			       u32 len)
{
	const struct hv_ring_vec vec = { buf, len };

	return hv_ring_put(r, VMB_PACKET_INBAND, flags, transaction, 0, &vec, 1);
}

/* In-band data behind a pipe header. */
int hv_ring_send_pipe(struct hv_ring *r, u64 transaction, const void *buf, u32 len);

/* Transfer pages: @n ranges of the buffer @pageset, 1..HV_RING_TRANSFER_RANGES, and a payload. */
#define HV_RING_TRANSFER_RANGES	562u
int hv_ring_send_transfer(struct hv_ring *r, u64 transaction, u16 pageset,
			  const struct vmb_transfer_range *ranges, u32 n, const void *buf, u32 len);

/* ---- what a VMB_PACKET_GPA_DIRECT or _TRANSFER_PAGES header lists ---- */

/* One piece of guest memory, checked: pages hold at least offset + bytes. */
struct hv_ring_range {
	u32 bytes;
	u32 offset;		/* in the first page; < VMB_PAGE */
	u32 npages;
	const u8 *pfns;		/* @npages u64 in the copied header; unaligned */
};

static inline u64 hv_ring_range_pfn(const struct hv_ring_range *range, u32 i)
{
	return get_unaligned_le64(range->pfns + 8 * (size_t)i);
}

/* Walk over the ranges in a header that hv_ring_copy() brought to @buf, from its byte 0 on. */
struct hv_ring_ranges {
	const u8 *buf;
	u32 len;		/* header_bytes */
	u32 pos;
	u32 left;		/* ranges still to come */
};

/* -EPROTO: not a GPA-direct header, or too short for what it lists. */
int hv_ring_ranges_begin(struct hv_ring_ranges *it, const void *buf, u32 len);
/* 1: @range is the next one; 0: there is none; -EPROTO. */
int hv_ring_ranges_next(struct hv_ring_ranges *it, struct hv_ring_range *range);

/* Payload of a pipe packet in @buf (@len bytes copied): its bytes, or -EPROTO. */
int hv_ring_pipe_payload(const void *buf, u32 len, const void **payload);

#endif /* _HV_VMBUS_LIB_RING_H */
