// SPDX-License-Identifier: LGPL-2.1-or-later
/* The block allocation table of a dynamic VHD: read whole at open, each entry written as it changes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk.h"

struct region {
	const char	*name;
	uint64_t	start, end;
};

static int header_read(struct vhd *d, uint64_t size, struct dynamic_header *h, struct vhd_err *e)
{
	uint64_t at = d->footer.data_offset;
	uint8_t raw[HEADER_BYTES];
	uint32_t sum = 0;
	int err;

	if (at % VHD_SECTOR || at < FOOTER_BYTES || at > size || size - at < HEADER_BYTES)
		return vhd_fail(e, d->name, -EUCLEAN, at,
				"footer: the dynamic header at %#llx is not within the file's %llu bytes",
				(unsigned long long)at, (unsigned long long)size);
	err = file_read(&d->ops, d->ctx, at, raw, sizeof(raw));
	if (err)
		return vhd_fail(e, d->name, err, at, "dynamic header at %#llx: %s", (unsigned long long)at,
				strerror(-err));
	switch (header_decode(h, raw, &sum)) {
	case FOOTER_NONE:
		return vhd_fail(e, d->name, -EUCLEAN, at, "no dynamic header at %#llx, where the footer puts it",
				(unsigned long long)at);
	case FOOTER_BAD:
		return vhd_fail(e, d->name, -EUCLEAN, at,
				"dynamic header at %#llx: checksum %#x should be %#x",
				(unsigned long long)at, header_stored_sum(raw), sum);
	case FOOTER_GOOD:
		break;
	}
	if (h->version >> 16 != 1)
		return vhd_fail(e, d->name, -EOPNOTSUPP, at, "dynamic header version %u.%u is not known",
				h->version >> 16, h->version & 0xffff);
	return 0;
}

static int header_check(struct vhd *d, uint64_t size, const struct dynamic_header *h, struct vhd_err *e)
{
	uint64_t at = d->footer.data_offset, need, bytes = d->sectors * VHD_SECTOR;

	if (h->block_size < BLOCK_MIN || h->block_size > BLOCK_MAX || h->block_size & (h->block_size - 1))
		return vhd_fail(e, d->name, -EUCLEAN, at,
				"dynamic header at %#llx: a block size of %u is no power of two from 4 KiB to 256 MiB",
				(unsigned long long)at, h->block_size);
	need = (bytes + h->block_size - 1) / h->block_size;
	if (need > BLOCKS_MAX)
		return vhd_fail(e, d->name, -EFBIG, at, "has %llu blocks; %u are the most",
				(unsigned long long)need, BLOCKS_MAX);
	if (h->entries < need)
		return vhd_fail(e, d->name, -EUCLEAN, at,
				"dynamic header at %#llx: a table of %u entries is too small for %llu blocks",
				(unsigned long long)at, h->entries, (unsigned long long)need);
	if (h->table_offset % VHD_SECTOR || h->table_offset > size ||
	    size - h->table_offset < (uint64_t)h->entries * 4)
		return vhd_fail(e, d->name, -EUCLEAN, h->table_offset,
				"block table of %u entries at %#llx is not within the file's %llu bytes",
				h->entries, (unsigned long long)h->table_offset, (unsigned long long)size);
	d->block_size = h->block_size;
	d->shift = __builtin_ctz(h->block_size / VHD_SECTOR);
	d->bitmap_bytes = round_up((h->block_size / VHD_SECTOR + 7) / 8, VHD_SECTOR);
	d->table = h->table_offset;
	d->entries = h->entries;
	d->blocks = need;
	return 0;
}

/* Footer copy, header, table and last footer are where no two of them meet. */
static int regions_check(struct vhd *d, uint64_t size, struct region *r, struct vhd_err *e)
{
	unsigned int i, j;

	r[0] = (struct region){ "the first footer", 0, FOOTER_BYTES };
	r[1] = (struct region){ "the dynamic header", d->footer.data_offset, d->footer.data_offset + HEADER_BYTES };
	r[2] = (struct region){ "the block table", d->table, d->table + (uint64_t)d->entries * 4 };
	r[3] = (struct region){ "the last footer", size, size };
	if (d->footer_last)
		r[3].start = size - (size % VHD_SECTOR == FOOTER_OLD ? FOOTER_OLD : FOOTER_BYTES);
	for (i = 0; i < 4; i++)
		for (j = 0; j < i; j++)
			if (r[i].start < r[j].end && r[j].start < r[i].end)
				return vhd_fail(e, d->name, -EUCLEAN, r[i].start, "%s at %#llx overlaps %s",
						r[i].name, (unsigned long long)r[i].start, r[j].name);
	return 0;
}

static int entry_check(struct vhd *d, uint64_t size, const struct region *r, uint32_t block,
		       uint32_t sector, struct vhd_err *e)
{
	uint64_t start = (uint64_t)sector * VHD_SECTOR, at = d->table + (uint64_t)block * 4;
	uint64_t end = start + d->bitmap_bytes + d->block_size;
	unsigned int i;

	if (end > size)
		return vhd_fail(e, d->name, -EUCLEAN, at,
				"table entry at %#llx: block %u from %#llx to %#llx is beyond the end of the file at %#llx",
				(unsigned long long)at, block, (unsigned long long)start,
				(unsigned long long)end, (unsigned long long)size);
	for (i = 0; i < 4; i++)
		if (start < r[i].end && r[i].start < end)
			return vhd_fail(e, d->name, -EUCLEAN, at,
					"table entry at %#llx: block %u from %#llx to %#llx overlaps %s",
					(unsigned long long)at, block, (unsigned long long)start,
					(unsigned long long)end, r[i].name);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* No two blocks share a sector. @list: sector << 32 | block, @nr of them. */
static int overlap_check(struct vhd *d, uint64_t *list, uint32_t nr, bool sorted, struct vhd_err *e)
{
	uint32_t span = (d->bitmap_bytes + d->block_size) / VHD_SECTOR, i;

	if (!sorted)
		qsort(list, nr, sizeof(*list), by_value);
	for (i = 1; i < nr; i++) {
		uint32_t a = list[i - 1], b = list[i];
		uint64_t at = d->table + (uint64_t)b * 4;

		if ((list[i] >> 32) - (list[i - 1] >> 32) >= span)
			continue;
		return vhd_fail(e, d->name, -EUCLEAN, at,
				"table entry at %#llx: block %u at %#llx overlaps block %u at %#llx",
				(unsigned long long)at, b, (unsigned long long)(list[i] >> 32) * VHD_SECTOR,
				a, (unsigned long long)(list[i - 1] >> 32) * VHD_SECTOR);
	}
	return 0;
}

static int entries_read(struct vhd *d, uint64_t size, const struct region *r, uint64_t *list, struct vhd_err *e)
{
	uint64_t where = 0;	/* all places of data, or-ed: their alignment */
	uint32_t block, part, i, nr = 0;
	bool sorted = true;
	uint8_t raw[4096];
	int err;

	for (block = 0; block < d->blocks; block += part) {
		uint64_t at = d->table + (uint64_t)block * 4;

		part = d->blocks - block < sizeof(raw) / 4 ? d->blocks - block : sizeof(raw) / 4;
		err = file_read(&d->ops, d->ctx, at, raw, part * 4);
		if (err)
			return vhd_fail(e, d->name, err, at, "block table at %#llx: %s",
					(unsigned long long)at, strerror(-err));
		for (i = 0; i < part; i++) {
			uint32_t sector = get_be32(raw + i * 4);

			if (sector == BAT_FREE)
				continue;
			err = entry_check(d, size, r, block + i, sector, e);
			if (err)
				return err;
			sorted = sorted && (!nr || list[nr - 1] >> 32 < sector);
			list[nr++] = (uint64_t)sector << 32 | (block + i);
			d->word[block + i] = sector;
			where |= data_at(d, sector);
			if (data_at(d, sector) + d->block_size > d->used_end)
				d->used_end = data_at(d, sector) + d->block_size;
		}
	}
	d->allocated = nr;
	while (d->alignment > VHD_SECTOR && where & (d->alignment - 1))
		d->alignment /= 2;
	return overlap_check(d, list, nr, sorted, e);
}

int bat_load(struct vhd *d, uint64_t size, struct vhd_err *e)
{
	struct dynamic_header h;
	struct region r[4];
	uint64_t *list;
	int err;

	err = header_read(d, size, &h, e);
	if (!err)
		err = header_check(d, size, &h, e);
	if (!err)
		err = regions_check(d, size, r, e);
	if (err)
		return err;
	/* Pages of the words that stay zero cost nothing, and the list is gone after this. */
	d->word = calloc(d->blocks, sizeof(*d->word));
	d->ones = calloc(1, d->bitmap_bytes);
	list = malloc((size_t)d->blocks * sizeof(*list));
	if (!d->word || !d->ones || !list) {
		free(list);
		return vhd_fail(e, d->name, -ENOMEM, VHD_NOWHERE, "no memory for %u blocks", d->blocks);
	}
	memset(d->ones, 0xff, block_sectors(d) / 8);
	d->alignment = 4096;
	d->used_end = r[1].end > r[2].end ? r[1].end : r[2].end;
	err = entries_read(d, size, r, list, e);
	free(list);
	return err;
}

int bat_write(struct vhd *d, uint32_t block, uint32_t sector)
{
	uint8_t raw[4];

	put_be32(raw, sector);
	return file_write(&d->ops, d->ctx, d->table + (uint64_t)block * 4, raw, sizeof(raw));
}
