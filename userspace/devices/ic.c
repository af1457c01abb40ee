// SPDX-License-Identifier: GPL-2.0-or-later
/* The integration services: one table, one small protocol. */
#include <errno.h>
#include <hvguest/vsp_ic.h>
#include <stdlib.h>
#include <string.h>

#include "chan.h"
#include "ic.h"
#include "ic_link.h"

#define SECOND		1000000000ULL
#define BEAT_EVERY	(2 * SECOND)
#define BEAT_LOST	(3 * BEAT_EVERY)	/* without an answer that long */
#define SAMPLE_EVERY	(5 * SECOND)
#define EPOCH_1601	116444736000000000ULL	/* 100 ns from 1601 to 1970 */

enum ic_kind { IC_SHUTDOWN, IC_HEARTBEAT, IC_TIMESYNC, IC_KINDS };

enum ic_state {
	IC_CLOSED,
	IC_OPENED,		/* the guest is being told that it may; it hears nothing yet */
	IC_NEGOTIATING,		/* versions were sent, the answer is to come */
	IC_READY,
	IC_REFUSED,		/* no version in common, or nonsense: left alone until it is opened anew */
	IC_STATES
};

/* Which state follows which. */
static const uint8_t edges[IC_STATES] = {
	[IC_CLOSED] = 1 << IC_OPENED,
	[IC_OPENED] = 1 << IC_NEGOTIATING | 1 << IC_CLOSED,
	[IC_NEGOTIATING] = 1 << IC_READY | 1 << IC_REFUSED | 1 << IC_CLOSED,
	[IC_READY] = 1 << IC_REFUSED | 1 << IC_CLOSED,
	[IC_REFUSED] = 1 << IC_CLOSED,
};

struct ic;

struct service {
	struct chan		chan;		/* first */
	struct ic		*ic;
	enum ic_kind		kind;
	enum ic_state		state;
	struct ic_link		link;
	struct dev_timer	timer;
	uint64_t		sequence, answered;	/* heartbeat: sent; time of the last answer */
	bool			synced;		/* timesync: the time was sent once */
	enum ic_state		saved;		/* loaded: in effect when the channel is restored */
};

struct ic {
	struct device		dev;		/* first */
	bool			drained;	/* rings are left alone; loop thread */
	struct service		service[IC_KINDS];
};

static void ready_heartbeat(struct service *s);
static void ready_time(struct service *s);
static void answer_heartbeat(struct service *s, uint32_t bytes);

static const struct {
	uint8_t			class[16], instance[16];
	uint16_t		type;		/* enum vmb_ic_type */
	uint16_t		major[2];	/* message versions offered, newest first */
	void			(*ready)(struct service *s);	/* and when its timer fires */
	uint64_t		every;		/* ns between two times */
	void			(*answer)(struct service *s, uint32_t bytes);
} kinds[IC_KINDS] = {
	[IC_SHUTDOWN] = { VMB_IC_SHUTDOWN_CLASS, "hv ic shutdown", VMB_IC_SHUTDOWN, { 3, 1 }, NULL, 0, NULL },
	[IC_HEARTBEAT] = { VMB_IC_HEARTBEAT_CLASS, "hv ic heartbeat", VMB_IC_HEARTBEAT, { 3, 1 },
			   ready_heartbeat, BEAT_EVERY, answer_heartbeat },
	[IC_TIMESYNC] = { VMB_IC_TIMESYNC_CLASS, "hv ic time", VMB_IC_TIMESYNC, { 3, 1 }, ready_time,
			  SAMPLE_EVERY, NULL },
};

static struct dev_services *services_of(struct service *s)
{
	return s->ic->dev.ds;
}

static void state_set(struct service *s, enum ic_state to)
{
	struct dev_services *ds = services_of(s);

	if (s->state == to)
		return;
	if (!(edges[s->state] >> to & 1)) {
		ds->ops->log(ds, DEV_LOG_ERROR, "ic: state %d does not follow %d", to, s->state);
		return;
	}
	s->state = to;
}

/* Send @body of @bytes. -EAGAIN: the guest has not read the last ones. */
static int send(struct service *s, uint16_t type, const void *body, uint16_t bytes)
{
	return ic_link_send(&s->link, services_of(s), &s->chan, type, body, bytes);
}

static void negotiate(struct service *s)
{
	state_set(s, IC_NEGOTIATING);
	if (ic_link_offer(&s->link, services_of(s), &s->chan, kinds[s->kind].major))
		state_set(s, IC_REFUSED);
}

static void negotiated(struct service *s, const void *body, uint32_t bytes)
{
	if (s->state != IC_NEGOTIATING)
		return;
	if (ic_link_chosen(&s->link, body, bytes, kinds[s->kind].major)) {
		state_set(s, IC_REFUSED);
		return;
	}
	state_set(s, IC_READY);
	if (kinds[s->kind].ready)
		kinds[s->kind].ready(s);
}

/* ---- heartbeat ---- */

static void ready_heartbeat(struct service *s)
{
	struct dev_services *ds = services_of(s);
	const struct vmb_ic_heartbeat m = { .sequence = s->sequence };

	/* A guest that does not read finds the last ones when it does. */
	if (!send(s, VMB_IC_HEARTBEAT, &m, sizeof(m)))
		s->sequence += 2;
	ds->ops->timer_arm(ds, &s->timer, ds->ops->now_ns(ds) + BEAT_EVERY);
}

static void answer_heartbeat(struct service *s, uint32_t bytes)
{
	if (bytes >= 8)
		s->answered = services_of(s)->ops->now_ns(services_of(s));
}

/* ---- time ---- */

static void send_time(struct service *s, uint8_t flags)
{
	struct dev_services *ds = services_of(s);
	const struct vmb_ic_timesync m = {
		.parent = ds->ops->wall_ns(ds) / 100 + EPOCH_1601, .flags = flags,
	};

	if (!send(s, VMB_IC_TIMESYNC, &m, sizeof(m)) && flags == VMB_IC_TIME_F_SYNC)
		s->synced = true;
}

static void ready_time(struct service *s)
{
	struct dev_services *ds = services_of(s);

	send_time(s, s->synced ? VMB_IC_TIME_F_SAMPLE : VMB_IC_TIME_F_SYNC);
	ds->ops->timer_arm(ds, &s->timer, ds->ops->now_ns(ds) + SAMPLE_EVERY);
}

/* ---- the channel ---- */

static void timer_fired(struct dev_timer *t)
{
	struct service *s = dev_container(t, struct service, timer);

	if (s->state == IC_READY && !s->ic->drained)
		kinds[s->kind].ready(s);
}

static int service_open(struct chan *c)
{
	struct service *s = dev_container(c, struct service, chan);
	struct dev_services *ds = services_of(s);

	if (c->restored && s->saved != IC_CLOSED) {
		s->state = s->saved;
		if (s->state == IC_READY && kinds[s->kind].every)
			ds->ops->timer_arm(ds, &s->timer, ds->ops->now_ns(ds) + kinds[s->kind].every);
		return 0;
	}
	s->synced = false;
	s->answered = 0;
	state_set(s, IC_OPENED);
	return 0;
}

static void service_close(struct chan *c)
{
	struct service *s = dev_container(c, struct service, chan);
	struct dev_services *ds = services_of(s);

	ds->ops->timer_cancel(ds, &s->timer);
	state_set(s, IC_CLOSED);
	ds->ops->chan_closed(ds, c);
}

static void service_answer(void *arg, const struct vmb_ic_header *head, const void *body, uint32_t bytes)
{
	struct service *s = arg;

	if (head->type == VMB_IC_NEGOTIATE)
		negotiated(s, body, bytes);
	else if (s->state == IC_READY && head->type == kinds[s->kind].type && kinds[s->kind].answer)
		kinds[s->kind].answer(s, bytes);
}

static void service_signal(struct chan *c)
{
	struct service *s = dev_container(c, struct service, chan);
	uint8_t buf[IC_LINK_HEAD + sizeof(struct vmb_ic_shutdown) + 8];

	if (s->state == IC_CLOSED || s->ic->drained)
		return;
	if (s->state == IC_OPENED)
		negotiate(s);
	if (ic_link_take(services_of(s), c, buf, sizeof(buf), service_answer, s))
		state_set(s, IC_REFUSED);
}

static const struct chan_ops chan_ops = {
	.open = service_open, .close = service_close, .signal = service_signal,
};

/* ---- the device ---- */

static struct ic *of_device(struct device *d)
{
	return dev_container(d, struct ic, dev);
}

int ic_shutdown(struct device *d, bool restart)
{
	struct service *s = &of_device(d)->service[IC_SHUTDOWN];
	struct vmb_ic_shutdown m = { .flags = restart ? VMB_IC_SHUTDOWN_F_RESTART : 0 };

	if (s->state != IC_READY)
		return -ENOTCONN;
	strcpy((char *)m.text, "asked by the operator");
	return send(s, VMB_IC_SHUTDOWN, &m, sizeof(m));
}

bool ic_can_shutdown(struct device *d)
{
	return of_device(d)->service[IC_SHUTDOWN].state == IC_READY;
}

void ic_time_now(struct device *d)
{
	struct service *s = &of_device(d)->service[IC_TIMESYNC];

	if (s->state == IC_READY)
		send_time(s, VMB_IC_TIME_F_SYNC);
}

enum ic_health ic_health(struct device *d)
{
	struct service *s = &of_device(d)->service[IC_HEARTBEAT];

	if (!s->answered)
		return IC_HEALTH_UNKNOWN;
	return s->state == IC_READY && d->ds->ops->now_ns(d->ds) - s->answered < BEAT_LOST ?
	       IC_HEALTH_OK : IC_HEALTH_LOST;
}

const char *ic_health_name(enum ic_health h)
{
	static const char *const names[] = {
		[IC_HEALTH_UNKNOWN] = "unknown", [IC_HEALTH_OK] = "ok", [IC_HEALTH_LOST] = "lost",
	};

	return names[h];
}

/* Its channels are closed by the bus. */
static void ic_reset(struct device *d)
{
	of_device(d)->drained = false;
}

static void ic_drain(struct device *d)
{
	of_device(d)->drained = true;
}

/* Signals and times that came meanwhile. */
static void ic_go_on(struct device *d)
{
	struct ic *ic = of_device(d);

	ic->drained = false;
	for (unsigned int i = 0; i < IC_KINDS; i++) {
		struct service *s = &ic->service[i];

		if (s->state == IC_READY && kinds[i].every)
			d->ds->ops->timer_arm(d->ds, &s->timer, d->ds->ops->now_ns(d->ds) + kinds[i].every);
		service_signal(&s->chan);
	}
}

static void ic_save(struct device *d, struct fields_out *out)
{
	const struct ic *ic = of_device(d);

	fields_put_u8(out, IC_KINDS);
	for (unsigned int i = 0; i < IC_KINDS; i++) {
		const struct service *s = &ic->service[i];

		fields_put_u8(out, (uint8_t)s->state);
		ic_link_save(&s->link, out);
		fields_put_u64(out, s->sequence);
		fields_put_u8(out, s->link.transaction);
		fields_put_u8(out, s->answered != 0);
		fields_put_u8(out, s->synced);
	}
}

static int ic_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct ic *ic = of_device(d);
	unsigned int state;

	(void)version;
	if (fields_get_u8(in) != IC_KINDS)
		return -EINVAL;
	for (unsigned int i = 0; i < IC_KINDS; i++) {
		struct service *s = &ic->service[i];

		state = fields_get_u8(in);
		if (state >= IC_STATES)
			return -EINVAL;
		s->saved = (enum ic_state)state;
		ic_link_load(&s->link, in);
		s->sequence = fields_get_u64(in);
		s->link.transaction = fields_get_u8(in);
		s->answered = fields_get_bool(in) ? d->ds->ops->now_ns(d->ds) : 0;
		s->synced = fields_get_bool(in);
	}
	return 0;
}

static const struct dev_record ic_record = { DEV_REC_IC, 1, ic_save, ic_load };

static void ic_release(struct device *d)
{
	struct ic *ic = of_device(d);

	for (unsigned int i = 0; i < IC_KINDS; i++) {
		if (ic->service[i].chan.host)
			d->ds->ops->chan_remove(d->ds, &ic->service[i].chan);
		d->ds->ops->timer_free(d->ds, &ic->service[i].timer);
	}
	free(ic);
}

static const struct dev_ops ops = {
	.name = "ic", .drain = ic_drain, .go_on = ic_go_on, .reset = ic_reset, .release = ic_release,
	.record = &ic_record,
};

int ic_create(struct device **out, struct dev_services *ds)
{
	struct ic *ic = calloc(1, sizeof(*ic));
	int ret = 0;

	if (!ic)
		return -ENOMEM;
	device_init(&ic->dev, &ops, ds, NULL, 0);
	for (unsigned int i = 0; i < IC_KINDS && !ret; i++) {
		struct chan_offer offer = { .pipe = true };
		struct service *s = &ic->service[i];

		memcpy(offer.interface, kinds[i].class, sizeof(offer.interface));
		memcpy(offer.instance, kinds[i].instance, sizeof(offer.instance));
		s->ic = ic;
		s->kind = i;
		s->chan.ops = &chan_ops;
		s->chan.wake = -1;
		s->timer.fire = timer_fired;
		s->timer.dev = &ic->dev;
		ret = ds->ops->chan_create(ds, &offer, &s->chan);
	}
	if (ret)
		ic_release(&ic->dev);
	else
		*out = &ic->dev;
	return ret;
}
