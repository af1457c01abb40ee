// SPDX-License-Identifier: GPL-2.0-or-later
/* create, define, undefine, dumpxml, set: verbs that make, change and show definitions. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "hvctl/cmd_def.h"
#include "hvctl/cmd_save.h"
#include "hvctl/defdir.h"
#include "hvctl/rundir.h"
#include "hvctl/vmopts.h"

int cmd_def_check(struct ctx *ctx, const struct def *d, const char *what)
{
	static struct vmopts o;		/* 16 KiB of paths: not on the stack */
	struct ctx trial = { .tool = ctx->tool };
	int ret;

	for (unsigned int i = 0; i < o.cfg.disks; i++)
		free(o.disk[i]);	/* of the last time */
	memset(&o, 0, sizeof(o));
	o.unseen = true;
	trial.line = d->line;
	trial.line.cmd = ctx->line.cmd;
	ret = vmopts_parse(&trial, &o, VMM_SERIAL_NONE);
	ctx->err = trial.err;
	/* Of XML everything wrong is the definition's. */
	if (ret && what) {
		ctx->err.code = RC_INVALID;
		return def_blame(d, what, &ctx->err);
	}
	return ret;
}

static int new_uuid(struct def *d, struct err *err)
{
	unsigned char b[16];
	char text[40];
	int n = 0;

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return err_sys(err, RC_FAILED, errno, NULL, "cannot make a UUID");
	b[6] = (b[6] & 0x0f) | 0x40;	/* RFC 4122, 4.4: version 4, variant 10 */
	b[8] = (b[8] & 0x3f) | 0x80;
	for (int i = 0; i < 16; i++)
		n += sprintf(text + n, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	return def_set(d, "uuid", text, err);
}

/* No other definition may have this one's UUID. */
static int uuid_free(const char *name, const char *uuid, struct err *err)
{
	static struct def other;
	struct err ignored;
	char **names;
	int n = defdir_names(&names), ret = 0;

	for (int i = 0; i < n && !ret; i++) {
		const char *u;

		if (!strcmp(names[i], name))
			continue;
		u = defdir_load(names[i], &other, &ignored) ? NULL : opt_value(&other.line, "uuid");
		if (u && !strcmp(u, uuid))
			ret = err_set(err, RC_BUSY, "leave <uuid> out to get a new one",
				      "the VM '%s' has the UUID %s already", names[i], uuid);
		def_free(&other);
	}
	rundir_names_free(names, n > 0 ? n : 0);
	return ret;
}

/* The UUID to keep @d under. */
static int settle_uuid(struct def *d, struct err *err)
{
	static struct def old;
	const char *name = opt_value(&d->line, "name"), *uuid = opt_value(&d->line, "uuid"), *had = NULL;
	struct err ignored;
	int ret = 0;

	if (defdir_has(name) && !defdir_load(name, &old, &ignored))
		had = opt_value(&old.line, "uuid");
	if (uuid && had && strcmp(uuid, had)) {
		err_set(err, RC_BUSY, NULL, "a VM '%s' with another UUID (%s) is defined", name, had);
		err_next(err, "leave <uuid> out, or: hvctl undefine %s", name);
		ret = err->code;
	} else if (uuid) {
		ret = uuid_free(name, uuid, err);
	} else {
		ret = had ? def_set(d, "uuid", had, err) : new_uuid(d, err);
	}
	def_free(&old);
	return ret;
}

int cmd_def_store_locked(struct ctx *ctx, int dir, struct def *d, bool fresh)
{
	const char *name = opt_value(&d->line, "name");
	char *text = NULL;
	int ret = 0;

	if (fresh && defdir_has(name)) {
		err_set(&ctx->err, RC_BUSY, NULL, "a VM '%s' is defined already", name);
		ret = err_next(&ctx->err, "hvctl set %s changes it, hvctl undefine %s removes it", name, name);
	}
	if (!ret)
		ret = settle_uuid(d, &ctx->err);
	if (!ret)
		ret = def_write(d, &text, &ctx->err);
	if (!ret)
		ret = defdir_store(dir, name, text, &ctx->err);
	free(text);
	return ret;
}

int cmd_def_store(struct ctx *ctx, struct def *d, bool fresh)
{
	int dir, ret = defdir_lock(&dir, &ctx->err);

	if (ret)
		return ret;
	ret = cmd_def_store_locked(ctx, dir, d, fresh);
	defdir_unlock(dir);
	return ret;
}

int cmd_def_line(struct ctx *ctx, struct def *d)
{
	struct opt_line line = ctx->line;
	int ret = def_merge(d, &line, &ctx->err);

	if (ret)
		return ret;
	ctx->line = d->line;
	ctx->line.cmd = line.cmd;
	memcpy(ctx->line.arg, line.arg, sizeof(line.arg));
	ctx->line.args = line.args;
	/* --json and the like */
	for (unsigned int i = 0; i < line.hits && ctx->line.hits < OPT_HITS_MAX; i++)
		if (def_opt(line.hit[i].opt->name) != line.hit[i].opt || def_opt_passing(line.hit[i].opt->name))
			ctx->line.hit[ctx->line.hits++] = line.hit[i];
	return 0;
}

int cmd_def_print(struct ctx *ctx, const struct def *d, json_t *more)
{
	char *text;
	int ret = def_write(d, &text, &ctx->err);

	if (ret) {
		json_decref(more);
		return ret;
	}
	if (ctx->json) {
		json_t *o = more ? more : json_object();

		json_object_set_new(o, "xml", json_string(text));
		free(text);
		return out_json(ctx, o, false);
	}
	json_decref(more);
	fputs(text, stdout);
	free(text);
	return out_end(ctx);
}

static int tell(struct ctx *ctx, const struct def *d)
{
	const char *name = opt_value(&d->line, "name");

	if (ctx->json)
		return out_json(ctx, json_pack("{s:s, s:s}", "name", name, "uuid", opt_value(&d->line, "uuid")), false);
	if (!ctx->quiet)
		printf("%s\n", name);
	return out_end(ctx);
}

/* The name that create got, as its word or with --name. */
static int create_name(struct ctx *ctx, struct def *d)
{
	const char *word = ctx->line.args ? ctx->line.arg[0] : NULL, *opt = opt_value(&d->line, "name");

	if (!word && !opt)
		return err_set(&ctx->err, RC_USAGE, "write hvctl create VM [OPTION]...", "create needs the name of the VM");
	if (word && opt && strcmp(word, opt))
		return err_set(&ctx->err, RC_USAGE, "give one of them", "is the VM's name '%s' or '%s'?", word, opt);
	if (!def_name_ok(word ? word : opt))
		return err_set(&ctx->err, RC_USAGE,
			       "use letters, digits, '.', '_' and '-', a letter or digit first, at most 63",
			       "'%s' cannot be the name of a VM", word ? word : opt);
	return def_set(d, "name", word ? word : opt, &ctx->err);
}

static int uuid_said_right(struct ctx *ctx, const struct def *d)
{
	const char *uuid = opt_value(&d->line, "uuid");

	if (!uuid || def_uuid_ok(uuid))
		return 0;
	return err_set(&ctx->err, RC_USAGE, "write it as 8-4-4-4-12 digits in lower case, or leave it out",
		       "option --uuid: '%s' is not a UUID", uuid);
}

int cmd_create(struct ctx *ctx)
{
	static struct def d;
	int ret;

	def_init(&d);
	ret = def_merge(&d, &ctx->line, &ctx->err);
	if (!ret)
		ret = create_name(ctx, &d);
	if (!ret)
		ret = uuid_said_right(ctx, &d);
	if (!ret)
		ret = def_absolute(&d, &ctx->err);
	if (!ret)
		ret = cmd_def_check(ctx, &d, NULL);
	if (!ret && opt_has(&ctx->line, "dry-run"))
		ret = cmd_def_print(ctx, &d, NULL);
	else if (!ret)
		ret = cmd_def_store(ctx, &d, true) ?: tell(ctx, &d);
	def_free(&d);
	return ret;
}

/* All of a file, or of standard input for "-". */
static int read_file(struct ctx *ctx, const char *path, char **out, size_t *len)
{
	bool in = !strcmp(path, "-");
	FILE *f = in ? stdin : fopen(path, "re");
	int ret = 0;

	*out = malloc(XML_BYTES_MAX + 2);
	if (!f || !*out) {
		ret = err_sys(&ctx->err, f ? RC_FAILED : RC_INVALID, errno, NULL, "cannot read %s", path);
	} else {
		*len = fread(*out, 1, XML_BYTES_MAX + 1, f);
		if (ferror(f))
			ret = err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot read %s", path);
	}
	if (f && !in)
		fclose(f);
	return ret;
}

int cmd_define(struct ctx *ctx)
{
	static struct def d;
	const char *path = ctx->line.arg[0];
	const char *what = strcmp(path, "-") ? path : "standard input";
	size_t len = 0;
	char *text;
	int ret = read_file(ctx, path, &text, &len);

	def_init(&d);
	if (!ret)
		ret = def_read(&d, what, text, len, &ctx->err);
	if (!ret)
		ret = cmd_def_check(ctx, &d, what);
	if (!ret && opt_has(&ctx->line, "dry-run"))
		ret = cmd_def_print(ctx, &d, NULL);
	else if (!ret)
		ret = cmd_def_store(ctx, &d, false) ?: tell(ctx, &d);
	def_free(&d);
	free(text);
	return ret;
}

int cmd_undefine(struct ctx *ctx)
{
	int dir, ret = defdir_lock(&dir, &ctx->err);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < ctx->line.args && !ret; i++) {
		const char *name = ctx->line.arg[i];

		if (defdir_has(name) && rundir_alive(name) && !opt_has(&ctx->line, "force")) {
			err_set(&ctx->err, RC_STATE, NULL, "VM '%s' runs", name);
			ret = err_next(&ctx->err, "hvctl stop %s first, or --force: it goes on until its end", name);
			break;
		}
		if (managed_has(name) && !opt_has(&ctx->line, "force")) {
			err_set(&ctx->err, RC_STATE, NULL, "VM '%s' is saved, and would be lost", name);
			ret = err_next(&ctx->err, "hvctl managedsave %s --remove first, or --force", name);
			break;
		}
		if (defdir_has(name) && managed_has(name))
			ret = managed_remove(name, &ctx->err);
		if (ret)
			break;
		ret = defdir_remove(dir, name, &ctx->err);
		if (!ret && !ctx->quiet && !ctx->json)
			printf("%s\n", name);
	}
	defdir_unlock(dir);
	if (ret)
		return ret;
	return ctx->json ? out_json(ctx, json_object(), false) : out_end(ctx);
}

int cmd_dumpxml(struct ctx *ctx)
{
	static struct def d;
	int ret = defdir_load(ctx->line.arg[0], &d, &ctx->err);

	if (ret == RC_NO_VM && rundir_alive(ctx->line.arg[0]))
		err_set(&ctx->err, ret, "hvctl create makes a definition from options",
			"VM '%s' runs, but was never defined", ctx->line.arg[0]);
	if (!ret)
		ret = cmd_def_print(ctx, &d, NULL);
	def_free(&d);
	return ret;
}

static int drop_all(struct ctx *ctx, struct def *d)
{
	const char *opt;
	unsigned int at = 0;

	while ((opt = opt_next(&ctx->line, "remove", &at))) {
		if (!def_opt(opt) || !strcmp(opt, "name") || !strcmp(opt, "uuid"))
			return err_set(&ctx->err, RC_USAGE, "give the name of an option, for example --remove initrd",
				       "option --remove: '%s' cannot be removed", opt);
		if (!def_drop(d, opt)) {
			err_set(&ctx->err, RC_INVALID, NULL, "the definition says no --%s", opt);
			return err_next(&ctx->err, "hvctl dumpxml %s shows what it says", ctx->line.arg[0]);
		}
	}
	return 0;
}

/* Read, change and write @name while nobody else does. */
static int change(struct ctx *ctx, const char *name, struct def *d)
{
	int dir, ret = defdir_lock(&dir, &ctx->err);

	if (ret)
		return ret;
	ret = defdir_load(name, d, &ctx->err);
	if (!ret)
		ret = drop_all(ctx, d);
	if (!ret)
		ret = def_merge(d, &ctx->line, &ctx->err);
	if (!ret)
		ret = def_absolute(d, &ctx->err);
	if (!ret)
		ret = cmd_def_check(ctx, d, NULL);
	if (!ret && !opt_has(&ctx->line, "dry-run"))
		ret = cmd_def_store_locked(ctx, dir, d, false);
	defdir_unlock(dir);
	return ret;
}

int cmd_set(struct ctx *ctx)
{
	static struct def d;
	const char *name = ctx->line.arg[0];
	int ret;

	if (opt_has(&ctx->line, "name") || opt_has(&ctx->line, "uuid"))
		return err_set(&ctx->err, RC_USAGE, "hvctl dumpxml, change it, hvctl define; then hvctl undefine the old one",
			       "a definition keeps its name and its UUID");
	ret = change(ctx, name, &d);
	if (!ret && opt_has(&ctx->line, "dry-run")) {
		ret = cmd_def_print(ctx, &d, NULL);
	} else if (!ret) {
		if (!ctx->quiet && rundir_alive(name))
			fprintf(stderr, "hvctl: VM '%s' runs; it changes with its next start\n", name);
		ret = ctx->json ? tell(ctx, &d) : 0;
	}
	def_free(&d);
	return ret;
}
