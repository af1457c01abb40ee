// SPDX-License-Identifier: GPL-2.0-or-later
/* restore: a VM from a file that hvctl save has written. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "hvctl/cmd_run.h"
#include "hvctl/cmd_save.h"
#include "hvctl/vmopts.h"
#include "libstate/state.h"
#include "vmm/save.h"

int state_error(struct ctx *ctx, const char *path, const struct state_err *e)
{
	return err_set(&ctx->err, e->fault == STATE_HOST ? RC_FAILED :
		       e->fault == STATE_VERSION_NEW ? RC_UNSUPPORTED : RC_INVALID,
		       e->fault == STATE_VERSION_NEW ? "use the hvctl that wrote it, or a newer one" : NULL, "%s: %s",
		       path, e->text);
}

/* The configuration in the file; its strings stay in @text. */
int state_config(struct ctx *ctx, const char *path, const struct state_file *f, struct vmm_config *cfg, char *text)
{
	struct state_record rec;
	char why[256];

	if (!state_find(f, SAVE_REC_CONFIG, 0, 0, &rec) || rec.len > VMM_TEXT_MAX)
		return err_set(&ctx->err, RC_INVALID, NULL, "%s: corrupt: it has no configuration", path);
	if (rec.version != SAVE_VERSION)
		return err_set(&ctx->err, RC_UNSUPPORTED, "use the hvctl that wrote it, or a newer one",
			       "%s: its configuration has version %u; known is %u", path, rec.version, SAVE_VERSION);
	memcpy(text, rec.data, rec.len);
	if (vmm_config_decode(cfg, text, rec.len, why, sizeof(why)))
		return err_set(&ctx->err, RC_INVALID, NULL, "%s: corrupt: %s", path, why);
	return 0;
}

/* Options of the line that go over what the file says. */
static void options(const struct ctx *ctx, struct vmm_config *cfg)
{
	bool foreground = opt_has(&ctx->line, "foreground");

	if (opt_has(&ctx->line, "paused"))
		cfg->flags |= VMM_F_START_PAUSED;
	/* A terminal, or none: that of the first process is gone. */
	if (cfg->serial == VMM_SERIAL_STDIO || cfg->serial == VMM_SERIAL_NONE)
		cfg->serial = foreground ? VMM_SERIAL_STDIO : VMM_SERIAL_NONE;
}

int restore_prepare(struct ctx *ctx, const char *path, struct vm_start *s)
{
	static char text[VMM_TEXT_MAX + 1];
	struct state_err e = { 0 };
	struct state_file *f;
	int ret;

	s->state_path = path;
	/* For writing, so that it can be noted in it that the VM went on. */
	s->state = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (s->state < 0)
		s->state = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (s->state < 0)
		return err_sys(&ctx->err, errno == ENOENT ? RC_INVALID : RC_FAILED, errno, NULL, "cannot open %s", path);
	ret = state_open(&f, s->state, &e) ? state_error(ctx, path, &e) : 0;
	if (!ret) {
		ret = state_config(ctx, path, f, &s->cfg, text);
		state_close(f);
	}
	return ret;
}

int cmd_restore(struct ctx *ctx)
{
	static char path[VMM_PATH_MAX + 1];
	static struct vm_start s = { .state = -1 };
	const char *name = opt_value(&ctx->line, "name");
	int ret = vmopts_absolute(ctx, ctx->line.arg[0], path);

	if (!ret)
		ret = restore_prepare(ctx, path, &s);
	if (!ret) {
		options(ctx, &s.cfg);
		s.state_eager = opt_has(&ctx->line, "eager");
		s.state_force = opt_has(&ctx->line, "force");
		s.state_other = name && strcmp(name, s.cfg.name);
		ret = vm_claim(ctx, &s, name ? name : s.cfg.name);
	}
	if (ret) {
		if (s.state >= 0)
			close(s.state);
		return ret;
	}
	return opt_has(&ctx->line, "foreground") ? vm_run(ctx, &s) : vm_background(ctx, &s);
}
