// SPDX-License-Identifier: GPL-2.0-or-later
/* The local APIC, looked at by bare guests. Arguments: names of those to run; none: all. */
#include <stdio.h>
#include <string.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"

static const struct {
	const char *name, *image;
	uint32_t cpus, seconds, flags;
} guests[] = {
	{ "xapic", "xapic", 1, 150, 0 },
	{ "x2apic", "x2apic", 1, 150, 0 },
	{ "apic_timer", "apic_timer", 1, 200, 0 },
	{ "apic_timer_x", "apic_timer", 1, 200, HV_VM_F_NO_X2APIC },
	{ "apic_ipi", "apic_ipi", 4, 200, 0 },
	{ "apic_ipi_x", "apic_ipi", 4, 200, HV_VM_F_NO_X2APIC },
};

int main(int argc, char **argv)
{
	char path[64];
	uint32_t i;
	int a;

	for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		struct bare b = { .image = path, .cpus = guests[i].cpus, .seconds = guests[i].seconds,
				  .vm_flags = guests[i].flags };

		for (a = 1; a < argc && strcmp(argv[a], guests[i].name); a++)
			;
		if (argc > 1 && a == argc)
			continue;
		snprintf(path, sizeof(path), "build/guest/%s.elf", guests[i].image);
		tap_is(bare_run(&b), 0, "guest %s", guests[i].name);
	}
	return tap_done();
}
