// SPDX-License-Identifier: GPL-2.0-or-later
/* The network adapter as a device: its making, its cable, what it counted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "netvsp_impl.h"

const char *const netvsp_counter_names[NETVSP_NR_COUNTERS] = {
	[NET_COUNTER(tx_packets)] = "tx_packets", [NET_COUNTER(tx_bytes)] = "tx_bytes",
	[NET_COUNTER(tx_dropped)] = "tx_dropped", [NET_COUNTER(tx_refused)] = "tx_refused",
	[NET_COUNTER(rx_packets)] = "rx_packets", [NET_COUNTER(rx_bytes)] = "rx_bytes",
	[NET_COUNTER(rx_dropped)] = "rx_dropped", [NET_COUNTER(rx_filtered)] = "rx_filtered",
	[NET_COUNTER(requests)] = "requests", [NET_COUNTER(refused)] = "refused",
	[NET_COUNTER(signals)] = "signals",
};

static struct netvsp *of_device(struct device *d)
{
	return dev_container(d, struct netvsp, dev);
}

void net_lock_all(struct netvsp *v)
{
	for (unsigned int i = 0; i < v->nr_queues; i++)
		pthread_mutex_lock(&v->queue[i]->lock);
}

void net_unlock_all(struct netvsp *v)
{
	for (unsigned int i = v->nr_queues; i--;)
		pthread_mutex_unlock(&v->queue[i]->lock);
}

void net_lock_others(struct netvsp *v)
{
	for (unsigned int i = 1; i < v->nr_queues; i++)
		pthread_mutex_lock(&v->queue[i]->lock);
}

void net_unlock_others(struct netvsp *v)
{
	for (unsigned int i = v->nr_queues; --i;)
		pthread_mutex_unlock(&v->queue[i]->lock);
}

int netvsp_link_set(struct device *d, bool up)
{
	struct netvsp *v = of_device(d);
	bool was = atomic_exchange(&v->up, up);

	if (up && atomic_load(&v->gone)) {
		atomic_store(&v->up, false);
		return -ENODEV;
	}
	if (was == up)
		return 0;
	atomic_store(&v->queue[0]->tell_link, true);
	net_queue_kick(v->queue[0]);
	return 0;
}

void netvsp_look(struct device *d, struct netvsp_info *out)
{
	struct netvsp *v = of_device(d);
	uint64_t *sum = (uint64_t *)&out->count;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&v->queue[0]->lock);
	memcpy(out->mac, v->mac, sizeof(out->mac));
	out->version = v->version;
	out->mtu = v->recv.gpadl.pfns ? v->frame_max - NET_FRAME_MIN : 0;
	pthread_mutex_unlock(&v->queue[0]->lock);
	out->up = atomic_load(&v->up);
	out->filter = atomic_load(&v->filter);
	out->backend = v->net->ops->name;
	out->about = v->net->about;
	for (unsigned int i = 0; i < v->nr_queues; i++) {
		out->queues += atomic_load(&v->queue[i]->is_open);
		out->queue[i].tx_packets = v->queue[i]->count.c[NET_COUNTER(tx_packets)];
		out->queue[i].rx_packets = v->queue[i]->count.c[NET_COUNTER(rx_packets)];
		for (unsigned int c = 0; c < NETVSP_NR_COUNTERS; c++)
			sum[c] += atomic_load_explicit(&v->queue[i]->count.c[c], memory_order_relaxed);
	}
}

/* Guest memory is held within a turn, which has the lock, and not beyond. */
static void netvsp_drain(struct device *d)
{
	struct netvsp *v = of_device(d);

	net_lock_all(v);
	for (unsigned int i = 0; i < v->nr_queues; i++)
		v->queue[i]->quiet = true;
	net_unlock_all(v);
}

/* The machine closes the channels on a reset; besides them the address that the old guest chose is left. */
static void netvsp_reset(struct device *d)
{
	struct netvsp *v = of_device(d);

	net_lock_all(v);
	memcpy(v->mac, v->cfg.mac, sizeof(v->mac));
	net_unlock_all(v);
}

static void netvsp_release(struct device *d)
{
	struct netvsp *v = of_device(d);

	for (unsigned int i = 0; i < v->nr_queues; i++)
		net_queue_stop(v->queue[i]);
	while (v->nr_queues)
		net_queue_release(v->queue[--v->nr_queues]);
	net_buffer_drop(v, &v->recv);
	net_buffer_drop(v, &v->send);
	v->net->ops->release(v->net);
	pthread_mutex_destroy(&v->dev.lock);
	free(v);
}

static const struct dev_ops ops = {
	.name = "netvsp", .drain = netvsp_drain, .go_on = netvsp_go_on, .reset = netvsp_reset,
	.release = netvsp_release, .record = &netvsp_record,
};

static int config_set(struct netvsp *v, const struct netvsp_config *cfg)
{
	unsigned int limit = v->net->queues;

	v->cfg = *cfg;
	if (!v->cfg.mtu || v->cfg.mtu > v->net->mtu)
		v->cfg.mtu = v->net->mtu;
	if (v->cfg.queues > limit)
		v->cfg.queues = limit;
	memcpy(v->mac, cfg->mac, sizeof(v->mac));
	/* A group address is no station. */
	return cfg->mac[0] & 1 || !v->cfg.queues || v->cfg.queues > NETVSP_QUEUES ||
	       v->cfg.mtu < NET_MTU_MIN || v->cfg.mtu > NET_MTU_MAX ? -EINVAL : 0;
}

int netvsp_create(struct device **out, struct dev_services *ds, const struct netvsp_config *cfg,
		  struct net *net)
{
	struct chan_offer offer = { .interface = VMB_NET_CLASS };
	struct netvsp *v = calloc(1, sizeof(*v));
	int ret;

	if (!v) {
		net->ops->release(net);
		return -ENOMEM;
	}
	v->net = net;
	v->sink.ops = &net_sink_ops;
	net->sink = &v->sink;
	atomic_store(&v->up, true);
	v->frame_max = 1500 + NET_FRAME_MIN;
	device_init(&v->dev, &ops, ds, NULL, 0);
	ret = config_set(v, cfg);
	for (unsigned int i = 0; !ret && i < v->cfg.queues; i++)
		ret = net_queue_create(v, i);
	if (!ret) {
		memcpy(offer.instance, cfg->instance, sizeof(offer.instance));
		offer.max_subs = (uint16_t)(v->nr_queues - 1);
		ret = ds->ops->chan_create(ds, &offer, &v->queue[0]->chan);
	}
	if (ret)
		netvsp_release(&v->dev);
	else
		*out = &v->dev;
	return ret;
}
