// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues of disk requests, with io_uring and with threads, on raw and dynamic images: many requests at
 * once, vectors cut at odd places, against a copy in memory; a file that shrinks; a queue that is full;
 * images whose file system is memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/disk.h"
#include "backends/window.h"
#include "lib/unit.h"

#define SECTORS		16384u		/* 8 MiB */
#define DEPTH		16
#define RUN_MAX		96u		/* sectors */
#define VECS		7

struct slot {
	struct disk_req	req;
	struct iovec	iov[VECS], spare[VECS];
	uint8_t		buf[RUN_MAX * 512];
	bool		busy;
	uint64_t	sector, count;
};

static struct slot slots[DEPTH];
static uint8_t model[SECTORS * 512];
static unsigned int rnd = 1;
static int last_result;

static unsigned int random_below(unsigned int n)
{
	rnd = rnd * 1664525 + 1013904223;
	return (rnd >> 8) % n;
}

static void on_done(struct disk_req *r, int result)
{
	struct slot *s = (struct slot *)r;

	s->busy = false;
	last_result = result;
	if (r->verb == DISK_READ && !result)
		CHECK(!memcmp(s->buf, model + s->sector * 512, s->count * 512));
}

/* Pieces of odd numbers of sectors' parts that add up. */
static void vectors(struct slot *s, uint64_t bytes)
{
	uint8_t *p = s->buf;
	int n = 0;

	while (bytes) {
		size_t len = n == VECS - 1 ? bytes : 1 + random_below((unsigned int)bytes);

		s->iov[n].iov_base = p;
		s->iov[n++].iov_len = len;
		p += len;
		bytes -= len;
	}
	s->req.iov = s->iov;
	s->req.nr_iov = n;
}

/* Does what is under way touch these sectors? Two writers of one place would have no one result. */
static bool overlaps(uint64_t sector, uint64_t count)
{
	for (int i = 0; i < DEPTH; i++)
		if (slots[i].busy && sector < slots[i].sector + slots[i].count &&
		    slots[i].sector < sector + count)
			return true;
	return false;
}

static void start(struct diskq *q, struct disk *d, struct slot *s)
{
	uint64_t count = 1 + random_below(RUN_MAX), sector = random_below(SECTORS - (unsigned int)count);
	unsigned int what = random_below(10);

	if (overlaps(sector, count))
		return;
	memset(&s->req, 0, sizeof(s->req));
	s->req.disk = d;
	s->req.done = on_done;
	s->req.sector = s->sector = sector;
	s->req.count = s->count = count;
	s->busy = true;
	if (what < 5) {
		s->req.verb = DISK_READ;
		memset(s->buf, 0xee, sizeof(s->buf));
		vectors(s, count * 512);
	} else if (what < 8) {
		s->req.verb = DISK_WRITE;
		for (size_t i = 0; i < count * 512; i++)
			s->buf[i] = (uint8_t)random_below(256);
		memcpy(model + sector * 512, s->buf, count * 512);
		vectors(s, count * 512);
	} else if (what < 9) {
		s->req.verb = DISK_ZERO;
		s->req.flags = random_below(2) ? VHD_ZERO_UNMAP : 0;
		memset(model + sector * 512, 0, count * 512);
	} else {
		s->req.verb = DISK_FLUSH;
		s->sector = s->count = 0;
	}
	CHECK_EQ(diskq_submit(q, &s->req), 0);
}

static void drain(struct diskq *q)
{
	diskq_kick(q);
	while (diskq_busy(q))
		diskq_wait(q);
}

static void compare(struct disk *d)
{
	static uint8_t all[SECTORS * 512];
	struct iovec iov = { all, sizeof(all) };

	CHECK_EQ(vhd_read(d->vhd, 0, &iov, 1, sizeof(all)), 0);
	CHECK(!memcmp(all, model, sizeof(all)));
}

/* Does this machine let us make a ring? Containers often do not. */
static bool have_uring(void)
{
	struct io_uring_params p = { 0 };
	int fd = (int)syscall(SYS_io_uring_setup, 1, &p);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void random_requests(const char *path, bool threads)
{
	int wake = eventfd(0, EFD_CLOEXEC), round;
	struct vhd_err e;
	struct diskq *q;
	struct disk *d;

	memset(model, 0, sizeof(model));
	CHECK_EQ(disk_open(&d, path, 0, &e), 0);
	CHECK_EQ(diskq_create(&q, DEPTH, wake, threads), 0);
	CHECK(!strcmp(diskq_engine(q), threads || !have_uring() ? "threads" : "io_uring"));
	for (round = 0; round < 2000; round++) {
		unsigned int i = random_below(DEPTH);

		if (!slots[i].busy)
			start(q, d, &slots[i]);
		if (!random_below(4))
			diskq_kick(q);
		if (!random_below(8) && diskq_busy(q))
			diskq_wait(q);
	}
	drain(q);
	compare(d);
	diskq_release(q);
	CHECK_EQ(disk_close(d, &e), 0);
	CHECK_EQ(disk_open(&d, path, DISK_READONLY, &e), 0);
	compare(d);
	CHECK_EQ(disk_close(d, &e), 0);
	close(wake);
}

static void test_random(enum vhd_format format, bool threads)
{
	struct vhd_create_opts opts = { .format = format, .size = sizeof(model), .block_size = 4096 };
	char path[] = "/tmp/hv-diskq-XXXXXX";
	struct vhd_err e;

	close(mkstemp(path));
	unlink(path);
	CHECK_EQ(vhd_create(path, &opts, &e), 0);
	random_requests(path, threads);
	unlink(path);
}

/* A fresh image in a file of memory, and a name for it. */
static int memory_image(enum vhd_format format, char *name, size_t len)
{
	struct vhd_create_opts opts = { .format = format, .size = sizeof(model), .block_size = 4096 };
	int fd = memfd_create("hv-diskq", MFD_CLOEXEC), from;
	char path[] = "/tmp/hv-diskq-XXXXXX";
	static char buf[65536];
	struct vhd_err e;
	ssize_t n;

	close(mkstemp(path));
	unlink(path);
	CHECK_EQ(vhd_create(path, &opts, &e), 0);
	from = open(path, O_RDONLY | O_CLOEXEC);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		CHECK_EQ(write(fd, buf, (size_t)n), n);
	close(from);
	unlink(path);
	snprintf(name, len, "/proc/self/fd/%d", fd);
	return fd;
}

static void test_random_memory(enum vhd_format format, bool threads)
{
	char name[40];
	int fd = memory_image(format, name, sizeof(name));

	random_requests(name, threads);
	close(fd);
}

static struct diskq *chain_q;
static unsigned int chain_left;

static void on_chain(struct disk_req *r, int result)
{
	CHECK_EQ(result, 0);
	if (!--chain_left)
		return;
	r->iov = slots[0].iov;
	r->iov[0] = (struct iovec){ slots[0].buf, 512 };
	r->nr_iov = 1;
	r->sector = chain_left % SECTORS;
	r->count = 1;
	CHECK_EQ(diskq_submit(chain_q, r), 0);
}

/* What is done on the spot is told by kicks, one step of a chain each, and nobody sleeps over it. */
static void test_memory(void)
{
	int wake = eventfd(0, EFD_CLOEXEC), fd;
	struct disk_req *r = &slots[0].req;
	struct vhd_err e;
	struct disk *d;
	char name[40];

	fd = memory_image(VHD_DYNAMIC, name, sizeof(name));
	CHECK_EQ(disk_open(&d, name, 0, &e), 0);
	CHECK(d->in_memory);
	CHECK_EQ(diskq_create(&chain_q, DEPTH, wake, !have_uring()), 0);
	if (!strcmp(diskq_engine(chain_q), "io_uring")) {
		slots[0].iov[0] = (struct iovec){ slots[0].buf, 512 };
		*r = (struct disk_req){ .disk = d, .verb = DISK_WRITE, .sector = 3, .count = 1,
					.iov = slots[0].iov, .nr_iov = 1, .done = on_chain };
		chain_left = 1;		/* a block that has to be allocated: by a thread */
		CHECK_EQ(diskq_submit(chain_q, r), 0);
		drain(chain_q);
		CHECK_EQ(chain_left, 0);
		chain_left = 3;
		r->verb = DISK_READ;
		r->iov[0] = (struct iovec){ slots[0].buf, 512 };
		r->nr_iov = 1;
		r->count = 1;
		CHECK_EQ(diskq_submit(chain_q, r), 0);
		CHECK_EQ(chain_left, 3);
		diskq_wait(chain_q);
		CHECK_EQ(chain_left, 2);
		diskq_kick(chain_q);
		CHECK_EQ(chain_left, 1);
		CHECK_EQ(diskq_busy(chain_q), 1);
		drain(chain_q);
		CHECK_EQ(chain_left, 0);
	}
	diskq_release(chain_q);
	CHECK_EQ(disk_close(d, &e), 0);
	close(fd);
	close(wake);
}

/* The part of a raw disk that its file has lost is an I/O error; the rest goes on. */
static void test_short(bool threads)
{
	char path[] = "/tmp/hv-diskq-XXXXXX";
	int fd = mkstemp(path), wake = eventfd(0, EFD_CLOEXEC), i;
	struct slot *s = &slots[0];
	struct vhd_err e;
	struct diskq *q;
	struct disk *d;

	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	CHECK_EQ(disk_open(&d, path, 0, &e), 0);
	CHECK_EQ(diskq_create(&q, 2, wake, threads), 0);
	CHECK_EQ(ftruncate(fd, 512 << 10), 0);
	for (i = 0; i < 2; i++) {
		memset(&s->req, 0, sizeof(s->req));
		s->req.disk = d;
		s->req.verb = DISK_READ;
		s->req.done = on_done;
		s->req.sector = s->sector = i ? 0 : 1020;	/* half there, half not */
		s->req.count = s->count = 8;
		memset(model, 0, sizeof(model));
		vectors(s, 8 * 512);
		last_result = 1;
		CHECK_EQ(diskq_submit(q, &s->req), 0);
		drain(q);
		CHECK_EQ(last_result, i ? 0 : -EIO);
	}
	diskq_release(q);
	disk_close(d, &e);
	unlink(path);
	close(fd);
	close(wake);
}

/* More than the depth is refused; what is beyond the disk's end is an error of the request. */
static void test_limits(void)
{
	char path[] = "/tmp/hv-diskq-XXXXXX";
	int fd = mkstemp(path), wake = eventfd(0, EFD_CLOEXEC);
	struct slot *s = &slots[0];
	struct disk_req other;
	struct vhd_err e;
	struct diskq *q;
	struct disk *d;

	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	CHECK_EQ(disk_open(&d, path, 0, &e), 0);
	CHECK_EQ(diskq_create(&q, 1, wake, false), 0);
	memset(&s->req, 0, sizeof(s->req));
	s->req.disk = d;
	s->req.verb = DISK_READ;
	s->req.done = on_done;
	s->req.sector = s->sector = 8;
	s->req.count = s->count = 8;
	vectors(s, 8 * 512);
	other = s->req;
	CHECK_EQ(diskq_submit(q, &s->req), 0);
	CHECK_EQ(diskq_submit(q, &other), -EBUSY);
	drain(q);
	s->req.sector = 2048;
	s->req.count = 1;
	vectors(s, 512);
	CHECK_EQ(diskq_submit(q, &s->req), 0);
	drain(q);
	CHECK_EQ(last_result, -ERANGE);
	diskq_release(q);
	disk_close(d, &e);
	unlink(path);
	close(fd);
	close(wake);
}

static int results[2];

static void on_result(struct disk_req *r, int result)
{
	results[r->sector] = result;
}

/* A flush while another is in the ring: by a thread, or without one to be asked for again. */
static void test_flushes(bool thread)
{
	char path[] = "/tmp/hv-diskq-XXXXXX";
	int fd = mkstemp(path), wake = eventfd(0, EFD_CLOEXEC), i;
	pthread_attr_t normal, huge;
	struct disk_req r[2];
	struct vhd_err e;
	struct diskq *q;
	struct disk *d;

	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	CHECK_EQ(disk_open(&d, path, 0, &e), 0);
	CHECK_EQ(diskq_create(&q, DEPTH, wake, false), 0);
	/* No thread can have such a stack. */
	CHECK_EQ(pthread_getattr_default_np(&normal), 0);
	CHECK_EQ(pthread_getattr_default_np(&huge), 0);
	CHECK_EQ(pthread_attr_setstacksize(&huge, 1ULL << 48), 0);
	if (!thread)
		CHECK_EQ(pthread_setattr_default_np(&huge), 0);
	for (i = 0; i < 2; i++) {
		r[i] = (struct disk_req){ .disk = d, .verb = DISK_FLUSH, .sector = i, .done = on_result };
		results[i] = 1;
		CHECK_EQ(diskq_submit(q, &r[i]), 0);
	}
	CHECK_EQ(results[1], thread ? 1 : -EAGAIN);
	drain(q);
	CHECK_EQ(results[0], 0);
	CHECK_EQ(results[1], thread ? 0 : -EAGAIN);
	CHECK_EQ(diskq_submit(q, &r[1]), 0);
	drain(q);
	CHECK_EQ(results[1], 0);
	CHECK_EQ(pthread_setattr_default_np(&normal), 0);
	diskq_release(q);
	CHECK_EQ(disk_close(d, &e), 0);
	unlink(path);
	close(fd);
	close(wake);
}

/* A signal that a kick in the middle of the caller's turn comes across still ends the next wait. */
static void test_wake(void)
{
	char path[] = "/tmp/hv-diskq-XXXXXX";
	int fd = mkstemp(path), wake = eventfd(0, EFD_CLOEXEC);
	struct slot *s = &slots[0];
	const uint64_t one = 1;
	uint64_t count;
	struct vhd_err e;
	struct diskq *q;
	struct disk *d;

	CHECK_EQ(ftruncate(fd, 1 << 20), 0);
	CHECK_EQ(disk_open(&d, path, 0, &e), 0);
	d->in_memory = false;
	CHECK_EQ(diskq_create(&q, 1, wake, !have_uring()), 0);
	memset(model, 0, sizeof(model));
	memset(&s->req, 0, sizeof(s->req));
	s->req.disk = d;
	s->req.verb = DISK_READ;
	s->req.done = on_done;
	s->req.sector = s->sector = 8;
	s->req.count = s->count = 8;
	vectors(s, 8 * 512);
	CHECK_EQ(diskq_submit(q, &s->req), 0);
	while (diskq_busy(q))
		diskq_wait(q);
	/* The wait has left its poll behind. */
	CHECK_EQ(write(wake, &one, sizeof(one)), sizeof(one));
	diskq_kick(q);
	alarm(20);	/* it is about not sleeping for ever */
	diskq_wait(q);
	alarm(0);
	CHECK_EQ(fcntl(wake, F_SETFL, O_NONBLOCK), 0);
	CHECK_EQ(read(wake, &count, sizeof(count)), -1);
	CHECK_EQ(errno, EAGAIN);
	diskq_release(q);
	disk_close(d, &e);
	unlink(path);
	close(fd);
	close(wake);
}

/* What is said to be raw is raw, whatever its guest has made it look like. */
static void test_raw(void)
{
	struct vhd_create_opts opts = { .format = VHD_DYNAMIC, .size = 1 << 20 };
	char path[] = "/tmp/hv-diskq-XXXXXX";
	struct vhd_err e;
	struct disk *d;

	close(mkstemp(path));
	unlink(path);
	CHECK_EQ(vhd_create(path, &opts, &e), 0);
	CHECK_EQ(disk_open(&d, path, 0, &e), 0);
	CHECK_EQ(d->info.format, VHD_DYNAMIC);
	CHECK_EQ(disk_close(d, &e), 0);
	CHECK_EQ(disk_open(&d, path, DISK_RAW | DISK_READONLY, &e), 0);
	CHECK_EQ(d->info.format, VHD_RAW);
	CHECK_EQ(d->info.size, d->info.file_size);
	CHECK_EQ(disk_close(d, &e), 0);
	unlink(path);
}

int main(void)
{
	static const enum vhd_format formats[] = { VHD_RAW, VHD_FIXED, VHD_DYNAMIC };

	CHECK_EQ(window_catch(), 0);
	for (size_t i = 0; i < 3; i++) {
		test_random(formats[i], false);
		test_random(formats[i], true);
		test_random_memory(formats[i], false);
		test_random_memory(formats[i], true);
	}
	test_memory();
	test_short(false);
	test_short(true);
	test_limits();
	if (have_uring()) {
		test_flushes(true);
		test_flushes(false);
	}
	test_wake();
	test_raw();
	return unit_done();
}
