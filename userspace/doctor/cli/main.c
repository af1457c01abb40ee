// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hv-doctor [build] [load] [run] [lab]: what is in the way of these (default:
 * all), one line each. Exit status 0: nothing; 1: something; 2: usage.
 */
#include "doctor/doctor.h"

#include <stdio.h>
#include <string.h>

static void say(void *cookie, const struct doctor_finding *f)
{
	(void)cookie;
	printf("%s: %s: %s\n", f->id, f->cause, f->remedy);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		unsigned int need;
	} words[] = {
		{ "build", DOCTOR_BUILD },
		{ "load", DOCTOR_LOAD },
		{ "run", DOCTOR_RUN },
		{ "lab", DOCTOR_LAB },
	};
	struct doctor_place place;
	unsigned int needs = 0;
	size_t w;
	int i;

	for (i = 1; i < argc; i++) {
		for (w = 0; w < 4; w++)
			if (!strcmp(argv[i], words[w].name))
				break;
		if (w == 4) {
			fprintf(stderr, "usage: hv-doctor [build] [load] [run] [lab]\n");
			return 2;
		}
		needs |= words[w].need;
	}
	doctor_place_init(&place);
	return doctor_run(&place, needs ? needs : ~0u, say, NULL) ? 1 : 0;
}
