// SPDX-License-Identifier: LGPL-2.1-or-later
/* From sectors of the disk to extents of files. */
#include <errno.h>

#include "disk.h"

/* Add to @m; extents that continue each other become one. Return: false when there is no room. */
static bool extent_add(struct vhd_map *m, enum vhd_extent_kind kind, int fd, uint64_t offset, uint64_t len)
{
	struct vhd_extent *x = m->nr ? &m->ext[m->nr - 1] : NULL;

	if (x && x->kind == kind && (kind == VHD_EXT_ZERO || x->offset + x->len == offset)) {
		x->len += len;
	} else {
		if (m->nr == VHD_MAP_EXTENTS)
			return false;
		m->ext[m->nr++] = (struct vhd_extent){ kind, fd, offset, len };
	}
	m->count += len / VHD_SECTOR;
	return true;
}

static uint64_t hold(struct vhd *d, uint32_t block)
{
	return __atomic_fetch_add(&d->word[block], WORD_HOLD, __ATOMIC_ACQ_REL);
}

static void unhold(struct vhd *d, uint32_t block)
{
	__atomic_fetch_sub(&d->word[block], WORD_HOLD, __ATOMIC_RELEASE);
}

/* Sectors of a block with a bitmap that is not all ones, for reading. -EAGAIN: it is not in memory. */
static int map_partial(struct vhd *d, struct vhd_map *m, uint32_t block, uint32_t sector, uint32_t first,
		       uint32_t n)
{
	uint64_t before = m->count;
	uint32_t run;
	bool set;

	for (; n; first += run, n -= run) {
		int err = bitmap_run(d, block, first, n, &run, &set);

		/* What is mapped of it already stays, and so does the hold. */
		if (err)
			return m->count > before ? 0 : err;
		if (!extent_add(m, set ? VHD_EXT_FILE : VHD_EXT_ZERO, set ? d->fd : -1,
				set ? data_at(d, sector) + (uint64_t)first * VHD_SECTOR : 0,
				(uint64_t)run * VHD_SECTOR))
			return 0;
	}
	return 0;
}

/* What has to happen before @block, which looked like @w, can be mapped. */
static int block_ready(struct vhd *d, uint32_t block, uint64_t w, enum vhd_dir dir, uint32_t flags)
{
	if (!(w & WORD_BUSY) && !WORD_SECTOR(w))
		return alloc_block(d, block, flags);
	if (flags & VHD_NOWAIT)
		return -EAGAIN;
	if (w & WORD_BUSY) {
		block_wait(d, block);
		return 0;
	}
	return dir == VHD_WRITE ? bitmap_fill(d, block) : bitmap_load(d, block);
}

/*
 * Map sectors @first to @first + @n of @block as far as extents are left. A hold stays if any was
 * mapped. Return: 0, or an error with nothing mapped and held.
 */
static int map_block(struct vhd *d, struct vhd_map *m, uint32_t block, uint32_t first, uint32_t n,
		     uint32_t flags)
{
	uint64_t before = m->count;
	int err = 0;

	while (!err) {
		uint64_t w = hold(d, block);

		/* One that is being allocated reads as zeros still. */
		if (m->dir == VHD_READ && !WORD_SECTOR(w)) {
			extent_add(m, VHD_EXT_ZERO, -1, 0, (uint64_t)n * VHD_SECTOR);
			break;
		}
		if (w & WORD_FULL && !(w & WORD_BUSY)) {
			extent_add(m, VHD_EXT_FILE, d->fd,
				   data_at(d, WORD_SECTOR(w)) + (uint64_t)first * VHD_SECTOR,
				   (uint64_t)n * VHD_SECTOR);
			break;
		}
		if (m->dir == VHD_READ && !(w & WORD_BUSY) &&
		    !map_partial(d, m, block, WORD_SECTOR(w), first, n))
			break;
		unhold(d, block);
		err = block_ready(d, block, w, m->dir, flags);
	}
	if (!err && m->count == before)
		unhold(d, block);
	return err;
}

int vhd_map(struct vhd *d, uint64_t sector, uint64_t count, enum vhd_dir dir, uint32_t flags, struct vhd_map *m)
{
	uint64_t end = sector + count, before;
	int err;

	if (!count || sector >= d->sectors || count > d->sectors - sector)
		return -ERANGE;
	if (dir == VHD_WRITE && d->readonly)
		return -EROFS;
	m->sector = sector;
	m->count = 0;
	m->dir = dir;
	m->nr = 0;
	if (d->format != VHD_DYNAMIC) {
		extent_add(m, VHD_EXT_FILE, d->fd, sector * VHD_SECTOR, count * VHD_SECTOR);
		return 0;
	}
	while (sector < end) {
		uint32_t first = sector & (block_sectors(d) - 1), n = block_sectors(d) - first;

		if (n > end - sector)
			n = end - sector;
		before = m->count;
		err = map_block(d, m, block_of(d, sector), first, n, flags);
		/* An error behind what is mapped comes again when that is asked for. */
		if (err)
			return m->count ? 0 : err;
		sector += n;
		if (m->count - before < n)
			break;
	}
	return 0;
}

int vhd_map_done(struct vhd *d, const struct vhd_map *m, int64_t result, uint32_t flags)
{
	(void)flags;
	if (d->format == VHD_DYNAMIC) {
		uint32_t block = block_of(d, m->sector), last = block_of(d, m->sector + m->count - 1);

		for (; block <= last; block++)
			unhold(d, block);
	}
	if (result < 0)
		return result;
	return (uint64_t)result < m->count * VHD_SECTOR ? -EIO : 0;
}
