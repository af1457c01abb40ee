/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvp.h - key-value pairs with the guest: its system, its addresses, and what users on both sides write
 *
 * A channel that the guest's driver and its daemon serve. One question is under way at a time. From time to time, and
 * when somebody asks, a sweep asks for all there is: what the guest's service finds out and the addresses of each
 * network adapter, and on request the pools of the users too. Everything happens in the loop thread.
 */
#ifndef HV_DEVICES_KVP_H
#define HV_DEVICES_KVP_H

#include <hvguest/vsp_kvp.h>

#include "dev_services.h"
#include "kvp_store.h"

#define KVP_ADAPTERS	8
#define KVP_CHANGES	8

struct kvp_config {
	unsigned int	adapters;
	uint8_t		mac[KVP_ADAPTERS][6];
};

/* Offer it. 0; -ENODEV: the VM has no bus; -ENOMEM. */
int kvp_create(struct device **out, struct dev_services *ds, const struct kvp_config *cfg);

enum kvp_health {
	KVP_UNKNOWN,		/* nobody in the guest ever answered */
	KVP_OK,
	KVP_LOST,		/* a question is overdue */
};

/* What the guest says of one adapter. Addresses with ';' between them, and not looked at. */
struct kvp_adapter {
	bool	known;
	bool	dhcp;
	char	*address, *mask, *gateway, *dns;
};

enum kvp_outcome {
	KVP_PENDING,
	KVP_DONE,
	KVP_REFUSED,		/* the guest's service says no: deleting what is not there, for instance */
	KVP_UNANSWERED,
};

struct kvp_view {
	enum kvp_health		health;
	uint32_t		sweeps;			/* that came to their end; the number of the last one */
	uint64_t		age_ns;			/* since then */
	bool			told;			/* this guest was asked for all once */
	const struct kvp_list	*pool[VMB_KVP_POOLS];	/* of EXTERNAL and GUEST as of the last full one */
	unsigned int		adapters;
	const struct kvp_adapter *adapter;		/* in the order of the configuration */
	const uint8_t		(*mac)[6];
	uint32_t		change;			/* number of the last one, 0: there was none */
	const enum kvp_outcome	*outcome;		/* [n % KVP_CHANGES]: of change n, one of the last so many */
};

/* Valid until the loop does something else. */
void kvp_look(struct device *d, struct kvp_view *out);
/* "unknown", "ok", "lost" */
const char *kvp_health_name(enum kvp_health h);

/* Ask for all of it now. *@sweep: the number it will have. -ENOTCONN: nobody answers. */
int kvp_read(struct device *d, uint32_t *sweep);

/*
 * Write @name into the guest's external pool, or with @value NULL delete it. *@change: its number in struct kvp_view.
 * -ENOTCONN: nobody answers; -EBUSY: another change is under way; -EINVAL: not UTF-8, or longer than a guest keeps.
 */
int kvp_change(struct device *d, const char *name, const char *value, uint32_t *change);

struct kvp_figure {
	const char	*name;
	uint64_t	value;
};
#define KVP_FIGURES 6
void kvp_figures(struct device *d, struct kvp_figure out[KVP_FIGURES]);

#endif
