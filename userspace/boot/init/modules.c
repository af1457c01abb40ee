// SPDX-License-Identifier: GPL-2.0-or-later
/* Kernel modules by set: /modules/SET names files of /modules in the order they are loaded. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init.h"

static void module_load(const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/modules/%.100s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
		say("cannot load the module %s: %s", name, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void modules_load(const char *name)
{
	char path[64], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/modules/%.32s", name);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		module_load(line);
	}
	if (f)
		fclose(f);
}
