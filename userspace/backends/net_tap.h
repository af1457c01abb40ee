/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_tap.h - a TAP interface of the host: the guest is on the other end of it, or on the bridge it belongs to
 *
 * Frames go between the kernel and the guest's memory without a copy in between, with the kernel's own
 * offloads (the header of virtio_net.h).
 */
#ifndef HV_BACKENDS_NET_TAP_H
#define HV_BACKENDS_NET_TAP_H

#include "base/err.h"
#include "net.h"

struct net_tap_config {
	const char	*ifname;	/* NULL: the kernel chooses; may hold %d */
	const char	*bridge;	/* to add it to, or NULL */
	uint32_t	mtu;		/* of the interface, 0: as it is */
	unsigned int	queues;		/* at most, 1..NET_QUEUES_MAX; an interface made without has one */
};

/*
 * Attach to the interface, which is made if it is not there and then goes with the VM, and switch it on. Making one,
 * and all that changes one, needs CAP_NET_ADMIN; attaching to one of the user's does not.
 * -EPERM; -EBUSY it is in use; -ENOENT no /dev/net/tun; -ENODEV no such bridge; -EINVAL a name.
 */
int net_tap_create(struct net **out, const struct net_tap_config *cfg, struct err *e);

#endif
