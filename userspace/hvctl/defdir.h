/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory of definitions: NAME.xml for each VM that is defined.
 *
 * It is $HV_CONFIG_DIR/vms; else /etc/hv/vms for root and $XDG_CONFIG_HOME/hv/vms (~/.config/hv/vms) for
 * others. A file is replaced as a whole or not at all: it is written under another name, synced, and
 * renamed.
 */
#ifndef HV_HVCTL_DEFDIR_H
#define HV_HVCTL_DEFDIR_H

#include <stdbool.h>

#include "base/err.h"
#include "hvctl/def/def.h"

#define DEFDIR_PATH_MAX 512

/* Where definitions are, in a buffer of DEFDIR_PATH_MAX. Return: 0, or RC_HOST: no home directory. */
int defdir_path(char *buf, struct err *err);

/* Is there a definition of @name? */
bool defdir_has(const char *name);

/* The text of @name (malloc()ed, with NUL). Return: 0, RC_NO_VM, RC_HOST or RC_FAILED. */
int defdir_text(const char *name, char **text, struct err *err);

/* Read and understand @name. Return: as defdir_text(), or RC_INVALID. def_free() in any case. */
int defdir_load(const char *name, struct def *d, struct err *err);

/*
 * Keep others from changing definitions until defdir_unlock(); makes the directory. Return: 0 with *@fd,
 * RC_HOST or RC_FAILED.
 */
int defdir_lock(int *fd, struct err *err);
void defdir_unlock(int fd);

/* Write or remove a definition; @dir: what defdir_lock() gave. Return: 0, RC_NO_VM or RC_HOST. */
int defdir_store(int dir, const char *name, const char *text, struct err *err);
int defdir_remove(int dir, const char *name, struct err *err);

/* The names of all definitions, sorted; rundir_names_free() frees them. Return: how many, or -1. */
int defdir_names(char ***out);

#endif
