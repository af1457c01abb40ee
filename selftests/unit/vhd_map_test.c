// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Maps, holds, flushes, discards, locks, and files that change under us.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/memfile.h"
#include "lib/unit.h"

#define DISK	(8u << 20)
#define BLOCK	65536u
#define PER	(BLOCK / 512)

static struct vhd_err e;

static struct vhd *make(struct memfile *f, enum vhd_format format, uint32_t reserve)
{
	struct vhd_create_opts o = { .format = format, .size = DISK, .block_size = BLOCK };
	struct vhd_open_opts oo = { .format = format, .reserve = reserve };
	struct vhd *d = NULL;

	memfile_init(f);
	CHECK_EQ(vhd_create_io(&memfile_ops, f, "mem", &o, &e), 0);
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, f, "mem", &oo, &e), 0);
	return d;
}

static struct vhd *reopen(struct memfile *f, struct vhd *d)
{
	if (d)
		CHECK_EQ(vhd_close(d, &e), 0);
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, f, "mem", NULL, &e), 0);
	return d;
}

static void fill(struct vhd *d, uint64_t sector, uint64_t n, uint8_t value)
{
	static uint8_t buf[1 << 20];
	struct iovec iov = { buf, n * 512 };

	memset(buf, value, n * 512);
	CHECK_EQ(vhd_write(d, sector, &iov, 1, n * 512), 0);
}

static bool holds(struct vhd *d, uint64_t sector, uint64_t n, uint8_t value)
{
	static uint8_t buf[1 << 20];
	/* In odd pieces, some of them empty. */
	struct iovec iov[4] = { { buf, 100 }, { buf + 100, 0 }, { buf + 100, 300 }, { buf + 400, sizeof(buf) - 400 } };
	uint64_t i;

	if (vhd_read(d, sector, iov, 4, n * 512))
		return false;
	for (i = 0; i < n * 512; i++)
		if (buf[i] != value)
			return false;
	return true;
}

static void plain_maps(void)
{
	struct vhd_map m;
	struct memfile f;
	struct vhd *d = make(&f, VHD_FIXED, 0);

	CHECK_EQ(vhd_map(d, 3, 100, VHD_WRITE, VHD_NOWAIT, &m), 0);
	CHECK_EQ(m.nr, 1);
	CHECK_EQ(m.count, 100);
	CHECK_EQ(m.ext[0].offset, 3 * 512);
	CHECK_EQ(m.ext[0].len, 100 * 512);
	CHECK_EQ(m.ext[0].fd, -1);
	CHECK_EQ(vhd_map_done(d, &m, 100 * 512, 0), 0);
	CHECK_EQ(vhd_map_done(d, &m, 100 * 512 - 1, 0), -EIO);
	CHECK_EQ(vhd_map_done(d, &m, -ENOSPC, 0), -ENOSPC);
	CHECK_EQ(vhd_map(d, DISK / 512, 1, VHD_READ, 0, &m), -ERANGE);
	CHECK_EQ(vhd_map(d, DISK / 512 - 1, 2, VHD_READ, 0, &m), -ERANGE);
	CHECK_EQ(vhd_map(d, 1, UINT64_MAX, VHD_READ, 0, &m), -ERANGE);
	CHECK_EQ(vhd_map(d, UINT64_MAX, 1, VHD_READ, 0, &m), -ERANGE);
	CHECK_EQ(vhd_map(d, 0, 0, VHD_READ, 0, &m), -ERANGE);
	CHECK_EQ(vhd_zero(d, DISK / 512 - 1, 2, 0), -ERANGE);
	vhd_close(d, &e);
	memfile_done(&f);
}

/* What costs what: growing needs a thread that may sleep, a new block two writes, an old one nothing. */
static void allocation(void)
{
	struct vhd_info info;
	struct vhd_map m;
	struct memfile f;
	struct vhd *d = make(&f, VHD_DYNAMIC, 4);

	CHECK_EQ(vhd_map(d, 5, 2 * PER, VHD_READ, VHD_NOWAIT, &m), 0);
	CHECK(m.nr == 1 && m.count == 2 * PER && m.ext[0].kind == VHD_EXT_ZERO);
	CHECK_EQ(vhd_map_done(d, &m, 2 * PER * 512, 0), 0);
	CHECK_EQ(vhd_map(d, 5, 10, VHD_WRITE, VHD_NOWAIT, &m), -EAGAIN);
	f.record = true;
	CHECK_EQ(vhd_map(d, 5, 10, VHD_WRITE, 0, &m), 0);
	CHECK_EQ(f.nr, 4);		/* footer, sync; bitmap, entry */
	CHECK_EQ(f.op[1].kind, MEM_SYNC);
	CHECK(m.nr == 1 && m.count == 10 && m.ext[0].kind == VHD_EXT_FILE);
	CHECK_EQ((m.ext[0].offset - 5 * 512) % 4096, 0);
	CHECK_EQ(vhd_map_done(d, &m, 10 * 512, 0), 0);
	CHECK_EQ(vhd_map(d, PER, 1, VHD_WRITE, VHD_NOWAIT, &m), 0);
	CHECK_EQ(f.nr, 6);
	vhd_map_done(d, &m, 512, 0);
	CHECK_EQ(vhd_map(d, 0, PER + 7, VHD_WRITE, VHD_NOWAIT, &m), 0);
	CHECK(m.nr == 2 && m.count == PER + 7);
	vhd_map_done(d, &m, m.count * 512, 0);
	CHECK_EQ(f.nr, 6);
	/* A long write is mapped as far as the extents go, with its holds. */
	CHECK_EQ(vhd_map(d, 0, 40 * PER, VHD_WRITE, 0, &m), 0);
	CHECK(m.nr == VHD_MAP_EXTENTS && m.count == VHD_MAP_EXTENTS * PER);
	vhd_map_done(d, &m, m.count * 512, 0);
	vhd_get_info(d, &info);
	CHECK(info.allocated >= VHD_MAP_EXTENTS && info.allocated <= VHD_MAP_EXTENTS + 1);
	CHECK_EQ(info.blocks, DISK / BLOCK);
	d = reopen(&f, d);
	CHECK(holds(d, 0, 1024, 0));
	CHECK_EQ(vhd_map(d, 0, 1, VHD_WRITE, 0, &m), 0);
	vhd_map_done(d, &m, 512, 0);
	/* The first use of a block that was there reads its bitmap, the second knows it. */
	CHECK_EQ(vhd_map(d, PER, 1, VHD_READ, VHD_NOWAIT, &m), 0);
	vhd_map_done(d, &m, 512, 0);
	vhd_close(d, &e);
	d = reopen(&f, NULL);
	CHECK_EQ(vhd_map(d, PER, 1, VHD_READ, VHD_NOWAIT, &m), -EAGAIN);
	CHECK_EQ(vhd_map(d, PER, 1, VHD_READ, 0, &m), 0);
	vhd_map_done(d, &m, 512, 0);
	CHECK_EQ(vhd_map(d, PER, 1, VHD_WRITE, VHD_NOWAIT, &m), 0);
	vhd_map_done(d, &m, 512, 0);
	vhd_close(d, &e);
	memfile_done(&f);
}

/* Discards: whole blocks go, unless somebody is at them; their place waits for a flush. */
static void discards(void)
{
	struct vhd_info info;
	struct vhd_map m, other;
	struct memfile f;
	struct vhd *d = make(&f, VHD_DYNAMIC, 2);
	uint64_t run, place, size;

	fill(d, 0, 2 * PER, 1);
	CHECK_EQ(vhd_map(d, 3, 1, VHD_READ, 0, &m), 0);
	place = m.ext[0].offset - 3 * 512;
	CHECK_EQ(vhd_zero(d, 0, PER, VHD_ZERO_UNMAP | VHD_NOWAIT), -EAGAIN);
	CHECK_EQ(vhd_zero(d, 0, PER, VHD_ZERO_UNMAP), 0);
	vhd_get_info(d, &info);
	CHECK_EQ(info.allocated, 2);
	CHECK(holds(d, 0, PER, 0));
	CHECK_EQ(vhd_map_done(d, &m, 512, 0), 0);
	fill(d, 10, 1, 5);
	CHECK_EQ(vhd_zero(d, 0, PER, 0), 0);
	vhd_get_info(d, &info);
	CHECK_EQ(info.allocated, 2);
	CHECK(holds(d, 0, PER, 0));
	CHECK_EQ(vhd_zero(d, 0, PER, VHD_ZERO_UNMAP), 0);
	vhd_get_info(d, &info);
	CHECK_EQ(info.allocated, 1);
	CHECK(holds(d, 0, PER, 0) && holds(d, PER, PER, 1));
	CHECK_EQ(vhd_status(d, 0, 4 * PER, &run), 0);
	CHECK_EQ(run, PER);
	CHECK_EQ(vhd_status(d, PER, 4 * PER, &run), 1);
	CHECK_EQ(run, PER);
	/* Not before a flush has ended that began after it. */
	CHECK_EQ(vhd_map(d, 0, 1, VHD_WRITE, 0, &other), 0);
	CHECK(other.ext[0].offset != place);
	vhd_map_done(d, &other, 512, 0);
	CHECK_EQ(vhd_flush(d), 0);
	size = f.size;
	CHECK_EQ(vhd_map(d, 5 * PER, 1, VHD_WRITE, VHD_NOWAIT, &m), 0);
	CHECK_EQ(m.ext[0].offset, place);
	CHECK_EQ(f.size, size);
	vhd_map_done(d, &m, 512, 0);
	CHECK(holds(d, 5 * PER, PER, 0));
	/* Parts of a block. */
	CHECK_EQ(vhd_zero(d, PER + 3, 5, VHD_ZERO_UNMAP), 0);
	CHECK(holds(d, PER, 3, 1) && holds(d, PER + 3, 5, 0) && holds(d, PER + 8, PER - 8, 1));
	d = reopen(&f, d);
	CHECK(holds(d, PER, 3, 1) && holds(d, PER + 3, 5, 0) && holds(d, PER + 8, PER - 8, 1));
	CHECK(holds(d, 0, PER, 0) && holds(d, 5 * PER, PER, 0));
	vhd_close(d, &e);
	memfile_done(&f);
}

/* A flush that began before the entry was cleared does not free its place. */
static void early_flush(void)
{
	struct memfile f;
	struct vhd *d = make(&f, VHD_DYNAMIC, 8);
	struct vhd_map m;
	uint64_t place;
	int64_t ticket;

	CHECK_EQ(vhd_map(d, 0, 1, VHD_WRITE, 0, &m), 0);
	place = m.ext[0].offset;
	vhd_map_done(d, &m, 512, 0);
	ticket = vhd_flush_begin(d);
	CHECK(ticket > 0);
	CHECK_EQ(vhd_zero(d, 0, PER, VHD_ZERO_UNMAP), 0);
	CHECK_EQ(vhd_flush_end(d, ticket, 0), 0);
	CHECK_EQ(vhd_map(d, 0, 1, VHD_WRITE, 0, &m), 0);
	CHECK(m.ext[0].offset != place);
	vhd_map_done(d, &m, 512, 0);
	/* One that was not even tried says nothing, one that failed stays so. */
	ticket = vhd_flush_begin(d);
	CHECK_EQ(vhd_flush_end(d, ticket, -ECANCELED), -ECANCELED);
	CHECK_EQ(vhd_flush(d), 0);
	ticket = vhd_flush_begin(d);
	CHECK_EQ(vhd_flush_end(d, ticket, -ENOSPC), -EIO);
	CHECK_EQ(vhd_flush_begin(d), -EIO);
	CHECK_EQ(vhd_flush(d), -EIO);
	vhd_close(d, &e);
	memfile_done(&f);
}

/* Clear bits hide what is under them, in maps too; the first write fills the bitmap. */
static void clear_bits(void)
{
	struct memfile f;
	struct vhd *d = make(&f, VHD_DYNAMIC, 1);
	struct vhd_map m;
	uint64_t place, run;
	unsigned int i;

	fill(d, 0, PER, 3);
	CHECK_EQ(vhd_map(d, 0, 1, VHD_READ, 0, &m), 0);
	place = m.ext[0].offset;
	vhd_map_done(d, &m, 512, 0);
	CHECK_EQ(vhd_close(d, &e), 0);
	/* Sectors 0 to 3 set, 4 to 7 clear, then every second one of 16, the rest set. */
	f.data[place - 512] = 0xf0;
	f.data[place - 511] = 0xaa;
	f.data[place - 510] = 0xaa;
	d = reopen(&f, NULL);
	CHECK(holds(d, 0, 4, 3) && holds(d, 4, 4, 0) && holds(d, 8, 1, 3) && holds(d, 9, 1, 0));
	CHECK(holds(d, 24, PER - 24, 3));
	CHECK_EQ(vhd_status(d, 4, PER, &run), 0);
	CHECK_EQ(run, 4);
	CHECK_EQ(vhd_map(d, 0, PER, VHD_READ, VHD_NOWAIT, &m), 0);
	CHECK_EQ(m.nr, VHD_MAP_EXTENTS);
	CHECK_EQ(m.count, 4 + 4 + 6);
	for (i = 0; i < m.nr; i++)
		CHECK_EQ(m.ext[i].kind, i % 2 ? VHD_EXT_ZERO : VHD_EXT_FILE);
	vhd_map_done(d, &m, m.count * 512, 0);
	CHECK_EQ(vhd_map(d, 0, 1, VHD_WRITE, VHD_NOWAIT, &m), -EAGAIN);
	fill(d, 5, 1, 8);
	CHECK(holds(d, 0, 4, 3) && holds(d, 4, 1, 0) && holds(d, 5, 1, 8) && holds(d, 6, 2, 0));
	d = reopen(&f, d);
	CHECK_EQ(vhd_map(d, 0, 1, VHD_READ, 0, &m), 0);
	vhd_map_done(d, &m, 512, 0);
	CHECK_EQ(vhd_map(d, 0, PER, VHD_READ, VHD_NOWAIT, &m), 0);
	CHECK_EQ(m.nr, 1);
	vhd_map_done(d, &m, m.count * 512, 0);
	CHECK(holds(d, 0, 4, 3) && holds(d, 4, 1, 0) && holds(d, 5, 1, 8) && holds(d, 6, 2, 0));
	vhd_close(d, &e);
	memfile_done(&f);
}

/* A file that somebody cuts while it is in use. */
static void shrinking(void)
{
	static const enum vhd_format formats[] = { VHD_RAW, VHD_FIXED, VHD_DYNAMIC };
	uint8_t buf[512];
	struct iovec iov = { buf, 512 };
	struct memfile f;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		struct vhd *d = make(&f, formats[i], 0);

		fill(d, 100 * PER, PER, 7);
		CHECK_EQ(vhd_flush(d), 0);
		CHECK_EQ(memfile_ops.truncate(&f, 4096), 0);
		CHECK_EQ(vhd_read(d, 100 * PER, &iov, 1, 512), -EIO);
		CHECK_EQ(vhd_flush(d), -EIO);
		CHECK_EQ(vhd_close(d, &e), -EIO);
		CHECK_HAS(e.text, "mem: ");
		memfile_done(&f);
	}
}

static int open_path(struct vhd **d, const char *path, uint32_t flags)
{
	struct vhd_open_opts o = { .flags = flags };

	memset(&e, 0, sizeof(e));
	return vhd_open(d, path, &o, &e);
}

/* What opens and adopts a file leaves nothing on it that makes I/O give up instead of waiting. */
static void waiting(void)
{
	struct vhd_create_opts o = { .format = VHD_RAW, .size = DISK };
	char path[] = "/tmp/vhd_map.XXXXXX";
	int fd = mkstemp(path);
	struct vhd *d;

	close(fd);
	unlink(path);
	CHECK_EQ(vhd_create(path, &o, &e), 0);
	CHECK_EQ(open_path(&d, path, 0), 0);
	CHECK(!(fcntl(vhd_fd(d), F_GETFL) & O_NONBLOCK));
	CHECK_EQ(vhd_close(d, &e), 0);
	/* A file system of memory has no O_DIRECT before Linux 6.6. */
	if (!open_path(&d, path, VHD_OPEN_DIRECT)) {
		CHECK_EQ(fcntl(vhd_fd(d), F_GETFL) & (O_DIRECT | O_NONBLOCK), O_DIRECT);
		CHECK_EQ(vhd_close(d, &e), 0);
	}
	fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	CHECK_EQ(vhd_open_fd(&d, fd, path, NULL, &e), 0);
	CHECK(!(fcntl(vhd_fd(d), F_GETFL) & O_NONBLOCK));
	CHECK_EQ(vhd_close(d, &e), 0);
	unlink(path);
}

static void locks(void)
{
	struct vhd_create_opts o = { .format = VHD_DYNAMIC, .size = DISK };
	char dir[] = "/tmp/vhd_map.XXXXXX", path[64], want[64], raw[64];
	struct vhd *a, *b;
	struct vhd_check c;
	int ready[2], st;
	pid_t pid;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/disk", dir);
	CHECK_EQ(vhd_create(path, &o, &e), 0);
	CHECK_EQ(open_path(&a, path, 0), 0);
	CHECK_EQ(open_path(&b, path, 0), -EBUSY);
	snprintf(want, sizeof(want), "process %d (vhd_map_test)", getpid());
	CHECK_HAS(e.text, want);
	CHECK_EQ(open_path(&b, path, VHD_OPEN_RDONLY), -EBUSY);
	CHECK_EQ(vhd_check(path, &c, &e), -EBUSY);
	CHECK_EQ(open_path(&b, path, VHD_OPEN_RDONLY | VHD_OPEN_NOLOCK), 0);
	vhd_close(b, &e);
	CHECK_EQ(vhd_close(a, &e), 0);
	CHECK_EQ(open_path(&a, path, VHD_OPEN_RDONLY), 0);
	CHECK_EQ(open_path(&b, path, VHD_OPEN_RDONLY), 0);
	CHECK_EQ(vhd_check(path, &c, &e), 0);
	vhd_close(b, &e);
	CHECK_EQ(open_path(&b, path, 0), -EBUSY);
	vhd_close(a, &e);
	/* Another process has it. */
	CHECK_EQ(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		st = open_path(&a, path, 0);
		if (write(ready[1], &st, sizeof(st)) == sizeof(st))
			pause();
		_exit(1);
	}
	CHECK_EQ(read(ready[0], &st, sizeof(st)), sizeof(st));
	CHECK_EQ(st, 0);
	CHECK_EQ(open_path(&b, path, 0), -EBUSY);
	snprintf(want, sizeof(want), "process %d", pid);
	CHECK_HAS(e.text, want);
	kill(pid, SIGKILL);
	waitpid(pid, &st, 0);
	CHECK_EQ(open_path(&b, path, 0), 0);
	vhd_close(b, &e);
	/* What is no image at all. */
	CHECK_EQ(open_path(&b, dir, VHD_OPEN_RDONLY), -EINVAL);
	CHECK_EQ(open_path(&b, "/dev/null", 0), -EINVAL);
	snprintf(raw, sizeof(raw), "%s/none", dir);
	CHECK_EQ(open_path(&b, raw, 0), -ENOENT);
	CHECK_HAS(e.text, raw);
	unlink(path);
	rmdir(dir);
}

/* Data around the page cache, the library's own through it, in one file. */
static void direct(void)
{
	struct vhd_create_opts o = { .format = VHD_DYNAMIC, .size = DISK, .block_size = BLOCK };
	char path[] = "/var/tmp/vhd_map.XXXXXX";
	uint8_t *buf = aligned_alloc(4096, 8192);
	struct vhd *d = NULL;
	struct vhd_info info;
	struct vhd_map m;
	uint32_t i;
	int err;

	close(mkstemp(path));
	unlink(path);
	CHECK_EQ(vhd_create(path, &o, &e), 0);
	err = open_path(&d, path, VHD_OPEN_DIRECT);
	if (err == -EINVAL && strstr(e.text, "page cache")) {
		printf("# /var/tmp takes no O_DIRECT\n");
		unlink(path);
		free(buf);
		return;
	}
	CHECK_EQ(err, 0);
	if (err)
		return;
	vhd_get_info(d, &info);
	CHECK_EQ(info.alignment, 4096);
	CHECK(fcntl(vhd_fd(d), F_GETFL) & O_DIRECT);
	memset(buf, 0x3c, 8192);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(vhd_map(d, i * 2 * PER + 8, 16, VHD_WRITE, 0, &m), 0);
		CHECK_EQ(m.nr, 1);
		CHECK_EQ(pwrite(m.ext[0].fd, buf, 8192, m.ext[0].offset), 8192);
		CHECK_EQ(vhd_map_done(d, &m, 8192, 0), 0);
	}
	CHECK_EQ(vhd_flush(d), 0);
	CHECK(holds(d, 8, 16, 0x3c));
	CHECK_EQ(vhd_close(d, &e), 0);
	CHECK_EQ(open_path(&d, path, 0), 0);
	for (i = 0; i < 3; i++)
		CHECK(holds(d, i * 2 * PER + 8, 16, 0x3c) && holds(d, i * 2 * PER, 8, 0));
	CHECK_EQ(vhd_close(d, &e), 0);
	unlink(path);
	free(buf);
}

static void readonly(void)
{
	struct vhd_open_opts o = { .flags = VHD_OPEN_RDONLY };
	struct memfile f;
	struct vhd *d = make(&f, VHD_DYNAMIC, 0);
	struct iovec iov = { &f, 512 };
	struct vhd_map m;

	fill(d, 0, 1, 1);
	vhd_close(d, &e);
	f.changes = 0;
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, "mem", &o, &e), 0);
	CHECK_EQ(vhd_map(d, 0, 1, VHD_WRITE, 0, &m), -EROFS);
	CHECK_EQ(vhd_write(d, 0, &iov, 1, 512), -EROFS);
	CHECK_EQ(vhd_zero(d, 0, 1, 0), -EROFS);
	CHECK_EQ(vhd_flush(d), 0);
	CHECK(holds(d, 0, 1, 1));
	CHECK_EQ(vhd_close(d, &e), 0);
	CHECK_EQ(f.changes, 0);
	memfile_done(&f);
}

static int open_fd(struct vhd **d, int fd, uint32_t flags)
{
	struct vhd_open_opts o = { .flags = flags };

	memset(&e, 0, sizeof(e));
	return vhd_open_fd(d, fd, "given", &o, &e);
}

/* A file that somebody else has opened, and maybe locked. */
static void given(void)
{
	struct vhd_create_opts o = { .format = VHD_DYNAMIC, .size = DISK };
	char dir[] = "/tmp/vhd_map.XXXXXX", path[64];
	struct vhd *a, *b;
	int fd;

	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/disk", dir);
	CHECK_EQ(vhd_create(path, &o, &e), 0);
	CHECK_EQ(open_fd(&a, open(path, O_RDONLY), 0), -EBADF);
	CHECK_HAS(e.text, "given");
	CHECK_EQ(open_fd(&a, open(path, O_WRONLY), VHD_OPEN_RDONLY), -EBADF);
	CHECK_EQ(open_fd(&a, open(path, O_RDWR | O_APPEND), 0), -EBADF);
	CHECK_EQ(open_fd(&a, open(path, O_PATH), VHD_OPEN_RDONLY), -EBADF);
	CHECK_EQ(open_fd(&a, open(dir, O_RDONLY), VHD_OPEN_RDONLY), -EINVAL);
	CHECK_EQ(open_fd(&a, open("/dev/null", O_RDWR), 0), -EINVAL);
	CHECK_EQ(open_fd(&a, -1, 0), -EINVAL);
	fd = open(path, O_RDWR);
	CHECK_EQ(open_fd(&a, fd, VHD_OPEN_DIRECT), -EINVAL);
	CHECK_EQ(fcntl(fd, F_GETFD), -1);	/* gone, as after every error */
	CHECK_EQ(open_fd(&a, open(path, O_RDWR), 0), 0);
	CHECK_EQ(open_path(&b, path, 0), -EBUSY);
	CHECK_EQ(open_fd(&b, open(path, O_RDWR), 0), -EBUSY);
	CHECK_HAS(e.text, "another process");	/* not looked for */
	/* The lock goes on with a second descriptor of what was opened, when the first user closes. */
	fd = dup(vhd_fd(a));
	CHECK_EQ(vhd_close(a, &e), 0);
	CHECK_EQ(open_path(&b, path, 0), -EBUSY);
	CHECK_EQ(open_fd(&a, fd, 0), 0);
	CHECK_EQ(open_path(&b, path, VHD_OPEN_RDONLY), -EBUSY);
	CHECK_EQ(vhd_close(a, &e), 0);
	CHECK_EQ(open_path(&b, path, 0), 0);
	vhd_close(b, &e);
	unlink(path);
	rmdir(dir);
}

/* At rest the file is as after closing it, which does not write then; and it can be gone on with. */
static void resting(void)
{
	struct memfile f;
	struct vhd *d = make(&f, VHD_DYNAMIC, 4);
	uint64_t size, ops;

	fill(d, 0, 8, 0x11);
	size = f.size;
	CHECK_EQ(vhd_rest(d, &e), 0);
	CHECK(f.size < size);
	size = f.size;
	fill(d, 5 * PER, 8, 0x22);
	CHECK(f.size > size);
	CHECK_EQ(vhd_rest(d, &e), 0);
	CHECK_EQ(vhd_flush(d), 0);
	size = f.size;
	ops = f.changes;
	CHECK_EQ(vhd_close(d, &e), 0);
	CHECK_EQ(f.size, size);
	CHECK_EQ(f.changes, ops + 1);	/* a sync */
	d = reopen(&f, NULL);
	CHECK(holds(d, 0, 8, 0x11));
	CHECK(holds(d, 5 * PER, 8, 0x22));
	CHECK_EQ(vhd_close(d, &e), 0);
	memfile_done(&f);
}

int main(void)
{
	resting();
	plain_maps();
	allocation();
	discards();
	early_flush();
	clear_bits();
	shrinking();
	waiting();
	locks();
	given();
	direct();
	readonly();
	return unit_done();
}
