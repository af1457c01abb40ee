// SPDX-License-Identifier: GPL-2.0-or-later
/* How a guest's driver and the controller get to know each other. */
#include <string.h>

#include "storvsp_impl.h"

/* Which state follows which. */
static const uint8_t edges[STOR_STATES] = {
	[STOR_CLOSED] = 1 << STOR_OPENED,
	[STOR_OPENED] = 1 << STOR_BEGUN | 1 << STOR_CLOSED,
	[STOR_BEGUN] = 1 << STOR_VERSIONED | 1 << STOR_CLOSED,
	[STOR_VERSIONED] = 1 << STOR_READY | 1 << STOR_CLOSED,
	[STOR_READY] = 1 << STOR_CLOSED,
};

void stor_state_set(struct storvsp *v, enum stor_state to)
{
	enum stor_state from = atomic_load(&v->state);

	if (from == to)
		return;
	if (!(edges[from] >> to & 1)) {
		v->dev.ds->ops->log(v->dev.ds, DEV_LOG_ERROR, "storvsp: state %d does not follow %d", to,
				    from);
		return;
	}
	atomic_store(&v->state, to);
}

static uint32_t begin(struct stor_queue *q, struct vmb_stor_packet *p)
{
	(void)p;
	atomic_fetch_add(&q->vsp->epoch, 1);
	stor_state_set(q->vsp, STOR_BEGUN);
	return VMB_STOR_OK;
}

static uint32_t query_version(struct stor_queue *q, struct vmb_stor_packet *p)
{
	uint16_t version = p->protocol.version;

	if (version != VMB_STOR_VERSION_5_1 && version != VMB_STOR_VERSION_6_0 &&
	    version != VMB_STOR_VERSION_6_2)
		return VMB_STOR_BAD_REVISION;
	q->vsp->version = version;
	stor_state_set(q->vsp, STOR_VERSIONED);
	return VMB_STOR_OK;
}

static uint32_t query_properties(struct stor_queue *q, struct vmb_stor_packet *p)
{
	unsigned int subs = q->vsp->nr_queues - 1;

	memset(&p->properties, 0, sizeof(p->properties));
	p->properties.max_sub_channels = (uint16_t)subs;
	p->properties.flags = subs ? VMB_STOR_PROP_MULTI_CHANNEL : 0;
	p->properties.max_transfer_bytes = STOR_BYTES_MAX;
	return VMB_STOR_OK;
}

static uint32_t end(struct stor_queue *q, struct vmb_stor_packet *p)
{
	(void)p;
	stor_state_set(q->vsp, STOR_READY);
	return VMB_STOR_OK;
}

static uint32_t create_subs(struct stor_queue *q, struct vmb_stor_packet *p)
{
	struct storvsp *v = q->vsp;
	struct dev_services *ds = v->dev.ds;
	unsigned int n = p->sub_channels, i;

	if (!n || n > v->nr_queues - 1)
		return VMB_STOR_BAD_PARAMETER;
	for (i = 1; i <= n; i++)
		ds->ops->chan_sub_create(ds, &q->chan, &v->queue[i]->chan);
	return VMB_STOR_OK;
}

/* What is under way still ends in its own time, with its own result. */
static uint32_t reset(struct stor_queue *q, struct vmb_stor_packet *p)
{
	(void)q, (void)p;
	return VMB_STOR_OK;
}

#define IN(state) (1u << (state))

/* Operation, states in which it is taken, and what it does with the packet, which becomes the answer. */
static const struct {
	uint32_t operation;
	unsigned int states;
	uint32_t (*act)(struct stor_queue *q, struct vmb_stor_packet *p);
} rows[] = {
	{ VMB_STOR_BEGIN_INITIALIZATION, IN(STOR_OPENED), begin },
	{ VMB_STOR_QUERY_PROTOCOL_VERSION, IN(STOR_BEGUN), query_version },
	{ VMB_STOR_QUERY_PROPERTIES, IN(STOR_VERSIONED), query_properties },
	{ VMB_STOR_END_INITIALIZATION, IN(STOR_VERSIONED), end },
	{ VMB_STOR_CREATE_SUB_CHANNELS, IN(STOR_READY), create_subs },
	{ VMB_STOR_RESET_BUS, IN(STOR_READY), reset },
	{ VMB_STOR_RESET_ADAPTER, IN(STOR_READY), reset },
	{ VMB_STOR_RESET_LUN, IN(STOR_READY), reset },
};

void stor_protocol(struct stor_queue *q, struct vmb_stor_packet *p)
{
	uint32_t status = VMB_STOR_BAD_REQUEST;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].operation != p->operation)
			continue;
		/* Only the primary channel is asked these things. */
		if (q->chan.index || !(rows[i].states & IN(atomic_load(&q->vsp->state))))
			status = VMB_STOR_BAD_STATE;
		else
			status = rows[i].act(q, p);
		break;
	}
	p->operation = VMB_STOR_COMPLETE_IO;
	p->flags = 0;
	p->status = status;
}
