// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Power cuts.
 *
 * A random workload runs on a disk over a file in memory that records every operation. Then the
 * power is cut after some of them: what was not synced by then is there or not, sector by sector.
 * The disk is opened again, and every sector must hold what a flush that was acknowledged before the
 * cut covered, or something that was written to it later; the image must be sound; and it must still
 * take writes.
 *
 * What is expected comes from a list of the guest's operations that shares nothing with libvhd. The same
 * run with the syncs taken out must find losses, or the test proves nothing.
 *
 *	vhd_cut_test [CUTS [SEED]]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/memfile.h"
#include "lib/unit.h"

#define SECTORS_MAX	8192u
#define EVENTS		400u

/* What the guest did. Event n puts version n into its sectors, or zeros. */
struct event {
	enum { EV_WRITE, EV_ZERO, EV_FLUSH } kind;
	uint32_t	sector, count;
	uint32_t	begun;		/* operations recorded when it began */
	uint32_t	ended;		/* and when it was acknowledged */
};

struct workload {
	const char	*name;
	enum vhd_format	format;
	uint32_t	sectors, block_size, reserve;
	bool		no_punch, foreign, deaf;
};

static struct event events[EVENTS + 1];
static uint32_t nr_events;
static uint64_t seed;

static void fill(uint8_t *buf, uint32_t sector, uint32_t count, uint32_t version)
{
	uint32_t i, j;

	for (i = 0; i < count; i++)
		for (j = 0; j < 512; j += 8) {
			uint32_t stamp[2] = { version, sector + i };

			memcpy(buf + i * 512 + j, stamp, 8);
		}
}

/* The version in a sector, 0 for zeros, UINT32_MAX for what nobody wrote. */
static uint32_t version_of(const uint8_t *p, uint32_t sector)
{
	static uint8_t want[512];
	uint32_t v;

	memcpy(&v, p, 4);
	if (v)
		fill(want, sector, 1, v);
	else
		memset(want, 0, sizeof(want));
	return memcmp(p, want, 512) ? UINT32_MAX : v;
}

static struct vhd *disk_open(struct memfile *f, const struct workload *w, struct vhd_err *e)
{
	struct vhd_open_opts o = { .format = w->format, .reserve = w->reserve };
	struct vhd *d;

	return vhd_open_io(&d, &memfile_ops, f, "mem", &o, e) ? NULL : d;
}

static void event_do(struct vhd *d, struct memfile *f, struct event *ev, uint32_t sectors, uint32_t version)
{
	static uint8_t buf[1024 * 512];
	uint64_t r = memfile_random(&seed);
	struct iovec iov = { buf, 0 };
	int err;

	ev->begun = f->nr;
	ev->sector = memfile_random(&seed) % sectors;
	ev->count = 1 + memfile_random(&seed) % (r & 1 ? 16 : r & 2 ? 200 : 1024);
	if (ev->count > sectors - ev->sector)
		ev->count = sectors - ev->sector;
	switch (r / 4 % 16) {
	case 0: case 1: case 2:
		ev->kind = EV_FLUSH;
		err = vhd_flush(d);
		break;
	case 3: case 4: case 5: case 6:
		ev->kind = EV_ZERO;
		err = vhd_zero(d, ev->sector, ev->count, r & 256 ? 0 : VHD_ZERO_UNMAP);
		break;
	default:
		ev->kind = EV_WRITE;
		fill(buf, ev->sector, ev->count, version);
		iov.iov_len = ev->count * 512;
		err = vhd_write(d, ev->sector, &iov, 1, iov.iov_len);
	}
	CHECK_EQ(err, 0);
	ev->ended = f->nr;
}

static void workload_run(struct memfile *f, const struct workload *w)
{
	struct vhd_err e;
	struct vhd *d = disk_open(f, w, &e);

	CHECK(d);
	if (!d)
		return;
	for (nr_events = 1; nr_events <= EVENTS; nr_events++) {
		event_do(d, f, &events[nr_events], w->sectors, nr_events);
		/* Closing and opening move things about as well. */
		if (memfile_random(&seed) % 64)
			continue;
		CHECK_EQ(vhd_close(d, &e), 0);
		d = disk_open(f, w, &e);
		CHECK(d);
		if (!d)
			return;
	}
	CHECK_EQ(vhd_close(d, &e), 0);
}

/*
 * Blocks as another program might have left them: anywhere, with bits clear here and there, and under those
 * something that must never be seen. All sectors read as zeros still.
 */
static void foreign_blocks(struct memfile *f, const struct workload *w)
{
	uint32_t per = w->block_size / 512, blocks = (w->sectors + per - 1) / per, b, i;
	uint64_t at = f->size - 512, junk = 0x6a756e6b6a756e6b;
	uint8_t footer[512], entry[4], zeros[512] = { 0 }, bits[512];

	memcpy(footer, f->data + at, 512);
	for (b = 0; b < blocks; b++) {
		struct iovec iov = { entry, 4 };

		if (memfile_random(&seed) % 3 == 0)
			continue;
		for (i = 0; i < 4; i++)
			entry[i] = at / 512 >> (24 - 8 * i);
		memfile_ops.pwritev(f, &iov, 1, 1536 + b * 4);
		memset(bits, 0, sizeof(bits));
		for (i = 0; i < per / 8; i++)
			bits[i] = memfile_random(&seed) >> 8;
		iov = (struct iovec){ bits, 512 };
		memfile_ops.pwritev(f, &iov, 1, at);
		for (i = 0; i < per; i++) {
			iov.iov_base = zeros;
			if (!(bits[i / 8] & 0x80 >> i % 8))
				iov = (struct iovec){ &junk, 8 };
			memfile_ops.pwritev(f, &iov, 1, at + 512 + i * 512);
			iov.iov_len = 512;
		}
		at += 512 + w->block_size;
	}
	memfile_ops.pwritev(f, &(struct iovec){ footer, 512 }, 1, at);
}

/* Versions that may stand in each sector after a cut at @cut. Return: sectors that hold something else. */
static uint32_t compare(const uint8_t *disk, uint32_t sectors, uint32_t cut)
{
	static uint32_t floor[SECTORS_MAX];
	static bool zero[SECTORS_MAX];
	uint32_t flushed = 0, i, s, bad = 0;

	memset(floor, 0, sizeof(floor));
	memset(zero, 0, sizeof(zero));
	for (i = 1; i < nr_events; i++)
		if (events[i].kind == EV_FLUSH && events[i].ended <= cut)
			flushed = i;
	for (i = 1; i < nr_events; i++) {
		if (events[i].kind == EV_FLUSH || events[i].begun >= cut)
			continue;
		for (s = events[i].sector; s < events[i].sector + events[i].count; s++) {
			if (i < flushed)
				floor[s] = events[i].kind == EV_WRITE ? i : 0;
			else
				zero[s] |= events[i].kind == EV_ZERO;
		}
	}
	for (s = 0; s < sectors; s++) {
		uint32_t v = version_of(disk + s * 512, s);

		if (v == floor[s] || (!v && zero[s]))
			continue;
		if (v && v < nr_events && v > flushed && events[v].kind == EV_WRITE && events[v].begun < cut &&
		    s >= events[v].sector && s < events[v].sector + events[v].count)
			continue;
		bad++;
	}
	return bad;
}

/* Open what is left, compare, write. Return: whether all was well. */
static bool survives(struct memfile *f, const struct workload *w, uint32_t cut, char *why, size_t room)
{
	static uint8_t disk[SECTORS_MAX * 512];
	struct iovec iov = { disk, w->sectors * 512 };
	struct vhd_check c;
	struct vhd_err e;
	struct vhd *d;
	uint32_t bad;
	int err;

	if (vhd_check_io(&memfile_ops, f, "mem", &c, &e)) {
		snprintf(why, room, "check: %s", e.text);
		return false;
	}
	d = disk_open(f, w, &e);
	if (!d) {
		snprintf(why, room, "open: %s", e.text);
		return false;
	}
	err = vhd_read(d, 0, &iov, 1, iov.iov_len);
	bad = err ? w->sectors : compare(disk, w->sectors, cut);
	snprintf(why, room, "%u sectors are wrong (read: %d)", bad, err);
	/* It still works, and keeps what it held. */
	if (!bad) {
		iov.iov_len = 512;
		memset(disk + w->sectors / 2 * 512, 0x5a, 512);
		iov.iov_base = disk + w->sectors / 2 * 512;
		err = vhd_write(d, w->sectors / 2, &iov, 1, 512);
	}
	if (vhd_close(d, &e) || err)
		bad = 1;
	if (!bad && (vhd_check_io(&memfile_ops, f, "mem", &c, &e) || !(d = disk_open(f, w, &e)))) {
		snprintf(why, room, "afterwards: %s", e.text);
		return false;
	}
	if (!bad) {
		static uint8_t again[SECTORS_MAX * 512];

		iov = (struct iovec){ again, w->sectors * 512 };
		bad = vhd_read(d, 0, &iov, 1, iov.iov_len) || memcmp(again, disk, iov.iov_len);
		vhd_close(d, NULL);
		if (bad)
			snprintf(why, room, "one write changed other sectors");
	}
	return !bad;
}

/* qemu-img reads it too, and finds only what may be there. It ignores clear bits: not for others' blocks. */
static bool qemu_agrees(const struct memfile *f, const struct workload *w, uint32_t cut, char *why,
			size_t room)
{
	static uint8_t disk[SECTORS_MAX * 512];
	char vhd[] = "/tmp/vhd_cut.XXXXXX", line[200];
	int fd = mkstemp(vhd), raw;
	uint32_t bad = w->sectors;

	if (fd < 0 || write(fd, f->data, f->size) != (ssize_t)f->size)
		return false;
	close(fd);
	snprintf(line, sizeof(line), "qemu-img convert -f vpc -O raw %s %s.raw", vhd, vhd);
	if (!system(line)) {
		snprintf(line, sizeof(line), "%s.raw", vhd);
		raw = open(line, O_RDONLY);
		if (read(raw, disk, w->sectors * 512) == (ssize_t)w->sectors * 512)
			bad = compare(disk, w->sectors, cut);
		close(raw);
		unlink(line);
	}
	unlink(vhd);
	snprintf(why, room, "qemu-img finds %u wrong sectors", bad);
	return !bad;
}

/* Anywhere, or where the file gets shorter. */
static uint32_t cut_at(const struct memfile *run)
{
	uint32_t at = memfile_random(&seed) % (run->nr + 1), i;

	if (memfile_random(&seed) % 4)
		return at;
	for (i = at; i < run->nr && run->op[i].kind != MEM_TRUNCATE; i++)
		;
	i += memfile_random(&seed) % 3;
	return i < run->nr ? i : at;
}

/* Return: cuts that lost something. */
static uint32_t cuts(const struct workload *w, uint32_t times)
{
	struct vhd_create_opts o = { .format = w->format, .size = w->sectors * 512ull,
				     .block_size = w->block_size };
	struct memfile start, run, cut;
	uint32_t i, lost = 0;
	struct vhd_err e;
	char why[600];

	memfile_init(&start);
	memfile_init(&run);
	memfile_init(&cut);
	CHECK_EQ(vhd_create_io(&memfile_ops, &start, "mem", &o, &e), 0);
	if (w->foreign)
		foreign_blocks(&start, w);
	memfile_copy(&run, &start);
	run.record = true;
	run.deaf = w->deaf;
	run.no_punch = cut.no_punch = w->no_punch;
	workload_run(&run, w);
	for (i = 0; i < times; i++) {
		uint64_t was = seed;
		uint32_t at = cut_at(&run);
		unsigned int lose = i % 4 == 0 ? 0 : i % 4 == 1 ? 256 : memfile_random(&seed) % 256;

		memfile_cut(&cut, &start, &run, at, lose, &seed);
		if (w->format == VHD_DYNAMIC && !w->foreign && !w->deaf && i % (times / 10 + 1) == 2 &&
		    !qemu_agrees(&cut, w, at, why, sizeof(why))) {
			fprintf(stderr, "%s: %s\n", w->name, why);
			lost++;
		}
		if (survives(&cut, w, at, why, sizeof(why)))
			continue;
		if (!lost++ && !w->deaf)
			fprintf(stderr, "%s: cut after %u of %u operations, seed %#llx: %s\n", w->name, at, run.nr,
				(unsigned long long)was, why);
	}
	printf("# %s: %u operations, %u cuts, %u lost something\n", w->name, run.nr, times, lost);
	memfile_done(&start);
	memfile_done(&run);
	memfile_done(&cut);
	return lost;
}

int main(int argc, char **argv)
{
	static const struct workload table[] = {
		{ "dynamic, 64 KiB blocks", VHD_DYNAMIC, 8000, 65536, 3, false, false, false },
		{ "dynamic, 4 KiB blocks", VHD_DYNAMIC, 1500, 4096, 7, false, false, false },
		{ "dynamic, 2 MiB blocks", VHD_DYNAMIC, 8192, 0, 0, false, false, false },
		{ "dynamic, no holes", VHD_DYNAMIC, 4000, 32768, 1, true, false, false },
		{ "dynamic, others' blocks", VHD_DYNAMIC, 4000, 32768, 2, false, true, false },
		{ "dynamic, others', no holes", VHD_DYNAMIC, 4000, 131072, 2, true, true, false },
		{ "fixed", VHD_FIXED, 2000, 0, 0, false, false, false },
		{ "raw", VHD_RAW, 2000, 0, 0, false, false, false },
	};
	uint32_t times = argc > 1 ? strtoul(argv[1], NULL, 0) : 200, i;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 0x1234567;
	printf("# %u cuts a workload, seed %#llx\n", times, (unsigned long long)seed);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct workload deaf = table[i];

		CHECK_EQ(cuts(&table[i], times), 0);
		deaf.deaf = true;
		CHECK(cuts(&deaf, times > 40 ? 40 : times) > 0);
	}
	return unit_done();
}
