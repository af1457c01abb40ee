// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The network adapter's record: what it agreed upon with the guest's driver, the sections that the guest has not
 * given back, frames and answers that wait for room. What is not said to be in use is free.
 *
 * A loaded adapter takes its buffers when the bus tells that the channel is open, see net_saved_open(); a driver
 * that opens it anew finds nothing of all this.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netvsp_impl.h"

static struct netvsp *of_device(struct device *d)
{
	return dev_container(d, struct netvsp, dev);
}

void netvsp_go_on(struct device *d)
{
	struct netvsp *v = of_device(d);

	net_lock_all(v);
	for (unsigned int i = 0; i < v->nr_queues; i++)
		if (atomic_load(&v->queue[i]->is_open))
			v->queue[i]->quiet = false;
	net_unlock_all(v);
	for (unsigned int i = 0; i < v->nr_queues; i++)
		net_queue_kick(v->queue[i]);
}

/* ---- saving ---- */

static unsigned int share_of(const struct netvsp *v)
{
	return v->recv.sections / v->nr_queues;
}

/* Chains that the guest has: a count, then each with its length. */
static void chains_save(const struct netvsp *v, unsigned int queue, struct fields_out *out)
{
	unsigned int share = v->section ? share_of(v) : 0, s, n = 0;
	uint16_t at, len;

	for (s = queue * share; s < (queue + 1) * share; s++)
		n += v->section[s].state == NET_SECTION_GUEST;
	fields_put_u16(out, (uint16_t)n);
	for (s = queue * share; s < (queue + 1) * share; s++) {
		if (v->section[s].state != NET_SECTION_GUEST)
			continue;
		for (len = 0, at = (uint16_t)s; at != NET_NO_SECTION; at = v->section[at].next)
			len++;
		fields_put_u16(out, len);
		for (at = (uint16_t)s; at != NET_NO_SECTION; at = v->section[at].next)
			fields_put_u16(out, at);
	}
}

/* Frames that stand in sections and wait for room in the ring. */
static void batch_save(const struct net_queue *q, struct fields_out *out)
{
	uint16_t at = q->batch_first;

	fields_put_u16(out, (uint16_t)q->batched);
	for (unsigned int i = 0; i < q->batched; i++, at = q->nic->section[at].next) {
		fields_put_u16(out, at);
		fields_put_u32(out, q->batch[i].bytes);
	}
}

static void queue_save(const struct net_queue *q, struct fields_out *out)
{
	struct dev_services *ds = q->nic->dev.ds;

	fields_put_u8(out, q->chan.index && ds->ops->chan_offered(ds, (struct chan *)&q->chan));
	chains_save(q->nic, q->chan.index, out);
	batch_save(q, out);
	fields_put_u8(out, (uint8_t)q->replies);
	for (unsigned int i = 0; i < q->replies; i++) {
		fields_put_u16(out, (uint16_t)q->reply[i].bytes);
		fields_put(out, q->reply[i].message, q->reply[i].bytes);
	}
	fields_put_u8(out, NETVSP_NR_COUNTERS);
	for (unsigned int i = 0; i < NETVSP_NR_COUNTERS; i++)
		fields_put_u64(out, atomic_load(&q->count.c[i]));
}

static void buffer_save(const struct net_buffer *b, struct fields_out *out)
{
	bool there = b->gpadl.pfns;

	fields_put_u32(out, there ? b->handle : 0);
	fields_put_u32(out, there ? b->section_bytes : 0);
	fields_put_u32(out, there ? b->sections : 0);
}

static void netvsp_save(struct device *d, struct fields_out *out)
{
	struct netvsp *v = of_device(d);

	net_lock_all(v);
	fields_put_u8(out, (uint8_t)atomic_load(&v->state));
	fields_put_u32(out, v->version);
	fields_put_u32(out, v->frame_max);
	fields_put_u32(out, atomic_load(&v->filter));
	fields_put(out, v->cfg.mac, sizeof(v->cfg.mac));
	fields_put(out, v->mac, sizeof(v->mac));
	fields_put_u8(out, v->rsc);
	/* A backend that has gone will be there again. */
	fields_put_u8(out, atomic_load(&v->up) || atomic_load(&v->gone));
	fields_put_u8(out, atomic_load(&v->queue[0]->tell_link) || atomic_load(&v->gone));
	buffer_save(&v->recv, out);
	buffer_save(&v->send, out);
	fields_put_u8(out, (uint8_t)v->nr_queues);
	for (unsigned int i = 0; i < v->nr_queues; i++)
		queue_save(v->queue[i], out);
	net_unlock_all(v);
}

/* ---- loading ---- */

/* Take @s, which must be free and the queue's own, out of the free ones. */
static int section_claim(struct netvsp *v, unsigned int queue, uint16_t s, uint8_t state)
{
	if (!v->section || s / share_of(v) != queue || v->section[s].state != NET_SECTION_FREE)
		return -EINVAL;
	v->section[s].state = state;
	v->section[s].next = NET_NO_SECTION;
	return 0;
}

static int chains_load(struct netvsp *v, unsigned int queue, struct fields_in *in)
{
	unsigned int n = fields_get_u16(in), len;
	uint16_t s, last;

	while (n--) {
		len = fields_get_u16(in);
		last = fields_get_u16(in);
		if (!len || section_claim(v, queue, last, NET_SECTION_GUEST))
			return -EINVAL;
		for (; --len; last = s) {
			s = fields_get_u16(in);
			if (section_claim(v, queue, s, NET_SECTION_OURS))
				return -EINVAL;
			v->section[last].next = s;
		}
	}
	return 0;
}

static int batch_load(struct net_queue *q, struct fields_in *in)
{
	unsigned int n = fields_get_u16(in);
	struct netvsp *v = q->nic;
	uint32_t bytes;
	uint16_t s;

	if (n > NET_RX_BATCH)
		return -EINVAL;
	q->batch_first = q->batch_last = NET_NO_SECTION;
	for (q->batched = 0; q->batched < n; q->batched++) {
		s = fields_get_u16(in);
		bytes = fields_get_u32(in);
		if (section_claim(v, q->chan.index, s, NET_SECTION_OURS) || bytes > v->recv.section_bytes)
			return -EINVAL;
		q->batch[q->batched] = (struct vmb_transfer_range){
			.bytes = bytes, .offset = s * v->recv.section_bytes,
		};
		if (q->batched)
			v->section[q->batch_last].next = s;
		else
			q->batch_first = s;
		q->batch_last = s;
	}
	return 0;
}

static void free_link(struct net_queue *q)
{
	struct netvsp *v = q->nic;
	unsigned int share = v->section ? share_of(v) : 0, first = q->chan.index * share;

	q->free = NET_NO_SECTION;
	for (unsigned int s = first + share; s-- > first;) {
		if (v->section[s].state != NET_SECTION_FREE)
			continue;
		v->section[s].next = q->free;
		q->free = (uint16_t)s;
	}
}

static int queue_load(struct net_queue *q, struct fields_in *in)
{
	struct netvsp *v = q->nic;
	bool offered = fields_get_bool(in);
	unsigned int n;
	uint64_t count;

	if (offered && q->chan.index)
		v->dev.ds->ops->chan_sub_create(v->dev.ds, &v->queue[0]->chan, &q->chan);
	if (chains_load(v, q->chan.index, in) || batch_load(q, in))
		return -EINVAL;
	free_link(q);
	n = fields_get_u8(in);
	if (n > NET_REPLIES || (n && q->chan.index))
		return -EINVAL;
	for (q->replies = 0; q->replies < n; q->replies++) {
		struct net_reply *r = &q->reply[q->replies];

		r->bytes = fields_get_u16(in);
		if (r->bytes > NET_REPLY_MAX)
			return -EINVAL;
		fields_get(in, r->message, r->bytes);
	}
	n = fields_get_u8(in);
	for (unsigned int i = 0; i < n; i++) {
		count = fields_get_u64(in);
		if (i < NETVSP_NR_COUNTERS)
			atomic_store(&q->count.c[i], count);
	}
	return 0;
}

static void buffer_load(struct net_buffer *b, struct fields_in *in)
{
	b->handle = fields_get_u32(in);
	b->section_bytes = fields_get_u32(in);
	b->sections = fields_get_u32(in);
}

/* The sizes of both buffers as recv_buf() and send_buf() choose them. */
static bool buffers_make_sense(const struct netvsp *v)
{
	const struct net_buffer *r = &v->recv, *s = &v->send;

	return (!r->sections || (r->sections >= v->nr_queues && r->sections <= NET_RECV_PAGES_MAX &&
				 r->section_bytes == net_recv_section_bytes(v))) &&
	       (!s->sections || (s->sections <= NET_RECV_PAGES_MAX && s->section_bytes == NET_SEND_SECTION));
}

static int netvsp_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct netvsp *v = of_device(d);
	unsigned int state = fields_get_u8(in), i;
	int ret = 0;

	(void)version;
	v->version = fields_get_u32(in);
	v->frame_max = fields_get_u32(in);
	atomic_store(&v->filter, fields_get_u32(in));
	fields_get(in, v->cfg.mac, sizeof(v->cfg.mac));
	fields_get(in, v->mac, sizeof(v->mac));
	v->rsc = fields_get_bool(in);
	atomic_store(&v->up, fields_get_bool(in));
	atomic_store(&v->queue[0]->tell_link, fields_get_bool(in));
	buffer_load(&v->recv, in);
	buffer_load(&v->send, in);
	if (state >= NET_STATES || v->frame_max < NET_FRAME_MIN || v->frame_max > NET_MTU_MAX + NET_FRAME_MIN ||
	    v->cfg.mac[0] & 1 || v->mac[0] & 1 || !buffers_make_sense(v) || fields_get_u8(in) != v->nr_queues)
		return -EINVAL;
	v->state_saved = state == NET_CLOSED ? NET_OPENED : (enum net_state)state;
	if (v->recv.sections) {
		v->section = calloc(v->recv.sections, sizeof(*v->section));
		if (!v->section)
			return -ENOMEM;
	}
	for (i = 0; i < v->nr_queues && !ret; i++)
		ret = queue_load(v->queue[i], in);
	return ret;
}

const struct dev_record netvsp_record = { DEV_REC_NETVSP, 1, netvsp_save, netvsp_load };

/* ---- where it goes on ---- */

/* One that the guest takes back at this moment has ended with the machine before. */
static int buffer_again(struct netvsp *v, struct net_buffer *b)
{
	struct dev_services *ds = v->dev.ds;
	int ret;

	if (!b->sections)
		return 0;
	ret = ds->ops->chan_gpadl_get(ds, &v->queue[0]->chan, b->handle, &b->gpadl);
	if (ret == -ENOENT) {
		net_buffer_drop(v, b);
		return 0;
	}
	if (!ret && (b->gpadl.offset || (uint64_t)b->sections * b->section_bytes > b->gpadl.bytes ||
		     b->gpadl.bytes > (uint64_t)b->gpadl.npages * VMB_PAGE))
		ret = -EINVAL;
	return ret;
}

int net_saved_open(struct netvsp *v)
{
	int ret, state;

	net_lock_all(v);
	ret = buffer_again(v, &v->recv);
	if (!ret)
		ret = buffer_again(v, &v->send);
	for (unsigned int i = 0; i < v->nr_queues && !ret; i++)
		v->queue[i]->section = v->section;
	if (ret)
		net_forget(v);
	net_unlock_all(v);
	net_state_set(v, NET_CLOSED);
	for (state = NET_OPENED; state <= (int)v->state_saved && !ret; state++)
		net_state_set(v, (enum net_state)state);
	return ret;
}
