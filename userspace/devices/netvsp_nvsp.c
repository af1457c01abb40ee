// SPDX-License-Identifier: GPL-2.0-or-later
/* How a guest's driver and the adapter get to know each other: NVSP. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netvsp_impl.h"

/* Which state follows which. */
static const uint8_t edges[NET_STATES] = {
	[NET_CLOSED] = 1 << NET_OPENED,
	[NET_OPENED] = 1 << NET_VERSIONED | 1 << NET_CLOSED,
	[NET_VERSIONED] = 1 << NET_RUNNING | 1 << NET_CLOSED,
	[NET_RUNNING] = 1 << NET_VERSIONED | 1 << NET_CLOSED,
};

void net_state_set(struct netvsp *v, enum net_state to)
{
	enum net_state from = atomic_load(&v->state);

	if (from == to)
		return;
	if (!(edges[from] >> to & 1)) {
		v->dev.ds->ops->log(v->dev.ds, DEV_LOG_ERROR, "netvsp: state %d does not follow %d", to,
				    from);
		return;
	}
	atomic_store(&v->state, to);
}

/* ---- buffers ---- */

void net_buffer_drop(struct netvsp *v, struct net_buffer *b)
{
	free(b->gpadl.pfns);
	memset(b, 0, sizeof(*b));
	if (b != &v->recv)
		return;
	free(v->section);
	v->section = NULL;
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		struct net_queue *q = v->queue[i];

		q->section = NULL;
		q->free = q->now = q->batch_first = q->batch_last = NET_NO_SECTION;
		q->batched = 0;
	}
}

void net_forget(struct netvsp *v)
{
	net_buffer_drop(v, &v->recv);
	net_buffer_drop(v, &v->send);
	v->version = 0;
	v->frame_max = 1500 + NET_FRAME_MIN;
	v->rsc = false;
	v->queue[0]->replies = 0;
	atomic_store(&v->filter, 0);
}

/* Take @handle as @b, cut into sections of @section_bytes. 0 or -errno. */
static int buffer_take(struct netvsp *v, struct net_buffer *b, uint32_t handle, uint32_t section_bytes)
{
	struct dev_services *ds = v->dev.ds;
	int ret = b->gpadl.pfns ? -EEXIST :
		  ds->ops->chan_gpadl_get(ds, &v->queue[0]->chan, handle, &b->gpadl);

	if (ret)
		return ret;
	b->handle = handle;
	b->section_bytes = section_bytes;
	b->sections = b->gpadl.bytes / section_bytes;
	if (b->sections > NET_RECV_PAGES_MAX)
		b->sections = NET_RECV_PAGES_MAX;
	if (b->gpadl.offset || !b->sections ||
	    b->gpadl.bytes > (uint64_t)b->gpadl.npages * VMB_PAGE)
		ret = -EINVAL;
	else if (b == &v->recv)
		ret = net_sections_make(v);
	if (ret)
		net_buffer_drop(v, b);
	return ret;
}

/* Whole pages: then a frame of the usual size lies in one. */
uint32_t net_recv_section_bytes(const struct netvsp *v)
{
	uint32_t bytes = NET_RX_HEAD + v->frame_max + 4;	/* and a VLAN tag */

	return (bytes + VMB_PAGE - 1) / VMB_PAGE * VMB_PAGE;
}

/* ---- messages ---- */

/* What Linux tries, the newest first, and what older ones do. */
static const uint32_t versions[] = {
	VMB_NVSP_VERSION_6_1, VMB_NVSP_VERSION_6, VMB_NVSP_VERSION_5, VMB_NVSP_VERSION_4,
	VMB_NVSP_VERSION_2, VMB_NVSP_VERSION_1,
};

static int init(struct net_queue *q, struct vmb_nvsp *m)
{
	uint32_t min = m->init.min, max = m->init.max, version = 0;
	struct netvsp *v = q->nic;

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]) && !version; i++)
		if (versions[i] >= min && versions[i] <= max)
			version = versions[i];
	memset(m, 0, sizeof(*m));
	m->type = VMB_NVSP_INIT_COMPLETE;
	m->init_complete.version = version;
	m->init_complete.max_mdl_chain = 34;
	m->init_complete.status = version ? VMB_NVSP_OK :
				  min > versions[0] ? VMB_NVSP_TOO_NEW : VMB_NVSP_TOO_OLD;
	if (version) {
		net_lock_others(v);
		v->version = version;
		net_unlock_others(v);
		net_state_set(v, NET_VERSIONED);
	}
	return VMB_NVSP_BYTES;
}

static int ndis_version(struct net_queue *q, struct vmb_nvsp *m)
{
	(void)q, (void)m;
	return -1;
}

/* The size of frames counts for the receive buffer, which comes later. */
static int ndis_config(struct net_queue *q, struct vmb_nvsp *m)
{
	struct netvsp *v = q->nic;
	uint32_t frame = m->ndis_config.mtu;

	if (frame < NET_MTU_MIN + NET_FRAME_MIN)
		frame = NET_MTU_MIN + NET_FRAME_MIN;
	if (frame > v->cfg.mtu + NET_FRAME_MIN)
		frame = v->cfg.mtu + NET_FRAME_MIN;
	net_lock_others(v);
	if (!v->recv.gpadl.pfns)
		v->frame_max = frame;
	net_unlock_others(v);
	return -1;
}

static int recv_buf(struct net_queue *q, struct vmb_nvsp *m)
{
	struct netvsp *v = q->nic;
	uint32_t handle = m->buf.gpadl;
	int ret;

	net_lock_others(v);
	ret = m->buf.id == VMB_NVSP_RECV_PAGESET ?
	      buffer_take(v, &v->recv, handle, net_recv_section_bytes(v)) : -EINVAL;
	net_unlock_others(v);
	memset(m, 0, sizeof(*m));
	m->type = VMB_NVSP_SEND_RECV_BUF_COMPLETE;
	m->recv_complete.status = ret ? VMB_NVSP_FAILED : VMB_NVSP_OK;
	if (ret)
		return VMB_NVSP_BYTES;
	m->recv_complete.sections = 1;
	m->recv_complete.section_bytes = v->recv.section_bytes;
	m->recv_complete.section_count = v->recv.sections;
	m->recv_complete.end_offset = v->recv.section_bytes * v->recv.sections;
	return VMB_NVSP_BYTES;
}

static int send_buf(struct net_queue *q, struct vmb_nvsp *m)
{
	struct netvsp *v = q->nic;
	uint32_t handle = m->buf.gpadl;
	int ret;

	net_lock_others(v);
	ret = buffer_take(v, &v->send, handle, NET_SEND_SECTION);
	net_unlock_others(v);
	memset(m, 0, sizeof(*m));
	m->type = VMB_NVSP_SEND_SEND_BUF_COMPLETE;
	m->send_complete.status = ret ? VMB_NVSP_FAILED : VMB_NVSP_OK;
	m->send_complete.section_bytes = ret ? 0 : NET_SEND_SECTION;
	return VMB_NVSP_BYTES;
}

static int revoke(struct net_queue *q, struct vmb_nvsp *m)
{
	struct netvsp *v = q->nic;

	net_pieces_put(v, &q->room);
	net_lock_others(v);
	net_buffer_drop(v, m->type == VMB_NVSP_REVOKE_RECV_BUF ? &v->recv : &v->send);
	net_unlock_others(v);
	return -1;
}

/* There is one data path: the guest hears so, whatever it asks for. */
static int switch_path(struct net_queue *q, struct vmb_nvsp *m)
{
	(void)q, (void)m;
	return 0;
}

static int subchannel(struct net_queue *q, struct vmb_nvsp *m)
{
	struct netvsp *v = q->nic;
	uint32_t op = m->subchannel.op, n = m->subchannel.count;

	if (n > v->nr_queues - 1)
		n = v->nr_queues - 1;
	memset(m, 0, sizeof(*m));
	m->type = VMB_NVSP_SUBCHANNEL;
	m->subchannel_complete.status = VMB_NVSP_FAILED;
	if (op != VMB_NVSP_SUBCHANNEL_ALLOCATE || !n)
		return VMB_NVSP_BYTES;
	m->subchannel_complete.status = VMB_NVSP_OK;
	m->subchannel_complete.count = n;
	for (uint32_t i = 1; i <= n; i++)
		v->dev.ds->ops->chan_sub_create(v->dev.ds, &q->chan, &v->queue[i]->chan);
	return VMB_NVSP_BYTES;
}

#define IN(state) (1u << (state))
#define ANY	(IN(NET_VERSIONED) | IN(NET_RUNNING))

static const struct {
	uint32_t	type, version;	/* from that one on */
	unsigned int	states;
	int		(*act)(struct net_queue *q, struct vmb_nvsp *m);
} rows[] = {
	{ VMB_NVSP_INIT, 0, IN(NET_OPENED), init },
	{ VMB_NVSP_NDIS_VERSION, 0, ANY, ndis_version },
	{ VMB_NVSP_NDIS_CONFIG, VMB_NVSP_VERSION_2, ANY, ndis_config },
	{ VMB_NVSP_SEND_RECV_BUF, 0, ANY, recv_buf },
	{ VMB_NVSP_SEND_SEND_BUF, 0, ANY, send_buf },
	{ VMB_NVSP_REVOKE_RECV_BUF, 0, ANY, revoke },
	{ VMB_NVSP_REVOKE_SEND_BUF, 0, ANY, revoke },
	{ VMB_NVSP_SWITCH_DATA_PATH, VMB_NVSP_VERSION_4, ANY, switch_path },
	{ VMB_NVSP_SUBCHANNEL, VMB_NVSP_VERSION_5, IN(NET_RUNNING), subchannel },
};

int net_nvsp(struct net_queue *q, struct vmb_nvsp *m)
{
	struct netvsp *v = q->nic;

	NET_COUNT(q, requests, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && !q->chan.index; i++)
		if (rows[i].type == m->type && rows[i].states & IN(atomic_load(&v->state)) &&
		    v->version >= rows[i].version)
			return rows[i].act(q, m);
	NET_COUNT(q, refused, 1);
	/* Whoever waits for an answer gets one that says no. */
	memset(m, 0, sizeof(*m));
	m->type = VMB_NVSP_RNDIS_PACKET_COMPLETE;
	m->rndis_complete.status = VMB_NVSP_BAD_PACKET;
	return VMB_NVSP_BYTES;
}
