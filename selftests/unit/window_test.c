// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images in memory, mapped: holes are left alone, what is whole is copied, and a file that shrinks
 * under the window, like any other SIGBUS, goes where it should.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/disk.h"
#include "backends/window.h"
#include "lib/unit.h"

#define CHUNKS	8u
#define BYTES	(CHUNKS * WINDOW_CHUNK)

static uint8_t model[BYTES], buf[BYTES];

static int file_make(void)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_EQ(ftruncate(fd, BYTES + 512), 0);
	return fd;
}

static void fill(int fd, uint64_t offset, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i++)
		model[offset + i] = (uint8_t)(i * 7 + (i >> 12) + offset / WINDOW_CHUNK);
	CHECK_EQ(pwrite(fd, model + offset, bytes, (off_t)offset), (ssize_t)bytes);
}

/* In three pieces. Return: what window_read() does; the data is right then. */
static uint64_t get(struct window *w, uint64_t offset, uint64_t bytes)
{
	struct iovec iov[3] = {
		{ buf, 1 }, { buf + 1, bytes / 2 }, { buf + 1 + bytes / 2, bytes - 1 - bytes / 2 },
	};
	uint64_t n;

	memset(buf, 0xee, sizeof(buf));
	n = window_read(w, offset, iov, 3);
	if (n) {
		CHECK_EQ(n, bytes);
		CHECK(!memcmp(buf, model + offset, bytes));
	}
	return n;
}

static blkcnt_t blocks(int fd)
{
	struct stat st;

	CHECK_EQ(fstat(fd, &st), 0);
	return st.st_blocks;
}

static void test_holes(void)
{
	int fd = file_make();
	struct window *w = window_create(fd, BYTES + 512);
	blkcnt_t before;

	CHECK(w != NULL);
	fill(fd, 0, 2 * WINDOW_CHUNK);
	fill(fd, 2 * WINDOW_CHUNK, WINDOW_CHUNK - 4096);	/* its last page is a hole */
	before = blocks(fd);
	CHECK_EQ(get(w, 4096, 4096), 0);			/* small ones do not look */
	CHECK_EQ(get(w, WINDOW_CHUNK, 2 * WINDOW_CHUNK), 0);
	CHECK_EQ(get(w, WINDOW_CHUNK + 4096, WINDOW_CHUNK), 0);
	CHECK_EQ(get(w, 512, WINDOW_CHUNK), WINDOW_CHUNK);
	CHECK_EQ(get(w, 4096, 512), 512);			/* it is known now */
	CHECK_EQ(get(w, WINDOW_CHUNK + 512, 4096), 4096);
	CHECK_EQ(get(w, 2 * WINDOW_CHUNK - 512, 1024), 0);
	CHECK_EQ(get(w, 2 * WINDOW_CHUNK, WINDOW_CHUNK), 0);
	CHECK_EQ(get(w, BYTES - 512, 1024), 0);			/* beyond its end */
	CHECK_EQ(get(w, BYTES, 512), 0);
	CHECK_EQ(get(w, ~0ull - 511, 1024), 0);
	CHECK_EQ(blocks(fd), before);				/* no hole was filled */

	fill(fd, 512, 512);					/* what is written is seen */
	CHECK_EQ(get(w, 0, 4096), 4096);
	window_forget(w, WINDOW_CHUNK - 1, 1);
	CHECK_EQ(get(w, 0, 4096), 0);
	CHECK_EQ(get(w, WINDOW_CHUNK, 4096), 4096);
	window_forget(w, WINDOW_CHUNK - 1, ~0ull);
	CHECK_EQ(get(w, WINDOW_CHUNK, 4096), 0);
	window_forget(w, BYTES, 1);
	window_forget(NULL, 0, 1);
	window_release(w);
	window_release(NULL);
	close(fd);
}

/* What was written by the chunk need not be looked at. */
static void test_wrote(void)
{
	int fd = file_make();
	struct window *w = window_create(fd, BYTES);

	fill(fd, 512, 3 * WINDOW_CHUNK);
	window_wrote(w, 512, WINDOW_CHUNK);			/* no whole one */
	CHECK_EQ(get(w, 512, 512), 0);
	window_wrote(w, 512, 3 * WINDOW_CHUNK);			/* two */
	CHECK_EQ(get(w, 512, 512), 0);
	CHECK_EQ(get(w, WINDOW_CHUNK, 512), 512);
	CHECK_EQ(get(w, 3 * WINDOW_CHUNK - 512, 512), 512);
	CHECK_EQ(get(w, 3 * WINDOW_CHUNK - 512, 1024), 0);
	window_wrote(w, BYTES - WINDOW_CHUNK, 2 * WINDOW_CHUNK);	/* beyond its end: left alone */
	window_wrote(w, ~0ull - WINDOW_CHUNK, WINDOW_CHUNK);
	CHECK_EQ(get(w, BYTES - WINDOW_CHUNK, 512), 0);
	CHECK_EQ(ftruncate(fd, 0), 0);
	window_wrote(w, BYTES - WINDOW_CHUNK, WINDOW_CHUNK);	/* and lost again */
	CHECK_EQ(get(w, BYTES - WINDOW_CHUNK, 512), 0);
	window_release(w);
	close(fd);
}

/* What the file has lost is for read(2); the rest is read on. */
static void test_shrink(void)
{
	int fd = file_make(), i;
	struct window *w = window_create(fd, BYTES);

	fill(fd, 0, BYTES);
	CHECK_EQ(get(w, 0, BYTES), BYTES);
	CHECK_EQ(ftruncate(fd, 2 * WINDOW_CHUNK), 0);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(get(w, WINDOW_CHUNK, 2 * WINDOW_CHUNK), 0);
		CHECK_EQ(get(w, 2 * WINDOW_CHUNK, 512), 0);
		CHECK_EQ(get(w, WINDOW_CHUNK, 4096), 4096);
	}
	window_release(w);
	close(fd);
}

static void on_other(int nr)
{
	(void)nr;
	_exit(42);
}

/* SIGBUS of somebody else's mapping: to the handler that was there before. */
static void test_other_bus(void)
{
	volatile char *p;
	int fd, status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		fd = file_make();
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		if (ftruncate(fd, 0) || p == MAP_FAILED)
			_exit(1);
		_exit(p[0] ? 2 : 3);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 42);
}

/* One that no instruction makes, as of a machine check: it comes once. */
static void test_sent_bus(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		raise(SIGBUS);
		_exit(1);
	}
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 42);
}

/* Which disks have one: of those in memory, where sector n lies at n * 512. */
static void test_disks(void)
{
	static const enum vhd_format formats[] = { VHD_RAW, VHD_FIXED, VHD_DYNAMIC };
	struct vhd_create_opts opts = { .size = 4 << 20 };
	char path[] = "/dev/shm/hv-window-XXXXXX";
	struct vhd_err e;
	struct disk *d;

	for (size_t i = 0; i < 3; i++) {
		int fd = mkstemp(path);

		if (fd < 0)
			return;		/* no memory to have files in */
		opts.format = formats[i];
		if (formats[i] == VHD_RAW)
			CHECK_EQ(ftruncate(fd, 4 << 20), 0);
		else
			unlink(path);
		close(fd);
		CHECK_EQ(formats[i] == VHD_RAW ? 0 : vhd_create(path, &opts, &e), 0);
		CHECK_EQ(disk_open(&d, path, 0, &e), 0);
		CHECK_EQ(!!d->window, d->in_memory && formats[i] != VHD_DYNAMIC);
		CHECK_EQ(disk_close(d, &e), 0);
		CHECK_EQ(disk_open(&d, path, DISK_READONLY, &e), 0);
		CHECK(!d->window);
		CHECK_EQ(disk_close(d, &e), 0);
		unlink(path);
		memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	}
}

int main(void)
{
	struct sigaction other = { .sa_handler = on_other };
	int fd = file_make();

	CHECK(!window_create(fd, BYTES));	/* nobody catches its signal */
	close(fd);
	sigaction(SIGBUS, &other, NULL);
	CHECK_EQ(window_catch(), 0);
	CHECK_EQ(window_catch(), 0);
	test_holes();
	test_wrote();
	test_shrink();
	test_other_bus();
	test_sent_bus();
	test_disks();
	return unit_done();
}
