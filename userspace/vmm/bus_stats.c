// SPDX-License-Identifier: GPL-2.0-or-later
/* What each VMBus channel is, and what it counted. */
#include <hvguest/vsp_ic.h>
#include <hvguest/vsp_kvp.h>
#include <hvguest/vsp_net.h>
#include <hvguest/vsp_stor.h>
#include <stdio.h>
#include <string.h>

#include "devices/chan.h"
#include "libhv/libhv_bus.h"
#include "machine_impl.h"

#define STATS_BYTES 4096

static const struct {
	uint8_t		class[16];
	const char	*name;
} kinds[] = {
	{ VMB_STOR_SCSI_CLASS, "scsi" },
	{ VMB_NET_CLASS, "net" },
	{ VMB_IC_SHUTDOWN_CLASS, "shutdown" },
	{ VMB_IC_HEARTBEAT_CLASS, "heartbeat" },
	{ VMB_IC_TIMESYNC_CLASS, "timesync" },
	{ VMB_KVP_CLASS, "kvp" },
};

static const char *kind_of(const uint8_t *class)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!memcmp(class, kinds[i].class, sizeof(kinds[i].class)))
			return kinds[i].name;
	return "other";
}

static const char *state_name(uint32_t state)
{
	static const char *const names[] = {
		[HV_CHAN_HIDDEN] = "hidden", [HV_CHAN_OFFERED] = "offered",
		[HV_CHAN_OPENING] = "opening", [HV_CHAN_OPEN] = "open", [HV_CHAN_CLOSING] = "closing",
		[HV_CHAN_DRAINING] = "draining", [HV_CHAN_RESCINDED] = "rescinded",
		[HV_CHAN_DEAD] = "dead",
	};

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

/* The wire form has the first three groups with the low byte first. */
static void guid_text(const uint8_t *g, char *out, size_t len)
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	size_t at = 0;

	for (unsigned int i = 0; i < 16 && at < len; i++)
		at += (size_t)snprintf(out + at, len - at, "%s%02x",
				       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", g[order[i]]);
}

static void counter(void *arg, const char *name, uint64_t value, bool instant)
{
	struct machine_chan *c = arg;

	(void)instant;
	if (c->nr == MACHINE_CHAN_STATS)
		return;
	snprintf(c->stat[c->nr].name, sizeof(c->stat[0].name), "%s", name);
	c->stat[c->nr++].value = value;
}

struct sink {
	struct machine_chan	*out;
	int			max, nr;
};

static void channel(void *arg, int fd, struct chan *c)
{
	struct hv_chan_info_args info;
	uint8_t buf[STATS_BYTES];
	uint32_t len = sizeof(buf);
	struct machine_chan *out;
	struct sink *s = arg;

	if (libhv_chan_info(fd, &info) || s->nr++ >= s->max)
		return;
	out = &s->out[s->nr - 1];
	memset(out, 0, sizeof(*out));
	out->kind = kind_of(info.interface);
	guid_text(info.instance, out->instance, sizeof(out->instance));
	out->state = state_name(info.state);
	out->index = info.sub_channel;
	out->relid = info.relid;
	out->vp = info.target_vp;
	counter(out, "packets", atomic_load(&c->packets), false);
	if (!libhv_chan_stats(fd, buf, &len) && len <= sizeof(buf))
		stats_each(buf, len, counter, out);
}

int machine_channels(struct machine *m, struct machine_chan *out, int max)
{
	struct sink s = { out, max, 0 };

	bus_chan_each(m, channel, &s);
	return s.nr;
}
