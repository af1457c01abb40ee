// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Many queues on one disk. Threads share every block, each with sectors of its own, and write, read, map,
 * discard and flush without asking each other. What a thread reads is what it wrote last. A few blocks
 * are written and discarded by all at once; nobody cares what they hold, but data that comes late to a
 * discarded block would stand in somebody else's.
 *
 * Built twice: with ASan as a unit test and with TSan (vhd.tsan).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/memfile.h"
#include "lib/unit.h"

#define THREADS	6u
#define BLOCK	32768u
#define PER	(BLOCK / 512)
#define SHARED	24u		/* blocks that all threads use */
#define OWN	8u		/* blocks each thread has alone */
#define ROUNDS	3000u
#define WILD	3u		/* blocks in which anything goes */
#define KNOWN	((SHARED + THREADS * OWN) * PER)
#define SECTORS	(KNOWN + WILD * PER)

struct worker {
	pthread_t	thread;
	struct vhd	*d;
	unsigned int	nr;
	uint64_t	seed;
	unsigned int	bad;
	uint32_t	version[SECTORS];	/* what it wrote last to each of its sectors */
};

static struct worker workers[THREADS];

static void fill(uint8_t *p, uint32_t sector, uint32_t version, unsigned int nr)
{
	uint32_t stamp[4] = { version, sector, nr, ~version };
	unsigned int i;

	if (!version)
		memset(stamp, 0, sizeof(stamp));
	for (i = 0; i < 512; i += sizeof(stamp))
		memcpy(p + i, stamp, sizeof(stamp));
}

/* Through a map, as a device does it. */
static int mapped(struct worker *w, uint32_t sector, uint32_t n, enum vhd_dir dir, uint8_t *buf)
{
	struct vhd_map m;
	uint32_t i;

	while (n) {
		int err = vhd_map(w->d, sector, n, dir, VHD_NOWAIT, &m);

		if (err == -EAGAIN)
			err = vhd_map(w->d, sector, n, dir, 0, &m);
		if (err)
			return err;
		if (memfile_random(&w->seed) % 4 == 0)
			sched_yield();
		for (i = 0; i < m.nr; i++) {
			ssize_t len = m.ext[i].len, got = len;

			if (m.ext[i].kind == VHD_EXT_ZERO)
				memset(buf, 0, len);
			else if (dir == VHD_READ)
				got = pread(m.ext[i].fd, buf, len, m.ext[i].offset);
			else
				got = pwrite(m.ext[i].fd, buf, len, m.ext[i].offset);
			if (got != len)
				err = -EIO;
			buf += len;
		}
		err = vhd_map_done(w->d, &m, err ? err : (int64_t)(m.count * 512), VHD_NOWAIT);
		if (err)
			return err;
		sector += m.count;
		n -= m.count;
	}
	return 0;
}

static int transfer(struct worker *w, uint32_t sector, uint32_t n, enum vhd_dir dir, uint8_t *buf)
{
	struct iovec iov = { buf, n * 512 };

	if (vhd_fd(w->d) >= 0 && memfile_random(&w->seed) % 4)
		return mapped(w, sector, n, dir, buf);
	return dir == VHD_READ ? vhd_read(w->d, sector, &iov, 1, n * 512) :
				 vhd_write(w->d, sector, &iov, 1, n * 512);
}

static int check(struct worker *w, uint32_t sector, uint32_t n)
{
	static __thread uint8_t buf[PER * 512];
	uint8_t want[512];
	uint32_t i;

	if (transfer(w, sector, n, VHD_READ, buf))
		return 1;
	for (i = 0; i < n; i++) {
		fill(want, sector + i, w->version[sector + i], w->nr);
		if (memcmp(buf + i * 512, want, 512))
			return 1;
	}
	return 0;
}

static int change(struct worker *w, uint32_t sector, uint32_t n, uint32_t version)
{
	static __thread uint8_t buf[PER * 512];
	uint32_t i;
	int err;

	for (i = 0; i < n; i++) {
		fill(buf + i * 512, sector + i, version, w->nr);
		w->version[sector + i] = version;
	}
	if (!version)
		err = vhd_zero(w->d, sector, n, VHD_ZERO_UNMAP);
	else
		err = transfer(w, sector, n, VHD_WRITE, buf);
	return err ? 1 : 0;
}

static int wild(struct worker *w, uint64_t r)
{
	static __thread uint8_t buf[PER * 512];
	uint32_t block = KNOWN + r % WILD * PER;

	memset(buf, 0xdb, sizeof(buf));
	if (r / 16 % 2)
		return vhd_zero(w->d, block, PER, VHD_ZERO_UNMAP);
	return transfer(w, block + r / 32 % PER, 1, VHD_WRITE, buf);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	uint32_t i, s, n;

	for (i = 1; i <= ROUNDS; i++) {
		uint64_t r = memfile_random(&w->seed);

		w->bad += wild(w, r / 65536) != 0;
		if (r % 3) {
			s = r / 8 % (SHARED * PER / THREADS) * THREADS + w->nr;
			n = 1;
		} else {
			s = (SHARED + w->nr * OWN + r / 8 % OWN) * PER;
			n = PER;
		}
		if (s >= KNOWN)
			continue;
		w->bad += check(w, s, n);
		w->bad += change(w, s, n, r / 1024 % 3 ? i : 0);
		w->bad += check(w, s, n);
		if (r / 4096 % 64 == 0)
			w->bad += vhd_flush(w->d) != 0;
	}
	return NULL;
}

static void race(struct vhd *d)
{
	unsigned int i;

	for (i = 0; i < THREADS; i++) {
		workers[i].d = d;
		workers[i].nr = i;
		workers[i].seed = 77 + i;
		workers[i].bad = 0;
		CHECK_EQ(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		CHECK_EQ(workers[i].bad, 0);
	}
}

/* What was written stays, and the image is sound. */
static void after(struct vhd *d)
{
	unsigned int i;
	uint32_t s;

	for (i = 0; i < THREADS; i++) {
		workers[i].d = d;
		for (s = i; s < SHARED * PER; s += THREADS)
			workers[i].bad += check(&workers[i], s, 1);
		for (s = 0; s < OWN; s++)
			workers[i].bad += check(&workers[i], (SHARED + i * OWN + s) * PER, PER);
		CHECK_EQ(workers[i].bad, 0);
	}
}

/* The size as it was a moment ago: others have made the file longer since. */
static int late_size(void *ctx, uint64_t *bytes)
{
	int err = memfile_ops.size(ctx, bytes);

	usleep(3000);
	return err;
}

int main(void)
{
	struct vhd_io_ops late = memfile_ops;
	struct vhd_create_opts o = { .format = VHD_DYNAMIC, .size = SECTORS * 512, .block_size = BLOCK };
	struct vhd_open_opts oo = { .reserve = 3 };
	char dir[] = "/tmp/vhd_race.XXXXXX", path[64];
	struct vhd_check c;
	struct memfile f;
	struct vhd_err e;
	struct vhd *d;
	int i;

	late.size = late_size;
	memfile_init(&f);
	CHECK_EQ(vhd_create_io(&memfile_ops, &f, "mem", &o, &e), 0);
	CHECK_EQ(vhd_open_io(&d, &late, &f, "mem", &oo, &e), 0);
	race(d);
	CHECK_EQ(vhd_close(d, &e), 0);
	CHECK_EQ(vhd_check_io(&memfile_ops, &f, "mem", &c, &e), 0);
	memfile_done(&f);

	memset(workers, 0, sizeof(workers));
	CHECK(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/disk", dir);
	CHECK_EQ(vhd_create(path, &o, &e), 0);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(vhd_open(&d, path, &oo, &e), 0);
		race(d);
		CHECK_EQ(vhd_close(d, &e), 0);
	}
	CHECK_EQ(vhd_check(path, &c, &e), 0);
	CHECK_EQ(c.partial, 0);
	CHECK_EQ(vhd_open(&d, path, NULL, &e), 0);
	after(d);
	CHECK_EQ(vhd_close(d, &e), 0);
	unlink(path);
	rmdir(dir);
	return unit_done();
}
