// SPDX-License-Identifier: GPL-2.0-or-later
/* pause, resume, reset, stop, kill, wait: verbs that change a VM's life, or wait for its end. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"
#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "hvctl/rundir.h"
#include "hvctl/stopsig.h"

#define STOP_PATIENCE_MS 60000
#define DEATH_PATIENCE_MS 5000
#define HANGUP_PATIENCE_MS 500	/* between a dying process's socket and its lock */

/* One VM of several. On success @state gets what to tell. */
typedef int (*one_fn)(struct ctx *ctx, const char *name, json_t **reply);

static json_t *error_json(const struct err *e)
{
	return json_pack("{s:i, s:s, s:s, s:s}", "code", e->code, "name", rc_name(e->code), "message",
			 e->text, "next", e->next);
}

/*
 * Do @fn to all VMs of the line, going on after a failure. The first failure's code is the verb's;
 * with one VM its error is reported as usual, with several each has its own line.
 */
static int each(struct ctx *ctx, one_fn fn)
{
	json_t *list = json_array(), *reply;
	struct err first = { 0 };

	for (unsigned int i = 0; i < ctx->line.args; i++) {
		const char *name = ctx->line.arg[i];

		reply = NULL;
		memset(&ctx->err, 0, sizeof(ctx->err));
		if (!fn(ctx, name, &reply)) {
			json_array_append_new(list, reply);
			continue;
		}
		if (ctx->line.args == 1) {
			json_decref(list);
			return ctx->err.code;
		}
		json_array_append_new(list, json_pack("{s:s, s:o}", "name", name, "error",
						      error_json(&ctx->err)));
		if (first.code)
			fprintf(stderr, "hvctl: %s\n", ctx->err.text);
		else
			first = ctx->err;
	}
	if (ctx->json && !first.code)
		return out_json(ctx, json_pack("{s:o}", "vms", list), false);
	if (ctx->json) {	/* main() prints the error object; what was done stands beside it */
		int ret = out_json(ctx, json_pack("{s:o}", "vms", list), false);

		if (ret)
			return ret;
	} else {
		json_decref(list);
	}
	ctx->err = first;
	return first.code;
}

static int simple(struct ctx *ctx, const char *name, enum ctl_verb verb, json_t **reply)
{
	int ret = client_ask(name, verb, reply, &ctx->err);

	if (!ret)
		json_object_del(*reply, "ok");
	return ret;
}

static int one_pause(struct ctx *ctx, const char *name, json_t **reply)
{
	return simple(ctx, name, CTL_PAUSE, reply);
}

static int one_resume(struct ctx *ctx, const char *name, json_t **reply)
{
	return simple(ctx, name, CTL_RESUME, reply);
}

static int one_reset(struct ctx *ctx, const char *name, json_t **reply)
{
	return simple(ctx, name, CTL_RESET, reply);
}

int cmd_pause(struct ctx *ctx)
{
	return each(ctx, one_pause);
}

int cmd_resume(struct ctx *ctx)
{
	return each(ctx, one_resume);
}

int cmd_reset(struct ctx *ctx)
{
	return each(ctx, one_reset);
}

/* Wait until nobody holds the name any more. Return: 0 or RC_TIMEOUT. */
static int await_death(struct ctx *ctx, const char *name)
{
	if (rundir_await_end(name, DEATH_PATIENCE_MS))
		return 0;
	err_set(&ctx->err, RC_TIMEOUT, NULL, "VM '%s' was told to end, but its process is still there", name);
	return err_next(&ctx->err, "hvctl kill --force %s", name);
}

/*
 * Receive the answer to "wait". A VM whose process died gives none: then *@reply says so and the return
 * value is RC_FAILED.
 */
static int await_end(struct ctx *ctx, struct client *c, int timeout_ms, json_t **reply)
{
	int ret;

	stopsig_catch();
	ret = client_receive(c, reply, NULL, timeout_ms, &ctx->err);
	if (ret == RC_FAILED && rundir_await_end(c->name, HANGUP_PATIENCE_MS)) {
		err_set(&ctx->err, RC_FAILED, NULL, "the process of VM '%s' died without telling a cause",
			c->name);
		return err_next(&ctx->err, "hvctl logs %s may tell more", c->name);
	}
	if (ret)
		return ret;
	json_object_del(*reply, "ok");
	json_object_set_new(*reply, "state", json_string("ended"));
	return 0;
}

static int duration(struct ctx *ctx, const char *opt, int dflt)
{
	const char *value = opt_value(&ctx->line, opt);
	uint64_t ms;

	if (!value || text_duration(value, &ms))
		return dflt;
	return ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static int one_stop(struct ctx *ctx, const char *name, json_t **reply)
{
	int patience = duration(ctx, "timeout", STOP_PATIENCE_MS);
	bool no_wait = opt_has(&ctx->line, "no-wait");
	struct client c;
	int ret = client_open(&c, name, &ctx->err);

	if (!ret)
		ret = no_wait ? client_send(&c, CTL_STOP, 0, &ctx->err)
			      : client_send_and_wait(&c, CTL_STOP, 0, &ctx->err);
	if (!ret)
		ret = client_receive(&c, reply, NULL, CLIENT_PATIENCE_MS, &ctx->err);
	if (!ret && no_wait) {
		json_object_del(*reply, "ok");
	} else if (!ret) {
		json_decref(*reply);
		*reply = NULL;
		ret = await_end(ctx, &c, patience, reply);
		if (ret == RC_TIMEOUT) {
			err_set(&ctx->err, ret, NULL,
				"VM '%s' did not power off in %d.%d s; its guest may not listen to the button",
				name, patience / 1000, patience % 1000 / 100);
			err_next(&ctx->err, "wait longer, or end it: hvctl kill %s", name);
		}
		if (!ret)
			ret = await_death(ctx, name);
	}
	client_close(&c);
	return ret;
}

int cmd_stop(struct ctx *ctx)
{
	return each(ctx, one_stop);
}

/* SIGKILL for a process that does not answer. A pidfd: the number may belong to another one by now. */
static int kill_process(struct ctx *ctx, const char *name, pid_t pid)
{
	int fd, ret = 0;

	if (pid <= 0)
		pid = rundir_pid(name);
	fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	if (fd < 0)
		return err_set(&ctx->err, RC_FAILED, "look for it with ps", "cannot tell the process of VM '%s'", name);
	/* Still the VM's: whoever holds the lock now held it when the number was read. */
	if (rundir_alive(name) && syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0))
		ret = err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot kill process %d of VM '%s'", (int)pid, name);
	close(fd);
	return ret;
}

static int one_kill(struct ctx *ctx, const char *name, json_t **reply)
{
	struct client c;
	int ret = client_open(&c, name, &ctx->err);
	pid_t pid = c.pid;

	if (!ret)
		ret = client_send(&c, CTL_KILL, 0, &ctx->err);
	if (!ret)
		ret = client_receive(&c, reply, NULL, CLIENT_PATIENCE_MS, &ctx->err);
	client_close(&c);
	if (ret == RC_FAILED && rundir_await_end(name, HANGUP_PATIENCE_MS))
		ret = 0;	/* it went before it could answer */
	if (ret == RC_TIMEOUT && opt_has(&ctx->line, "force"))
		ret = kill_process(ctx, name, pid);
	if (!ret)
		ret = await_death(ctx, name);
	if (ret)
		return ret;
	json_decref(*reply);
	*reply = json_pack("{s:s, s:s}", "name", name, "state", "ended");
	return 0;
}

int cmd_kill(struct ctx *ctx)
{
	return each(ctx, one_kill);
}

int cmd_wait(struct ctx *ctx)
{
	const char *name = ctx->line.arg[0], *text;
	json_t *reply = NULL, *end;
	struct client c;
	int ret = client_open(&c, name, &ctx->err);

	if (!ret)
		ret = client_send(&c, CTL_WAIT, 0, &ctx->err);
	if (!ret)
		ret = await_end(ctx, &c, duration(ctx, "timeout", CLIENT_FOREVER), &reply);
	if (ret == RC_TIMEOUT) {
		err_set(&ctx->err, ret, NULL, "VM '%s' has not ended", name);
	} else if (!ret) {
		ret = await_death(ctx, name);
	}
	client_close(&c);
	if (ret) {
		json_decref(reply);
		return ret;
	}
	if (ctx->json)
		return out_json(ctx, reply, false);
	end = json_object_get(reply, "end");
	text = json_string_value(json_object_get(end, "text"));
	if (!ctx->quiet)
		printf("%s: %s%s%s\n", name, json_string_value(json_object_get(end, "cause")),
		       text ? ": " : "", text ? text : "");
	json_decref(reply);
	return out_end(ctx);
}
