/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of a unit test. A failed check prints where and what, and the test goes on; the program's
 * exit status tells.
 */
#ifndef HV_UNIT_H
#define HV_UNIT_H

#include <stdio.h>
#include <string.h>

static unsigned int unit_checks, unit_failures;

#define CHECK(cond) do { \
	unit_checks++; \
	if (!(cond)) { \
		unit_failures++; \
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond); \
	} \
} while (0)

#define CHECK_EQ(a, b) do { \
	long long unit_a = (long long)(a), unit_b = (long long)(b); \
	unit_checks++; \
	if (unit_a != unit_b) { \
		unit_failures++; \
		fprintf(stderr, "%s:%d: %s is %lld (0x%llx), expected %lld (0x%llx)\n", __FILE__, \
			__LINE__, #a, unit_a, unit_a, unit_b, unit_b); \
	} \
} while (0)

#define CHECK_HAS(text, part) do { \
	unit_checks++; \
	if (!strstr(text, part)) { \
		unit_failures++; \
		fprintf(stderr, "%s:%d: \"%s\" lacks \"%s\"\n", __FILE__, __LINE__, text, part); \
	} \
} while (0)

static inline int unit_done(void)
{
	printf("%u checks, %u failed\n", unit_checks, unit_failures);
	return unit_failures || !unit_checks;
}

#endif
