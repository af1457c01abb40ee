// SPDX-License-Identifier: LGPL-2.1-or-later
/* What is wrong with a file, by name and in words. */
#include <stdarg.h>
#include <stdio.h>

#include "state.h"

const char *state_fault_name(enum state_fault f)
{
	static const char *const names[STATE_FAULTS] = {
		[STATE_OK] = "ok", [STATE_NOT_SAVED] = "not-a-save-file", [STATE_INCOMPLETE] = "incomplete",
		[STATE_VERSION_NEW] = "version", [STATE_TRUNCATED] = "truncated", [STATE_CORRUPT] = "corrupt",
		[STATE_HOST] = "host",
	};

	return f < STATE_FAULTS ? names[f] : "unknown";
}

int state_fail(struct state_err *e, enum state_fault fault, int code, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return code;
	e->fault = fault;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return code;
}
