// SPDX-License-Identifier: GPL-2.0-or-later
/* list, show. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "hvctl/def/def.h"
#include "hvctl/defdir.h"
#include "hvctl/rundir.h"

#define LIST_PATIENCE_MS 1000

/* One VM of the list: what it answered, or a state that we give it. */
struct listed {
	struct client	client;
	json_t		*status;	/* NULL: no answer */
	const char	*state;
	int		rc;		/* of asking */
	bool		defined, autostart;
};

/* What to call a VM that gave no status. NULL: it is gone. */
static const char *state_for(int rc, const char *name)
{
	switch (rc) {
	case RC_TIMEOUT:
		return "unresponsive";
	case RC_HOST:
		return "foreign";
	case RC_BUSY:
		return rundir_alive(name) ? "starting" : NULL;
	default:
		return rundir_alive(name) ? "unknown" : NULL;
	}
}

/* The status of a VM that does not run, from its definition. */
static void look(struct listed *vm, const char *name)
{
	static struct def d;
	static const char *const opts[] = { "memory", "cpus" }, *const keys[] = { "size", "count" };
	struct opt_keys list;
	struct err err;
	const char *v;
	uint64_t n;

	vm->state = "invalid";
	if (!defdir_load(name, &d, &err)) {
		v = opt_value(&d.line, "autostart");
		vm->autostart = v && !strcmp(v, "on");
		vm->state = "stopped";
	}
	for (size_t i = 0; !strcmp(vm->state, "stopped") && i < 2; i++) {
		const struct opt *o = def_opt(opts[i]);

		v = opt_value(&d.line, opts[i]);
		if (!v || opt_keys_parse(&hvctl_tool, o, v, &list, &err))
			continue;
		v = opt_keys_value(&list, keys[i]);
		if (v && !(i ? text_uint(v, UINT16_MAX, &n) : text_size(v, &n))) {
			if (!vm->status)
				vm->status = json_object();
			json_object_set_new(vm->status, opts[i], json_integer((json_int_t)n));
		}
	}
	def_free(&d);
}

/* Add the names of definitions to @names. Return: the new count or -1. */
static int add_defined(char ***names, int n)
{
	char **defs, **more;
	int defined = defdir_names(&defs);

	if (defined < 0 || n < 0)
		return -1;
	for (int i = 0; i < defined; i++) {
		bool there = false;

		for (int k = 0; k < n; k++)
			there |= !strcmp((*names)[k], defs[i]);
		more = there ? NULL : realloc(*names, (size_t)(n + 1) * sizeof(*more));
		if (!more) {
			free(defs[i]);
			continue;
		}
		*names = more;
		more[n++] = defs[i];
	}
	free(defs);
	return n;
}

/* Ask all first and collect then, so that one hung VM costs one second, not one each. */
static void ask_all(char **names, int n, struct listed *vms)
{
	struct err err;

	for (int i = 0; i < n; i++) {
		vms[i].rc = client_open(&vms[i].client, names[i], &err);
		if (!vms[i].rc)
			vms[i].rc = client_send(&vms[i].client, CTL_STATUS, 0, &err);
	}
	for (int i = 0, left = LIST_PATIENCE_MS; i < n; i++) {
		if (!vms[i].rc)
			vms[i].rc = client_receive(&vms[i].client, &vms[i].status, NULL, left, &err);
		if (vms[i].rc == RC_TIMEOUT)
			left = 0;	/* the others have had their second */
		vms[i].defined = defdir_has(names[i]);
		vms[i].state = vms[i].status
			? json_string_value(json_object_get(vms[i].status, "state"))
			: state_for(vms[i].rc, names[i]);
		if (!vms[i].state && vms[i].defined)
			look(&vms[i], names[i]);
	}
}

static json_t *list_json(char **names, int n, const struct listed *vms)
{
	static const char *const keys[] = { "pid", "cpus", "memory", "uptime_ms" };
	json_t *list = json_array();

	for (int i = 0; i < n; i++) {
		json_t *o;

		if (!vms[i].state)
			continue;
		o = json_pack("{s:s, s:s, s:b}", "name", names[i], "state", vms[i].state, "defined",
			      vms[i].defined);
		for (size_t k = 0; vms[i].status && k < sizeof(keys) / sizeof(keys[0]); k++)
			json_object_set(o, keys[k], json_object_get(vms[i].status, keys[k]));
		json_array_append_new(list, o);
	}
	return json_pack("{s:o}", "vms", list);
}

enum { COL_NAME, COL_STATE, COL_CPUS, COL_MEMORY, COL_UPTIME, COL_PID, COLS };

struct row_text {
	char memory[16], uptime[24], cpus[8], pid[12];
};

static json_int_t number_of(const struct listed *vm, const char *key)
{
	return json_integer_value(json_object_get(vm->status, key));
}

static void fill_row(const char **cell, const char *name, const struct listed *vm, struct row_text *t)
{
	for (int c = 0; c < COLS; c++)
		cell[c] = "-";
	cell[COL_NAME] = name;
	cell[COL_STATE] = vm->state;
	if (!vm->status)
		return;
	snprintf(t->cpus, sizeof(t->cpus), "%" JSON_INTEGER_FORMAT, number_of(vm, "cpus") % 100000);
	cell[COL_CPUS] = t->cpus;
	cell[COL_MEMORY] = text_size_show((uint64_t)number_of(vm, "memory"), t->memory, sizeof(t->memory));
	if (!number_of(vm, "pid"))	/* of a definition */
		return;
	snprintf(t->pid, sizeof(t->pid), "%d", (int)number_of(vm, "pid"));
	cell[COL_PID] = t->pid;
	cell[COL_UPTIME] = text_duration_show((uint64_t)number_of(vm, "uptime_ms"), t->uptime,
					      sizeof(t->uptime));
}

static enum out_colour state_colour(const struct listed *vm)
{
	if (!strcmp(vm->state, "stopped"))
		return OUT_PLAIN;
	if (!vm->status)
		return OUT_RED;
	return strcmp(vm->state, "running") ? OUT_YELLOW : OUT_GREEN;
}

static void list_table(char **names, int n, const struct listed *vms)
{
	static const char *const heads[COLS] = { "NAME", "STATE", "CPUS", "MEMORY", "UPTIME", "PID" };
	const char **cells = calloc((size_t)n * COLS + 1, sizeof(*cells));
	struct row_text *text = calloc((size_t)n + 1, sizeof(*text));
	enum out_colour *colour = calloc((size_t)n + 1, sizeof(*colour));
	struct out_table t = { heads, COLS, 0, cells, COL_STATE, colour };

	for (int i = 0; cells && text && colour && i < n; i++) {
		if (!vms[i].state)
			continue;
		fill_row(cells + t.nrows * COLS, names[i], &vms[i], &text[i]);
		colour[t.nrows++] = state_colour(&vms[i]);
	}
	out_table(&t);
	free(cells);
	free(text);
	free(colour);
}

int cmd_list(struct ctx *ctx)
{
	char **names;
	int n = rundir_names(&names), ret;
	struct listed *vms;

	if (opt_has(&ctx->line, "all"))
		n = add_defined(&names, n);
	if (ctx->quiet && !ctx->json) {
		for (int i = 0; i < n; i++)
			puts(names[i]);
		rundir_names_free(names, n);
		return out_end(ctx);
	}
	vms = n < 0 ? NULL : calloc((size_t)n + 1, sizeof(*vms));
	if (!vms) {
		rundir_names_free(names, n);
		return err_set(&ctx->err, RC_FAILED, NULL, "no memory for the list");
	}
	ask_all(names, n, vms);
	if (ctx->json) {
		ret = out_json(ctx, list_json(names, n, vms), false);
	} else {
		list_table(names, n, vms);
		ret = out_end(ctx);
	}
	for (int i = 0; i < n; i++) {
		json_decref(vms[i].status);
		client_close(&vms[i].client);
	}
	free(vms);
	rundir_names_free(names, n);
	return ret;
}

static void print_disks(json_t *list)
{
	json_t *d;
	size_t i;

	json_array_foreach(list, i, d) {
		const char *path = json_string_value(json_object_get(d, "path"));
		uint64_t size = (uint64_t)json_integer_value(json_object_get(d, "size"));
		char text[32];

		printf("scsi%d:%-6d", (int)json_integer_value(json_object_get(d, "controller")),
		       (int)json_integer_value(json_object_get(d, "unit")));
		printf("%s, ", json_string_value(json_object_get(d, "type")));
		if (path)
			printf("%s, %s%s\n", text_size_show(size, text, sizeof(text)), path,
			       json_is_true(json_object_get(d, "readonly")) ? ", read-only" : "");
		else
			printf("empty\n");
	}
}

/* One line for each: what it is, and frames and bytes sent and received by the guest. */
static void print_nets(json_t *list)
{
	json_t *n;
	size_t i;

	json_array_foreach(list, i, n) {
		const json_t *s = json_object_get(n, "stats");
		const char *to = json_string_value(json_object_get(n, "to"));

		printf("net%-9zu%s, %s, link %s%s%s\n", i, json_string_value(json_object_get(n, "kind")),
		       json_string_value(json_object_get(n, "mac")),
		       json_string_value(json_object_get(n, "link")), to ? ", " : "", to ? to : "");
#define OF(key) (uint64_t)json_integer_value(json_object_get(s, key))
		printf("%12ssent %" PRIu64 " frames, %" PRIu64 " bytes, %" PRIu64 " lost; received %" PRIu64
		       " frames, %" PRIu64 " bytes, %" PRIu64 " lost\n", "", OF("tx_packets"), OF("tx_bytes"),
		       OF("tx_dropped"), OF("rx_packets"), OF("rx_bytes"), OF("rx_dropped"));
#undef OF
	}
}

static void print_list(const char *key, json_t *list)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
		printf("%-12s%s\n", i ? "" : key, json_string_value(v));
}

/* What it told of itself, in three lines or more. */
static void print_guest(json_t *o)
{
	static const char *const words[] = { "os", "os_major", "os_build", "architecture" };
	const char *name = json_string_value(json_object_get(o, "hostname")), *word, *health;
	bool any = false;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		word = json_string_value(json_object_get(o, words[i]));
		if (!word)
			continue;
		printf(any ? "%s%s" : "%-12s%s", any ? " " : "guest", word);
		any = true;
	}
	health = json_string_value(json_object_get(o, "kvp"));
	if (any)
		printf("%s\n", health && !strcmp(health, "lost") ? " (as it said before; it does not answer now)" : "");
	if (name)
		printf("%-12s%s\n", "hostname", name);
	print_list("address", json_object_get(o, "addresses"));
}

static void print_member(const char *key, json_t *value)
{
	uint64_t v = (uint64_t)json_integer_value(value);
	char text[32];

	if (json_is_string(value))
		printf("%-12s%s\n", key, json_string_value(value));
	else if (!strcmp(key, "memory"))
		printf("%-12s%s\n", key, text_size_show(v, text, sizeof(text)));
	else if (!strcmp(key, "uptime_ms"))
		printf("%-12s%s\n", "uptime", text_duration_show(v, text, sizeof(text)));
	else if (!strcmp(key, "disks"))
		print_disks(value);
	else if (!strcmp(key, "guest"))
		print_guest(value);
	else if (!strcmp(key, "nets"))
		print_nets(value);
	else if (json_is_integer(value))
		printf("%-12s%" PRIu64 "\n", key, v);
}

enum { CHAN_KIND, CHAN_SUB, CHAN_STATE, CHAN_VP, CHAN_PACKETS, CHAN_IN, CHAN_OUT, CHAN_COLS };

/* A number of channel @o as text in @buf; "-" where the VM does not tell it. */
static const char *chan_number(const json_t *o, const char *key, char *buf, size_t len)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v))
		return "-";
	snprintf(buf, len, "%" PRIu64, (uint64_t)json_integer_value(v));
	return buf;
}

static void print_channels(const json_t *list)
{
	static const char *const heads[CHAN_COLS] = {
		"CHANNEL", "SUB", "STATE", "VP", "PACKETS", "SIGNALS", "INTERRUPTS",
	};
	static const char *const numbers[CHAN_COLS] = {
		[CHAN_SUB] = "sub_channel", [CHAN_VP] = "vp", [CHAN_PACKETS] = "packets",
		[CHAN_IN] = "guest_signals", [CHAN_OUT] = "host_signals",
	};
	size_t n = json_array_size(list), i;
	const char **cells = calloc(n * CHAN_COLS + 1, sizeof(*cells));
	char (*text)[24] = calloc(n * CHAN_COLS + 1, sizeof(*text));
	struct out_table t = { heads, CHAN_COLS, (unsigned int)n, cells, 0, NULL };

	for (i = 0; n && cells && text && i < n * CHAN_COLS; i++) {
		const json_t *o = json_array_get(list, i / CHAN_COLS);
		unsigned int col = i % CHAN_COLS;
		const char *word;

		if (numbers[col]) {
			cells[i] = chan_number(col < CHAN_PACKETS ? o : json_object_get(o, "stats"),
					       numbers[col], text[i], sizeof(text[i]));
			continue;
		}
		word = json_string_value(json_object_get(o, col == CHAN_KIND ? "kind" : "state"));
		cells[i] = word ? word : "-";
	}
	if (n && cells && text) {
		putchar('\n');
		out_table(&t);
	}
	free(cells);
	free(text);
}

int cmd_show(struct ctx *ctx)
{
	const char *key;
	json_t *o, *value;
	int ret = client_ask(ctx->line.arg[0], CTL_STATUS, &o, &ctx->err);

	if (ret)
		return ret;
	json_object_del(o, "ok");
	json_object_del(o, "protocol");
	if (ctx->json)
		return out_json(ctx, o, false);
	json_object_foreach(o, key, value)
		print_member(key, value);
	print_channels(json_object_get(o, "channels"));
	json_decref(o);
	return out_end(ctx);
}
