// SPDX-License-Identifier: GPL-2.0-or-later
/* kvp: key-value pairs with the guest. Questions to it are put by the VM's process; here its answers are awaited. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hvctl/client.h"
#include "hvctl/cmd.h"

#define LOOK_EVERY_MS	50
#define PATIENCE_MS	60000	/* the VM's process waits 40 s for one answer of the guest */

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int request(struct client *c, json_t *what, json_t **reply, struct err *err)
{
	int ret = client_send_json(c, what, -1, err);

	return ret ? ret : client_receive(c, reply, NULL, CLIENT_PATIENCE_MS, err);
}

static json_int_t number_of(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* What became of change @number: "pending", ..., or NULL. */
static const char *outcome_of(const json_t *reply, json_int_t number)
{
	const json_t *list = json_object_get(reply, "changes"), *o;
	size_t i;

	json_array_foreach(list, i, o)
		if (number_of(o, "change") == number)
			return json_string_value(json_object_get(o, "outcome"));
	return NULL;
}

static bool is_over(const json_t *reply, const char *key, json_int_t number)
{
	const char *word;

	if (!strcmp(key, "sweep"))
		return number_of(reply, "sweeps") >= number;
	word = outcome_of(reply, number);
	return !word || strcmp(word, "pending");
}

static bool is_lost(const json_t *reply)
{
	const char *word = json_string_value(json_object_get(reply, "kvp"));

	return !word || strcmp(word, "ok");
}

/* Until sweep or change (@key) @number is over. Return: 0 with the last *@reply, or an enum rc. */
static int await(struct client *c, const char *key, json_int_t number, json_t **reply, struct err *err)
{
	const struct timespec pause = { 0, LOOK_EVERY_MS * 1000000 };
	int64_t until = now_ms() + PATIENCE_MS;
	int ret;

	for (;;) {
		ret = request(c, json_pack("{s:s}", "verb", ctl_verb_name(CTL_KVP)), reply, err);
		if (ret || is_over(*reply, key, number))
			return ret;
		if (is_lost(*reply) || now_ms() > until)
			break;
		json_decref(*reply);
		nanosleep(&pause, NULL);
	}
	json_decref(*reply);
	*reply = NULL;
	err_set(err, RC_TIMEOUT, NULL, "the guest of VM '%s' does not answer", c->name);
	return err_next(err, "hvctl show %s has what it told before", c->name);
}

static int changed(struct ctx *ctx, const json_t *reply, json_int_t number)
{
	const char *word = outcome_of(reply, number);

	if (word && !strcmp(word, "done"))
		return 0;
	if (word && !strcmp(word, "refused"))
		return err_set(&ctx->err, RC_FAILED, "hvctl kvp lists what is there", "the guest of VM '%s' refused that",
			       ctx->line.arg[0]);
	return err_set(&ctx->err, RC_TIMEOUT, "it may do so yet: hvctl kvp lists what is there",
		       "the guest of VM '%s' did not answer", ctx->line.arg[0]);
}

static void print_pairs(const json_t *pools)
{
	static const char *const heads[] = { "POOL", "NAME", "VALUE" }, *const names[] = { "auto", "external", "guest" };
	const char **cells = NULL, **more;
	struct out_table t = { heads, 3, 0, NULL, 0, NULL };

	for (size_t p = 0; p < 3; p++) {
		const json_t *list = json_object_get(json_object_get(pools, names[p]), "pairs"), *o;
		size_t i;

		more = realloc(cells, (t.nrows + json_array_size(list) + 1) * 3 * sizeof(*cells));
		if (!more)
			break;
		cells = more;
		json_array_foreach(list, i, o) {
			const char **cell = &cells[t.nrows++ * 3];
			const char *name = json_string_value(json_object_get(o, "name"));
			const char *value = json_string_value(json_object_get(o, "value"));

			cell[0] = names[p];
			cell[1] = name ? name : "-";
			cell[2] = value ? value : "-";
		}
	}
	t.cells = cells;
	out_table(&t);
	free(cells);
}

/* The request that the words ask for; NULL after an error. */
static json_t *request_of(struct ctx *ctx)
{
	char *const *arg = (char *const *)ctx->line.arg;
	unsigned int n = (unsigned int)ctx->line.args;

	if (n == 1)
		return json_pack("{s:s}", "verb", ctl_verb_name(CTL_KVP_READ));
	if (!strcmp(arg[1], "set") && n == 4)
		return json_pack("{s:s, s:s, s:s}", "verb", ctl_verb_name(CTL_KVP_SET), "name", arg[2], "value", arg[3]);
	if (!strcmp(arg[1], "delete") && n == 3)
		return json_pack("{s:s, s:s}", "verb", ctl_verb_name(CTL_KVP_DELETE), "name", arg[2]);
	return NULL;
}

int cmd_kvp(struct ctx *ctx)
{
	bool list = ctx->line.args == 1;
	const char *key = list ? "sweep" : "change";
	json_t *what = request_of(ctx), *reply = NULL;
	json_int_t number = 0;
	struct client client;
	int ret;

	if (!what)
		return err_set(&ctx->err, RC_USAGE, "write hvctl kvp VM, hvctl kvp VM set NAME VALUE or "
			       "hvctl kvp VM delete NAME, in UTF-8", "that is nothing to do with key-value pairs");
	ret = client_open(&client, ctx->line.arg[0], &ctx->err);
	if (ret) {
		json_decref(what);
		return ret;
	}
	ret = request(&client, what, &reply, &ctx->err);
	if (!ret) {
		number = number_of(reply, key);
		json_decref(reply);
		ret = await(&client, key, number, &reply, &ctx->err);
	}
	client_close(&client);
	if (!ret && !list)
		ret = changed(ctx, reply, number);
	if (ret) {
		json_decref(reply);
		return ret;
	}
	json_object_del(reply, "ok");
	json_object_del(reply, "sweeps");
	json_object_del(reply, "changes");
	if (!list) {
		json_object_del(reply, "pools");
		json_object_del(reply, "adapters");
	}
	if (ctx->json)
		return out_json(ctx, reply, false);
	if (list)
		print_pairs(json_object_get(reply, "pools"));
	json_decref(reply);
	return out_end(ctx);
}
