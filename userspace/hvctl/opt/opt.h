/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines from one table: the parser, the help, the man page and the shells' completion all
 * read the same struct opt_tool, so that none of them can know a verb or an option the others do not.
 * Nothing in here knows what the verbs do.
 */
#ifndef HV_HVCTL_OPT_H
#define HV_HVCTL_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum opt_kind {
	OPT_FLAG,		/* takes no value */
	OPT_STR,
	OPT_STRS,		/* of a key: it may be given several times */
	OPT_FILE,		/* a path; completed as one, not opened here */
	OPT_UINT,		/* text_uint() */
	OPT_SIZE,		/* text_size() */
	OPT_DURATION,		/* text_duration() */
	OPT_WORD,		/* one of a list */
	OPT_KEYS,		/* key=value,key=value; the first may be the bare value of the first key */
};

/* One key of a key list. */
struct opt_key {
	const char		*name;		/* NULL ends the array */
	enum opt_kind		kind;		/* not OPT_KEYS; OPT_FLAG: "key" alone, or key=on|off */
	const char		*arg;		/* placeholder in the help */
	const char		*help;
	const char *const	*words;		/* OPT_WORD: NULL-terminated */
};

struct opt {
	const char		*name;		/* without "--"; NULL ends the array */
	char			letter;		/* short form or 0 */
	enum opt_kind		kind;
	bool			repeat;		/* may be given several times; else the last one counts */
	const char		*arg;		/* placeholder, NULL for a flag */
	const char		*help;		/* one line, no capital, no full stop */
	const char *const	*words;		/* OPT_WORD: NULL-terminated */
	const struct opt_key	*keys;		/* OPT_KEYS */
};

/* What the words after the verb are. */
enum opt_args {
	OPT_ARGS_NONE,
	OPT_ARGS_VM,		/* names of VMs */
	OPT_ARGS_WORD,		/* one of cmd->words */
	OPT_ARGS_CMD,		/* a verb */
};

#define OPT_GROUPS 4

struct opt_cmd {
	const char		*name;
	const char		*args;		/* as shown in the synopsis, or NULL */
	enum opt_args		arg_kind;
	unsigned char		arg_min, arg_max;	/* arg_max 255: any number */
	bool			hidden;		/* works, but is neither listed nor completed */
	const char		*help;		/* one line */
	const char		*text;		/* paragraphs for the man page and `help VERB`, '\n' between */
	const char		*example;	/* one line, or NULL */
	const char *const	*words;		/* OPT_ARGS_WORD */
	const struct opt	*opts[OPT_GROUPS];	/* arrays; unused ones NULL */
	const void		*run;		/* for the owner of the table */
};

/* A line of a plain list in the man page: exit codes, environment, files. */
struct opt_note {
	const char		*term;		/* NULL ends the array */
	const char		*text;
};

struct opt_tool {
	const char		*name;
	const char		*version;
	const char		*help;		/* one line */
	const char		*text;		/* paragraphs */
	const struct opt_cmd	*cmds;		/* ends with name == NULL */
	const struct opt	*common;	/* options of every verb, also allowed before it */
	const struct opt_note	*exits, *environment, *files;
	const char		*list_cmd;	/* prints the names of OPT_ARGS_VM, one a line */
	int			usage_code;	/* err->code of everything wrong on the line */
};

#define OPT_HITS_MAX	128
#define OPT_WORDS_MAX	16

struct opt_hit {
	const struct opt	*opt;
	const char		*value;		/* NULL for a flag */
};

/* A parsed command line. The strings are those of argv. */
struct opt_line {
	const struct opt_cmd	*cmd;
	struct opt_hit		hit[OPT_HITS_MAX];
	unsigned int		hits;
	const char		*arg[OPT_WORDS_MAX];
	unsigned int		args;
	bool			help;		/* --help, or no verb at all: nothing else was checked */
	const struct opt	*help_keys;	/* "help" stood in this option's key list */
};

/*
 * Parse @argv into @line and check every value against its kind. Options and arguments may be mixed,
 * "--" ends the options. Return: 0 or tool->usage_code with @err filled in. What was read before an
 * error stays in @line, so that the caller knows whether --json was among it.
 */
int opt_parse(const struct opt_tool *tool, int argc, char *const *argv, struct opt_line *line,
	      struct err *err);

const struct opt_cmd *opt_cmd_find(const struct opt_tool *tool, const char *name);
/* Is the option on the line? */
bool opt_has(const struct opt_line *line, const char *name);
/* The value given last, or NULL. */
const char *opt_value(const struct opt_line *line, const char *name);
/* The next value of a repeated option; start with *@at = 0. NULL: no more. */
const char *opt_next(const struct opt_line *line, const char *name, unsigned int *at);

/* Check @value against @kind. @what names the option or key in the error. */
int opt_check(const struct opt_tool *tool, enum opt_kind kind, const char *const *words,
	      const char *what, const char *value, struct err *err);

/* A key list taken apart. */
#define OPT_KEYS_MAX	16
#define OPT_KEYS_TEXT	4352

struct opt_keys {
	struct {
		const struct opt_key	*key;
		const char		*value;
	} kv[OPT_KEYS_MAX];
	unsigned int	n;
	bool		help;			/* the word "help" stood in it */
	char		text[OPT_KEYS_TEXT];	/* what the values point into */
};

/*
 * Take @value of @opt apart; ",," stands for one comma inside a value. Each key at most once, but for OPT_STRS.
 * Return: 0 or tool->usage_code.
 */
int opt_keys_parse(const struct opt_tool *tool, const struct opt *opt, const char *value,
		   struct opt_keys *keys, struct err *err);
/* The value of @name or NULL. */
const char *opt_keys_value(const struct opt_keys *keys, const char *name);

void opt_help_tool(const struct opt_tool *tool, FILE *f);
void opt_help_cmd(const struct opt_tool *tool, const struct opt_cmd *cmd, FILE *f);
void opt_help_keys(const struct opt *opt, FILE *f);
/* The synopsis of one verb on one line, without newline. */
void opt_synopsis(const struct opt_tool *tool, const struct opt_cmd *cmd, FILE *f);

/* man(7) source of the whole tool. */
void opt_man(const struct opt_tool *tool, FILE *f);
/* Return: 0, or -1 for an unknown shell ("bash", "zsh", "fish"). */
int opt_completion(const struct opt_tool *tool, const char *shell, FILE *f);

#endif
