/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvhd - disk images: raw, fixed VHD, dynamic VHD
 *
 * A disk is an array of 512-byte sectors; what is in the file decides how they are stored.
 * Functions return 0 (or what they say) or a negative errno value, fill in a struct vhd_err
 * where they take one, and never print, exit, raise a signal or map a file: a file that changes
 * under us gives -EIO.
 *
 * Data moves in one of two ways:
 *
 *  - vhd_read() and vhd_write() move it themselves and block.
 *  - vhd_map() says where in which file it is, and the caller moves it with io_uring, straight
 *    between guest memory and the file; then vhd_map_done().
 *
 * Threads: every function that takes a struct vhd may be called from any thread at any time,
 * except vhd_close(). Mapping takes no lock unless a block has to be allocated. No file offset
 * is shared: all file access names its offset.
 *
 * Order on disk. A dynamic disk's file grows ahead of use: new space is added, with a footer
 * behind it, and synced before any table entry points there, and it is all zeros. So allocating
 * a block is two small writes, of its bitmap and its table entry, that need no order among
 * themselves or with the data, and a block allocated here never needs a bitmap write again. The
 * file ends with a valid footer at every instant. An allocation is written (to the page cache)
 * before vhd_map() returns, so that a write that was acknowledged survives the death of the
 * process, and after a flush that of the machine.
 */
#ifndef LIBVHD_VHD_H
#define LIBVHD_VHD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VHD_SECTOR	512u
/* What a VHD can hold: 2040 GiB. Raw disks: 2^63 bytes less one sector. */
#define VHD_SIZE_MAX	(2040ULL << 30)

struct vhd;

/* What went wrong. Filled in whenever a call that takes one returns a negative value. */
struct vhd_err {
	int		code;		/* negative errno */
	uint64_t	offset;		/* byte in the file, or VHD_NOWHERE */
	char		object[256];	/* the file, cut at the end */
	char		text[512];	/* the cause with object and offset, one line, no full stop */
	char		next[768];	/* what to do about it, one line; may be empty */
};
#define VHD_NOWHERE UINT64_MAX

enum vhd_format {
	VHD_AUTO,		/* open: what the content says */
	VHD_RAW,
	VHD_FIXED,
	VHD_DYNAMIC,
};

/* "raw", "vhd-fixed", "vhd-dynamic"; never NULL. */
const char *vhd_format_name(enum vhd_format format);

/* ---- the file below ---- */

/*
 * File access, to be put in by tests and by stores that are no files. @ctx is what was given to
 * vhd_open_io(). Calls come from many threads at once. Results: bytes moved, which may be fewer
 * than asked for (the library goes on; a read of 0 is the end of the file), or 0, or -errno;
 * never errno.
 */
struct vhd_io_ops {
	ssize_t (*preadv)(void *ctx, const struct iovec *iov, int nr, uint64_t offset);
	/* NULL: the store is read-only. */
	ssize_t (*pwritev)(void *ctx, const struct iovec *iov, int nr, uint64_t offset);
	/* Returns when all writes, truncates and punches that had returned before are on disk. */
	int (*datasync)(void *ctx);
	int (*truncate)(void *ctx, uint64_t size);
	/* Make a range within the file read as zeros and give its space back. NULL or -EOPNOTSUPP:
	 * cannot, and zeros are written instead. */
	int (*punch)(void *ctx, uint64_t offset, uint64_t len);
	int (*size)(void *ctx, uint64_t *bytes);
	/* A descriptor on which pread(2), pwrite(2) and fdatasync(2) do the same as the calls above.
	 * NULL or a negative result: there is none, and extents of vhd_map() have fd -1. */
	int (*fd)(void *ctx);
	/* Called by vhd_close() and by an open that fails; may be NULL. */
	void (*close)(void *ctx);
};

/* ---- open and close ---- */

#define VHD_OPEN_RDONLY		(1u << 0)
/* Take no lock on the file. For looking at a disk that is in use, with what that means. */
#define VHD_OPEN_NOLOCK		(1u << 1)
/* Write a damaged footer, or footer copy, again from the good one. Without it such a disk can be
 * opened with VHD_OPEN_RDONLY alone. */
#define VHD_OPEN_REPAIR		(1u << 2)
/* The caller's descriptor reads and writes around the page cache (O_DIRECT). vhd_fd() is that one;
 * the library's own accesses stay buffered. -EINVAL where the layout is not aligned to 4096. */
#define VHD_OPEN_DIRECT		(1u << 3)

struct vhd_open_opts {
	uint32_t	flags;		/* VHD_OPEN_* */
	enum vhd_format	format;		/* VHD_AUTO, or fail with -EMEDIUMTYPE if it is another one.
					 * VHD_RAW never looks at the content: say so for a disk whose
					 * guest is not trusted, which could else write a footer into
					 * its last sector and change what the file is next time. */
	uint32_t	reserve;	/* blocks a dynamic disk's file grows by; 0: 64 MiB of them.
					 * Sparse, and cut off again by vhd_close(). */
};

/*
 * Open the disk image at @path (a file, or a block device for raw and fixed disks); @opts may be
 * NULL.
 *
 * The file is locked against other users: one writer or any number of readers. Other programs
 * see the lock only if they look: hv and QEMU do.
 *
 * Errors: -EBUSY: in use; the text names the process if it can be found. -EMEDIUMTYPE: a format
 * that is not handled here; @e->next is the line that converts it, with this path. -EUCLEAN: the
 * image is damaged; the text says what and where. -EFBIG: sizes beyond what the format allows.
 * -EOPNOTSUPP: a variant that is not handled (differencing; unknown version). -EROFS: a damaged
 * footer that VHD_OPEN_REPAIR would write again. Others from open(2) and the file.
 */
int vhd_open(struct vhd **out, const char *path, const struct vhd_open_opts *opts,
	     struct vhd_err *e);

/*
 * The same of a file that is open already, for a process that may open none: @fd belongs to the
 * library from here on, also on error. It has to be open for reading and, without VHD_OPEN_RDONLY,
 * for writing, and not for appending alone (-EBADF). The lock is one of its open file description,
 * which it may have already; who else holds one is not looked for. Not with VHD_OPEN_DIRECT (-EINVAL).
 */
int vhd_open_fd(struct vhd **out, int fd, const char *name, const struct vhd_open_opts *opts,
		struct vhd_err *e);

/* The same over @ops; @name is used in messages. No lock is taken. @ctx belongs to the library from
 * here on and is closed also on error. */
int vhd_open_io(struct vhd **out, const struct vhd_io_ops *ops, void *ctx, const char *name,
		const struct vhd_open_opts *opts, struct vhd_err *e);

/*
 * Give up the disk: cut off unused space at the end, sync, unlock, free. Every map must have
 * been given back. The disk is gone whatever is returned; an error means that the last writes
 * may not be on disk.
 */
int vhd_close(struct vhd *d, struct vhd_err *e);

struct vhd_info {
	enum vhd_format	format;
	uint64_t	size;		/* of the disk, bytes */
	uint64_t	file_size;	/* bytes, now */
	uint32_t	block_size;	/* bytes; 0: no blocks */
	uint32_t	blocks;		/* of the disk */
	uint32_t	allocated;	/* of them, now */
	uint32_t	alignment;	/* data in the file is aligned to this: 512 to 4096 */
	uint8_t		id[16];		/* unique id of the image, zeros for raw */
	uint32_t	timestamp;	/* seconds since 2000-01-01 00:00 UTC, 0 for raw */
	char		creator[5];	/* application, printable or '.', empty for raw */
	uint8_t		readonly;
	uint8_t		punch;		/* discarded space is given back */
	uint8_t		repaired;	/* the footer that was written again: 1 first, 2 last */
	uint16_t	cylinders;	/* geometry in the footer, 0 for raw */
	uint8_t		heads, sectors;
};
void vhd_get_info(struct vhd *d, struct vhd_info *out);

/* Sectors of the disk; does not change while it is open. */
uint64_t vhd_sectors(const struct vhd *d);

/* Descriptor for data, to be registered with io_uring; -1: none, use vhd_read() and vhd_write().
 * It belongs to the library. */
int vhd_fd(const struct vhd *d);

/* ---- mapping ---- */

enum vhd_dir { VHD_READ, VHD_WRITE };

enum vhd_extent_kind {
	VHD_EXT_FILE,		/* at @offset of @fd */
	VHD_EXT_ZERO,		/* reads as zeros (never for writes); @fd and @offset mean nothing */
};

struct vhd_extent {
	uint32_t	kind;		/* enum vhd_extent_kind */
	int		fd;		/* do not take it for vhd_fd(): chains have several files */
	uint64_t	offset;		/* bytes in the file */
	uint64_t	len;		/* bytes, a multiple of VHD_SECTOR, never 0 */
};

#define VHD_MAP_EXTENTS 8

struct vhd_map {
	/* All set by vhd_map(), read by vhd_map_done(); may be copied and moved. */
	uint64_t	sector;		/* first */
	uint64_t	count;		/* sectors mapped from there on, at least 1 */
	uint32_t	dir;		/* enum vhd_dir */
	uint32_t	nr;		/* extents */
	struct vhd_extent ext[VHD_MAP_EXTENTS];
};

/* Neither wait for another thread, nor sync, nor read from the file; two small buffered writes are
 * still made for a new block. */
#define VHD_NOWAIT	(1u << 0)

/*
 * Where the @count sectors from @sector are. Fills @m for as many of them as its extents can
 * name (m->count, at least 1); call again for the rest. Between vhd_map() and vhd_map_done()
 * those sectors keep their place in the file.
 *
 * VHD_WRITE allocates what is not allocated yet; sectors of a new block that are never written
 * read as zeros. Extents that follow each other in one file come as one.
 *
 * Return: 0; -EAGAIN: only with VHD_NOWAIT in @flags: ask again without it from a thread that
 * may sleep; -ERANGE: beyond the end of the disk, or @count is 0; -EROFS: a write to a read-only
 * disk; -ENOSPC, -EDQUOT, -EFBIG, -EIO: from the file; -ENOMEM. After an error nothing is held,
 * the disk is as usable as before, and the same call may be tried again.
 */
int vhd_map(struct vhd *d, uint64_t sector, uint64_t count, enum vhd_dir dir, uint32_t flags,
	    struct vhd_map *m);

/*
 * The transfer of @m has ended with @result: bytes of the extents moved, or -errno; a write may
 * be acknowledged, or data read be given to the guest, once this returned 0. A transfer that
 * moved fewer bytes than m->count sectors is -EIO: the file got shorter. With VHD_NOWAIT in
 * @flags it may return -EAGAIN and has then done nothing: call it from a thread that may sleep.
 * (No format does so today. Differencing disks will: they write a bitmap behind the data.)
 */
int vhd_map_done(struct vhd *d, const struct vhd_map *m, int64_t result, uint32_t flags);

/* ---- flush ---- */

/*
 * What was acknowledged is on disk once a flush that began later has returned 0: vhd_flush(), or
 *
 *	ticket = vhd_flush_begin(d);		-EAGAIN: see below; -errno: fail the flush with it
 *	fdatasync(vhd_fd(d));			io_uring: IORING_OP_FSYNC, IORING_FSYNC_DATASYNC
 *	ret = vhd_flush_end(d, ticket, result);	0, or -errno: fail the flush with it
 *
 * A disk is synced once at a time. -EAGAIN: somebody is at it; call vhd_flush(), which waits, from a
 * thread that is not needed for the other one to end. After a ticket vhd_flush_end() has to be called,
 * and soon: flushes and writes to new blocks may be waiting for it. A sync that failed cannot be tried again, because the kernel
 * has dropped the pages: from then on every flush of this disk is -EIO until it is opened again.
 * A result of -ECANCELED means that no sync was begun; it is given back as it is. Any other error, -EINTR and -EAGAIN
 * among them, is of a sync that may have taken an error of the kernel's with it, which tells it once: -EIO.
 */
int vhd_flush(struct vhd *d);
int64_t vhd_flush_begin(struct vhd *d);
int vhd_flush_end(struct vhd *d, int64_t ticket, int result);

/*
 * Nothing is in flight: leave the file as vhd_close() would, without unused space at its end, so that closing
 * does not write. The disk stays usable. 0, or -errno with @e.
 */
int vhd_rest(struct vhd *d, struct vhd_err *e);

/* ---- synchronous data ---- */

/* Read or write @bytes (a multiple of VHD_SECTOR) at @sector; the lengths in @iov add up to at least
 * @bytes. Return: 0 or an error of vhd_map() or the file. After an error some may have been done. */
int vhd_read(struct vhd *d, uint64_t sector, const struct iovec *iov, int nr, uint64_t bytes);
int vhd_write(struct vhd *d, uint64_t sector, const struct iovec *iov, int nr, uint64_t bytes);

/* Give space back (UNMAP): without it zeros are still what is read, but space is kept (WRITE SAME). */
#define VHD_ZERO_UNMAP	(1u << 1)

/*
 * Make @count sectors from @sector read as zeros; takes VHD_ZERO_UNMAP and VHD_NOWAIT (-EAGAIN
 * if anything is allocated there). Whole blocks of a dynamic disk become unallocated, unless a
 * map is held on them; their space is used again after the next flush. Otherwise a hole is
 * punched, or, where the file system cannot, zeros are written. Not atomic; like a write it is
 * on disk after a flush. Errors of vhd_map().
 */
int vhd_zero(struct vhd *d, uint64_t sector, uint64_t count, uint32_t flags);

/* The first run of sectors from @sector on, at most @count long: its length in @run; 1: it is backed
 * by the file, 0: it is known to read as zeros, or -errno. For conversion and GET LBA STATUS. */
int vhd_status(struct vhd *d, uint64_t sector, uint64_t count, uint64_t *run);

/* ---- create, probe, check ---- */

struct vhd_create_opts {
	enum vhd_format	format;		/* not VHD_AUTO */
	uint64_t	size;		/* bytes; rounded up to a sector */
	uint32_t	block_size;	/* dynamic: a power of two, 4096 to 256 MiB; 0: 2 MiB */
	uint8_t		id[16];		/* zeros: a random one */
	uint32_t	timestamp;	/* as in struct vhd_info; 0: now */
};

/* Make a new image; -EEXIST if @path is there already. Synced when it returns, and removed again when
 * it fails. -EFBIG, -EINVAL: the options; others from the file. */
int vhd_create(const char *path, const struct vhd_create_opts *opts, struct vhd_err *e);
/* The same in an empty store, which stays open and the caller's. */
int vhd_create_io(const struct vhd_io_ops *ops, void *ctx, const char *name,
		  const struct vhd_create_opts *opts, struct vhd_err *e);

struct vhd_check {
	uint32_t	allocated;	/* blocks */
	uint64_t	unused;		/* bytes that no block, table or footer uses: no error */
	uint32_t	errors;		/* what is wrong, the first of them in struct vhd_err */
	uint32_t	footer;		/* bit 0: the first footer is damaged or missing; bit 1: the last */
	uint32_t	partial;	/* blocks with a bitmap that is not all ones */
};

/* Look at the whole structure of an image, changing nothing; @out is set also on -EUCLEAN (damaged). */
int vhd_check(const char *path, struct vhd_check *out, struct vhd_err *e);
int vhd_check_io(const struct vhd_io_ops *ops, void *ctx, const char *name, struct vhd_check *out,
		 struct vhd_err *e);

#ifdef __cplusplus
}
#endif

#endif
