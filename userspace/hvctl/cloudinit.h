/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --cloud-init: a NoCloud seed on a DVD drive. */
#ifndef HV_HVCTL_CLOUDINIT_H
#define HV_HVCTL_CLOUDINIT_H

#include "hvctl/vmopts.h"

/*
 * Read what --cloud-init names and make a seed of it, in memory. @path, of 64 bytes, becomes a name under
 * which this process and its children can open it; "" when there is no such option. Return: 0 or an enum rc.
 */
int cloudinit_seed(struct ctx *ctx, const struct vmopts *o, char *path);

#endif
