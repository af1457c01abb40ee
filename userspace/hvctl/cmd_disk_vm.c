// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * disk attach, detach, insert, eject: the disks of a running VM.
 *
 * The VM's process is in its sandbox and opens no file. So the image is opened, locked and looked at
 * here, with all the messages there are for that, and the descriptor goes over the control socket; the
 * lock hangs on what was opened and goes with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "hvctl/cmd_disk.h"
#include "hvctl/vmopts.h"
#include "libvhd/vhd.h"

/* What a request says. */
struct change {
	enum ctl_verb	verb;
	uint8_t		controller;
	int		unit;		/* -1: not said */
	bool		placed, readonly, raw, force;
	char		path[VMM_PATH_MAX + 1];
	int		fd;		/* of the image, -1: none */
};

/* The option of run that describes what FILE may be. */
static const struct opt *run_opt(const struct ctx *ctx, const char *name)
{
	const struct opt_cmd *run = opt_cmd_find(ctx->tool, "run");

	for (unsigned int g = 0; g < OPT_GROUPS && run->opts[g]; g++)
		for (const struct opt *o = run->opts[g]; o->name; o++)
			if (!strcmp(o->name, name))
				return o;
	return NULL;
}

static bool key_is(const struct opt_keys *keys, const char *name, const char *word)
{
	const char *v = opt_keys_value(keys, name);

	return v && !strcmp(v, word);
}

/* "FILE,readonly,bus=scsi1:3" */
static int describe(struct ctx *ctx, const char *opt, const char *text, struct change *c)
{
	struct opt_keys keys;
	const char *v;
	int ret = opt_keys_parse(ctx->tool, run_opt(ctx, opt), text, &keys, &ctx->err);

	if (ret)
		return ret;
	if (keys.help) {
		ctx->line.help_keys = run_opt(ctx, opt);
		opt_help_keys(ctx->line.help_keys, stdout);
		return 0;
	}
	v = opt_keys_value(&keys, "path");
	if (!v || !*v)
		return err_set(&ctx->err, RC_USAGE, "write for example data.img,readonly",
			       "'%s' names no file", text);
	if (opt_keys_value(&keys, "aio"))
		return err_set(&ctx->err, RC_USAGE, "leave aio away",
			       "the engine is the controller's, and that is there already");
	ret = vmopts_absolute(ctx, v, c->path);
	v = opt_keys_value(&keys, "bus");
	if (!ret && v) {
		ret = vmopts_place(ctx, v, &c->controller, &c->unit);
		c->placed = true;
	}
	c->readonly = c->verb == CTL_DISK_INSERT || key_is(&keys, "readonly", "on");
	c->raw = key_is(&keys, "format", "raw");
	return ret;
}

/* Open, lock and look at the image as the VM will; c->fd shares the lock. */
static int image_open(struct ctx *ctx, struct change *c)
{
	struct vhd_open_opts o = {
		.flags = c->readonly ? VHD_OPEN_RDONLY : 0, .format = c->raw ? VHD_RAW : VHD_AUTO,
	};
	struct vhd_err e = { 0 };
	struct vhd *d;

	if (vhd_open(&d, c->path, &o, &e))
		return disk_failed(ctx, &e);
	c->fd = fcntl(vhd_fd(d), F_DUPFD_CLOEXEC, 3);
	if (c->fd < 0) {
		vhd_close(d, NULL);
		return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot keep %s open", c->path);
	}
	return vhd_close(d, &e) ? disk_failed(ctx, &e) : 0;
}

static json_t *request(const struct change *c)
{
	json_t *o = json_pack("{s:s}", "verb", ctl_verb_name(c->verb));

	if (!o)
		return NULL;
	if (c->placed)
		json_object_set_new(o, "controller", json_integer(c->controller));
	if (c->unit >= 0)
		json_object_set_new(o, "unit", json_integer(c->unit));
	if (c->readonly && c->verb == CTL_DISK_ATTACH)
		json_object_set_new(o, "readonly", json_true());
	if (c->raw)
		json_object_set_new(o, "raw", json_true());
	if (c->force)
		json_object_set_new(o, "force", json_true());
	/* Only for messages: one that JSON cannot hold is left out. */
	if (c->path[0] && strlen(c->path) <= CTL_PATH_MAX && !strpbrk(c->path, "\r\n"))
		json_object_set_new(o, "path", json_string(c->path));
	return o;
}

/* Ask for it, and tell where it was done. */
static int change(struct ctx *ctx, const char *name, const struct change *c)
{
	json_t *reply = NULL;
	struct client client;
	int ret = client_open(&client, name, &ctx->err);

	if (!ret)
		ret = client_send_json(&client, request(c), c->fd, &ctx->err);
	/* Commands of the guest that are under way end first. */
	if (!ret)
		ret = client_receive(&client, &reply, NULL, DISK_PATIENCE_MS, &ctx->err);
	client_close(&client);
	if (ret)
		return ret;
	json_object_del(reply, "ok");
	if (ctx->json)
		return out_json(ctx, reply, false);
	if (c->verb == CTL_DISK_ATTACH && !ctx->quiet)
		printf("scsi%d:%d\n", (int)json_integer_value(json_object_get(reply, "controller")),
		       (int)json_integer_value(json_object_get(reply, "unit")));
	json_decref(reply);
	return out_end(ctx);
}

static int bring(struct ctx *ctx, enum ctl_verb verb, const char *opt)
{
	struct change c = { .verb = verb, .unit = -1, .fd = -1, .force = opt_has(&ctx->line, "force") };
	int ret = describe(ctx, opt, ctx->line.arg[2], &c);

	if (ret || ctx->line.help_keys)
		return ret ? ret : out_end(ctx);
	ret = image_open(ctx, &c);
	if (!ret)
		ret = change(ctx, ctx->line.arg[1], &c);
	if (c.fd >= 0)
		close(c.fd);
	return ret;
}

static int take(struct ctx *ctx, enum ctl_verb verb)
{
	struct change c = { .verb = verb, .unit = -1, .fd = -1, .placed = ctx->line.args > 2,
			    .force = opt_has(&ctx->line, "force") };
	int ret = c.placed ? vmopts_place(ctx, ctx->line.arg[2], &c.controller, &c.unit) : 0;

	if (!ret && c.placed && c.unit < 0) {
		err_set(&ctx->err, RC_USAGE, NULL, "'%s' names no unit", ctx->line.arg[2]);
		ret = err_next(&ctx->err, "write for example scsi0:1; hvctl show %s tells what there is",
			       ctx->line.arg[1]);
	}
	return ret ? ret : change(ctx, ctx->line.arg[1], &c);
}

int disk_attach(struct ctx *ctx)
{
	if (opt_has(&ctx->line, "force"))
		return err_set(&ctx->err, RC_USAGE, NULL, "--force goes with eject and insert only");
	return bring(ctx, CTL_DISK_ATTACH, "disk");
}

int disk_insert(struct ctx *ctx)
{
	return bring(ctx, CTL_DISK_INSERT, "cdrom");
}

int disk_detach(struct ctx *ctx)
{
	if (opt_has(&ctx->line, "force"))
		return err_set(&ctx->err, RC_USAGE, NULL, "--force goes with eject and insert only");
	return take(ctx, CTL_DISK_DETACH);
}

int disk_eject(struct ctx *ctx)
{
	return take(ctx, CTL_DISK_EJECT);
}
