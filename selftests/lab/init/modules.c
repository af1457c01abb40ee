// SPDX-License-Identifier: GPL-2.0-or-later
/* Loading and unloading kernel modules by path. */
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int module_load(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, params, 0))
		ret = -errno;
	close(fd);
	return ret == -EEXIST ? 0 : ret;
}

int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

bool module_loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return !access(path, F_OK);
}

/* A file of module paths, one a line, in the order to load them. */
int modules_load_list(const char *list)
{
	FILE *f = fopen(list, "re");
	char line[256];
	int ret = 0;

	if (!f)
		return -errno;
	while (!ret && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		ret = module_load(line, "");
		if (ret)
			channel_log("cannot load %s: %s", line, strerror(-ret));
	}
	fclose(f);
	return ret;
}
