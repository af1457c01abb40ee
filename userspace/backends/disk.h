/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk.h - a disk image that devices use, and queues of requests to it
 *
 * A disk may be used by any number of queues. A queue belongs to one thread at a time: it submits,
 * and collects what is done. Data moves between the caller's memory and the image's file by
 * io_uring, without a copy; where the kernel has none or forbids it, and for what libvhd cannot
 * do without sleeping, by threads of the queue; of an image in memory, by the caller's thread.
 */
#ifndef HV_BACKENDS_DISK_H
#define HV_BACKENDS_DISK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "libvhd/vhd.h"

struct disk {
	struct vhd	*vhd;
	char		*path;		/* as given */
	bool		readonly;
	bool		in_memory;	/* its file system has no device: tmpfs, ramfs */
	struct window	*window;	/* of an image in memory where sector n lies at n * 512; NULL: none */
	struct vhd_info	info;		/* when it was opened */
};

#define DISK_READONLY	(1u << 0)
#define DISK_RAW	(1u << 1)	/* raw, whatever is in it: for a guest that is not trusted */

/* @flags: DISK_*. Errors as of vhd_open(), with @e filled in. */
int disk_open(struct disk **out, const char *path, unsigned int flags, struct vhd_err *e);
/* The same of a file that is open: see vhd_open_fd(). @fd is gone, also on error. */
int disk_open_fd(struct disk **out, int fd, const char *name, unsigned int flags, struct vhd_err *e);
/* No request may be in flight. Error of the last writes, or 0; @d is gone. */
int disk_close(struct disk *d, struct vhd_err *e);

enum disk_verb {
	DISK_READ,
	DISK_WRITE,
	DISK_FLUSH,
	DISK_ZERO,		/* sectors become zeros; VHD_ZERO_UNMAP in @flags gives space back */
};

struct diskq;

/*
 * A request. The caller fills in the first part and keeps everything until @done, which runs in the
 * thread that submits or collects, maybe before diskq_submit() returns.
 */
struct disk_req {
	struct disk	*disk;
	enum disk_verb	verb;
	uint32_t	flags;
	uint64_t	sector, count;
	struct iovec	*iov;		/* READ, WRITE: adds up to @count sectors; changed on the way */
	int		nr_iov;
	void		(*done)(struct disk_req *r, int result);	/* 0 or -errno */

	/* the queue's */
	struct diskq	*q;
	struct disk_req	*next;
	struct vhd_map	map;
	unsigned int	ext;		/* extent of @map that is next */
	uint64_t	pos;		/* bytes of it that were moved */
	uint64_t	moved;		/* bytes of @map that were moved */
	int64_t		ticket;		/* of a flush */
	int		cut;		/* entry of iov[] that was shortened for an extent, or -1 */
	size_t		cut_len;	/* its length before */
	int		result;
};

/*
 * A queue for up to @depth requests at a time. @wake is an eventfd that ends diskq_wait(), too.
 * Made before the sandbox is entered: later nothing new can be set up. @threads: do without io_uring.
 */
int diskq_create(struct diskq **out, unsigned int depth, int wake, bool threads);
/* Nothing is in flight. */
void diskq_release(struct diskq *q);

/* Begin; -EBUSY beyond @depth. Put it to the kernel with diskq_kick(). */
int diskq_submit(struct diskq *q, struct disk_req *r);
/* Hand what was submitted to the kernel and collect what is done, without waiting. */
void diskq_kick(struct diskq *q);
/* Wait until something is done or @wake is readable (its count is taken), and collect. */
void diskq_wait(struct diskq *q);
/* Requests that are not done. */
unsigned int diskq_busy(const struct diskq *q);
/* "io_uring" or "threads". */
const char *diskq_engine(const struct diskq *q);

#endif
