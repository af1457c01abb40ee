// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * blkio.c - block I/O of a guest, counted
 *
 *	blkio DISK PHASE...
 *
 * Each phase moves data between anonymous memory and DISK by native AIO, O_DIRECT. Before and after
 * each it writes one byte, '<' and '>', to its standard output and sleeps, so that whoever reads can
 * look at counters; at the end "BLK PHASE OPERATIONS TICKS" lines follow, in ticks of the TSC.
 */
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/fs.h>
#include <unistd.h>

#define DEPTH_MAX	16
#define OPS_MAX		2000
#define QUIET_US	20000

enum where { RANDOM, SEQUENTIAL, BLOCKS };	/* BLOCKS: the first bytes of each 2 MiB */

static const struct phase {
	const char *name;
	int write;
	unsigned int bytes, depth;
	enum where where;
} phases[] = {
	{ "fill", 1, 256 << 10, 1, SEQUENTIAL },
	{ "alloc", 1, 4096, 1, BLOCKS },
	{ "randread_qd1", 0, 4096, 1, RANDOM },
	{ "randread_qd16", 0, 4096, 16, RANDOM },
	{ "randwrite_qd1", 1, 4096, 1, RANDOM },
	{ "seqread", 0, 256 << 10, 1, SEQUENTIAL },
};

struct disk {
	int fd;
	uint64_t bytes;
	char *memory;
	aio_context_t aio;
};

static uint64_t ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static void mark(char c)
{
	if (c == '>')
		usleep(QUIET_US);
	if (write(1, &c, 1) != 1)
		_exit(1);
	if (c == '<')
		usleep(QUIET_US);
}

static uint64_t offset_of(const struct disk *d, const struct phase *p, unsigned int i)
{
	static uint32_t seed = 12345;

	switch (p->where) {
	case SEQUENTIAL:
		return (uint64_t)i * p->bytes;
	case BLOCKS:
		return (uint64_t)i << 21;
	default:
		seed = seed * 1664525u + 1013904223u;
		return (seed >> 8) % (d->bytes / p->bytes) * p->bytes;
	}
}

static unsigned int operations(const struct disk *d, const struct phase *p)
{
	switch (p->where) {
	case SEQUENTIAL:
		return (unsigned int)(d->bytes / p->bytes);
	case BLOCKS:
		return (unsigned int)(d->bytes >> 21);
	default:
		return OPS_MAX;
	}
}

/* Return: 0, or -1 if anything was not moved whole. */
static int move(struct disk *d, const struct phase *p, unsigned int count)
{
	struct iocb cb[DEPTH_MAX], *list[DEPTH_MAX];
	unsigned int i, issued = 0, done = 0, nr_free = p->depth, spare[DEPTH_MAX];
	struct io_event ev[DEPTH_MAX];

	for (i = 0; i < p->depth; i++)
		spare[i] = i;
	while (done < count) {
		long n = 0;

		while (nr_free && issued < count) {
			i = spare[--nr_free];
			memset(&cb[i], 0, sizeof(cb[i]));
			cb[i].aio_fildes = (uint32_t)d->fd;
			cb[i].aio_lio_opcode = p->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
			cb[i].aio_buf = (uintptr_t)(d->memory + (size_t)i * p->bytes);
			cb[i].aio_nbytes = p->bytes;
			cb[i].aio_offset = (int64_t)offset_of(d, p, issued++);
			cb[i].aio_data = i;
			list[n++] = &cb[i];
		}
		if (n && syscall(SYS_io_submit, d->aio, n, list) != n)
			return -1;
		n = syscall(SYS_io_getevents, d->aio, 1L, (long)DEPTH_MAX, ev, NULL);
		if (n < 1)
			return -1;
		for (long k = 0; k < n; k++) {
			if (ev[k].res != (int64_t)p->bytes)
				return -1;
			spare[nr_free++] = (unsigned int)ev[k].data;
			done++;
		}
	}
	return p->write ? fsync(d->fd) : 0;
}

static int run(struct disk *d, const char *name)
{
	for (unsigned int i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		const struct phase *p = &phases[i];
		unsigned int count;
		uint64_t t;

		if (strcmp(p->name, name))
			continue;
		count = operations(d, p);
		mark('<');
		t = ticks();
		if (move(d, p, count))
			return -1;
		t = ticks() - t;
		mark('>');
		printf("\nBLK %s %u %llu\n", name, count, (unsigned long long)t);
		return fflush(stdout);
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct disk d = { .fd = argc > 1 ? open(argv[1], O_RDWR | O_DIRECT) : -1 };

	d.memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (d.fd < 0 || d.memory == MAP_FAILED || ioctl(d.fd, BLKGETSIZE64, &d.bytes) ||
	    syscall(SYS_io_setup, 64, &d.aio)) {
		perror(argc > 1 ? argv[1] : "blkio");
		return 1;
	}
	memset(d.memory, 0x5a, 1 << 20);
	for (int i = 2; i < argc; i++) {
		if (run(&d, argv[i])) {
			printf("\nBLK %s failed\n", argv[i]);
			return 1;
		}
	}
	return 0;
}
