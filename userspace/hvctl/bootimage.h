/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot image, which starts a disk's own kernel when none is given (Documentation/booting.rst). */
#ifndef HV_HVCTL_BOOTIMAGE_H
#define HV_HVCTL_BOOTIMAGE_H

#include "hvctl/vmopts.h"

/*
 * Make @o boot its disks through the boot image: kernel, initrd and command line. What --append said goes
 * to the kernel of the disk. Return: 0 or an enum rc.
 */
int bootimage_use(struct ctx *ctx, struct vmopts *o);

#endif
