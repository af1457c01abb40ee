// SPDX-License-Identifier: LGPL-2.1-or-later
/* A file with a saved VM: opened, checked, and its memory read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "impl.h"

struct state_file {
	int			fd;
	struct state_header	h;
	uint8_t			*records;
	const struct state_chunk *chunk;
	uint64_t		*at;		/* of each chunk in the file */
	uint8_t			*frame, *pages;	/* of one chunk; made when needed */
};

/* All of it, or -errno with @e. */
static int read_all(const struct state_file *f, void *buf, size_t len, uint64_t at, struct state_err *e)
{
	uint8_t *p = buf;
	ssize_t n;

	while (len) {
		n = pread(f->fd, p, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return state_fail(e, STATE_HOST, -errno, "cannot read: %s", strerror(errno));
		if (!n)
			return state_fail(e, STATE_TRUNCATED, -EUCLEAN, "truncated: it ends at byte %llu",
					  (unsigned long long)at);
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

static int head_read(struct state_file *f, struct state_err *e)
{
	uint8_t buf[sizeof(struct state_header)];
	struct stat st;
	size_t len;
	int ret;

	if (fstat(f->fd, &st))
		return state_fail(e, STATE_HOST, -errno, "cannot read: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return state_fail(e, STATE_NOT_SAVED, -EMEDIUMTYPE, "not a regular file");
	len = (uint64_t)st.st_size < sizeof(buf) ? (size_t)st.st_size : sizeof(buf);
	ret = read_all(f, buf, len, 0, e);
	return ret ? ret : state_header_check(&f->h, buf, len, (uint64_t)st.st_size, e);
}

static int no_memory(struct state_err *e)
{
	return state_fail(e, STATE_HOST, -ENOMEM, "not enough memory to read it");
}

static int table_find(struct state_file *f, struct state_err *e)
{
	struct state_record table = { .version = 1 };
	uint64_t n = state_chunks(f->h.ram_bytes);

	state_find(f, STATE_REC_MEMORY, 0, 0, &table);
	/* Its length is that of the table: a file of a few bytes brings no large number. */
	if (table.len == n * sizeof(struct state_chunk)) {
		f->at = malloc(n * sizeof(*f->at) + 1);
		if (!f->at)
			return no_memory(e);
	}
	f->chunk = table.data;
	return state_chunks_check(&f->h, &table, f->at, e);
}

int state_open(struct state_file **out, int fd, struct state_err *e)
{
	struct state_file *f = calloc(1, sizeof(*f));
	int ret;

	if (!f)
		return no_memory(e);
	f->fd = fd;
	ret = head_read(f, e);
	if (!ret) {
		f->records = malloc(f->h.records_bytes + 1);
		ret = f->records ? read_all(f, f->records, f->h.records_bytes, f->h.records_at, e) : no_memory(e);
	}
	if (!ret)
		ret = state_records_check(&f->h, f->records, e);
	if (!ret)
		ret = table_find(f, e);
	if (ret)
		state_close(f);
	else
		*out = f;
	return ret;
}

void state_close(struct state_file *f)
{
	if (!f)
		return;
	free(f->records);
	free(f->at);
	free(f->frame);
	free(f->pages);
	free(f);
}

const struct state_header *state_header(const struct state_file *f)
{
	return &f->h;
}

/* Nobody else counts meanwhile. */
static int mark_locked(struct state_file *f, struct state_err *e)
{
	struct state_header h;
	int ret = head_read(f, e);

	if (ret)
		return ret;
	h = f->h;
	h.restores += h.restores < UINT32_MAX;
	h.crc = state_crc(0, &h, offsetof(struct state_header, crc));
	if (pwrite(f->fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) || fdatasync(f->fd))
		return state_fail(e, STATE_HOST, -errno, "cannot write: %s", strerror(errno));
	return 0;
}

int state_mark(struct state_file *f, struct state_err *e)
{
	int ret;

	if (flock(f->fd, LOCK_EX | LOCK_NB))
		return state_fail(e, STATE_HOST, -errno, "cannot lock: %s", strerror(errno));
	ret = mark_locked(f, e);
	flock(f->fd, LOCK_UN);
	return ret;
}

bool state_next(const struct state_file *f, size_t *pos, struct state_record *out)
{
	return state_record_next(&f->h, f->records, pos, out);
}

bool state_find(const struct state_file *f, uint32_t id, uint32_t instance, uint32_t index,
		struct state_record *out)
{
	struct state_record r;
	size_t pos = 0;

	while (state_next(f, &pos, &r))
		if (r.id == id && r.instance == instance && r.index == index) {
			*out = r;
			return true;
		}
	return false;
}

const struct state_chunk *state_chunk(const struct state_file *f, uint64_t n)
{
	return &f->chunk[n];
}

static int chunk_corrupt(uint64_t n, struct state_err *e)
{
	return state_fail(e, STATE_CORRUPT, -EUCLEAN, "corrupt: the checksum of memory at 0x%llx is wrong",
			  (unsigned long long)(n * STATE_CHUNK));
}

/* Runs of pages that are there, straight to where they belong. */
static int plain_read(struct state_file *f, uint64_t n, uint8_t *to, struct state_err *e)
{
	const struct state_chunk *c = &f->chunk[n];
	unsigned int first, nr;
	uint32_t crc = 0;
	int ret;

	for (first = 0; (nr = state_run(c->pages, &first)); first += nr) {
		ret = read_all(f, to + first * STATE_PAGE, (size_t)nr * STATE_PAGE,
			       f->at[n] + (uint64_t)first * STATE_PAGE, e);
		if (ret)
			return ret;
		crc = state_crc(crc, to + first * STATE_PAGE, (size_t)nr * STATE_PAGE);
	}
	return crc == c->crc ? 0 : chunk_corrupt(n, e);
}

static int zstd_read(struct state_file *f, uint64_t n, uint8_t *to, struct state_err *e)
{
	const struct state_chunk *c = &f->chunk[n];
	unsigned int first, nr, pages = state_pages(c->pages);
	const uint8_t *from;
	int ret;

	if (!f->frame)
		f->frame = malloc(state_frame_bound());
	if (!f->pages)
		f->pages = malloc(STATE_CHUNK);
	if (!f->frame || !f->pages)
		return no_memory(e);
	if (c->bytes > state_frame_bound())
		return chunk_corrupt(n, e);
	ret = read_all(f, f->frame, c->bytes, f->at[n], e);
	if (ret)
		return ret;
	if (state_decompress(f->pages, (size_t)pages * STATE_PAGE, f->frame, c->bytes) ||
	    state_crc(0, f->pages, (size_t)pages * STATE_PAGE) != c->crc)
		return chunk_corrupt(n, e);
	from = f->pages;
	for (first = 0; (nr = state_run(c->pages, &first)); first += nr) {
		memcpy(to + first * STATE_PAGE, from, (size_t)nr * STATE_PAGE);
		from += (size_t)nr * STATE_PAGE;
	}
	return 0;
}

/* Whoever maps the section finds what stands where the table has no page: that must be zeros. Holes are not read. */
static int plain_zeros(struct state_file *f, uint64_t n, uint8_t *scratch, struct state_err *e)
{
	uint64_t base = f->h.memory_at + n * STATE_CHUNK, left = f->h.ram_bytes - n * STATE_CHUNK;
	uint64_t end = base + (left < STATE_CHUNK ? left : STATE_CHUNK), pos = base;
	uint8_t bits[STATE_CHUNK_PAGES / 8];
	unsigned int page, nr;
	int ret;

	while (pos < end) {
		off_t data = lseek(f->fd, (off_t)pos, SEEK_DATA);

		if (data < 0 && errno == ENXIO)
			break;
		if (data >= 0 && (uint64_t)data >= end)
			break;
		page = (unsigned int)(((data < 0 ? pos : (uint64_t)data) - base) / STATE_PAGE);
		pos = base + (uint64_t)page * STATE_PAGE;
		nr = page;
		if (f->chunk[n].pages[page / 8] >> page % 8 & 1) {
			pos += (uint64_t)state_run(f->chunk[n].pages, &nr) * STATE_PAGE;
			continue;
		}
		ret = read_all(f, scratch, STATE_PAGE, pos, e);
		if (ret)
			return ret;
		if (state_pages_find(scratch, 1, bits))
			return state_fail(e, STATE_CORRUPT, -EUCLEAN, "corrupt: memory at 0x%llx is not zero, as it should be",
					  (unsigned long long)(n * STATE_CHUNK + (uint64_t)page * STATE_PAGE));
		pos += STATE_PAGE;
	}
	return 0;
}

static int chunk_check(struct state_file *f, uint64_t n, struct state_err *e)
{
	bool plain = f->h.memory_kind == STATE_MEMORY_PLAIN;
	uint8_t *scratch = aligned_alloc(STATE_PAGE, STATE_CHUNK);
	int ret = scratch ? 0 : no_memory(e);

	if (!ret && f->chunk[n].bytes)
		ret = plain ? plain_read(f, n, scratch, e) : zstd_read(f, n, scratch, e);
	if (!ret && plain)
		ret = plain_zeros(f, n, scratch, e);
	free(scratch);
	return ret;
}

int state_chunk_read(struct state_file *f, uint64_t n, uint8_t *to, struct state_err *e)
{
	if (!to)
		return chunk_check(f, n, e);
	if (!f->chunk[n].bytes)
		return 0;
	return f->h.memory_kind == STATE_MEMORY_PLAIN ? plain_read(f, n, to, e) : zstd_read(f, n, to, e);
}
