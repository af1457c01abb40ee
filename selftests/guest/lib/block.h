/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block.h - what selftests/guest/disk_moved.c and its device, selftests/lib/block_dev.c, say to each other */
#ifndef SELFTESTS_GUEST_BLOCK_H
#define SELFTESTS_GUEST_BLOCK_H

#include <hv/portable.h>

#define BLOCK_BYTES	1024u
#define BLOCK_SECTORS	64u	/* half of them for each channel */
#define BLOCK_PORT	0x600	/* at its end the guest writes here how many requests were answered */

enum block_op {
	BLOCK_READ = 1,
	BLOCK_WRITE,
	BLOCK_ADD,		/* 1 to the sector's counter: twice is not once */
};

struct block_request {
	u32 op;
	u32 sector;
	u64 gpa;		/* BLOCK_BYTES of RAM in one piece */
};

struct block_answer {
	u32 status;		/* 0: well */
	u32 counter;		/* ADD: after it */
};

#endif
