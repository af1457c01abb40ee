// SPDX-License-Identifier: GPL-2.0-or-later
/* The table of probes and the walk over it. */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *id;
	unsigned int blocks;
	doctor_probe_fn probe;
} probes[] = {
	{ "vt", DOCTOR_RUN, probe_vt },
	{ "kvm", DOCTOR_RUN, probe_kvm },
	{ "secure-boot", DOCTOR_LOAD, probe_secure_boot },
	{ "lockdown", DOCTOR_LOAD, probe_lockdown },
	{ "headers", DOCTOR_BUILD, probe_headers },
	{ "device", DOCTOR_RUN, probe_device },
	{ "memlock", DOCTOR_RUN, probe_memlock },
	{ "cgroup", DOCTOR_RUN | DOCTOR_LAB, probe_cgroup },
	{ "cache", DOCTOR_LAB, probe_cache },
};

#define NR_PROBES (sizeof(probes) / sizeof(probes[0]))

void doctor_place_init(struct doctor_place *place)
{
	const char *root = getenv("HV_SYSROOT"), *cache = getenv("HV_CACHE");

	place->root = root ? root : "";
	place->cache = cache ? cache : "/var/cache/hv";
}

unsigned int doctor_run(const struct doctor_place *place, unsigned int needs, doctor_say say,
			void *cookie)
{
	unsigned int blocked = 0;
	size_t i;

	for (i = 0; i < NR_PROBES; i++) {
		struct doctor_finding f = { .id = probes[i].id, .blocks = probes[i].blocks };

		if (!(probes[i].blocks & needs) || !probes[i].probe(place, &f))
			continue;
		blocked |= f.blocks & needs;
		say(cookie, &f);
	}
	return blocked;
}

const char *doctor_probe_id(unsigned int index)
{
	return index < NR_PROBES ? probes[index].id : NULL;
}
