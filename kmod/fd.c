// SPDX-License-Identifier: GPL-2.0-only
/*
 * Anonymous-inode fds for VMs and vCPUs.
 *
 * A published fd can be closed by another thread at once, so publishing is the last thing
 * a call does: by then its results have been copied out and nothing can fail. Each file
 * holds a reference on the module (fops.owner), which is what refuses an unload.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include "fd.h"

int hv_newfd_create(struct hv_newfd *n, const char *name, const struct file_operations *fops,
		    void *obj, void (*done)(void *obj))
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, obj, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	n->file = file;
	n->fd = fd;
	n->done = done;
	n->obj = obj;
	return 0;
}

int hv_newfd_publish(struct hv_newfd *n)
{
	if (n->done)
		n->done(n->obj);
	fd_install(n->fd, n->file);
	return n->fd;
}

void hv_newfd_abort(struct hv_newfd *n)
{
	put_unused_fd(n->fd);
	fput(n->file);
}
