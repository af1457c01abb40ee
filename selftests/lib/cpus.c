// SPDX-License-Identifier: GPL-2.0-or-later
/* cpus.c - see cpus.h */
#include <errno.h>
#include <sched.h>
#include "cpus.h"
#include "tap.h"

void cpus_two(int cpu[2])
{
	cpu_set_t set;
	int i, n = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		tap_bail("no CPU mask");
	for (i = 0; i < CPU_SETSIZE && n < 2; i++)
		if (CPU_ISSET(i, &set))
			cpu[n++] = i;
	if (n < 2)
		tap_bail("two CPUs are needed");
}

int cpu_pin_two(int tid, const int cpu[2])
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu[0], &set);
	CPU_SET(cpu[1], &set);
	return sched_setaffinity(tid, sizeof(set), &set) ? -errno : 0;
}

int cpu_pin(int tid, int cpu)
{
	const int set[2] = { cpu, cpu };

	return cpu_pin_two(tid, set);
}
