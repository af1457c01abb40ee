/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.h - the same thing done by another process, and fds handed between processes */
#ifndef HV_TEST_CHILD_H
#define HV_TEST_CHILD_H

#include <sys/types.h>

/* Run @fn(@arg) in a forked child; its return value, or a bail-out if the child died. */
long child_call(long (*fn)(void *arg), void *arg);

/* One fd over a UNIX socket. 0 or -errno; child_recv_fd() returns the fd. */
int child_send_fd(int sock, int fd);
int child_recv_fd(int sock);

#endif /* HV_TEST_CHILD_H */
