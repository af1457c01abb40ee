/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ic_port.h - the machine and the guest around integration services under test: channels are real rings in plain
 * memory, time passes when the test says so. Ports are in the order in which channels are offered.
 */
#ifndef HV_UNIT_IC_PORT_H
#define HV_UNIT_IC_PORT_H

#include <errno.h>
#include <hvguest/vsp_ic.h>
#include <stdlib.h>

#include "devices/chan.h"
#include "devices/dev_services.h"
#include "unit.h"

#define RING_PAGES	5u
#define PORTS		3
#define S		1000000000ULL

struct port {
	struct chan	*c;
	uint8_t		*mem;
	struct hv_ring	out, in;	/* the guest's ends */
	unsigned int	signals, closed;
};

static struct port ports[PORTS];
static unsigned int nr_ports, nr_logged;
static uint64_t mono = 100 * S, wall;
static struct dev_timer *timers[PORTS];
static uint64_t when[PORTS];

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
	for (int i = 0; i < PORTS; i++)
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
	for (int i = 0; i < PORTS; i++) {
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
	static uint8_t all[RING_PAGES * 4096];
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

#endif
