/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files with saved VMs, as hvctl looks at them. */
#ifndef HV_HVCTL_CMD_SAVE_H
#define HV_HVCTL_CMD_SAVE_H

#include "hvctl/cmd.h"
#include "libstate/state.h"
#include "vmm/config.h"

/* What is wrong with the file @path. Return: an enum rc. */
int state_error(struct ctx *ctx, const char *path, const struct state_err *e);
/* The configuration in the file; its strings lie in @text, VMM_TEXT_MAX + 1 bytes. Return: 0 or an enum rc. */
int state_config(struct ctx *ctx, const char *path, const struct state_file *f, struct vmm_config *cfg, char *text);

#endif
