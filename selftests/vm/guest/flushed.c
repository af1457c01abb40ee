// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * flushed.c - writes of a guest, each told when it is on disk
 *
 *	flushed DISK FIRST COUNT
 *
 * Reads and writes 4 KiB blocks at places chosen by their number, FIRST and up, each sector with the block
 * and the number in it; after each a sync, and after that one line "F block number" before it goes on. Ends with
 * "END", or with "E operation errno block number" at the first error.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BLOCK	4096u

static uint8_t data[BLOCK] __attribute__((aligned(4096)));

static int failed(const char *what, uint32_t block, uint32_t number)
{
	printf("E %s %d %u %u\n", what, errno, block, number);
	fflush(stdout);
	return 1;
}

int main(int argc, char **argv)
{
	uint32_t number, first = argc > 3 ? (uint32_t)atoi(argv[2]) : 0, count = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
	int fd = open(argc > 1 ? argv[1] : "", O_RDWR | O_DIRECT);
	uint64_t bytes;

	if (fd < 0 || ioctl(fd, BLKGETSIZE64, &bytes))
		return failed("open", 0, 0);
	for (number = first; number - first < count; number++) {
		uint32_t block = (uint32_t)((number * 2654435761u) % (bytes / BLOCK));

		if (pread(fd, data, BLOCK, (off_t)block * BLOCK) != (ssize_t)BLOCK)
			return failed("read", block, number);
		for (uint32_t *p = (uint32_t *)data; p < (uint32_t *)(data + BLOCK); p += 2) {
			p[0] = block;
			p[1] = number;
		}
		if (pwrite(fd, data, BLOCK, (off_t)block * BLOCK) != (ssize_t)BLOCK)
			return failed("write", block, number);
		if (fdatasync(fd))
			return failed("sync", block, number);
		printf("F %u %u\n", block, number);
		fflush(stdout);
	}
	printf("END\n");
	return fflush(stdout);
}
