// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages of key-value pairs. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "kvp_msg.h"

#define NO_CHARACTER 0xfffdu

_Static_assert(sizeof(struct vmb_kvp) == 2580 && sizeof(struct vmb_kvp_ip) == 7428, "as it goes over the wire");

/* ---- UTF-16 to UTF-8 ---- */

static bool controls(uint32_t c)
{
	static const struct { uint32_t first, last; } ranges[] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0x061c, 0x061c }, { 0x200b, 0x200f }, { 0x2028, 0x202e },
		{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
}

static size_t put_utf8(uint32_t c, char *out)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static uint32_t unit(const uint8_t *p, size_t i)
{
	return (uint32_t)p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
}

void kvp_text(const void *buf, size_t units, char *out, size_t room)
{
	const uint8_t *p = buf;
	size_t at = 0;

	for (size_t i = 0; i < units; i++) {
		uint32_t c = unit(p, i), low;

		if (!c || at + 4 >= room)
			break;
		if (c >= 0xd800 && c <= 0xdfff) {
			low = c < 0xdc00 && i + 1 < units ? unit(p, i + 1) : 0;
			if (low >= 0xdc00 && low <= 0xdfff) {
				c = 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00));
				i++;
			} else {
				c = NO_CHARACTER;
			}
		}
		at += put_utf8(controls(c) ? NO_CHARACTER : c, out + at);
	}
	out[at] = 0;
}

/* ---- UTF-8 to UTF-16 ---- */

/* The next character; 0 at the end or when it is none. */
static uint32_t get_utf8(const char **s)
{
	const uint8_t *p = (const uint8_t *)*s;
	unsigned int more = p[0] < 0x80 ? 0 : p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : 1;
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t c = more ? p[0] & (0x3f >> more) : p[0];

	if (p[0] >= 0xf8 || (p[0] >= 0x80 && p[0] < 0xc0))
		return 0;
	for (unsigned int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*s += more + 1;
	return c;
}

/* At most @max units and the 0. Return: bytes with the 0, or -EINVAL. */
static int put_utf16(const char *s, size_t max, uint8_t *out)
{
	size_t n = 0;

	while (*s) {
		uint32_t c = get_utf8(&s);
		uint16_t u[2] = { (uint16_t)c, 0 };

		if (c >= 0x10000) {
			u[0] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
			u[1] = (uint16_t)(0xdc00 + (c & 0x3ff));
		}
		if (!c || n + (u[1] ? 2 : 1) > max)
			return -EINVAL;
		for (int i = 0; i < (u[1] ? 2 : 1); i++, n++) {
			out[2 * n] = (uint8_t)u[i];
			out[2 * n + 1] = (uint8_t)(u[i] >> 8);
		}
	}
	out[2 * n] = out[2 * n + 1] = 0;
	return (int)(2 * n + 2);
}

/* ---- questions ---- */

static void begin(struct vmb_kvp *m, uint8_t operation, uint8_t pool)
{
	memset(m, 0, sizeof(*m));
	m->operation = operation;
	m->pool = pool;
}

int kvp_ask_entry(struct vmb_kvp *m, uint8_t pool, uint32_t index)
{
	begin(m, VMB_KVP_ENUMERATE, pool);
	m->enumerate.index = index;
	return (int)sizeof(*m);
}

static int put_name(const char *name, uint16_t *out)
{
	return !*name || strlen(name) > KVP_SET_NAME_BYTES ? -EINVAL :
	       put_utf16(name, KVP_SET_NAME_UNITS, (uint8_t *)out);
}

int kvp_ask_set(struct vmb_kvp *m, uint8_t pool, const char *name, const char *value)
{
	int n, v;

	begin(m, VMB_KVP_SET, pool);
	n = put_name(name, m->set.name);
	v = strlen(value) > KVP_SET_VALUE_BYTES ? -EINVAL : put_utf16(value, KVP_SET_VALUE_UNITS, m->set.value);
	if (n < 0 || v < 0)
		return -EINVAL;
	m->set.type = VMB_KVP_SZ;
	m->set.name_bytes = (uint32_t)n;
	m->set.value_bytes = (uint32_t)v;
	return (int)(offsetof(struct vmb_kvp, set) + sizeof(m->set));
}

int kvp_ask_delete(struct vmb_kvp *m, uint8_t pool, const char *name)
{
	int n;

	begin(m, VMB_KVP_DELETE, pool);
	n = put_name(name, m->del.name);
	if (n < 0)
		return n;
	m->del.bytes = (uint32_t)n;
	return (int)(offsetof(struct vmb_kvp, del) + sizeof(m->del));
}

int kvp_ask_ip(struct vmb_kvp_ip *m, const uint8_t *mac)
{
	char text[18];

	memset(m, 0, sizeof(*m));
	m->operation = VMB_KVP_GET_IP;
	snprintf(text, sizeof(text), "%02X:%02X:%02X:%02X:%02X:%02X", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	for (unsigned int i = 0; text[i]; i++)
		m->adapter[i] = (uint8_t)text[i];
	return (int)sizeof(*m);
}

/* ---- answers ---- */

static int value_text(const struct vmb_kvp_pair *p, char *out, size_t room)
{
	uint32_t v32;
	uint64_t v64;

	switch (p->type) {
	case VMB_KVP_SZ:
		kvp_text(p->value, p->value_bytes / 2, out, room);
		return 0;
	case VMB_KVP_U32:
		memcpy(&v32, p->value, sizeof(v32));
		snprintf(out, room, "%" PRIu32, v32);
		return p->value_bytes == sizeof(v32) ? 0 : -EPROTO;
	case VMB_KVP_U64:
		memcpy(&v64, p->value, sizeof(v64));
		snprintf(out, room, "%" PRIu64, v64);
		return p->value_bytes == sizeof(v64) ? 0 : -EPROTO;
	default:
		return -EPROTO;
	}
}

int kvp_entry(const void *buf, size_t len, uint8_t pool, uint32_t index, struct kvp_pair *out)
{
	struct vmb_kvp m;
	int ret;

	if (len < sizeof(m))
		return -EPROTO;
	memcpy(&m, buf, sizeof(m));
	if (m.operation != VMB_KVP_ENUMERATE || m.pool != pool || m.enumerate.index != index ||
	    m.enumerate.pair.name_bytes > sizeof(m.enumerate.pair.name) ||
	    m.enumerate.pair.value_bytes > sizeof(m.enumerate.pair.value))
		return -EPROTO;
	kvp_text(m.enumerate.pair.name, m.enumerate.pair.name_bytes / 2, out->name, sizeof(out->name));
	ret = value_text(&m.enumerate.pair, out->value, sizeof(out->value));
	return out->name[0] ? ret : -EPROTO;
}

int kvp_ip(const void *buf, size_t len, struct kvp_ip *out)
{
	static const struct { size_t from, units, to, room; } fields[] = {
#define FIELD(f) { offsetof(struct vmb_kvp_ip, f), sizeof(((struct vmb_kvp_ip *)0)->f) / 2, \
		   offsetof(struct kvp_ip, f), sizeof(((struct kvp_ip *)0)->f) }
		FIELD(address), FIELD(mask), FIELD(gateway), FIELD(dns),
	};
	const uint8_t *p = buf;

	if (len < sizeof(struct vmb_kvp_ip) || p[offsetof(struct vmb_kvp_ip, operation)] != VMB_KVP_GET_IP)
		return -EPROTO;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		kvp_text(p + fields[i].from, fields[i].units, (char *)out + fields[i].to, fields[i].room);
	out->dhcp = p[offsetof(struct vmb_kvp_ip, dhcp)] != 0;
	return 0;
}
