// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * disk_moved.c - keeps a disk busy over two channels, and notices a request that is lost, answered
 * twice or done twice
 *
 * Meant to be stopped, saved and gone on with elsewhere at any moment. requests=N: on each
 * channel. Host: selftests/api/disk_move_test.c.
 */
#include "block.h"
#include "bus.h"

#define PAGES	20u
#define DOWN	10u
#define DEPTH	8u
#define MINE	(BLOCK_SECTORS / 2)

struct queue {
	u8 ring[PAGES * 4096] __attribute__((aligned(4096)));
	u8 buf[DEPTH][BLOCK_BYTES];
	struct bus_ring out, in;
	u32 connection, relid, vp, first;
	u64 seed, next;
	struct slot {
		struct block_request req;
		u64 tid;		/* 0: free */
	} slot[DEPTH];
	struct {
		u32 content, counter;
	} model[MINE];
	u32 asked, answered, strange, lost;
};

static struct queue queues[2];
static u8 msg[VMB_MESSAGE_MAX];

static u32 rnd(struct queue *q, u32 below)
{
	q->seed ^= q->seed << 13;
	q->seed ^= q->seed >> 7;
	q->seed ^= q->seed << 17;
	return (u32)((q->seed >> 20) % below);
}

/* Word @i of the @content-th version of @sector; before the first, zeros. */
static u32 word(u32 sector, u32 content, u32 i)
{
	return content ? sector << 24 ^ content * 2654435761u ^ i : 0;
}

static bool in_use(struct queue *q, u32 sector)
{
	u32 i;

	for (i = 0; i < DEPTH; i++)
		if (q->slot[i].tid && q->slot[i].req.sector == sector)
			return true;
	return false;
}

static void ask(struct queue *q, u32 n, u32 op, u32 sector)
{
	struct slot *s = &q->slot[n];
	u32 *p = (u32 *)q->buf[n], i;

	s->req.op = op;
	s->req.sector = sector;
	s->req.gpa = (u64)(uintptr_t)q->buf[n];
	s->tid = ++q->next;
	for (i = 0; i < BLOCK_BYTES / 4; i++)
		p[i] = op == BLOCK_WRITE ? word(sector, q->model[sector - q->first].content + 1, i) : ~0u;
	q->asked++;
	if (bus_put(&q->out, VMB_PACKET_INBAND, VMB_PACKET_F_COMPLETION, s->tid, &s->req, sizeof(s->req)))
		bus_signal(q->connection);
}

static void answered(struct queue *q, u64 tid, const struct block_answer *a)
{
	u32 n, i, sector;
	u32 *p;

	for (n = 0; n < DEPTH && q->slot[n].tid != tid; n++)
		;
	if (!tid || n == DEPTH) {
		q->strange++;		/* never asked, or answered before */
		return;
	}
	q->answered++;
	q->slot[n].tid = 0;
	sector = q->slot[n].req.sector;
	p = (u32 *)q->buf[n];
	q->strange += a->status != 0;
	switch (q->slot[n].req.op) {
	case BLOCK_WRITE:
		q->model[sector - q->first].content++;
		break;
	case BLOCK_ADD:
		q->strange += a->counter != ++q->model[sector - q->first].counter;
		break;
	default:
		for (i = 0; i < BLOCK_BYTES / 4; i++)
			if (p[i] != word(sector, q->model[sector - q->first].content, i))
				break;
		q->strange += i < BLOCK_BYTES / 4;
	}
}

/* At least one answer, or the host has lost what it told us by a signal. */
static void take(struct queue *q)
{
	struct block_answer a;
	struct vmb_packet d;
	bool any = false;

	for (;;) {
		while (bus_get(&q->in, &d, &a, sizeof(a), 0)) {
			answered(q, d.transaction, &a);
			any = true;
		}
		if (any)
			return;
		if (!bus_flag(q->vp, q->relid, BUS_WAIT)) {
			q->lost++;
			return;
		}
	}
}

static void random_requests(struct queue *q, u32 n)
{
	u32 i, sector;

	while (q->answered < n && !q->lost) {
		for (i = 0; i < DEPTH; i++) {
			sector = q->first + rnd(q, MINE);
			if (q->asked < n && !q->slot[i].tid && !in_use(q, sector))
				ask(q, i, 1 + rnd(q, 3), sector);
		}
		take(q);
	}
}

/* All of it, content and counters. */
static void look(struct queue *q)
{
	u32 op, sector;

	for (op = BLOCK_READ; op <= BLOCK_ADD; op += BLOCK_ADD - BLOCK_READ)
		for (sector = q->first; sector < q->first + MINE && !q->lost; sector++) {
			ask(q, 0, op, sector);
			take(q);
		}
}

static void run(void *arg)
{
	struct queue *q = arg;

	random_requests(q, (u32)option("requests", 500));
	look(q);
}

static void open(struct queue *q, const struct vmb_offer *o, u32 n)
{
	q->connection = o->connection;
	q->relid = o->relid;
	q->vp = n;
	q->first = n * MINE;
	q->seed = 88172645463325252ull + n;
	check_eq(bus_gpadl(o->relid, 0xe1e10u + n, q->ring, PAGES), 0, "a GPADL");
	check_eq(bus_open(o->relid, 0xe1e10u + n, q->ring, PAGES, DOWN, n), 0, "an opening");
	bus_ring(&q->out, q->ring, DOWN);
	bus_ring(&q->in, q->ring + DOWN * 4096, PAGES - DOWN);
}

static void on_other(void *arg)
{
	(void)arg;
	bus_init();
}

void main(void)
{
	struct vmb_offer o;
	u32 i;

	hyperv_enable();
	if (smp_start() < 2)
		leave(2);
	smp_call(1, on_other, NULL);
	bus_init();
	check_eq(bus_connect(&o, 1), 1, "a channel");
	open(&queues[0], &o, 0);
	if (!bus_expect(VMB_MSG_OFFER, msg, "a sub-channel"))
		return;
	memcpy(&o, msg, sizeof(o));
	open(&queues[1], &o, 1);
	smp_call_async(1, run, &queues[1]);
	run(&queues[0]);
	smp_wait(1);
	for (i = 0; i < 2; i++) {
		check_eq(queues[i].lost, 0, "answers that did not come");
		check_eq(queues[i].strange, 0, "answers that are wrong, or came twice");
		check_eq(queues[i].answered, queues[i].asked, "all were answered");
	}
	outl(BLOCK_PORT, queues[0].answered + queues[1].answered);
}
