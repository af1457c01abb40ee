/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the network adapter as they see each other. */
#ifndef HV_DEVICES_NETVSP_IMPL_H
#define HV_DEVICES_NETVSP_IMPL_H

#include <hvguest/vsp_net.h>

#include "chan.h"
#include "netvsp.h"

#define NET_SEND_SECTION	6144u		/* four full frames of the usual size and their headers */
#define NET_RECV_PAGES_MAX	8190u		/* what one GPADL can hold */
#define NET_RX_HEAD		96u		/* RNDIS header and information in front of a received frame */
#define NET_RX_BATCH		64u		/* sections in one transfer packet */
#define NET_RX_BUDGET		64u		/* frames of the backend in one turn */
#define NET_TX_PIECES		96u
#define NET_TX_HEADER_MAX	(16u + 8u + 16u * NET_TX_PIECES)	/* of a GPA-direct packet */
#define NET_TX_BATCH		64u		/* RNDIS packets in one NVSP message */
#define NET_TX_BUDGET		256u		/* packets of the ring in one turn */
#define NET_TX_RNDIS_MAX	256u		/* RNDIS header and information of a sent frame */
#define NET_TX_HEAD_MAX		192u		/* of a frame that is copied: its headers */
#define NET_REPLIES		8u
#define NET_REPLY_MAX		512u
#define NET_REQUEST_MAX		2048u		/* an RNDIS message that is no packet */
#define NET_TX_ALIGN_SHIFT	3u
#define NET_NO_SECTION		0xffffu

struct netvsp;

/*
 * Protocol state of an adapter. netvsp_nvsp.c has the table of edges.
 */
enum net_state {
	NET_CLOSED,
	NET_OPENED,		/* the channel is open, nothing was said */
	NET_VERSIONED,		/* an NVSP version is agreed upon */
	NET_RUNNING,		/* RNDIS, too */
	NET_STATES
};

/* A buffer that the guest lends while its driver runs: a list of its pages, cut into sections. */
struct net_buffer {
	struct chan_gpadl	gpadl;		/* pfns NULL: there is none */
	uint32_t		handle;
	uint32_t		section_bytes, sections;
};

enum net_section_state { NET_SECTION_FREE, NET_SECTION_OURS, NET_SECTION_GUEST };

/* A section of the receive buffer. Those of one transfer packet are chained from the first one on. */
struct net_section {
	uint16_t	next;		/* NET_NO_SECTION: the last one */
	uint8_t		state;		/* enum net_section_state */
};

/* Pieces of guest memory in use for one transfer. */
struct net_pieces {
	struct gmem	mem[NET_TX_PIECES];
	struct iovec	iov[NET_TX_PIECES];
	unsigned int	nr;
	uint32_t	bytes;
};

struct net_reply {
	uint32_t	bytes;
	uint8_t		message[NET_REPLY_MAX];
};

/* The counters of a queue, its thread's; read by others. */
struct net_counts {
	_Atomic uint64_t c[NETVSP_NR_COUNTERS];
};
#define NET_COUNTER(name)	(offsetof(struct netvsp_counters, name) / sizeof(uint64_t))

struct net_queue {
	struct chan		chan;		/* first */
	struct netvsp		*nic;
	pthread_t		thread;
	bool			started;	/* loop thread: there is a thread to join */
	atomic_bool		stop;
	atomic_bool		tell_link;	/* the cable was moved: tell the guest */
	atomic_bool		is_open;

	/*
	 * Held during a turn. Who changes what all queues use - buffers, version - holds the locks of
	 * all queues, taken in order of their index.
	 */
	pthread_mutex_t		lock;
	bool			broken;		/* what the guest wrote to the ring makes no sense */
	bool			stuck;		/* the ring to the guest has no room */
	bool			quiet;		/* nothing is touched until it is opened anew */
	/* receiving: this queue's part of the buffer */
	struct net_section	*section;	/* of all sections, NULL: no buffer; index: see below */
	uint16_t		free;		/* head of the free ones */
	uint16_t		now;		/* taken for a frame to come, NET_NO_SECTION: none */
	struct net_pieces	room;		/* of that */
	struct vmb_transfer_range batch[NET_RX_BATCH];
	unsigned int		batched;
	uint16_t		batch_first, batch_last;
	/* answers that wait for a section */
	struct net_reply	reply[NET_REPLIES];
	unsigned int		replies;
	struct net_pieces	tx;
	struct net_counts	count;
};

struct netvsp {
	struct device		dev;		/* first */
	struct netvsp_config	cfg;
	struct net		*net;
	struct net_sink		sink;
	_Atomic int		state;		/* enum net_state */
	enum net_state		state_saved;	/* of the machine before, for a channel that was open there */
	atomic_bool		up;
	atomic_bool		gone;		/* what the adapter leads to is no more: it stays down */
	/* all locks to write, one to read */
	uint32_t		version;	/* NVSP; 0: none */
	uint32_t		frame_max;	/* Ethernet header included, as the guest said */
	struct net_buffer	recv, send;
	struct net_section	*section;	/* recv.sections of them */
	_Atomic uint32_t	filter;		/* VMB_FILTER_* */
	uint8_t			mac[6];
	bool			rsc;		/* the guest joins packets */
	unsigned int		nr_queues;
	struct net_queue	*queue[NETVSP_QUEUES];
};

/* ---- netvsp.c */
void net_lock_all(struct netvsp *v);
void net_unlock_all(struct netvsp *v);
/* All but that of the primary queue, the first in the order, whose thread calls and holds it. */
void net_lock_others(struct netvsp *v);
void net_unlock_others(struct netvsp *v);

static inline void net_count(struct net_queue *q, unsigned int counter, uint64_t by)
{
	_Atomic uint64_t *c = &q->count.c[counter];

	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + by, memory_order_relaxed);
}

#define NET_COUNT(q, name, by)	net_count(q, NET_COUNTER(name), by)

/* ---- netvsp_queue.c */
int net_queue_create(struct netvsp *v, unsigned int index);
/* End its thread. */
void net_queue_stop(struct net_queue *q);
/* No thread of the adapter runs any more: they look at each other's queues. */
void net_queue_release(struct net_queue *q);
/* Serve what is in the rings and at the backend, without waiting. True: there is more. Queue's thread. */
bool net_queue_turn(struct net_queue *q);
/* Loop thread or any: have the queue's thread look. */
void net_queue_kick(struct net_queue *q);

/* ---- netvsp_nvsp.c */
void net_state_set(struct netvsp *v, enum net_state to);
/*
 * An NVSP message of the primary channel that is no RNDIS. Sets the answer in @m and returns its bytes; -1:
 * there is none. Queue's thread, its lock held.
 */
int net_nvsp(struct net_queue *q, struct vmb_nvsp *m);
/* Forget a buffer; all locks held. */
void net_buffer_drop(struct netvsp *v, struct net_buffer *b);
/* The driver is gone: back to the beginning. All locks held. */
void net_forget(struct netvsp *v);

/* Of a section of the receive buffer, by v->frame_max. */
uint32_t net_recv_section_bytes(const struct netvsp *v);

/* ---- netvsp_save.c */
extern const struct dev_record netvsp_record;
void netvsp_go_on(struct device *d);
/* The primary channel is open as it was in the machine before. 0 or -errno, and nothing is left of its state. */
int net_saved_open(struct netvsp *v);

/* ---- netvsp_buffer.c */
/*
 * Add [@at, @at + @bytes) of a buffer to @p, in direction @dir. -EFAULT, -EMSGSIZE: too many pieces; what
 * was got stays to be put.
 */
int net_buffer_get(struct netvsp *v, const struct net_buffer *b, uint32_t at, uint32_t bytes, uint32_t dir,
		   struct net_pieces *p);
/* One run of guest memory. */
int net_piece_get(struct netvsp *v, uint64_t gpa, uint32_t bytes, uint32_t dir, struct net_pieces *p);
void net_pieces_put(struct netvsp *v, struct net_pieces *p);

/* ---- netvsp_tx.c */
/* A VMB_NVSP_RNDIS_PACKET of the guest. Return: enum vmb_nvsp_status. */
uint32_t net_transmit(struct net_queue *q, const struct hv_ring_packet *p, const struct vmb_nvsp *m);

/* ---- netvsp_rx.c */
extern const struct net_sink_ops net_sink_ops;
/* Share the sections of a new buffer out; all locks held. 0 or -ENOMEM. */
int net_sections_make(struct netvsp *v);
/* Take frames from the backend. True: there may be more. */
bool net_receive(struct net_queue *q);
/* Is there anywhere to put a frame? */
bool net_can_receive(const struct net_queue *q);
/* The guest gives the sections of @transaction back. */
void net_received(struct net_queue *q, uint64_t transaction);
/* Send what was batched. False: the ring is full. */
bool net_batch_send(struct net_queue *q);
/* Send answers that wait. */
void net_replies_send(struct net_queue *q);

/* ---- netvsp_rndis.c */
/*
 * An RNDIS message of the control channel; @bytes is what was copied of it. The answer is written to @out, of
 * NET_REPLY_MAX bytes. Return: its bytes, 0: there is none; -EPROTO: makes no sense.
 */
int net_rndis(struct netvsp *v, const void *message, uint32_t bytes, uint8_t *out);
/* What tells the guest how the cable is. */
uint32_t net_rndis_link(bool up, uint8_t *out);

/* ---- netvsp_oid.c */
/* Value of @oid to @out (@room bytes, at least 256): bytes of it, or -enum vmb_rndis_status as int. */
int64_t net_oid_query(struct netvsp *v, uint32_t oid, const uint8_t *in, uint32_t in_bytes, uint8_t *out,
		      uint32_t room);
/* Return: enum vmb_rndis_status. */
uint32_t net_oid_set(struct netvsp *v, uint32_t oid, const uint8_t *in, uint32_t bytes);

/* ---- netvsp_frame.c */
/* What is known of a frame from its first bytes. */
struct net_headers {
	uint16_t	type;		/* Ethernet type, behind VLAN tags; host order */
	uint16_t	l3, l4;		/* offsets; l4 0: not TCP or UDP, or beyond what was copied */
	uint8_t		protocol;	/* of l4 */
	bool		later;		/* a fragment that is not the first one: it has no l4 */
};
void net_headers_read(const uint8_t *p, uint32_t bytes, struct net_headers *h);
/* What the guest asked for, from the information of its RNDIS packet. */
struct net_wish {
	uint32_t	csum, lso;	/* values; 0: nothing is asked */
	uint16_t	vlan;
	bool		has_csum, has_lso, has_vlan;
};
/*
 * Make @meta of the guest's wish for a frame of @bytes whose first @head bytes were copied to @p, and set
 * the fields in them that go with it. -EPROTO: it makes no sense.
 */
int net_wish_apply(const struct net_wish *w, uint8_t *p, uint32_t head, uint32_t bytes, struct net_meta *meta);
/* May the guest with address @mac send this (netvsp_config.guard)? */
bool net_guard_allows(const uint8_t *mac, const uint8_t *p, uint32_t head);
/* Does a guest with this filter and address want the frame that begins with these 6 bytes? */
bool net_filter_wants(uint32_t filter, const uint8_t *mac, const uint8_t *to);

#endif
