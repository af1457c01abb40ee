/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the verbs of definitions share. */
#ifndef HV_HVCTL_CMD_DEF_H
#define HV_HVCTL_CMD_DEF_H

#include "hvctl/cmd.h"
#include "hvctl/def/def.h"

/*
 * Would it make a VM? Its files need not be there yet. @what: of a definition read from XML, for errors;
 * NULL: it came from the command line. Return: 0, RC_USAGE or RC_INVALID.
 */
int cmd_def_check(struct ctx *ctx, const struct def *d, const char *what);

/*
 * Keep @d, in place of the one of its name. One without a UUID gets the one it had, or a new one; another
 * UUID, or one of another VM, is refused. @fresh: there must be none of that name.
 * Return: 0, RC_BUSY, RC_HOST or RC_FAILED.
 */
int cmd_def_store(struct ctx *ctx, struct def *d, bool fresh);

/* The same for one who holds the lock: @dir is what defdir_lock() gave. */
int cmd_def_store_locked(struct ctx *ctx, int dir, struct def *d, bool fresh);

/* The options of @d and those of the command line as one line of the running verb. Return: 0 or an enum rc. */
int cmd_def_line(struct ctx *ctx, struct def *d);

/* Print the XML, with --json as "xml" beside @more (taken over, may be NULL). Return: 0 or an enum rc. */
int cmd_def_print(struct ctx *ctx, const struct def *d, json_t *more);

#endif
