// SPDX-License-Identifier: GPL-2.0-or-later
/* Small readers of system files, all below one root so that tests can fake it. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

void field_path(const struct doctor_place *place, char *buf, size_t size, const char *fmt, ...)
{
	int n = snprintf(buf, size, "%s", place->root);
	va_list ap;

	if (n < 0 || (size_t)n >= size)
		return;
	va_start(ap, fmt);
	vsnprintf(buf + n, size - n, fmt, ap);
	va_end(ap);
}

ssize_t field_bytes(const struct doctor_place *place, const char *path, off_t at, void *buf,
		    size_t size)
{
	char full[512];
	ssize_t n;
	int fd;

	field_path(place, full, sizeof(full), "%s", path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = at ? pread(fd, buf, size, at) : read(fd, buf, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

bool field_read(const struct doctor_place *place, const char *path, char *buf, size_t size)
{
	ssize_t n = field_bytes(place, path, 0, buf, size - 1);

	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return n >= 0;
}

bool field_exists(const struct doctor_place *place, const char *path)
{
	char full[512];

	field_path(place, full, sizeof(full), "%s", path);
	return !access(full, F_OK);
}

void field_release(const struct doctor_place *place, char *buf, size_t size)
{
	struct utsname u;

	/* A root without /proc: only the real one can still be asked. */
	if (!field_read(place, "/proc/sys/kernel/osrelease", buf, size))
		snprintf(buf, size, "%s", !place->root[0] && !uname(&u) ? u.release : "unknown");
}

void field_set(char *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, DOCTOR_TEXT, fmt, ap);
	va_end(ap);
}
