// SPDX-License-Identifier: LGPL-2.1-or-later
/* Footers and dynamic headers, to bytes and back. */
#include <string.h>

#include "footer.h"

/* Where the fields are. */
enum {
	F_FEATURES = 8, F_VERSION = 12, F_DATA_OFFSET = 16, F_TIMESTAMP = 24, F_CREATOR = 28,
	F_CREATOR_VERSION = 32, F_CREATOR_OS = 36, F_ORIGINAL_SIZE = 40, F_CURRENT_SIZE = 48,
	F_CYLINDERS = 56, F_HEADS = 58, F_SECTORS = 59, F_TYPE = 60, F_SUM = 64, F_ID = 68,
	H_DATA_OFFSET = 8, H_TABLE_OFFSET = 16, H_VERSION = 24, H_ENTRIES = 28, H_BLOCK_SIZE = 32,
	H_SUM = 36,
};

#define FEATURES_ALWAYS 2u	/* a reserved bit that is always set */
#define VERSION_1	0x00010000u
#define OS_WINDOWS	"Wi2k"	/* the specification knows this and "Mac " */

/* The largest geometry: a disk that has it is at least so large. */
#define MAX_CYLINDERS	65535u
#define MAX_HEADS	16u
#define MAX_SECTORS	255u

static const char footer_cookie[8] = "conectix", header_cookie[8] = "cxsparse";

/* The one's complement of the sum of all bytes but the checksum's own. */
static uint32_t sum_of(const uint8_t *raw, unsigned int len, unsigned int field)
{
	uint32_t sum = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		if (i < field || i >= field + 4)
			sum += raw[i];
	return ~sum;
}

uint32_t footer_stored_sum(const uint8_t *raw)
{
	return get_be32(raw + F_SUM);
}

uint32_t header_stored_sum(const uint8_t *raw)
{
	return get_be32(raw + H_SUM);
}

enum footer_state footer_decode(struct footer *f, const uint8_t *raw, uint32_t *sum)
{
	memset(f, 0, sizeof(*f));
	if (memcmp(raw, footer_cookie, sizeof(footer_cookie)))
		return FOOTER_NONE;
	*sum = sum_of(raw, FOOTER_BYTES, F_SUM);
	if (*sum != footer_stored_sum(raw))
		return FOOTER_BAD;
	f->version = get_be32(raw + F_VERSION);
	f->data_offset = get_be64(raw + F_DATA_OFFSET);
	f->timestamp = get_be32(raw + F_TIMESTAMP);
	memcpy(f->creator, raw + F_CREATOR, sizeof(f->creator));
	f->current_size = get_be64(raw + F_CURRENT_SIZE);
	f->cylinders = raw[F_CYLINDERS] << 8 | raw[F_CYLINDERS + 1];
	f->heads = raw[F_HEADS];
	f->sectors = raw[F_SECTORS];
	f->type = get_be32(raw + F_TYPE);
	memcpy(f->id, raw + F_ID, sizeof(f->id));
	return FOOTER_GOOD;
}

void footer_encode(const struct footer *f, uint8_t *raw)
{
	memset(raw, 0, FOOTER_BYTES);
	memcpy(raw, footer_cookie, sizeof(footer_cookie));
	put_be32(raw + F_FEATURES, FEATURES_ALWAYS);
	put_be32(raw + F_VERSION, VERSION_1);
	put_be64(raw + F_DATA_OFFSET, f->data_offset);
	put_be32(raw + F_TIMESTAMP, f->timestamp);
	memcpy(raw + F_CREATOR, f->creator, sizeof(f->creator));
	put_be32(raw + F_CREATOR_VERSION, VERSION_1);
	memcpy(raw + F_CREATOR_OS, OS_WINDOWS, 4);
	put_be64(raw + F_ORIGINAL_SIZE, f->current_size);
	put_be64(raw + F_CURRENT_SIZE, f->current_size);
	raw[F_CYLINDERS] = f->cylinders >> 8;
	raw[F_CYLINDERS + 1] = f->cylinders;
	raw[F_HEADS] = f->heads;
	raw[F_SECTORS] = f->sectors;
	put_be32(raw + F_TYPE, f->type);
	memcpy(raw + F_ID, f->id, sizeof(f->id));
	put_be32(raw + F_SUM, sum_of(raw, FOOTER_BYTES, F_SUM));
}

enum footer_state header_decode(struct dynamic_header *h, const uint8_t *raw, uint32_t *sum)
{
	memset(h, 0, sizeof(*h));
	if (memcmp(raw, header_cookie, sizeof(header_cookie)))
		return FOOTER_NONE;
	*sum = sum_of(raw, HEADER_BYTES, H_SUM);
	if (*sum != header_stored_sum(raw))
		return FOOTER_BAD;
	h->table_offset = get_be64(raw + H_TABLE_OFFSET);
	h->version = get_be32(raw + H_VERSION);
	h->entries = get_be32(raw + H_ENTRIES);
	h->block_size = get_be32(raw + H_BLOCK_SIZE);
	return FOOTER_GOOD;
}

void header_encode(const struct dynamic_header *h, uint8_t *raw)
{
	memset(raw, 0, HEADER_BYTES);
	memcpy(raw, header_cookie, sizeof(header_cookie));
	put_be64(raw + H_DATA_OFFSET, UINT64_MAX);
	put_be64(raw + H_TABLE_OFFSET, h->table_offset);
	put_be32(raw + H_VERSION, VERSION_1);
	put_be32(raw + H_ENTRIES, h->entries);
	put_be32(raw + H_BLOCK_SIZE, h->block_size);
	put_be32(raw + H_SUM, sum_of(raw, HEADER_BYTES, H_SUM));
}

int footer_same(const struct footer *a, const struct footer *b)
{
	return a->data_offset == b->data_offset && a->current_size == b->current_size &&
	       a->type == b->type && a->cylinders == b->cylinders && a->heads == b->heads &&
	       a->sectors == b->sectors && !memcmp(a->id, b->id, sizeof(a->id)) &&
	       !memcmp(a->creator, b->creator, sizeof(a->creator));
}

static uint64_t geometry_size(const struct footer *f)
{
	return (uint64_t)f->cylinders * f->heads * f->sectors * 512;
}

static int geometry_is_max(const struct footer *f)
{
	return f->cylinders == MAX_CYLINDERS && f->heads == MAX_HEADS && f->sectors == MAX_SECTORS;
}

uint64_t footer_disk_size(const struct footer *f)
{
	/* These present the geometry to their guests; a geometry at its end says nothing. */
	int by_geometry = !memcmp(f->creator, "vpc ", 4) || !memcmp(f->creator, "qemu", 4);
	uint64_t bytes = geometry_size(f);

	if (by_geometry && bytes && bytes < f->current_size && !geometry_is_max(f))
		return bytes;
	return f->current_size;
}

/*
 * The specification's own rule gives a geometry that is mostly smaller than the disk, and readers that
 * do not know our name (QEMU's among them) take the geometry then. The largest one sends them all to the size
 * field, so it is the one for every size that no geometry of the rule's heads and sectors hits.
 */
void footer_set_geometry(struct footer *f)
{
	static const struct { uint8_t heads, sectors; } shapes[] = {
		{ 4, 17 }, { 8, 17 }, { 16, 17 }, { 16, 31 }, { 16, 63 }, { 16, 255 },
	};
	uint64_t total = f->current_size / 512;
	unsigned int i;

	f->cylinders = MAX_CYLINDERS;
	f->heads = MAX_HEADS;
	f->sectors = MAX_SECTORS;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		uint32_t per = shapes[i].heads * shapes[i].sectors;

		if (total % per || total / per >= MAX_CYLINDERS)
			continue;
		/* Fewer than 1024 cylinders, as the rule has it, for all but the last two shapes. */
		if (i < 4 && total / per >= 1024)
			continue;
		f->cylinders = total / per;
		f->heads = shapes[i].heads;
		f->sectors = shapes[i].sectors;
		return;
	}
}
