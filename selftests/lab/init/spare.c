// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps commands off the first CPU.
 *
 * QEMU's TCG changes hflags2 of the first CPU in cpu_clear_ignne() (fpu_helper.c of 7.2), which
 * each FXRSTOR and XRSTOR on any CPU calls, without a lock. The flags of VMRUN in that word,
 * nested paging and GIF among them, change while it does: what runs there then goes wrong.
 */
#include "lab.h"

#include <sched.h>
#include <unistd.h>

void spare_leave(void)
{
	long i, cpus = sysconf(_SC_NPROCESSORS_CONF);
	cpu_set_t set;

	CPU_ZERO(&set);
	for (i = 1; i < cpus; i++)
		CPU_SET(i, &set);
	/* Fails where no other is online, as in a crash kernel: then there is nobody to race with. */
	sched_setaffinity(0, sizeof(set), &set);
}
