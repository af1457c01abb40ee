// SPDX-License-Identifier: GPL-2.0-or-later
/* Byte builder and AML emitter. */
#include <string.h>

#include "aml.h"

/* ACPI 6.4, table 20.3 (AML byte stream byte values) */
#define OP_ZERO		0x00
#define OP_ONE		0x01
#define OP_NAME		0x08
#define OP_BYTE		0x0a
#define OP_WORD		0x0b
#define OP_DWORD	0x0c
#define OP_STRING	0x0d
#define OP_QWORD	0x0e
#define OP_SCOPE	0x10
#define OP_BUFFER	0x11
#define OP_PACKAGE	0x12
#define OP_METHOD	0x14
#define OP_EXT		0x5b
#define OP_EXT_DEVICE	0x82
#define OP_NOTIFY	0x86

void bytes_put(struct bytes *b, const void *data, size_t len)
{
	if (len > b->cap - b->len) {
		b->overflow = true;
		return;
	}
	memcpy(b->buf + b->len, data, len);
	b->len += len;
}

void bytes_le(struct bytes *b, uint64_t value, unsigned int size)
{
	bytes_put(b, &value, size);	/* this program runs on x86 only */
}

void bytes_pad(struct bytes *b, size_t align)
{
	while (b->len % align && !b->overflow)
		bytes_le(b, 0, 1);
}

/* PkgLength counts its own bytes: 1 up to 63, 2 up to 4095, 3 up to 1 MiB. */
static unsigned int pkg_length(uint8_t *out, size_t body)
{
	unsigned int n = body + 1 <= 0x3f ? 1 : body + 2 <= 0xfff ? 2 : 3;
	size_t total = body + n;

	if (n == 1) {
		out[0] = total;
		return 1;
	}
	out[0] = (n - 1) << 6 | (total & 0xf);
	out[1] = total >> 4;
	out[2] = total >> 12;
	return n;
}

/* The length is known at the end; then the body moves up to make room for it. */
void aml_end(struct bytes *b, size_t start)
{
	uint8_t len[3];
	unsigned int n = pkg_length(len, b->len - start);

	if (b->overflow || n > b->cap - b->len) {
		b->overflow = true;
		return;
	}
	memmove(b->buf + start + n, b->buf + start, b->len - start);
	memcpy(b->buf + start, len, n);
	b->len += n;
}

static void name_put(struct bytes *b, const char *name)
{
	if (*name == '\\') {
		bytes_put(b, name, 1);
		name++;
		if (!*name) {
			bytes_le(b, 0, 1);	/* NullName: the root itself */
			return;
		}
	}
	bytes_put(b, name, 4);
}

size_t aml_scope(struct bytes *b, const char *name)
{
	size_t start;

	bytes_le(b, OP_SCOPE, 1);
	start = b->len;
	name_put(b, name);
	return start;
}

size_t aml_device(struct bytes *b, const char *name)
{
	size_t start;

	bytes_le(b, OP_EXT, 1);
	bytes_le(b, OP_EXT_DEVICE, 1);
	start = b->len;
	name_put(b, name);
	return start;
}

size_t aml_package(struct bytes *b, unsigned int elements)
{
	size_t start;

	bytes_le(b, OP_PACKAGE, 1);
	start = b->len;
	bytes_le(b, elements, 1);
	return start;
}

size_t aml_method(struct bytes *b, const char *name, unsigned int args)
{
	size_t start;

	bytes_le(b, OP_METHOD, 1);
	start = b->len;
	name_put(b, name);
	bytes_le(b, args | 1 << 3, 1);
	return start;
}

void aml_notify(struct bytes *b, const char *name, uint8_t event)
{
	bytes_le(b, OP_NOTIFY, 1);
	name_put(b, name);
	aml_int(b, event);
}

void aml_name(struct bytes *b, const char *name)
{
	bytes_le(b, OP_NAME, 1);
	name_put(b, name);
}

void aml_int(struct bytes *b, uint64_t v)
{
	static const struct { uint64_t max; uint8_t op, size; } forms[] = {
		{ UINT8_MAX, OP_BYTE, 1 }, { UINT16_MAX, OP_WORD, 2 },
		{ UINT32_MAX, OP_DWORD, 4 }, { UINT64_MAX, OP_QWORD, 8 },
	};
	unsigned int i = 0;

	if (v <= 1) {
		bytes_le(b, v ? OP_ONE : OP_ZERO, 1);
		return;
	}
	while (v > forms[i].max)
		i++;
	bytes_le(b, forms[i].op, 1);
	bytes_le(b, v, forms[i].size);
}

void aml_string(struct bytes *b, const char *s)
{
	bytes_le(b, OP_STRING, 1);
	bytes_put(b, s, strlen(s) + 1);
}

static unsigned int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

void aml_eisaid(struct bytes *b, const char *id)
{
	uint32_t v = (id[0] - '@') << 26 | (id[1] - '@') << 21 | (id[2] - '@') << 16 |
		     hex(id[3]) << 12 | hex(id[4]) << 8 | hex(id[5]) << 4 | hex(id[6]);

	bytes_le(b, OP_DWORD, 1);
	bytes_le(b, __builtin_bswap32(v), 4);
}

void aml_resources(struct aml_resources *r)
{
	r->b = (struct bytes){ r->data, sizeof(r->data), 0, false };
}

/* I/O port descriptor, 16-bit decode (ACPI 6.4, 6.4.2.5) */
void aml_io(struct aml_resources *r, uint16_t port, uint8_t len)
{
	bytes_le(&r->b, 0x0147, 2);
	bytes_le(&r->b, port, 2);
	bytes_le(&r->b, port, 2);
	bytes_le(&r->b, 1, 1);
	bytes_le(&r->b, len, 1);
}

/* Extended interrupt descriptor (6.4.3.6): consumer, active high, exclusive */
void aml_irq(struct aml_resources *r, uint32_t gsi, bool level)
{
	bytes_le(&r->b, 0x89, 1);
	bytes_le(&r->b, 6, 2);
	bytes_le(&r->b, level ? 0x01 : 0x03, 1);
	bytes_le(&r->b, 1, 1);
	bytes_le(&r->b, gsi, 4);
}

/* QWord address space descriptor (6.4.3.5.1): memory, producer, fixed, cacheable, read-write */
void aml_window(struct aml_resources *r, uint64_t base, uint64_t len)
{
	bytes_le(&r->b, 0x8a, 1);
	bytes_le(&r->b, 0x2b, 2);
	bytes_le(&r->b, 0, 1);
	bytes_le(&r->b, 0x0c, 1);
	bytes_le(&r->b, 0x03, 1);
	bytes_le(&r->b, 0, 8);
	bytes_le(&r->b, base, 8);
	bytes_le(&r->b, base + len - 1, 8);
	bytes_le(&r->b, 0, 8);
	bytes_le(&r->b, len, 8);
}

void aml_resources_end(struct bytes *b, struct aml_resources *r)
{
	size_t start;

	bytes_le(&r->b, 0x0079, 2);	/* end tag, checksum 0: not used */
	bytes_le(b, OP_BUFFER, 1);
	start = b->len;
	aml_int(b, r->b.len);
	bytes_put(b, r->data, r->b.len);
	aml_end(b, start);
	b->overflow |= r->b.overflow;
}
