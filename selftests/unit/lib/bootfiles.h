/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks for the readers of boot configuration: files from a table, in memory. Header only. */
#ifndef SELFTESTS_UNIT_BOOTFILES_H
#define SELFTESTS_UNIT_BOOTFILES_H

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "boot/bootmenu.h"

struct bootfile {
	int		fs;
	const char	*path, *text;
	size_t		len;		/* 0: up to the NUL */
};

struct bootfiles {
	const struct bootfile	*file;
	unsigned int		files;
	/* Of each file system, in order: its UUID or label, and what GRUB calls its device. */
	const char		*const *uuid, *const *label, *const *device;
	int			fses;
};

static const struct bootfile *bootfiles_find(const struct bootfiles *b, int fs, const char *path)
{
	for (unsigned int i = 0; i < b->files; i++)
		if (b->file[i].fs == fs && !strcmp(b->file[i].path, path))
			return &b->file[i];
	return NULL;
}

static char *bootfiles_read(void *ctx, int fs, const char *path, struct arena *a, size_t *len)
{
	const struct bootfile *f = bootfiles_find(ctx, fs, path);

	if (!f)
		return NULL;
	*len = f->len ? f->len : strlen(f->text);
	return arena_text(a, f->text, *len);
}

static enum boot_stat bootfiles_stat(void *ctx, int fs, const char *path)
{
	const struct bootfiles *b = ctx;
	const struct bootfile *f = bootfiles_find(ctx, fs, path);
	size_t n = strlen(path);

	if (f)
		return f->len || *f->text ? BOOT_FILE : BOOT_EMPTY;
	for (unsigned int i = 0; i < b->files; i++)
		if (b->file[i].fs == fs && !strncmp(b->file[i].path, path, n) && b->file[i].path[n] == '/')
			return BOOT_DIR;
	return BOOT_NONE;
}

static void bootfiles_list(void *ctx, int fs, const char *path, int (*each)(void *, const char *), void *arg)
{
	const struct bootfiles *b = ctx;
	size_t n = strlen(path);

	for (unsigned int i = 0; i < b->files; i++)
		if (b->file[i].fs == fs && !strncmp(b->file[i].path, path, n) && b->file[i].path[n] == '/' &&
		    !strchr(b->file[i].path + n + 1, '/') && each(arg, b->file[i].path + n + 1))
			return;
}

static int bootfiles_index(const char *const *names, int n, const char *name)
{
	for (int i = 0; names && i < n; i++)
		if (names[i] && !strcasecmp(names[i], name))
			return i;
	return -1;
}

static int bootfiles_search(void *ctx, enum boot_search how, const char *what)
{
	const struct bootfiles *b = ctx;

	if (how != BOOT_BY_FILE)
		return bootfiles_index(how == BOOT_BY_UUID ? b->uuid : b->label, b->fses, what);
	for (int i = 0; i < b->fses; i++)
		if (bootfiles_stat(ctx, i, what) != BOOT_NONE)
			return i;
	return -1;
}

static int bootfiles_device(void *ctx, const char *name)
{
	const struct bootfiles *b = ctx;

	return bootfiles_index(b->device, b->fses, name);
}

static inline struct boot_files bootfiles_of(struct bootfiles *b)
{
	return (struct boot_files){
		.ctx = b, .device = bootfiles_device, .search = bootfiles_search, .read = bootfiles_read,
		.stat = bootfiles_stat, .list = bootfiles_list,
	};
}

#endif
