/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The footer and the dynamic header of a VHD, as "Virtual Hard Disk Image Format Specification",
 * version 1.0 (2006), lays them out: big-endian, each with a checksum of its own.
 */
#ifndef LIBVHD_FOOTER_H
#define LIBVHD_FOOTER_H

#include <stdint.h>

#define FOOTER_BYTES	512u
#define HEADER_BYTES	1024u
/* Writers before Virtual PC 2004 left the last byte out. */
#define FOOTER_OLD	511u
#define BAT_FREE	0xffffffffu

enum footer_type { FOOTER_FIXED = 2, FOOTER_DYNAMIC = 3, FOOTER_DIFF = 4 };

struct footer {
	uint32_t	version;
	uint64_t	data_offset;	/* of the dynamic header; all ones: none */
	uint32_t	timestamp;	/* seconds since 2000-01-01 */
	char		creator[4];
	uint64_t	current_size;	/* bytes */
	uint16_t	cylinders;
	uint8_t		heads, sectors;
	uint32_t	type;
	uint8_t		id[16];
};

struct dynamic_header {
	uint64_t	table_offset;
	uint32_t	version;
	uint32_t	entries;
	uint32_t	block_size;
};

enum footer_state {
	FOOTER_NONE,		/* no cookie: something else is there */
	FOOTER_BAD,		/* the checksum is wrong */
	FOOTER_GOOD,
};

/* Look at FOOTER_BYTES at @raw; @f is set if it is good, *sum to the checksum it should have. */
enum footer_state footer_decode(struct footer *f, const uint8_t *raw, uint32_t *sum);
void footer_encode(const struct footer *f, uint8_t *raw);
/* The same for HEADER_BYTES of a dynamic header. */
enum footer_state header_decode(struct dynamic_header *h, const uint8_t *raw, uint32_t *sum);
void header_encode(const struct dynamic_header *h, uint8_t *raw);
/* The checksum field itself. */
uint32_t footer_stored_sum(const uint8_t *raw);
uint32_t header_stored_sum(const uint8_t *raw);

/* Whether two good footers describe the same disk. */
int footer_same(const struct footer *a, const struct footer *b);

/* Bytes of the disk. Virtual PC and old QEMUs mean the geometry, everybody else the size field. */
uint64_t footer_disk_size(const struct footer *f);
/* Set a geometry such that every reader arrives at current_size. */
void footer_set_geometry(struct footer *f);

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	p[0] = v >> 24;
	p[1] = v >> 16;
	p[2] = v >> 8;
	p[3] = v;
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, v >> 32);
	put_be32(p + 4, v);
}

#endif
