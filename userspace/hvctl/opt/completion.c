// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion for bash, zsh and fish. The scripts know the table as it was when they were made; only
 * the names of VMs are asked for at run time.
 */
#include <string.h>

#include "hvctl/opt/opt.h"

/* Print the verbs, separated by @sep. */
static void verbs(const struct opt_tool *tool, const char *sep, FILE *f)
{
	bool first = true;

	for (const struct opt_cmd *c = tool->cmds; c->name; c++) {
		if (c->hidden)
			continue;
		fprintf(f, "%s%s", first ? "" : sep, c->name);
		first = false;
	}
}

static void word_list(const char *const *w, FILE *f)
{
	for (unsigned int i = 0; w[i]; i++)
		fprintf(f, "%s%s", i ? " " : "", w[i]);
}

/* Inside single quotes of all three shells. */
static void quoted(const char *s, FILE *f)
{
	for (; *s; s++)
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
}

typedef void (*each_opt_fn)(const struct opt_tool *, const struct opt_cmd *, const struct opt *, FILE *);

static void each_opt(const struct opt_tool *tool, const struct opt_cmd *c, each_opt_fn fn, FILE *f)
{
	for (unsigned int i = 0; i < OPT_GROUPS; i++)
		for (const struct opt *o = c->opts[i]; o && o->name; o++)
			fn(tool, c, o, f);
	for (const struct opt *o = tool->common; o->name; o++)
		fn(tool, c, o, f);
}

/* --- bash: one case on the word before the cursor, one on the verb */

static void bash_value(const struct opt_tool *tool, const struct opt_cmd *c, const struct opt *o, FILE *f)
{
	(void)tool;
	if (o->kind == OPT_FLAG)
		return;
	fprintf(f, "\t%s:--%s", c->name, o->name);
	if (o->letter)
		fprintf(f, "|%s:-%c", c->name, o->letter);
	fputs(")\n\t\t", f);
	if (o->kind == OPT_FILE) {
		fputs("compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))", f);
	} else if (o->kind == OPT_WORD) {
		fputs("COMPREPLY=($(compgen -W '", f);
		word_list(o->words, f);
		fputs("' -- \"$cur\"))", f);
	} else if (o->kind == OPT_KEYS) {
		fputs("compopt -o nospace; COMPREPLY=($(compgen -W 'help", f);
		for (const struct opt_key *k = o->keys; k->name; k++)
			fprintf(f, " %s=", k->name);
		fputs("' -- \"$cur\"))", f);
	} else {
		fputs("COMPREPLY=()", f);
	}
	fputs("\n\t\treturn ;;\n", f);
}

static void bash_name(const struct opt_tool *tool, const struct opt_cmd *c, const struct opt *o, FILE *f)
{
	(void)tool;
	(void)c;
	fprintf(f, " --%s", o->name);
}

static void bash_args(const struct opt_tool *tool, const struct opt_cmd *c, FILE *f)
{
	fprintf(f, "\t%s) words='", c->name);
	if (c->arg_kind == OPT_ARGS_WORD)
		word_list(c->words, f);
	else if (c->arg_kind == OPT_ARGS_CMD)
		verbs(tool, " ", f);
	fputc('\'', f);
	if (c->arg_kind == OPT_ARGS_VM && tool->list_cmd)
		fprintf(f, "; words=$(%s 2>/dev/null)", tool->list_cmd);
	fputs("; opts='", f);
	each_opt(tool, c, bash_name, f);
	fputs("' ;;\n", f);
}

static void bash(const struct opt_tool *tool, FILE *f)
{
	fprintf(f, "# bash completion for %s, made by '%s completion bash'\n_%s()\n{\n", tool->name,
		tool->name, tool->name);
	fputs("\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	      "\tlocal verb= words= opts= i\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tcase ${COMP_WORDS[i]} in -*) ;; *) verb=${COMP_WORDS[i]}; break ;; esac\n"
	      "\tdone\n"
	      "\tif [[ -z $verb ]]; then\n\t\tCOMPREPLY=($(compgen -W '", f);
	verbs(tool, " ", f);
	for (const struct opt *o = tool->common; o->name; o++)
		fprintf(f, " --%s", o->name);
	fputs("' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $verb:$prev in\n", f);
	for (const struct opt_cmd *c = tool->cmds; c->name; c++)
		if (!c->hidden)
			each_opt(tool, c, bash_value, f);
	fputs("\tesac\n\tcase $verb in\n", f);
	for (const struct opt_cmd *c = tool->cmds; c->name; c++)
		if (!c->hidden)
			bash_args(tool, c, f);
	fputs("\tesac\n"
	      "\tcase $cur in\n"
	      "\t-*) COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\")) ;;\n"
	      "\t*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
	      "\tesac\n}\n", f);
	fprintf(f, "complete -F _%s %s\n", tool->name, tool->name);
}

/* --- zsh */

/* Inside '...[text]' of _arguments: brackets and colons would end it. */
static void zsh_text(const char *s, FILE *f)
{
	for (; *s; s++) {
		if (strchr("[]:\\", *s))
			fputc('\\', f);
		if (*s == '\'')
			fputs("'\\''", f);
		else
			fputc(*s, f);
	}
}

static void zsh_action(const struct opt *o, FILE *f)
{
	fputs(":", f);
	zsh_text(o->arg, f);
	fputs(":", f);
	if (o->kind == OPT_FILE) {
		fputs("_files", f);
	} else if (o->kind == OPT_WORD) {
		fputc('(', f);
		word_list(o->words, f);
		fputc(')', f);
	} else if (o->kind == OPT_KEYS) {
		fputs("(help", f);
		for (const struct opt_key *k = o->keys; k->name; k++)
			fprintf(f, " %s=", k->name);
		fputc(')', f);
	}
}

static void zsh_opt(const struct opt_tool *tool, const struct opt_cmd *c, const struct opt *o, FILE *f)
{
	(void)tool;
	(void)c;
	for (unsigned int i = 0; i < 2; i++) {
		if (i && !o->letter)
			break;
		fputs(" \\\n\t\t\t'", f);
		if (o->repeat)
			fputc('*', f);
		if (i)
			fprintf(f, "-%c", o->letter);
		else
			fprintf(f, "--%s", o->name);
		fputc('[', f);
		zsh_text(o->help, f);
		fputc(']', f);
		if (o->arg)
			zsh_action(o, f);
		fputc('\'', f);
	}
}

static void zsh_cmd(const struct opt_tool *tool, const struct opt_cmd *c, FILE *f)
{
	fprintf(f, "\t%s)\n\t\t_arguments", c->name);
	each_opt(tool, c, zsh_opt, f);
	if (c->arg_kind == OPT_ARGS_VM && tool->list_cmd)
		fprintf(f, " \\\n\t\t\t'*:VM:($(%s 2>/dev/null))'", tool->list_cmd);
	else if (c->arg_kind == OPT_ARGS_WORD) {
		fputs(" \\\n\t\t\t'1:word:(", f);
		word_list(c->words, f);
		fputs(")'", f);
	} else if (c->arg_kind == OPT_ARGS_CMD) {
		fputs(" \\\n\t\t\t'1:command:(", f);
		verbs(tool, " ", f);
		fputs(")'", f);
	}
	fputs("\n\t\t;;\n", f);
}

static void zsh(const struct opt_tool *tool, FILE *f)
{
	fprintf(f, "#compdef %s\n# zsh completion for %s, made by '%s completion zsh'\n_%s()\n{\n"
		   "\tlocal -a verbs\n\tverbs=(\n", tool->name, tool->name, tool->name, tool->name);
	for (const struct opt_cmd *c = tool->cmds; c->name; c++) {
		if (c->hidden)
			continue;
		fprintf(f, "\t\t'%s:", c->name);
		quoted(c->help, f);
		fputs("'\n", f);
	}
	fputs("\t)\n"
	      "\tif (( CURRENT == 2 )); then\n"
	      "\t\t_describe command verbs\n"
	      "\t\treturn\n"
	      "\tfi\n"
	      "\tlocal verb=$words[2]\n"
	      "\tshift words\n"
	      "\t(( CURRENT-- ))\n"
	      "\tcase $verb in\n", f);
	for (const struct opt_cmd *c = tool->cmds; c->name; c++)
		if (!c->hidden)
			zsh_cmd(tool, c, f);
	fprintf(f, "\tesac\n}\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n\t_%s \"$@\"\n"
		   "else\n\tcompdef _%s %s\nfi\n", tool->name, tool->name, tool->name);
}

/* --- fish */

static void fish_opt(const struct opt_tool *tool, const struct opt_cmd *c, const struct opt *o, FILE *f)
{
	fprintf(f, "complete -c %s -n '__fish_seen_subcommand_from %s' -l %s", tool->name, c->name,
		o->name);
	if (o->letter)
		fprintf(f, " -s %c", o->letter);
	if (o->kind == OPT_FILE) {
		fputs(" -r -F", f);
	} else if (o->kind == OPT_WORD) {
		fputs(" -x -a '", f);
		word_list(o->words, f);
		fputc('\'', f);
	} else if (o->kind == OPT_KEYS) {
		fputs(" -x -a 'help", f);
		for (const struct opt_key *k = o->keys; k->name; k++)
			fprintf(f, " %s=", k->name);
		fputc('\'', f);
	} else if (o->kind != OPT_FLAG) {
		fputs(" -x", f);
	}
	fputs(" -d '", f);
	quoted(o->help, f);
	fputs("'\n", f);
}

static void fish(const struct opt_tool *tool, FILE *f)
{
	fprintf(f, "# fish completion for %s, made by '%s completion fish'\ncomplete -c %s -f\n",
		tool->name, tool->name, tool->name);
	for (const struct opt_cmd *c = tool->cmds; c->name; c++) {
		if (c->hidden)
			continue;
		fprintf(f, "complete -c %s -n __fish_use_subcommand -a %s -d '", tool->name, c->name);
		quoted(c->help, f);
		fputs("'\n", f);
		each_opt(tool, c, fish_opt, f);
		if (c->arg_kind == OPT_ARGS_NONE)
			continue;
		fprintf(f, "complete -c %s -n '__fish_seen_subcommand_from %s' -a '", tool->name, c->name);
		if (c->arg_kind == OPT_ARGS_VM)
			fprintf(f, "(%s 2>/dev/null)", tool->list_cmd);
		else if (c->arg_kind == OPT_ARGS_WORD)
			word_list(c->words, f);
		else
			verbs(tool, " ", f);
		fputs("'\n", f);
	}
}

int opt_completion(const struct opt_tool *tool, const char *shell, FILE *f)
{
	static const struct {
		const char *shell;
		void (*print)(const struct opt_tool *, FILE *);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

	for (unsigned int i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(shell, shells[i].shell)) {
			shells[i].print(tool, f);
			return 0;
		}
	return -1;
}
