/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one place that calls ioctl(2). */
#ifndef LIBHV_CALL_H
#define LIBHV_CALL_H

#include <errno.h>
#include <sys/ioctl.h>

static inline int libhv_call(int fd, unsigned long nr, void *arg)
{
	int ret = ioctl(fd, nr, arg);

	return ret < 0 ? -errno : ret;
}

#endif
