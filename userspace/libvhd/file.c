// SPDX-License-Identifier: LGPL-2.1-or-later
/* Access to the file below: ordinary files, and whole transfers over any operations. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

struct file {
	int	fd;		/* buffered; holds the lock */
	int	data;		/* what vhd_fd() is: fd, or a second one with O_DIRECT */
};

static ssize_t fd_preadv(void *ctx, const struct iovec *iov, int nr, uint64_t offset)
{
	const struct file *f = ctx;
	ssize_t n;

	do {
		n = preadv(f->fd, iov, nr, offset);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static ssize_t fd_pwritev(void *ctx, const struct iovec *iov, int nr, uint64_t offset)
{
	const struct file *f = ctx;
	ssize_t n;

	do {
		n = pwritev(f->fd, iov, nr, offset);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int fd_datasync(void *ctx)
{
	const struct file *f = ctx;

	return fdatasync(f->fd) ? -errno : 0;
}

static int fd_truncate(void *ctx, uint64_t size)
{
	const struct file *f = ctx;

	return ftruncate(f->fd, size) ? -errno : 0;
}

static int fd_punch(void *ctx, uint64_t offset, uint64_t len)
{
	const struct file *f = ctx;

	if (!fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len))
		return 0;
	return errno == ENOSYS || errno == ENODEV ? -EOPNOTSUPP : -errno;
}

static int fd_size(void *ctx, uint64_t *bytes)
{
	const struct file *f = ctx;
	struct stat st;

	if (fstat(f->fd, &st))
		return -errno;
	*bytes = st.st_size;
	/* A VMM's sandbox has no ioctl for this; the file offset is nobody's. */
	if (S_ISBLK(st.st_mode)) {
		off_t end = lseek(f->fd, 0, SEEK_END);

		if (end < 0)
			return -errno;
		*bytes = end;
	}
	return 0;
}

static int fd_fd(void *ctx)
{
	return ((const struct file *)ctx)->data;
}

static void fd_close(void *ctx)
{
	struct file *f = ctx;

	if (f->data != f->fd)
		close(f->data);
	close(f->fd);
	free(f);
}

const struct vhd_io_ops vhd_file_ops = {
	.preadv = fd_preadv,
	.pwritev = fd_pwritev,
	.datasync = fd_datasync,
	.truncate = fd_truncate,
	.punch = fd_punch,
	.size = fd_size,
	.fd = fd_fd,
	.close = fd_close,
};

static int file_new(void **ctx, int fd, int data)
{
	struct file *f = malloc(sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->fd = fd;
	f->data = data;
	*ctx = f;
	return 0;
}

static int kind_check(int fd, const char *name, struct vhd_err *e)
{
	struct stat st;

	if (!fstat(fd, &st) && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return 0;
	return vhd_fail(e, name, -EINVAL, VHD_NOWHERE, "is neither a file nor a block device");
}

/*
 * O_NONBLOCK keeps open() from waiting for the other end of a FIFO. In I/O it would make io_uring give
 * -EAGAIN, again and again, where the file system cannot do without waiting.
 */
static int may_wait(int fd)
{
	int mode = fcntl(fd, F_GETFL);

	if (mode < 0 || (mode & O_NONBLOCK && fcntl(fd, F_SETFL, mode & ~O_NONBLOCK)))
		return -errno;
	return 0;
}

/* Where the data is read and written: @fd, or with O_DIRECT its own. */
static int data_open(int *data, int fd, const char *path, int mode, bool direct, struct vhd_err *e)
{
	int err;

	if (direct) {
		*data = open(path, mode | O_DIRECT);
		if (*data < 0)
			return vhd_fail(e, path, -errno, VHD_NOWHERE,
					"cannot be opened around the page cache: %s", strerror(errno));
	}
	err = may_wait(fd);
	if (!err && direct)
		err = may_wait(*data);
	if (err)
		vhd_fail(e, path, err, VHD_NOWHERE, "cannot be made to wait: %s", strerror(-err));
	return err;
}

int vhd_file_open(void **ctx, const char *path, uint32_t flags, struct vhd_err *e)
{
	bool write = !(flags & VHD_OPEN_RDONLY);
	int mode = (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, mode), data = fd, err;

	if (fd < 0) {
		err = -errno;
		return vhd_fail(e, path, err, VHD_NOWHERE, "cannot be opened for %s: %s",
				write ? "writing" : "reading", strerror(-err));
	}
	err = kind_check(fd, path, e);
	if (!err && !(flags & VHD_OPEN_NOLOCK))
		err = vhd_lock(fd, path, write, true, e);
	if (!err)
		err = data_open(&data, fd, path, mode, flags & VHD_OPEN_DIRECT, e);
	if (!err) {
		err = file_new(ctx, fd, data);
		if (err)
			vhd_fail(e, path, err, VHD_NOWHERE, "no memory");
	}
	if (err) {
		if (data >= 0 && data != fd)
			close(data);
		close(fd);
	}
	return err;
}

/* An O_PATH descriptor has an access mode, too: nothing can be done with it. */
static bool access_enough(int fd, bool write)
{
	int mode = fcntl(fd, F_GETFL);

	if (mode < 0 || mode & O_PATH)
		return false;
	if (write)
		return (mode & O_ACCMODE) == O_RDWR && !(mode & O_APPEND);
	return (mode & O_ACCMODE) != O_WRONLY;
}

int vhd_file_adopt(void **ctx, int fd, const char *name, uint32_t flags, struct vhd_err *e)
{
	bool write = !(flags & VHD_OPEN_RDONLY);
	int err = kind_check(fd, name, e);

	if (!err && flags & VHD_OPEN_DIRECT)
		err = vhd_fail(e, name, -EINVAL, VHD_NOWHERE, "is open: nothing can go around the page cache");
	if (!err && !access_enough(fd, write))
		err = vhd_fail(e, name, -EBADF, VHD_NOWHERE, "is not open for %s",
			       write ? "reading and writing" : "reading");
	if (!err) {
		err = may_wait(fd);
		if (err)
			vhd_fail(e, name, err, VHD_NOWHERE, "cannot be made to wait: %s", strerror(-err));
	}
	if (!err && !(flags & VHD_OPEN_NOLOCK))
		err = vhd_lock(fd, name, write, false, e);
	if (!err) {
		err = file_new(ctx, fd, fd);
		if (err)
			vhd_fail(e, name, err, VHD_NOWHERE, "no memory");
	}
	if (err)
		close(fd);
	return err;
}

int vhd_file_create(void **ctx, const char *path, struct vhd_err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0666), err;

	if (fd < 0)
		return vhd_fail(e, path, -errno, VHD_NOWHERE, "cannot be created: %s", strerror(errno));
	err = vhd_lock(fd, path, true, true, e);
	if (!err) {
		err = file_new(ctx, fd, fd);
		if (err)
			vhd_fail(e, path, err, VHD_NOWHERE, "no memory");
	}
	if (err) {
		close(fd);
		unlink(path);
	}
	return err;
}

int file_read(const struct vhd_io_ops *ops, void *ctx, uint64_t offset, void *buf, size_t len)
{
	struct iovec iov = { buf, len };

	while (iov.iov_len) {
		ssize_t n = ops->preadv(ctx, &iov, 1, offset);

		if (n <= 0)
			return n ? n : -EIO;
		offset += n;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= n;
	}
	return 0;
}

int file_write(const struct vhd_io_ops *ops, void *ctx, uint64_t offset, const void *buf, size_t len)
{
	struct iovec iov = { (void *)buf, len };

	while (iov.iov_len) {
		ssize_t n = ops->pwritev(ctx, &iov, 1, offset);

		if (n <= 0)
			return n ? n : -EIO;
		offset += n;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= n;
	}
	return 0;
}

int file_zero(const struct vhd_io_ops *ops, void *ctx, uint64_t offset, uint64_t len)
{
	static const uint8_t zeros[65536];

	while (len) {
		size_t part = len < sizeof(zeros) ? len : sizeof(zeros);
		int err = file_write(ops, ctx, offset, zeros, part);

		if (err)
			return err;
		offset += part;
		len -= part;
	}
	return 0;
}

int disk_sync(struct vhd *d)
{
	int err = sync_enter(d, true);

	if (err)
		return err;
	err = d->ops.datasync(d->ctx);
	sync_leave(d, err);
	return err;
}

int disk_still_whole(struct vhd *d)
{
	/* Before the size: the file may grow between the two, and file_end with it. */
	uint64_t least = __atomic_load_n(&d->file_end, __ATOMIC_ACQUIRE), size;
	int err = d->ops.size(d->ctx, &size);

	if (!err && size < least)
		err = -EIO;
	if (err)
		__atomic_store_n(&d->failed, true, __ATOMIC_RELEASE);
	return err;
}
