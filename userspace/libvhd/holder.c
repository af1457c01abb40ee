// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Who holds the lock of a file. The kernel does not say whose an open file description lock is, but
 * /proc shows which processes have the file open and which descriptors carry locks.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

/* The first bytes of a file of /proc/<pid>; always terminated. */
static size_t proc_read(int dir, const char *name, char *buf, size_t room)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, room - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = 0;
	return n > 0 ? n : 0;
}

static bool fd_locked(int proc, const char *nr)
{
	char name[64], info[1024];

	snprintf(name, sizeof(name), "fdinfo/%.20s", nr);
	proc_read(proc, name, info, sizeof(info));
	return strstr(info, "lock:") != NULL;
}

/* Whether the process has a descriptor of @st with a lock, other than descriptor @not. */
static bool process_holds(int proc, const struct stat *st, int not)
{
	int fds = openat(proc, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fds < 0 ? NULL : fdopendir(fds);
	struct dirent *de;
	struct stat other;
	bool found = false;

	if (!dir) {
		if (fds >= 0)
			close(fds);
		return false;
	}
	while (!found && (de = readdir(dir))) {
		if (!isdigit((unsigned char)de->d_name[0]) || atoi(de->d_name) == not)
			continue;
		found = !fstatat(fds, de->d_name, &other, 0) && other.st_dev == st->st_dev &&
			other.st_ino == st->st_ino && fd_locked(proc, de->d_name);
	}
	closedir(dir);
	return found;
}

bool vhd_holder(int fd, char *out, size_t room)
{
	DIR *dir = opendir("/proc");
	bool found = false;
	struct dirent *de;
	struct stat st;
	char comm[32];

	if (!dir || fstat(fd, &st)) {
		if (dir)
			closedir(dir);
		return false;
	}
	while (!found && (de = readdir(dir))) {
		int pid = atoi(de->d_name), proc;

		if (pid <= 0)
			continue;
		proc = openat(dirfd(dir), de->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (proc < 0)
			continue;
		found = process_holds(proc, &st, pid == getpid() ? fd : -1);
		if (found) {
			proc_read(proc, "comm", comm, sizeof(comm));
			comm[strcspn(comm, "\n")] = 0;
			snprintf(out, room, "process %d (%s)", pid, comm);
		}
		close(proc);
	}
	closedir(dir);
	return found;
}
