/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors over a UNIX socket. */
#ifndef HV_BASE_FDPASS_H
#define HV_BASE_FDPASS_H

#include <sys/types.h>

/*
 * send(2) of @len bytes, @fd with the first of them (-1: none); it stays the caller's. @flags: MSG_*.
 * Return: bytes sent, or -1 with errno. [any thread]
 */
ssize_t fd_send(int sock, const void *buf, size_t len, int fd, int flags);

#endif
