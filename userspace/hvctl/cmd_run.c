// SPDX-License-Identifier: GPL-2.0-or-later
/* run and start: from options to a VM process. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/tty.h"
#include "hvctl/cmd_def.h"
#include "hvctl/defdir.h"
#include "hvctl/cmd_run.h"
#include "hvctl/cmd_save.h"
#include "hvctl/rundir.h"
#include "hvctl/stopsig.h"
#include "hvctl/vmopts.h"

#define BACKLOG 16

/* What the end of a VM means to who started it. */
static const struct { int rc; const char *next; } ends[VMM_END_NR] = {
	[VMM_END_NONE]		= { RC_FAILED, NULL },
	[VMM_END_POWEROFF]	= { RC_OK, NULL },
	[VMM_END_RESET]		= { RC_OK, NULL },
	[VMM_END_DEBUG_EXIT]	= { RC_OK, NULL },
	[VMM_END_KILLED]	= { RC_CANCELLED, NULL },
	[VMM_END_TRIPLE_FAULT]	= { RC_FAILED, "the guest's kernel failed early; --append earlyprintk=ttyS0 may show where" },
	[VMM_END_CRASHED]	= { RC_FAILED, NULL },
	[VMM_END_HOST_ERROR]	= { RC_FAILED, NULL },
	[VMM_END_CONFIG]	= { RC_INVALID, NULL },
	[VMM_END_NO_BOOT]	= { RC_NO_BOOT, NULL },
	[VMM_END_UNSUPPORTED]	= { RC_HOST, "hvctl doctor tells what is missing" },
	[VMM_END_SAVED]		= { RC_OK, NULL },
};

/* vmm_end.text may hold a second line: the next step. */
static int end_error(struct ctx *ctx, const char *name, const struct vmm_end *end)
{
	int rc = end->cause < VMM_END_NR ? ends[end->cause].rc : RC_FAILED;
	const char *nl = strchr(end->text, '\n');
	int len = nl ? (int)(nl - end->text) : (int)strlen(end->text);

	if (rc == RC_OK)
		return 0;
	/* The host is fine, but this module or CPU does not have what was asked for. */
	if (end->cause == VMM_END_UNSUPPORTED && end->code == EOPNOTSUPP)
		rc = RC_UNSUPPORTED;
	err_set(&ctx->err, rc, ends[end->cause].next, "VM '%s': %.*s", name, len, end->text);
	if (!len)
		err_set(&ctx->err, rc, ends[end->cause].next, "VM '%s' ended: %s", name,
			vmm_cause_name(end->cause));
	if (nl && nl[1])
		err_next(&ctx->err, "%.*s", (int)strcspn(nl + 1, "\n"), nl + 1);
	return rc;
}

static int dry_run(struct ctx *ctx, const struct vmopts *o)
{
	char text[VMM_TEXT_MAX];
	int n = vmm_config_encode(&o->cfg, text, sizeof(text));

	static struct def d;
	int ret;

	if (n < 0)
		return err_set(&ctx->err, RC_INVALID, NULL, "the configuration is too long");
	def_init(&d);
	ret = def_merge(&d, &ctx->line, &ctx->err);
	if (!ret)
		ret = def_absolute(&d, &ctx->err);
	if (!ret)
		ret = def_set(&d, "name", o->cfg.name, &ctx->err);
	if (!ret)
		ret = cmd_def_print(ctx, &d, ctx->json ? json_pack("{s:s%}", "config", text, (size_t)n) : NULL);
	def_free(&d);
	return ret;
}

/* The line of a VM that is defined: what its definition says, and over that what was typed. */
static int defined(struct ctx *ctx, struct def *d, const char *name)
{
	int ret = defdir_load(name, d, &ctx->err);

	return ret ? ret : cmd_def_line(ctx, d);
}

int vm_claim(struct ctx *ctx, struct vm_start *s, const char *name)
{
	bool told;
	int ret = rundir_claim(&s->vm, name, &told, &ctx->err);

	if (ret)
		return ret;
	if (told && !ctx->quiet)
		fprintf(stderr, "hvctl: no XDG_RUNTIME_DIR and no access to /run/hv: using %s\n", s->vm.path);
	snprintf(s->cfg.name, sizeof(s->cfg.name), "%s", s->vm.name);
	return 0;
}

/* Options, then the name. Return: 0 with the VM's files taken, -1: dry run done, or an enum rc. */
static int prepare(struct ctx *ctx, struct vmopts *o, enum vmm_serial where, struct vm_start *s)
{
	static struct def d;		/* the line's strings live in it */
	const char *defname = ctx->line.args ? ctx->line.arg[0] : NULL;
	char what[80];
	int ret = defname ? defined(ctx, &d, defname) : 0;

	if (ret)
		return ret;
	ret = vmopts_parse(ctx, o, where);
	if (ret && defname) {
		snprintf(what, sizeof(what), "%.63s.xml", defname);
		return def_blame(&d, what, &ctx->err);
	}
	if (ret)
		return ret;
	s->state = -1;
	if (o->name && !rundir_name_ok(o->name))
		return vm_claim(ctx, s, o->name);	/* for its error */
	if (opt_has(&ctx->line, "dry-run")) {
		snprintf(o->cfg.name, sizeof(o->cfg.name), "%s", o->name ? o->name : "vm");
		ret = dry_run(ctx, o);
		return ret ? ret : -1;
	}
	s->cfg = o->cfg;
	return vm_claim(ctx, s, o->name);
}

/* Be the VM. The descriptors handed over are the VM's; the lock and the directory stay ours. */
static int be_vm(struct vm_start *s, int ready, struct vmm_end *end)
{
	struct vmm_fds fds = {
		.hv = -1, .ctl = s->vm.sock, .log = s->vm.log, .ready = ready,
		.in = STDIN_FILENO, .out = STDOUT_FILENO,
		.state = s->state, .state_path = s->state_path, .state_force = s->state_force,
		.state_eager = s->state_eager, .state_other = s->state_other,
	};
	struct err err = { 0 };
	int ret;

	/* Here, not earlier: the peers' SO_PEERCRED names the process that listens. */
	if (rundir_own(&s->vm, &err) || listen(s->vm.sock, BACKLOG)) {
		*end = (struct vmm_end){ .cause = VMM_END_HOST_ERROR, .code = errno };
		snprintf(end->text, sizeof(end->text), "%.300s",
			 err.code ? err.text : "cannot listen on the control socket");
		if (ready >= 0)
			close(ready);
		return -1;
	}
	s->vm.sock = -1;
	s->vm.log = -1;
	ret = vmm_main(&s->cfg, &fds, end);
	return ret;
}

static void say_hint(const struct ctx *ctx, const struct vmm_config *cfg)
{
	char esc[8];

	if (ctx->quiet || cfg->serial != VMM_SERIAL_STDIO || !isatty(STDIN_FILENO))
		return;
	if (cfg->escape)
		fprintf(stderr, "hvctl: VM '%s'; %s ends it at once\n", cfg->name,
			tty_escape_name(cfg->escape, esc));
	else
		fprintf(stderr, "hvctl: VM '%s'\n", cfg->name);
}

int vm_run(struct ctx *ctx, struct vm_start *s)
{
	struct vmm_end end = { 0 };
	int ret;

	say_hint(ctx, &s->cfg);
	ret = be_vm(s, -1, &end);
	rundir_release(&s->vm, ret);
	if (!ret && end.cause == VMM_END_DEBUG_EXIT && opt_has(&ctx->line, "exit-with-guest")) {
		ctx->status = (end.code << 1 | 1) & 0xff;
		return 0;
	}
	return end_error(ctx, s->cfg.name, &end);
}

/* The words of run are disks: as if --disk stood before each, in front of all options. */
static int words_are_disks(struct ctx *ctx)
{
	struct opt_line *l = &ctx->line;

	if (l->hits + l->args > OPT_HITS_MAX)
		return err_set(&ctx->err, RC_USAGE, NULL, "more than %d options", OPT_HITS_MAX);
	memmove(l->hit + l->args, l->hit, l->hits * sizeof(l->hit[0]));
	for (unsigned int i = 0; i < l->args; i++)
		l->hit[i] = (struct opt_hit){ .opt = def_opt("disk"), .value = l->arg[i] };
	l->hits += l->args;
	l->args = 0;
	return 0;
}

int cmd_run(struct ctx *ctx)
{
	static struct vmopts o;		/* 16 KiB of paths: not on the stack */
	static struct vm_start s;
	int ret = words_are_disks(ctx);

	if (!ret)
		ret = prepare(ctx, &o, VMM_SERIAL_STDIO, &s);
	if (ret)
		return ret < 0 ? 0 : ret;
	return vm_run(ctx, &s);
}

/* In the child: no terminal, no working directory of others. */
static void detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (chdir("/"))
		return;
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

/* In the parent: 0 when the VM runs, else its error. */
static int await_start(struct ctx *ctx, const char *name, pid_t child, int ready, int report)
{
	struct pollfd p = { .fd = ready, .events = POLLIN };
	struct vmm_end end = { 0 };
	char byte;

	stopsig_poll(&p, 1, -1);
	if (stopsig_got()) {
		kill(child, SIGTERM);
		waitpid(child, NULL, 0);
		return err_set(&ctx->err, RC_CANCELLED, NULL, "cancelled; VM '%s' was not started", name);
	}
	if (read(ready, &byte, 1) == 1)
		return 0;
	/* Written whole by our own child, or not at all. */
	if (read(report, &end, sizeof(end)) == sizeof(end)) {
		end.text[sizeof(end.text) - 1] = 0;
		if (end.cause < VMM_END_NR && ends[end.cause].rc)
			return end_error(ctx, name, &end);
	}
	return err_set(&ctx->err, RC_FAILED, "dmesg may tell why", "VM '%s': its process died at the start", name);
}

static int tell_started(struct ctx *ctx, const char *name, pid_t pid)
{
	if (ctx->json)
		return out_json(ctx, json_pack("{s:s, s:i}", "name", name, "pid", (int)pid), false);
	printf("%s\n", name);
	return out_end(ctx);
}

int vm_background(struct ctx *ctx, struct vm_start *s)
{
	struct vmm_end end = { 0 };
	int ready[2], report[2], ret;
	pid_t child;

	if (pipe2(ready, O_CLOEXEC) || pipe2(report, O_CLOEXEC)) {
		ret = err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot make a pipe");
		rundir_release(&s->vm, true);
		return ret;
	}
	child = fork();
	if (child < 0) {
		ret = err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot make a process");
		rundir_release(&s->vm, true);
		return ret;
	}
	if (!child) {
		close(ready[0]);
		close(report[0]);
		detach();
		ret = be_vm(s, ready[1], &end);
		rundir_release(&s->vm, ret);
		if (ret && write(report[1], &end, sizeof(end)) < 0)
			return RC_FAILED;
		return ret ? RC_FAILED : 0;
	}
	close(ready[1]);
	close(report[1]);
	stopsig_catch();
	rundir_forget(&s->vm);
	ret = await_start(ctx, s->cfg.name, child, ready[0], report[0]);
	return ret ? ret : tell_started(ctx, s->cfg.name, child);
}

int cmd_start(struct ctx *ctx)
{
	static struct vmopts o;
	static struct vm_start s;
	int ret;

	if (ctx->line.args && managed_has(ctx->line.arg[0]) && !opt_has(&ctx->line, "dry-run"))
		return managed_start(ctx, &s);
	ret = prepare(ctx, &o, VMM_SERIAL_NONE, &s);
	if (ret)
		return ret < 0 ? 0 : ret;
	if (s.cfg.serial == VMM_SERIAL_STDIO) {
		rundir_release(&s.vm, true);
		return err_set(&ctx->err, RC_USAGE, "use hvctl run, or attach later with hvctl console",
			       "a VM in the background has no terminal for --serial stdio");
	}
	return vm_background(ctx, &s);
}
