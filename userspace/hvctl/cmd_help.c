// SPDX-License-Identifier: GPL-2.0-or-later
/* help, completion, man: what the table says about itself. */
#include <string.h>

#include "base/text.h"
#include "hvctl/cmd.h"

static int exit_codes(struct ctx *ctx)
{
	for (const struct opt_note *n = ctx->tool->exits; n->term; n++)
		printf("  %-16s%s\n", n->term, n->text);
	return out_end(ctx);
}

int cmd_help(struct ctx *ctx)
{
	const char *word = ctx->line.args ? ctx->line.arg[0] : NULL;
	struct text_guess g = { .word = word };
	const struct opt_cmd *c;

	if (!word) {
		opt_help_tool(ctx->tool, stdout);
		return out_end(ctx);
	}
	if (!strcmp(word, "exit-codes"))
		return exit_codes(ctx);
	c = opt_cmd_find(ctx->tool, word);
	if (c) {
		opt_help_cmd(ctx->tool, c, stdout);
		return out_end(ctx);
	}
	for (c = ctx->tool->cmds; c->name; c++)
		text_guess_try(&g, c->name);
	err_set(&ctx->err, RC_USAGE, "run 'hvctl --help' for the commands", "there is no command '%s'", word);
	return g.best ? err_next(&ctx->err, "did you mean 'hvctl help %s'?", g.best) : ctx->err.code;
}

int cmd_completion(struct ctx *ctx)
{
	opt_completion(ctx->tool, ctx->line.arg[0], stdout);
	return out_end(ctx);
}

int cmd_man(struct ctx *ctx)
{
	opt_man(ctx->tool, stdout);
	return out_end(ctx);
}
