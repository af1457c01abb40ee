// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The integration services against a guest made here, on real rings in plain memory: negotiation, beats,
 * time, shutdown, and answers that make no sense.
 */
#include <errno.h>
#include <hvguest/vsp_ic.h>
#include <stdlib.h>

#include "devices/chan.h"
#include "devices/ic.h"
#include "lib/unit.h"

#define RING_PAGES	5u
#define KINDS		3
#define S		1000000000ULL

struct port {
	struct chan	*c;
	uint8_t		*mem;
	struct hv_ring	out, in;	/* the guest's ends */
	unsigned int	signals, closed;
};

static struct port ports[KINDS];	/* shutdown, heartbeat, time: in the order they are offered */
static unsigned int nr_ports, nr_logged;
static uint64_t mono = 100 * S, wall;
static struct dev_timer *timers[KINDS];
static uint64_t when[KINDS];

static int f_arm(struct dev_services *ds, struct dev_timer *t, uint64_t at)
{
	int i;

	(void)ds;
	for (i = 0; timers[i] && timers[i] != t; i++)
		;
	timers[i] = t;
	when[i] = at;
	return 0;
}

static void f_cancel(struct dev_services *ds, struct dev_timer *t)
{
	(void)ds;
	for (int i = 0; i < KINDS; i++)
		if (timers[i] == t)
			when[i] = 0;
}

static uint64_t f_now(struct dev_services *ds)
{
	(void)ds;
	return mono;
}

static uint64_t f_wall(struct dev_services *ds)
{
	(void)ds;
	return wall;
}

static void __attribute__((format(printf, 3, 4)))
f_log(struct dev_services *ds, enum dev_log level, const char *fmt, ...)
{
	(void)ds, (void)level, (void)fmt;
	nr_logged++;
}

static int f_create(struct dev_services *ds, const struct chan_offer *offer, struct chan *c)
{
	(void)ds;
	CHECK(offer->pipe);
	ports[nr_ports].c = c;
	c->host = &ports[nr_ports++];
	return 0;
}

static void f_remove(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	c->host = NULL;
}

static void f_signal(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	((struct port *)c->host)->signals++;
}

static void f_closed(struct dev_services *ds, struct chan *c)
{
	(void)ds;
	((struct port *)c->host)->closed++;
}

static const struct dev_services_ops services_ops = {
	.timer_arm = f_arm, .timer_cancel = f_cancel, .timer_free = f_cancel, .now_ns = f_now,
	.wall_ns = f_wall, .log = f_log, .chan_create = f_create, .chan_remove = f_remove,
	.chan_signal = f_signal, .chan_closed = f_closed,
};
static struct dev_services services = { &services_ops };

static void pass(uint64_t ns)
{
	mono += ns;
	for (int i = 0; i < KINDS; i++) {
		if (!when[i] || when[i] > mono)
			continue;
		when[i] = 0;
		timers[i]->fire(timers[i]);
	}
}

static void chan_open(struct port *p)
{
	size_t half = RING_PAGES * 4096;

	p->mem = aligned_alloc(4096, 2 * half);
	memset(p->mem, 0, 2 * half);
	CHECK_EQ(hv_ring_consumer(&p->c->from_guest, p->mem, p->mem + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_producer(&p->c->to_guest, p->mem + half, p->mem + half + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_producer(&p->out, p->mem, p->mem + 4096, RING_PAGES), 0);
	CHECK_EQ(hv_ring_consumer(&p->in, p->mem + half, p->mem + half + 4096, RING_PAGES), 0);
	CHECK_EQ(p->c->ops->open(p->c), 0);
	/* Before the guest knows that the channel is open, it hears nothing. */
	CHECK_EQ(hv_ring_peek(&p->in, &(struct hv_ring_packet){ 0 }), -EAGAIN);
	p->c->ops->signal(p->c);
}

static void chan_close(struct port *p)
{
	p->c->ops->close(p->c);
	CHECK_EQ(p->closed, 1);
	p->closed = 0;
	free(p->mem);
}

/* The next message's bytes behind the pipe header, or a negative error. */
static int receive(struct port *p, void *buf, uint32_t room)
{
	uint8_t all[4096];
	struct hv_ring_packet pkt;
	const void *payload;
	int ret = hv_ring_peek(&p->in, &pkt), n;

	if (ret)
		return ret;
	CHECK_EQ(hv_ring_copy(&p->in, &pkt, pkt.header_bytes, all, hv_ring_payload(&pkt)), 0);
	hv_ring_next(&p->in, &pkt);
	hv_ring_release(&p->in);
	n = hv_ring_pipe_payload(all, hv_ring_payload(&pkt), &payload);
	CHECK(n > 0);
	memcpy(buf, payload, (uint32_t)n < room ? (uint32_t)n : room);
	return n;
}

static void answer(struct port *p, void *buf, uint32_t len)
{
	((struct vmb_ic_header *)buf)->flags = VMB_IC_F_TRANSACTION | VMB_IC_F_RESPONSE;
	CHECK_EQ(hv_ring_send_pipe(&p->out, 0, buf, len), 0);
	hv_ring_publish(&p->out);
	p->c->ops->signal(p->c);
}

/* Take the offered versions and choose @major of the message, or none. */
static void negotiate(struct port *p, uint16_t major)
{
	uint8_t buf[64];
	struct vmb_ic_negotiate n;

	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 8 + 16);
	memcpy(&n, buf + 20, sizeof(n));
	CHECK_EQ(((struct vmb_ic_header *)buf)->type, VMB_IC_NEGOTIATE);
	CHECK_EQ(((struct vmb_ic_header *)buf)->flags, VMB_IC_F_TRANSACTION | VMB_IC_F_REQUEST);
	CHECK_EQ(n.frameworks, 2);
	CHECK_EQ(n.messages, 2);
	CHECK_EQ(n.version[0].major, 3);
	CHECK_EQ(n.version[2].major, 3);
	n.frameworks = n.messages = major ? 1 : 0;
	n.version[1].major = major;
	memcpy(buf + 20, &n, sizeof(n));
	answer(p, buf, 20 + 16);
}

static void test_heartbeat(struct device *d)
{
	struct port *p = &ports[1];
	uint8_t buf[64];
	uint64_t sequence;

	CHECK_EQ(ic_health(d), IC_HEALTH_UNKNOWN);
	chan_open(p);
	negotiate(p, 3);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 40);
	memcpy(&sequence, buf + 20, 8);
	CHECK_EQ(ic_health(d), IC_HEALTH_UNKNOWN);
	answer(p, buf, 20 + 40);
	CHECK_EQ(ic_health(d), IC_HEALTH_OK);
	pass(2 * S);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 40);
	CHECK(memcmp(buf + 20, &sequence, 8));
	pass(2 * S);
	pass(2 * S);
	CHECK_EQ(ic_health(d), IC_HEALTH_LOST);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 40);
	answer(p, buf, 20 + 40);
	CHECK_EQ(ic_health(d), IC_HEALTH_OK);
	chan_close(p);
	CHECK_EQ(ic_health(d), IC_HEALTH_LOST);
	pass(10 * S);		/* no beat into a closed channel */
}

static void test_time(struct device *d)
{
	struct port *p = &ports[2];
	struct vmb_ic_timesync t;
	uint8_t buf[64];

	wall = 1000000000ULL * S;	/* 2001-09-09 */
	ic_time_now(d);			/* nobody there: nothing */
	chan_open(p);
	negotiate(p, 1);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 25);
	memcpy(&t, buf + 20, sizeof(t));
	CHECK_EQ(t.flags, VMB_IC_TIME_F_SYNC);
	CHECK_EQ(t.parent, 116444736000000000ULL + 1000000000ULL * 10000000);
	pass(5 * S);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 25);
	CHECK_EQ(buf[20 + 24], VMB_IC_TIME_F_SAMPLE);
	ic_time_now(d);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 25);
	CHECK_EQ(buf[20 + 24], VMB_IC_TIME_F_SYNC);
	chan_close(p);
}

static void test_shutdown(struct device *d)
{
	struct port *p = &ports[0];
	uint8_t buf[4096];
	uint32_t flags;

	CHECK_EQ(ic_shutdown(d, false), -ENOTCONN);
	chan_open(p);
	CHECK_EQ(ic_shutdown(d, false), -ENOTCONN);
	negotiate(p, 3);
	CHECK(ic_can_shutdown(d));
	CHECK_EQ(ic_shutdown(d, false), 0);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 2060);	/* less is ignored */
	CHECK_EQ(((struct vmb_ic_header *)buf)->type, VMB_IC_SHUTDOWN);
	CHECK_EQ(ic_shutdown(d, true), 0);
	CHECK_EQ(receive(p, buf, sizeof(buf)), 20 + 2060);
	memcpy(&flags, buf + 28, 4);
	CHECK_EQ(flags, VMB_IC_SHUTDOWN_F_RESTART);
	/* A guest that never reads: a full ring is an error, not a wait. */
	for (int i = 0; i < 20 && !ic_shutdown(d, false); i++)
		;
	CHECK_EQ(ic_shutdown(d, false), -EAGAIN);
	chan_close(p);
	CHECK(!ic_can_shutdown(d));
}

static void test_hostile(struct device *d)
{
	struct port *p = &ports[0];
	uint8_t buf[64] = { 0 };

	/* No version in common: left alone. */
	chan_open(p);
	negotiate(p, 0);
	CHECK(!ic_can_shutdown(d));
	chan_close(p);
	/* A version that was not offered. */
	chan_open(p);
	negotiate(p, 9);
	CHECK(!ic_can_shutdown(d));
	chan_close(p);
	/* Short answers, and one to nothing, are not looked at. */
	chan_open(p);
	answer(p, buf, 4);
	answer(p, buf, 20);
	CHECK(!ic_can_shutdown(d));
	chan_close(p);
	/* A ring that makes no sense. */
	chan_open(p);
	p->out.header->write_index = 12345;
	p->c->ops->signal(p->c);
	CHECK(!ic_can_shutdown(d));
	chan_close(p);
	chan_open(p);
	negotiate(p, 3);
	CHECK(ic_can_shutdown(d));
	chan_close(p);
}

int main(void)
{
	struct device *d;

	CHECK_EQ(ic_create(&d, &services), 0);
	CHECK_EQ(nr_ports, KINDS);
	test_heartbeat(d);
	test_time(d);
	test_shutdown(d);
	test_hostile(d);
	CHECK_EQ(nr_logged, 0);
	d->ops->release(d);
	return unit_done();
}
