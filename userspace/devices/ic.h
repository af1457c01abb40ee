/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ic.h - the integration services of a VM: clean shutdown, heartbeat, time
 *
 * Three small channels that the guest's hv_utils serves. Everything happens in the loop thread.
 */
#ifndef HV_DEVICES_IC_H
#define HV_DEVICES_IC_H

#include "dev_services.h"

/* Offer all three. 0; -ENODEV: the VM has no bus; -ENOMEM. */
int ic_create(struct device **out, struct dev_services *ds);

/* Ask the guest to shut down, or to restart. -ENOTCONN: nobody there answers. Loop thread. */
int ic_shutdown(struct device *d, bool restart);

/* The guest's clock may have stood still: send it the time at once. Loop thread. */
void ic_time_now(struct device *d);

enum ic_health {
	IC_HEALTH_UNKNOWN,	/* nothing in the guest ever answered */
	IC_HEALTH_OK,
	IC_HEALTH_LOST,		/* it did once, and does not now */
};

/* Loop thread. */
enum ic_health ic_health(struct device *d);
/* "unknown", "ok", "lost" */
const char *ic_health_name(enum ic_health h);
/* May ic_shutdown() be expected to work? Loop thread. */
bool ic_can_shutdown(struct device *d);

#endif
