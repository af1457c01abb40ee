// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Bitmaps of blocks: a sector whose bit is clear reads as zeros, whatever is in its place.
 *
 * Blocks that are allocated here have all bits set from the start. Others' blocks may not, and neither may
 * ours after a crash that kept the table entry and lost the bitmap. A block's bitmap is read when
 * the block is first used; one that is all ones is never looked at again, the others are kept, a few at a
 * time, until a write makes them all ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

static bool bit_get(const uint8_t *bits, uint32_t i)
{
	return bits[i / 8] & 0x80 >> i % 8;
}

/* (L) */
static struct bitmap *bitmap_find(struct vhd *d, uint32_t block)
{
	unsigned int i;

	for (i = 0; i < BITMAPS_KEPT; i++) {
		if (d->kept[i].used && d->kept[i].block == block) {
			d->kept[i].used = ++d->clock;
			return &d->kept[i];
		}
	}
	return NULL;
}

/* (L) Takes @bits. */
static void bitmap_keep(struct vhd *d, uint32_t block, uint8_t *bits)
{
	struct bitmap *b = &d->kept[0];
	unsigned int i;

	for (i = 1; i < BITMAPS_KEPT; i++)
		if (d->kept[i].used < b->used)
			b = &d->kept[i];
	free(b->bits);
	b->bits = bits;
	b->block = block;
	b->used = ++d->clock;
}

void bitmap_forget(struct vhd *d, uint32_t block)
{
	struct bitmap *b;

	pthread_mutex_lock(&d->lock);
	b = bitmap_find(d, block);
	if (b)
		b->used = 0;
	pthread_mutex_unlock(&d->lock);
}

int bitmap_run(struct vhd *d, uint32_t block, uint32_t first, uint32_t most, uint32_t *run, bool *set)
{
	const struct bitmap *b;
	uint32_t n = 1;

	pthread_mutex_lock(&d->lock);
	b = bitmap_find(d, block);
	if (b) {
		*set = bit_get(b->bits, first);
		while (n < most && bit_get(b->bits, first + n) == *set)
			n++;
		*run = n;
	}
	pthread_mutex_unlock(&d->lock);
	return b ? 0 : -EAGAIN;
}

int bitmap_load(struct vhd *d, uint32_t block)
{
	uint32_t sector;
	uint8_t *bits;
	bool full;
	int err;

	err = block_take(d, block, false);
	if (err) {
		block_wait(d, block);
		return 0;
	}
	sector = WORD_SECTOR(word_get(d, block));
	if (!sector) {
		block_release(d, block, 0, false);
		return 0;
	}
	bits = malloc(d->bitmap_bytes);
	err = bits ? file_read(&d->ops, d->ctx, (uint64_t)sector * VHD_SECTOR, bits, d->bitmap_bytes) : -ENOMEM;
	full = !err && !memcmp(bits, d->ones, block_sectors(d) / 8);
	if (!err && !full) {
		pthread_mutex_lock(&d->lock);
		bitmap_keep(d, block, bits);
		pthread_mutex_unlock(&d->lock);
		bits = NULL;
	}
	free(bits);
	block_release(d, block, sector, full);
	return err;
}

static int part_clear(struct vhd *d, uint64_t at, uint32_t len, uint8_t *buf, bool *dirty)
{
	uint32_t done, part, i;
	int err = 0;

	for (done = 0; !err && done < len; done += part) {
		part = len - done < 65536 ? len - done : 65536;
		err = file_read(&d->ops, d->ctx, at + done, buf, part);
		for (i = 0; !err && i < part && !buf[i]; i++)
			;
		if (!err && i < part) {
			err = file_zero(&d->ops, d->ctx, at + done, part);
			*dirty = true;
		}
	}
	return err;
}

/* Zeros where @bits are clear; *dirty if that needed a write. */
static int clear_rest(struct vhd *d, uint32_t sector, const uint8_t *bits, bool *dirty)
{
	uint8_t *buf = malloc(65536);
	uint32_t i, n, all = block_sectors(d);
	int err = buf ? 0 : -ENOMEM;

	for (i = 0; !err && i < all; i += n) {
		for (n = 1; i + n < all && bit_get(bits, i + n) == bit_get(bits, i); n++)
			;
		if (!bit_get(bits, i))
			err = part_clear(d, data_at(d, sector) + (uint64_t)i * VHD_SECTOR, n * VHD_SECTOR, buf,
					 dirty);
	}
	free(buf);
	return err;
}

int bitmap_fill(struct vhd *d, uint32_t block)
{
	bool full = false, dirty = false;
	uint32_t sector;
	uint8_t *bits;
	uint64_t word;
	int err;

	err = block_take(d, block, false);
	if (err) {
		block_wait(d, block);
		return 0;
	}
	word = word_get(d, block);
	sector = WORD_SECTOR(word);
	if (!sector || word & WORD_FULL) {
		block_release(d, block, sector, word & WORD_FULL);
		return 0;
	}
	bits = malloc(d->bitmap_bytes);
	err = bits ? file_read(&d->ops, d->ctx, (uint64_t)sector * VHD_SECTOR, bits, d->bitmap_bytes) : -ENOMEM;
	if (!err && memcmp(bits, d->ones, block_sectors(d) / 8)) {
		err = clear_rest(d, sector, bits, &dirty);
		/*
		 * The bits must not reach the disk before the zeros they uncover. Not even after an error may
		 * zeros stay unsynced: the next try would find them and take them for what is on disk. A sync
		 * that failed has left such zeros somewhere.
		 */
		if (dirty) {
			int sync = disk_sync(d);

			err = err ? err : sync;
		}
		if (!err && __atomic_load_n(&d->failed, __ATOMIC_ACQUIRE))
			err = -EIO;
		if (!err)
			err = file_write(&d->ops, d->ctx, (uint64_t)sector * VHD_SECTOR, d->ones,
					 d->bitmap_bytes);
		bitmap_forget(d, block);
	}
	full = !err;
	free(bits);
	block_release(d, block, sector, full);
	return err;
}
