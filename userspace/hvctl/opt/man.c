// SPDX-License-Identifier: GPL-2.0-or-later
/* The man page, as man(7) source. */
#include <string.h>

#include "hvctl/opt/opt.h"

/* Text as roff: dashes that can be copied, no accidental requests at the start of a line. */
static void text(FILE *f, const char *s)
{
	bool start = true;

	for (; *s; s++) {
		if (start && (*s == '.' || *s == '\''))
			fputs("\\&", f);
		start = *s == '\n';
		if (*s == '\n')
			fputs("\n.PP\n", f);
		else if (*s == '-')
			fputs("\\-", f);
		else if (*s == '\\')
			fputs("\\e", f);
		else if (*s == '^')
			fputs("\\(ha", f);
		else
			fputc(*s, f);
	}
}

static void para(FILE *f, const char *s)
{
	text(f, s);
	fputc('\n', f);
}

static void words(FILE *f, const char *const *w)
{
	fputs("One of", f);
	for (unsigned int i = 0; w[i]; i++) {
		fprintf(f, "%s \\fB", i ? "," : "");
		text(f, w[i]);
		fputs("\\fR", f);
	}
	fputs(".\n", f);
}

static void opt_item(FILE *f, const struct opt *o)
{
	fputs(".TP\n\\fB", f);
	if (o->letter)
		fprintf(f, "\\-%c\\fR, \\fB", o->letter);
	fputs("\\-\\-", f);
	text(f, o->name);
	fputs("\\fR", f);
	if (o->arg) {
		fputs(" \\fI", f);
		text(f, o->arg);
		fputs("\\fR", f);
	}
	fputc('\n', f);
	text(f, o->help);
	fputs(o->repeat ? "; may be given several times.\n" : ".\n", f);
	if (o->kind == OPT_WORD)
		words(f, o->words);
	if (o->kind != OPT_KEYS)
		return;
	fputs(".RS\n", f);
	for (const struct opt_key *k = o->keys; k->name; k++) {
		fputs(".TP\n\\fB", f);
		text(f, k->name);
		fputs(k->kind == OPT_FLAG ? "\\fR[=\\fBon\\fR|\\fBoff\\fR]" : "\\fR=\\fI", f);
		text(f, k->kind == OPT_FLAG ? "" : k->arg);
		fputs("\\fR\n", f);
		text(f, k->help);
		fputs(".\n", f);
		if (k->kind == OPT_WORD)
			words(f, k->words);
	}
	fputs(".RE\n", f);
}

static void notes(FILE *f, const char *head, const struct opt_note *n)
{
	if (!n)
		return;
	fprintf(f, ".SH %s\n", head);
	for (; n->term; n++) {
		fputs(".TP\n\\fB", f);
		text(f, n->term);
		fputs("\\fR\n", f);
		para(f, n->text);
	}
}

static void command(const struct opt_tool *tool, const struct opt_cmd *c, FILE *f)
{
	fprintf(f, ".SS %s %s\n", tool->name, c->name);
	fputs(".B ", f);
	opt_synopsis(tool, c, f);
	fputs("\n.PP\n", f);
	para(f, c->text ? c->text : c->help);
	for (unsigned int i = 0; i < OPT_GROUPS; i++)
		for (const struct opt *o = c->opts[i]; o && o->name; o++)
			opt_item(f, o);
	if (c->example) {
		fputs(".PP\nExample:\n.PP\n.RS 4\n", f);
		para(f, c->example);
		fputs(".RE\n", f);
	}
}

void opt_man(const struct opt_tool *tool, FILE *f)
{
	fprintf(f, ".TH \"%s\" 1 \"\" \"%s %s\" \"User Commands\"\n", tool->name, tool->name,
		tool->version);
	fprintf(f, ".nh\n.ad l\n.SH NAME\n%s \\- ", tool->name);
	para(f, tool->help);
	fprintf(f, ".SH SYNOPSIS\n.B %s\n\\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fIVM\\fR]\n", tool->name);
	fputs(".SH DESCRIPTION\n", f);
	para(f, tool->text);
	fputs(".SH OPTIONS OF EVERY COMMAND\n", f);
	for (const struct opt *o = tool->common; o->name; o++)
		opt_item(f, o);
	fputs(".SH COMMANDS\n", f);
	for (const struct opt_cmd *c = tool->cmds; c->name; c++)
		if (!c->hidden)
			command(tool, c, f);
	notes(f, "EXIT STATUS", tool->exits);
	notes(f, "ENVIRONMENT", tool->environment);
	notes(f, "FILES", tool->files);
}
