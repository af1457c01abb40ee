/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netvsp.h - a network adapter on VMBus, for the guest's hv_netvsc
 *
 * Each of its channels is served by a thread, which also calls the backend.
 */
#ifndef HV_DEVICES_NETVSP_H
#define HV_DEVICES_NETVSP_H

#include "backends/net.h"
#include "dev_services.h"

#define NETVSP_QUEUES	16u	/* channels at most */

struct netvsp_config {
	uint8_t		instance[16];	/* GUID of the adapter, wire form */
	uint8_t		mac[6];
	unsigned int	queues;		/* 1..NETVSP_QUEUES; the backend may have fewer */
	uint32_t	mtu;		/* largest the guest may choose, 0: the backend's */
	bool		guard;		/* the guest cannot pretend to be another one */
};

/*
 * Offer an adapter on @net, from now on its to release, whatever is returned. Before the sandbox.
 * 0; -ENODEV: the VM has no bus; -ENOMEM, -EINVAL, or what making a thread's eventfd brings.
 */
int netvsp_create(struct device **out, struct dev_services *ds, const struct netvsp_config *cfg,
		  struct net *net);

/* Pull the cable out, or put it in; any thread. The guest is told. 0; -ENODEV: there is nothing to put it into any more. */
int netvsp_link_set(struct device *d, bool up);

/* What is counted, as the host sees it: "tx" is sent by the guest. Frames and their bytes, Ethernet header included. */
struct netvsp_counters {
	uint64_t	tx_packets, tx_bytes, tx_dropped;	/* dropped: the backend did not take it */
	uint64_t	tx_refused;	/* no frame, or one the guest may not send */
	uint64_t	rx_packets, rx_bytes;
	uint64_t	rx_dropped;	/* the guest had no room, or does not listen */
	uint64_t	rx_filtered;	/* it does not want them */
	uint64_t	requests;	/* NVSP and RNDIS messages that are no frames */
	uint64_t	refused;	/* of them, or other packets: make no sense */
	uint64_t	signals;	/* to the guest */
};

#define NETVSP_NR_COUNTERS	(sizeof(struct netvsp_counters) / sizeof(uint64_t))
/* Their names, in order. */
extern const char *const netvsp_counter_names[NETVSP_NR_COUNTERS];

struct netvsp_flow { uint64_t tx_packets, rx_packets; };

struct netvsp_info {
	uint8_t			mac[6];		/* in use */
	bool			up;		/* the cable is in */
	uint32_t		version;	/* NVSP, 0: no driver */
	uint32_t		mtu;		/* the guest's, 0: no driver */
	unsigned int		queues;		/* open channels */
	uint32_t		filter;		/* VMB_FILTER_*; 0: it does not listen */
	const char		*backend, *about;
	struct netvsp_counters	count;
	struct netvsp_flow	queue[NETVSP_QUEUES];	/* their parts of it */
};

/* Loop thread. */
void netvsp_look(struct device *d, struct netvsp_info *out);

#endif
