/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two halves of hvctl disk: images, and the disks of a running VM. */
#ifndef HV_HVCTL_CMD_DISK_H
#define HV_HVCTL_CMD_DISK_H

#include "hvctl/cmd.h"

#define DISK_PATIENCE_MS 30000	/* for a detach, which waits for the guest's commands */

struct vhd_err;

/* @e as the error of the line. Return: its enum rc. */
int disk_failed(struct ctx *ctx, const struct vhd_err *e);

/* cmd_disk_vm.c: operations on the VM that is the line's second word. */
int disk_attach(struct ctx *ctx);
int disk_detach(struct ctx *ctx);
int disk_insert(struct ctx *ctx);
int disk_eject(struct ctx *ctx);

#endif
