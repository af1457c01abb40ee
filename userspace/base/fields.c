// SPDX-License-Identifier: GPL-2.0-or-later
/* Records as bytes. */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

void fields_put(struct fields_out *o, const void *p, size_t len)
{
	size_t room = o->room ? o->room : 256;
	uint8_t *buf;

	if (o->failed || len > SIZE_MAX / 4 - o->len) {
		o->failed = true;
		return;
	}
	while (room < o->len + len)
		room *= 2;
	if (room != o->room) {
		buf = realloc(o->buf, room);
		if (!buf) {
			o->failed = true;
			return;
		}
		o->buf = buf;
		o->room = room;
	}
	if (len)
		memcpy(o->buf + o->len, p, len);
	o->len += len;
}

void fields_put_u8(struct fields_out *o, uint8_t v)
{
	fields_put(o, &v, 1);
}

void fields_put_u16(struct fields_out *o, uint16_t v)
{
	v = htole16(v);
	fields_put(o, &v, sizeof(v));
}

void fields_put_u32(struct fields_out *o, uint32_t v)
{
	v = htole32(v);
	fields_put(o, &v, sizeof(v));
}

void fields_put_u64(struct fields_out *o, uint64_t v)
{
	v = htole64(v);
	fields_put(o, &v, sizeof(v));
}

void fields_get(struct fields_in *i, void *p, size_t len)
{
	if (i->failed || len > i->len - i->pos) {
		i->failed = true;
		memset(p, 0, len);
		return;
	}
	if (len)
		memcpy(p, i->buf + i->pos, len);
	i->pos += len;
}

uint8_t fields_get_u8(struct fields_in *i)
{
	uint8_t v;

	fields_get(i, &v, 1);
	return v;
}

uint16_t fields_get_u16(struct fields_in *i)
{
	uint16_t v;

	fields_get(i, &v, sizeof(v));
	return le16toh(v);
}

uint32_t fields_get_u32(struct fields_in *i)
{
	uint32_t v;

	fields_get(i, &v, sizeof(v));
	return le32toh(v);
}

uint64_t fields_get_u64(struct fields_in *i)
{
	uint64_t v;

	fields_get(i, &v, sizeof(v));
	return le64toh(v);
}

bool fields_get_bool(struct fields_in *i)
{
	uint8_t v = fields_get_u8(i);

	if (v > 1)
		i->failed = true;
	return v;
}

bool fields_end(const struct fields_in *i)
{
	return !i->failed && i->pos == i->len;
}
