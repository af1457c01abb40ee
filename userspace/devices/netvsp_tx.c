// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames and requests of the guest: from a section of the send buffer and the pages that a packet lists to the
 * backend.
 *
 * Both together are one run of bytes, RNDIS messages one behind the other. Headers are copied, once, and
 * checked; data goes to the backend where it lies.
 */
#include <errno.h>
#include <string.h>

#include "netvsp_impl.h"

/* ---- the run of bytes ---- */

/* Hold what one range of a packet lists; pages that follow each other make one piece. */
static int range_get(struct netvsp *v, const struct hv_ring_range *range, struct net_pieces *p)
{
	uint32_t left = range->bytes, off = range->offset, run = 0, n;
	uint64_t gpa = 0, next;
	int ret = 0;

	for (uint32_t i = 0; !ret && left && i < range->npages; i++, off = 0) {
		n = VMB_PAGE - off < left ? VMB_PAGE - off : left;
		next = hv_ring_range_pfn(range, i);
		if (next >> 40)
			return -EFAULT;
		next = next << 12 | off;
		left -= n;
		if (run && gpa + run == next) {
			run += n;
			continue;
		}
		if (run)
			ret = net_piece_get(v, gpa, run, DEV_DIR_READ, p);
		gpa = next;
		run = n;
	}
	return ret || !run ? ret : net_piece_get(v, gpa, run, DEV_DIR_READ, p);
}

static int gather(struct net_queue *q, const struct hv_ring_packet *pkt, const struct vmb_nvsp *m)
{
	const struct net_buffer *b = &q->nic->send;
	uint8_t header[NET_TX_HEADER_MAX];
	struct hv_ring_ranges it;
	struct hv_ring_range range;
	int ret = 0;

	if (m->rndis.section != VMB_NVSP_NO_SECTION) {
		if (!b->gpadl.pfns || m->rndis.section >= b->sections ||
		    m->rndis.section_bytes > b->section_bytes)
			return -EINVAL;
		ret = net_buffer_get(q->nic, b, m->rndis.section * b->section_bytes, m->rndis.section_bytes,
				     DEV_DIR_READ, &q->tx);
	}
	if (ret || pkt->type != VMB_PACKET_GPA_DIRECT)
		return ret;
	if (pkt->header_bytes > sizeof(header))
		return -EMSGSIZE;
	ret = hv_ring_copy(&q->chan.from_guest, pkt, 0, header, pkt->header_bytes);
	if (!ret)
		ret = hv_ring_ranges_begin(&it, header, pkt->header_bytes);
	while (!ret && (ret = hv_ring_ranges_next(&it, &range)) == 1)
		ret = range_get(q->nic, &range, &q->tx);
	return ret;
}

/* Pieces of [@from, @from + @bytes) at @out, @max at most. Return: how many, or -EMSGSIZE. */
static int slice(const struct net_pieces *p, uint32_t from, uint32_t bytes, struct iovec *out, unsigned int max)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->nr && bytes; i++) {
		size_t len = p->iov[i].iov_len;

		if (from >= len) {
			from -= (uint32_t)len;
			continue;
		}
		if (n == max)
			return -EMSGSIZE;
		len = len - from < bytes ? len - from : bytes;
		out[n++] = (struct iovec){ (uint8_t *)p->iov[i].iov_base + from, len };
		bytes -= (uint32_t)len;
		from = 0;
	}
	return bytes ? -EMSGSIZE : (int)n;
}

/* Up to @bytes from @from on. Return: how many there were. */
static uint32_t copy_from(const struct net_pieces *p, uint32_t from, void *buf, uint32_t bytes)
{
	uint8_t *to = buf;
	uint32_t done = 0;

	for (unsigned int i = 0; i < p->nr && done < bytes; i++) {
		size_t len = p->iov[i].iov_len;

		if (from >= len) {
			from -= (uint32_t)len;
			continue;
		}
		len = len - from < bytes - done ? len - from : bytes - done;
		memcpy(to + done, (uint8_t *)p->iov[i].iov_base + from, len);
		done += (uint32_t)len;
		from = 0;
	}
	return done;
}

/* ---- frames ---- */

/* What the guest says of a frame: @info of @bytes, a copy. -EPROTO. */
static int wish_read(const uint8_t *info, uint32_t bytes, struct net_wish *w)
{
	struct vmb_rndis_info i;
	uint32_t value;

	while (bytes) {
		if (bytes < sizeof(i))
			return -EPROTO;
		memcpy(&i, info, sizeof(i));
		if (i.bytes < sizeof(i) || i.bytes > bytes || i.offset > i.bytes ||
		    i.bytes - i.offset < sizeof(value))
			return -EPROTO;
		memcpy(&value, info + i.offset, sizeof(value));
		if (i.type == VMB_RNDIS_INFO_CHECKSUM) {
			w->csum = value;
			w->has_csum = true;
		} else if (i.type == VMB_RNDIS_INFO_LSO) {
			w->lso = value;
			w->has_lso = true;
		} else if (i.type == VMB_RNDIS_INFO_8021Q) {
			/* priority and DEI in front of the VLAN, as they are in a tag */
			w->vlan = (uint16_t)((value & 7) << 13 | (value >> 3 & 1) << 12 | (value >> 4 & 0xfff));
			w->has_vlan = true;
		}
		info += i.bytes;
		bytes -= i.bytes;
	}
	return 0;
}

#define TAG	4u	/* bytes of a VLAN tag */

/* Put the tag behind the addresses; @p has TAG bytes of room in front. Return: where the frame begins now. */
static uint8_t *tag_insert(uint8_t *p, uint16_t vlan)
{
	const uint8_t tag[TAG] = { 0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan };

	memmove(p - TAG, p, 12);
	memcpy(p - TAG + 12, tag, TAG);
	return p - TAG;
}

/* Send the frame of @bytes at @from of what was gathered. -EPROTO: it is none. */
static int frame_send(struct net_queue *q, uint32_t from, uint32_t bytes, const struct net_wish *w)
{
	uint8_t buf[TAG + NET_TX_HEAD_MAX], *p = buf + TAG;
	struct iovec iov[NET_TX_PIECES + 1];
	struct netvsp *v = q->nic;
	struct net_meta meta = { 0 };
	uint32_t head;
	int nr, ret;

	if (bytes < NET_FRAME_MIN || bytes > NET_FRAME_MAX - TAG)
		return -EPROTO;
	head = copy_from(&q->tx, from, p, bytes < NET_TX_HEAD_MAX ? bytes : NET_TX_HEAD_MAX);
	ret = net_wish_apply(w, p, head, bytes, &meta);
	if (ret)
		return ret;
	if (v->cfg.guard && !net_guard_allows(v->cfg.mac, p, head))
		return -EPROTO;
	/* Nor are the segments longer than what it said that it sends. */
	if ((meta.gso ? (uint32_t)meta.header_bytes + meta.gso_bytes : bytes) > v->frame_max + TAG)
		return -EPROTO;
	nr = slice(&q->tx, from + head, bytes - head, iov + 1, NET_TX_PIECES);
	if (nr < 0)
		return -EPROTO;
	iov[0] = (struct iovec){ p, head };
	if (w->has_vlan) {
		iov[0] = (struct iovec){ tag_insert(p, w->vlan), head + TAG };
		meta.csum_start += meta.flags & NET_META_CSUM ? TAG : 0;
		meta.header_bytes += meta.gso ? TAG : 0;
	}
	ret = atomic_load_explicit(&v->up, memory_order_relaxed) ?
	      v->net->ops->send(v->net, q->chan.index, iov, (unsigned int)nr + 1, (uint32_t)(bytes - head + iov[0].iov_len), &meta) :
	      -ENETDOWN;
	if (ret) {
		NET_COUNT(q, tx_dropped, 1);
		return 0;
	}
	NET_COUNT(q, tx_packets, 1);
	NET_COUNT(q, tx_bytes, bytes);
	return 0;
}

/* One RNDIS packet at @at. Return: its bytes, or -EPROTO. */
static int packet(struct net_queue *q, uint32_t at)
{
	uint8_t buf[NET_TX_RNDIS_MAX];
	uint32_t have = copy_from(&q->tx, at, buf, sizeof(buf)), room, left;
	const uint32_t h = sizeof(struct vmb_rndis_header);
	struct vmb_rndis_packet r;
	struct net_wish w = { 0 };
	int ret = 0;

	if (have < sizeof(r))
		return -EPROTO;
	memcpy(&r, buf, sizeof(r));
	if (r.header.type != VMB_RNDIS_PACKET || r.header.bytes < sizeof(r) ||
	    r.header.bytes > q->tx.bytes - at)
		return -EPROTO;
	room = r.header.bytes - h;
	if (r.data_offset > room || r.data_bytes > room - r.data_offset)
		return -EPROTO;
	if (r.info_bytes) {
		left = (have < r.header.bytes ? have : r.header.bytes) - h;
		if (r.info_offset > left || r.info_bytes > left - r.info_offset)
			return -EPROTO;
		ret = wish_read(buf + h + r.info_offset, r.info_bytes, &w);
	}
	if (!ret)
		ret = frame_send(q, at + h + r.data_offset, r.data_bytes, &w);
	return ret ? ret : (int)r.header.bytes;
}

static uint32_t packets(struct net_queue *q)
{
	uint32_t at = 0;
	int n;

	for (unsigned int i = 0; at < q->tx.bytes && i < NET_TX_BATCH; i++) {
		n = packet(q, at);
		if (n < 0) {
			NET_COUNT(q, tx_refused, 1);
			return VMB_NVSP_BAD_PACKET;
		}
		at += (uint32_t)n;
	}
	return at == q->tx.bytes && at ? VMB_NVSP_OK : VMB_NVSP_BAD_PACKET;
}

/* ---- requests ---- */

static uint32_t request(struct net_queue *q)
{
	uint8_t buf[NET_REQUEST_MAX];
	uint32_t bytes = copy_from(&q->tx, 0, buf, sizeof(buf));
	struct net_reply *r = &q->reply[q->replies];
	int n;

	NET_COUNT(q, requests, 1);
	if (q->chan.index || q->replies == NET_REPLIES) {
		NET_COUNT(q, refused, 1);
		return VMB_NVSP_FAILED;
	}
	n = net_rndis(q->nic, buf, bytes, r->message);
	if (n < 0) {
		NET_COUNT(q, refused, 1);
		return VMB_NVSP_BAD_PACKET;
	}
	r->bytes = (uint32_t)n;
	q->replies += n > 0;
	return VMB_NVSP_OK;
}

uint32_t net_transmit(struct net_queue *q, const struct hv_ring_packet *p, const struct vmb_nvsp *m)
{
	int state = atomic_load_explicit(&q->nic->state, memory_order_relaxed);
	bool data = m->rndis.channel == VMB_NVSP_DATA;
	uint32_t status = VMB_NVSP_BAD_PACKET;

	if (state == NET_RUNNING || (!data && state == NET_VERSIONED)) {
		if (!gather(q, p, m))
			status = data ? packets(q) : request(q);
		else
			NET_COUNT(q, tx_refused, 1);
		net_pieces_put(q->nic, &q->tx);
	} else {
		NET_COUNT(q, refused, 1);
	}
	return status;
}
