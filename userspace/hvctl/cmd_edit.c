// SPDX-License-Identifier: GPL-2.0-or-later
/* edit: a definition in the user's editor. */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hvctl/cmd_def.h"
#include "hvctl/defdir.h"

/* A private copy for the editor. Return: 0 or RC_HOST. */
static int copy_out(struct ctx *ctx, const char *name, const char *text, char *path, size_t len)
{
	const char *tmp = getenv("TMPDIR");
	FILE *f;
	int fd;

	if (snprintf(path, len, "%s/hv-%s-XXXXXX.xml", tmp && *tmp == '/' ? tmp : "/tmp", name) >= (int)len) {
		*path = 0;
		return err_set(&ctx->err, RC_HOST, "set TMPDIR to a shorter one", "the name of TMPDIR is too long");
	}
	fd = mkostemps(path, 4, O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f) {
		int e = errno;

		err_sys(&ctx->err, RC_HOST, e, NULL, "cannot write %s", path);
		if (fd >= 0)
			close(fd);
		else
			*path = 0;	/* it is not ours */
		return ctx->err.code;
	}
	fputs(text, f);
	if (fclose(f))
		return err_sys(&ctx->err, RC_HOST, errno, NULL, "cannot write %s", path);
	return 0;
}

/* The editor's name may have words of its own ("code --wait"): the shell takes it apart. */
static int run_editor(struct ctx *ctx, const char *path)
{
	const char *editor = getenv("VISUAL");
	char line[512], *argv[] = { "sh", "-c", line, "sh", (char *)path, NULL };
	int status;
	pid_t child;

	if (!editor || !*editor)
		editor = getenv("EDITOR");
	if (!editor || !*editor)
		editor = access("/usr/bin/sensible-editor", X_OK) ? "vi" : "sensible-editor";
	if (snprintf(line, sizeof(line), "%s \"$1\"", editor) >= (int)sizeof(line))
		return err_set(&ctx->err, RC_INVALID, NULL, "the name of the editor is too long");
	if (posix_spawn(&child, "/bin/sh", NULL, NULL, argv, environ))
		child = -1;
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot wait for the editor");
	if (child > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return err_set(&ctx->err, RC_FAILED, "set EDITOR to an editor that is there",
		       "the editor '%s' failed; nothing was changed", editor);
}

static int read_back(struct ctx *ctx, const char *path, char *buf, size_t *len)
{
	FILE *f = fopen(path, "re");

	*len = f ? fread(buf, 1, XML_BYTES_MAX + 1, f) : 0;
	buf[*len] = 0;
	if (f && !fclose(f))
		return 0;
	return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot read %s", path);
}

static int understand(struct ctx *ctx, struct def *d, const char *name, const char *text, size_t len)
{
	char what[80];
	int ret;

	snprintf(what, sizeof(what), "%s.xml", name);
	def_free(d);
	ret = def_read(d, what, text, len, &ctx->err);
	if (!ret)
		ret = cmd_def_check(ctx, d, what);
	if (!ret && strcmp(opt_value(&d->line, "name"), name))
		ret = err_set(&ctx->err, RC_INVALID, "hvctl define makes a VM of another name",
			      "%s: <name> cannot be changed here", what);
	return ret;
}

/* On a terminal: show what is wrong and ask. */
static bool once_more(const struct ctx *ctx)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		return false;
	fprintf(stderr, "%s: %s\nEdit again? [Y/n] ", ctx->tool->name, ctx->err.text);
	return fgets(answer, sizeof(answer), stdin) && *answer != 'n' && *answer != 'N';
}

/* Edit until it is valid. Return: 0 with @d, or -1: unchanged; or an enum rc. */
static int edit(struct ctx *ctx, struct def *d, const char *name, const char *before, const char *path, char *buf)
{
	size_t len;
	int ret;

	do {
		ret = run_editor(ctx, path);
		if (!ret)
			ret = read_back(ctx, path, buf, &len);
		if (ret)
			return ret;
		if (!strcmp(buf, before))
			return -1;
		ret = understand(ctx, d, name, buf, len);
	} while (ret && once_more(ctx));
	if (ret)
		err_next(&ctx->err, "what you wrote is in %s; change it and: hvctl define %s", path, path);
	return ret;
}

/* Keep @d, unless the definition is not what the editor was given. Return: 0 or an enum rc. */
static int keep(struct ctx *ctx, struct def *d, const char *name, const char *before)
{
	char *now = NULL;
	int dir, ret = defdir_lock(&dir, &ctx->err);

	if (ret)
		return ret;
	ret = defdir_text(name, &now, &ctx->err);
	if (!ret && strcmp(now, before))
		ret = err_set(&ctx->err, RC_BUSY, NULL, "somebody else changed the definition of '%s' meanwhile", name);
	if (!ret)
		ret = cmd_def_store_locked(ctx, dir, d, false);
	defdir_unlock(dir);
	free(now);
	return ret;
}

int cmd_edit(struct ctx *ctx)
{
	static struct def d;
	const char *name = ctx->line.arg[0];
	char *text, *buf = malloc(XML_BYTES_MAX + 2), path[256] = "";
	int ret = defdir_text(name, &text, &ctx->err);
	bool in_vain;

	def_init(&d);
	if (!ret && !buf)
		ret = err_sys(&ctx->err, RC_FAILED, ENOMEM, NULL, "cannot edit '%s'", name);
	if (!ret)
		ret = copy_out(ctx, name, text, path, sizeof(path));
	if (!ret)
		ret = edit(ctx, &d, name, text, path, buf);
	in_vain = ret == RC_INVALID;
	if (!ret) {
		ret = keep(ctx, &d, name, text);
		if (ret)
			err_next(&ctx->err, "what you wrote is in %s", path);
		in_vain = ret;
	}
	/* What was typed in vain is kept for the one who typed it. */
	if (*path && !in_vain)
		unlink(path);
	if (ret < 0 && !ctx->quiet)
		fprintf(stderr, "hvctl: nothing was changed\n");
	def_free(&d);
	free(text);
	free(buf);
	return ret < 0 ? 0 : ret;
}
