// SPDX-License-Identifier: GPL-2.0-or-later
/* The bounded log: never too large, whole lines, the newest ones stay, nothing of the guest's in it but text. */
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/unit.h"
#include "vmm/config.h"
#include "vmm/log.h"

static char text[4 * VMM_LOG_MAX];

static size_t read_all(int fd)
{
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = 0;
	return n > 0 ? n : 0;
}

static void bounds(void)
{
	int fd = memfd_create("log", 0), mine = dup(fd);
	struct vmm_log *log;
	char last[32], *line;
	size_t n, largest = 0;

	CHECK_EQ(vmm_log_create(&log, fd), 0);
	for (int i = 0; i < 5000; i++) {
		struct stat st;

		vmm_log(log, LOG_WARN, "line %d %.*s", i, i % 400, "................................................"
			"................................................................................");
		fstat(mine, &st);
		if ((size_t)st.st_size > largest)
			largest = st.st_size;
	}
	CHECK(largest <= VMM_LOG_MAX);
	n = read_all(mine);
	CHECK(n > VMM_LOG_MAX / 4);
	snprintf(last, sizeof(last), " W line %d ", 4999);
	CHECK_HAS(text, last);
	/* The first line is whole, and the numbers go up by one to the last. */
	line = strstr(text, " W line ");
	CHECK(line && line - text == 24);
	for (int i = line ? atoi(line + 8) : 0; line && i < 4999; i++) {
		line = strstr(line + 1, " W line ");
		CHECK_EQ(line ? atoi(line + 8) : -1, i + 1);
	}
	CHECK_EQ(text[n - 1], '\n');
	vmm_log_fatal(log, "fatal", 0x1234abcd);
	read_all(mine);
	CHECK_HAS(text, "fatal 0x000000001234abcd\n");
	vmm_log_release(log);
	close(mine);
}

static void lines(void)
{
	int fd = memfd_create("log", 0), mine = dup(fd);
	static char big[4000];
	struct vmm_log *log;
	struct tm tm;
	time_t now = time(NULL);
	char stamp[40];

	CHECK_EQ(pwrite(fd, "older\n", 6, 0), 6);
	CHECK_EQ(vmm_log_create(&log, fd), 0);
	vmm_log(log, LOG_ERROR, "a\nb\033[31m\x7f\tc");
	read_all(mine);
	CHECK_EQ(strncmp(text, "older\n", 6), 0);
	CHECK_HAS(text, "Z E a?b?[31m??c\n");
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:", &tm);
	CHECK_HAS(text, stamp);
	memset(big, 'x', sizeof(big) - 1);
	vmm_log(log, LOG_INFO, "%s", big);
	CHECK(read_all(mine) < 6 + 40 + 512 + 1);
	CHECK_EQ(text[strlen(text) - 1], '\n');
	vmm_log_release(log);
	close(mine);
}

static void odd_files(void)
{
	int fd = memfd_create("log", 0), mine = dup(fd);
	struct vmm_log *log;

	/* A log that is far too large already, without a line break in it. */
	memset(text, 'y', sizeof(text));
	CHECK_EQ(pwrite(fd, text, sizeof(text), 0), sizeof(text));
	CHECK_EQ(vmm_log_create(&log, fd), 0);
	vmm_log(log, LOG_INFO, "new");
	CHECK(read_all(mine) <= VMM_LOG_MAX);
	CHECK_HAS(text, " I new\n");
	vmm_log_release(log);
	close(mine);
	/* No log at all, and one that cannot be written. */
	CHECK_EQ(vmm_log_create(&log, -1), 0);
	vmm_log(log, LOG_INFO, "nowhere");
	vmm_log_release(log);
	vmm_log(NULL, LOG_INFO, "nowhere");
	vmm_log_release(NULL);
}

int main(void)
{
	bounds();
	lines();
	odd_files();
	return unit_done();
}
