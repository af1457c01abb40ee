// SPDX-License-Identifier: GPL-2.0-or-later
/* Key-value pairs: the channel, its states, and one question at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvp_impl.h"

#define SECOND		1000000000ULL
#define ANSWER_LIMIT	(40 * SECOND)	/* a guest's driver gives its daemon 30 */
#define SWEEP_FIRST	(2 * SECOND)	/* a guest that boots gets its addresses soon */
#define SWEEP_EVERY	(60 * SECOND)

_Static_assert(KVP_FIGURES == KVP_COUNTS, "a figure for each counter");

/* Which state follows which. */
static const uint8_t edges[KVP_STATES] = {
	[KVP_S_CLOSED] = 1 << KVP_S_OPENED,
	[KVP_S_OPENED] = 1 << KVP_S_NEGOTIATING | 1 << KVP_S_BROKEN | 1 << KVP_S_CLOSED,
	[KVP_S_NEGOTIATING] = 1 << KVP_S_IDLE | 1 << KVP_S_BROKEN | 1 << KVP_S_CLOSED,
	[KVP_S_IDLE] = 1 << KVP_S_ASKED | 1 << KVP_S_BROKEN | 1 << KVP_S_CLOSED,
	[KVP_S_ASKED] = 1 << KVP_S_IDLE | 1 << KVP_S_SILENT | 1 << KVP_S_BROKEN | 1 << KVP_S_CLOSED,
	[KVP_S_SILENT] = 1 << KVP_S_IDLE | 1 << KVP_S_BROKEN | 1 << KVP_S_CLOSED,
	[KVP_S_BROKEN] = 1 << KVP_S_CLOSED,
};

static const uint16_t versions[2] = { 4, 3 };

static struct kvp *of_device(struct device *d)
{
	return dev_container(d, struct kvp, dev);
}

static void state_set(struct kvp *k, enum kvp_state to)
{
	struct dev_services *ds = k->dev.ds;

	if (k->state == to)
		return;
	if (!(edges[k->state] >> to & 1)) {
		ds->ops->log(ds, DEV_LOG_ERROR, "kvp: state %d does not follow %d", to, k->state);
		return;
	}
	k->state = to;
}

static void timer_in(struct kvp *k, uint64_t ns)
{
	k->dev.ds->ops->timer_arm(k->dev.ds, &k->timer, k->dev.ds->ops->now_ns(k->dev.ds) + ns);
}

static void change_end(struct kvp *k, enum kvp_outcome outcome)
{
	if (k->changing)
		k->outcome[k->change % KVP_CHANGES] = outcome;
	k->changing = k->change_asked = false;
}

/* Nothing can be asked any more. */
static void give_up(struct kvp *k, enum kvp_state to)
{
	k->dev.ds->ops->timer_cancel(k->dev.ds, &k->timer);
	kvp_sweep_stop(k);
	change_end(k, KVP_UNANSWERED);
	state_set(k, to);
}

static void ask(struct kvp *k, const void *question, int bytes)
{
	if (ic_link_send(&k->link, k->dev.ds, &k->chan, VMB_IC_KVP, question, (uint16_t)bytes)) {
		give_up(k, KVP_S_BROKEN);	/* a guest that has answered has read all there was */
		return;
	}
	k->count[KVP_C_QUESTIONS]++;
	state_set(k, KVP_S_ASKED);
	timer_in(k, ANSWER_LIMIT);
}

static void sweep_end(struct kvp *k)
{
	bool again = k->again;

	kvp_sweep_stop(k);
	k->sweeps++;
	k->swept_at = k->dev.ds->ops->now_ns(k->dev.ds);
	timer_in(k, k->every);
	k->every = k->every < SWEEP_EVERY / 2 ? k->every * 2 : SWEEP_EVERY;
	if (again)
		kvp_sweep_begin(k, true);
}

/* Nothing is under way: ask the next question, if there is one. */
static void go_on(struct kvp *k)
{
	static union kvp_question q;		/* loop thread */
	int bytes;

	if (k->state != KVP_S_IDLE || k->drained)
		return;
	if (k->changing) {
		k->change_asked = true;
		ask(k, &k->set, k->set_bytes);
		return;
	}
	while (k->sweeping) {
		bytes = kvp_sweep_ask(k, &q);
		if (bytes) {
			ask(k, &q, bytes);
			return;
		}
		sweep_end(k);
	}
}

/* ---- what the guest says ---- */

static void negotiated(struct kvp *k, const void *body, uint32_t bytes)
{
	if (k->state != KVP_S_NEGOTIATING) {
		k->count[KVP_C_STRAYS]++;
	} else if (ic_link_chosen(&k->link, body, bytes, versions)) {
		give_up(k, KVP_S_BROKEN);
	} else {
		state_set(k, KVP_S_IDLE);
		k->every = SWEEP_FIRST;
		kvp_sweep_begin(k, false);
		go_on(k);
	}
}

static void answered(void *arg, const struct vmb_ic_header *head, const void *body, uint32_t bytes)
{
	struct kvp *k = arg;

	if (head->type == VMB_IC_NEGOTIATE) {
		negotiated(k, body, bytes);
		return;
	}
	if ((k->state != KVP_S_ASKED && k->state != KVP_S_SILENT) || head->type != VMB_IC_KVP ||
	    head->transaction != k->link.transaction) {
		k->count[KVP_C_STRAYS]++;
		return;
	}
	k->count[KVP_C_ANSWERS]++;
	if (k->state == KVP_S_SILENT) {
		k->every = SWEEP_FIRST;
		kvp_sweep_begin(k, false);
	} else if (k->change_asked) {
		k->count[KVP_C_ERRORS] += head->status != 0;
		change_end(k, head->status ? KVP_REFUSED : KVP_DONE);
	} else {
		kvp_sweep_answer(k, head->status, body, bytes);
	}
	k->dev.ds->ops->timer_cancel(k->dev.ds, &k->timer);
	state_set(k, KVP_S_IDLE);
	timer_in(k, k->every);
	go_on(k);
}

static void timer_fired(struct dev_timer *t)
{
	struct kvp *k = dev_container(t, struct kvp, timer);
	struct dev_services *ds = k->dev.ds;

	if (k->drained)
		return;
	if (k->state == KVP_S_ASKED) {
		k->count[KVP_C_OVERDUE]++;
		if (!k->late_logged)
			ds->ops->log(ds, DEV_LOG_INFO, "kvp: no answer of the guest for %llu s", ANSWER_LIMIT / SECOND);
		k->late_logged = true;
		give_up(k, KVP_S_SILENT);
	} else if (k->state == KVP_S_IDLE) {
		if (!k->sweeping)
			kvp_sweep_begin(k, false);
		go_on(k);
	}
}

/* ---- the channel ---- */

static int kvp_open(struct chan *c)
{
	struct kvp *k = dev_container(c, struct kvp, chan);

	if (c->restored && k->saved != KVP_S_CLOSED) {
		k->state = k->saved;
		k->every = SWEEP_FIRST;
		if (k->state == KVP_S_IDLE)
			timer_in(k, 0);
		return 0;
	}
	state_set(k, KVP_S_OPENED);
	return 0;
}

static void kvp_close(struct chan *c)
{
	struct kvp *k = dev_container(c, struct kvp, chan);

	give_up(k, KVP_S_CLOSED);
	kvp_forget(k);
	k->dev.ds->ops->chan_closed(k->dev.ds, c);
}

static void kvp_signal(struct chan *c)
{
	struct kvp *k = dev_container(c, struct kvp, chan);
	static uint8_t buf[IC_LINK_HEAD + sizeof(union kvp_question) + 8];	/* loop thread */

	if (k->state == KVP_S_CLOSED || k->drained)
		return;
	if (k->state == KVP_S_OPENED) {
		state_set(k, KVP_S_NEGOTIATING);
		if (ic_link_offer(&k->link, k->dev.ds, c, versions))
			give_up(k, KVP_S_BROKEN);
	}
	if (ic_link_take(k->dev.ds, c, buf, sizeof(buf), answered, k))
		give_up(k, KVP_S_BROKEN);
}

static const struct chan_ops chan_ops = { .open = kvp_open, .close = kvp_close, .signal = kvp_signal };

/* ---- what others ask ---- */

static enum kvp_health health_of(const struct kvp *k)
{
	if (k->state == KVP_S_SILENT)
		return KVP_LOST;
	return k->state == KVP_S_IDLE || k->state == KVP_S_ASKED ? KVP_OK : KVP_UNKNOWN;
}

const char *kvp_health_name(enum kvp_health h)
{
	static const char *const names[] = { [KVP_UNKNOWN] = "unknown", [KVP_OK] = "ok", [KVP_LOST] = "lost" };

	return names[h];
}

void kvp_look(struct device *d, struct kvp_view *out)
{
	const struct kvp *k = of_device(d);

	*out = (struct kvp_view){
		.health = health_of(k), .sweeps = k->sweeps, .adapters = k->cfg.adapters, .adapter = k->adapter,
		.mac = k->cfg.mac, .change = k->change, .outcome = k->outcome,
		.told = k->swept_at != 0,
	};
	if (k->swept_at)
		out->age_ns = d->ds->ops->now_ns(d->ds) - k->swept_at;
	for (unsigned int i = 0; i < VMB_KVP_POOLS; i++)
		out->pool[i] = &k->pool[i];
}

int kvp_read(struct device *d, uint32_t *sweep)
{
	struct kvp *k = of_device(d);

	if (health_of(k) != KVP_OK)
		return -ENOTCONN;
	/* One that has begun may have passed what the caller wants to see. */
	*sweep = k->sweeps + (k->sweeping ? 2 : 1);
	if (k->sweeping)
		k->again = true;
	else
		kvp_sweep_begin(k, true);
	go_on(k);
	return 0;
}

int kvp_change(struct device *d, const char *name, const char *value, uint32_t *change)
{
	struct kvp *k = of_device(d);
	struct vmb_kvp m;
	int n = value ? kvp_ask_set(&m, VMB_KVP_EXTERNAL, name, value) : kvp_ask_delete(&m, VMB_KVP_EXTERNAL, name);

	if (n < 0)
		return n;
	if (health_of(k) != KVP_OK)
		return -ENOTCONN;
	if (k->changing)
		return -EBUSY;
	k->set = m;
	k->set_bytes = n;
	k->changing = true;
	*change = ++k->change;
	k->outcome[k->change % KVP_CHANGES] = KVP_PENDING;
	go_on(k);
	return 0;
}

void kvp_figures(struct device *d, struct kvp_figure out[KVP_FIGURES])
{
	static const char *const names[KVP_FIGURES] = {
		[KVP_C_QUESTIONS] = "questions", [KVP_C_ANSWERS] = "answers", [KVP_C_ERRORS] = "errors",
		[KVP_C_OVERDUE] = "overdue", [KVP_C_STRAYS] = "strays", [KVP_C_NONSENSE] = "nonsense",
	};

	for (unsigned int i = 0; i < KVP_FIGURES; i++)
		out[i] = (struct kvp_figure){ names[i], of_device(d)->count[i] };
}

/* ---- the device ---- */

/* Its channel is closed by the bus. */
static void kvp_reset(struct device *d)
{
	of_device(d)->drained = false;
}

static void kvp_drain(struct device *d)
{
	of_device(d)->drained = true;
}

/* Signals and times that came meanwhile. */
static void kvp_go_on(struct device *d)
{
	struct kvp *k = of_device(d);

	k->drained = false;
	if (k->state == KVP_S_ASKED)
		timer_in(k, ANSWER_LIMIT);
	else if (k->state == KVP_S_IDLE)
		timer_in(k, 0);
	kvp_signal(&k->chan);
}

/* What the guest told is asked for anew; the question that is under way, it answers to the new process. */
static void kvp_save(struct device *d, struct fields_out *out)
{
	const struct kvp *k = of_device(d);

	fields_put_u8(out, (uint8_t)(k->state == KVP_S_ASKED ? KVP_S_SILENT : k->state));
	ic_link_save(&k->link, out);
	fields_put_u8(out, k->link.transaction);
}

static int kvp_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct kvp *k = of_device(d);
	unsigned int state = fields_get_u8(in);

	(void)version;
	if (state >= KVP_STATES || state == KVP_S_ASKED)
		return -EINVAL;
	k->saved = (enum kvp_state)state;
	ic_link_load(&k->link, in);
	k->link.transaction = fields_get_u8(in);
	return 0;
}

static const struct dev_record kvp_record = { DEV_REC_KVP, 1, kvp_save, kvp_load };

static void kvp_release(struct device *d)
{
	struct kvp *k = of_device(d);

	if (k->chan.host)
		d->ds->ops->chan_remove(d->ds, &k->chan);
	d->ds->ops->timer_free(d->ds, &k->timer);
	kvp_forget(k);
	free(k);
}

static const struct dev_ops ops = {
	.name = "kvp", .drain = kvp_drain, .go_on = kvp_go_on, .reset = kvp_reset, .release = kvp_release,
	.record = &kvp_record,
};

int kvp_create(struct device **out, struct dev_services *ds, const struct kvp_config *cfg)
{
	const struct chan_offer offer = { VMB_KVP_CLASS, "hv ic key-value", .pipe = true };
	struct kvp *k = calloc(1, sizeof(*k));
	int ret;

	if (!k)
		return -ENOMEM;
	device_init(&k->dev, &ops, ds, NULL, 0);
	k->cfg = *cfg;
	k->chan.ops = &chan_ops;
	k->chan.wake = -1;
	k->timer.fire = timer_fired;
	k->timer.dev = &k->dev;
	ret = ds->ops->chan_create(ds, &offer, &k->chan);
	if (ret)
		kvp_release(&k->dev);
	else
		*out = &k->dev;
	return ret;
}
