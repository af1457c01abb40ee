/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a serial port is connected to: terminal, pty, socket or file. */
#ifndef HV_BACKENDS_ENDPOINT_H
#define HV_BACKENDS_ENDPOINT_H

struct chr;
struct loop;
struct endpoint;

/* Each opens its end, attaches it to @chr and returns 0 or -errno. Release before the chr. */
int endpoint_stdio(struct endpoint **out, struct chr *chr, int in, int outfd);
int endpoint_pty(struct endpoint **out, struct chr *chr);
int endpoint_socket(struct endpoint **out, struct chr *chr, struct loop *loop, const char *path);
int endpoint_file(struct endpoint **out, struct chr *chr, const char *path);

/* The pty's slave name, else NULL. */
const char *endpoint_name(const struct endpoint *e);
void endpoint_release(struct endpoint *e);

#endif
