// SPDX-License-Identifier: GPL-2.0-or-later
/* What all integration services share. */
#include <errno.h>
#include <string.h>

#include "ic_link.h"

int ic_link_send(struct ic_link *l, struct dev_services *ds, struct chan *c, uint16_t type, const void *body,
		 uint16_t bytes)
{
	struct vmb_ic_header head = {
		.framework = l->framework, .message = l->message, .type = type, .bytes = bytes,
		.transaction = (uint8_t)(l->transaction + 1), .flags = VMB_IC_F_TRANSACTION | VMB_IC_F_REQUEST,
	};
	struct vmb_pipe pipe = { .type = VMB_PIPE_DATA, .bytes = (uint32_t)sizeof(head) + bytes };
	const struct hv_ring_vec vec[] = { { &pipe, sizeof(pipe) }, { &head, sizeof(head) }, { body, bytes } };
	int ret = hv_ring_put(&c->to_guest, VMB_PACKET_INBAND, 0, 0, 0, vec, 3);

	if (ret)
		return ret;
	l->transaction = head.transaction;
	if (hv_ring_publish(&c->to_guest))
		ds->ops->chan_signal(ds, c);
	return 0;
}

static void answer(const void *buf, uint32_t len, ic_answer_fn fn, void *arg)
{
	struct vmb_ic_header head;
	const void *payload;
	int bytes = hv_ring_pipe_payload(buf, len, &payload);

	if (bytes < (int)sizeof(head))
		return;
	memcpy(&head, payload, sizeof(head));
	if (head.flags & VMB_IC_F_RESPONSE)
		fn(arg, &head, (const uint8_t *)payload + sizeof(head), (uint32_t)bytes - (uint32_t)sizeof(head));
}

int ic_link_take(struct dev_services *ds, struct chan *c, void *buf, uint32_t room, ic_answer_fn fn, void *arg)
{
	struct hv_ring *in = &c->from_guest;
	struct hv_ring_packet p;
	unsigned int left = IC_LINK_TAKES;
	uint32_t len;
	int ret;

	do {
		while (!(ret = hv_ring_peek(in, &p))) {
			len = hv_ring_payload(&p);
			if (len > room)
				len = room;
			ret = hv_ring_copy(in, &p, p.header_bytes, buf, len);
			if (!ret && !left--)
				ret = -EPROTO;
			if (ret)
				break;
			hv_ring_next(in, &p);
			chan_took(c, 1);
			if (p.type == VMB_PACKET_INBAND)
				answer(buf, len, fn, arg);
		}
		if (hv_ring_release(in))
			ds->ops->chan_signal(ds, c);
		if (ret != -EAGAIN)
			return -EPROTO;
	} while (hv_ring_unmask(in));
	return 0;
}

int ic_link_offer(struct ic_link *l, struct dev_services *ds, struct chan *c, const uint16_t major[2])
{
	const struct vmb_ic_negotiate n = {
		.frameworks = 2, .messages = 2,
		.version = { { 3, 0 }, { 1, 0 }, { major[0], 0 }, { major[1], 0 } },
	};

	memset(&l->framework, 0, sizeof(l->framework));
	memset(&l->message, 0, sizeof(l->message));
	return ic_link_send(l, ds, c, VMB_IC_NEGOTIATE, &n, sizeof(n));
}

int ic_link_chosen(struct ic_link *l, const void *body, uint32_t bytes, const uint16_t major[2])
{
	struct vmb_ic_negotiate n = { 0 };

	memcpy(&n, body, bytes < sizeof(n) ? bytes : sizeof(n));
	if (bytes < 16 || n.frameworks != 1 || n.messages != 1 ||
	    (n.version[1].major != major[0] && n.version[1].major != major[1]))
		return -EPROTO;
	l->framework = n.version[0];
	l->message = n.version[1];
	return 0;
}

static void put_version(struct fields_out *out, const struct vmb_ic_version *v)
{
	fields_put_u16(out, v->major);
	fields_put_u16(out, v->minor);
}

static void get_version(struct fields_in *in, struct vmb_ic_version *v)
{
	v->major = fields_get_u16(in);
	v->minor = fields_get_u16(in);
}

void ic_link_save(const struct ic_link *l, struct fields_out *out)
{
	put_version(out, &l->framework);
	put_version(out, &l->message);
}

void ic_link_load(struct ic_link *l, struct fields_in *in)
{
	get_version(in, &l->framework);
	get_version(in, &l->message);
}
