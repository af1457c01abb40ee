// SPDX-License-Identifier: GPL-2.0-or-later
/* Arithmetic of the local APIC timer. */
#include "apic_timer.h"

#define DAY_NS	(86400ull * 1000000000ull)

u64 hv_apic_deadline_ns(u64 deadline, u64 now, u32 khz)
{
	u64 ticks, ms, rest;

	if (deadline <= now)
		return 0;
	ticks = deadline - now;
	ms = ticks / khz;
	if (ms >= DAY_NS / 1000000)
		return DAY_NS;
	rest = ticks - ms * khz;		/* below @khz: times 10^6 fits 64 bits */
	return ms * 1000000 + (rest * 1000000 + khz - 1) / khz;
}
