/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An open disk, inside the library.
 *
 * Each block of a dynamic disk has one 64-bit word that says all about it, changed atomically:
 *
 *	bits  0..31	sector of its bitmap in the file; 0: not allocated
 *	bits 32..55	maps held on it
 *	bit  62		FULL: its bitmap is known to be all ones
 *	bit  63		BUSY: somebody changes it; changed with the lock held
 *
 * Whoever maps adds a hold first and looks then, so that a block without holds that was made BUSY in
 * one step stays without users until it is released.
 *
 * Letters: (L) d->lock, (a) atomic, (c) set by open and constant.
 */
#ifndef LIBVHD_DISK_H
#define LIBVHD_DISK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "footer.h"
#include "vhd.h"

#define WORD_HOLD	(1ULL << 32)
#define WORD_HOLDS	(0xffffffULL << 32)
#define WORD_FULL	(1ULL << 62)
#define WORD_BUSY	(1ULL << 63)
#define WORD_SECTOR(w)	((uint32_t)(w))

/* Entries of a table we take: 2040 GiB in blocks of 512 KiB. It bounds what a hostile file costs. */
#define BLOCKS_MAX	(2040u << 11)
#define BLOCK_MIN	4096u
#define BLOCK_MAX	(256u << 20)
#define CREATOR		"hv  "
#define BITMAPS_KEPT	32

/* A place for a block that no table entry names, and the flush that has to end before it may. */
struct slot {
	uint32_t	sector;
	int64_t		after;		/* the last flush begun when the entry was cleared */
};

struct slots {
	struct slot	*slot;
	uint32_t	nr, room;
};

/* A bitmap that is not all ones. */
struct bitmap {
	uint32_t	block;
	uint64_t	used;		/* 0: nothing is here */
	uint8_t		*bits;
};

struct vhd {
	struct vhd_io_ops ops;		/* (c) */
	void		*ctx;		/* (c) */
	char		name[256];	/* (c) */
	int		fd;		/* (c) for data, or -1 */
	enum vhd_format	format;		/* (c) */
	bool		readonly;	/* (c) */
	uint8_t		repaired;	/* (c) */
	uint64_t	sectors;	/* (c) of the disk */
	struct footer	footer;		/* (c) VHD */
	uint8_t		raw_footer[FOOTER_BYTES];	/* (c) as it is in the file */
	bool		footer_last;	/* (c) the file ended with a good footer */
	uint32_t	alignment;	/* (c) of data in the file when it was opened */
	bool		no_punch;	/* (a) the file system cannot */
	bool		failed;		/* (a) a sync failed, or the file got shorter: flushes fail */
	uint64_t	file_end;	/* (a) bytes that the file has at least */
	int64_t		flushes;	/* (a) begun */

	/* Dynamic disks. */
	uint32_t	blocks;		/* (c) */
	uint32_t	block_size;	/* (c) bytes */
	uint32_t	shift;		/* (c) log2 of sectors in a block */
	uint32_t	bitmap_bytes;	/* (c) in whole sectors */
	uint64_t	table;		/* (c) byte in the file */
	uint32_t	entries;	/* (c) of the table; the first @blocks are ours */
	uint32_t	reserve;	/* (c) blocks to grow by */
	uint32_t	slot_align;	/* (c) of a new block's data */
	uint64_t	*word;		/* (a) */
	uint8_t		*ones;		/* (c) the bitmap of a new block */
	uint32_t	allocated;	/* (a) */

	pthread_mutex_t	lock;
	pthread_cond_t	wake;		/* BUSY was cleared, or growing or a sync ended */
	bool		growing;	/* (L) */
	bool		syncing;	/* (L) from sync_enter() to sync_leave() */
	uint64_t	next, limit;	/* (L) new blocks go at @next, then further, below @limit */
	uint64_t	used_end;	/* (L) bytes of the file in use, with the footer of the start */
	bool		grown;		/* (L) a block was placed behind that footer */
	struct slots	free;		/* (L) all zeros but for the bitmap; may be used at once */
	struct slots	held;		/* (L) cleared in the table, maybe not on disk */
	uint32_t	held_nr;	/* (a) as held.nr */
	struct bitmap	kept[BITMAPS_KEPT];	/* (L) */
	uint64_t	clock;		/* (L) */
};

static inline uint64_t round_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

static inline uint64_t word_get(const struct vhd *d, uint32_t block)
{
	return __atomic_load_n(&d->word[block], __ATOMIC_ACQUIRE);
}

static inline uint32_t block_of(const struct vhd *d, uint64_t sector)
{
	return sector >> d->shift;
}

static inline uint32_t block_sectors(const struct vhd *d)
{
	return 1u << d->shift;
}

/* Where the data of a block with its bitmap at @sector begins, bytes. */
static inline uint64_t data_at(const struct vhd *d, uint32_t sector)
{
	return (uint64_t)sector * VHD_SECTOR + d->bitmap_bytes;
}

/* error.c: fill in @e (may be NULL) and return @code; the text gets the object in front. */
int vhd_fail(struct vhd_err *e, const char *object, int code, uint64_t offset, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void vhd_next(struct vhd_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* @path for a shell, in single quotes; cut at the end of @out. Return: @out. */
char *vhd_quote(char *out, size_t room, const char *path);

/* file.c: all of @len or an error; a file that ends early is -EIO. */
int file_read(const struct vhd_io_ops *ops, void *ctx, uint64_t offset, void *buf, size_t len);
int file_write(const struct vhd_io_ops *ops, void *ctx, uint64_t offset, const void *buf, size_t len);
/* Write zeros. */
int file_zero(const struct vhd_io_ops *ops, void *ctx, uint64_t offset, uint64_t len);
/* Sync for the library's own order, without the lock; a failure makes flushes and syncs fail from then on. */
int disk_sync(struct vhd *d);
/*
 * flush.c: one sync at a time, because the kernel tells each error to one sync of a descriptor only: with two,
 * one could succeed after the other has taken the error and before it has said so. Without the lock.
 * Return: 0; -EIO: one has failed; -EAGAIN: another is under way, and not @wait.
 */
int sync_enter(struct vhd *d, bool wait);
/* @failed: what it should have brought to disk may be lost. */
void sync_leave(struct vhd *d, bool failed);
/* The file is at least as long as it was: 0, or -EIO, and flushes fail from then on. */
int disk_still_whole(struct vhd *d);

/* An ordinary file: its operations and context. */
extern const struct vhd_io_ops vhd_file_ops;
int vhd_file_open(void **ctx, const char *path, uint32_t flags, struct vhd_err *e);
/* Takes @fd over, also on error. */
int vhd_file_adopt(void **ctx, int fd, const char *name, uint32_t flags, struct vhd_err *e);
int vhd_file_create(void **ctx, const char *path, struct vhd_err *e);

/* lock.c: the file on @fd for one writer or many readers; @look: for who has it, if somebody has. */
int vhd_lock(int fd, const char *path, bool write, bool look, struct vhd_err *e);
/* holder.c: who has the file of @fd open, for a message. Return: whether somebody was found. */
bool vhd_holder(int fd, char *out, size_t room);

/* probe.c: what @d's content says. Sets format, footer, raw_footer, footer_last and *damage (bit 0: the first
 * footer, bit 1: the last, has to be written again). @size: of the file. */
int vhd_probe(struct vhd *d, uint64_t size, enum vhd_format want, unsigned int *damage, struct vhd_err *e);

/* bat.c: read header and table, and refuse what overlaps or lies outside. */
int bat_load(struct vhd *d, uint64_t size, struct vhd_err *e);
/* Write the entry of @block: a sector of the file, or BAT_FREE. */
int bat_write(struct vhd *d, uint32_t block, uint32_t sector);

/* bitmap.c: get to know the bitmap of @block, which is allocated. Return: 0, look at the word again. */
int bitmap_load(struct vhd *d, uint32_t block);
/* Runs of sectors of @block: the length of the one at @first, at most @most, and whether it is @set.
 * Return: 0, or -EAGAIN: the bitmap is not in memory. */
int bitmap_run(struct vhd *d, uint32_t block, uint32_t first, uint32_t most, uint32_t *run, bool *set);
/* Make the bitmap of @block all ones, its other sectors zeros. */
int bitmap_fill(struct vhd *d, uint32_t block);
void bitmap_forget(struct vhd *d, uint32_t block);

/* alloc.c */
int alloc_block(struct vhd *d, uint32_t block, uint32_t flags);
/* Make @block BUSY, if it is not already (-EAGAIN) and, with @alone, no map is held (-EBUSY). */
int block_take(struct vhd *d, uint32_t block, bool alone);
/* End BUSY and set sector and FULL. */
void block_release(struct vhd *d, uint32_t block, uint32_t sector, bool full);
/* Until @block is not BUSY. */
void block_wait(struct vhd *d, uint32_t block);
/* (L) Append to a list. -ENOMEM. */
int slots_add(struct slots *s, uint32_t sector, int64_t after);
/* Cut what was reserved and not used off the file's end. */
int alloc_trim(struct vhd *d);

/* transfer.c: zeros into sectors that are allocated, on @offset of the file. */
int disk_punch(struct vhd *d, uint64_t offset, uint64_t len);

#endif
