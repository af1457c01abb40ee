// SPDX-License-Identifier: LGPL-2.1-or-later
/* Errors, with the file and the place in them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "disk.h"

int vhd_fail(struct vhd_err *e, const char *object, int code, uint64_t offset, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	if (!e)
		return code;
	memset(e, 0, sizeof(*e));
	e->code = code;
	e->offset = offset;
	snprintf(e->object, sizeof(e->object), "%s", object);
	snprintf(e->text, sizeof(e->text), "%s: ", e->object);
	used = strlen(e->text);
	va_start(ap, fmt);
	vsnprintf(e->text + used, sizeof(e->text) - used, fmt, ap);
	va_end(ap);
	return code;
}

void vhd_next(struct vhd_err *e, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return;
	va_start(ap, fmt);
	vsnprintf(e->next, sizeof(e->next), fmt, ap);
	va_end(ap);
}

char *vhd_quote(char *out, size_t room, const char *path)
{
	size_t n = 0;

	out[n++] = '\'';
	/* A quote becomes '\'' and must leave room for the last one. */
	for (; *path && n + 6 < room; path++) {
		if (*path == '\'') {
			memcpy(out + n, "'\\''", 4);
			n += 4;
		} else {
			out[n++] = *path;
		}
	}
	out[n++] = '\'';
	out[n] = 0;
	return out;
}

const char *vhd_format_name(enum vhd_format format)
{
	static const char *const names[] = {
		[VHD_AUTO] = "unknown",
		[VHD_RAW] = "raw",
		[VHD_FIXED] = "vhd-fixed",
		[VHD_DYNAMIC] = "vhd-dynamic",
	};

	return (unsigned int)format < sizeof(names) / sizeof(names[0]) ? names[format] : names[0];
}
