// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A channel of the network adapter and the thread that serves it.
 *
 * A frame of the guest goes to the backend before its packet leaves the ring, and its completion into the other
 * ring, where there must be room for it first: so nothing is ever under way that would have to be remembered.
 * What was received and not yet given back stands in the table of sections.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "netvsp_impl.h"

#define COMPLETION_BYTES	8u		/* type and status are enough for a frame */

/* ---- packets from the guest ---- */

static bool answer(struct net_queue *q, const struct hv_ring_packet *p, const struct vmb_nvsp *m, int bytes)
{
	int ret;

	if (bytes < 0 || !(p->flags & VMB_PACKET_F_COMPLETION))
		return true;
	ret = hv_ring_complete(&q->chan.to_guest, p->transaction, m, (uint32_t)bytes);
	if (ret)
		q->broken = true;	/* there was room: take() looked */
	return !ret;
}

/* One packet that lies in the ring, up to its answer. False: the rings make no sense. */
static bool serve_packet(struct net_queue *q, const struct hv_ring_packet *p)
{
	uint32_t payload = hv_ring_payload(p);
	struct vmb_nvsp m = { 0 };
	int bytes = COMPLETION_BYTES;
	uint32_t status;

	if (hv_ring_copy(&q->chan.from_guest, p, p->header_bytes, &m,
			 payload < sizeof(m) ? payload : sizeof(m)))
		return false;
	if (p->type == VMB_PACKET_COMPLETION) {
		net_received(q, p->transaction);
		return true;
	}
	if ((p->type != VMB_PACKET_INBAND && p->type != VMB_PACKET_GPA_DIRECT) || payload < 4) {
		NET_COUNT(q, refused, 1);
		return true;
	}
	if (m.type == VMB_NVSP_RNDIS_PACKET) {
		status = net_transmit(q, p, &m);
		memset(&m, 0, sizeof(m));
		m.type = VMB_NVSP_RNDIS_PACKET_COMPLETE;
		m.rndis_complete.status = status;
	} else {
		bytes = net_nvsp(q, &m);
	}
	return answer(q, p, &m, bytes);
}

/* Room for the answer to one packet, which is asked for if there is none. */
static bool has_room(struct net_queue *q)
{
	struct hv_ring *r = &q->chan.to_guest;
	uint32_t need = hv_ring_room_for(VMB_NVSP_BYTES);

	if (hv_ring_room(r) >= need) {
		if (q->stuck)
			hv_ring_want_none(r);
		q->stuck = false;
		return true;
	}
	q->stuck = !hv_ring_want(r, need);
	return !q->stuck && hv_ring_room(r) >= need;
}

/*
 * A ring's worth at most: a guest may write its index again and again without waiting for room, and would keep
 * the lock for ever. Return: how many were taken.
 */
static unsigned int take_some(struct net_queue *q)
{
	struct hv_ring_packet p;
	unsigned int n;
	int ret;

	for (n = 0; n < NET_TX_BUDGET && !q->broken && has_room(q); n++) {
		ret = hv_ring_peek(&q->chan.from_guest, &p);
		if (ret == -EAGAIN)
			break;
		if (ret || !serve_packet(q, &p)) {
			q->broken = true;
			q->nic->dev.ds->ops->log(q->nic->dev.ds, DEV_LOG_WARN,
				"netvsp: channel %u: the guest's rings make no sense; they are left alone",
				q->chan.index);
			break;
		}
		hv_ring_next(&q->chan.from_guest, &p);
	}
	chan_took(&q->chan, n);
	return n;
}

/* ---- turns ---- */

static void tell_link(struct net_queue *q)
{
	struct netvsp *v = q->nic;
	struct net_reply *r = &q->reply[q->replies];

	if (atomic_load(&v->state) != NET_RUNNING || !atomic_exchange(&q->tell_link, false))
		return;
	if (q->replies == NET_REPLIES)
		atomic_store(&q->tell_link, true);
	else
		r->bytes = net_rndis_link(atomic_load(&v->up), r->message);
	q->replies += q->replies < NET_REPLIES;
}

bool net_queue_turn(struct net_queue *q)
{
	struct hv_ring *in = &q->chan.from_guest, *out = &q->chan.to_guest;
	struct dev_services *ds = q->nic->dev.ds;
	bool more, room, signal, wants;

	pthread_mutex_lock(&q->lock);
	if (q->quiet) {
		pthread_mutex_unlock(&q->lock);
		return false;
	}
	hv_ring_mask(in);
	take_some(q);
	if (!q->chan.index && atomic_load_explicit(&q->tell_link, memory_order_relaxed))
		tell_link(q);
	net_replies_send(q);
	more = net_receive(q);
	if (!net_batch_send(q))
		q->stuck = true;
	wants = hv_ring_release(in);
	signal = hv_ring_publish(out);
	room = !q->stuck && !out->broken;
	more = (hv_ring_unmask(in) && room && !q->broken) || (more && room);
	pthread_mutex_unlock(&q->lock);
	if (signal || wants) {
		NET_COUNT(q, signals, 1);
		ds->ops->chan_signal(ds, &q->chan);
	}
	return more;
}

static void queue_wait(struct net_queue *q)
{
	struct net *n = q->nic->net;
	bool listen;

	pthread_mutex_lock(&q->lock);
	listen = !q->quiet && !q->broken && !q->stuck && net_can_receive(q);
	pthread_mutex_unlock(&q->lock);
	n->ops->wait(n, q->chan.index, q->chan.wake, listen);
}

static void *serve(void *arg)
{
	struct net_queue *q = arg;
	struct dev_services *ds = q->nic->dev.ds;

	while (!atomic_load(&q->stop))
		if (!net_queue_turn(q))
			queue_wait(q);
	ds->ops->chan_closed(ds, &q->chan);
	return NULL;
}

/* ---- the channel ---- */

void net_queue_kick(struct net_queue *q)
{
	static const uint64_t one = 1;
	ssize_t n = write(q->chan.wake, &one, sizeof(one));

	(void)n;
}

static void thread_join(struct net_queue *q)
{
	if (q->started)
		pthread_join(q->thread, NULL);
	q->started = false;
}

static int net_open(struct chan *c)
{
	struct net_queue *q = dev_container(c, struct net_queue, chan);
	struct netvsp *v = q->nic;
	int ret = 0;

	thread_join(q);
	q->broken = q->stuck = q->quiet = false;
	atomic_store(&q->stop, false);
	if (c->restored) {
		/* The bus tells of the primary one first. */
		ret = !c->index ? net_saved_open(v) : atomic_load(&v->queue[0]->is_open) ? 0 : -EINVAL;
		if (ret)
			return ret;
	} else if (!c->index) {
		net_lock_all(v);
		net_forget(v);
		net_unlock_all(v);
		atomic_store(&q->tell_link, false);
		net_state_set(v, NET_CLOSED);
		net_state_set(v, NET_OPENED);
	}
	ret = pthread_create(&q->thread, NULL, serve, q);
	q->started = !ret;
	atomic_store(&q->is_open, !ret);
	if (!ret && v->net->ops->queue)
		v->net->ops->queue(v->net, c->index, true);
	return -ret;
}

static void thread_stop(struct net_queue *q)
{
	atomic_store(&q->stop, true);
	net_queue_kick(q);
}

/* The lent buffers may stay until their lists are torn down, but nobody uses them any more. */
static void net_close(struct chan *c)
{
	struct net_queue *q = dev_container(c, struct net_queue, chan);
	struct netvsp *v = q->nic;

	atomic_store(&q->is_open, false);
	if (v->net->ops->queue)
		v->net->ops->queue(v->net, c->index, false);
	net_lock_all(v);
	q->quiet = true;
	if (!c->index) {
		net_state_set(v, NET_CLOSED);
		net_forget(v);
	}
	net_unlock_all(v);
	thread_stop(q);
}

static void net_gpadl_gone(struct chan *c, uint32_t gpadl)
{
	struct net_queue *q = dev_container(c, struct net_queue, chan);
	struct netvsp *v = q->nic;

	net_lock_all(v);
	if (v->recv.gpadl.pfns && v->recv.handle == gpadl)
		net_buffer_drop(v, &v->recv);
	if (v->send.gpadl.pfns && v->send.handle == gpadl)
		net_buffer_drop(v, &v->send);
	net_unlock_all(v);
}

static const struct chan_ops chan_ops = {
	.open = net_open, .close = net_close, .gpadl_gone = net_gpadl_gone,
};

int net_queue_create(struct netvsp *v, unsigned int index)
{
	struct net_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->nic = v;
	q->chan.ops = &chan_ops;
	q->chan.index = index;
	q->free = q->now = q->batch_first = q->batch_last = NET_NO_SECTION;
	pthread_mutex_init(&q->lock, NULL);
	q->chan.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	v->queue[v->nr_queues++] = q;
	return q->chan.wake < 0 ? -errno : 0;
}

void net_queue_stop(struct net_queue *q)
{
	if (!q->started)
		return;
	thread_stop(q);
	thread_join(q);
}

void net_queue_release(struct net_queue *q)
{
	struct dev_services *ds = q->nic->dev.ds;

	if (q->chan.host)
		ds->ops->chan_remove(ds, &q->chan);
	if (q->chan.wake >= 0)
		close(q->chan.wake);
	pthread_mutex_destroy(&q->lock);
	free(q);
}
