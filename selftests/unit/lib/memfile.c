// SPDX-License-Identifier: GPL-2.0-or-later
/* A file in memory; see memfile.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "memfile.h"

uint64_t memfile_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void *grown(void *p, size_t bytes)
{
	p = realloc(p, bytes);
	if (!p)
		abort();
	return p;
}

static void resize(struct memfile *f, uint64_t size)
{
	if (size > f->room) {
		f->room = size + size / 2;
		f->data = grown(f->data, f->room);
	}
	if (size > f->size)
		memset(f->data + f->size, 0, size - f->size);
	f->size = size;
}

static void apply(struct memfile *f, enum memfile_kind kind, uint64_t offset, uint64_t len,
		  const uint8_t *data)
{
	if (kind == MEM_TRUNCATE) {
		resize(f, len);
	} else if (kind == MEM_WRITE) {
		if (offset + len > f->size)
			resize(f, offset + len);
		memcpy(f->data + offset, data, len);
	} else if (kind == MEM_PUNCH && offset < f->size) {
		memset(f->data + offset, 0, len < f->size - offset ? len : f->size - offset);
	}
}

static void record(struct memfile *f, enum memfile_kind kind, uint64_t offset, uint64_t len,
		  const uint8_t *data)
{
	struct memfile_op *op;

	if (!f->record || (kind == MEM_SYNC && f->deaf))
		return;
	if (f->nr == f->op_room) {
		f->op_room = f->op_room ? f->op_room * 2 : 256;
		f->op = grown(f->op, f->op_room * sizeof(*f->op));
	}
	op = &f->op[f->nr++];
	*op = (struct memfile_op){ kind, offset, len, NULL };
	if (kind == MEM_WRITE) {
		op->data = grown(NULL, len);
		memcpy(op->data, data, len);
	}
}

/* What a failing operation does of @len. */
static uint64_t part_done(const struct memfile *f, uint64_t len)
{
	return f->fail_does == MEM_ALL ? len : f->fail_does == MEM_HALF ? len / 1024 * 512 : 0;
}

/* Whether this operation fails. */
static int fault(struct memfile *f)
{
	f->changes++;
	if (!f->fail_at || f->changes < f->fail_at || (f->changes > f->fail_at && !f->fail_stay))
		return 0;
	f->failed = true;
	return f->fail_err;
}

static ssize_t mem_preadv(void *ctx, const struct iovec *iov, int nr, uint64_t offset)
{
	struct memfile *f = ctx;
	ssize_t done = 0;
	int i;

	pthread_mutex_lock(&f->lock);
	for (i = 0; i < nr && offset < f->size; i++) {
		size_t part = iov[i].iov_len < f->size - offset ? iov[i].iov_len : f->size - offset;

		memcpy(iov[i].iov_base, f->data + offset, part);
		offset += part;
		done += part;
	}
	pthread_mutex_unlock(&f->lock);
	return done;
}

static ssize_t mem_pwritev(void *ctx, const struct iovec *iov, int nr, uint64_t offset)
{
	struct memfile *f = ctx;
	ssize_t done = 0;
	int i, err = 0;

	pthread_mutex_lock(&f->lock);
	for (i = 0; i < nr && !err; i++) {
		uint64_t len = iov[i].iov_len;

		err = fault(f);
		if (!err && f->most && offset + len > f->most)
			err = -ENOSPC;
		if (err) {
			len = err == -ENOSPC && !f->failed ? 0 : part_done(f, len);
			if (!len)
				break;
		}
		apply(f, MEM_WRITE, offset, len, iov[i].iov_base);
		record(f, MEM_WRITE, offset, len, iov[i].iov_base);
		offset += len;
		done += err ? 0 : len;
	}
	pthread_mutex_unlock(&f->lock);
	return done ? done : err;
}

static int change(struct memfile *f, enum memfile_kind kind, uint64_t offset, uint64_t len)
{
	int err;

	pthread_mutex_lock(&f->lock);
	err = fault(f);
	if (err && kind == MEM_PUNCH)
		len = part_done(f, len);
	if (!err || (kind == MEM_PUNCH && len) || (kind == MEM_TRUNCATE && f->fail_does == MEM_ALL)) {
		apply(f, kind, offset, len, NULL);
		record(f, kind, offset, len, NULL);
	}
	pthread_mutex_unlock(&f->lock);
	return err;
}

static int mem_datasync(void *ctx)
{
	return change(ctx, MEM_SYNC, 0, 0);
}

static int mem_truncate(void *ctx, uint64_t size)
{
	return change(ctx, MEM_TRUNCATE, 0, size);
}

static int mem_punch(void *ctx, uint64_t offset, uint64_t len)
{
	struct memfile *f = ctx;

	return f->no_punch ? -EOPNOTSUPP : change(f, MEM_PUNCH, offset, len);
}

static int mem_size(void *ctx, uint64_t *bytes)
{
	struct memfile *f = ctx;

	pthread_mutex_lock(&f->lock);
	*bytes = f->size;
	pthread_mutex_unlock(&f->lock);
	return 0;
}

const struct vhd_io_ops memfile_ops = {
	.preadv = mem_preadv,
	.pwritev = mem_pwritev,
	.datasync = mem_datasync,
	.truncate = mem_truncate,
	.punch = mem_punch,
	.size = mem_size,
};

void memfile_init(struct memfile *f)
{
	memset(f, 0, sizeof(*f));
	pthread_mutex_init(&f->lock, NULL);
}

void memfile_done(struct memfile *f)
{
	while (f->nr)
		free(f->op[--f->nr].data);
	free(f->op);
	free(f->data);
	pthread_mutex_destroy(&f->lock);
}

void memfile_copy(struct memfile *to, const struct memfile *from)
{
	resize(to, 0);
	resize(to, from->size);
	memcpy(to->data, from->data, from->size);
}

/* The sectors that a power cut spares, each by itself. */
static void apply_some(struct memfile *to, const struct memfile_op *op, unsigned int lose, uint64_t *seed)
{
	uint64_t at = op->offset, end = op->offset + op->len;

	if (op->kind == MEM_TRUNCATE) {
		if (memfile_random(seed) % 256 >= lose)
			apply(to, MEM_TRUNCATE, 0, op->len, NULL);
		return;
	}
	while (at < end) {
		uint64_t next = at / 512 * 512 + 512, len = (next < end ? next : end) - at;

		if (memfile_random(seed) % 256 >= lose)
			apply(to, op->kind, at, len, op->data ? op->data + (at - op->offset) : NULL);
		at += len;
	}
}

void memfile_cut(struct memfile *to, const struct memfile *start, const struct memfile *rec, uint32_t nr,
		 unsigned int lose, uint64_t *seed)
{
	uint32_t i, synced = nr;

	while (synced && rec->op[synced - 1].kind != MEM_SYNC)
		synced--;
	memfile_copy(to, start);
	for (i = 0; i < nr; i++) {
		const struct memfile_op *op = &rec->op[i];

		if (op->kind == MEM_SYNC)
			continue;
		if (i < synced)
			apply(to, op->kind, op->offset, op->len, op->data);
		else
			apply_some(to, op, lose, seed);
	}
}
