// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Faults. One workload runs again and again; each time another of its operations on the file fails, once or
 * from there on, having done nothing, half of it, or all. Whatever fails, the disk
 * holds what it should, now and after it was opened again; the image is sound; and a sync that failed is
 * never followed by a flush that succeeds.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/memfile.h"
#include "lib/unit.h"

#define SECTORS	1600u
#define BLOCK	32768u
#define STEPS	60u

/* What a sector may hold: up to two values after a failed write, any of the old and the new. */
struct sector {
	uint8_t	value, other;
	bool	unsure;
};

static struct sector model[SECTORS];
static uint64_t seed;
static bool sync_failed;

static void put(uint32_t sector, uint32_t n, uint8_t value, bool failed)
{
	for (; n; n--, sector++) {
		struct sector *s = &model[sector];

		/* A third value after two failures is not worth following: nothing is known then. */
		if (!failed)
			*s = (struct sector){ value, value, false };
		else if (s->unsure && s->other != value && s->value != value)
			*s = (struct sector){ 0xff, 0xff, true };
		else if (s->value != value)
			*s = (struct sector){ s->value, value, true };
	}
}

static uint32_t wrong(struct vhd *d)
{
	static uint8_t buf[SECTORS * 512];
	struct iovec iov = { buf, sizeof(buf) };
	uint32_t i, j, bad = 0;

	if (vhd_read(d, 0, &iov, 1, sizeof(buf)))
		return SECTORS;
	for (i = 0; i < SECTORS; i++) {
		const uint8_t *p = buf + i * 512;

		for (j = 1; j < 512 && p[j] == p[0]; j++)
			;
		/* A failed write may have been torn, but not within a sector. */
		if (model[i].unsure && model[i].value == 0xff)
			continue;
		if (j < 512 || (p[0] != model[i].value && !(model[i].unsure && p[0] == model[i].other)))
			bad++;
	}
	return bad;
}

static void step(struct vhd *d, uint32_t i)
{
	static uint8_t buf[400 * 512];
	uint32_t s = memfile_random(&seed) % SECTORS, n = 1 + memfile_random(&seed) % 400;
	struct iovec iov = { buf, 0 };
	int err;

	if (n > SECTORS - s)
		n = SECTORS - s;
	switch (memfile_random(&seed) % 8) {
	case 0:
		err = vhd_flush(d);
		if (sync_failed)
			CHECK_EQ(err, -EIO);
		sync_failed |= err;
		break;
	case 1: case 2: case 3:
		err = vhd_zero(d, s, n, memfile_random(&seed) % 3 ? VHD_ZERO_UNMAP : 0);
		put(s, n, 0, err);
		break;
	default:
		memset(buf, 1 + i % 200, n * 512);
		iov.iov_len = n * 512;
		err = vhd_write(d, s, &iov, 1, n * 512);
		put(s, n, 1 + i % 200, err);
	}
	CHECK(!err || err == -EIO || err == -ENOSPC);
}

/* Return: whether the fault came up. */
static bool once(const struct memfile *start, bool no_punch, uint32_t at, int err, bool stay,
		 int does)
{
	struct vhd_open_opts o = { .reserve = 2 };
	struct vhd_check c;
	struct memfile f;
	struct vhd_err e;
	struct vhd *d;
	uint32_t i;

	memfile_init(&f);
	memfile_copy(&f, start);
	memset(model, 0, sizeof(model));
	seed = 0x9e3779b97f4a7c15;
	sync_failed = false;
	f.no_punch = no_punch;
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, "mem", &o, &e), 0);
	f.fail_at = f.changes + at;
	f.fail_err = err;
	f.fail_stay = stay;
	f.fail_does = does;
	for (i = 0; i < STEPS; i++)
		step(d, i);
	CHECK_EQ(wrong(d), 0);
	/* The trouble is over: all works again, but for flushes after a failed sync. */
	f.fail_at = 0;
	for (; i < STEPS + 10; i++)
		step(d, i);
	CHECK_EQ(wrong(d), 0);
	i = vhd_close(d, &e);
	CHECK(!i || sync_failed || f.failed);
	CHECK_EQ(vhd_check_io(&memfile_ops, &f, "mem", &c, &e), 0);
	i = vhd_open_io(&d, &memfile_ops, &f, "mem", &o, &e);
	CHECK_EQ(i, 0);
	if (!i) {
		CHECK_EQ(wrong(d), 0);
		CHECK_EQ(vhd_close(d, &e), 0);
	}
	i = f.failed;
	memfile_done(&f);
	return i;
}

/* No room for the file to grow: writes to new blocks fail, others and discards go on, and room helps. */
static void full(const struct memfile *start)
{
	struct vhd_open_opts o = { .reserve = 4 };
	static uint8_t buf[SECTORS * 512];
	struct iovec iov = { buf, sizeof(buf) };
	struct memfile f;
	struct vhd_err e;
	struct vhd *d;

	memfile_init(&f);
	memfile_copy(&f, start);
	/* Room for one block, not for four. */
	f.most = f.size + BLOCK + 8192;
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, "mem", &o, &e), 0);
	memset(buf, 5, sizeof(buf));
	CHECK_EQ(vhd_write(d, 0, &iov, 1, 512), 0);
	CHECK_EQ(vhd_write(d, BLOCK / 512, &iov, 1, 512), -ENOSPC);
	CHECK_EQ(vhd_write(d, 3, &iov, 1, 512), 0);
	CHECK_EQ(vhd_flush(d), 0);
	CHECK_EQ(vhd_zero(d, 0, BLOCK / 512, VHD_ZERO_UNMAP), 0);
	CHECK_EQ(vhd_flush(d), 0);
	CHECK_EQ(vhd_write(d, BLOCK / 512, &iov, 1, 512), 0);
	CHECK_EQ(vhd_write(d, 0, &iov, 1, 512), -ENOSPC);
	f.most = 0;
	CHECK_EQ(vhd_write(d, 0, &iov, 1, sizeof(buf)), 0);
	CHECK_EQ(vhd_close(d, &e), 0);
	memfile_done(&f);
}

/* A block of somebody else's, with clear bits over junk, so that filling a bitmap may fail as well. */
static void foreign(struct memfile *f)
{
	uint8_t footer[512], entry[4] = { 0 }, junk[512], bits[512] = { 0x0f };
	uint64_t at = f->size - 512;
	uint32_t i;

	memcpy(footer, f->data + at, 512);
	memset(junk, 0xee, sizeof(junk));
	entry[3] = at / 512;
	memfile_ops.pwritev(f, &(struct iovec){ entry, 4 }, 1, 1536);
	memfile_ops.pwritev(f, &(struct iovec){ bits, 512 }, 1, at);
	for (i = 0; i < BLOCK / 512; i++)
		if (i < 4 || i > 7)
			memfile_ops.pwritev(f, &(struct iovec){ junk, 512 }, 1, at + 512 + i * 512);
	memfile_ops.pwritev(f, &(struct iovec){ footer, 512 }, 1, at + 512 + BLOCK);
}

/* The error of a sync goes to one flush alone: another may not begin before that one has told. */
static void one_sync(const struct memfile *start, int err)
{
	struct memfile f;
	struct vhd_err e;
	int64_t ticket;
	struct vhd *d;

	memfile_init(&f);
	memfile_copy(&f, start);
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, "mem", NULL, &e), 0);
	/* One that was not tried lets the next one in. */
	ticket = vhd_flush_begin(d);
	CHECK(ticket > 0);
	CHECK_EQ(vhd_flush_begin(d), -EAGAIN);
	CHECK_EQ(vhd_flush_end(d, ticket, -ECANCELED), -ECANCELED);
	CHECK_EQ(vhd_flush(d), 0);
	ticket = vhd_flush_begin(d);
	CHECK(ticket > 0);
	CHECK_EQ(vhd_flush_begin(d), -EAGAIN);
	CHECK_EQ(vhd_flush_end(d, ticket, err), -EIO);
	CHECK_EQ(vhd_flush(d), -EIO);
	CHECK_EQ(vhd_close(d, &e), -EIO);
	memfile_done(&f);
}

/* Zeros whose sync failed are not on disk, though they are read: the bits over them stay clear. */
static void lost_zeros(const struct memfile *start)
{
	static uint8_t buf[512];
	struct iovec iov = { buf, sizeof(buf) };
	struct memfile f;
	struct vhd_err e;
	struct vhd *d;
	uint32_t i, fill;

	memfile_init(&f);
	memfile_copy(&f, start);
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, "mem", NULL, &e), 0);
	fill = f.changes;
	CHECK_EQ(vhd_write(d, 5, &iov, 1, 512), 0);
	fill = f.changes - fill - 3;	/* zeros; then the sync, the bits and the data */
	CHECK(fill);
	CHECK_EQ(vhd_close(d, &e), 0);
	/* The sync fails, or the last of the zeros and the sync. */
	for (i = 0; i < 2; i++) {
		memfile_copy(&f, start);
		CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, "mem", NULL, &e), 0);
		f.fail_at = f.changes + fill + 1 - i;
		f.fail_err = -EIO;
		f.fail_stay = true;
		CHECK_EQ(vhd_write(d, 5, &iov, 1, 512), -EIO);
		CHECK_EQ(f.changes, f.fail_at + i);
		f.fail_at = 0;
		CHECK_EQ(vhd_write(d, 5, &iov, 1, 512), -EIO);
		CHECK_EQ(vhd_close(d, &e), -EIO);
	}
	/* What was left in the cache by somebody else is synced before anything. */
	memfile_copy(&f, start);
	f.fail_at = f.changes + 1;
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, "mem", NULL, &e), -EIO);
	CHECK_HAS(e.text, "cannot be synced");
	memfile_done(&f);
}

int main(void)
{
	struct vhd_create_opts o = { .format = VHD_DYNAMIC, .size = SECTORS * 512, .block_size = BLOCK };
	uint32_t at, mode, runs = 0;
	struct memfile start;
	struct vhd_err e;

	memfile_init(&start);
	CHECK_EQ(vhd_create_io(&memfile_ops, &start, "mem", &o, &e), 0);
	full(&start);
	foreign(&start);
	one_sync(&start, -EIO);
	one_sync(&start, -EINTR);
	one_sync(&start, -EAGAIN);
	lost_zeros(&start);
	/* Every place in one mode, every seventh in the others. */
	for (mode = 0; mode < 24; mode++)
		for (at = mode ? mode % 7 + 1 : 1;
		     once(&start, mode & 1, at, mode & 2 ? -ENOSPC : -EIO, mode & 4, mode / 8);
		     at += mode ? 7 : 1)
			runs++;
	printf("# %u faults\n", runs);
	memfile_done(&start);
	return unit_done();
}
