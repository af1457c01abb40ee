/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a VM process: one enum, one edge table, one setter.
 */
#ifndef HV_VMM_LIFECYCLE_H
#define HV_VMM_LIFECYCLE_H

#include <stdint.h>

enum vmm_state {
	VMM_STATE_SETUP,	/* being made; no vCPU has run */
	VMM_STATE_PAUSED,	/* all vCPUs outside the guest and staying there */
	VMM_STATE_RUNNING,
	VMM_STATE_STOPPING,	/* running, power button pressed, waiting for the guest */
	VMM_STATE_RESETTING,	/* vCPUs parked, devices and memory going back to power-on state */
	VMM_STATE_SAVING,	/* vCPUs and devices stand still; the state goes, or went, into a file */
	VMM_STATE_ENDED,	/* no vCPU will run again; the cause is known */
	VMM_STATE_NR
};

const char *vmm_state_name(enum vmm_state s);	/* "setup", "paused", "running", ... */

/* Return: 1 if the edge is in the table. */
int vmm_state_may(enum vmm_state from, enum vmm_state to);

#endif
