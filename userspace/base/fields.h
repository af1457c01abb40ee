/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as bytes: fields one behind the other, little-endian, without gaps.
 *
 * Both sides remember their first failure, so that a caller looks once, at the end.
 */
#ifndef HV_BASE_FIELDS_H
#define HV_BASE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero it first; free @buf. */
struct fields_out {
	uint8_t	*buf;
	size_t	len, room;
	bool	failed;		/* no memory */
};

void fields_put(struct fields_out *o, const void *p, size_t len);
void fields_put_u8(struct fields_out *o, uint8_t v);
void fields_put_u16(struct fields_out *o, uint16_t v);
void fields_put_u32(struct fields_out *o, uint32_t v);
void fields_put_u64(struct fields_out *o, uint64_t v);

/* What another process or a file says: hostile. Beyond its end everything is zero. */
struct fields_in {
	const uint8_t	*buf;
	size_t		len, pos;
	bool		failed;	/* it is too short */
};

void fields_get(struct fields_in *i, void *p, size_t len);
uint8_t fields_get_u8(struct fields_in *i);
uint16_t fields_get_u16(struct fields_in *i);
uint32_t fields_get_u32(struct fields_in *i);
uint64_t fields_get_u64(struct fields_in *i);
/* A byte that must be 0 or 1. */
bool fields_get_bool(struct fields_in *i);
/* All of it was read, and no more. */
bool fields_end(const struct fields_in *i);

#endif
