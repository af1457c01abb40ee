// SPDX-License-Identifier: GPL-2.0-or-later
/* top: what VMs do, as rates over the last interval. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "hvctl/cmd.h"
#include "hvctl/rundir.h"
#include "hvctl/sample.h"
#include "hvctl/stopsig.h"

#define INTERVAL_MS	2000
#define KINDS_MAX	48
#define KINDS_SHOWN	3

/* Rates of one VM; all for one second, but the CPU in percent of one host CPU. */
struct rates {
	double		cpu, exits, disk_read, disk_write, disk_ops, net_rx, net_tx;
	uint64_t	rss;
	struct { char name[32]; double rate; } kind[KINDS_MAX];
	unsigned int	kinds;
};

static double per_second(uint64_t before, uint64_t after, double seconds)
{
	return after > before && seconds > 0 ? (double)(after - before) / seconds : 0;
}

static double rate(const struct sample *a, const struct sample *b, const char *prefix, const char *name)
{
	return per_second(sample_sum(a, prefix, name), sample_sum(b, prefix, name), (double)(b->at - a->at) / 1e9);
}

static int by_rate(const void *a, const void *b)
{
	const struct { char name[32]; double rate; } *x = a, *y = b;

	return x->rate > y->rate ? -1 : x->rate < y->rate;
}

/* Kinds of exits are what the module counts as exits_*: the list is its own, the first vCPU has all. */
static void exit_kinds(const struct sample *a, const struct sample *b, struct rates *r)
{
	static const char begin[] = "vcpu0.exits_";
	const char *key;
	json_t *value;

	json_object_foreach(b->stats, key, value) {
		if (strncmp(key, begin, sizeof(begin) - 1) || r->kinds == KINDS_MAX)
			continue;
		snprintf(r->kind[r->kinds].name, sizeof(r->kind[0].name), "%s", key + sizeof(begin) - 1);
		r->kind[r->kinds++].rate = rate(a, b, "vcpu", key + strlen("vcpu0."));
	}
	qsort(r->kind, r->kinds, sizeof(r->kind[0]), by_rate);
}

static void compare(const struct sample *a, const struct sample *b, struct rates *r)
{
	double seconds = (double)(b->at - a->at) / 1e9;

	memset(r, 0, sizeof(*r));
	r->rss = sample_value(b, "process.rss_bytes");
	r->cpu = per_second(sample_value(a, "process.cpu_ns"), sample_value(b, "process.cpu_ns"), seconds) / 1e7;
	r->exits = rate(a, b, "vcpu", "exits");
	r->disk_read = rate(a, b, "scsi", "bytes_read");
	r->disk_write = rate(a, b, "scsi", "bytes_written");
	r->disk_ops = rate(a, b, "scsi", "reads") + rate(a, b, "scsi", "writes");
	r->net_rx = rate(a, b, "net", "rx_bytes");
	r->net_tx = rate(a, b, "net", "tx_bytes");
	exit_kinds(a, b, r);
}

static const char *state_of(const struct sample *s)
{
	const char *state = json_string_value(json_object_get(s->reply, "state"));

	return state ? state : s->rc == RC_TIMEOUT ? "unresponsive" : "unknown";
}

static json_t *rates_json(const struct sample *s, const struct rates *r)
{
	json_t *kinds = json_object();

	for (unsigned int i = 0; i < r->kinds; i++)
		json_object_set_new(kinds, r->kind[i].name, json_real(r->kind[i].rate));
	return json_pack("{s:s, s:s, s:f, s:I, s:f, s:o, s:{s:f, s:f, s:f}, s:{s:f, s:f}}", "name", s->name, "state",
			 state_of(s), "cpu_percent", r->cpu, "rss", (json_int_t)r->rss, "exits", r->exits,
			 "exit_kinds", kinds, "disk", "bytes_read", r->disk_read, "bytes_written", r->disk_write,
			 "operations", r->disk_ops, "net", "bytes_received", r->net_rx, "bytes_sent", r->net_tx);
}

enum { TOP_NAME, TOP_STATE, TOP_CPU, TOP_RSS, TOP_EXITS, TOP_READ, TOP_WRITE, TOP_RX, TOP_TX, TOP_KINDS, TOP_COLS };

typedef char cell_text[64];

static const char *bytes(char *buf, double rate)
{
	return text_size_show((uint64_t)rate, buf, sizeof(cell_text));
}

static void fill_row(const char **cell, cell_text *text, const struct sample *s, const struct rates *r)
{
	size_t n = 0;

	for (int c = 0; c < TOP_COLS; c++)
		cell[c] = text[c];
	cell[TOP_NAME] = s->name;
	cell[TOP_STATE] = state_of(s);
	snprintf(text[TOP_CPU], sizeof(cell_text), "%.1f", r->cpu);
	text_size_show(r->rss, text[TOP_RSS], sizeof(cell_text));
	snprintf(text[TOP_EXITS], sizeof(cell_text), "%.0f", r->exits);
	bytes(text[TOP_READ], r->disk_read);
	bytes(text[TOP_WRITE], r->disk_write);
	bytes(text[TOP_RX], r->net_rx);
	bytes(text[TOP_TX], r->net_tx);
	text[TOP_KINDS][0] = 0;
	for (unsigned int i = 0; i < r->kinds && i < KINDS_SHOWN && r->kind[i].rate >= 0.5; i++)
		n += (size_t)snprintf(text[TOP_KINDS] + n, sizeof(cell_text) - n, "%s%s %.0f", n ? ", " : "",
				      r->kind[i].name, r->kind[i].rate);
}

static int show(struct ctx *ctx, const struct sample *s, const struct rates *r, int n)
{
	static const char *const heads[TOP_COLS] = {
		"NAME", "STATE", "CPU%", "MEMORY", "EXITS/s", "READ/s", "WRITE/s", "RECEIVE/s", "SEND/s", "MOST EXITS/s",
	};
	const char **cells = calloc((size_t)n * TOP_COLS + 1, sizeof(*cells));
	cell_text *text = calloc((size_t)n * TOP_COLS + 1, sizeof(*text));
	struct out_table t = { heads, TOP_COLS, (unsigned int)n, cells, 0, NULL };
	json_t *list = ctx->json ? json_array() : NULL;

	for (int i = 0; i < n && cells && text; i++) {
		if (list)
			json_array_append_new(list, rates_json(&s[i], &r[i]));
		else
			fill_row(cells + i * TOP_COLS, text + i * TOP_COLS, &s[i], &r[i]);
	}
	if (!list && cells && text) {
		if (isatty(STDOUT_FILENO))
			fputs("\033[H\033[J", stdout);
		out_table(&t);
	}
	free(cells);
	free(text);
	return list ? out_json(ctx, json_pack("{s:o}", "vms", list), true) : out_end(ctx);
}

struct pair {
	struct sample	*before, *after;
	struct rates	*rates;
	const char	**names;
	int		n;
};

/* The VMs to look at now: those named, or all. @found: what to free. Return: how many, or -1. */
static int choose(struct ctx *ctx, struct pair *p, char ***found)
{
	*found = NULL;
	p->n = (int)ctx->line.args;
	p->names = ctx->line.arg;
	if (!p->n) {
		p->n = rundir_names(found);
		p->names = (const char **)*found;
	}
	if (p->n < 0)
		return -1;
	p->before = calloc((size_t)p->n + 1, sizeof(*p->before));
	p->after = calloc((size_t)p->n + 1, sizeof(*p->after));
	p->rates = calloc((size_t)p->n + 1, sizeof(*p->rates));
	return p->before && p->after && p->rates ? p->n : -1;
}

/* One interval. A VM that ends meanwhile, or hangs, has no rates. */
static int turn(struct ctx *ctx, int interval)
{
	struct pair p = { 0 };
	struct err ignored;
	char **found;
	int ret = 0;

	if (choose(ctx, &p, &found) < 0)
		ret = err_set(&ctx->err, RC_FAILED, NULL, "no memory for the counters");
	if (!ret)
		sample_take(p.names, p.n, p.before, &ctx->err);
	for (int i = 0; i < p.n && ctx->line.args && !ret; i++)
		ret = p.before[i].rc == RC_TIMEOUT ? 0 : p.before[i].rc;
	if (!ret && stopsig_poll(NULL, 0, interval) < 0 && stopsig_got())
		ret = -1;
	if (!ret) {
		sample_take(p.names, p.n, p.after, &ignored);
		for (int i = 0; i < p.n; i++)
			compare(&p.before[i], &p.after[i], &p.rates[i]);
		ret = show(ctx, p.after, p.rates, p.n);
	}
	sample_free(p.before, p.before ? p.n : 0);
	sample_free(p.after, p.after ? p.n : 0);
	free(p.before);
	free(p.after);
	free(p.rates);
	rundir_names_free(found, found ? p.n : 0);
	return ret;
}

int cmd_top(struct ctx *ctx)
{
	const char *count = opt_value(&ctx->line, "count"), *every = opt_value(&ctx->line, "interval");
	uint64_t n = 0, ms = INTERVAL_MS;
	int ret = 0;

	if (count && text_uint(count, UINT32_MAX, &n))
		return err_set(&ctx->err, RC_USAGE, NULL, "option --count: %s is too large", count);
	if (every && (text_duration(every, &ms) || !ms || ms > INT32_MAX))
		return err_set(&ctx->err, RC_USAGE, "give for example 2 or 500ms", "option --interval: %s is no interval",
			       every);
	stopsig_catch();
	for (uint64_t i = 0; !ret && (!count || i < n); i++)
		ret = turn(ctx, (int)ms);
	return ret < 0 ? 0 : ret;	/* ^C is the way out */
}
