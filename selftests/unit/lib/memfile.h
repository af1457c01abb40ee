/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file in memory for libvhd, that records what is done to it, fails where it is told to, and can
 * say what a disk may hold after a power cut.
 */
#ifndef SELFTESTS_UNIT_MEMFILE_H
#define SELFTESTS_UNIT_MEMFILE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "libvhd/vhd.h"

enum memfile_kind { MEM_WRITE, MEM_TRUNCATE, MEM_PUNCH, MEM_SYNC };

struct memfile_op {
	enum memfile_kind	kind;
	uint64_t		offset, len;
	uint8_t			*data;		/* of MEM_WRITE */
};

struct memfile {
	pthread_mutex_t		lock;
	uint8_t			*data;
	uint64_t		size, room;
	uint64_t		most;		/* growing beyond is -ENOSPC; 0: no limit */
	bool			no_punch;

	bool			record;
	bool			deaf;		/* syncs are not recorded: as if they were taken out */
	struct memfile_op	*op;
	uint32_t		nr, op_room;

	/* The @fail_at'th operation that changes or syncs, from 1 on, gives @fail_err, and all after it
	 * too with @fail_stay. 0: none. What it does before it fails: nothing, half of it, or all. */
	uint32_t		changes, fail_at;
	int			fail_err;
	enum { MEM_NOTHING, MEM_HALF, MEM_ALL } fail_does;
	bool			fail_stay, failed;
};

extern const struct vhd_io_ops memfile_ops;

void memfile_init(struct memfile *f);
void memfile_done(struct memfile *f);
/* Copy contents, without record. */
void memfile_copy(struct memfile *to, const struct memfile *from);

/*
 * The file as a power cut after the first @nr recorded operations may leave it, in @to: of those behind
 * the last sync each sector is there or not, in order. @lose: in 256ths, how likely a sector is lost; 0 to 256.
 */
void memfile_cut(struct memfile *to, const struct memfile *start, const struct memfile *rec, uint32_t nr,
		 unsigned int lose, uint64_t *seed);

/* A repeatable stream of numbers. */
uint64_t memfile_random(uint64_t *seed);

#endif
