// SPDX-License-Identifier: LGPL-2.1-or-later
/* The reader's core: header, records and the table of chunks as bytes in memory. Input is hostile. */
#include <errno.h>
#include <string.h>

#include "state.h"

#define UP8(x) (((x) + 7) & ~7ull)

static int corrupt(struct state_err *e, const char *what)
{
	return state_fail(e, STATE_CORRUPT, -EUCLEAN, "%s", what);
}

uint64_t state_chunks(uint64_t ram_bytes)
{
	return (ram_bytes + STATE_CHUNK - 1) / STATE_CHUNK;
}

/* [@at, @at + @bytes) lies in the file, behind the header. */
static bool within(const struct state_header *h, uint64_t at, uint64_t bytes)
{
	return at >= sizeof(*h) && at <= h->file_bytes && bytes <= h->file_bytes - at;
}

static bool rsvd_zero(const struct state_header *h)
{
	uint32_t any = 0;

	for (unsigned int i = 0; i < sizeof(h->rsvd) / sizeof(h->rsvd[0]); i++)
		any |= h->rsvd[i];
	return !any;
}

static int sizes_check(const struct state_header *h, uint64_t file_bytes, struct state_err *e)
{
	if (!rsvd_zero(h))
		return state_fail(e, STATE_VERSION_NEW, -EOPNOTSUPP, "its header has fields that are unknown here");
	if (h->memory_kind >= STATE_MEMORY_KINDS)
		return state_fail(e, STATE_VERSION_NEW, -EOPNOTSUPP, "memory is kept in form %u, which is unknown here",
				  h->memory_kind);
	if (file_bytes < h->file_bytes)
		return state_fail(e, STATE_TRUNCATED, -EUCLEAN, "truncated: it has %llu bytes of %llu",
				  (unsigned long long)file_bytes, (unsigned long long)h->file_bytes);
	if (!within(h, h->records_at, h->records_bytes) || !within(h, h->memory_at, h->memory_bytes) ||
	    h->records_at % 8 || h->records_bytes % 8 || h->memory_at % STATE_PAGE || !h->records ||
	    h->records_bytes > STATE_RECORDS_MAX)
		return corrupt(e, "corrupt: the header's sizes make no sense");
	if (h->ram_bytes % STATE_PAGE || h->ram_bytes > STATE_RAM_MAX ||
	    (h->memory_kind == STATE_MEMORY_PLAIN && h->memory_bytes != h->ram_bytes))
		return corrupt(e, "corrupt: the size of memory makes no sense");
	if (h->memory_at < h->records_at + h->records_bytes && h->records_at < h->memory_at + h->memory_bytes)
		return corrupt(e, "corrupt: records and memory overlap");
	return 0;
}

int state_header_check(struct state_header *out, const void *buf, size_t len, uint64_t file_bytes,
		       struct state_err *e)
{
	static const char zeros[8];

	memset(out, 0, sizeof(*out));
	memcpy(out, buf, len < sizeof(*out) ? len : sizeof(*out));
	/* Its writer makes the file as long as it needs first, and the header last. */
	if (len >= sizeof(*out) && !memcmp(out->magic, zeros, 8))
		return state_fail(e, STATE_INCOMPLETE, -EUCLEAN, "incomplete: it was not written to its end");
	if (memcmp(out->magic, STATE_MAGIC, len < 8 ? len : 8) || !len)
		return state_fail(e, STATE_NOT_SAVED, -EMEDIUMTYPE, "not a saved VM");
	if (len < sizeof(*out))
		return state_fail(e, STATE_TRUNCATED, -EUCLEAN, "truncated: it has %zu bytes", len);
	/* Before the sum: another version may have it elsewhere. */
	if (out->version != STATE_VERSION)
		return state_fail(e, STATE_VERSION_NEW, -EOPNOTSUPP, "written in version %u of the format; known is %u",
				  out->version, STATE_VERSION);
	if (out->crc != state_crc(0, out, offsetof(struct state_header, crc)))
		return corrupt(e, "corrupt: the header's checksum is wrong");
	return sizes_check(out, file_bytes, e);
}

/* The record at @pos if it lies within @len bytes. */
static bool record_at(const uint8_t *buf, uint64_t len, uint64_t pos, struct state_record_head *head)
{
	if (pos > len || len - pos < sizeof(*head))
		return false;
	memcpy(head, buf + pos, sizeof(*head));
	return head->bytes <= STATE_RECORD_MAX && UP8(head->bytes) <= len - pos - sizeof(*head);
}

int state_records_check(const struct state_header *h, const void *buf, struct state_err *e)
{
	struct state_record_head head;
	const uint8_t *p = buf;
	uint64_t pos = 0;
	uint32_t i, crc;

	for (i = 0; i < h->records; i++) {
		if (!record_at(p, h->records_bytes, pos, &head))
			return state_fail(e, STATE_CORRUPT, -EUCLEAN, "corrupt: record %u does not fit", i);
		crc = state_crc(0, &head, offsetof(struct state_record_head, crc));
		crc = state_crc(crc, p + pos + sizeof(head), head.bytes);
		if (crc != head.crc)
			return state_fail(e, STATE_CORRUPT, -EUCLEAN, "corrupt: the checksum of record %u (id 0x%x) is wrong",
					  i, head.id);
		if ((head.id == STATE_REC_END) != (i + 1 == h->records))
			return corrupt(e, "corrupt: the records end elsewhere than the header says");
		pos += sizeof(head) + UP8(head.bytes);
	}
	return pos == h->records_bytes ? 0 : corrupt(e, "corrupt: something follows the records");
}

bool state_record_next(const struct state_header *h, const void *buf, size_t *pos,
		       struct state_record *out)
{
	struct state_record_head head;

	if (!record_at(buf, h->records_bytes, *pos, &head) || head.id == STATE_REC_END)
		return false;
	*out = (struct state_record){
		.id = head.id, .version = head.version, .instance = head.instance, .index = head.index,
		.len = head.bytes, .data = (const uint8_t *)buf + *pos + sizeof(head),
	};
	*pos += sizeof(head) + UP8(head.bytes);
	return true;
}

static unsigned int pages_of(const struct state_chunk *c)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < sizeof(c->pages); i++)
		n += (unsigned int)__builtin_popcount(c->pages[i]);
	return n;
}

/* No page beyond the end of memory. */
static bool pages_fit(const struct state_header *h, uint64_t chunk, const struct state_chunk *c)
{
	uint64_t left = (h->ram_bytes - chunk * STATE_CHUNK) / STATE_PAGE;

	for (uint64_t i = left; i < STATE_CHUNK_PAGES; i++)
		if (c->pages[i / 8] >> i % 8 & 1)
			return false;
	return true;
}

int state_chunks_check(const struct state_header *h, const struct state_record *table, uint64_t *at,
		       struct state_err *e)
{
	uint64_t n = state_chunks(h->ram_bytes), used = 0, i;
	const struct state_chunk *c = table->data;

	if (table->version != 1)
		return state_fail(e, STATE_VERSION_NEW, -EOPNOTSUPP, "its table of memory has version %u; known is 1",
				  table->version);
	if (table->len != n * sizeof(*c))
		return corrupt(e, "corrupt: the table of memory has another size than memory");
	for (i = 0; i < n; i++, c++) {
		unsigned int pages = pages_of(c);

		if (!pages_fit(h, i, c) || !pages != !c->bytes ||
		    (h->memory_kind == STATE_MEMORY_PLAIN ? c->bytes != pages * STATE_PAGE :
							   c->bytes > h->memory_bytes - used))
			return state_fail(e, STATE_CORRUPT, -EUCLEAN, "corrupt: memory at 0x%llx makes no sense",
					  (unsigned long long)(i * STATE_CHUNK));
		if (at)
			at[i] = h->memory_at + (h->memory_kind == STATE_MEMORY_PLAIN ? i * STATE_CHUNK : used);
		used += c->bytes;
	}
	if (h->memory_kind != STATE_MEMORY_PLAIN && used != h->memory_bytes)
		return corrupt(e, "corrupt: the memory section has another size than its table");
	return 0;
}
