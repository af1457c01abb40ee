// SPDX-License-Identifier: GPL-2.0-or-later
/* The counters of VMs at one moment. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "hvctl/sample.h"

#define PATIENCE_MS 1000

static const char *const process_instant[] = { "process.rss_bytes", "process.threads" };

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/*
 * What proc(5) has of the process: its CPU time (fields 14 and 15 of stat, in ticks), its threads (20) and
 * its resident pages (24). Memory of the guest is in them as far as it was touched.
 */
static void add_process(json_t *stats, pid_t pid)
{
	char path[32], line[1024];
	unsigned long long user, system, threads, rss;
	const char *after;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = pid > 0 ? fopen(path, "re") : NULL;
	if (!f)
		return;
	/* The name in brackets may hold anything, brackets too: the last one ends it. */
	after = fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
	fclose(f);
	if (!after || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
			     "%llu %*d %*u %*u %llu", &user, &system, &threads, &rss) != 4)
		return;
	json_object_set_new(stats, "process.cpu_ns", json_integer((json_int_t)((user + system) *
			    (1000000000ULL / (unsigned long long)sysconf(_SC_CLK_TCK)))));
	json_object_set_new(stats, "process.rss_bytes", json_integer((json_int_t)(rss *
			    (unsigned long long)sysconf(_SC_PAGESIZE))));
	json_object_set_new(stats, "process.threads", json_integer((json_int_t)threads));
}

static void collect(struct sample *s, struct client *c, int timeout, struct err *err)
{
	json_t *instant;

	if (!s->rc)
		s->rc = client_receive(c, &s->reply, NULL, timeout, err);
	s->at = now();
	s->stats = s->reply ? json_object_get(s->reply, "stats") : NULL;
	if (!s->stats)
		return;
	add_process(s->stats, c->pid);
	instant = json_object_get(s->reply, "instant");
	for (size_t i = 0; instant && i < sizeof(process_instant) / sizeof(process_instant[0]); i++)
		json_array_append_new(instant, json_string(process_instant[i]));
}

void sample_take(const char *const *names, int n, struct sample *out, struct err *err)
{
	struct client *c = calloc((size_t)n + 1, sizeof(*c));
	int left = PATIENCE_MS;

	for (int i = 0; i < n; i++) {
		out[i] = (struct sample){ .rc = RC_FAILED };
		snprintf(out[i].name, sizeof(out[i].name), "%s", names[i]);
		if (!c)
			continue;
		out[i].rc = client_open(&c[i], names[i], err);
		if (!out[i].rc)
			out[i].rc = client_send(&c[i], CTL_STATS, 0, err);
	}
	for (int i = 0; c && i < n; i++) {
		collect(&out[i], &c[i], left, err);
		if (out[i].rc == RC_TIMEOUT)
			left = 0;	/* the others have had their second */
		client_close(&c[i]);
	}
	free(c);
}

void sample_free(struct sample *s, int n)
{
	for (int i = 0; s && i < n; i++)
		json_decref(s[i].reply);
}

uint64_t sample_value(const struct sample *s, const char *name)
{
	return (uint64_t)json_integer_value(json_object_get(s->stats, name));
}

uint64_t sample_sum(const struct sample *s, const char *prefix, const char *name)
{
	size_t len = strlen(prefix);
	uint64_t sum = 0;
	const char *key;
	json_t *value;

	json_object_foreach(s->stats, key, value) {
		const char *at = key + len;

		if (strncmp(key, prefix, len) || !isdigit((unsigned char)*at))
			continue;
		at += strspn(at, "0123456789");
		if (*at == '.' && !strcmp(at + 1, name))
			sum += (uint64_t)json_integer_value(value);
	}
	return sum;
}

bool sample_instant(const struct sample *s, const char *name)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(s->reply, "instant"), i, v)
		if (json_is_string(v) && !strcmp(json_string_value(v), name))
			return true;
	return false;
}
