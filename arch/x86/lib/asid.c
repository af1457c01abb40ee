// SPDX-License-Identifier: GPL-2.0-or-later
/* asid.c - handing out address-space ids */
#include "asid.h"

bool hv_asid_take(struct hv_asid_pool *p, struct hv_asid *a, s32 cpu)
{
	bool flush = p->next >= p->limit;

	if (flush) {
		p->gen++;
		p->next = 1;
	}
	a->id = p->next++;
	a->gen = p->gen;
	a->cpu = cpu;
	return flush;
}
