// SPDX-License-Identifier: GPL-2.0-or-later
/* autostart: which VMs start with the host; starting and stopping all of them, for the systemd unit. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "hvctl/cmd_def.h"
#include "hvctl/defdir.h"
#include "hvctl/rundir.h"

#define PATIENCE	"90"
#define NO_ORDER	UINT64_MAX	/* it starts last */

/* A VM that is to start, or to end. */
struct member {
	const char	*name;
	uint64_t	order;
	bool		on;		/* starts with the host */
	pid_t		child;		/* what works on it, 0: none */
	int		rc;
};

/* What the definition of @m->name says. One that cannot be read does not start, but is stopped. */
static void look(struct member *m)
{
	static struct def d;
	struct err ignored;
	const char *v;

	m->order = NO_ORDER;
	if (!defdir_has(m->name))
		return;
	if (defdir_load(m->name, &d, &ignored)) {
		fprintf(stderr, "hvctl: %s\n", ignored.text);
		m->rc = ignored.code;
	} else {
		v = opt_value(&d.line, "autostart");
		m->on = v && !strcmp(v, "on");
		v = opt_value(&d.line, "order");
		if (v && text_uint(v, NO_ORDER, &m->order))
			m->order = NO_ORDER;
	}
	def_free(&d);
}

static int by_order(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strverscmp(x->name, y->name);
}

/* The members called @names (kept by the caller), in the order of starting. NULL: no memory. */
static struct member *members(char **names, int n)
{
	struct member *m = calloc((size_t)n + 1, sizeof(*m));

	for (int i = 0; m && i < n; i++) {
		m[i].name = names[i];
		look(&m[i]);
	}
	if (m)
		qsort(m, (size_t)n, sizeof(*m), by_order);
	return m;
}

/* This program again, with other words; its messages are ours, what it prints our report says. -1: failed. */
static pid_t spawn(const char *verb, const char *option, const char *value, const char *name)
{
	const char *argv[] = { "hvctl", verb, "-q", name, option, value, NULL };
	posix_spawn_file_actions_t to;
	pid_t child;
	int ret;

	if (posix_spawn_file_actions_init(&to))
		return -1;
	ret = posix_spawn_file_actions_addopen(&to, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (!ret)
		ret = posix_spawn(&child, "/proc/self/exe", &to, NULL, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&to);
	return ret ? -1 : child;
}

static int reap(pid_t child)
{
	int status;

	if (child <= 0)
		return RC_FAILED;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return RC_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : RC_FAILED;
}

static int report(struct ctx *ctx, const struct member *m, int n, const char *what)
{
	json_t *list = json_array();
	int first = 0;

	for (int i = 0; i < n; i++) {
		if (!m[i].child && !m[i].rc)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:i}", "name", m[i].name, "code", m[i].rc));
		if (m[i].rc && !first)
			first = err_set(&ctx->err, m[i].rc, "the messages above say why", "not all VMs could be %s: %s",
					what, m[i].name);
		else if (!m[i].rc && !ctx->json && !ctx->quiet)
			printf("%s\n", m[i].name);
	}
	if (!ctx->json)
		json_decref(list);
	else if (out_json(ctx, json_pack("{s:o}", "vms", list), false) && !first)
		return RC_FAILED;
	return first ? first : out_end(ctx);
}

/* One after the other: who has a lower number may serve those that follow. A failure stops nobody else. */
static int run_all(struct ctx *ctx)
{
	char **names;
	int n = defdir_names(&names), ret;
	struct member *m = n < 0 ? NULL : members(names, n);

	if (!m) {
		rundir_names_free(names, n > 0 ? n : 0);
		return err_sys(&ctx->err, RC_FAILED, ENOMEM, NULL, "cannot start the VMs");
	}
	for (int i = 0; i < n; i++) {
		if (!m[i].on || rundir_alive(m[i].name))
			continue;
		m[i].child = spawn("start", NULL, NULL, m[i].name);
		m[i].rc = reap(m[i].child);
	}
	ret = report(ctx, m, n, "started");
	free(m);
	rundir_names_free(names, n);
	return ret;
}

/* Those of @m[from..to) have the same number: they go down at the same time. */
static void stop_group(struct member *m, int from, int to, const char *patience)
{
	for (int i = from; i < to; i++)
		m[i].child = spawn("stop", "--timeout", patience, m[i].name);
	for (int i = from; i < to; i++)
		m[i].rc = reap(m[i].child);
	for (int i = from; i < to; i++) {
		if (m[i].rc && !rundir_alive(m[i].name))
			m[i].rc = 0;	/* it ended by itself meanwhile */
		if (!m[i].rc)
			continue;
		fprintf(stderr, "hvctl: VM '%s' is killed\n", m[i].name);
		m[i].rc = reap(spawn("kill", NULL, NULL, m[i].name));
		if (m[i].rc && !rundir_alive(m[i].name))
			m[i].rc = 0;
	}
}

/* All that run, not only those that were started with the host: it goes down under them, too. */
static int stop_all(struct ctx *ctx)
{
	const char *patience = opt_value(&ctx->line, "timeout");
	char **names;
	int n = rundir_names(&names), ret;
	struct member *m = n < 0 ? NULL : members(names, n);

	if (!m) {
		rundir_names_free(names, n > 0 ? n : 0);
		return err_sys(&ctx->err, RC_FAILED, ENOMEM, NULL, "cannot stop the VMs");
	}
	for (int to = n, from; to > 0; to = from) {
		from = to - 1;
		while (from > 0 && m[from - 1].order == m[to - 1].order)
			from--;
		stop_group(m, from, to, patience ? patience : PATIENCE);
	}
	ret = report(ctx, m, n, "stopped");
	free(m);
	rundir_names_free(names, n);
	return ret;
}

static int list_marked(struct ctx *ctx)
{
	json_t *list = json_array();
	char **names;
	int n = defdir_names(&names);
	struct member *m = n < 0 ? NULL : members(names, n);

	for (int i = 0; m && i < n; i++) {
		json_t *o;

		if (!m[i].on)
			continue;
		o = json_pack("{s:s}", "name", m[i].name);
		if (m[i].order != NO_ORDER)
			json_object_set_new(o, "order", json_integer((json_int_t)m[i].order));
		json_array_append_new(list, o);
		if (!ctx->json)
			printf("%s\n", m[i].name);
	}
	free(m);
	rundir_names_free(names, n > 0 ? n : 0);
	if (ctx->json)
		return out_json(ctx, json_pack("{s:o}", "vms", list), false);
	json_decref(list);
	return out_end(ctx);
}

static int mark(struct ctx *ctx, const char *name)
{
	static struct def d;
	const char *order = opt_value(&ctx->line, "order");
	int dir, ret = defdir_lock(&dir, &ctx->err);

	if (ret)
		return ret;
	ret = defdir_load(name, &d, &ctx->err);
	if (!ret)
		ret = def_set(&d, "autostart", opt_has(&ctx->line, "off") ? "off" : "on", &ctx->err);
	if (!ret && order)
		ret = def_set(&d, "order", order, &ctx->err);
	if (!ret)
		ret = cmd_def_store_locked(ctx, dir, &d, false);
	defdir_unlock(dir);
	def_free(&d);
	return ret;
}

int cmd_autostart(struct ctx *ctx)
{
	bool run = opt_has(&ctx->line, "run-all"), stop = opt_has(&ctx->line, "stop-all");
	int ret = 0;

	if ((run || stop) && (ctx->line.args || (run && stop) || opt_has(&ctx->line, "off")))
		return err_set(&ctx->err, RC_USAGE, "give --run-all or --stop-all alone",
			       "option --%s is for all VMs", run ? "run-all" : "stop-all");
	if (run)
		return run_all(ctx);
	if (stop)
		return stop_all(ctx);
	if (!ctx->line.args && (opt_has(&ctx->line, "off") || opt_has(&ctx->line, "order")))
		return err_set(&ctx->err, RC_USAGE, "write hvctl autostart VM", "autostart needs the name of a VM");
	if (!ctx->line.args)
		return list_marked(ctx);
	for (unsigned int i = 0; i < ctx->line.args && !ret; i++)
		ret = mark(ctx, ctx->line.arg[i]);
	if (ret || !ctx->json)
		return ret;
	return out_json(ctx, json_object(), false);
}
