/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the reader of GRUB's configuration: tokens, the running script, commands. */
#ifndef HV_BOOT_GRUB_IMPL_H
#define HV_BOOT_GRUB_IMPL_H

#include <stdint.h>

#include "boot/grub.h"

#define GRUB_STEPS_MAX	400000		/* tokens passed over and variables put, in all */
#define GRUB_NEST_MAX	48		/* blocks in blocks, sources in sources */
#define GRUB_ARGS_MAX	64
#define GRUB_VARS_MAX	512
#define GRUB_WORD_MAX	4096		/* bytes of an expanded word */

enum grub_kind { GRUB_WORD, GRUB_SEP, GRUB_OPEN, GRUB_CLOSE, GRUB_END };

struct grub_token {
	enum grub_kind	kind;
	const char	*text;		/* as written, quotes and all; not ended by a NUL */
	uint32_t	len;
};

/* A file taken apart; ends with GRUB_END. */
struct grub_script {
	struct grub_token	*token;
	uint32_t		tokens;
};

/* A part of a script: a function, or the body of an entry. */
struct grub_range {
	const struct grub_script *script;
	uint32_t		first, end;	/* the CLOSE */
	const char		*name;		/* of a function */
	struct grub_range	*next;
	unsigned int		args;		/* of an entry: $1, $2, ... */
	const char		**arg;
};

struct grub_var {
	const char	*name, *value;
};

enum grub_flow { GRUB_GO, GRUB_BREAK, GRUB_CONTINUE, GRUB_RETURN, GRUB_STOP };

struct grub_run {
	struct boot_menu	*menu;
	struct boot_plan	*plan;		/* while the body of an entry runs, else NULL */
	const char		*foreign;	/* what the entry starts that is no Linux, or NULL */
	struct grub_var		var[GRUB_VARS_MAX];
	unsigned int		vars;
	struct grub_range	*functions;
	int			parent;		/* where entries go */
	const char		**arg;		/* $1 ... */
	unsigned int		args;
	enum grub_flow		flow;
	unsigned int		active;		/* loops we are in, of this function */
	unsigned int		loops;		/* break and continue: how many are left to leave */
	int			status;		/* $? */
	uint32_t		steps, nest;
	const char		*wrong;		/* why it stopped, or NULL */
};

/* grub_lex.c: NULL when memory is out. @text lives as long as the script. */
struct grub_script *grub_lex(struct arena *a, const char *text, size_t len);

/* grub_run.c */
void grub_stop(struct grub_run *r, const char *why);
const char *grub_get(const struct grub_run *r, const char *name, size_t len);
void grub_set(struct grub_run *r, const char *name, const char *value);
void grub_unset(struct grub_run *r, const char *name);
/* Run a file's script in @r. Return: 0, or -1 when it cannot be read. */
int grub_source(struct grub_run *r, const char *path);
/* A path as GRUB writes it, "(hd0,gpt2)/boot/x" or "/boot/x". Return: 0, or -1. */
int grub_path(const struct grub_run *r, const char *text, struct boot_file *out);

/* grub_cmd.c: the arguments are expanded; arg[0] is the command. Return: its status, 0 is true. */
int grub_command(struct grub_run *r, unsigned int args, const char **arg);
/* "menuentry" and "submenu". @body is from the arena. */
void grub_entry(struct grub_run *r, unsigned int args, const char **arg, struct grub_range *body);

/* grub_search.c */
int grub_cmd_search(struct grub_run *r, unsigned int args, const char **arg);
int grub_cmd_probe(struct grub_run *r, unsigned int args, const char **arg);

/* grub_test.c: "test" and "[". Return: 0 true, 1 false. */
int grub_cmd_test(struct grub_run *r, unsigned int args, const char **arg);

/* grub_env.c: "load_env". */
int grub_cmd_load_env(struct grub_run *r, unsigned int args, const char **arg);

#endif
