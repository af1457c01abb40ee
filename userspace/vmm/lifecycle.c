// SPDX-License-Identifier: GPL-2.0-or-later
/* The states of a VM process and the edges between them. */
#include "lifecycle.h"

#define TO(s) (1u << VMM_STATE_##s)

static const struct {
	const char	*name;
	uint32_t	to;
} states[VMM_STATE_NR] = {
	[VMM_STATE_SETUP]	= { "setup", TO(PAUSED) | TO(RUNNING) | TO(ENDED) },
	[VMM_STATE_PAUSED]	= { "paused", TO(RUNNING) | TO(RESETTING) | TO(SAVING) | TO(ENDED) },
	[VMM_STATE_RUNNING]	= { "running", TO(PAUSED) | TO(STOPPING) | TO(RESETTING) | TO(SAVING) | TO(ENDED) },
	/* The guest may ignore the button: pressing again, pausing and resetting all make sense. */
	[VMM_STATE_STOPPING]	= { "stopping", TO(STOPPING) | TO(PAUSED) | TO(RESETTING) | TO(SAVING) | TO(ENDED) },
	[VMM_STATE_RESETTING]	= { "resetting", TO(RUNNING) | TO(PAUSED) | TO(ENDED) },
	[VMM_STATE_SAVING]	= { "saving", TO(RUNNING) | TO(PAUSED) | TO(ENDED) },
	[VMM_STATE_ENDED]	= { "ended", 0 },
};

const char *vmm_state_name(enum vmm_state s)
{
	return s < VMM_STATE_NR ? states[s].name : "unknown";
}

int vmm_state_may(enum vmm_state from, enum vmm_state to)
{
	return from < VMM_STATE_NR && to < VMM_STATE_NR && (states[from].to & 1u << to);
}
