/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bus_dev.h - the device of two VMBus channels, in a process of its own
 *
 * It echoes packets with 1 added to each byte and answers what the guest does, or leaves it
 * unanswered when told so. It is started before there is a VM, and is given its channels later.
 */
#ifndef HV_TEST_BUS_DEV_H
#define HV_TEST_BUS_DEV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "selftests/guest/lib/bus_steps.h"

/* What it is told besides what the guest asks for; each is answered by one byte. */
enum bus_dev_do {
	DEV_LOOK = 0x40,	/* the VM was reset: nothing of its guest may be left */
	DEV_ACK_SOON,		/* let go of all in some ms */
	DEV_CLOSE,		/* close the fds, and then the mappings of their rings; it ends then */
	DEV_VM_GONE,		/* see that the VM is gone; it ends then */
};

struct bus_dev {
	pid_t pid;
	int sock;
};

/*
 * Start it. @others: sockets it must not keep, -1 ends the list. It ends when its VM has gone: with 0 if
 * nothing was wrong, else the number of things that were, each noted.
 */
void bus_dev_start(struct bus_dev *d, const int *others);
/* Its two channels; the caller's fds are closed. */
void bus_dev_give(struct bus_dev *d, int first, int second);
/* Do @what (enum bus_do or bus_dev_do); false: it is dead. */
bool bus_dev_tell(struct bus_dev *d, uint8_t what);

#endif /* HV_TEST_BUS_DEV_H */
