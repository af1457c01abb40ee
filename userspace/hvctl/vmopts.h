/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of run and start as a struct vmm_config. */
#ifndef HV_HVCTL_VMOPTS_H
#define HV_HVCTL_VMOPTS_H

#include "hvctl/cmd.h"
#include "vmm/config.h"

struct vmopts {
	struct vmm_config	cfg;
	/* What the strings of @cfg point to. */
	char			append[VMM_CMDLINE_MAX + 1];
	char			boot[2048];	/* the boot image's command line */
	char			kernel[VMM_PATH_MAX + 1], initrd[VMM_PATH_MAX + 1], serial[VMM_PATH_MAX + 1];
	char			cpu_off[512];
	char			*disk[VMM_DISKS_MAX];
	char			net[VMM_NETS_MAX][VMM_NET_TO_MAX + 1];
	const char		*name;		/* as given, or NULL */
	bool			sized;		/* --memory said a size, not only the rest */
	bool			unseen;		/* set by the caller: files need not be there yet */
};

/*
 * Fill in @o from the line. The name in the configuration is left to the caller.
 * @serial: where the serial port goes unless --serial says otherwise.
 * Return: 0, RC_USAGE or RC_INVALID. The disks' paths stay allocated for the life of the program.
 */
int vmopts_parse(struct ctx *ctx, struct vmopts *o, enum vmm_serial serial);

/* netopts.c: the --net options. Return: 0, RC_USAGE or RC_INVALID. */
int netopts_parse(struct ctx *ctx, struct vmopts *o);

/*
 * A disk's place: "scsi", "scsi1", "scsi:3" or "scsi1:3"; @unit -1: not said. Return: 0 or RC_USAGE.
 */
int vmopts_place(struct ctx *ctx, const char *text, uint8_t *controller, int *unit);

/* @path as an absolute one in @buf of VMM_PATH_MAX + 1 bytes. Return: 0 or an enum rc. */
int vmopts_absolute(struct ctx *ctx, const char *path, char *buf);

#endif
