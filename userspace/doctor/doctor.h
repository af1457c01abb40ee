/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What on this machine keeps hv from working, each with a one-line cause and
 * remedy. hvctl doctor and scripts/setup share this; setup compiles it before
 * anything else is built, so it depends on nothing but libc.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stddef.h>

#define DOCTOR_TEXT 256

/* What a finding stands in the way of; several may hold. */
enum doctor_need {
	DOCTOR_BUILD = 1,	/* make, for the running kernel */
	DOCTOR_LOAD = 2,	/* insmod hv.ko on this machine */
	DOCTOR_RUN = 4,		/* hvctl run on this machine */
	DOCTOR_LAB = 8,		/* scripts/lab, check, demo */
};

struct doctor_finding {
	const char *id;		/* of the probe, stable: "secure-boot" */
	unsigned int blocks;	/* enum doctor_need bits; 0: a remark */
	char cause[DOCTOR_TEXT];
	char remedy[DOCTOR_TEXT];
};

/*
 * Where to look. root is prefixed to every path of the system ("" for the
 * real one); cache is the lab's cache folder.
 */
struct doctor_place {
	const char *root;
	const char *cache;
};

/* From the environment: HV_SYSROOT, HV_CACHE and their defaults. */
void doctor_place_init(struct doctor_place *place);

typedef void (*doctor_say)(void *cookie, const struct doctor_finding *finding);

/*
 * Looks at everything that matters for the DOCTOR_* bits in @needs and calls
 * @say once for each finding, in a fixed order. Returns the union of what the
 * findings block, within @needs: 0 means nothing is in the way.
 */
unsigned int doctor_run(const struct doctor_place *place, unsigned int needs, doctor_say say,
			void *cookie);

/* The probes' ids, for listings and completion; NULL after the last. */
const char *doctor_probe_id(unsigned int index);

#endif
