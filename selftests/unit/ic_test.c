// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The integration services against a guest made here, on real rings in plain memory: negotiation, beats,
 * time, shutdown, and answers that make no sense.
 */
#include "devices/ic.h"
#include "lib/ic_port.h"

#define KINDS 3		/* ports: shutdown, heartbeat, time */

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
