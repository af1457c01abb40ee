/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rings.h - both ends of a channel for a fuzzed device: the device's in its struct chan, the guest's here */
#ifndef HV_FUZZ_RINGS_H
#define HV_FUZZ_RINGS_H

#include <stdlib.h>
#include <string.h>

#include "devices/chan.h"

/* Fresh rings of @pages each, header included, at @mem: the guest's first. */
static inline void rings_make(struct chan *c, struct hv_ring *out, struct hv_ring *in, uint8_t *mem, uint32_t pages)
{
	uint8_t *to_guest = mem + (size_t)pages * 4096;

	memset(mem, 0, (size_t)pages * 2 * 4096);
	if (hv_ring_consumer(&c->from_guest, mem, mem + 4096, pages) ||
	    hv_ring_producer(&c->to_guest, to_guest, to_guest + 4096, pages) ||
	    hv_ring_producer(out, mem, mem + 4096, pages) || hv_ring_consumer(in, to_guest, to_guest + 4096, pages))
		abort();
}

#endif
