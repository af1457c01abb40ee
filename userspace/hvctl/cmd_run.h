/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a configuration to a VM's process, for run, start and restore. */
#ifndef HV_HVCTL_CMD_RUN_H
#define HV_HVCTL_CMD_RUN_H

#include "hvctl/cmd.h"
#include "hvctl/rundir.h"
#include "vmm/config.h"

/* What a VM begins with. */
struct vm_start {
	struct vmm_config	cfg;
	struct rundir_vm	vm;
	int			state;		/* file to go on from, or -1 */
	const char		*state_path;
	bool			state_force, state_eager, state_other;
};

/* Take the name @name (NULL: any) for the VM. Return: 0 or an enum rc. */
int vm_claim(struct ctx *ctx, struct vm_start *s, const char *name);
/* Be the VM, in the foreground; or have a child be it. Return: 0 or an enum rc. */
int vm_run(struct ctx *ctx, struct vm_start *s);
int vm_background(struct ctx *ctx, struct vm_start *s);

#endif
