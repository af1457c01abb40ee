// SPDX-License-Identifier: GPL-2.0-or-later
/* stats: the counters of a VM, for people, as JSON, and for Prometheus. */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hvctl/cmd.h"
#include "hvctl/rundir.h"
#include "hvctl/sample.h"

static int one(struct ctx *ctx)
{
	const char *key;
	struct sample s;
	json_t *value;

	if (ctx->line.args != 1)
		return err_set(&ctx->err, RC_USAGE, "write hvctl stats VM, or hvctl stats --prometheus [VM]...",
			       "stats needs the name of one VM");
	sample_take(ctx->line.arg, 1, &s, &ctx->err);
	if (s.rc)
		return s.rc;
	json_object_del(s.reply, "ok");
	if (ctx->json)
		return out_json(ctx, s.reply, false);
	json_object_foreach(s.stats, key, value)
		printf("%-40s %20" PRIu64 "\n", key, (uint64_t)json_integer_value(value));
	sample_free(&s, 1);
	return out_end(ctx);
}

/*
 * One line of the text exposition format, version 0.0.4. All of a metric's lines must stand together, so
 * they are sorted; names and labels are of [A-Za-z0-9._-] and need no escapes.
 */
struct metric {
	char	name[96], labels[160], value[40];
	bool	gauge;
	size_t	nr;		/* keeps the order of equal ones */
};

struct exposition {
	struct metric	*m;
	size_t		n, room;
	bool		failed;
};

static struct metric *metric_new(struct exposition *x)
{
	if (x->n == x->room) {
		size_t room = x->room ? 2 * x->room : 256;
		struct metric *more = realloc(x->m, room * sizeof(*more));

		if (!more) {
			x->failed = true;
			return NULL;
		}
		x->m = more;
		x->room = room;
	}
	x->m[x->n] = (struct metric){ .nr = x->n };
	return &x->m[x->n++];
}

/* What a name may hold: letters, digits, '_'. */
static void clean(char *s)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s))
			*s = '_';
}

/*
 * "vcpu3.exits_hlt" of VM web is hv_vcpu_exits_hlt_total{vm="web",vcpu="3"}, "vm.slat_pages_4k" a gauge; times become
 * seconds, as Prometheus wants them. A device without a number ("uart") is a label of hv_device_*.
 */
static void add_figure(struct exposition *x, const struct sample *s, const char *key, uint64_t value)
{
	const char *dot = strchr(key, '.');
	int len = dot ? (int)(dot - key) : 0, word = len;
	struct metric *m = dot ? metric_new(x) : NULL;
	bool ns, whole;
	char figure[64];

	if (!m)
		return;
	while (word > 0 && isdigit((unsigned char)key[word - 1]))
		word--;
	whole = !strncmp(key, "vm.", 3) || !strncmp(key, "process.", 8);
	snprintf(figure, sizeof(figure), "%s", dot + 1);
	ns = strlen(figure) > 3 && !strcmp(figure + strlen(figure) - 3, "_ns");
	if (ns)
		figure[strlen(figure) - 3] = 0;
	m->gauge = sample_instant(s, key);
	if (whole || word != len)
		snprintf(m->name, sizeof(m->name), "hv_%.*s_%s%s%s", word, key, figure, ns ? "_seconds" : "",
			 m->gauge ? "" : "_total");
	else
		snprintf(m->name, sizeof(m->name), "hv_device_%s%s%s", figure, ns ? "_seconds" : "",
			 m->gauge ? "" : "_total");
	clean(m->name);
	if (whole)
		snprintf(m->labels, sizeof(m->labels), "vm=\"%s\"", s->name);
	else if (word != len)
		snprintf(m->labels, sizeof(m->labels), "vm=\"%s\",%.*s=\"%.*s\"", s->name, word, key, len - word,
			 key + word);
	else
		snprintf(m->labels, sizeof(m->labels), "vm=\"%s\",device=\"%.*s\"", s->name, len, key);
	if (ns)
		snprintf(m->value, sizeof(m->value), "%" PRIu64 ".%09" PRIu64, value / 1000000000, value % 1000000000);
	else
		snprintf(m->value, sizeof(m->value), "%" PRIu64, value);
}

static void add_up(struct exposition *x, const struct sample *s)
{
	struct metric *m = metric_new(x);
	const char *state = json_string_value(json_object_get(s->reply, "state"));

	if (!m)
		return;
	m->gauge = true;
	snprintf(m->name, sizeof(m->name), "hv_up");
	snprintf(m->labels, sizeof(m->labels), "vm=\"%s\"", s->name);
	snprintf(m->value, sizeof(m->value), "%d", !s->rc);
	m = state ? metric_new(x) : NULL;
	if (!m)
		return;
	m->gauge = true;
	snprintf(m->name, sizeof(m->name), "hv_state");
	snprintf(m->labels, sizeof(m->labels), "vm=\"%s\",state=\"%.20s\"", s->name, state);
	snprintf(m->value, sizeof(m->value), "1");
}

static int by_metric(const void *a, const void *b)
{
	const struct metric *x = a, *y = b;
	int ret = strcmp(x->name, y->name);

	return ret ? ret : x->nr < y->nr ? -1 : 1;
}

static int expose(struct ctx *ctx, const struct sample *s, int n)
{
	struct exposition x = { 0 };
	const char *key;
	json_t *value;

	for (int i = 0; i < n; i++) {
		add_up(&x, &s[i]);
		json_object_foreach(s[i].stats, key, value)
			add_figure(&x, &s[i], key, (uint64_t)json_integer_value(value));
	}
	if (x.failed) {
		free(x.m);
		return err_set(&ctx->err, RC_FAILED, NULL, "no memory for the counters");
	}
	if (x.n)
		qsort(x.m, x.n, sizeof(*x.m), by_metric);
	for (size_t i = 0; i < x.n; i++) {
		if (!i || strcmp(x.m[i - 1].name, x.m[i].name))
			printf("# TYPE %s %s\n", x.m[i].name, x.m[i].gauge ? "gauge" : "counter");
		printf("%s{%s} %s\n", x.m[i].name, x.m[i].labels, x.m[i].value);
	}
	free(x.m);
	return out_end(ctx);
}

/* A scrape of all VMs must not fail for one that hangs: hv_up tells. A VM that was asked for by name must be there. */
static int prometheus(struct ctx *ctx)
{
	bool named = ctx->line.args;
	char **found = NULL;
	const char *const *names = ctx->line.arg;
	int n = (int)ctx->line.args, ret = 0;
	struct sample *s;

	if (!named) {
		n = rundir_names(&found);
		names = (const char *const *)found;
	}
	s = n < 0 ? NULL : calloc((size_t)n + 1, sizeof(*s));
	if (!s) {
		ret = err_set(&ctx->err, RC_FAILED, NULL, "no memory for the counters");
	} else {
		sample_take(names, n, s, &ctx->err);
		for (int i = 0; i < n && named && !ret; i++)
			ret = s[i].rc;
		if (!ret)
			ret = expose(ctx, s, n);
		sample_free(s, n);
	}
	free(s);
	rundir_names_free(found, found ? n : 0);
	return ret;
}

int cmd_stats(struct ctx *ctx)
{
	if (!opt_has(&ctx->line, "prometheus"))
		return one(ctx);
	if (ctx->json)
		return err_set(&ctx->err, RC_USAGE, "give one of them", "--prometheus is text, --json is not");
	return prometheus(ctx);
}
