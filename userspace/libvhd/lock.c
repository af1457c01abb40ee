// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One writer or many readers a file, by open file description locks.
 *
 * Among ourselves one byte decides, at once. Towards QEMU we follow its convention, in which every
 * opener holds shared locks on bytes that say what it does (100 and up) and what it does not bear
 * others doing (200 and up), and then looks whether somebody holds what contradicts that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "disk.h"

#define OURS		300
#define DOES		100
#define BEARS_NOT	200
enum { BIT_READ = 0, BIT_WRITE = 1, BIT_RESIZE = 3 };

static int lock_byte(int fd, int cmd, short type, off_t byte)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	if (fcntl(fd, cmd, &fl))
		return -errno;
	return cmd == F_OFD_GETLK && fl.l_type != F_UNLCK ? -EAGAIN : 0;
}

static int lock_bytes(int fd, bool write)
{
	static const int bits[] = { BIT_READ, BIT_WRITE, BIT_RESIZE };
	int err = lock_byte(fd, F_OFD_SETLK, write ? F_WRLCK : F_RDLCK, OURS);
	unsigned int i;

	for (i = 0; !err && i < 3; i++) {
		if (write || bits[i] == BIT_READ)
			err = lock_byte(fd, F_OFD_SETLK, F_RDLCK, DOES + bits[i]);
		if (!err && bits[i] != BIT_READ)
			err = lock_byte(fd, F_OFD_SETLK, F_RDLCK, BEARS_NOT + bits[i]);
	}
	/* Own locks do not conflict, so what answers is somebody else's. */
	for (i = 0; !err && i < 3; i++) {
		if (write || bits[i] == BIT_READ)
			err = lock_byte(fd, F_OFD_GETLK, F_WRLCK, BEARS_NOT + bits[i]);
		if (!err && bits[i] != BIT_READ)
			err = lock_byte(fd, F_OFD_GETLK, F_WRLCK, DOES + bits[i]);
	}
	return err;
}

int vhd_lock(int fd, const char *path, bool write, bool look, struct vhd_err *e)
{
	/* A write lock needs a descriptor open for writing, a read lock one for reading: both are. */
	int err = lock_bytes(fd, write);
	char who[128];

	if (!err)
		return 0;
	if (err == -EAGAIN || err == -EACCES) {
		if (look && vhd_holder(fd, who, sizeof(who)))
			vhd_fail(e, path, -EBUSY, VHD_NOWHERE, "is in use by %s", who);
		else
			vhd_fail(e, path, -EBUSY, VHD_NOWHERE, "is in use by another process");
		vhd_next(e, write ? "stop its user, or use the disk read-only in both"
				  : "stop the one that writes to it");
		return -EBUSY;
	}
	/* A file system that has no locks has no other VM's lock either. */
	if (err == -ENOLCK || err == -EOPNOTSUPP || err == -ENOSYS)
		return 0;
	return vhd_fail(e, path, err, VHD_NOWHERE, "cannot be locked: %s", strerror(-err));
}
