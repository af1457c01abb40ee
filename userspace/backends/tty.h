/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A terminal as a console: raw mode, restored on every way out, and the escape character.
 * Used by the VM process (`hvctl run`) and by the console client alike.
 */
#ifndef HV_BACKENDS_TTY_H
#define HV_BACKENDS_TTY_H

#include <stdint.h>

/* Put @fd in raw mode if it is a terminal. Return: 1 raw, 0 not a terminal, or -errno. One at a time. */
int tty_raw_enter(int fd);
/* Back to the modes found. Safe in a signal handler, and when never entered. */
void tty_raw_leave(void);

/* "^]" for 0x1d, "none" for 0, into @buf (at least 8 bytes). Return: @buf. */
const char *tty_escape_name(uint8_t escape, char *buf);
/* Parse "^]", "^a", "none" or a single character. Return: the byte (0 for none), or -EINVAL. */
int tty_escape_parse(const char *text);

#endif
