// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A lab VM runs no udev: this gives /dev/hv the owner and mode that
 * debian/hv.udev gives it elsewhere, whenever the module is loaded.
 */
#include "lab.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define NODE "/dev/hv"

int devnode_watch(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -errno;
	}
	return fd;
}

/* Group numbers come from the file: a static program has no NSS. */
static gid_t group_hv(void)
{
	FILE *f = fopen("/etc/group", "re");
	char line[1024];
	unsigned int gid = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "hv:%*[^:]:%u", &gid) == 1)
			break;
	if (f)
		fclose(f);
	return gid;
}

void devnode_settle(void)
{
	struct stat st;

	if (stat(NODE, &st))
		return;
	if (chown(NODE, 0, group_hv()) || chmod(NODE, 0660))
		channel_log("cannot set the owner of " NODE ": %s", strerror(errno));
}

void devnode_event(int fd)
{
	char buf[4096];
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf) - 1, 0)) > 0) {
		buf[n] = 0;
		if (!strncmp(buf, "add@", 4) && strstr(buf, "/misc/hv"))
			devnode_settle();
	}
}
