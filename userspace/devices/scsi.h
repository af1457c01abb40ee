/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scsi.h - what a SCSI logical unit answers: disks and DVD drives (SPC-3, SBC-3, MMC-5)
 *
 * Pure: commands go in, and what has to be done comes out as data. Nothing here touches guest
 * memory, files or threads. The caller (storvsp) does this for each command:
 *
 *	scsi_begin(unit, cdb, ...)	decode
 *	  SCSI_OP_PARAM:		bring op->bytes of the guest's buffer, scsi_param()
 *	  SCSI_OP_DONE:			give op->reply to the guest, complete
 *	  any other:			do it; scsi_error() if that failed; complete
 *
 * All of the guest's numbers are checked here: an op to be done lies within the unit, and never
 * moves more bytes than the guest's buffer has.
 */
#ifndef HV_DEVICES_SCSI_H
#define HV_DEVICES_SCSI_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCSI_CDB_MAX	16u
#define SCSI_REPLY_MAX	512u
#define SCSI_SENSE_LEN	18u		/* fixed format, SPC-3 4.5.3 */
#define SCSI_RANGES_MAX	64u		/* of one UNMAP; VPD page B0h tells */
#define SCSI_SAME_BYTES	(16u << 20)	/* of one WRITE SAME; VPD page B0h tells */
#define SCSI_ID_LEN	16u

/* Status byte, SAM-3 5.3. */
enum scsi_status {
	SCSI_GOOD		= 0x00,
	SCSI_CHECK_CONDITION	= 0x02,
	SCSI_BUSY		= 0x08,		/* ask again */
};

/* Peripheral device types, SPC-3 6.4.2. */
enum scsi_type {
	SCSI_DISK	= 0x00,
	SCSI_DVD	= 0x05,
	SCSI_ABSENT	= 0x1f,
};

/* Conditions the guest is told of once, by the next command that may carry sense data. */
enum scsi_attention {
	SCSI_ATTN_RESET		= 1u << 0,	/* 29/00 */
	SCSI_ATTN_MEDIUM	= 1u << 1,	/* 28/00 not ready to ready: medium may have changed */
	SCSI_ATTN_CAPACITY	= 1u << 2,	/* 2A/09 */
	SCSI_ATTN_LUNS		= 1u << 3,	/* 3F/0E reported LUNs changed */
	SCSI_ATTN_EJECT		= 1u << 4,	/* 5A/01: the operator asks for the medium */
};

/*
 * A logical unit. Set up before it is attached. While commands run, only @attention and @locked
 * change, and what belongs to the medium (@sectors, @medium, @readonly): under the caller's lock
 * against scsi_begin().
 */
struct scsi_unit {
	enum scsi_type	type;
	uint64_t	blocks;		/* logical blocks of the medium */
	uint32_t	block;		/* bytes of one: 512 or 4096; DVD 2048 */
	uint8_t		phys_exp;	/* 2^this logical blocks make a physical one */
	bool		readonly;
	bool		unmap;		/* space of unmapped blocks is given back */
	bool		rotates;
	bool		medium;		/* there is one */
	uint32_t	max_bytes;	/* of one command's data; told in VPD page B0h */
	uint8_t		id[SCSI_ID_LEN];	/* of the disk: names it in VPD pages 80h and 83h */
	atomic_uint	attention;	/* SCSI_ATTN_* */
	atomic_bool	locked;		/* PREVENT ALLOW MEDIUM REMOVAL */
};

enum scsi_op_kind {
	SCSI_OP_DONE,		/* nothing to do: status, sense and reply are set */
	SCSI_OP_PARAM,		/* the first @bytes of the guest's buffer are parameters */
	SCSI_OP_READ,		/* @lba, @nr blocks, @bytes to the guest's buffer */
	SCSI_OP_WRITE,		/* likewise from it; then flush if @fua */
	SCSI_OP_FLUSH,		/* all that was acknowledged goes to stable storage */
	SCSI_OP_UNMAP,		/* @ranges; @unmap is true */
	SCSI_OP_ZERO,		/* @lba, @nr blocks become zeros; space given back if @unmap */
	SCSI_OP_SAME,		/* write @reply (one block) to each of @nr blocks from @lba on */
	SCSI_OP_EJECT,		/* the guest opens the tray */
	SCSI_OP_LOAD,		/* ... and closes it */
};

struct scsi_range {
	uint64_t lba, nr;
};

struct scsi_op {
	enum scsi_op_kind kind;
	uint64_t	lba, nr;
	uint32_t	bytes;
	bool		fua, unmap;
	uint8_t		status;			/* enum scsi_status */
	uint8_t		sense_len;		/* 0 or SCSI_SENSE_LEN */
	uint8_t		sense[SCSI_SENSE_LEN];
	uint8_t		cdb[SCSI_CDB_MAX];
	uint32_t	nr_ranges;
	uint32_t	reply_len;		/* DONE: bytes for the guest's buffer, cut already */
	union {
		uint8_t reply[4096];		/* DONE: to SCSI_REPLY_MAX; SAME: one block */
		struct scsi_range ranges[SCSI_RANGES_MAX];
	};
};

/*
 * Decode @cdb of @len bytes (1..SCSI_CDB_MAX) for @u; @room is the size of the guest's data buffer.
 * Sets all of @op. @u NULL: no such unit; INQUIRY says so, everything else is refused.
 */
void scsi_begin(struct scsi_unit *u, const uint8_t *cdb, uint32_t len, uint32_t room,
		struct scsi_op *op);

/* @op is SCSI_OP_PARAM; @buf holds its @bytes. Makes it another kind. */
void scsi_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf);

/*
 * What was to be done failed with @err (negative errno): makes @op DONE, with status and sense. -EFAULT: no
 * memory where the guest's buffer should be; -EMSGSIZE: too long a parameter list; -EPROTO: not a command.
 */
void scsi_error(struct scsi_op *op, int err);

/*
 * REPORT LUNS of a target: @present has a bit per LUN 0..255. Fills @buf (@room bytes) as the CDB
 * asks; bytes written. SPC-3 6.21.
 */
#define SCSI_LUNS_MAX 256u
uint32_t scsi_report_luns(const uint8_t *cdb, const uint64_t present[SCSI_LUNS_MAX / 64],
			  uint8_t *buf, uint32_t room);
#define SCSI_REPORT_LUNS 0xa0
#define SCSI_INQUIRY	0x12

/* Name of an operation code, for traces; never NULL. */
const char *scsi_opcode_name(uint8_t opcode);

#endif
