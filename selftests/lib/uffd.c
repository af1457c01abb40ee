// SPDX-License-Identifier: GPL-2.0-or-later
/* uffd.c - see uffd.h */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tap.h"
#include "uffd.h"

int uffd_open(void *p, size_t bytes)
{
	/* A blocking one can not be polled: it is always ready, with an error. */
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	reg.range.start = (uintptr_t)p;
	reg.range.len = bytes;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &reg))
		tap_bail("userfaultfd: error %d", errno);
	return fd;
}

void *uffd_asked(int fd, int ms)
{
	struct pollfd pfd = { .events = POLLIN, .fd = fd };
	struct uffd_msg msg;

	if (poll(&pfd, 1, ms) != 1 || read(fd, &msg, sizeof(msg)) != sizeof(msg))
		return NULL;
	return (void *)(uintptr_t)(msg.arg.pagefault.address & ~4095ull);
}

void uffd_give(int fd, void *at, const void *page)
{
	static const uint8_t zeroes[4096] __attribute__((aligned(4096)));
	struct uffdio_copy copy = { .dst = (uintptr_t)at, .len = 4096,
				    .src = (uintptr_t)(page ? page : zeroes) };

	while (ioctl(fd, UFFDIO_COPY, &copy) && errno == EAGAIN)
		;
	if (copy.copy != 4096 && copy.copy != -EEXIST)
		tap_bail("UFFDIO_COPY: %lld", (long long)copy.copy);
}
