// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network adapter against a hostile guest: messages and RNDIS of any kind, buffers and sections anywhere,
 * rings that make no sense, frames from the other side at any moment. It must not touch memory it did not ask
 * for, or write what it asked for reading; hold nothing when a turn is over; answer each packet once, if the
 * rings were sound; and send only frames that are what they say. The queue's thread is this one.
 *
 * Input: records of 16 bytes, some with more behind. Byte 0 is the kind:
 *	nvsp		type (2 bytes), then what fits of the message
 *	rndis		flags, section, channel, pages; bytes (2), first page, then as many bytes for guest memory
 *	packet		type, flags, bytes / 4; then as many bytes, of which byte 4 * 8 are header
 *	scribble	any four bytes in a ring header or ring, at a place
 *	frame		bytes (2), flags, ...: one comes from the other side
 *	give back	a transaction
 *	link, tear down a list, drain
 *	turn		serve what is there
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/netvsp_impl.h"
#include "selftests/fuzz/lib/lent.h"
#include "selftests/fuzz/lib/rings.h"

#define RING_PAGES	5u
#define HALF		(RING_PAGES * 4096u)
#define TURNS		64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t rings[2 * HALF] __attribute__((aligned(4096)));
static struct netvsp *nic;
static struct { struct hv_ring out, in; uint32_t asked, answered; bool foul; } guest;
static uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };

/* ---- lists of pages ---- */

/* Any number is a list: its low bits say how long, how its pages lie, and its shape. */
static int f_gpadl(struct dev_services *ds, struct chan *c, uint32_t gpadl, struct chan_gpadl *out)
{
	uint32_t n = 1 + (gpadl & 31);

	(void)ds, (void)c;
	if (gpadl >> 16 & 1)
		return -ENOENT;
	*out = (struct chan_gpadl){ calloc(n, 8), n, n * 4096 - (gpadl >> 5 & 7) * 512, gpadl >> 8 & 1 };
	for (uint32_t i = 0; i < n; i++)
		out->pfns[i] = gpadl >> 9 & 1 ? (uint64_t)i << (gpadl >> 10 & 63) :
			       (gpadl >> 10 & 63) + (gpadl >> 17 & 1 ? n - 1 - i : i);
	return 0;
}

static const struct dev_services_ops services_ops = { LENT_OPS, .chan_gpadl_get = f_gpadl };
static struct dev_services services = { &services_ops };

/* ---- the backend ---- */

static uint8_t sent[NET_FRAME_MAX];
static struct { uint32_t bytes; struct net_meta meta; bool there; } coming;

static int w_send(struct net *n, unsigned int queue, const struct iovec *iov, unsigned int nr, uint32_t bytes,
		  const struct net_meta *meta)
{
	struct iovec flat = { sent, bytes };

	(void)n, (void)queue;
	if (bytes < NET_FRAME_MIN || bytes > NET_FRAME_MAX || net_iov_copy_out(iov, nr, sent, bytes) != bytes)
		abort();
	if (meta->flags & NET_META_CSUM && (uint32_t)meta->csum_start + meta->csum_offset + 2 > bytes)
		abort();
	if (meta->gso && (!meta->gso_bytes || meta->header_bytes >= bytes || meta->header_bytes < 54))
		abort();
	net_csum_complete(&flat, 1, bytes, meta);
	return 0;
}

static bool w_receive(struct net *n, unsigned int queue, unsigned int budget)
{
	struct iovec iov[16];
	unsigned int nr;
	size_t room = 0;

	(void)budget;
	if (!coming.there)
		return false;
	coming.there = false;
	nr = n->sink->ops->room(n->sink, queue, coming.bytes, iov, 16);
	for (unsigned int i = 0; i < nr; i++)
		room += iov[i].iov_len;
	if (nr && room < coming.bytes)
		abort();
	if (nr)
		net_iov_copy_in(iov, nr, sent, coming.bytes);
	if (nr)
		n->sink->ops->done(n->sink, queue, coming.bytes, &coming.meta);
	else
		n->sink->ops->lost(n->sink, queue, coming.bytes);
	return false;
}

static void w_wait(struct net *n, unsigned int queue, int wake, bool listen)
{
	(void)n, (void)queue, (void)wake, (void)listen;
}

static void w_release(struct net *n)
{
	(void)n;
}

static const struct net_ops wire_ops = {
	.name = "wire", .send = w_send, .receive = w_receive, .wait = w_wait, .release = w_release,
};
static struct net wire = {
	.ops = &wire_ops, .queues = 1, .can = NET_CAN_CSUM | NET_CAN_TSO4 | NET_CAN_TSO6, .mtu = NET_MTU_MAX,
};

static void machine_make(void)
{
	struct netvsp_config cfg = { .instance = { 1 }, .queues = 1 };
	struct device *d;

	memcpy(cfg.mac, mac, 6);
	if (netvsp_create(&d, &services, &cfg, &wire))
		abort();
	nic = dev_container(d, struct netvsp, dev);
}

/* As when the guest opens the channel, without the thread. Bit 0: its set-up is over; 1: it is guarded. */
static void chan_open(unsigned int how)
{
	struct net_queue *q = nic->queue[0];

	memset(&guest, 0, sizeof(guest));
	rings_make(&q->chan, &guest.out, &guest.in, rings, RING_PAGES);
	q->broken = q->stuck = q->quiet = false;
	coming.there = false;
	memcpy(nic->mac, mac, 6);
	nic->cfg.guard = how & 2;
	net_forget(nic);
	net_state_set(nic, NET_CLOSED);
	net_state_set(nic, NET_OPENED);
	if (how & 1) {
		struct vmb_nvsp m = { .type = VMB_NVSP_INIT, .init = { 0, UINT32_MAX } };

		net_nvsp(q, &m);
		m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_RECV_BUF, .buf = { 31, VMB_NVSP_RECV_PAGESET, 0 } };
		net_nvsp(q, &m);
		m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_SEND_BUF, .buf = { 32 << 10 | 15, 0, 0 } };
		net_nvsp(q, &m);
		net_state_set(nic, NET_RUNNING);
		atomic_store(&nic->filter, 0xf);
	}
}

/* ---- the guest ---- */

static void answers_take(void)
{
	struct hv_ring_packet p;
	int ret;

	while (!(ret = hv_ring_peek(&guest.in, &p))) {
		guest.answered += p.type == VMB_PACKET_COMPLETION;
		hv_ring_next(&guest.in, &p);
	}
	hv_ring_release(&guest.in);
	if (ret != -EAGAIN && !guest.foul)
		abort();
}

static void serve(void)
{
	for (unsigned int i = 0; i < TURNS; i++) {
		bool more = net_queue_turn(nic->queue[0]);

		if (held)
			abort();
		answers_take();
		if (!more && !nic->queue[0]->stuck)
			return;
	}
	if (!guest.foul)
		abort();
}

/* @silent: no answer is due, though one is asked for. */
static void put(uint16_t type, uint16_t flags, uint32_t head, const struct hv_ring_vec *vec, uint32_t n,
		bool silent)
{
	guest.out.broken = false;
	if (hv_ring_put(&guest.out, type, flags, guest.asked + 1, head, vec, n))
		return;
	guest.asked += (type == VMB_PACKET_INBAND || type == VMB_PACKET_GPA_DIRECT) &&
		       flags & VMB_PACKET_F_COMPLETION && !silent;
	hv_ring_publish(&guest.out);
}

static void put_nvsp(const uint8_t *rec)
{
	struct vmb_nvsp m = { .type = rec[1] };
	struct hv_ring_vec vec = { &m, sizeof(m) };

	memcpy(m.words, rec + 3, 13);
	/* Whether it is answered hangs on the state: it is not asked to. */
	put(VMB_PACKET_INBAND, rec[2] & 1 ? 0 : VMB_PACKET_F_COMPLETION, 0, &vec, 1, false);
	guest.foul |= !(rec[2] & 1);
}

/* Bytes that describe an RNDIS message go to where its packet says that it is. */
static size_t put_rndis(const uint8_t *rec, const uint8_t *more, size_t len)
{
	uint32_t bytes = rec[5] | rec[6] << 8, pages = rec[4] % 20, i, off = rec[8] << 4;
	struct vmb_nvsp m = {
		.type = VMB_NVSP_RNDIS_PACKET,
		.rndis = { rec[3] & 1, rec[1] & 1 ? rec[2] : VMB_NVSP_NO_SECTION, rec[1] & 2 ? bytes : rec[9] * 8u },
	};
	uint32_t head[4] = { 0, 1, bytes, off };
	uint8_t header[16 + 8 * 20];
	struct hv_ring_vec vec[2] = { { header, 16 + 8 * pages }, { &m, sizeof(m) } };
	uint32_t at = m.rndis.section == VMB_NVSP_NO_SECTION ? rec[7] * 4096u + off :
		      (32 + rec[2] % 16u) * 4096u;
	uint64_t pfn;

	len = len < 255 && len < rec[10] ? len : rec[10] < len ? rec[10] : len;
	memcpy(ram + at % (RAM - 256), more, len);
	memcpy(header, head, sizeof(head));
	for (i = 0; i < pages; i++) {
		pfn = rec[7] + (uint64_t)i * (rec[11] & 3);
		memcpy(header + 16 + 8 * i, &pfn, 8);
	}
	put(pages ? VMB_PACKET_GPA_DIRECT : VMB_PACKET_INBAND, VMB_PACKET_F_COMPLETION, pages ? vec[0].len : 0,
	    pages ? vec : vec + 1, pages ? 2 : 1, false);
	return len;
}

static void put_packet(const uint8_t *rec, const uint8_t *more, uint32_t len)
{
	struct hv_ring_vec vec = { more, len };
	uint32_t head = rec[4] * 8u;

	put(rec[1], 0, head < len ? head : 0, &vec, 1, true);
	(void)rec[2];
}

static void scribble(const uint8_t *rec)
{
	uint32_t at = (rec[1] & 1 ? HALF : 0) + (rec[1] & 2 ? (rec[2] | rec[3] << 8) % (HALF - 4) : rec[2] & 0x3c);

	memcpy(rings + at, rec + 4, 4);
	guest.foul = true;
}

static void frame_comes(const uint8_t *rec)
{
	coming.bytes = (rec[1] | rec[2] << 8) + NET_FRAME_MIN;
	coming.meta = (struct net_meta){
		.flags = rec[3] & 3, .csum_start = (uint16_t)(rec[4] | rec[5] << 8), .csum_offset = rec[6],
	};
	memcpy(sent, rec + 7, 9);
	coming.there = true;
}

static void give_back(const uint8_t *rec)
{
	const uint32_t m[2] = { VMB_NVSP_RNDIS_PACKET_COMPLETE, VMB_NVSP_OK };
	uint64_t tid;

	memcpy(&tid, rec + 2, 8);
	guest.out.broken = false;
	if (!hv_ring_complete(&guest.out, rec[1] & 1 ? tid : rec[2], m, sizeof(m)))
		hv_ring_publish(&guest.out);
}

static void trouble(const uint8_t *rec)
{
	uint32_t gpadl;

	memcpy(&gpadl, rec + 2, 4);
	if (rec[1] & 1)
		netvsp_link_set(&nic->dev, rec[1] & 2);
	else
		nic->queue[0]->chan.ops->gpadl_gone(&nic->queue[0]->chan, gpadl);
}

/* One record at @data. Return: bytes used, 0 at the end. */
static size_t record(const uint8_t *data, size_t size)
{
	size_t more = size > 16 ? size - 16 : 0, len;

	if (size < 16)
		return 0;
	switch (data[0] % 8) {
	case 0:
		put_nvsp(data);
		return 16;
	case 1:
		return 16 + put_rndis(data, data + 16, more);
	case 2:
		len = data[3] * 4u < more ? data[3] * 4u : more;
		put_packet(data, data + 16, (uint32_t)len);
		return 16 + len;
	case 3:
		scribble(data);
		return 16;
	case 4:
		frame_comes(data);
		return 16;
	case 5:
		give_back(data);
		return 16;
	case 6:
		trouble(data);
		return 16;
	default:
		serve();
		return 16;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t n;

	if (!nic)
		machine_make();
	if (!size)
		return 0;
	chan_open(data[0]);
	for (data++, size--; (n = record(data, size)); data += n, size -= n)
		;
	serve();
	if (held)
		abort();
	if (!guest.foul && guest.answered != guest.asked)
		abort();
	netvsp_link_set(&nic->dev, true);
	return 0;
}
