/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files with saved VMs, as hvctl looks at them. */
#ifndef HV_HVCTL_CMD_SAVE_H
#define HV_HVCTL_CMD_SAVE_H

#include "hvctl/cmd.h"
#include "hvctl/cmd_run.h"
#include "hvctl/defdir.h"
#include "libstate/state.h"
#include "vmm/config.h"

/* What is wrong with the file @path. Return: an enum rc. */
int state_error(struct ctx *ctx, const char *path, const struct state_err *e);
/* The configuration in the file; its strings lie in @text, VMM_TEXT_MAX + 1 bytes. Return: 0 or an enum rc. */
int state_config(struct ctx *ctx, const char *path, const struct state_file *f, struct vmm_config *cfg, char *text);

/* Save @name to @path, in place of an older save if @replace, and end it. Return: 0 or an enum rc. */
int save_vm(struct ctx *ctx, const char *name, const char *path, bool replace);

/*
 * The configuration and the descriptor of the file @path into @s; the path and the configuration's strings stay.
 * Return: 0 or an enum rc.
 */
int restore_prepare(struct ctx *ctx, const char *path, struct vm_start *s);

/* ---- cmd_managedsave.c */

#define MANAGED_PATH_MAX (DEFDIR_PATH_MAX + 80)

/* Is there a state that start VM would go on from? */
bool managed_has(const char *name);
/* Return: 0, RC_INVALID: there is none, or RC_HOST. */
int managed_remove(const char *name, struct err *err);
/* start VM, of one that managed_has(). Return: 0 or an enum rc. */
int managed_start(struct ctx *ctx, struct vm_start *s);

#endif
