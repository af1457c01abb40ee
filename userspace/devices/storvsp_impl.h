/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parts of the SCSI controller as they see each other. */
#ifndef HV_DEVICES_STORVSP_IMPL_H
#define HV_DEVICES_STORVSP_IMPL_H

#include <hvguest/vsp_stor.h>

#include "chan.h"
#include "storvsp.h"

#define STOR_DEPTH	256u			/* requests of a queue */
#define STOR_BYTES_MAX	(256u << 10)		/* of one request */
#define STOR_PIECES	(STOR_BYTES_MAX / VMB_PAGE + 1)
/* A GPA-direct header with one range of that many pages. */
#define STOR_HEADER_MAX	(16u + 8u + 8u + 8u * STOR_PIECES)

struct storvsp;
struct stor_queue;

/*
 * The in-flight table: a request stands here, as it came, before it leaves the ring, and until the guest
 * can see its completion. In shared memory, so that it outlives the thread and the process; whoever
 * takes over reads it (storvsp_table.c).
 */
enum stor_inflight_state {
	STOR_FREE = 0,
	STOR_TAKEN = 1,			/* to be done, or under way */
	STOR_ANSWERED = 2,		/* @answer has to go to the ring */
	STOR_COMPLETING = 3,		/* it is there; the guest sees it when the write index is not @pos any more */
};

#define STOR_OUT	(~0u)		/* no place in a ring */

struct stor_inflight {
	_Atomic uint32_t	state;
	_Atomic uint32_t	from;		/* the ring's read index while it lies there, then STOR_OUT */
	uint32_t		next;		/* where the packet behind it begins */
	uint32_t		pos;
	uint64_t		transaction;
	uint16_t		type, flags;	/* of the packet */
	uint32_t		payload;	/* bytes it had */
	uint32_t		header_bytes;
	uint32_t		after;		/* stor_table.after once @answer is given */
	uint8_t			header[STOR_HEADER_MAX];
	uint8_t			packet[VMB_STOR_PACKET_BYTES];
	uint8_t			answer[VMB_STOR_PACKET_BYTES];
};

struct stor_table {
	uint32_t		magic, bytes;
	_Atomic uint32_t	after;		/* of the primary queue: enum stor_state, version << 16 */
	uint32_t		rsvd;
	struct stor_inflight	entry[STOR_DEPTH];
};

struct stor_lun {
	struct scsi_unit	unit;
	struct disk		*disk;		/* NULL: an empty drive */
	atomic_uint		users;		/* requests; more of them under vsp->lock */
	unsigned int		gone;		/* 0, or the epoch in which a unit was taken away that
						 * the guest may still believe in */
	bool			there;
};

struct stor_request {
	struct disk_req		disk;		/* first */
	struct stor_queue	*q;
	struct stor_request	*next;		/* free, or waiting for room in the ring, or told */
	struct stor_request	*fresh;		/* the one taken before it in this turn */
	struct stor_inflight	*entry;
	struct stor_lun		*lun;
	uint64_t		transaction;
	struct vmb_stor_packet	packet;		/* checked copy; becomes the answer */
	struct scsi_op		op;
	uint32_t		room;		/* bytes of the guest's buffer */
	uint32_t		range_at;	/* next of op.ranges[] */
	uint8_t			*pattern;	/* WRITE SAME: STOR_PATTERN bytes of it */
	unsigned int		pieces;
	struct gmem		mem[STOR_PIECES];
	struct iovec		iov[STOR_PIECES];
};

/* Protocol state of a controller: storvsp_proto.c. */
enum stor_state {
	STOR_CLOSED,
	STOR_OPENED,		/* the channel is open, nothing was said */
	STOR_BEGUN,
	STOR_VERSIONED,
	STOR_READY,
	STOR_STATES
};

struct stor_queue {
	struct chan		chan;		/* first */
	struct storvsp		*vsp;
	struct diskq		*dq;
	pthread_t		thread;
	bool			started;	/* loop thread: there is a thread to join */
	atomic_bool		stop;
	atomic_bool		drain;		/* finish what is under way, take nothing more */
	bool			quiet;		/* it is finished; vsp->lock */
	atomic_bool		rescan;		/* tell the guest to look for units */
	bool			rescan_saved;	/* loaded: in effect when the channel is restored */
	struct stor_table	*table;		/* shared memory */
	struct stor_request	*requests, *free;
	unsigned int		made;		/* of requests[] in use or free */
	struct stor_request	*stuck;		/* answers that wait for room in the ring */
	struct stor_request	*fresh;		/* taken, and in the ring still for all the guest knows */
	struct stor_request	*told;		/* over, but the guest does not see the answers yet */
	bool			take_over;	/* a device before this one was in the middle */
	bool			broken;		/* what the guest wrote to the ring makes no sense */
	bool			burst;		/* requests come in bursts: burst_let() */
	unsigned int		burst_skip;	/* turns until that is tried again */
	/* counters, for statistics: this thread's */
	_Atomic uint64_t	taken, completed, failed, reads, writes, bytes_read, bytes_written,
				signals;
};

struct storvsp {
	struct device		dev;		/* first */
	struct storvsp_config	cfg;
	_Atomic int		state;		/* enum stor_state */
	enum stor_state		state_saved;	/* loaded: in effect when the channel is restored */
	_Atomic unsigned int	epoch;		/* drivers that have begun: each looks for units anew */
	uint16_t		version;	/* agreed upon; primary queue's thread */
	pthread_mutex_t		lock;		/* lun[], and the fields of units that change */
	pthread_cond_t		unused;		/* a unit's last user has gone */
	atomic_uint		idlers;		/* who wait for that; written under lock */
	pthread_cond_t		quieted;	/* a queue has become quiet */
	struct stor_lun		lun[STORVSP_LUNS];
	unsigned int		nr_queues;
	struct stor_queue	*queue[STORVSP_QUEUES];
	int			table_fd;	/* memfd of the in-flight tables */
};

/* storvsp_queue.c */
int stor_queue_create(struct storvsp *v, unsigned int index);
void stor_queue_release(struct stor_queue *q);
/* Loop thread: have a queue that is served finish, until it goes on or is opened anew; wait until it has. */
void stor_queue_drain(struct stor_queue *q);
void stor_queue_drained(struct stor_queue *q);
void stor_queue_go_on(struct stor_queue *q);
/* Of a drained queue: answers for which there was no room. Of one that is not open: 0 or -EINVAL. Loop thread. */
void stor_queue_save(const struct stor_queue *q, struct fields_out *out);
int stor_queue_load(struct stor_queue *q, struct fields_in *in);

/* storvsp_save.c */
extern const struct dev_record storvsp_record;
/* Queue's thread. Serve what is in the ring, without waiting. True: there is more. */
bool stor_queue_turn(struct stor_queue *q);
/* Wait for a signal, or for the disk; tell the guest what ended. */
void stor_queue_wait(struct stor_queue *q);
/* Drop the answers that found no room: the channel is closed. */
void stor_queue_forget(struct stor_queue *q);
/* The answer stands in r->packet: give it to the guest and let go of everything. Queue's thread. */
void stor_complete(struct stor_request *r);

/* storvsp_table.c. Map the queue's part of the in-flight memory: 0, -EINVAL not ours, or -errno. */
int stor_table_map(struct stor_queue *q);
void stor_table_unmap(struct stor_queue *q);
/* Nothing is in flight. */
void stor_table_clear(struct stor_queue *q);
/* What stor_table.after has to be after all answers that there are. */
uint32_t stor_table_protocol(const struct stor_table *t);
/* What has to be done about an entry found: @write_index is that of the ring to the guest. */
enum stor_owed { STOR_OWED_NOTHING, STOR_OWED_ANSWER, STOR_OWED_WORK };
enum stor_owed stor_table_owed(const struct stor_inflight *e, uint32_t write_index);
/* Where in the guest's ring the first packet lies that is not in the table. */
uint32_t stor_table_resume(const struct stor_table *t, uint32_t read_index, uint32_t ring_bytes);

/* storvsp_proto.c: a packet that is no SCSI command. Sets the answer in @p. */
void stor_protocol(struct stor_queue *q, struct vmb_stor_packet *p);
void stor_state_set(struct storvsp *v, enum stor_state to);

/* storvsp_io.c: carry out r->packet.srb; ends in stor_complete(). The header lists the guest's pages. */
void stor_execute(struct stor_request *r);

/* storvsp.c: the unit addressed, with a reference; NULL: none. Its lock is held on return. */
struct stor_lun *stor_lun_get(struct storvsp *v, const struct vmb_stor_srb_request *srb);
void stor_lun_put(struct storvsp *v, struct stor_lun *lun);

static inline void stor_count(_Atomic uint64_t *counter, uint64_t by)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + by,
			      memory_order_relaxed);
}

#endif
