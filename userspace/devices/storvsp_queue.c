// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A channel of the SCSI controller and the thread that serves it: packets out of the ring into the
 * in-flight table, answers into the ring, signals, waiting.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "storvsp_impl.h"

#define BURST_TRY	64u		/* turns with one request between two tries */

static void signal_guest(struct stor_queue *q)
{
	struct dev_services *ds = q->vsp->dev.ds;

	stor_count(&q->signals, 1);
	ds->ops->chan_signal(ds, &q->chan);
}

/* ---- answers ---- */

static void request_free(struct stor_request *r)
{
	struct stor_queue *q = r->q;

	atomic_store_explicit(&r->entry->state, STOR_FREE, memory_order_release);
	r->next = q->free;
	q->free = r;
}

/* Over. Free when the guest sees the answer, and the room it had in the ring. */
static void request_end(struct stor_request *r)
{
	r->next = r->q->told;
	r->q->told = r;
}

/* Show the guest the room it has again, and then the answers: an entry is free after both. */
static void publish(struct stor_queue *q)
{
	bool room = hv_ring_release(&q->chan.from_guest), told;
	struct stor_request *r;

	for (; (r = q->fresh); q->fresh = r->fresh)
		atomic_store_explicit(&r->entry->from, STOR_OUT, memory_order_release);
	told = hv_ring_publish(&q->chan.to_guest);
	while ((r = q->told)) {
		q->told = r->next;
		request_free(r);
	}
	if (room || told)
		signal_guest(q);
}

static void request_make(struct stor_queue *q)
{
	struct stor_request *r = &q->requests[q->made];

	r->q = q;
	r->entry = &q->table->entry[q->made++];
}

/* A request that is free, or NULL. They are made when needed: an idle queue is small. */
static struct stor_request *request_get(struct stor_queue *q)
{
	struct stor_request *r;

	if (!q->free && q->made < STOR_DEPTH) {
		r = &q->requests[q->made];
		request_make(q);
		r->next = NULL;
		q->free = r;
	}
	return q->free;
}

/* False: there is no room in the ring now. */
static bool answer_put(struct stor_request *r)
{
	struct hv_ring *ring = &r->q->chan.to_guest;
	struct stor_inflight *e = r->entry;
	int ret;

	ret = hv_ring_complete(ring, r->transaction, &r->packet, sizeof(r->packet));
	if (ret == -EAGAIN)
		return false;
	if (ret)
		r->q->broken = true;
	e->pos = ring->published;
	atomic_store_explicit(&e->state, STOR_COMPLETING, memory_order_release);
	stor_count(&r->q->completed, 1);
	request_end(r);
	return true;
}

void stor_complete(struct stor_request *r)
{
	struct stor_queue *q = r->q;
	struct stor_request **p = &q->stuck;
	struct stor_inflight *e = r->entry;

	memcpy(e->answer, &r->packet, sizeof(e->answer));
	if (!q->chan.index)
		e->after = (uint32_t)atomic_load(&q->vsp->state) | (uint32_t)q->vsp->version << 16;
	atomic_store_explicit(&e->state, STOR_ANSWERED, memory_order_release);
	if (!q->chan.index)
		atomic_store_explicit(&q->table->after, e->after, memory_order_release);
	if (!q->stuck && answer_put(r))
		return;
	while (*p)
		p = &(*p)->next;
	r->next = NULL;
	*p = r;
}

static void unstick(struct stor_queue *q)
{
	struct stor_request *r;

	while ((r = q->stuck)) {
		q->stuck = r->next;
		if (answer_put(r))
			continue;
		r->next = q->stuck;
		q->stuck = r;
		if (hv_ring_want(&q->chan.to_guest, hv_ring_room_for(sizeof(r->packet))))
			continue;
		return;
	}
	hv_ring_want_none(&q->chan.to_guest);
}

/* ---- requests ---- */

/* Take one packet over into the table. 0; -EPROTO: the ring makes no sense. */
static int take(struct stor_queue *q, struct stor_request *r, const struct hv_ring_packet *p)
{
	struct stor_inflight *e = r->entry;
	uint32_t payload = hv_ring_payload(p);
	int ret = 0;

	e->header_bytes = p->header_bytes <= STOR_HEADER_MAX ? p->header_bytes : 0;
	if (e->header_bytes)
		ret = hv_ring_copy(&q->chan.from_guest, p, 0, e->header, e->header_bytes);
	memset(e->packet, 0, sizeof(e->packet));
	if (!ret)
		ret = hv_ring_copy(&q->chan.from_guest, p, p->header_bytes, e->packet,
				   payload < sizeof(e->packet) ? payload : sizeof(e->packet));
	if (ret)
		return ret;
	q->free = r->next;
	e->transaction = r->transaction = p->transaction;
	e->type = p->type;
	e->flags = p->flags;
	e->payload = payload;
	hv_ring_next(&q->chan.from_guest, p);
	e->next = q->chan.from_guest.pos;
	atomic_store_explicit(&e->from, q->chan.from_guest.published, memory_order_relaxed);
	atomic_store_explicit(&e->state, STOR_TAKEN, memory_order_release);
	memcpy(&r->packet, e->packet, sizeof(r->packet));
	stor_count(&q->taken, 1);
	r->fresh = q->fresh;
	q->fresh = r;
	return 0;
}

/* A request that stands in the table. */
static void begin(struct stor_queue *q, struct stor_request *r)
{
	const struct stor_inflight *e = r->entry;

	/* The guest answers what we sent: nothing to do. */
	if (e->type == VMB_PACKET_COMPLETION)
		return request_end(r);
	if (e->type != VMB_PACKET_INBAND && e->type != VMB_PACKET_GPA_DIRECT) {
		stor_count(&q->failed, 1);
		return request_end(r);
	}
	if (r->packet.operation == VMB_STOR_EXECUTE_SRB && e->header_bytes &&
	    e->payload >= offsetof(struct vmb_stor_packet, srb.rsvd2))
		return stor_execute(r);
	stor_protocol(q, &r->packet);
	if (e->flags & VMB_PACKET_F_COMPLETION)
		stor_complete(r);
	else
		request_end(r);
}

/* Return: how many were taken. */
static unsigned int take_all(struct stor_queue *q)
{
	struct hv_ring_packet p;
	struct stor_request *r;
	unsigned int n;
	int ret;

	for (n = 0; !q->broken; n++) {
		r = request_get(q);
		if (!r || q->stuck)
			break;
		ret = hv_ring_peek(&q->chan.from_guest, &p);
		if (ret == -EAGAIN)
			break;
		if (!ret)
			ret = take(q, r, &p);
		if (ret) {
			q->broken = true;
			q->vsp->dev.ds->ops->log(q->vsp->dev.ds, DEV_LOG_WARN,
				"storvsp: channel %u: the guest's ring makes no sense; it is left alone",
				q->chan.index);
			break;
		}
		begin(q, r);
	}
	chan_took(&q->chan, n);
	return n;
}

static void burst_set(struct stor_queue *q, bool burst)
{
	const struct sched_param none = { 0 };

	if (q->burst != burst && !sched_setscheduler(0, burst ? SCHED_BATCH : SCHED_OTHER, &none))
		q->burst = burst;
}

/*
 * A guest that puts several requests one behind the other signals the first one, which wakes this
 * thread. If that takes the guest's own CPU from it at once, each request comes alone, with a signal
 * and an interrupt of its own. SCHED_BATCH means to wait for a CPU that is free or whose turn is over,
 * and so brings the others along. A single request, though, is served sooner and cheaper on the spot.
 * So it is tried now and then, and kept up while more than one comes at a time.
 * @taken: requests of this turn. True: look again before waiting.
 */
static bool burst_let(struct stor_queue *q, unsigned int taken)
{
	if (!taken)
		return false;
	if (taken > 1) {
		burst_set(q, true);
	} else if (q->burst || --q->burst_skip) {
		burst_set(q, false);
		q->burst_skip = q->burst_skip ? q->burst_skip : BURST_TRY;
		return false;
	} else {
		q->burst_skip = BURST_TRY;
		burst_set(q, true);
		return false;
	}
	/* The guest sees its answers, and what it makes of them needs no signal. */
	sched_yield();
	return true;
}

static void tell_rescan(struct stor_queue *q)
{
	struct vmb_stor_packet p = { .operation = VMB_STOR_ENUMERATE_BUS };

	if (hv_ring_send(&q->chan.to_guest, 0, 0, &p, sizeof(p)) == -EAGAIN)
		atomic_store(&q->rescan, true);		/* with the next answer */
}

bool stor_queue_turn(struct stor_queue *q)
{
	struct hv_ring *in = &q->chan.from_guest;
	unsigned int taken;

	hv_ring_mask(in);
	if (q->stuck)
		unstick(q);
	taken = take_all(q);
	diskq_kick(q->dq);
	if (atomic_exchange(&q->rescan, false))
		tell_rescan(q);
	publish(q);
	if (burst_let(q, taken))
		return true;
	/* Without a free request what comes waits, and is looked at when one ends. */
	return hv_ring_unmask(in) && request_get(q) && !q->stuck && !q->broken;
}

void stor_queue_wait(struct stor_queue *q)
{
	diskq_wait(q->dq);
	publish(q);
}

void stor_queue_forget(struct stor_queue *q)
{
	struct stor_request *r;

	while ((r = q->stuck)) {
		q->stuck = r->next;
		request_free(r);
	}
	q->fresh = NULL;
	while ((r = q->told)) {
		q->told = r->next;
		request_free(r);
	}
}

/*
 * The device before this one died, at any instruction. What it had taken is done again unless its answer is there:
 * the guest waits for it, so that it may be done at any time, once or twice. What lies in the ring and in
 * the table is taken from the table.
 */
static void take_over(struct stor_queue *q)
{
	struct hv_ring *in = &q->chan.from_guest;
	uint32_t seen = q->chan.to_guest.published;
	struct stor_request *r;
	unsigned int i;

	in->pos = stor_table_resume(q->table, in->pos, in->bytes);
	for (q->made = 0, q->free = NULL; q->made < STOR_DEPTH;)
		request_make(q);
	for (i = 0; i < STOR_DEPTH; i++) {
		r = &q->requests[i];
		r->transaction = r->entry->transaction;
		r->fresh = q->fresh;
		q->fresh = r;
		switch (stor_table_owed(r->entry, seen)) {
		case STOR_OWED_NOTHING:
			request_free(r);
			break;
		case STOR_OWED_ANSWER:
			memcpy(&r->packet, r->entry->answer, sizeof(r->packet));
			stor_complete(r);
			break;
		case STOR_OWED_WORK:
			memcpy(&r->packet, r->entry->packet, sizeof(r->packet));
			begin(q, r);
			break;
		}
	}
	diskq_kick(q->dq);
	publish(q);
	signal_guest(q);	/* it may not have been told of the last answers */
}

static void become_quiet(struct stor_queue *q)
{
	struct storvsp *v = q->vsp;

	pthread_mutex_lock(&v->lock);
	q->quiet = true;
	pthread_cond_broadcast(&v->quieted);
	pthread_mutex_unlock(&v->lock);
}

static void *serve(void *arg)
{
	struct stor_queue *q = arg;
	struct dev_services *ds = q->vsp->dev.ds;

	if (q->take_over)
		take_over(q);
	do {
		while (!atomic_load(&q->stop) && !atomic_load(&q->drain))
			if (!stor_queue_turn(q))
				stor_queue_wait(q);
		while (diskq_busy(q->dq))
			stor_queue_wait(q);
		become_quiet(q);
		/* Drained: the rings are not looked at until it goes on, or the channel is closed. */
		while (!atomic_load(&q->stop) && atomic_load(&q->drain))
			diskq_wait(q->dq);
	} while (!atomic_load(&q->stop));
	stor_queue_forget(q);
	ds->ops->chan_closed(ds, &q->chan);
	return NULL;
}

/* ---- the channel ---- */

static void thread_join(struct stor_queue *q)
{
	if (q->started)
		pthread_join(q->thread, NULL);
	q->started = false;
}

/* From the start, or from where the device before was: by its table, or by its record. */
static void protocol_begin(struct stor_queue *q)
{
	const struct storvsp *v = q->vsp;
	uint32_t saved = q->chan.restored ? (uint32_t)v->state_saved | (uint32_t)v->version << 16 : 0;
	uint32_t after = q->take_over ? stor_table_protocol(q->table) : saved;
	uint32_t state = STOR_OPENED;

	stor_state_set(q->vsp, STOR_CLOSED);
	do {
		stor_state_set(q->vsp, (enum stor_state)state);
	} while (++state <= (after & 0xffff) && state < STOR_STATES);
	q->vsp->version = (uint16_t)(after >> 16);
	atomic_store(&q->table->after, after);
}

static int stor_open(struct chan *c)
{
	struct stor_queue *q = dev_container(c, struct stor_queue, chan);
	int ret;

	thread_join(q);
	q->broken = false;
	q->burst = false;
	q->burst_skip = BURST_TRY;
	atomic_store(&q->stop, false);
	atomic_store(&q->drain, false);
	q->quiet = false;
	atomic_store(&q->rescan, c->restored && q->rescan_saved);
	q->take_over = c->restored && q->vsp->cfg.take_over;
	if (!c->restored)
		stor_queue_forget(q);
	if (!q->take_over)
		stor_table_clear(q);
	if (!c->index)
		protocol_begin(q);
	ret = pthread_create(&q->thread, NULL, serve, q);
	q->started = !ret;
	return -ret;
}

/* Set @what and have the thread look at it. */
static void thread_tell(struct stor_queue *q, atomic_bool *what)
{
	static const uint64_t one = 1;
	ssize_t n;

	atomic_store(what, true);
	n = write(q->chan.wake, &one, sizeof(one));
	(void)n;	/* a full counter wakes as well */
}

static void stor_close(struct chan *c)
{
	struct stor_queue *q = dev_container(c, struct stor_queue, chan);

	if (!c->index)
		stor_state_set(q->vsp, STOR_CLOSED);
	thread_tell(q, &q->stop);
}

void stor_queue_drain(struct stor_queue *q)
{
	if (q->started)
		thread_tell(q, &q->drain);
}

void stor_queue_go_on(struct stor_queue *q)
{
	static const uint64_t one = 1;
	ssize_t n;

	if (!q->started || atomic_load(&q->stop))
		return;
	pthread_mutex_lock(&q->vsp->lock);
	q->quiet = false;
	pthread_mutex_unlock(&q->vsp->lock);
	atomic_store(&q->drain, false);
	n = write(q->chan.wake, &one, sizeof(one));
	(void)n;
}

void stor_queue_save(const struct stor_queue *q, struct fields_out *out)
{
	uint32_t n = 0;

	for (const struct stor_request *r = q->stuck; r; r = r->next)
		n++;
	fields_put_u8(out, atomic_load(&q->rescan));
	fields_put_u32(out, n);
	for (const struct stor_request *r = q->stuck; r; r = r->next) {
		fields_put_u64(out, r->transaction);
		fields_put(out, &r->packet, sizeof(r->packet));
	}
}

int stor_queue_load(struct stor_queue *q, struct fields_in *in)
{
	struct stor_request *r, **tail = &q->stuck;
	uint32_t n;

	q->rescan_saved = fields_get_bool(in);
	n = fields_get_u32(in);
	if (n > STOR_DEPTH || q->stuck)
		return -EINVAL;
	while (n--) {
		r = request_get(q);
		q->free = r->next;
		r->next = NULL;
		r->entry->transaction = r->transaction = fields_get_u64(in);
		r->entry->header_bytes = 0;
		fields_get(in, &r->packet, sizeof(r->packet));
		memcpy(r->entry->answer, &r->packet, sizeof(r->entry->answer));
		atomic_store(&r->entry->from, STOR_OUT);
		atomic_store_explicit(&r->entry->state, STOR_ANSWERED, memory_order_release);
		*tail = r;
		tail = &r->next;
	}
	return 0;
}

/* Every thread becomes quiet, also one that was told to stop before or has ended. */
void stor_queue_drained(struct stor_queue *q)
{
	pthread_mutex_lock(&q->vsp->lock);
	while (q->started && !q->quiet)
		pthread_cond_wait(&q->vsp->quieted, &q->vsp->lock);
	pthread_mutex_unlock(&q->vsp->lock);
}

static const struct chan_ops chan_ops = { .open = stor_open, .close = stor_close };

int stor_queue_create(struct storvsp *v, unsigned int index)
{
	struct stor_queue *q = calloc(1, sizeof(*q));
	int ret;

	if (!q)
		return -ENOMEM;
	v->queue[v->nr_queues++] = q;
	q->vsp = v;
	q->chan.ops = &chan_ops;
	q->chan.index = index;
	q->chan.wake = eventfd(0, EFD_CLOEXEC);
	if (q->chan.wake < 0)
		return -errno;
	ret = diskq_create(&q->dq, STOR_DEPTH, q->chan.wake, v->cfg.threads);
	if (!ret)
		ret = stor_table_map(q);
	if (ret)
		return ret;
	q->requests = calloc(STOR_DEPTH, sizeof(*q->requests));
	if (!q->requests)
		return -ENOMEM;
	return 0;
}

void stor_queue_release(struct stor_queue *q)
{
	struct dev_services *ds = q->vsp->dev.ds;

	if (q->started) {
		thread_tell(q, &q->stop);
		thread_join(q);
	}
	if (q->chan.host)
		ds->ops->chan_remove(ds, &q->chan);
	diskq_release(q->dq);
	stor_table_unmap(q);
	if (q->chan.wake >= 0)
		close(q->chan.wake);
	free(q->requests);
	free(q);
}
