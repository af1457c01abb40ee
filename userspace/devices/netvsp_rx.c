// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames to the guest: from the backend into sections of the receive buffer, and the packets that list them.
 *
 * The sections are shared out to the queues for good, so that no queue waits for another one. A section goes
 * free -> ours (a frame is put there, or it stands in the batch) -> guest -> free. The transaction of a packet
 * is its first section's number plus one: unique while the guest has it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netvsp_impl.h"

#define VLAN_TAG	4u	/* bytes by which a frame may be longer */

int net_sections_make(struct netvsp *v)
{
	unsigned int n = v->recv.sections, share = n / v->nr_queues;

	if (!share)
		return -EINVAL;
	v->section = calloc(n, sizeof(*v->section));
	if (!v->section)
		return -ENOMEM;
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct net_queue *q = v->queue[i];

		q->section = v->section;
		q->now = q->batch_first = q->batch_last = NET_NO_SECTION;
		q->batched = 0;
		q->free = (uint16_t)(i * share);
		for (unsigned int s = i * share; s < (i + 1) * share; s++)
			v->section[s].next = s + 1 < (i + 1) * share ? (uint16_t)(s + 1) : NET_NO_SECTION;
	}
	return 0;
}

static uint16_t section_take(struct net_queue *q)
{
	uint16_t s = q->free;

	if (s == NET_NO_SECTION)
		return s;
	q->free = q->section[s].next;
	q->section[s].next = NET_NO_SECTION;
	q->section[s].state = NET_SECTION_OURS;
	return s;
}

static void section_free(struct net_queue *q, uint16_t s)
{
	q->section[s].state = NET_SECTION_FREE;
	q->section[s].next = q->free;
	q->free = s;
}

/* Is it one of this queue's? */
static bool section_is_mine(const struct net_queue *q, uint64_t s)
{
	unsigned int share = q->nic->recv.sections / q->nic->nr_queues;

	return q->section && s / share == q->chan.index;
}

void net_received(struct net_queue *q, uint64_t transaction)
{
	uint64_t s = transaction - 1;
	uint16_t at, next;

	if (!transaction || !section_is_mine(q, s) || q->section[s].state != NET_SECTION_GUEST) {
		NET_COUNT(q, refused, 1);
		return;
	}
	/* Those behind the first one are not known to the guest as transactions. */
	for (at = (uint16_t)s; at != NET_NO_SECTION; at = next) {
		next = q->section[at].next;
		section_free(q, at);
	}
}

/* ---- packets ---- */

/* Hand the sections from @first on to the guest. -EAGAIN: no room. */
static int transfer_send(struct net_queue *q, uint16_t first, const struct vmb_transfer_range *ranges,
			 uint32_t n, uint32_t channel)
{
	const struct vmb_nvsp m = {
		.type = VMB_NVSP_RNDIS_PACKET,
		.rndis = { .channel = channel, .section = VMB_NVSP_NO_SECTION },
	};
	int ret = hv_ring_send_transfer(&q->chan.to_guest, first + 1ull, VMB_NVSP_RECV_PAGESET, ranges, n, &m,
					sizeof(m));

	if (ret)
		return ret;
	/* The others of the chain stay "ours": only the first one comes back as a transaction. */
	q->section[first].state = NET_SECTION_GUEST;
	return 0;
}

bool net_batch_send(struct net_queue *q)
{
	int ret;

	if (!q->batched)
		return true;
	ret = transfer_send(q, q->batch_first, q->batch, q->batched, VMB_NVSP_DATA);
	if (ret == -EAGAIN &&
	    hv_ring_want(&q->chan.to_guest, hv_ring_room_for((8 + 8 * NET_RX_BATCH) + VMB_NVSP_BYTES)))
		ret = transfer_send(q, q->batch_first, q->batch, q->batched, VMB_NVSP_DATA);
	if (ret == -EAGAIN)
		return false;
	if (ret)
		q->broken = true;
	q->batched = 0;
	q->batch_first = q->batch_last = NET_NO_SECTION;
	return true;
}

static void batch_add(struct net_queue *q, uint16_t s, uint32_t bytes)
{
	if (q->batched)
		q->section[q->batch_last].next = s;
	else
		q->batch_first = s;
	q->batch_last = s;
	q->batch[q->batched++] = (struct vmb_transfer_range){
		.bytes = bytes, .offset = s * q->nic->recv.section_bytes,
	};
}

/* An RNDIS message that stands in memory of ours. */
static int control_send(struct net_queue *q, const struct net_reply *r)
{
	struct netvsp *v = q->nic;
	struct vmb_transfer_range range = { .bytes = r->bytes };
	struct net_pieces p = { .nr = 0 };
	uint16_t s = section_take(q);
	int ret;

	if (s == NET_NO_SECTION)
		return -EAGAIN;
	range.offset = s * v->recv.section_bytes;
	ret = net_buffer_get(v, &v->recv, range.offset, r->bytes, DEV_DIR_WRITE, &p);
	if (!ret)
		net_iov_copy_in(p.iov, p.nr, r->message, r->bytes);
	net_pieces_put(v, &p);
	if (!ret)
		ret = transfer_send(q, s, &range, 1, VMB_NVSP_CONTROL);
	if (ret)
		section_free(q, s);
	return ret;
}

void net_replies_send(struct net_queue *q)
{
	unsigned int i;
	int ret = 0;

	if (!q->replies || !q->section || !net_batch_send(q))
		return;
	for (i = 0; i < q->replies; i++) {
		ret = control_send(q, &q->reply[i]);
		/* The guest made room before it knew that it is wanted: it will not signal. */
		if (ret == -EAGAIN && q->free != NET_NO_SECTION &&
		    hv_ring_want(&q->chan.to_guest, hv_ring_room_for(16 + VMB_NVSP_BYTES)))
			ret = control_send(q, &q->reply[i]);
		if (ret == -EAGAIN)
			break;
		if (ret)
			NET_COUNT(q, refused, 1);	/* its buffer is no memory */
	}
	q->replies -= i;
	memmove(q->reply, q->reply + i, q->replies * sizeof(q->reply[0]));
}

/* ---- frames ---- */

/* Drivers listen when they have set a filter; without a cable nothing comes. */
static bool listens(const struct net_queue *q)
{
	const struct netvsp *v = q->nic;

	return q->section && atomic_load_explicit(&v->filter, memory_order_relaxed) &&
	       atomic_load_explicit(&v->up, memory_order_relaxed);
}

/*
 * A driver that does not listen loses what comes, as on a wire; one that has no section free, or no room in
 * its ring, is waited for.
 */
bool net_can_receive(const struct net_queue *q)
{
	return !listens(q) || (q->free != NET_NO_SECTION && q->batched < NET_RX_BATCH);
}

static unsigned int sink_room(struct net_sink *sink, unsigned int queue, uint32_t bytes, struct iovec *iov,
			      unsigned int max)
{
	struct netvsp *v = dev_container(sink, struct netvsp, sink);
	struct net_queue *q = v->queue[queue];
	uint32_t most;

	if (!listens(q) || q->now != NET_NO_SECTION)
		return 0;
	most = v->frame_max + VLAN_TAG;
	if (bytes > most)
		return 0;
	bytes = bytes ? bytes : most;
	if (q->batched == NET_RX_BATCH && !net_batch_send(q))
		return 0;
	q->now = section_take(q);
	if (q->now == NET_NO_SECTION)
		return 0;
	if (net_buffer_get(v, &v->recv, q->now * v->recv.section_bytes, NET_RX_HEAD + bytes,
			   DEV_DIR_WRITE, &q->room) || q->room.nr > max) {
		/* The buffer is no memory: there is none any more, or the backend would try for ever. */
		net_pieces_put(v, &q->room);
		q->now = NET_NO_SECTION;
		q->section = NULL;
		q->batched = 0;
		NET_COUNT(q, refused, 1);
		return 0;
	}
	memcpy(iov, q->room.iov, q->room.nr * sizeof(*iov));
	/* Sections begin with a page, so the head lies in the first piece. */
	iov[0].iov_base = (uint8_t *)iov[0].iov_base + NET_RX_HEAD;
	iov[0].iov_len -= NET_RX_HEAD;
	return q->room.nr;
}

/*
 * A driver that is loaded again, or another kernel, has the adapter's own address, whatever was chosen before; one
 * that opens its channel anew, to change its MTU, goes on with what it chose. So both are the guest's.
 */
static bool wanted(const struct netvsp *v, const uint8_t *to)
{
	uint32_t filter = atomic_load_explicit(&v->filter, memory_order_relaxed);

	return net_filter_wants(filter, v->mac, to) || net_filter_wants(filter, v->cfg.mac, to);
}

/* The RNDIS packet in front of a frame. */
static void head_put(uint8_t *at, uint32_t bytes, const struct net_meta *meta)
{
	struct {
		struct vmb_rndis_packet	packet;
		struct vmb_rndis_info	info;
		uint32_t		value;
	} head = {
		.packet = {
			.header = { VMB_RNDIS_PACKET, NET_RX_HEAD + bytes },
			.data_offset = NET_RX_HEAD - sizeof(struct vmb_rndis_header),
			.data_bytes = bytes,
		},
		.info = { sizeof(head.info) + sizeof(head.value), VMB_RNDIS_INFO_CHECKSUM, sizeof(head.info) },
		.value = VMB_RNDIS_CSUM_RX_TCP_OK | VMB_RNDIS_CSUM_RX_UDP_OK | VMB_RNDIS_CSUM_RX_IP_OK,
	};

	if (meta && meta->flags & (NET_META_CSUM | NET_META_CSUM_OK)) {
		head.packet.info_offset = sizeof(head.packet) - sizeof(struct vmb_rndis_header);
		head.packet.info_bytes = sizeof(head.info) + sizeof(head.value);
	}
	memset(at, 0, NET_RX_HEAD);
	memcpy(at, &head, sizeof(head));
}

static void sink_done(struct net_sink *sink, unsigned int queue, uint32_t bytes, const struct net_meta *meta)
{
	struct netvsp *v = dev_container(sink, struct netvsp, sink);
	struct net_queue *q = v->queue[queue];
	struct iovec *iov = q->room.iov;
	uint8_t to[6];

	if (q->now == NET_NO_SECTION)
		return;
	if (bytes >= NET_FRAME_MIN && bytes <= q->room.bytes - NET_RX_HEAD) {
		uint8_t *at = iov[0].iov_base;

		iov[0].iov_base = at + NET_RX_HEAD;
		iov[0].iov_len -= NET_RX_HEAD;
		memcpy(to, iov[0].iov_base, sizeof(to));
		if (wanted(v, to)) {
			if (meta && meta->flags & NET_META_CSUM)
				net_csum_complete(iov, q->room.nr, bytes, meta);
			head_put(at, bytes, meta);
			batch_add(q, q->now, NET_RX_HEAD + bytes);
			NET_COUNT(q, rx_packets, 1);
			NET_COUNT(q, rx_bytes, bytes);
			q->now = NET_NO_SECTION;
		} else {
			NET_COUNT(q, rx_filtered, 1);
		}
	}
	net_pieces_put(v, &q->room);
	if (q->now != NET_NO_SECTION)
		section_free(q, q->now);
	q->now = NET_NO_SECTION;
}

static void sink_lost(struct net_sink *sink, unsigned int queue, uint32_t bytes)
{
	struct netvsp *v = dev_container(sink, struct netvsp, sink);

	(void)bytes;
	NET_COUNT(v->queue[queue], rx_dropped, 1);
}

static bool sink_listens(struct net_sink *sink, unsigned int queue)
{
	return listens(dev_container(sink, struct netvsp, sink)->queue[queue]);
}

/* As if the cable had been pulled out: the guest is told, and nothing is tried again. */
static void sink_gone(struct net_sink *sink)
{
	struct netvsp *v = dev_container(sink, struct netvsp, sink);

	v->dev.ds->ops->log(v->dev.ds, DEV_LOG_WARN, "netvsp: what the adapter led to (%s) has gone",
			    v->net->about);
	atomic_store(&v->gone, true);
	netvsp_link_set(&v->dev, false);
}

const struct net_sink_ops net_sink_ops = {
	.room = sink_room, .done = sink_done, .lost = sink_lost, .listens = sink_listens, .gone = sink_gone,
};

bool net_receive(struct net_queue *q)
{
	struct net *n = q->nic->net;

	if (q->stuck || q->broken || !net_can_receive(q))
		return false;
	return n->ops->receive(n, q->chan.index, NET_RX_BUDGET);
}
