// SPDX-License-Identifier: LGPL-2.1-or-later
/* Data moved by the library itself. */
#include <errno.h>
#include <string.h>

#include "disk.h"

#define PIECES 16

/* A place in somebody's iovec. */
struct cursor {
	const struct iovec	*iov;
	int			nr;
	size_t			done;		/* of the first one */
};

/* Up to PIECES pieces of at most @len bytes from here on. Return: how many. */
static int cursor_pieces(const struct cursor *c, struct iovec *out, uint64_t len)
{
	size_t skip = c->done;
	int i, n = 0;

	for (i = 0; i < c->nr && n < PIECES && len; i++, skip = 0) {
		size_t part = c->iov[i].iov_len - skip;

		if (part > len)
			part = len;
		if (!part)
			continue;
		out[n++] = (struct iovec){ (char *)c->iov[i].iov_base + skip, part };
		len -= part;
	}
	return n;
}

static void cursor_move(struct cursor *c, uint64_t len)
{
	while (len && c->nr) {
		size_t left = c->iov->iov_len - c->done;

		if (len < left) {
			c->done += len;
			return;
		}
		len -= left;
		c->iov++;
		c->nr--;
		c->done = 0;
	}
}

static int move_zeros(struct cursor *c, uint64_t len)
{
	struct iovec piece[PIECES];

	while (len) {
		int i, n = cursor_pieces(c, piece, len);

		if (!n)
			return -EINVAL;
		for (i = 0; i < n; i++) {
			memset(piece[i].iov_base, 0, piece[i].iov_len);
			cursor_move(c, piece[i].iov_len);
			len -= piece[i].iov_len;
		}
	}
	return 0;
}

static int move_file(struct vhd *d, struct cursor *c, enum vhd_dir dir, uint64_t offset, uint64_t len)
{
	struct iovec piece[PIECES];

	while (len) {
		int n = cursor_pieces(c, piece, len);
		ssize_t moved;

		if (!n)
			return -EINVAL;
		moved = dir == VHD_READ ? d->ops.preadv(d->ctx, piece, n, offset)
					: d->ops.pwritev(d->ctx, piece, n, offset);
		if (moved <= 0)
			return moved ? moved : -EIO;
		cursor_move(c, moved);
		offset += moved;
		len -= moved;
	}
	return 0;
}

static int transfer(struct vhd *d, uint64_t sector, struct cursor c, uint64_t bytes, enum vhd_dir dir)
{
	uint64_t left = bytes / VHD_SECTOR;
	struct vhd_map m;
	uint32_t i;
	int err;

	if (!bytes || bytes % VHD_SECTOR)
		return -EINVAL;
	/* All or nothing as to the range: a write never begins that must end in an error. */
	if (sector >= d->sectors || left > d->sectors - sector)
		return -ERANGE;
	for (; left; sector += m.count, left -= m.count) {
		err = vhd_map(d, sector, left, dir, 0, &m);
		if (err)
			return err;
		for (i = 0; !err && i < m.nr; i++)
			err = m.ext[i].kind == VHD_EXT_ZERO ? move_zeros(&c, m.ext[i].len) :
			      move_file(d, &c, dir, m.ext[i].offset, m.ext[i].len);
		err = vhd_map_done(d, &m, err ? err : (int64_t)(m.count * VHD_SECTOR), 0);
		if (err)
			return err;
	}
	return 0;
}

int vhd_read(struct vhd *d, uint64_t sector, const struct iovec *iov, int nr, uint64_t bytes)
{
	return transfer(d, sector, (struct cursor){ iov, nr, 0 }, bytes, VHD_READ);
}

int vhd_write(struct vhd *d, uint64_t sector, const struct iovec *iov, int nr, uint64_t bytes)
{
	return transfer(d, sector, (struct cursor){ iov, nr, 0 }, bytes, VHD_WRITE);
}

int vhd_status(struct vhd *d, uint64_t sector, uint64_t count, uint64_t *run)
{
	uint64_t end = sector + count;
	int kind = -1, err;
	struct vhd_map m;
	uint32_t i;

	*run = 0;
	do {
		err = vhd_map(d, sector, end - sector, VHD_READ, 0, &m);
		if (err)
			return *run ? kind == VHD_EXT_FILE : err;
		vhd_map_done(d, &m, m.count * VHD_SECTOR, 0);
		if (kind < 0)
			kind = m.ext[0].kind;
		for (i = 0; i < m.nr; i++) {
			if ((int)m.ext[i].kind != kind)
				return kind == VHD_EXT_FILE;
			*run += m.ext[i].len / VHD_SECTOR;
		}
		sector += m.count;
	} while (sector < end);
	return kind == VHD_EXT_FILE;
}
