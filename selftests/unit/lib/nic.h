/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nic.h - a guest of one network adapter, and a backend, for tests of the adapter
 *
 * The rings are real, in plain memory, and the guest's side of them uses the same ring core. The queue's thread
 * is the test's own. What the adapter sends is kept by the backend. Each program has its own copy.
 */
#ifndef HV_UNIT_NIC_H
#define HV_UNIT_NIC_H

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "devices/netvsp_impl.h"
#include "unit.h"

#define RAM		(4u << 20)
#define RING_PAGES	5u
#define HALF		(RING_PAGES * 4096u)
#define RECV		0x100000u	/* the guest's buffers and pages */
#define RECV_PAGES	8u
#define SEND		0x180000u
#define SEND_PAGES	6u		/* four sections */
#define DATA		0x200000u
#define HANDLE_RECV	0xe1e10u
#define HANDLE_SEND	0xe1e11u

static uint8_t ram[RAM] __attribute__((aligned(4096)));
static uint8_t rings[2 * HALF] __attribute__((aligned(4096)));
static struct { struct hv_ring out, in; } guest;
static const uint8_t mac[6] = { 0x02, 1, 2, 3, 4, 5 };
static int held;
static unsigned int nr_gpadls, nr_subs;
static bool closed;
static struct netvsp *nic;
static struct net_queue *q;

/* ---- the machine ---- */

static inline int f_get(struct dev_services *ds, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out)
{
	(void)ds;
	if (gpa > RAM || len > RAM - gpa || !len)
		return -EFAULT;
	*out = (struct gmem){ .ptr = ram + gpa, .gpa = gpa, .len = len, .dir = dir };
	held++;
	return 0;
}

static inline int f_get_like(struct dev_services *ds, const struct gmem *one, uint64_t gpa, uint32_t len,
		      struct gmem *out)
{
	return f_get(ds, gpa, len, one->dir, out);
}

static inline void f_put(struct dev_services *ds, struct gmem *g)
{
	(void)ds, (void)g;
	held--;
}

static void __attribute__((format(printf, 3, 4)))
f_log(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
{
	(void)ds, (void)level, (void)fmt;
}

static inline int f_create(struct dev_services *ds, const struct chan_offer *offer, struct chan *c)
{
	static const uint8_t class[16] = VMB_NET_CLASS;

	(void)ds;
	CHECK(!memcmp(offer->interface, class, 16));
	CHECK_EQ(offer->max_subs, 1);
	c->host = &guest;
	return 0;
}

static inline void f_sub(struct dev_services *ds, struct chan *primary, struct chan *c)
{
	(void)ds, (void)primary;
	nr_subs += c->index;
}

static inline bool f_offered(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	return c->index && nr_subs;
}

static inline void f_remove(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	c->host = NULL;
}

static inline void f_signal(struct dev_services *ds, struct chan *c)
{
	(void)ds, (void)c;
}

static inline void f_closed(struct dev_services *ds, struct chan *c)
{
	(void)ds, (void)c;
	__atomic_store_n(&closed, true, __ATOMIC_SEQ_CST);
}

/* Buffers at RECV and SEND; the pages of the first lie the other way round, so that none follows another. */
static inline int f_gpadl(struct dev_services *ds, struct chan *c, uint32_t gpadl, struct chan_gpadl *out)
{
	uint32_t n = gpadl == HANDLE_RECV ? RECV_PAGES : SEND_PAGES;

	(void)ds, (void)c;
	if (gpadl != HANDLE_RECV && gpadl != HANDLE_SEND)
		return -ENOENT;
	nr_gpadls++;
	*out = (struct chan_gpadl){ calloc(n, 8), n, n * 4096, 0 };
	for (uint32_t i = 0; i < n; i++)
		out->pfns[i] = gpadl == HANDLE_RECV ? (RECV >> 12) + n - 1 - i : (SEND >> 12) + i;
	return 0;
}

static const struct dev_services_ops services_ops = {
	.gmem_get = f_get, .gmem_get_like = f_get_like, .gmem_put = f_put, .log = f_log,
	.chan_create = f_create, .chan_sub_create = f_sub, .chan_remove = f_remove, .chan_signal = f_signal,
	.chan_closed = f_closed, .chan_gpadl_get = f_gpadl,
	.chan_offered = f_offered,
};
static struct dev_services services = { &services_ops };

/* ---- the backend ---- */

static struct {
	struct net	net;
	uint8_t		frame[NET_FRAME_MAX];	/* the last one sent */
	uint32_t	bytes, nr;
	struct net_meta	meta;
	int		refuse;
	void		(*on_send)(void);
	struct { const uint8_t *p; uint32_t bytes; struct net_meta meta; } in[16];	/* to be received */
	unsigned int	nr_in;
	uint32_t	lost;
} wire;

static inline int w_send(struct net *n, unsigned int queue, const struct iovec *iov, unsigned int nr, uint32_t bytes,
		  const struct net_meta *meta)
{
	(void)n, (void)queue;
	if (wire.refuse)
		return wire.refuse;
	CHECK_EQ(net_iov_copy_out(iov, nr, wire.frame, sizeof(wire.frame)), bytes);
	wire.bytes = bytes;
	wire.meta = *meta;
	wire.nr++;
	if (wire.on_send)
		wire.on_send();
	return 0;
}

static inline bool w_receive(struct net *n, unsigned int queue, unsigned int budget)
{
	struct iovec iov[8];
	unsigned int nr;

	while (wire.nr_in && budget--) {
		nr = n->sink->ops->room(n->sink, queue, wire.in[0].bytes, iov, 8);
		if (nr) {
			CHECK_EQ(net_iov_copy_in(iov, nr, wire.in[0].p, wire.in[0].bytes), wire.in[0].bytes);
			n->sink->ops->done(n->sink, queue, wire.in[0].bytes, &wire.in[0].meta);
		} else {
			n->sink->ops->lost(n->sink, queue, wire.in[0].bytes);
		}
		memmove(wire.in, wire.in + 1, --wire.nr_in * sizeof(wire.in[0]));
	}
	return false;
}

static inline void w_wait(struct net *n, unsigned int queue, int wake, bool listen)
{
	struct pollfd p = { .fd = wake, .events = POLLIN };
	uint64_t v;

	(void)n, (void)queue, (void)listen;
	poll(&p, 1, -1);
	CHECK_EQ(read(wake, &v, 8), 8);
}

static inline void w_release(struct net *n)
{
	n->sink = NULL;
}

static const struct net_ops wire_ops = {
	.name = "wire", .send = w_send, .receive = w_receive, .wait = w_wait, .release = w_release,
};

/* ---- the guest ---- */

/* Empty rings. */
static inline void channel_again(void)
{
	memset(rings, 0, sizeof(rings));
	CHECK_EQ(hv_ring_consumer(&q->chan.from_guest, rings, rings + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_producer(&q->chan.to_guest, rings + HALF, rings + HALF + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_producer(&guest.out, rings, rings + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_consumer(&guest.in, rings + HALF, rings + HALF + 4096, RING_PAGES), 0);
	q->broken = q->stuck = q->quiet = false;
}

/* As when the guest opens the channel, without the thread. */
static inline void channel_open(void)
{
	channel_again();
	net_forget(nic);
	net_state_set(nic, NET_CLOSED);
	net_state_set(nic, NET_OPENED);
}

static inline struct netvsp_counters counts(void)
{
	struct netvsp_info info;

	netvsp_look(&nic->dev, &info);
	return info.count;
}

/* The next packet from the host: false, there is none. Up to 40 bytes of payload to @m. */
static inline bool receive(struct hv_ring_packet *p, uint8_t *header, struct vmb_nvsp *m)
{
	uint32_t n;

	if (hv_ring_peek(&guest.in, p))
		return false;
	n = hv_ring_payload(p);
	memset(m, 0, sizeof(*m));
	CHECK_EQ(hv_ring_copy(&guest.in, p, p->header_bytes, m, n < sizeof(*m) ? n : sizeof(*m)), 0);
	if (header)
		CHECK_EQ(hv_ring_copy(&guest.in, p, 0, header, p->header_bytes < 256 ? p->header_bytes : 256), 0);
	hv_ring_next(&guest.in, p);
	hv_ring_release(&guest.in);
	return true;
}

static uint64_t transaction = 100;

/* Say @m, with the answer in it; its payload's bytes, -1: none came. */
static inline int say(struct vmb_nvsp *m)
{
	struct hv_ring_packet p;

	CHECK_EQ(hv_ring_send(&guest.out, VMB_PACKET_F_COMPLETION, ++transaction, m, sizeof(*m)), 0);
	hv_ring_publish(&guest.out);
	net_queue_turn(q);
	if (!receive(&p, NULL, m))
		return -1;
	CHECK_EQ(p.type, VMB_PACKET_COMPLETION);
	CHECK_EQ(p.transaction, transaction);
	return (int)hv_ring_payload(&p);
}

/* Ranges {gpa, bytes} of a GPA-direct packet. */
struct piece { uint64_t gpa; uint32_t bytes; };

/* An RNDIS packet: status of the completion, 0: none came (what else came stays in the ring). */
static inline uint32_t send_rndis(uint32_t channel, uint32_t section, uint32_t section_bytes, const struct piece *pieces,
			   uint32_t n)
{
	struct vmb_nvsp m = { .type = VMB_NVSP_RNDIS_PACKET, .rndis = { channel, section, section_bytes } };
	uint8_t head[1024];
	uint32_t at = 8, words[2] = { 0, n };
	struct hv_ring_vec vec[2] = { { head, 0 }, { &m, sizeof(m) } };
	struct hv_ring_packet p;

	memcpy(head, words, 8);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t off = pieces[i].gpa & 4095, pages = (off + pieces[i].bytes + 4095) / 4096;

		memcpy(head + at, &pieces[i].bytes, 4);
		memcpy(head + at + 4, &off, 4);
		at += 8;
		for (uint32_t k = 0; k < pages; k++, at += 8) {
			uint64_t pfn = (pieces[i].gpa >> 12) + k;

			memcpy(head + at, &pfn, 8);
		}
	}
	vec[0].len = at;
	CHECK_EQ(hv_ring_put(&guest.out, n ? VMB_PACKET_GPA_DIRECT : VMB_PACKET_INBAND, VMB_PACKET_F_COMPLETION,
			     ++transaction, n ? at : 0, n ? vec : vec + 1, n ? 2 : 1), 0);
	hv_ring_publish(&guest.out);
	net_queue_turn(q);
	CHECK_EQ(held, 0);
	if (!receive(&p, NULL, &m) || p.type != VMB_PACKET_COMPLETION)
		return 0;
	CHECK_EQ(m.type, VMB_NVSP_RNDIS_PACKET_COMPLETE);
	return m.rndis_complete.status;
}

/* A transfer packet must come: its message's first bytes to @out (the pages lie the other way round). */
static inline uint32_t transfer(uint64_t *tid, uint32_t channel, uint8_t *out, uint32_t max)
{
	struct vmb_transfer_range r = { 0 };
	struct hv_ring_packet p;
	struct vmb_nvsp m;
	uint8_t header[256];

	if (!receive(&p, header, &m)) {
		CHECK(!"a transfer packet");
		return 0;
	}
	CHECK_EQ(p.type, VMB_PACKET_TRANSFER_PAGES);
	CHECK_EQ(m.type, VMB_NVSP_RNDIS_PACKET);
	CHECK_EQ(m.rndis.channel, channel);
	memcpy(&r, header + 24, sizeof(r));
	*tid = p.transaction;
	for (uint32_t i = 0; i < r.bytes && i < max; i++) {
		uint32_t at = r.offset + i;

		out[i] = ram[RECV + (RECV_PAGES - 1 - at / 4096) * 4096 + at % 4096];
	}
	return r.bytes;
}

static inline void give_back(uint64_t tid)
{
	const uint32_t m[2] = { VMB_NVSP_RNDIS_PACKET_COMPLETE, VMB_NVSP_OK };

	CHECK_EQ(hv_ring_complete(&guest.out, tid, m, sizeof(m)), 0);
	hv_ring_publish(&guest.out);
	net_queue_turn(q);
}

/* An RNDIS request of @bytes at DATA; its answer to @out. 0: there is none. */
static inline uint32_t request(const void *message, uint32_t bytes, uint8_t *out, uint32_t max)
{
	uint64_t tid;
	uint32_t n;

	memcpy(ram + DATA, message, bytes);
	if (send_rndis(VMB_NVSP_CONTROL, VMB_NVSP_NO_SECTION, 0, &(struct piece){ DATA, bytes }, 1) != VMB_NVSP_OK)
		return 0;
	n = transfer(&tid, VMB_NVSP_CONTROL, out, max);
	give_back(tid);
	return n;
}

static inline uint32_t query(uint32_t oid, uint32_t in_bytes, uint8_t *out, uint32_t max)
{
	struct { struct vmb_rndis_request r; uint8_t info[256]; } m = {
		.r = { { VMB_RNDIS_QUERY, sizeof(m.r) + in_bytes }, 7, oid, in_bytes, 20, 0 },
	};
	struct vmb_rndis_query_complete c = { .header = { 0 } };
	uint8_t buf[NET_REPLY_MAX];

	request(&m, m.r.header.bytes, buf, sizeof(buf));
	memcpy(&c, buf, sizeof(c));
	CHECK_EQ(c.header.type, VMB_RNDIS_QUERY | VMB_RNDIS_COMPLETE);
	CHECK_EQ(c.id, 7);
	CHECK(c.info_bytes <= max);
	if (c.info_bytes && c.info_bytes <= max)
		memcpy(out, buf + 8 + c.info_offset, c.info_bytes);
	return c.status ? c.status : c.info_bytes;
}

static inline uint32_t set(uint32_t oid, const void *info, uint32_t bytes)
{
	struct { struct vmb_rndis_request r; uint8_t info[256]; } m = {
		.r = { { VMB_RNDIS_SET, sizeof(m.r) + bytes }, 8, oid, bytes, 20, 0 },
	};
	struct vmb_rndis_complete c = { .id = 0 };

	memcpy(m.info, info, bytes);
	CHECK_EQ(request(&m, m.r.header.bytes, (uint8_t *)&c, sizeof(c)), sizeof(c));
	CHECK_EQ(c.id, 8);
	return c.status;
}

/* Up to buffers. */
static inline void begin(void)
{
	struct vmb_nvsp m = { .type = VMB_NVSP_INIT, .init = { VMB_NVSP_VERSION_6_1, VMB_NVSP_VERSION_6_1 } };

	channel_open();
	CHECK_EQ(say(&m), 40);
	CHECK_EQ(m.init_complete.status, VMB_NVSP_OK);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_RECV_BUF, .buf = { HANDLE_RECV, VMB_NVSP_RECV_PAGESET, 0 } };
	CHECK_EQ(say(&m), 40);
	CHECK_EQ(m.type, VMB_NVSP_SEND_RECV_BUF_COMPLETE);
	CHECK_EQ(m.recv_complete.status, VMB_NVSP_OK);
	CHECK_EQ(m.recv_complete.sections, 1);
	CHECK_EQ(m.recv_complete.offset, 0);
	CHECK_EQ(m.recv_complete.section_bytes, 4096);
	CHECK_EQ(m.recv_complete.section_count, RECV_PAGES);
	m = (struct vmb_nvsp){ .type = VMB_NVSP_SEND_SEND_BUF, .buf = { HANDLE_SEND, 0, 0 } };
	CHECK_EQ(say(&m), 40);
	CHECK_EQ(m.send_complete.status, VMB_NVSP_OK);
	CHECK_EQ(m.send_complete.section_bytes, NET_SEND_SECTION);
}

/* Up to a driver that listens. */
static inline void setup(void)
{
	const struct vmb_rndis_init init = { { VMB_RNDIS_INIT, sizeof(init) }, 6, 1, 0, 0x4000 };
	struct vmb_rndis_init_complete c = { .id = 0 };
	const uint32_t filter = VMB_FILTER_DIRECTED | VMB_FILTER_ALL_MULTICAST | VMB_FILTER_BROADCAST;

	begin();
	CHECK_EQ(request(&init, sizeof(init), (uint8_t *)&c, sizeof(c)), sizeof(c));
	CHECK_EQ(c.id, 6);
	CHECK_EQ(c.status, 0);
	CHECK(c.max_packets > 1);
	CHECK_EQ(set(VMB_OID_PACKET_FILTER, &filter, 4), 0);
}

/* The adapter, with two queues. */
static inline struct device *nic_make(void)
{
	struct netvsp_config cfg = { .instance = { 1 }, .queues = 4 };
	struct device *d = NULL;

	wire.net = (struct net){
		.ops = &wire_ops, .queues = 2, .can = NET_CAN_CSUM | NET_CAN_TSO4 | NET_CAN_TSO6,
		.mtu = NET_MTU_MAX,
	};
	memcpy(cfg.mac, mac, 6);
	CHECK_EQ(netvsp_create(&d, &services, &cfg, &wire.net), 0);
	nic = dev_container(d, struct netvsp, dev);
	q = nic->queue[0];
	return d;
}

#endif
