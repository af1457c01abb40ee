// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sectors that shall read as zeros, and space that goes back to the file system. */
#include <errno.h>

#include "disk.h"

int disk_punch(struct vhd *d, uint64_t offset, uint64_t len)
{
	int err;

	if (!__atomic_load_n(&d->no_punch, __ATOMIC_RELAXED)) {
		err = d->ops.punch(d->ctx, offset, len);
		if (err != -EOPNOTSUPP)
			return err;
		__atomic_store_n(&d->no_punch, true, __ATOMIC_RELAXED);
	}
	return file_zero(&d->ops, d->ctx, offset, len);
}

static int zero_file(struct vhd *d, uint64_t offset, uint64_t len, uint32_t flags)
{
	return flags & VHD_ZERO_UNMAP ? disk_punch(d, offset, len) : file_zero(&d->ops, d->ctx, offset, len);
}

/*
 * Give a whole block back. It is emptied first: if its table entry outlives a power cut, it reads as
 * zeros all the same. When the entry's write fails nobody knows what is on disk, so the place is not used again,
 * and either reading of the entry is right.
 */
static int block_free(struct vhd *d, uint32_t block)
{
	uint64_t w;
	uint32_t sector;
	int err = block_take(d, block, true);

	if (err)
		return err;
	w = word_get(d, block);
	sector = WORD_SECTOR(w);
	if (!sector) {
		block_release(d, block, 0, false);
		return 0;
	}
	err = d->ops.punch(d->ctx, (uint64_t)sector * VHD_SECTOR, (uint64_t)d->bitmap_bytes + d->block_size);
	if (err) {
		if (err == -EOPNOTSUPP)
			__atomic_store_n(&d->no_punch, true, __ATOMIC_RELAXED);
		else
			bitmap_forget(d, block);
		/* Some of the bitmap may be gone: it is read again before it is trusted. */
		block_release(d, block, sector, err == -EOPNOTSUPP && w & WORD_FULL);
		return err;
	}
	bitmap_forget(d, block);
	err = bat_write(d, block, BAT_FREE);
	if (!err) {
		int64_t after = __atomic_load_n(&d->flushes, __ATOMIC_ACQUIRE);

		pthread_mutex_lock(&d->lock);
		slots_add(&d->held, sector, after);
		__atomic_store_n(&d->held_nr, d->held.nr, __ATOMIC_RELEASE);
		pthread_mutex_unlock(&d->lock);
	}
	__atomic_fetch_sub(&d->allocated, 1, __ATOMIC_RELAXED);
	block_release(d, block, 0, false);
	return err;
}

/* In its place; the hold keeps it there. */
static int zero_held(struct vhd *d, uint32_t block, uint32_t first, uint32_t n, uint32_t flags, bool *again)
{
	uint64_t w = __atomic_fetch_add(&d->word[block], WORD_HOLD, __ATOMIC_ACQ_REL);
	int err = 0;

	*again = w & WORD_BUSY || (WORD_SECTOR(w) && !(w & WORD_FULL));
	if (!*again && WORD_SECTOR(w))
		err = zero_file(d, data_at(d, WORD_SECTOR(w)) + (uint64_t)first * VHD_SECTOR,
				(uint64_t)n * VHD_SECTOR, flags);
	__atomic_fetch_sub(&d->word[block], WORD_HOLD, __ATOMIC_RELEASE);
	return err;
}

static int zero_block(struct vhd *d, uint32_t block, uint32_t first, uint32_t n, bool whole, uint32_t flags)
{
	bool again = true;
	int err = 0;

	while (again) {
		uint64_t w = word_get(d, block);

		if (!WORD_SECTOR(w) && !(w & WORD_BUSY))
			return 0;
		if (flags & VHD_NOWAIT)
			return -EAGAIN;
		if (w & WORD_BUSY) {
			block_wait(d, block);
			continue;
		}
		if (whole && flags & VHD_ZERO_UNMAP && !__atomic_load_n(&d->no_punch, __ATOMIC_RELAXED)) {
			err = block_free(d, block);
			if (err == -EAGAIN || err == -EOPNOTSUPP)
				continue;
			if (err != -EBUSY)
				return err;
		}
		err = w & WORD_FULL ? 0 : bitmap_fill(d, block);
		if (!err)
			err = zero_held(d, block, first, n, flags, &again);
		if (err)
			return err;
	}
	return 0;
}

int vhd_zero(struct vhd *d, uint64_t sector, uint64_t count, uint32_t flags)
{
	uint64_t end = sector + count;

	if (!count || sector >= d->sectors || count > d->sectors - sector)
		return -ERANGE;
	if (d->readonly)
		return -EROFS;
	if (d->format != VHD_DYNAMIC) {
		if (flags & VHD_NOWAIT)
			return -EAGAIN;
		return zero_file(d, sector * VHD_SECTOR, count * VHD_SECTOR, flags);
	}
	while (sector < end) {
		uint32_t first = sector & (block_sectors(d) - 1), n = block_sectors(d) - first;
		bool whole;
		int err;

		if (n > end - sector)
			n = end - sector;
		/* The last block may reach beyond the disk. */
		whole = !first && (n == block_sectors(d) || sector + n == d->sectors);
		err = zero_block(d, block_of(d, sector), first, n, whole, flags);
		if (err)
			return err;
		sector += n;
	}
	return 0;
}
