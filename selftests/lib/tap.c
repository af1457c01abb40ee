// SPDX-License-Identifier: GPL-2.0-or-later
/* tap.c - see tap.h; threads may report at the same time */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tap.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int checks, failed;

static void report(bool cond, const char *fmt, va_list ap)
{
	checks++;
	failed += !cond;
	printf("%sok %u - ", cond ? "" : "not ", checks);
	vprintf(fmt, ap);
	putchar('\n');
}

bool tap_ok(bool cond, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&lock);
	va_start(ap, fmt);
	report(cond, fmt, ap);
	va_end(ap);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
	return cond;
}

static void print_result(const char *what, long ret)
{
	printf("#   %s %ld%s%s%s\n", what, ret, ret < 0 ? " (" : "",
	       ret < 0 ? strerror((int)-ret) : "", ret < 0 ? ")" : "");
}

bool tap_is(long got, long want, const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&lock);
	va_start(ap, fmt);
	report(got == want, fmt, ap);
	va_end(ap);
	if (got != want) {
		print_result("got ", got);
		print_result("want", want);
	}
	fflush(stdout);
	pthread_mutex_unlock(&lock);
	return got == want;
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	pthread_mutex_lock(&lock);
	va_start(ap, fmt);
	fputs("# ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	fflush(stdout);
	pthread_mutex_unlock(&lock);
}

void tap_bail(const char *fmt, ...)
{
	va_list ap;

	fputs("Bail out! ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	exit(1);
}

int tap_done(void)
{
	printf("1..%u\n", checks);
	if (failed)
		printf("# %u of %u checks failed\n", failed, checks);
	fflush(stdout);
	return failed || !checks;
}
