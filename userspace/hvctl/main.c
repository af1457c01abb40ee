// SPDX-License-Identifier: GPL-2.0-or-later
/* hvctl: from the command line to the verb, and from its result to the exit code. */
#include <signal.h>

#include "hvctl/cmd.h"

static int show_help(struct ctx *ctx)
{
	if (ctx->line.help_keys)
		opt_help_keys(ctx->line.help_keys, stdout);
	else if (ctx->line.cmd)
		opt_help_cmd(ctx->tool, ctx->line.cmd, stdout);
	else
		opt_help_tool(ctx->tool, stdout);
	return out_end(ctx);
}

static int dispatch(struct ctx *ctx)
{
	if (ctx->line.help || ctx->line.help_keys)
		return show_help(ctx);
	if (opt_has(&ctx->line, "version"))
		return cmd_version(ctx);
	if (!ctx->line.cmd)
		return err_set(&ctx->err, RC_USAGE, "run 'hvctl --help' for the commands",
			       "a command is missing");
	return ((cmd_fn)ctx->line.cmd->run)(ctx);
}

int main(int argc, char **argv)
{
	struct ctx ctx = { .tool = &hvctl_tool };
	int ret;

	signal(SIGPIPE, SIG_IGN);	/* a closed pipe is an error of write() like any other */
	ret = opt_parse(ctx.tool, argc, argv, &ctx.line, &ctx.err);
	ctx.json = opt_has(&ctx.line, "json");
	for (int i = 1; ret && i < argc; i++)	/* an error may stand before it */
		ctx.json |= argv[i][0] == '-' && !__builtin_strcmp(argv[i], "--json");
	ctx.quiet = opt_has(&ctx.line, "quiet");
	if (ret && argc == 1) {
		opt_help_tool(ctx.tool, stderr);
		return ret;
	}
	if (!ret)
		ret = dispatch(&ctx);
	if (!ret)
		return ctx.status;
	out_error(&ctx);
	return ret;
}
