// SPDX-License-Identifier: GPL-2.0-or-later
/* RNDIS messages that are no packets, and their answers ([MS-RNDIS] 2.2). */
#include <errno.h>
#include <string.h>

#include "netvsp_impl.h"

#define MAX_TRANSFER	0x4000u		/* what Linux says of itself */

static uint32_t put(uint8_t *out, const void *message, uint32_t bytes)
{
	memcpy(out, message, bytes);
	return bytes;
}

static int init(struct netvsp *v, const uint8_t *m, uint32_t bytes, uint8_t *out)
{
	struct vmb_rndis_init_complete c = {
		.header = { VMB_RNDIS_INIT | VMB_RNDIS_COMPLETE, sizeof(c) }, .major = 1,
		.device_flags = 1, .max_packets = NET_TX_BATCH / 4, .max_transfer = MAX_TRANSFER,
		.alignment_shift = NET_TX_ALIGN_SHIFT,
	};
	struct vmb_rndis_init r;

	if (bytes < sizeof(r))
		return -EPROTO;
	memcpy(&r, m, sizeof(r));
	c.id = r.id;
	if (r.major != 1)
		c.status = VMB_RNDIS_NOT_SUPPORTED;
	else
		net_state_set(v, NET_RUNNING);
	return (int)put(out, &c, sizeof(c));
}

static int halt(struct netvsp *v, const uint8_t *m, uint32_t bytes, uint8_t *out)
{
	(void)m, (void)bytes, (void)out;
	atomic_store(&v->filter, 0);
	net_state_set(v, NET_VERSIONED);
	return 0;
}

/* A QUERY or SET and the information in it. */
static int request_read(const uint8_t *m, uint32_t bytes, struct vmb_rndis_request *r, const uint8_t **info)
{
	const uint32_t h = sizeof(struct vmb_rndis_header);

	if (bytes < sizeof(*r))
		return -EPROTO;
	memcpy(r, m, sizeof(*r));
	if (r->info_bytes && (r->info_offset > bytes - h || r->info_bytes > bytes - h - r->info_offset))
		return -EPROTO;
	*info = m + (r->info_bytes ? h + r->info_offset : 0);
	return 0;
}

static int query(struct netvsp *v, const uint8_t *m, uint32_t bytes, uint8_t *out)
{
	struct vmb_rndis_query_complete c = {
		.header = { VMB_RNDIS_QUERY | VMB_RNDIS_COMPLETE, sizeof(c) },
	};
	struct vmb_rndis_request r;
	const uint8_t *info;
	int64_t n;
	int ret = request_read(m, bytes, &r, &info);

	if (ret)
		return ret;
	n = net_oid_query(v, r.oid, info, r.info_bytes, out + sizeof(c), NET_REPLY_MAX - sizeof(c));
	c.id = r.id;
	if (n < 0) {
		c.status = (uint32_t)-n;
	} else {
		c.info_bytes = (uint32_t)n;
		c.info_offset = sizeof(c) - sizeof(c.header);
		c.header.bytes += (uint32_t)n;
	}
	put(out, &c, sizeof(c));
	return (int)c.header.bytes;
}

static int set(struct netvsp *v, const uint8_t *m, uint32_t bytes, uint8_t *out)
{
	struct vmb_rndis_complete c = { .header = { VMB_RNDIS_SET | VMB_RNDIS_COMPLETE, sizeof(c) } };
	struct vmb_rndis_request r;
	const uint8_t *info;
	int ret = request_read(m, bytes, &r, &info);

	if (ret)
		return ret;
	c.id = r.id;
	c.status = net_oid_set(v, r.oid, info, r.info_bytes);
	return (int)put(out, &c, sizeof(c));
}

static int reset(struct netvsp *v, const uint8_t *m, uint32_t bytes, uint8_t *out)
{
	const struct vmb_rndis_reset_complete c = {
		.header = { VMB_RNDIS_RESET | VMB_RNDIS_COMPLETE, sizeof(c) }, .addressing = 1,
	};

	(void)m, (void)bytes;
	atomic_store(&v->filter, 0);
	return (int)put(out, &c, sizeof(c));
}

static int keepalive(struct netvsp *v, const uint8_t *m, uint32_t bytes, uint8_t *out)
{
	struct vmb_rndis_complete c = { .header = { VMB_RNDIS_KEEPALIVE | VMB_RNDIS_COMPLETE, sizeof(c) } };

	(void)v;
	if (bytes < sizeof(c.header) + sizeof(c.id))
		return -EPROTO;
	memcpy(&c.id, m + sizeof(c.header), sizeof(c.id));
	return (int)put(out, &c, sizeof(c));
}

#define IN(state) (1u << (state))

static const struct {
	uint32_t	type;
	unsigned int	states;
	int		(*act)(struct netvsp *v, const uint8_t *m, uint32_t bytes, uint8_t *out);
} rows[] = {
	{ VMB_RNDIS_INIT, IN(NET_VERSIONED), init },
	{ VMB_RNDIS_HALT, IN(NET_RUNNING), halt },
	{ VMB_RNDIS_QUERY, IN(NET_RUNNING), query },
	{ VMB_RNDIS_SET, IN(NET_RUNNING), set },
	{ VMB_RNDIS_RESET, IN(NET_RUNNING), reset },
	{ VMB_RNDIS_KEEPALIVE, IN(NET_RUNNING), keepalive },
};

int net_rndis(struct netvsp *v, const void *message, uint32_t bytes, uint8_t *out)
{
	int state = atomic_load(&v->state);
	struct vmb_rndis_header h;

	if (bytes < sizeof(h))
		return -EPROTO;
	memcpy(&h, message, sizeof(h));
	if (h.bytes < sizeof(h) || h.bytes > bytes)
		return -EPROTO;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].type == h.type && rows[i].states & IN(state))
			return rows[i].act(v, message, h.bytes, out);
	return -EPROTO;
}

uint32_t net_rndis_link(bool up, uint8_t *out)
{
	const struct vmb_rndis_indicate m = {
		.header = { VMB_RNDIS_INDICATE, sizeof(m) },
		.status = up ? VMB_RNDIS_LINK_UP : VMB_RNDIS_LINK_DOWN,
	};

	return put(out, &m, sizeof(m));
}
