/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An error on its way up to main(): a number, what failed (naming the object), and the next step.
 *
 * Functions that can fail take a struct err * last and return 0 or the number; nothing below main()
 * prints an error or ends the process.
 */
#ifndef HV_BASE_ERR_H
#define HV_BASE_ERR_H

struct err {
	int	code;		/* 0: none; the program's exit code otherwise */
	char	text[512];	/* one line without a full stop */
	char	next[768];	/* what to do about it, one line; may be empty */
};

/* Fill in @e, replacing what it held. @next may be NULL. Return: @code. */
int err_set(struct err *e, int code, const char *next, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Like err_set() with ": " and the text of @errnum behind; @errnum may be negative. */
int err_sys(struct err *e, int code, int errnum, const char *next, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Change the next step only; printf-like. Return: @e->code. */
int err_next(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
