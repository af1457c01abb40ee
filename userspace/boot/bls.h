/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boot Loader Specification, type 1: a file for each entry (uapi-group.org, version 1). */
#ifndef HV_BOOT_BLS_H
#define HV_BOOT_BLS_H

#include "boot/bootmenu.h"

/* Variables that an entry's options may name, as Fedora's do; NULL: none, '$' is itself. */
struct bls_vars {
	const char	*(*get)(void *ctx, const char *name, size_t len);
	void		*ctx;
};

/*
 * Add the entries of the files *.conf in @path of @fs to @m, newest first, and take the default and the
 * timeout of ../loader.conf. Return: 0, or -1 when there is none.
 */
int bls_read(struct boot_menu *m, int fs, const char *path, const struct bls_vars *vars);

/* strverscmp() as the specification has it: '~' is before the end, '-' before '^', both before '.'. */
int bls_version_compare(const char *a, const char *b);

#endif
