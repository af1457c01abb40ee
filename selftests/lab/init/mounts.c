// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lab VM's file systems: the host's root read-only over 9p, the work tree
 * writable over a second one, everything a kernel or a session writes on
 * tmpfs, so that a test leaves nothing on the host but in the work tree.
 */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define P9 "trans=virtio,version=9p2000.L,msize=512000,"
#define GROUP_COPY "/run/hv-lab.group"
#define GROUP_LINE "hv:x:64000:\n"

struct lab_mount {
	const char *type, *target, *options;
	unsigned long flags;
	bool optional;		/* the kernel may lack it */
};

static const struct lab_mount early_mounts[] = {
	{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID, false },
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, false },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, false },
};

static const struct lab_mount root_mounts[] = {
	{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV, false },
	{ "tmpfs", "/tmp", "mode=1777", MS_NOSUID | MS_NODEV, false },
	{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, false },
	{ "devpts", "/dev/pts", "mode=0620,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, false },
	{ "debugfs", "/sys/kernel/debug", NULL, 0, true },
	{ "tracefs", "/sys/kernel/tracing", NULL, 0, true },
	{ "cgroup2", "/sys/fs/cgroup", NULL, 0, true },
	{ "hugetlbfs", "/dev/hugepages", NULL, 0, true },
};

static int mount_rows(const struct lab_mount *rows, size_t n, const char *root)
{
	char target[256];
	size_t i;

	for (i = 0; i < n; i++) {
		const struct lab_mount *m = &rows[i];

		snprintf(target, sizeof(target), "%s%s", root, m->target);
		mkdir(target, 0755);
		if (mount(m->type, target, m->type, m->flags, m->options) && !m->optional) {
			channel_log("cannot mount %s: %s", target, strerror(errno));
			return -errno;
		}
	}
	return 0;
}

int mounts_early(void)
{
	return mount_rows(early_mounts, sizeof(early_mounts) / sizeof(early_mounts[0]), "");
}

static void mkdirs(const char *path)
{
	char part[4096];
	char *p;

	snprintf(part, sizeof(part), "%s", path);
	for (p = part + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(part, 0755);
		*p = '/';
	}
	mkdir(part, 0755);
}

static int mount_tree(const char *tree)
{
	mkdirs(tree);
	if (!mount("hvtree", tree, "9p", MS_NODEV, P9 "cache=mmap"))
		return 0;
	channel_log("cannot mount the work tree at %s: %s", tree, strerror(errno));
	return -errno;
}

/* Group hv exists here even where the host has none yet. */
static int add_group(void)
{
	char line[1024];
	FILE *in = fopen("/etc/group", "re"), *out = fopen(GROUP_COPY, "we");
	bool have = false;
	int ret = 0;

	while (in && out && fgets(line, sizeof(line), in)) {
		have |= !strncmp(line, "hv:", 3);
		fputs(line, out);
	}
	if (out && !have)
		fputs(GROUP_LINE, out);
	if (in)
		fclose(in);
	if (!out || fclose(out))
		return -EIO;
	if (!have && mount(GROUP_COPY, "/etc/group", NULL, MS_BIND, NULL))
		ret = -errno;
	return ret;
}

static void dev_links(void)
{
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
		{ "pts/ptmx", "/dev/ptmx" },
	};
	size_t i;

	unlink("/dev/ptmx");
	for (i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) && errno != EEXIST)
			channel_log("cannot link %s: %s", links[i][1], strerror(errno));
}

/* Moves from the initramfs to the host's root. */
int mounts_root(const char *tree)
{
	static const char *const keep[] = { "/dev", "/proc", "/sys" };
	char target[64];
	size_t i;
	int ret;

	mkdir("/host", 0755);
	if (mount("hvroot", "/host", "9p", MS_RDONLY | MS_NODEV, P9 "cache=loose")) {
		ret = -errno;
		channel_log("cannot mount the host's root: %s", strerror(errno));
		return ret;
	}
	for (i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		snprintf(target, sizeof(target), "/host%s", keep[i]);
		if (mount(keep[i], target, NULL, MS_MOVE, NULL)) {
			ret = -errno;
			channel_log("cannot move %s: %s", keep[i], strerror(errno));
			return ret;
		}
	}
	if (chdir("/host") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		return -errno;
	ret = mount_rows(root_mounts, sizeof(root_mounts) / sizeof(root_mounts[0]), "");
	if (ret)
		return ret;
	dev_links();
	ret = mount_tree(tree);
	return ret ? ret : add_group();
}

static bool below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(path, dir, n) && (path[n] == '/' || !path[n]);
}

/*
 * What the last command left in /tmp and /dev/shm goes, and its runtime
 * folder; /run itself stays, the group file is mounted from it.
 */
int mounts_fresh_tmp(const char *tree)
{
	static const char *const dirs[] = { "/tmp", "/dev/shm", "/run/hv" };
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (below(tree, dirs[i]))
			continue;
		mkdir(dirs[i], 0755);
		umount2(dirs[i], MNT_DETACH);
		if (mount("tmpfs", dirs[i], "tmpfs", MS_NOSUID | MS_NODEV,
			  i == 2 ? "mode=0755" : "mode=1777"))
			return -errno;
	}
	return 0;
}
