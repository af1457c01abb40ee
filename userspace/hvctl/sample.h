/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The counters of VMs at one moment, and what the host says of their processes. */
#ifndef HV_HVCTL_SAMPLE_H
#define HV_HVCTL_SAMPLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct sample {
	char		name[64];
	int		rc;		/* 0, or why there is no answer: an enum rc */
	uint64_t	at;		/* CLOCK_MONOTONIC, ns */
	json_t		*reply;		/* "state", "stats", "instant"; NULL: none */
	json_t		*stats;		/* of it: name -> number */
};

/*
 * Ask the @n VMs called @names, all first, then collect: one that hangs costs a second, not one each. Their
 * processes' CPU time, memory and threads are added to "stats" as process.*. @err: of the last that failed.
 */
void sample_take(const char *const *names, int n, struct sample *out, struct err *err);
void sample_free(struct sample *s, int n);

/* One figure, 0 when it is not there. */
uint64_t sample_value(const struct sample *s, const char *name);
/*
 * The sum of figure @name over all things called @prefix and a number: sample_sum(s, "vcpu", "exits").
 * Figures of other things ("vcpuX") do not count.
 */
uint64_t sample_sum(const struct sample *s, const char *prefix, const char *name);
/* Is the figure as it is now, rather than one that only grows? */
bool sample_instant(const struct sample *s, const char *name);

#endif
