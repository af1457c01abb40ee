// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * managedsave: save a VM that is defined beside its definition, as NAME.hvstate, and let start find it there.
 *
 * start removes the file as soon as the VM runs: a state is gone on from once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hvctl/cmd_def.h"
#include "hvctl/cmd_save.h"
#include "hvctl/defdir.h"
#include "hvctl/rundir.h"

/* Where the state of @name is kept. Return: 0, or RC_HOST or RC_USAGE. */
static int place(const char *name, char *buf, size_t len, struct err *err)
{
	char dir[DEFDIR_PATH_MAX];
	int ret = defdir_path(dir, err);

	if (ret)
		return ret;
	if (!def_name_ok(name))
		return err_set(err, RC_NO_VM, NULL, "there is no VM '%s'", name);
	snprintf(buf, len, "%s/%s.hvstate", dir, name);
	return 0;
}

bool managed_has(const char *name)
{
	char path[MANAGED_PATH_MAX];
	struct err ignored;
	struct stat st;

	return !place(name, path, sizeof(path), &ignored) && !lstat(path, &st);
}

int managed_remove(const char *name, struct err *err)
{
	char path[MANAGED_PATH_MAX];
	int ret = place(name, path, sizeof(path), err);

	if (ret)
		return ret;
	if (!unlink(path))
		return 0;
	if (errno == ENOENT)
		return err_set(err, RC_INVALID, NULL, "VM '%s' has no saved state", name);
	return err_sys(err, RC_HOST, errno, NULL, "cannot remove %s", path);
}

int cmd_managedsave(struct ctx *ctx)
{
	const char *name = ctx->line.arg[0];
	char path[MANAGED_PATH_MAX];
	int dir, ret;

	if (opt_has(&ctx->line, "remove")) {
		if (opt_has(&ctx->line, "compress"))
			return err_set(&ctx->err, RC_USAGE, "give one of them", "--remove saves nothing to --compress");
		ret = managed_remove(name, &ctx->err);
		return ret || !ctx->json ? ret : out_json(ctx, json_pack("{s:s}", "name", name), false);
	}
	if (!defdir_has(name)) {
		err_set(&ctx->err, RC_NO_VM, NULL, "VM '%s' is not defined: start would not find its state", name);
		return err_next(&ctx->err, "hvctl save %s FILE", name);
	}
	ret = place(name, path, sizeof(path), &ctx->err);
	/* That directory is ours alone. */
	if (!ret)
		ret = defdir_lock(&dir, &ctx->err);
	if (ret)
		return ret;
	defdir_unlock(dir);
	return save_vm(ctx, name, path, true);
}

/* Options over those of the state would come too late: the guest has seen its machine. */
static int no_options(struct ctx *ctx, const char *name)
{
	for (unsigned int i = 0; i < ctx->line.hits; i++) {
		const char *opt = ctx->line.hit[i].opt->name;

		if (def_opt(opt) != ctx->line.hit[i].opt)
			continue;
		err_set(&ctx->err, RC_USAGE, NULL, "VM '%s' is saved and goes on as it was: no --%s", name, opt);
		return err_next(&ctx->err, "hvctl start %s alone, or hvctl managedsave %s --remove to boot it anew", name,
				name);
	}
	return 0;
}

/* Unless a newer state has come in its place. */
static int drop(struct ctx *ctx, const char *path, int fd)
{
	struct stat was, now;

	if (fstat(fd, &was) || lstat(path, &now) || was.st_ino != now.st_ino || was.st_dev != now.st_dev ||
	    !unlink(path))
		return 0;
	return err_sys(&ctx->err, RC_HOST, errno, "remove it: it must not be gone on from again", "cannot remove %s", path);
}

int managed_start(struct ctx *ctx, struct vm_start *s)
{
	const char *name = ctx->line.arg[0];
	static char path[MANAGED_PATH_MAX];
	pid_t parent = getpid();
	char *text = NULL;
	int ret = no_options(ctx, name);

	s->state = -1;
	/* It has a definition, and no stranger has put the state there. */
	if (!ret)
		ret = defdir_text(name, &text, &ctx->err);
	free(text);
	if (!ret)
		ret = place(name, path, sizeof(path), &ctx->err);
	if (!ret)
		ret = restore_prepare(ctx, path, s);
	if (!ret && s->cfg.serial == VMM_SERIAL_STDIO)
		s->cfg.serial = VMM_SERIAL_NONE;
	if (!ret)
		ret = vm_claim(ctx, s, name);
	if (!ret)
		ret = vm_background(ctx, s);
	else if (s->state >= 0)
		close(s->state);
	/* The VM itself comes here as well, at its end. */
	if (getpid() != parent)
		return ret;
	if (ret == RC_INVALID || ret == RC_UNSUPPORTED)
		err_next(&ctx->err, "hvctl managedsave %s --remove gives its state up; then it boots anew", name);
	return ret ? ret : drop(ctx, path, s->state);
}
