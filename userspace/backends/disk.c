// SPDX-License-Identifier: GPL-2.0-or-later
/* Disk images as devices see them. */
#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "disk.h"
#include "window.h"

/* Moving data of such a file waits for no device. */
static bool file_in_memory(int fd)
{
	struct statfs fs;

	return fd >= 0 && !fstatfs(fd, &fs) && (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

/* @fd -1: open @path. */
static int open_either(struct disk **out, int fd, const char *path, unsigned int flags, struct vhd_err *e)
{
	struct vhd_open_opts opts = {
		.flags = flags & DISK_READONLY ? VHD_OPEN_RDONLY : 0,
		.format = flags & DISK_RAW ? VHD_RAW : VHD_AUTO,
	};
	struct disk *d = calloc(1, sizeof(*d));
	int ret;

	memset(e, 0, sizeof(*e));
	if (d)
		d->path = strdup(path);
	if (!d || !d->path) {
		free(d);
		if (fd >= 0)
			close(fd);
		return e->code = -ENOMEM;
	}
	d->readonly = flags & DISK_READONLY;
	ret = fd < 0 ? vhd_open(&d->vhd, path, &opts, e) : vhd_open_fd(&d->vhd, fd, path, &opts, e);
	if (ret) {
		free(d->path);
		free(d);
		return ret;
	}
	vhd_get_info(d->vhd, &d->info);
	d->in_memory = file_in_memory(vhd_fd(d->vhd));
	/* mincore(2) tells the truth only to those who may write. */
	if (d->in_memory && !d->readonly && (d->info.format == VHD_RAW || d->info.format == VHD_FIXED))
		d->window = window_create(vhd_fd(d->vhd), d->info.size);
	*out = d;
	return 0;
}

int disk_open(struct disk **out, const char *path, unsigned int flags, struct vhd_err *e)
{
	return open_either(out, -1, path, flags, e);
}

int disk_open_fd(struct disk **out, int fd, const char *name, unsigned int flags, struct vhd_err *e)
{
	return open_either(out, fd, name, flags, e);
}

int disk_close(struct disk *d, struct vhd_err *e)
{
	int ret;

	memset(e, 0, sizeof(*e));
	if (!d)
		return 0;
	window_release(d->window);
	ret = vhd_close(d->vhd, e);
	free(d->path);
	free(d);
	return ret;
}
