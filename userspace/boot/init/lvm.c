// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Logical volumes, by Debian's own lvm(8): it alone knows all its metadata can say. The devices beneath
 * are read-only, so the volumes must be, too.
 */
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define LVM "/sbin/lvm"
#define QUIET "devices{use_devicesfile=0} activation{udev_sync=0 udev_rules=0 monitoring=0} backup{backup=0 archive=0}"

/* @out: what it prints goes there; NULL: nowhere. Return: its exit status, or -1. */
static int lvm_run(char *const argv[], char *out, size_t len)
{
	static char *const env[] = { "PATH=/sbin:/bin", "LVM_SUPPRESS_FD_WARNINGS=1", NULL };
	posix_spawn_file_actions_t acts;
	int p[2], status = -1;
	char rest[256];
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe(p))
		return -1;
	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_adddup2(&acts, p[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclose(&acts, p[0]);
	posix_spawn_file_actions_addclose(&acts, p[1]);
	if (posix_spawn(&pid, LVM, &acts, NULL, argv, env))
		pid = -1;
	posix_spawn_file_actions_destroy(&acts);
	close(p[1]);
	while (pid > 0 && out && n + 1 < len && (got = read(p[0], out + n, len - 1 - n)) > 0)
		n += (size_t)got;
	if (out)
		out[n] = 0;
	/* What nobody wants is read, too: lvm would end by SIGPIPE. */
	while (pid > 0 && read(p[0], rest, sizeof(rest)) > 0)
		;
	close(p[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return status;
}

void lvm_activate(void)
{
	char groups[2048], config[4096], *save, *vg;
	char *vgs[] = { "lvm", "vgs", "--config", QUIET, "--noheadings", "-o", "vg_name", NULL };
	char *change[] = { "lvm", "vgchange", "--config", config, "-aay", "--noudevsync", NULL, NULL };

	modules_load("lvm");
	mkdir("/run/lvm", 0700);
	mkdir("/run/lock", 0700);
	mkdir("/run/lock/lvm", 0700);
	/* One group that is damaged is no reason to leave the others. */
	if (lvm_run(vgs, groups, sizeof(groups)))
		say("lvm finds fault with the volume groups");
	if (!*groups)
		say("lvm finds no volume groups, although there are physical volumes");
	for (vg = strtok_r(groups, " \n", &save); vg; vg = strtok_r(NULL, " \n", &save)) {
		if (strpbrk(vg, "\"\\{}"))
			continue;
		snprintf(config, sizeof(config), "%s activation{read_only_volume_list=[\"%s\"]}", QUIET, vg);
		change[6] = vg;
		if (lvm_run(change, NULL, 0))
			say("not all volumes of the group %s could be activated", vg);
	}
}
