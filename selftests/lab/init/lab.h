/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LAB_H
#define LAB_H

/*
 * The first process of the lab VM (L1).
 *
 * It speaks with scripts/lab over one virtio-serial port that no other
 * process can open while it holds it. Each frame is one type byte, a 32-bit
 * little-endian length and that many bytes:
 *
 *	to L1	R  run: NUL-terminated id, working folder, number of
 *		   environment strings, those, then the command
 *		K  kill the command that runs: its time is up
 *		Q  quit: power off
 *	to host	r  ready: NUL-terminated kernel release, errno of loading hv.ko
 *		O  output, E  error output of the command
 *		X  the command ended: NUL-terminated wait status (as a shell
 *		   gives it), 1 if it was killed as told, the kernel's taint
 *		   mask, milliseconds it ran by our own clock
 *		L  a line of our own about trouble in the lab
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LAB_FRAME_MAX	65536

/* channel.c */
int channel_open(void);
int channel_send(char type, const void *data, size_t len);
int channel_read(char *type, char *buf, size_t *len);
void channel_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* mounts.c */
int mounts_early(void);
int mounts_root(const char *tree);
int mounts_fresh_tmp(const char *tree);

/* modules.c: 0 or a negative errno */
int module_load(const char *path, const char *params);
int module_unload(const char *name);
bool module_loaded(const char *name);
int modules_load_list(const char *list);

/* beat.c: after channel_open() */
void beat_start(void);

/* spare.c: the caller's later children run on the other CPUs */
void spare_leave(void);

/* symbols.c */
int symbols_save(const char *tree, const char *release);
void symbols_hv(char *buf, size_t size);

/* devnode.c: what the udev rule does */
int devnode_watch(void);
void devnode_event(int fd);
void devnode_settle(void);

/* run.c */
struct lab_run {
	const char *id;
	const char *cwd;
	char **env;
	char **argv;
};

struct lab_fds {
	int port;		/* to the host */
	int uevent;		/* of devnode.c */
};

struct lab_end {
	int status;		/* as a shell gives it: 128 + n for signal n */
	bool timed_out;
};

int run_parse(char *buf, size_t len, struct lab_run *run);
int run_command(const struct lab_run *run, const struct lab_fds *lab, struct lab_end *end);
int run_shell(const char *tty, const char *script, const char *cwd);

#endif
