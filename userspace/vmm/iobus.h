/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which device answers a port or address. Readers are vCPU threads under RCU; writers change a copy.
 */
#ifndef HV_VMM_IOBUS_H
#define HV_VMM_IOBUS_H

#include "devices/dev_services.h"

struct iobus;

int iobus_create(struct iobus **out);			/* 0 or -ENOMEM */
void iobus_release(struct iobus *bus);			/* no reader is left; devices stay */

/* Put all ranges of @d on the bus. -EEXIST: one overlaps another device's. Loop thread. */
int iobus_add(struct iobus *bus, struct device *d);
/* Take @d off; on return no reader uses it any more. Loop thread. */
void iobus_remove(struct iobus *bus, struct device *d);

/* One access, from a thread of readers.h. Nothing there: reads give ones, writes vanish. Return: true if a device answered. */
bool iobus_read(struct iobus *bus, enum dev_space space, uint64_t addr, unsigned int size, uint64_t *value);
bool iobus_write(struct iobus *bus, enum dev_space space, uint64_t addr, unsigned int size, uint64_t value);

#endif
