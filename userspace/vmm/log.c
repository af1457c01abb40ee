// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bounded log. A guest can make the VM process log (unknown sleep types, crash reports), so size is
 * capped: when the file is full, its newer half moves to the front.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

#define LINE_MAX_BYTES 512

struct vmm_log {
	int		fd;
	pthread_mutex_t	lock;
	size_t		size;
};

static const char level_char[] = { [LOG_ERROR] = 'E', [LOG_WARN] = 'W', [LOG_INFO] = 'I' };

int vmm_log_create(struct vmm_log **out, int fd)
{
	struct vmm_log *log = calloc(1, sizeof(*log));
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;

	if (!log)
		return -ENOMEM;
	log->fd = fd;
	log->size = end > 0 ? end : 0;
	pthread_mutex_init(&log->lock, NULL);
	*out = log;
	return 0;
}

void vmm_log_release(struct vmm_log *log)
{
	if (!log)
		return;
	if (log->fd >= 0)
		close(log->fd);
	pthread_mutex_destroy(&log->lock);
	free(log);
}

/* Keep the newest half, from a line's start. Lock held. */
static void log_halve(struct vmm_log *log)
{
	char *buf = malloc(VMM_LOG_MAX / 2);
	off_t from = log->size - VMM_LOG_MAX / 2;
	ssize_t n = buf ? pread(log->fd, buf, VMM_LOG_MAX / 2, from) : -1;
	char *line = n > 0 ? memchr(buf, '\n', n) : NULL;

	log->size = 0;
	if (line) {
		n -= ++line - buf;
		if (pwrite(log->fd, line, n, 0) == n)
			log->size = n;
	}
	if (ftruncate(log->fd, log->size))
		log->fd = -1;	/* better silent than unbounded */
	free(buf);
}

/* ISO 8601 UTC by hand: gmtime_r() would read time-zone files, which the sandbox forbids. */
static size_t stamp(char *buf, const struct timespec *ts)
{
	/* Civil date from days since 1970, counting years from March (era arithmetic). */
	long days = ts->tv_sec / 86400 + 719468, sec = ts->tv_sec % 86400;
	long era = days / 146097, doe = days % 146097;
	long yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	long doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	long month = mp < 10 ? mp + 3 : mp - 9;

	return snprintf(buf, 40, "%04ld-%02ld-%02ldT%02ld:%02ld:%02ld.%03ldZ",
			yoe + era * 400 + (month <= 2), month, doy - (153 * mp + 2) / 5 + 1,
			sec / 3600, sec / 60 % 60, sec % 60, ts->tv_nsec / 1000000);
}

static size_t line_build(char *line, enum log_level level, const char *fmt, va_list ap)
{
	struct timespec ts;
	size_t n, i;
	int len;

	clock_gettime(CLOCK_REALTIME, &ts);
	n = stamp(line, &ts);
	n += snprintf(line + n, 8, " %c ", level_char[level]);
	len = vsnprintf(line + n, LINE_MAX_BYTES - n - 1, fmt, ap);
	if (len < 0)
		len = 0;
	if (n + len > LINE_MAX_BYTES - 2)
		len = LINE_MAX_BYTES - 2 - n;
	for (i = n; i < n + len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[n + len] = '\n';
	return n + len + 1;
}

void vmm_vlog(struct vmm_log *log, enum log_level level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_BYTES];
	size_t len;

	if (!log || log->fd < 0)
		return;
	len = line_build(line, level, fmt, ap);
	pthread_mutex_lock(&log->lock);
	if (log->size + len > VMM_LOG_MAX)
		log_halve(log);
	if (log->fd >= 0 && pwrite(log->fd, line, len, log->size) == (ssize_t)len)
		log->size += len;
	pthread_mutex_unlock(&log->lock);
}

void vmm_log(struct vmm_log *log, enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vmm_vlog(log, level, fmt, ap);
	va_end(ap);
}

void vmm_log_fatal(struct vmm_log *log, const char *text, long value)
{
	char hex[24] = " 0x0000000000000000\n";
	size_t len = strlen(text);
	unsigned int i;

	if (!log || log->fd < 0)
		return;
	for (i = 0; i < 16; i++)
		hex[3 + i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
	if (pwrite(log->fd, text, len, log->size) == (ssize_t)len)
		len = pwrite(log->fd, hex, 20, log->size + len);
}
