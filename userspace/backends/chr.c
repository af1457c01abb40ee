// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A console: one ring of output, readers with a position in it, one of them feeding the guest.
 *
 * Output positions count bytes since creation. A reader that falls more than a ring behind jumps to
 * the oldest byte still there. Output is flushed at once at the end of a line and otherwise 2 ms later, so
 * that a guest writing byte by byte costs one system call a line.
 *
 * c->lock protects ring and readers. It nests inside the device's lock (chr_write), so the sink is
 * called without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "vmm/loop.h"
#include "chr.h"

#define FLUSH_NS	2000000ULL
#define FLUSH_BYTES	1024
#define INPUT_BYTES	256

struct reader {
	struct loop_source	src;		/* fd -1: slot free */
	struct chr		*chr;
	int			out;
	unsigned int		flags;
	bool			pollable;	/* false: a regular file, read without waiting */
	bool			polled;		/* in the epoll set now */
	bool			full;		/* output descriptor said EAGAIN */
	bool			broken;		/* to be detached by the loop thread */
	uint64_t		pos;
};

struct chr {
	struct loop		*loop;
	pthread_mutex_t		lock;
	struct chr_sink		sink;		/* loop thread */
	chr_filter_fn		filter;
	void			*filter_arg;
	struct loop_timer	flush_timer;
	struct loop_work	pump_work;
	uint64_t		head;		/* bytes written since creation */
	uint64_t		flushed;	/* all readers were offered output up to here */
	struct reader		reader[CHR_READERS];
	struct reader		*writer;	/* the reader that feeds the guest */
	uint8_t			input[INPUT_BYTES];	/* loop thread */
	size_t			input_pos, input_len;
	uint8_t			*ring;
};

static uint64_t ring_oldest(const struct chr *c)
{
	return c->head > CHR_RING ? c->head - CHR_RING : 0;
}

/* Offer @r everything new; lock held. */
static void reader_flush(struct reader *r)
{
	struct chr *c = r->chr;

	while (r->pos < c->head && !r->broken) {
		size_t at, len;
		ssize_t n;

		if (r->pos < ring_oldest(c))
			r->pos = ring_oldest(c);
		at = r->pos % CHR_RING;
		len = c->head - r->pos < CHR_RING - at ? c->head - r->pos : CHR_RING - at;
		n = write(r->out, c->ring + at, len);
		if (n > 0) {
			r->pos += n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			r->full = true;
		else
			r->broken = true;
		break;
	}
}

static void readers_flush(struct chr *c)
{
	bool attention = false;
	int i;

	c->flushed = c->head;
	for (i = 0; i < CHR_READERS; i++) {
		struct reader *r = &c->reader[i];

		if (r->src.fd < 0 || r->full)
			continue;
		reader_flush(r);
		attention |= r->full || r->broken;
	}
	if (attention)
		loop_call(c->loop, &c->pump_work);
}

static void flush_fire(struct loop_timer *t)
{
	struct chr *c = (struct chr *)((char *)t - offsetof(struct chr, flush_timer));

	pthread_mutex_lock(&c->lock);
	readers_flush(c);
	pthread_mutex_unlock(&c->lock);
}

void chr_write(struct chr *c, const uint8_t *buf, size_t len)
{
	bool line = false, first;
	size_t i;

	pthread_mutex_lock(&c->lock);
	first = c->flushed == c->head;
	for (i = 0; i < len; i++) {
		c->ring[c->head++ % CHR_RING] = buf[i];
		line |= buf[i] == '\n';
	}
	if (line || c->head - c->flushed >= FLUSH_BYTES)
		readers_flush(c);
	else if (first)
		loop_timer_arm(c->loop, &c->flush_timer, loop_now() + FLUSH_NS);
	pthread_mutex_unlock(&c->lock);
}

/*
 * Wait for input, and for room when the output was full. A reader that waits for neither leaves the
 * epoll set: a hang-up cannot be masked, and input still in a closed pipe must not be lost.
 */
static void reader_events_set(struct reader *r, bool want_input)
{
	uint32_t events = (want_input ? EPOLLIN : 0) |
			  (r->full && r->out == r->src.fd ? EPOLLOUT : 0);
	struct loop *loop = r->chr->loop;

	if (!r->pollable)
		return;
	if (!events) {
		if (r->polled)
			loop_del(loop, &r->src);
		r->polled = false;
	} else if (r->polled) {
		loop_set(loop, &r->src, events);
	} else {
		r->src.events = events;
		r->polled = !loop_add(loop, &r->src);
	}
}

/* Loop thread, lock held. */
static void reader_detach(struct reader *r)
{
	struct chr *c = r->chr;

	if (r->polled)
		loop_del(c->loop, &r->src);
	if (!(r->flags & CHR_ATTACH_KEEP)) {
		close(r->src.fd);
		if (r->out != r->src.fd)
			close(r->out);
	}
	if (c->writer == r) {
		c->writer = NULL;
		c->input_len = c->input_pos = 0;
	}
	r->src.fd = -1;
	r->polled = false;
}

/* Hand waiting input to the sink. Return: true when the sink took all of it. */
static bool input_push(struct chr *c)
{
	if (c->input_pos < c->input_len && c->sink.input)
		c->input_pos += c->sink.input(c->sink.arg, c->input + c->input_pos,
					      c->input_len - c->input_pos);
	return c->input_pos == c->input_len;
}

/* Read from the writer and keep what the filter leaves. Return: bytes read, 0 at the end, <0 later. */
static ssize_t input_read(struct chr *c, struct reader *r)
{
	uint8_t buf[INPUT_BYTES];
	ssize_t n = read(r->src.fd, buf, sizeof(buf)), i;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -1 : 0;
	if (c->writer != r)
		return n;	/* a read-only reader: its input is dropped */
	c->input_pos = c->input_len = 0;
	for (i = 0; i < n; i++)
		if (!c->filter || !c->filter(c->filter_arg, buf[i]))
			c->input[c->input_len++] = buf[i];
	return n;
}

/* Input is over: a reader with an output of its own goes on reading, another one is gone. */
static void input_ended(struct reader *r)
{
	struct chr *c = r->chr;

	pthread_mutex_lock(&c->lock);
	if (r->out != r->src.fd) {
		if (r->polled)
			loop_del(c->loop, &r->src);
		r->polled = r->pollable = false;
		r->flags |= CHR_ATTACH_READONLY;
		if (c->writer == r)
			c->writer = NULL;
	} else {
		reader_detach(r);
	}
	pthread_mutex_unlock(&c->lock);
}

static void reader_ready(struct loop_source *src, uint32_t events)
{
	struct reader *r = (struct reader *)((char *)src - offsetof(struct reader, src));
	struct chr *c = r->chr;

	if (events & EPOLLOUT) {
		pthread_mutex_lock(&c->lock);
		r->full = false;
		reader_flush(r);
		reader_events_set(r, true);
		pthread_mutex_unlock(&c->lock);
	}
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	if (c->writer == r && !input_push(c)) {
		if (r->full && (events & (EPOLLHUP | EPOLLERR)))
			input_ended(r);
		else
			reader_events_set(r, false);	/* until chr_input_ready() */
		return;
	}
	if (input_read(c, r) == 0)
		input_ended(r);
	else if (c->writer == r && !input_push(c))
		reader_events_set(r, false);
}

/* Runs in the loop thread after chr_input_ready() and after a reader ran full or broke. */
static void pump_run(struct loop_work *w)
{
	struct chr *c = (struct chr *)((char *)w - offsetof(struct chr, pump_work));
	struct reader *r;
	int i;

	pthread_mutex_lock(&c->lock);
	for (i = 0; i < CHR_READERS; i++) {
		if (c->reader[i].src.fd >= 0 && c->reader[i].broken)
			reader_detach(&c->reader[i]);
		else if (c->reader[i].src.fd >= 0 && c->reader[i].full)
			reader_events_set(&c->reader[i], true);
	}
	pthread_mutex_unlock(&c->lock);
	r = c->writer;
	if (!r || !input_push(c))
		return;
	if (r->pollable) {
		reader_events_set(r, true);
		return;
	}
	/* A regular file: always readable, so read on until the sink is full. */
	while (c->writer == r && input_push(c)) {
		if (input_read(c, r) <= 0) {
			input_ended(r);
			return;
		}
	}
}

void chr_input_ready(struct chr *c)
{
	loop_call(c->loop, &c->pump_work);
}

void chr_sink_set(struct chr *c, const struct chr_sink *sink)
{
	c->sink = sink ? *sink : (struct chr_sink){ 0 };
}

void chr_filter_set(struct chr *c, chr_filter_fn fn, void *arg)
{
	c->filter = fn;
	c->filter_arg = arg;
}

static struct reader *reader_slot(struct chr *c)
{
	int i;

	for (i = 0; i < CHR_READERS; i++)
		if (c->reader[i].src.fd < 0)
			return &c->reader[i];
	return NULL;
}

int chr_attach(struct chr *c, int fd, int out, unsigned int flags)
{
	struct reader *r;
	int ret = 0;

	pthread_mutex_lock(&c->lock);
	if (!(flags & CHR_ATTACH_READONLY) && c->writer) {
		if (!(flags & CHR_ATTACH_FORCE)) {
			ret = -EBUSY;
			goto out;
		}
		reader_detach(c->writer);
	}
	r = reader_slot(c);
	if (!r) {
		ret = -ENOSPC;
		goto out;
	}
	if (!(flags & CHR_ATTACH_KEEP))
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	*r = (struct reader){
		.src = { .fd = fd, .events = EPOLLIN, .ready = reader_ready },
		.chr = c, .out = out >= 0 ? out : fd, .flags = flags,
		.pos = flags & CHR_ATTACH_REPLAY ? ring_oldest(c) : c->head,
	};
	ret = loop_add(c->loop, &r->src);
	r->polled = r->pollable = !ret;
	if (ret && ret != -EPERM) {	/* EPERM: a regular file, read without polling */
		r->src.fd = -1;
		goto out;
	}
	ret = 0;
	if (!(flags & CHR_ATTACH_READONLY))
		c->writer = r;
	reader_flush(r);
	if (!r->pollable || r->full || r->broken)
		loop_call(c->loop, &c->pump_work);
out:
	pthread_mutex_unlock(&c->lock);
	return ret;
}

size_t chr_ring_copy(struct chr *c, uint8_t *buf, size_t len)
{
	uint64_t pos;
	size_t i;

	pthread_mutex_lock(&c->lock);
	pos = c->head - ring_oldest(c) > len ? c->head - len : ring_oldest(c);
	for (i = 0; pos < c->head; i++)
		buf[i] = c->ring[pos++ % CHR_RING];
	pthread_mutex_unlock(&c->lock);
	return i;
}

int chr_create(struct chr **out, struct loop *loop)
{
	struct chr *c = calloc(1, sizeof(*c));
	int i;

	if (!c)
		return -ENOMEM;
	c->ring = malloc(CHR_RING);	/* not calloc(), which would touch every page of it */
	if (!c->ring) {
		free(c);
		return -ENOMEM;
	}
	c->loop = loop;
	pthread_mutex_init(&c->lock, NULL);
	c->flush_timer.fire = flush_fire;
	c->pump_work.run = pump_run;
	for (i = 0; i < CHR_READERS; i++)
		c->reader[i].src.fd = -1;
	*out = c;
	return 0;
}

void chr_release(struct chr *c)
{
	int i;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	readers_flush(c);
	for (i = 0; i < CHR_READERS; i++)
		if (c->reader[i].src.fd >= 0)
			reader_detach(&c->reader[i]);
	pthread_mutex_unlock(&c->lock);
	loop_timer_cancel(c->loop, &c->flush_timer);
	pthread_mutex_destroy(&c->lock);
	free(c->ring);
	free(c);
}
