/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs of hvctl share: exit codes, the parsed line, output. */
#ifndef HV_HVCTL_CMD_H
#define HV_HVCTL_CMD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "hvctl/opt/opt.h"

/* Exit codes; their meaning never changes. 124 and above are left to signals. */
enum rc {
	RC_OK		= 0,
	RC_FAILED	= 1,
	RC_USAGE	= 2,
	RC_NO_VM	= 3,
	RC_STATE	= 4,
	RC_UNSUPPORTED	= 5,
	RC_BUSY		= 6,
	RC_INVALID	= 7,
	RC_HOST		= 8,
	RC_TIMEOUT	= 9,
	RC_CANCELLED	= 10,
	RC_NO_BOOT	= 11,
};

/* "schema_version" of everything printed with --json; raised when a field changes its meaning. */
#define JSON_SCHEMA 1

struct ctx {
	const struct opt_tool	*tool;
	struct opt_line		line;
	bool			json, quiet;
	struct err		err;
	int			status;		/* exit code when the verb returns 0 (run --exit-with-guest) */
};

/* A verb. Return: 0, or an enum rc with ctx->err filled in. */
typedef int (*cmd_fn)(struct ctx *ctx);

extern const struct opt_tool hvctl_tool;
const char *rc_name(int rc);		/* "no-such-vm", ... for the JSON form of an error */

int cmd_run(struct ctx *ctx);
int cmd_start(struct ctx *ctx);
int cmd_create(struct ctx *ctx);
int cmd_define(struct ctx *ctx);
int cmd_edit(struct ctx *ctx);
int cmd_undefine(struct ctx *ctx);
int cmd_dumpxml(struct ctx *ctx);
int cmd_set(struct ctx *ctx);
int cmd_autostart(struct ctx *ctx);
int cmd_list(struct ctx *ctx);
int cmd_show(struct ctx *ctx);
int cmd_stats(struct ctx *ctx);
int cmd_top(struct ctx *ctx);
int cmd_trace(struct ctx *ctx);
int cmd_logs(struct ctx *ctx);
int cmd_console(struct ctx *ctx);
int cmd_pause(struct ctx *ctx);
int cmd_resume(struct ctx *ctx);
int cmd_reset(struct ctx *ctx);
int cmd_stop(struct ctx *ctx);
int cmd_kill(struct ctx *ctx);
int cmd_wait(struct ctx *ctx);
int cmd_events(struct ctx *ctx);
int cmd_disk(struct ctx *ctx);
int cmd_kvp(struct ctx *ctx);
int cmd_link(struct ctx *ctx);
int cmd_save(struct ctx *ctx);
int cmd_restore(struct ctx *ctx);
int cmd_managedsave(struct ctx *ctx);
int cmd_doctor(struct ctx *ctx);
int cmd_version(struct ctx *ctx);
int cmd_completion(struct ctx *ctx);
int cmd_help(struct ctx *ctx);
int cmd_man(struct ctx *ctx);

/* --- output */

/*
 * Print @doc (an object; taken over, NULL for no memory) with "schema_version" in front, on one line
 * when @compact. Return: 0 or RC_FAILED.
 */
int out_json(struct ctx *ctx, json_t *doc, bool compact);
/* Flush stdout; a full disk or closed pipe is an error. Return: 0 or RC_FAILED. */
int out_end(struct ctx *ctx);
/* The error as text on stderr and, with --json, as an object on stdout. */
void out_error(const struct ctx *ctx);

enum out_colour { OUT_PLAIN, OUT_GREEN, OUT_YELLOW, OUT_RED };
/* Escape sequence to start a colour on stdout, "" when that is no terminal or NO_COLOR is set. */
const char *out_colour(enum out_colour c);

/*
 * A table, as wide as its contents. Rows are arrays of @ncols strings; the last column is not padded
 * and, on a terminal, cut at its width. @colour: of column @colour_col in each row, or NULL.
 */
struct out_table {
	const char *const	*heads;
	unsigned int		ncols, nrows;
	const char		**cells;	/* nrows * ncols */
	unsigned int		colour_col;
	const enum out_colour	*colour;	/* nrows, or NULL */
};
void out_table(const struct out_table *t);

#endif
