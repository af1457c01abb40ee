// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A file is written from its memory section on; records follow, the header comes last: a file that was
 * not written to its end begins with zeros.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "impl.h"

#define MEMORY_AT	STATE_PAGE
#define UP8(x)		(((x) + 7) & ~7ull)

struct state_writer {
	int			fd;
	struct state_header	h;
	uint8_t			*records;	/* so far */
	size_t			len, room;
	struct state_chunk	*chunk;
	uint64_t		pos;		/* compressed: where the next frame goes */
	uint64_t		written;
	struct state_packer	*packer;	/* NULL: plain */
	uint8_t			*frame, *pages;
};

static int no_memory(struct state_err *e)
{
	return state_fail(e, STATE_HOST, -ENOMEM, "not enough memory to save");
}

static int write_all(struct state_writer *w, const void *buf, size_t len, uint64_t at, struct state_err *e)
{
	const uint8_t *p = buf;
	ssize_t n;

	while (len) {
		n = pwrite(w->fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return state_fail(e, STATE_HOST, -errno, "cannot write: %s", strerror(errno));
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
		w->written += (uint64_t)n;
	}
	return 0;
}

int state_writer_create(struct state_writer **out, int fd, uint64_t ram_bytes, int level,
			struct state_err *e)
{
	struct state_writer *w = calloc(1, sizeof(*w));
	bool bad;

	if (!w)
		return no_memory(e);
	w->fd = fd;
	w->pos = MEMORY_AT;
	memcpy(w->h.magic, STATE_MAGIC, sizeof(w->h.magic));
	w->h.version = STATE_VERSION;
	w->h.memory_kind = level ? STATE_MEMORY_ZSTD : STATE_MEMORY_PLAIN;
	w->h.memory_at = MEMORY_AT;
	w->h.ram_bytes = ram_bytes;
	w->chunk = calloc(state_chunks(ram_bytes) + 1, sizeof(*w->chunk));
	bad = !w->chunk;
	if (level) {
		w->frame = malloc(state_frame_bound());
		w->pages = malloc(STATE_CHUNK);
		bad |= !w->frame || !w->pages || state_packer_create(&w->packer, level);
	}
	if (bad) {
		state_writer_release(w);
		return no_memory(e);
	}
	*out = w;
	return 0;
}

void state_writer_release(struct state_writer *w)
{
	if (!w)
		return;
	state_packer_release(w->packer);
	free(w->records);
	free(w->chunk);
	free(w->frame);
	free(w->pages);
	free(w);
}

int state_put(struct state_writer *w, uint32_t id, uint32_t version, uint32_t instance, uint32_t index,
	      const void *data, size_t len, struct state_err *e)
{
	struct state_record_head head = {
		.id = id, .version = version, .instance = instance, .index = index, .bytes = (uint32_t)len,
	};
	size_t need = sizeof(head) + UP8(len), room = w->room ? w->room : 64 << 10;
	uint8_t *p;

	if (len > STATE_RECORD_MAX)
		return state_fail(e, STATE_HOST, -EFBIG, "record 0x%x is too large", id);
	while (room - w->len < need)
		room *= 2;
	if (room != w->room) {
		p = realloc(w->records, room);
		if (!p)
			return no_memory(e);
		w->records = p;
		w->room = room;
	}
	head.crc = state_crc(0, &head, offsetof(struct state_record_head, crc));
	head.crc = state_crc(head.crc, data, len);
	p = w->records + w->len;
	memset(p + need - 8, 0, 8);
	memcpy(p, &head, sizeof(head));
	if (len)
		memcpy(p + sizeof(head), data, len);
	w->len += need;
	w->h.records++;
	return 0;
}

static int put_plain(struct state_writer *w, uint64_t n, const uint8_t *p, struct state_err *e)
{
	struct state_chunk *c = &w->chunk[n];
	unsigned int first, nr;
	int ret = 0;

	for (first = 0; !ret && (nr = state_run(c->pages, &first)); first += nr) {
		c->crc = state_crc(c->crc, p + (size_t)first * STATE_PAGE, (size_t)nr * STATE_PAGE);
		ret = write_all(w, p + (size_t)first * STATE_PAGE, (size_t)nr * STATE_PAGE,
				MEMORY_AT + n * STATE_CHUNK + (uint64_t)first * STATE_PAGE, e);
		c->bytes += nr * STATE_PAGE;
	}
	return ret;
}

static int put_packed(struct state_writer *w, uint64_t n, const uint8_t *p, struct state_err *e)
{
	struct state_chunk *c = &w->chunk[n];
	unsigned int first, nr;
	size_t len = 0;
	int64_t bytes;
	int ret;

	for (first = 0; (nr = state_run(c->pages, &first)); first += nr) {
		memcpy(w->pages + len, p + (size_t)first * STATE_PAGE, (size_t)nr * STATE_PAGE);
		len += (size_t)nr * STATE_PAGE;
	}
	c->crc = state_crc(0, w->pages, len);
	bytes = state_compress(w->packer, w->frame, w->pages, len);
	if (bytes < 0)
		return no_memory(e);
	c->bytes = (uint32_t)bytes;
	ret = write_all(w, w->frame, c->bytes, w->pos, e);
	w->pos += c->bytes;
	return ret;
}

int state_put_chunk(struct state_writer *w, uint64_t n, const uint8_t *p, struct state_err *e)
{
	uint64_t left = (w->h.ram_bytes - n * STATE_CHUNK) / STATE_PAGE;
	unsigned int nr = left < STATE_CHUNK_PAGES ? (unsigned int)left : STATE_CHUNK_PAGES;

	if (!state_pages_find(p, nr, w->chunk[n].pages))
		return 0;
	return w->packer ? put_packed(w, n, p, e) : put_plain(w, n, p, e);
}

int state_writer_finish(struct state_writer *w, struct state_err *e)
{
	struct state_header *h = &w->h;
	int ret;

	ret = state_put(w, STATE_REC_MEMORY, 1, 0, 0, w->chunk, state_chunks(h->ram_bytes) * sizeof(*w->chunk), e);
	if (!ret)
		ret = state_put(w, STATE_REC_END, 1, 0, 0, NULL, 0, e);
	if (ret)
		return ret;
	h->memory_bytes = w->packer ? w->pos - MEMORY_AT : h->ram_bytes;
	h->records_at = UP8(MEMORY_AT + h->memory_bytes);
	h->records_bytes = w->len;
	h->file_bytes = h->records_at + h->records_bytes;
	h->crc = state_crc(0, h, offsetof(struct state_header, crc));
	ret = write_all(w, w->records, w->len, h->records_at, e);
	if (!ret)
		ret = write_all(w, h, sizeof(*h), 0, e);
	if (!ret && fsync(w->fd))
		ret = state_fail(e, STATE_HOST, -errno, "cannot write: %s", strerror(errno));
	return ret;
}

uint64_t state_written(const struct state_writer *w)
{
	return w->written;
}
