// SPDX-License-Identifier: GPL-2.0-or-later
/* Network adapters of the configuration, and what they lead to. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backends/net_tap.h"
#include "backends/net_user.h"
#include "devices/netvsp.h"
#include "machine_impl.h"

_Static_assert(NETVSP_NR_COUNTERS <= MACHINE_NET_STATS, "a figure for each counter");
_Static_assert(NETVSP_QUEUES == MACHINE_NET_QUEUES, "a pair of figures for each channel");
_Static_assert(VMM_NET_MTU_MIN == NET_MTU_MIN && VMM_NET_MTU_MAX == NET_MTU_MAX, "as the backends have it");

/* An adapter's channel instance: the last byte tells them apart. The guest's names are made of it. */
static const uint8_t instance[16] = {
	0x91, 0x0b, 0x7a, 0x3c, 0x52, 0xe4, 0x1d, 0x4c, 0xa6, 0x30, 0x68, 0x76, 0x6e, 0x65, 0x74, 0x00,
};

/* The same at each start, another one for each name: a locally administered address (FNV-1a, 64 bits). */
static void mac_make(const char *name, unsigned int nr, uint8_t *mac)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 0x100000001b3ull;
	hash = (hash ^ nr) * 0x100000001b3ull;
	mac[0] = 0x02;
	for (unsigned int i = 1; i < 6; i++)
		mac[i] = (uint8_t)(hash >> 8 * i);
}

static int user_make(struct machine *m, const struct vmm_net *n, struct net **out, struct err *e)
{
	m->sockets = true;
	return net_user_create(out, n->to, n->flags & VMM_NET_RESTRICTED, e);
}

/* A channel for each vCPU, as Linux' driver asks for them: eight. */
static unsigned int queues_for(unsigned int cpus)
{
	return cpus < 8 ? cpus : 8;
}

static int tap_make(struct machine *m, const struct vmm_net *n, struct net **out, struct err *e)
{
	char words[VMM_NET_TO_MAX + 1] = "-", *bridge;
	struct net_tap_config cfg = { .mtu = n->mtu, .queues = queues_for(m->cfg->cpus) };

	if (n->to)
		snprintf(words, sizeof(words), "%s", n->to);
	bridge = strchr(words, ' ');
	if (bridge)
		*bridge++ = 0;
	cfg.ifname = strcmp(words, "-") ? words : NULL;
	cfg.bridge = bridge;
	return net_tap_create(out, &cfg, e);
}

static int (*const makers[VMM_NET_NR])(struct machine *m, const struct vmm_net *n, struct net **out,
				       struct err *e) = {
	[VMM_NET_USER] = user_make, [VMM_NET_TAP] = tap_make,
};

static int net_make(struct machine *m, unsigned int nr)
{
	static const uint8_t none[6];
	const struct vmm_net *n = &m->cfg->net[nr];
	struct netvsp_config cfg = {
		.queues = queues_for(m->cfg->cpus), .mtu = n->mtu, .guard = n->flags & VMM_NET_GUARD,
	};
	struct err e = { 0 };
	struct net *net;
	int ret = makers[n->kind](m, n, &net, &e);

	if (ret) {
		snprintf(m->err, sizeof(m->err), "net: %.240s%s%.120s", e.text, e.next[0] ? "\n" : "", e.next);
		return ret;
	}
	memcpy(cfg.instance, instance, sizeof(cfg.instance));
	cfg.instance[15] = (uint8_t)nr;
	if (memcmp(n->mac, none, sizeof(none)))
		memcpy(cfg.mac, n->mac, sizeof(cfg.mac));
	else
		mac_make(m->cfg->name, nr, cfg.mac);
	vmm_log(m->log, LOG_INFO, "net%u: %s, %s", nr, net->ops->name, net->about);
	ret = netvsp_create(&m->net[nr], &m->services, &cfg, net);
	if (ret) {
		snprintf(m->err, sizeof(m->err), "cannot make network adapter %u: %s%s", nr, strerror(-ret),
			 ret == -ENODEV ? "\nthis VM has no VMBus, and adapters hang on it" : "");
		return ret;
	}
	m->dev[m->nr_devs++] = m->net[nr];
	return 0;
}

int nets_make(struct machine *m)
{
	int ret = 0;

	for (unsigned int i = 0; i < m->cfg->nets && !ret; i++)
		ret = net_make(m, i);
	return ret;
}

bool machine_net_look(struct machine *m, unsigned int nr, struct machine_net *out)
{
	struct netvsp_info info;

	if (nr >= VMM_NETS_MAX || !m->net[nr])
		return false;
	netvsp_look(m->net[nr], &info);
	*out = (struct machine_net){
		.kind = info.backend, .about = info.about, .up = info.up, .version = info.version,
		.mtu = info.mtu, .queues = info.queues, .nr = NETVSP_NR_COUNTERS,
		.names = netvsp_counter_names,
	};
	memcpy(out->mac, info.mac, sizeof(out->mac));
	memcpy(out->value, &info.count, sizeof(info.count));
	for (unsigned int i = 0; i < NETVSP_QUEUES; i++) {
		out->queue_tx[i] = info.queue[i].tx_packets;
		out->queue_rx[i] = info.queue[i].rx_packets;
	}
	return true;
}

int machine_net_link(struct machine *m, unsigned int nr, bool up)
{
	if (nr >= VMM_NETS_MAX || !m->net[nr])
		return -ENOENT;
	return netvsp_link_set(m->net[nr], up);
}
