/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block_dev.h - a small disk on a VMBus channel and its sub-channel, which can be moved with its VM
 *
 * A request stands in a table in shared memory before it leaves the ring, and until its answer is
 * in the ring. Two threads do requests in any order, each some time after it came. Stopped, the
 * device is left in one of two ways: nothing under way, or what is under way in the table.
 */
#ifndef HV_TEST_BLOCK_DEV_H
#define HV_TEST_BLOCK_DEV_H

#include <stdbool.h>
#include <stdint.h>
#include "selftests/guest/lib/block.h"

#define BLOCK_ENTRIES	12u	/* fewer than a guest asks for at once */

/* In memory that all processes share, and that begins as zeros. */
struct block_table {
	uint32_t executed;	/* requests done, */
	uint32_t carried;	/* and those that were under way when a device was stopped */
	uint32_t refused;	/* requests that made no sense */
	struct block_entry {
		uint32_t state, chan;
		uint64_t tid;
		struct block_request req;
		struct block_answer answer;
	} entry[BLOCK_ENTRIES];
	uint32_t counter[BLOCK_SECTORS];
};

/* Make bus and channels, before records are set. @ram: @bytes of the guest's from 0 on; @file: the disk. */
void block_dev_make(struct block_table *t, int vm, uint8_t *ram, uint64_t bytes, int file);
/* Work. */
void block_dev_start(void);
/* The vCPUs have stopped: leave nothing under way if @drain, else in the table. */
void block_dev_stop(bool drain);

#endif /* HV_TEST_BLOCK_DEV_H */
