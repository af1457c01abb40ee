/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB's configuration: its script language as far as grub-mkconfig, distributions and people use it
 * (GNU GRUB manual 2.06, chapters 6 "Writing your own configuration file" and 16 "Available commands").
 *
 * The script is run, not searched: what it sets, tests and sources decides what is in the menu. It can
 * read files and set variables, nothing else; it has a limited number of steps and of memory.
 */
#ifndef HV_BOOT_GRUB_H
#define HV_BOOT_GRUB_H

#include "boot/bootmenu.h"

/*
 * Run the grub.cfg @path of file system @fs and add its entries to @m, its default, its timeout.
 * Return: 0, or -1 when it cannot be read. A script that is wrong ends there; what it added stays, and
 * m->note tells.
 */
int grub_read(struct boot_menu *m, int fs, const char *path);

/* Run the body of an entry. Return: 0, or -1 with plan->why. For menu_plan(). */
int grub_plan(struct boot_menu *m, unsigned int nr, struct boot_plan *plan);

#endif
