/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Test devices of the x86 bare-guest suites: isa-debug-exit, the pc-testdev ports, and the few fw_cfg
 * items such guests read. Only with VMM_F_TEST_DEVICES.
 */
#ifndef HV_DEVICES_TESTDEV_H
#define HV_DEVICES_TESTDEV_H

#include "dev_services.h"

/* isa-debug-exit at port 0xf4. 0 or -ENOMEM. */
int debug_exit_create(struct device **out, struct dev_services *ds);
/* pc-testdev: 0xe0 latch, 0xe4 page flush, 0xe8 byte latch, 0x2000 lines, 0xff000000 memory. */
int pc_testdev_create(struct device **out, struct dev_services *ds);
/* fw_cfg selector and data at 0x510, 0x511: signature, RAM size, CPU counts. */
int fw_cfg_create(struct device **out, struct dev_services *ds, uint64_t memory, unsigned int cpus);

#endif
