/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a character device model talks to: a console with a replay ring and attached readers.
 *
 * One owner at a time may write to the guest; further ones attach read-only. Everything the guest
 * prints is kept in a ring of CHR_RING bytes and replayed to whoever attaches late. A reader that
 * does not keep up loses output, the guest never waits for it (files and stdio excepted: those
 * block the writer, as a terminal does).
 */
#ifndef HV_BACKENDS_CHR_H
#define HV_BACKENDS_CHR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHR_RING	(64u << 10)
#define CHR_READERS	8

struct chr;
struct loop;

/* What the device model gives: take up to @len input bytes, return how many were taken (0: full, call
 * chr_input_ready() when there is room). Called from the loop thread. */
struct chr_sink {
	size_t	(*input)(void *arg, const uint8_t *buf, size_t len);
	void	*arg;
};

int chr_create(struct chr **out, struct loop *loop);	/* 0 or -errno */
void chr_release(struct chr *c);			/* closes every attached fd */
void chr_sink_set(struct chr *c, const struct chr_sink *sink);

/* Guest output; any thread. */
void chr_write(struct chr *c, const uint8_t *buf, size_t len);
/* The sink has room again; any thread. */
void chr_input_ready(struct chr *c);

#define CHR_ATTACH_READONLY	1u	/* never feeds the guest */
#define CHR_ATTACH_FORCE	2u	/* take the writer's place; the old one is closed */
#define CHR_ATTACH_REPLAY	4u	/* send the ring first */
#define CHR_ATTACH_KEEP		8u	/* stdio, file: not closed on detach */

/*
 * Attach a descriptor (socket, pipe, pty or terminal). Loop thread. The chr owns @fd unless KEEP.
 * @out: descriptor to write to when it is another one (stdio), else -1.
 * Return: 0, -EBUSY (there is a writer and neither FORCE nor READONLY was given), -ENOSPC or -errno.
 */
int chr_attach(struct chr *c, int fd, int out, unsigned int flags);

/* Every input byte of the attached terminal passes through here first; the owner looks for the escape character there. */
typedef bool (*chr_filter_fn)(void *arg, uint8_t byte);	/* true: byte consumed */
void chr_filter_set(struct chr *c, chr_filter_fn fn, void *arg);

/* Copy the newest bytes of the ring, at most @len. Return: bytes. Any thread. */
size_t chr_ring_copy(struct chr *c, uint8_t *buf, size_t len);

#endif
