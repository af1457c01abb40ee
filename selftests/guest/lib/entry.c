// SPDX-License-Identifier: GPL-2.0-or-later
/* entry.c - the first C code of each processor */
#include "guest.h"
#include "boot.h"

#define MSR_GS_BASE	0xc0000101

static struct cpu cpus[MAX_CPUS];

void start_c(u32 index)
{
	struct cpu *c = &cpus[index];

	c->self = c;
	c->index = index;
	c->fault = NO_FAULT;
	wrmsr(MSR_GS_BASE, (u64)(uintptr_t)c);
	if (index) {
		traps_load();
		lapic_init();
		smp_idle(index);
	}
	cmdline_init();
	traps_init();
	traps_load();
	main();
	finish();
}
