// SPDX-License-Identifier: GPL-2.0-or-later
/* The user's rights and limits, and room for the lab's files. */
#include "probe.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* A VM's pinned rings and pages are accounted here; Debian's default is 8 MiB. */
#define MEMLOCK_WANTED (8ul << 20)
/* The smallest guest the README starts, and room for its VMM. */
#define CGROUP_WANTED (768ull << 20)
#define PIDS_WANTED 64
/* An unpacked kernel is 60 MiB; two of them, their initramfs and margin. */
#define CACHE_WANTED (256ull << 20)

static const char *user_name(void)
{
	struct passwd *pw = getpwuid(geteuid());

	return pw ? pw->pw_name : "this user";
}

bool probe_device(const struct doctor_place *place, struct doctor_finding *f)
{
	char path[512];

	field_path(place, path, sizeof(path), "/dev/hv");
	if (!access(path, R_OK | W_OK))
		return false;
	if (errno == ENOENT) {
		field_set(f->cause, "there is no /dev/hv: hv.ko is not loaded");
		field_set(f->remedy, "insmod hv.ko as root (modprobe hv when it is installed)");
		return true;
	}
	field_set(f->cause, "%s may not open /dev/hv", user_name());
	field_set(f->remedy, "as root: adduser %s hv, then log in again", user_name());
	return true;
}

bool probe_memlock(const struct doctor_place *place, struct doctor_finding *f)
{
	struct rlimit r;

	(void)place;
	if (getrlimit(RLIMIT_MEMLOCK, &r) || r.rlim_cur >= MEMLOCK_WANTED)
		return false;
	field_set(f->cause, "the limit on locked memory is %lu KiB, hv wants %lu",
		  (unsigned long)r.rlim_cur >> 10, MEMLOCK_WANTED >> 10);
	field_set(f->remedy, "ulimit -l %lu, or memlock in /etc/security/limits.conf",
		  MEMLOCK_WANTED >> 10);
	return true;
}

/* A limit file of one cgroup: its number, or ~0 for "max" and no file. */
static unsigned long long cgroup_limit(const struct doctor_place *place, const char *group,
				       const char *name)
{
	char path[1024], text[64];

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", group, name);
	if (!field_read(place, path, text, sizeof(text)) || !strcmp(text, "max"))
		return ~0ull;
	return strtoull(text, NULL, 10);
}

/* Every group from our own up to the root may set a limit. */
bool probe_cgroup(const struct doctor_place *place, struct doctor_finding *f)
{
	char text[512], *group, *slash;

	if (!field_read(place, "/proc/self/cgroup", text, sizeof(text)))
		return false;
	group = strstr(text, "0::/");
	if (!group)
		return false;
	for (group += 3; *group; *slash = 0) {
		unsigned long long mem = cgroup_limit(place, group, "memory.max");
		unsigned long long pids = cgroup_limit(place, group, "pids.max");

		if (mem < CGROUP_WANTED) {
			field_set(f->cause, "cgroup %s limits memory to %llu MiB", group, mem >> 20);
			field_set(f->remedy, "run in another scope: systemd-run --scope -p "
				  "MemoryMax=infinity ..., or raise memory.max");
			return true;
		}
		if (pids < PIDS_WANTED) {
			field_set(f->cause, "cgroup %s limits it to %llu processes and threads", group,
				  pids);
			field_set(f->remedy, "raise pids.max, or run in another scope (systemd-run "
				  "--scope -p TasksMax=infinity ...)");
			return true;
		}
		slash = strrchr(group, '/');
		if (slash == group)
			break;
	}
	return false;
}

bool probe_cache(const struct doctor_place *place, struct doctor_finding *f)
{
	char path[512];
	struct statvfs v;
	char *slash;

	/* A folder that is not there yet is made where its parent is. */
	snprintf(path, sizeof(path), "%s", place->cache);
	while (statvfs(path, &v)) {
		slash = strrchr(path, '/');
		if (!slash || slash == path)
			return false;
		*slash = 0;
	}
	field_set(f->remedy, "set HV_CACHE to a folder that has room and may run programs");
	if (v.f_flag & ST_NOEXEC)
		field_set(f->cause, "the cache %s is mounted noexec", place->cache);
	else if (v.f_flag & ST_RDONLY || access(path, W_OK))
		field_set(f->cause, "the cache %s cannot be written", place->cache);
	else if ((unsigned long long)v.f_bavail * v.f_frsize < CACHE_WANTED)
		field_set(f->cause, "the cache %s has %llu MiB left, the lab needs %llu",
			  place->cache, (unsigned long long)v.f_bavail * v.f_frsize >> 20,
			  CACHE_WANTED >> 20);
	else
		return false;
	return true;
}
