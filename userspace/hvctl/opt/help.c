// SPDX-License-Identifier: GPL-2.0-or-later
/* --help: the whole tool, one verb, one key list. */
#include <string.h>

#include "hvctl/opt/opt.h"

#define COLUMN 26	/* where the explanations start */

static void line(FILE *f, const char *left, const char *right)
{
	int pad = COLUMN - 2 - (int)strlen(left);

	if (pad < 1)
		fprintf(f, "  %s\n%*s%s\n", left, COLUMN, "", right);
	else
		fprintf(f, "  %s%*s%s\n", left, pad, "", right);
}

static void words(FILE *f, const char *const *w)
{
	fprintf(f, "%*s", COLUMN, "");
	for (unsigned int i = 0; w[i]; i++)
		fprintf(f, "%s%s", i ? ", " : "one of ", w[i]);
	fputc('\n', f);
}

static void opt_line_show(FILE *f, const struct opt *o)
{
	char left[96], short_form[8] = "    ";

	if (o->letter)
		snprintf(short_form, sizeof(short_form), "-%c, ", o->letter);
	snprintf(left, sizeof(left), "%s--%s%s%s", short_form, o->name, o->arg ? " " : "",
		 o->arg ? o->arg : "");
	line(f, left, o->help);
	if (o->kind == OPT_WORD)
		words(f, o->words);
}

void opt_synopsis(const struct opt_tool *tool, const struct opt_cmd *cmd, FILE *f)
{
	bool any = false;

	for (unsigned int i = 0; i < OPT_GROUPS; i++)
		any |= cmd->opts[i] != NULL;
	fprintf(f, "%s %s%s%s%s", tool->name, cmd->name, any ? " [OPTION]..." : "",
		cmd->args ? " " : "", cmd->args ? cmd->args : "");
}

void opt_help_tool(const struct opt_tool *tool, FILE *f)
{
	fprintf(f, "%s - %s\n\nUsage: %s COMMAND [OPTION]... [VM]\n\nCommands:\n", tool->name,
		tool->help, tool->name);
	for (const struct opt_cmd *c = tool->cmds; c->name; c++)
		if (!c->hidden)
			line(f, c->name, c->help);
	fputs("\nOptions of every command:\n", f);
	for (const struct opt *o = tool->common; o->name; o++)
		opt_line_show(f, o);
	fprintf(f, "\n'%s help COMMAND' explains one command; '%s help exit-codes' lists the exit codes.\n",
		tool->name, tool->name);
}

void opt_help_cmd(const struct opt_tool *tool, const struct opt_cmd *cmd, FILE *f)
{
	fprintf(f, "%s %s - %s\n\nUsage: ", tool->name, cmd->name, cmd->help);
	opt_synopsis(tool, cmd, f);
	fputc('\n', f);
	if (cmd->text)
		fprintf(f, "\n%s\n", cmd->text);
	fputs("\nOptions:\n", f);
	for (unsigned int i = 0; i < OPT_GROUPS; i++)
		for (const struct opt *o = cmd->opts[i]; o && o->name; o++)
			opt_line_show(f, o);
	for (const struct opt *o = tool->common; o->name; o++)
		opt_line_show(f, o);
	if (cmd->example)
		fprintf(f, "\nExample:\n  %s\n", cmd->example);
}

void opt_help_keys(const struct opt *opt, FILE *f)
{
	fprintf(f, "--%s %s: %s\n\nKeys:\n", opt->name, opt->arg, opt->help);
	for (const struct opt_key *k = opt->keys; k->name; k++) {
		char left[64];

		if (k->kind == OPT_FLAG)
			snprintf(left, sizeof(left), "%s[=on|off]", k->name);
		else
			snprintf(left, sizeof(left), "%s=%s", k->name, k->arg);
		line(f, left, k->help);
		if (k->kind == OPT_WORD)
			words(f, k->words);
	}
	fprintf(f, "\nA bare first word is the value of '%s'.\n", opt->keys->name);
}
