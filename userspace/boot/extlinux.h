/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration of SYSLINUX and its kin: extlinux.conf, syslinux.cfg, isolinux.cfg. */
#ifndef HV_BOOT_EXTLINUX_H
#define HV_BOOT_EXTLINUX_H

#include "boot/bootmenu.h"

/* Add the labels of the file @path of @fs to @m. Return: 0, or -1 when it cannot be read or has none. */
int extlinux_read(struct boot_menu *m, int fs, const char *path);

#endif
