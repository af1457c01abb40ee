// SPDX-License-Identifier: GPL-2.0-or-later
/* memgroup.c - see memgroup.h */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "memgroup.h"
#include "tap.h"

#define ROOT		"/tmp/hv_memgroup"
#define GROUP		ROOT "/group"

static void file_write(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

unsigned long memgroup_stat(const char *name)
{
	FILE *f = fopen(GROUP "/memory.stat", "r");
	size_t len = strlen(name);
	unsigned long value = 0;
	char line[256];

	if (!f)
		tap_bail("no memory.stat: %s", strerror(errno));
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, len) && line[len] == ' ')
			value = strtoul(line + len + 1, NULL, 10);
	fclose(f);
	return value;
}

void memgroup_make(void)
{
	mkdir(ROOT, 0755);
	if (mount("none", ROOT, "cgroup2", 0, NULL))
		tap_bail("cgroup2: %s", strerror(errno));
	file_write(ROOT "/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) && errno != EEXIST)
		tap_bail("no memory controller: %s", strerror(errno));
}

void memgroup_join(void)
{
	file_write(GROUP "/cgroup.procs", "0");
}

/* Statistics reach the file late: the least of some seconds. */
void memgroup_check(unsigned long bytes, unsigned int n)
{
	static const char *const rows[] = { "kernel", "shmem", "anon", "sec_pagetables", "pagetables" };
	unsigned int i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned long now, least = ~0ul;

		for (k = 0; k < 30 && least >= bytes; k++) {
			now = memgroup_stat(rows[i]);
			least = now < least ? now : least;
			usleep(200000);
		}
		tap_ok(least < bytes, "of %u killed %lu bytes of %s stay charged", n, least, rows[i]);
	}
	tap_is(rmdir(GROUP) ? -errno : 0, 0, "the group can go");
	umount(ROOT);
	rmdir(ROOT);
}
