// SPDX-License-Identifier: LGPL-2.1-or-later
/* A look at a whole image. What opening finds, plus every bitmap and what is left over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

static int bitmaps_count(struct vhd *d, struct vhd_check *out, struct vhd_err *e)
{
	uint8_t *bits = malloc(d->bitmap_bytes);
	uint32_t i;
	int err = 0;

	if (!bits)
		return vhd_fail(e, d->name, -ENOMEM, VHD_NOWHERE, "no memory");
	for (i = 0; !err && i < d->blocks; i++) {
		uint64_t at = (uint64_t)WORD_SECTOR(d->word[i]) * VHD_SECTOR;

		if (!at)
			continue;
		err = file_read(&d->ops, d->ctx, at, bits, d->bitmap_bytes);
		if (err)
			vhd_fail(e, d->name, err, at, "bitmap of block %u at %#llx: %s", i,
				 (unsigned long long)at, strerror(-err));
		else if (memcmp(bits, d->ones, block_sectors(d) / 8))
			out->partial++;
	}
	free(bits);
	return err;
}

static int dynamic_check(struct vhd *d, struct vhd_check *out, struct vhd_err *e)
{
	uint64_t used = FOOTER_BYTES + HEADER_BYTES + round_up((uint64_t)d->entries * 4, VHD_SECTOR);

	out->allocated = d->allocated;
	used += (uint64_t)d->allocated * (d->bitmap_bytes + (uint64_t)d->block_size);
	if (d->footer_last)
		used += FOOTER_BYTES;
	out->unused = d->file_end > used ? d->file_end - used : 0;
	return bitmaps_count(d, out, e);
}

static int disk_check(const struct vhd_io_ops *ops, void *ctx, const char *name, uint32_t flags,
		      struct vhd_check *out, struct vhd_err *e)
{
	const struct vhd_open_opts o = { .flags = VHD_OPEN_RDONLY | flags };
	unsigned int damage = 0;
	uint64_t size = 0;
	struct vhd *d;
	int err;

	memset(out, 0, sizeof(*out));
	err = vhd_open_io(&d, ops, ctx, name, &o, e);
	if (err) {
		out->errors = err == -EUCLEAN;
		return err;
	}
	if (d->format == VHD_DYNAMIC) {
		err = dynamic_check(d, out, e);
		if (!err)
			err = d->ops.size(d->ctx, &size);
		if (!err)
			err = vhd_probe(d, size, VHD_AUTO, &damage, e);
	}
	out->footer = damage;
	if (!err && damage) {
		out->errors++;
		err = vhd_fail(e, name, -EUCLEAN, damage & 1 ? 0 : size - FOOTER_BYTES,
			       damage & 1 ? "the copy of the footer at 0 is damaged or differs from the one at the end"
					  : "the footer at the end is damaged, the copy of it at 0 is good");
	}
	vhd_close(d, NULL);
	return err;
}

int vhd_check_io(const struct vhd_io_ops *ops, void *ctx, const char *name, struct vhd_check *out,
		 struct vhd_err *e)
{
	struct vhd_io_ops mine = *ops;

	mine.close = NULL;
	return disk_check(&mine, ctx, name, 0, out, e);
}

int vhd_check(const char *path, struct vhd_check *out, struct vhd_err *e)
{
	void *ctx;
	int err = vhd_file_open(&ctx, path, VHD_OPEN_RDONLY, e);

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	return disk_check(&vhd_file_ops, ctx, path, 0, out, e);
}
