/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a disk's own configuration offers to boot.
 *
 * Runs in the guest, in the boot image. The readers (grub.h, bls.h, extlinux.h) add entries; the
 * image shows them or takes the default, makes the plan of one, and starts it. Nothing here touches a
 * device: files are asked for through struct boot_files, so tests and the fuzzer give them from memory.
 */
#ifndef HV_BOOT_BOOTMENU_H
#define HV_BOOT_BOOTMENU_H

#include <stdbool.h>
#include <stddef.h>

#include "boot/arena.h"

#define BOOT_FILE_MAX	(1u << 20)	/* bytes of a configuration file */
#define BOOT_PATH_MAX	1024
#define BOOT_CMDLINE_MAX 2048		/* with the NUL: COMMAND_LINE_SIZE of Linux on x86 */
#define BOOT_ENTRIES_MAX 256
#define BOOT_INITRDS_MAX 16
#define BOOT_DEPTH_MAX	8		/* submenus in submenus */
#define BOOT_ARENA_MAX	(24u << 20)

enum boot_search { BOOT_BY_UUID, BOOT_BY_LABEL, BOOT_BY_FILE };
enum boot_stat { BOOT_NONE, BOOT_EMPTY, BOOT_FILE, BOOT_DIR };

/* The file systems that were found; they are numbered from 0. Any call may be made any number of times. */
struct boot_files {
	void	*ctx;
	/* The one GRUB calls @name ("hd0,gpt2", "lvm/vg-root"), or -1. */
	int	(*device)(void *ctx, const char *name);
	/* The one with this UUID, label or file, or -1. */
	int	(*search)(void *ctx, enum boot_search how, const char *what);
	/* A whole file of at most BOOT_FILE_MAX bytes, with a NUL behind, from @a; NULL: none. */
	char	*(*read)(void *ctx, int fs, const char *path, struct arena *a, size_t *len);
	enum boot_stat (*stat)(void *ctx, int fs, const char *path);
	/* Calls @each with the names in a directory until it returns non-zero. */
	void	(*list)(void *ctx, int fs, const char *path, int (*each)(void *, const char *), void *arg);
};

struct boot_file {
	int		fs;
	char		path[BOOT_PATH_MAX];
};

/* What to load. */
struct boot_plan {
	struct boot_file	kernel, initrd[BOOT_INITRDS_MAX];
	unsigned int		initrds;
	char			cmdline[BOOT_CMDLINE_MAX];
	char			why[256];	/* when it cannot be made: what the entry wants */
};

struct boot_entry {
	const char	*title, *id;		/* id: "" when it has none */
	int		parent;			/* the submenu it is in, or -1 */
	unsigned int	depth;
	bool		submenu;
	/* Of the readers. */
	const char	*version, *sort_key, *machine;	/* BLS */
	bool		spent;				/* BLS: no tries left */
	const struct boot_plan *plan;		/* BLS, extlinux: made already */
	const void	*body;			/* GRUB: what it runs */
};

struct boot_menu {
	struct arena		arena;
	const struct boot_files	*files;
	struct boot_entry	entry[BOOT_ENTRIES_MAX];
	unsigned int		entries;
	const char		*wanted;	/* the default as the configuration says it, or NULL */
	int			timeout;	/* seconds; -1: wait for ever, or not said */
	const char		*note;		/* something the user should know, or NULL */
	void			*grub;		/* state of grub_run.c */
};

void menu_init(struct boot_menu *m, const struct boot_files *files);
void menu_free(struct boot_menu *m);

/* The new entry, zeroed but for title, id and parent; NULL when there is no room. The strings are copied. */
struct boot_entry *menu_add(struct boot_menu *m, int parent, const char *title, const char *id);

/*
 * The entry that boots when nobody chooses: menu->wanted is a number, an identifier or a title, with '>'
 * between the levels of submenus, as GRUB has it. A default that is not there is the first entry that
 * is no submenu. Return: its index, or -1 when there is none at all.
 */
int menu_default(const struct boot_menu *m);

/* What entry @nr loads. Return: 0, or -1 with plan->why. */
int menu_plan(struct boot_menu *m, unsigned int nr, struct boot_plan *plan);

/* Add @path of @fs to @f, "." and ".." taken out; -1 when it is too long. */
int boot_file_set(struct boot_file *f, int fs, const char *path);

#endif
