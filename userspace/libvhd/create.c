// SPDX-License-Identifier: LGPL-2.1-or-later
/* New images. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"

/* 2000-01-01 00:00 UTC, where the format's time begins. */
#define EPOCH 946684800

static int footer_make(const struct vhd_create_opts *o, uint64_t size, struct footer *f)
{
	static const uint8_t none[16];

	*f = (struct footer){
		.data_offset = o->format == VHD_DYNAMIC ? FOOTER_BYTES : UINT64_MAX,
		.timestamp = o->timestamp ? o->timestamp : (uint32_t)(time(NULL) - EPOCH),
		.current_size = size,
		.type = o->format == VHD_DYNAMIC ? FOOTER_DYNAMIC : FOOTER_FIXED,
	};
	memcpy(f->creator, CREATOR, sizeof(f->creator));
	memcpy(f->id, o->id, sizeof(f->id));
	if (!memcmp(f->id, none, sizeof(none))) {
		if (getrandom(f->id, sizeof(f->id), 0) != sizeof(f->id))
			return -EIO;
		f->id[6] = (f->id[6] & 0x0f) | 0x40;	/* RFC 4122, version 4 */
		f->id[8] = (f->id[8] & 0x3f) | 0x80;
	}
	footer_set_geometry(f);
	return 0;
}

static int table_write(const struct vhd_io_ops *ops, void *ctx, uint64_t at, uint64_t bytes)
{
	uint8_t raw[4096];
	int err = 0;

	memset(raw, 0xff, sizeof(raw));
	while (!err && bytes) {
		size_t part = bytes < sizeof(raw) ? bytes : sizeof(raw);

		err = file_write(ops, ctx, at, raw, part);
		at += part;
		bytes -= part;
	}
	return err;
}

static int dynamic_write(const struct vhd_io_ops *ops, void *ctx, const struct footer *f, uint32_t block_size)
{
	struct dynamic_header h = {
		.table_offset = FOOTER_BYTES + HEADER_BYTES,
		.entries = (f->current_size + block_size - 1) / block_size,
		.block_size = block_size,
	};
	uint64_t table = round_up((uint64_t)h.entries * 4, VHD_SECTOR);
	uint8_t footer[FOOTER_BYTES], header[HEADER_BYTES];
	int err;

	footer_encode(f, footer);
	header_encode(&h, header);
	err = file_write(ops, ctx, 0, footer, sizeof(footer));
	if (!err)
		err = file_write(ops, ctx, f->data_offset, header, sizeof(header));
	if (!err)
		err = table_write(ops, ctx, h.table_offset, table);
	if (!err)
		err = file_write(ops, ctx, h.table_offset + table, footer, sizeof(footer));
	return err;
}

static int fixed_write(const struct vhd_io_ops *ops, void *ctx, const struct footer *f)
{
	uint8_t footer[FOOTER_BYTES];
	int err;

	footer_encode(f, footer);
	err = ops->truncate(ctx, f->current_size);
	if (!err)
		err = file_write(ops, ctx, f->current_size, footer, sizeof(footer));
	return err;
}

static int opts_check(const char *name, const struct vhd_create_opts *o, uint64_t size, uint32_t block_size,
		      struct vhd_err *e)
{
	uint64_t limit = o->format == VHD_RAW ? INT64_MAX / VHD_SECTOR * VHD_SECTOR : VHD_SIZE_MAX;

	if (o->format != VHD_RAW && o->format != VHD_FIXED && o->format != VHD_DYNAMIC)
		return vhd_fail(e, name, -EINVAL, VHD_NOWHERE, "no such format");
	if (!size)
		return vhd_fail(e, name, -EINVAL, VHD_NOWHERE, "a disk needs a size");
	if (size > limit)
		return vhd_fail(e, name, -EFBIG, VHD_NOWHERE, "%llu bytes are more than a %s disk can have: %llu",
				(unsigned long long)size, vhd_format_name(o->format), (unsigned long long)limit);
	if (o->format != VHD_DYNAMIC)
		return 0;
	if (block_size < BLOCK_MIN || block_size > BLOCK_MAX || block_size & (block_size - 1))
		return vhd_fail(e, name, -EINVAL, VHD_NOWHERE,
				"a block size of %u is no power of two from 4 KiB to 256 MiB", block_size);
	if ((size + block_size - 1) / block_size > BLOCKS_MAX)
		return vhd_fail(e, name, -EFBIG, VHD_NOWHERE, "needs more than %u blocks: take a larger block size",
				BLOCKS_MAX);
	return 0;
}

int vhd_create_io(const struct vhd_io_ops *ops, void *ctx, const char *name, const struct vhd_create_opts *o,
		  struct vhd_err *e)
{
	uint32_t block_size = o->block_size ? o->block_size : 2u << 20;
	uint64_t size = o->size > UINT64_MAX - VHD_SECTOR ? o->size : round_up(o->size, VHD_SECTOR);
	struct footer f;
	int err = opts_check(name, o, size, block_size, e);

	if (err)
		return err;
	err = footer_make(o, size, &f);
	if (!err) {
		if (o->format == VHD_RAW)
			err = ops->truncate(ctx, size);
		else if (o->format == VHD_FIXED)
			err = fixed_write(ops, ctx, &f);
		else
			err = dynamic_write(ops, ctx, &f, block_size);
	}
	if (!err)
		err = ops->datasync(ctx);
	if (err)
		vhd_fail(e, name, err, VHD_NOWHERE, "cannot be written: %s", strerror(-err));
	return err;
}

/* The name must be on disk as well. A file system that cannot sync a folder is left alone. */
static void folder_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : slash - path) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

int vhd_create(const char *path, const struct vhd_create_opts *opts, struct vhd_err *e)
{
	void *ctx;
	int err = vhd_file_create(&ctx, path, e);

	if (err)
		return err;
	err = vhd_create_io(&vhd_file_ops, ctx, path, opts, e);
	if (err)
		unlink(path);
	vhd_file_ops.close(ctx);
	if (!err)
		folder_sync(path);
	return err;
}
