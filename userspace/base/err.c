// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors on their way up to main(). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static void err_fill(struct err *e, int code, const char *next, const char *fmt, va_list ap)
{
	e->code = code;
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	snprintf(e->next, sizeof(e->next), "%s", next ? next : "");
}

int err_set(struct err *e, int code, const char *next, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, code, next, fmt, ap);
	va_end(ap);
	return code;
}

int err_sys(struct err *e, int code, int errnum, const char *next, const char *fmt, ...)
{
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	err_fill(e, code, next, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	snprintf(e->text + n, sizeof(e->text) - n, ": %s", strerror(errnum < 0 ? -errnum : errnum));
	return code;
}

int err_next(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e->next, sizeof(e->next), fmt, ap);
	va_end(ap);
	return e->code;
}
