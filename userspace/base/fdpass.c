// SPDX-License-Identifier: GPL-2.0-or-later
/* Descriptors over a UNIX socket (unix(7), SCM_RIGHTS). */
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fdpass.h"

ssize_t fd_send(int sock, const void *buf, size_t len, int fd, int flags)
{
	union {
		char		space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr	align;
	} control = { 0 };
	struct iovec iov = { (void *)buf, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		struct cmsghdr *h;

		msg.msg_control = control.space;
		msg.msg_controllen = sizeof(control.space);
		h = CMSG_FIRSTHDR(&msg);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	}
	return sendmsg(sock, &msg, flags);
}
