/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap.h - results of a test program in TAP; a failed check does not stop the program */
#ifndef HV_TEST_TAP_H
#define HV_TEST_TAP_H

#include <stdbool.h>

/* One check. Returns @cond. */
bool tap_ok(bool cond, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* One check of a call's result; on failure prints both. Results are 0 or more, or -errno. */
bool tap_is(long got, long want, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void tap_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What comes next can't work: says why and ends the program with failure. */
void tap_bail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The plan; returns the exit status of the program. */
int tap_done(void);

#endif /* HV_TEST_TAP_H */
