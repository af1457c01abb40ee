// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's figures: the module's self-describing counters, and how often each device was asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/kvp.h"
#include "devices/storvsp.h"
#include "machine_impl.h"

#define STATS_BYTES	16384
#define NAME_BYTES	sizeof(((struct machine *)0)->stat_names[0])
#define NAMES_MAX	4096

struct sink {
	struct machine		*m;
	struct machine_stat	*out;
	int			max, nr;
	const char		*prefix;
};

static void figure(void *arg, const char *name, uint64_t value, bool instant)
{
	struct sink *s = arg;

	if (s->nr < s->max && s->nr < NAMES_MAX) {
		char *at = s->m->stat_names[s->nr];

		snprintf(at, NAME_BYTES, "%s.%.40s", s->prefix, name);
		s->out[s->nr] = (struct machine_stat){ at, value, instant };
	}
	s->nr++;
}

/* It comes from the kernel, but a newer one may lay it out otherwise. */
void stats_each(const uint8_t *buf, uint32_t len, stats_fn fn, void *arg)
{
	struct hv_stats_header h;
	uint32_t i;

	if (len < sizeof(h))
		return;
	memcpy(&h, buf, sizeof(h));
	if (h.desc_bytes < sizeof(struct hv_stats_desc) || h.nr > len || h.desc_off > len ||
	    h.data_off > len || (uint64_t)h.nr * h.desc_bytes > len - h.desc_off ||
	    (uint64_t)h.nr * 8 > len - h.data_off)
		return;
	for (i = 0; i < h.nr; i++) {
		struct hv_stats_desc d;
		uint64_t v;

		memcpy(&d, buf + h.desc_off + i * h.desc_bytes, sizeof(d));
		memcpy(&v, buf + h.data_off + i * 8, 8);
		d.name[sizeof(d.name) - 1] = 0;
		fn(arg, d.name, v, d.kind == HV_STATS_INSTANT);
	}
}

static void counters(struct sink *s, int fd, int is_vcpu, uint8_t *buf)
{
	uint32_t len = STATS_BYTES;

	if (!libhv_stats(fd, is_vcpu, buf, &len) && len <= STATS_BYTES)
		stats_each(buf, len, figure, s);
}

static void scsi_figures(struct machine *m, struct sink *s)
{
	struct storvsp_figure f[STORVSP_FIGURES];
	char prefix[16];

	s->prefix = prefix;
	for (unsigned int c = 0; c < VMM_CONTROLLERS_MAX; c++) {
		if (!m->scsi[c])
			continue;
		storvsp_figures(m->scsi[c], f);
		snprintf(prefix, sizeof(prefix), "scsi%u", c);
		for (unsigned int i = 0; i < STORVSP_FIGURES; i++)
			figure(s, f[i].name, f[i].value, false);
	}
	s->prefix = "";
}

static void nets_figures(struct machine *m, struct sink *s)
{
	struct machine_net n;
	char prefix[16];

	s->prefix = prefix;
	for (unsigned int i = 0; machine_net_look(m, i, &n); i++) {
		snprintf(prefix, sizeof(prefix), "net%u", i);
		for (unsigned int c = 0; c < n.nr; c++)
			figure(s, n.names[c], n.value[c], false);
	}
}

static void kvp_counters(struct machine *m, struct sink *s)
{
	struct kvp_figure f[KVP_FIGURES];

	s->prefix = "kvp";
	kvp_figures(m->kvp, f);
	for (unsigned int i = 0; i < KVP_FIGURES; i++)
		figure(s, f[i].name, f[i].value, false);
}

int machine_stats(struct machine *m, struct machine_stat *out, int max)
{
	struct sink s = { m, out, max, 0, "vm" };
	uint8_t *buf = malloc(STATS_BYTES);
	char prefix[32];
	unsigned int i;

	free(m->stat_names);
	m->stat_names = malloc((size_t)(max < NAMES_MAX ? max : NAMES_MAX) * NAME_BYTES + 1);
	if (!buf || !m->stat_names) {
		free(buf);
		return 0;
	}
	counters(&s, m->vm, 0, buf);
	s.prefix = prefix;
	for (i = 0; i < m->cfg->cpus; i++) {
		snprintf(prefix, sizeof(prefix), "vcpu%u", i);
		counters(&s, m->vcpu[i].fd, 1, buf);
	}
	for (i = 0; i < m->nr_devs; i++) {
		pthread_mutex_lock(&m->dev[i]->lock);
		s.prefix = m->dev[i]->ops->name;
		figure(&s, "accesses", m->dev[i]->accesses, false);
		pthread_mutex_unlock(&m->dev[i]->lock);
	}
	scsi_figures(m, &s);
	nets_figures(m, &s);
	kvp_counters(m, &s);
	free(buf);
	return s.nr;
}
