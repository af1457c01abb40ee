/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first process of the boot image: finds what the disks offer, lets one be chosen, starts it.
 *
 * All of it runs in the guest. What is on the disks is the guest's own affair: it is mounted read-only,
 * and the devices are set read-only beneath. An error is told on the console and ends the VM.
 */
#ifndef HV_BOOT_INIT_H
#define HV_BOOT_INIT_H

#include <stdbool.h>

#include "boot/bootmenu.h"
#include "boot/fsid.h"

#define DISKS_MAX	64
#define VOLUMES_MAX	128

/* A partition, a whole disk or a logical volume. */
struct volume {
	char		name[32];	/* "sda1", "dm-0" */
	char		lv[256];	/* "vg-lv" of a logical volume, else "" */
	char		lv_uuid[160];
	int		disk;		/* index in the order of controllers and units; -1: no disk */
	int		part;		/* 0: the whole disk */
	struct fsid	id;
	bool		mounted;
	int		fd;		/* of its root, while mounted */
};

struct scene {
	struct volume		volume[VOLUMES_MAX];
	int			volumes;
	char			disk[DISKS_MAX][32];
	int			disks;
	unsigned int		disks_told;	/* how many hvctl said there are; 0: not said */
	bool			ask;		/* show the menu */
	const char		*append;	/* more words for the chosen kernel */
	struct boot_files	files;
	struct boot_menu	menu;
	const char		*source;	/* the configuration that was read */
};

/* A line on the console, with the name of the boot image in front. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* modules.c: load the set @name, as scripts/boot-image has put it there. */
void modules_load(const char *name);

/* volumes.c */
void disks_wait(struct scene *s);
void volumes_find(struct scene *s);
void volumes_leave(struct scene *s);
/* What a volume is, in a line for people. */
void volume_show(const struct volume *v, char *buf, size_t len);

/* files.c: struct boot_files over the mounted volumes. */
void files_init(struct scene *s);
int file_open(const struct scene *s, const struct boot_file *f);

/* lvm.c: make the logical volumes' devices. */
void lvm_activate(void);

/* screen.c: the menu. Return: the entry chosen, *@more words added to its command line; -1: power off. */
int screen_choose(const struct boot_menu *m, int preset, char *more, size_t len);

/* start.c: load and start it. Returns only on an error, which @why tells. */
void start_plan(struct scene *s, const struct boot_plan *plan, const char *more, char *why, size_t len);

#endif
