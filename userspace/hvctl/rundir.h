/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The run directory: which VMs there are.
 *
 * A VM named n has three files in it: n.lock, held with flock() by the VM process as long as it lives;
 * n.sock, its control socket; n.log, its log, which stays after the end. A lock nobody holds means that
 * the VM is gone, however it ended, so whoever sees one removes it and the socket.
 *
 * New VMs go to the first of these that is there or can be made: $HV_RUNTIME_DIR, $XDG_RUNTIME_DIR/hv,
 * /run/hv, /tmp/hv-UID. Names are looked for in all of them.
 */
#ifndef HV_HVCTL_RUNDIR_H
#define HV_HVCTL_RUNDIR_H

#include <stdbool.h>

#include "base/err.h"

#define RUNDIR_PATH_MAX	96	/* a socket's path must fit in sun_path with its name */
#define RUNDIRS_MAX	4

struct rundirs {
	char		path[RUNDIRS_MAX][RUNDIR_PATH_MAX];
	unsigned int	n;
};

/* The candidates, in order. Only $HV_RUNTIME_DIR if that is set. */
void rundirs_find(struct rundirs *d);

/* What belongs to a VM that is being started: its descriptors keep the name taken. */
struct rundir_vm {
	int	dir;		/* the directory */
	int	lock, sock, log;	/* sock is bound, not yet listening; -1: not open */
	char	name[64];
	char	path[RUNDIR_PATH_MAX];	/* of the directory */
};

/*
 * Take the name @name (NULL: the first free one of vm1, vm2, ...), bind its socket and open its log.
 * @told: set if another directory than the usual one had to serve.
 * Return: 0, RC_BUSY (a VM of that name is there), RC_HOST (no directory), RC_USAGE (bad name).
 */
int rundir_claim(struct rundir_vm *vm, const char *name, bool *told, struct err *err);
/* Give the name back and close everything; the log stays unless @drop_log. Takes no lock away from a VM. */
void rundir_release(struct rundir_vm *vm, bool drop_log);

/* The calling process is the VM: write its number into the lock file. Return: 0 or RC_HOST. */
int rundir_own(struct rundir_vm *vm, struct err *err);
/* Close the descriptors only: the files belong to a child now. */
void rundir_forget(struct rundir_vm *vm);

bool rundir_name_ok(const char *name);

/*
 * Connect to the control socket of @name. @dir_out: the directory it is in, may be NULL.
 * Return: 0 with *@fd, else RC_NO_VM, RC_HOST (permission) or RC_FAILED.
 */
int rundir_connect(const char *name, int *fd, char *dir_out, struct err *err);

/* Open the log of @name, running or not. Return: 0 with *@fd, or RC_NO_VM. */
int rundir_log(const char *name, int *fd, struct err *err);

/* Does a VM hold @name? Removes what a dead one left behind. */
bool rundir_alive(const char *name);

/*
 * Wait until nobody holds @name any more, at most @ms. A dying process closes its socket a moment before
 * its lock. Return: true if it is gone.
 */
bool rundir_await_end(const char *name, int ms);

/*
 * The process that holds @name, by its own word in the lock file, if that process belongs to the owner
 * of the file. Return: 0 if it cannot be told.
 */
int rundir_pid(const char *name);

/* The names of all VMs, sorted, each malloc()ed, in a malloc()ed array. Return: how many, or -1. */
int rundir_names(char ***out);
void rundir_names_free(char **names, int n);

#endif
