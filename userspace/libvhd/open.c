// SPDX-License-Identifier: LGPL-2.1-or-later
/* A disk from its opening to its closing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

#define RESERVE_BYTES (64u << 20)

static void disk_free(struct vhd *d)
{
	unsigned int i;

	if (d->ops.close)
		d->ops.close(d->ctx);
	for (i = 0; i < BITMAPS_KEPT; i++)
		free(d->kept[i].bits);
	pthread_cond_destroy(&d->wake);
	pthread_mutex_destroy(&d->lock);
	free(d->free.slot);
	free(d->held.slot);
	free(d->word);
	free(d->ones);
	free(d);
}

static int punch_never(void *ctx, uint64_t offset, uint64_t len)
{
	(void)ctx;
	(void)offset;
	(void)len;
	return -EOPNOTSUPP;
}

/* Write the good footer over the damaged one. No block is where it goes. */
static int repair(struct vhd *d, uint64_t *size, unsigned int damage, struct vhd_err *e)
{
	uint64_t at = 0;
	int err;

	if (damage & 2) {
		/* In its place, which ends the file or was cut, or behind all if something else is there. */
		at = (*size - 1) / VHD_SECTOR * VHD_SECTOR;
		if (at < d->used_end)
			at = round_up(*size, VHD_SECTOR);
	}
	err = file_write(&d->ops, d->ctx, at, d->raw_footer, FOOTER_BYTES);
	if (!err)
		err = disk_sync(d);
	if (err)
		return vhd_fail(e, d->name, err, at, "footer at %#llx cannot be written again: %s",
				(unsigned long long)at, strerror(-err));
	if (at + FOOTER_BYTES > *size)
		*size = at + FOOTER_BYTES;
	d->repaired = damage;
	d->footer_last = true;
	return 0;
}

static int damaged(struct vhd *d, uint64_t *size, unsigned int damage, uint32_t flags, struct vhd_err *e)
{
	if (!damage || flags & VHD_OPEN_RDONLY)
		return 0;
	if (flags & VHD_OPEN_REPAIR)
		return repair(d, size, damage, e);
	vhd_fail(e, d->name, -EROFS, damage & 1 ? 0 : *size - FOOTER_BYTES,
		 damage & 1 ? "the copy of the footer at 0 is damaged or differs from the one at the end"
			    : "the footer at the end is damaged, the copy of it at 0 is good");
	vhd_next(e, "use the disk read-only, or have its footer repaired");
	return -EROFS;
}

/* A crash left room at the end that no block uses. Nobody else would, in an image that we made. */
static int cut_leftover(struct vhd *d, uint64_t size, struct vhd_err *e)
{
	uint64_t step = (uint64_t)d->bitmap_bytes + d->block_size;
	int err;

	d->used_end = round_up(d->used_end, VHD_SECTOR);
	if (!d->readonly && !memcmp(d->footer.creator, CREATOR, 4) &&
	    size >= d->used_end + FOOTER_BYTES + step) {
		d->grown = true;
		err = alloc_trim(d);
		if (err)
			return vhd_fail(e, d->name, err, d->used_end, "unused space at %#llx cannot be cut off: %s",
					(unsigned long long)d->used_end, strerror(-err));
		size = d->file_end;
	}
	d->used_end = size;
	d->grown = false;
	return 0;
}

static int dynamic_open(struct vhd *d, uint64_t size, const struct vhd_open_opts *o, unsigned int damage,
			struct vhd_err *e)
{
	uint64_t step, all;
	int err = 0;

	/* What a process that died has written is read back, and relied upon, as if it were on disk. */
	if (!d->readonly)
		err = disk_sync(d);
	if (err)
		return vhd_fail(e, d->name, err, VHD_NOWHERE, "cannot be synced: %s", strerror(-err));
	err = bat_load(d, size, e);
	if (!err)
		err = damaged(d, &size, damage, o->flags, e);
	if (err)
		return err;
	if (o->flags & VHD_OPEN_DIRECT && d->alignment < 4096)
		return vhd_fail(e, d->name, -EINVAL, d->table,
				"has data at multiples of %u only: it cannot be used around the page cache",
				d->alignment);
	d->file_end = size;
	err = cut_leftover(d, size, e);
	if (err)
		return err;
	d->reserve = o->reserve ? o->reserve : RESERVE_BYTES / d->block_size;
	if (!d->reserve)
		d->reserve = 1;
	/* Sector numbers have 32 bits: near 2 TiB there is no room for alignment. */
	step = (uint64_t)d->bitmap_bytes + d->block_size;
	all = (d->file_end + d->blocks * round_up(step, 4096)) / VHD_SECTOR;
	d->slot_align = all < BAT_FREE ? 4096 : VHD_SECTOR;
	return 0;
}

static int disk_open(struct vhd *d, const struct vhd_open_opts *o, struct vhd_err *e)
{
	unsigned int damage;
	uint64_t size;
	int err = d->ops.size(d->ctx, &size);

	if (err)
		return vhd_fail(e, d->name, err, VHD_NOWHERE, "has no size: %s", strerror(-err));
	err = vhd_probe(d, size, o->format, &damage, e);
	if (err)
		return err;
	d->file_end = size;
	d->alignment = 4096;
	if (d->format == VHD_DYNAMIC)
		return dynamic_open(d, size, o, damage, e);
	return 0;
}

int vhd_open_io(struct vhd **out, const struct vhd_io_ops *ops, void *ctx, const char *name,
		const struct vhd_open_opts *opts, struct vhd_err *e)
{
	const struct vhd_open_opts o = opts ? *opts : (struct vhd_open_opts){ 0 };
	struct vhd *d = calloc(1, sizeof(*d));
	int err;

	if (!d) {
		if (ops->close)
			ops->close(ctx);
		return vhd_fail(e, name, -ENOMEM, VHD_NOWHERE, "no memory");
	}
	d->ops = *ops;
	d->ctx = ctx;
	snprintf(d->name, sizeof(d->name), "%s", name);
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->wake, NULL);
	d->readonly = o.flags & VHD_OPEN_RDONLY;
	if (!d->ops.punch) {
		d->ops.punch = punch_never;
		d->no_punch = true;
	}
	d->fd = ops->fd ? ops->fd(ctx) : -1;
	if (!d->readonly && !(ops->pwritev && ops->datasync && ops->truncate))
		err = vhd_fail(e, name, -EROFS, VHD_NOWHERE, "can only be read");
	else
		err = disk_open(d, &o, e);
	if (err) {
		disk_free(d);
		return err;
	}
	*out = d;
	return 0;
}

int vhd_open(struct vhd **out, const char *path, const struct vhd_open_opts *opts, struct vhd_err *e)
{
	void *ctx;
	int err = vhd_file_open(&ctx, path, opts ? opts->flags : 0, e);

	if (err)
		return err;
	return vhd_open_io(out, &vhd_file_ops, ctx, path, opts, e);
}

int vhd_open_fd(struct vhd **out, int fd, const char *name, const struct vhd_open_opts *opts,
		struct vhd_err *e)
{
	void *ctx;
	int err = vhd_file_adopt(&ctx, fd, name, opts ? opts->flags : 0, e);

	if (err)
		return err;
	return vhd_open_io(out, &vhd_file_ops, ctx, name, opts, e);
}

int vhd_rest(struct vhd *d, struct vhd_err *e)
{
	int err = 0;

	if (!d->readonly && d->format == VHD_DYNAMIC && !d->failed) {
		err = alloc_trim(d);
		if (err)
			vhd_fail(e, d->name, err, d->used_end, "unused space at %#llx cannot be cut off: %s",
				 (unsigned long long)d->used_end, strerror(-err));
	}
	return err;
}

int vhd_close(struct vhd *d, struct vhd_err *e)
{
	int err = vhd_rest(d, e);

	if (!d->readonly) {
		int sync = vhd_flush(d);

		if (sync)
			err = vhd_fail(e, d->name, sync, VHD_NOWHERE,
				       "cannot be synced: the last writes may be lost: %s", strerror(-sync));
	}
	disk_free(d);
	return err;
}

void vhd_get_info(struct vhd *d, struct vhd_info *out)
{
	const struct footer *f = &d->footer;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	out->format = d->format;
	out->size = d->sectors * VHD_SECTOR;
	if (d->ops.size(d->ctx, &out->file_size))
		out->file_size = 0;
	out->block_size = d->block_size;
	out->blocks = d->blocks;
	out->allocated = __atomic_load_n(&d->allocated, __ATOMIC_RELAXED);
	out->alignment = d->alignment;
	out->readonly = d->readonly;
	out->punch = !__atomic_load_n(&d->no_punch, __ATOMIC_RELAXED);
	out->repaired = d->repaired;
	if (d->format == VHD_RAW)
		return;
	memcpy(out->id, f->id, sizeof(out->id));
	out->timestamp = f->timestamp;
	for (i = 0; i < 4; i++)
		out->creator[i] = f->creator[i] >= ' ' && f->creator[i] <= '~' ? f->creator[i] : '.';
	out->cylinders = f->cylinders;
	out->heads = f->heads;
	out->sectors = f->sectors;
}

uint64_t vhd_sectors(const struct vhd *d)
{
	return d->sectors;
}

int vhd_fd(const struct vhd *d)
{
	return d->fd;
}
