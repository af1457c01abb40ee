// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key-value pairs against a hostile guest: answers of any kind at any moment, rings that make no sense, a channel
 * that opens and closes, time that passes, and the host's own questions meanwhile. There must never be two questions
 * under way; what is kept stays below its limits; and every text that comes out is UTF-8 that controls nothing.
 *
 * Input: records. Byte 0 is the kind, byte 1 what it is about:
 *	answer		to the question under way, as byte 1 and 2 twist it; status (byte 3); then 5 bytes laid over the
 *			body: a place (2), how many bytes come behind (1), ...
 *	packet		type; then as many bytes as byte 2 says
 *	scribble	four bytes into a ring or its header, at a place (2)
 *	time		seconds
 *	host		read, change, look, save and load
 *	open or close
 */
#include <hvguest/vsp_ic.h>
#include <hvguest/vsp_kvp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "devices/kvp_impl.h"
#include "selftests/fuzz/lib/lent.h"
#include "selftests/fuzz/lib/rings.h"

#define RING_PAGES	4u
#define HALF		(RING_PAGES * 4096u)
#define SECOND		1000000000ULL
#define BODY		(8 + sizeof(struct vmb_ic_header))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t rings[2 * HALF] __attribute__((aligned(4096)));
static struct hv_ring out, in;
static struct chan *chan;
static struct device *dev;
static struct dev_timer *timer;
static uint64_t now, when;
static bool is_open, foul, under_way;
static uint8_t question[8192];
static uint32_t question_bytes;		/* of the last one */

static int f_arm(struct dev_services *ds, struct dev_timer *t, uint64_t at)
{
	(void)ds;
	timer = t;
	when = at;
	return 0;
}

static void f_cancel(struct dev_services *ds, struct dev_timer *t)
{
	(void)ds, (void)t;
	when = 0;
}

static uint64_t f_now(struct dev_services *ds)
{
	(void)ds;
	return now;
}

static const struct dev_services_ops services_ops = {
	LENT_OPS, .timer_arm = f_arm, .timer_cancel = f_cancel, .timer_free = f_cancel,
	.now_ns = f_now,
};
static struct dev_services services = { &services_ops };

/* What the host has sent: a question, and no second one before it is answered. */
static void hear(void)
{
	struct hv_ring_packet p;

	while (is_open && !hv_ring_peek(&in, &p)) {
		if (foul)
			break;
		if (under_way)
			abort();
		under_way = true;
		question_bytes = hv_ring_payload(&p);
		if (question_bytes > sizeof(question) ||
		    hv_ring_copy(&in, &p, p.header_bytes, question, question_bytes))
			abort();
		hv_ring_next(&in, &p);
	}
	hv_ring_release(&in);
}

static void signal_host(void)
{
	if (is_open)
		chan->ops->signal(chan);
	hear();
}

static void chan_toggle(void)
{
	if (is_open) {
		chan->ops->close(chan);
		is_open = false;
		return;
	}
	rings_make(chan, &out, &in, rings, RING_PAGES);
	foul = false;
	question_bytes = 0;
	under_way = false;
	if (chan->ops->open(chan))
		abort();
	is_open = true;
	signal_host();
}

static void send(uint16_t type, const uint8_t *bytes, uint32_t len)
{
	const struct hv_ring_vec vec = { bytes, len };

	/* Any packet may be an answer: whatever comes next is one question. */
	under_way = false;
	out.broken = false;
	if (is_open && !hv_ring_put(&out, type, 0, 0, 0, &vec, 1))
		hv_ring_publish(&out);
	signal_host();
}

/* Versions are agreed on; entries have a name. Then @rec changes it. */
static size_t answer(const uint8_t *rec, size_t more)
{
	static uint8_t m[sizeof(question) + 256];
	uint32_t len = question_bytes, at, n;
	struct vmb_ic_header head;

	if (more < 8 || len < BODY)
		return 8;
	memcpy(m, question, len);
	memcpy(&head, m + 8, sizeof(head));
	head.flags = rec[1] & 1 ? rec[2] : VMB_IC_F_RESPONSE | VMB_IC_F_TRANSACTION;
	head.transaction = (uint8_t)(head.transaction + (rec[1] >> 6));
	head.status = rec[3] == 1 ? VMB_KVP_S_END : rec[3] == 2 ? VMB_KVP_E_FAIL : rec[3] & 0xf0;
	if (head.type == VMB_IC_NEGOTIATE && !(rec[1] & 2)) {
		m[BODY] = m[BODY + 2] = 1;
		m[BODY + 12] = 4;
	} else if (head.type == VMB_IC_KVP && m[BODY] == VMB_KVP_ENUMERATE) {
		m[BODY + 8] = VMB_KVP_SZ;
		m[BODY + 12] = m[BODY + 16] = 8;
		m[BODY + 20] = m[BODY + 532] = 'n';
	}
	memcpy(m + 8, &head, sizeof(head));
	at = (uint32_t)(rec[4] | rec[5] << 8) % len;
	n = rec[6] < more - 8 ? rec[6] : (uint32_t)more - 8;
	memcpy(m + at, rec + 8, n);
	send(VMB_PACKET_INBAND, m, rec[1] & 4 && rec[7] < len ? rec[7] : len);
	if (rec[1] & 8)
		send(VMB_PACKET_INBAND, m, len);
	return 8 + n;
}

static void scribble(const uint8_t *rec)
{
	uint32_t at = (rec[1] & 1 ? HALF : 0) + (rec[1] & 2 ? (rec[2] | rec[3] << 8) % (HALF - 4) : rec[2] & 0x3c);

	memcpy(rings + at, rec + 4, 4);
	foul = true;
	signal_host();
}

/* UTF-8, and nothing that a terminal would obey. */
static void check_text(const char *s, size_t room)
{
	const uint8_t *p = (const uint8_t *)s;
	struct vmb_kvp m;
	size_t i;

	if (strlen(s) >= room)
		abort();
	for (i = 0; p[i]; i++)
		if (p[i] < 0x20 || p[i] == 0x7f || (p[i] == 0xc2 && p[i + 1] < 0xa0))
			abort();
	if (i <= KVP_SET_NAME_UNITS && i && kvp_ask_delete(&m, 0, s) < 0)
		abort();
}

static void look(void)
{
	struct kvp_view v;

	kvp_look(dev, &v);
	for (unsigned int i = 0; i < VMB_KVP_POOLS; i++) {
		if (v.pool[i]->nr > KVP_LIST_MAX || v.pool[i]->bytes > KVP_LIST_BYTES)
			abort();
		for (unsigned int k = 0; k < v.pool[i]->nr; k++) {
			check_text(v.pool[i]->item[k].name, KVP_NAME_TEXT);
			check_text(v.pool[i]->item[k].value, KVP_VALUE_TEXT);
		}
	}
	for (unsigned int i = 0; i < v.adapters; i++)
		if (v.adapter[i].known)
			check_text(v.adapter[i].address, KVP_VALUE_TEXT);
}

static void host(const uint8_t *rec)
{
	struct fields_out saved = { 0 };
	uint32_t number;

	switch (rec[1] % 4) {
	case 0:
		kvp_read(dev, &number);
		break;
	case 1:
		kvp_change(dev, "name", rec[2] & 1 ? "value" : NULL, &number);
		break;
	case 2:
		dev->ops->drain(dev);
		dev->ops->record->save(dev, &saved);
		if (saved.failed)
			abort();
		dev->ops->go_on(dev);
		free(saved.buf);
		break;
	default:
		look();
	}
	hear();
}

static void time_passes(unsigned int seconds)
{
	now += seconds * SECOND;
	if (!when || when > now)
		return;
	when = 0;
	timer->fire(timer);
	hear();
}

/* One record at @data. Return: bytes used, 0 at the end. */
static size_t record(const uint8_t *data, size_t size)
{
	size_t len;

	if (size < 8)
		return 0;
	switch (data[0] % 8) {
	case 0:
		scribble(data);
		return 8;
	case 1:
		len = data[2] < size - 8 ? data[2] : size - 8;
		send(data[1], data + 8, (uint32_t)len);
		return 8 + len;
	case 2:
		time_passes(data[1]);
		return 8;
	case 3:
		host(data);
		return 8;
	case 4:
		if (data[1] & 1)
			chan_toggle();
		return 8;
	default:
		return answer(data, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct kvp_config cfg = { 2, { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } } };
	size_t n;

	now = 100 * SECOND;
	when = 0;
	if (kvp_create(&dev, &services, &cfg))
		abort();
	chan = &dev_container(dev, struct kvp, dev)->chan;
	chan_toggle();
	for (; (n = record(data, size)); data += n, size -= n)
		;
	look();
	if (is_open)
		chan_toggle();
	look();
	dev->ops->release(dev);
	return 0;
}
