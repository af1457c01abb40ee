/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print.h - the va_list form, for check() */
#ifndef SELFTESTS_GUEST_PRINT_H
#define SELFTESTS_GUEST_PRINT_H

#include <stdarg.h>

void vprint(const char *fmt, va_list ap);

#endif
