// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Where new blocks go.
 *
 * The file grows first: a footer is written behind room for many blocks and synced, so that the room is
 * a hole, on disk, before any table entry can point into it. Old footers stay where they are, between
 * blocks; nothing is ever written over the one that ends the file. A block that was given back may be
 * used again only after a flush that began when its table entry was clear already, or else two
 * entries might name it after a power cut.
 */
#include <errno.h>
#include <stdlib.h>

#include "disk.h"

int block_take(struct vhd *d, uint32_t block, bool alone)
{
	uint64_t w;
	int err = 0;

	pthread_mutex_lock(&d->lock);
	w = word_get(d, block);
	do {
		if (w & WORD_BUSY)
			err = -EAGAIN;
		else if (alone && w & WORD_HOLDS)
			err = -EBUSY;
	} while (!err && !__atomic_compare_exchange_n(&d->word[block], &w, w | WORD_BUSY, false,
						      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
	pthread_mutex_unlock(&d->lock);
	return err;
}

void block_release(struct vhd *d, uint32_t block, uint32_t sector, bool full)
{
	uint64_t w, to;

	pthread_mutex_lock(&d->lock);
	w = word_get(d, block);
	do {
		to = (w & WORD_HOLDS) | sector | (full ? WORD_FULL : 0);
	} while (!__atomic_compare_exchange_n(&d->word[block], &w, to, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_ACQUIRE));
	pthread_cond_broadcast(&d->wake);
	pthread_mutex_unlock(&d->lock);
}

void block_wait(struct vhd *d, uint32_t block)
{
	pthread_mutex_lock(&d->lock);
	while (word_get(d, block) & WORD_BUSY)
		pthread_cond_wait(&d->wake, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

int slots_add(struct slots *s, uint32_t sector, int64_t after)
{
	if (s->nr == s->room) {
		uint32_t room = s->room ? s->room * 2 : 16;
		struct slot *slot = realloc(s->slot, room * sizeof(*slot));

		if (!slot)
			return -ENOMEM;
		s->slot = slot;
		s->room = room;
	}
	s->slot[s->nr++] = (struct slot){ sector, after };
	return 0;
}

static uint64_t span(const struct vhd *d)
{
	return (uint64_t)d->bitmap_bytes + d->block_size;
}

/* The first place at or after @at where the data of a block would be aligned. */
static uint64_t slot_at(const struct vhd *d, uint64_t at)
{
	return round_up(at + d->bitmap_bytes, d->slot_align) - d->bitmap_bytes;
}

/* (L) */
static bool slot_get(struct vhd *d, uint32_t *sector)
{
	if (d->free.nr) {
		*sector = d->free.slot[--d->free.nr].sector;
		return true;
	}
	if (d->next + span(d) > d->limit)
		return false;
	*sector = d->next / VHD_SECTOR;
	d->used_end = d->next + span(d);
	d->grown = true;
	d->next = slot_at(d, d->used_end);
	return true;
}

/* Room for @blocks behind the end of the file: hole and footer, on disk when this returns. */
static int grow_by(struct vhd *d, uint64_t end, uint32_t blocks, uint64_t *next, uint64_t *limit)
{
	uint64_t first = slot_at(d, end), stop;
	int err;

	stop = first + (blocks - 1) * round_up(span(d), d->slot_align) + span(d);
	if (stop / VHD_SECTOR >= BAT_FREE)
		return -EFBIG;
	err = file_write(&d->ops, d->ctx, stop, d->raw_footer, FOOTER_BYTES);
	if (err)
		return err;
	__atomic_store_n(&d->file_end, stop + FOOTER_BYTES, __ATOMIC_RELEASE);
	err = disk_sync(d);
	*next = first;
	*limit = stop;
	return err;
}

static int grow(struct vhd *d, uint64_t *next, uint64_t *limit)
{
	uint32_t left = d->blocks - __atomic_load_n(&d->allocated, __ATOMIC_RELAXED);
	uint32_t want = d->reserve < left ? d->reserve : left;
	uint64_t end;
	int err = disk_still_whole(d);

	if (!err)
		err = d->ops.size(d->ctx, &end);
	if (err)
		return err;
	if (!want)
		want = 1;
	err = grow_by(d, end, want, next, limit);
	if (want > 1 && (err == -ENOSPC || err == -EDQUOT || err == -EFBIG))
		err = grow_by(d, end, 1, next, limit);
	return err;
}

/* (L) Grow with the lock dropped. Others wait for it. */
static int grow_locked(struct vhd *d)
{
	uint64_t next = 0, limit = 0;
	int err;

	d->growing = true;
	pthread_mutex_unlock(&d->lock);
	err = grow(d, &next, &limit);
	pthread_mutex_lock(&d->lock);
	d->growing = false;
	if (!err) {
		d->next = next;
		d->limit = limit;
	}
	pthread_cond_broadcast(&d->wake);
	return err;
}

/* (L) Find room and make @block BUSY; *sector is 0 if somebody else has allocated it. */
static int slot_take(struct vhd *d, uint32_t block, uint32_t flags, uint32_t *sector)
{
	for (;;) {
		uint64_t w = word_get(d, block);
		int err;

		*sector = 0;
		if (WORD_SECTOR(w) && !(w & WORD_BUSY))
			return 0;
		if (!(w & WORD_BUSY) && slot_get(d, sector)) {
			__atomic_fetch_or(&d->word[block], WORD_BUSY, __ATOMIC_ACQ_REL);
			return 0;
		}
		if (flags & VHD_NOWAIT)
			return -EAGAIN;
		if (w & WORD_BUSY || d->growing) {
			pthread_cond_wait(&d->wake, &d->lock);
			continue;
		}
		err = grow_locked(d);
		if (err)
			return err;
	}
}

/* The two writes. A table entry whose write failed may be on disk all the same: its place is not used again. */
static int block_write(struct vhd *d, uint32_t block, uint32_t sector)
{
	int err = file_write(&d->ops, d->ctx, (uint64_t)sector * VHD_SECTOR, d->ones, d->bitmap_bytes);

	if (!err)
		return bat_write(d, block, sector);
	pthread_mutex_lock(&d->lock);
	slots_add(&d->free, sector, 0);		/* without memory it is lost until a compaction */
	pthread_mutex_unlock(&d->lock);
	return err;
}

int alloc_block(struct vhd *d, uint32_t block, uint32_t flags)
{
	uint32_t sector;
	int err;

	pthread_mutex_lock(&d->lock);
	err = slot_take(d, block, flags, &sector);
	pthread_mutex_unlock(&d->lock);
	if (err || !sector)
		return err;
	err = block_write(d, block, sector);
	if (!err)
		__atomic_fetch_add(&d->allocated, 1, __ATOMIC_RELAXED);
	block_release(d, block, err ? 0 : sector, !err);
	return err;
}

int alloc_trim(struct vhd *d)
{
	int err = 0;

	if (__atomic_load_n(&d->file_end, __ATOMIC_ACQUIRE) <= d->used_end + FOOTER_BYTES)
		return 0;
	/* A block stands behind the footer that ended the file: a new one first. */
	if (d->grown) {
		err = file_write(&d->ops, d->ctx, d->used_end, d->raw_footer, FOOTER_BYTES);
		if (!err)
			err = disk_sync(d);
		if (err)
			return err;
		d->used_end += FOOTER_BYTES;
		d->grown = false;
	}
	err = d->ops.truncate(d->ctx, d->used_end);
	if (err)
		return err;
	__atomic_store_n(&d->file_end, d->used_end, __ATOMIC_RELEASE);
	d->next = d->limit = 0;
	return disk_sync(d);
}
