/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SIGINT and SIGTERM as a flag, for verbs that wait: they end in order with exit code 10. */
#ifndef HV_HVCTL_STOPSIG_H
#define HV_HVCTL_STOPSIG_H

#include <poll.h>
#include <stdbool.h>

/* From now on the signals only set the flag, and are held back outside stopsig_poll(). */
void stopsig_catch(void);
bool stopsig_got(void);
/* poll() that a caught signal ends with -1. @timeout in ms, -1: none. */
int stopsig_poll(struct pollfd *p, nfds_t n, int timeout);

#endif
