// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands for a disk, a DVD drive and no unit at all. Whatever comes, an op to be done lies on the
 * medium and in the guest's buffer, and a reply in what was asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "devices/scsi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const struct scsi_unit *u, uint64_t lba, uint64_t nr)
{
	if (lba > u->blocks || nr > u->blocks - lba)
		abort();
}

static void judge(const struct scsi_unit *u, const struct scsi_op *op, uint32_t room)
{
	switch (op->kind) {
	case SCSI_OP_DONE:
		if (op->reply_len > room || op->reply_len > SCSI_REPLY_MAX ||
		    (op->status == SCSI_CHECK_CONDITION) != (op->sense_len == SCSI_SENSE_LEN))
			abort();
		break;
	case SCSI_OP_READ:
	case SCSI_OP_WRITE:
		if (op->bytes > room || op->bytes != op->nr * u->block || !op->nr)
			abort();
		inside(u, op->lba, op->nr);
		break;
	case SCSI_OP_ZERO:
	case SCSI_OP_SAME:
		if (op->nr * u->block > SCSI_SAME_BYTES)
			abort();
		inside(u, op->lba, op->nr);
		break;
	case SCSI_OP_UNMAP:
		if (!op->nr_ranges || op->nr_ranges > SCSI_RANGES_MAX || !u->unmap)
			abort();
		for (uint32_t i = 0; i < op->nr_ranges; i++)
			inside(u, op->ranges[i].lba, op->ranges[i].nr);
		break;
	case SCSI_OP_PARAM:
		if (op->bytes > room || !op->bytes)
			abort();
		break;
	case SCSI_OP_FLUSH:
		break;
	case SCSI_OP_EJECT:
	case SCSI_OP_LOAD:
		if (u->type != SCSI_DVD)
			abort();
		break;
	default:
		abort();
	}
	if (u && u->readonly && (op->kind == SCSI_OP_WRITE || op->kind == SCSI_OP_ZERO ||
				 op->kind == SCSI_OP_SAME || op->kind == SCSI_OP_UNMAP))
		abort();
}

/* 1 byte: which unit and how it is; 1: CDB length; 2: buffer; 16: CDB; the rest: parameters. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scsi_unit u = { .block = 512, .medium = true, .max_bytes = 1 << 20 };
	static struct scsi_op op;
	uint32_t room, len;
	uint8_t *params;

	if (size < 20)
		return 0;
	u.type = data[0] & 1 ? SCSI_DVD : SCSI_DISK;
	u.block = u.type == SCSI_DVD ? 2048 : data[0] & 2 ? 4096 : 512;
	u.medium = u.type == SCSI_DISK || !(data[0] & 4);
	u.readonly = u.type == SCSI_DVD || data[0] & 8;
	u.unmap = data[0] & 16;
	u.blocks = data[0] & 32 ? 1ull << 35 : 100000;
	u.attention = data[0] & 64 ? 31 : 0;
	len = 1 + data[1] % SCSI_CDB_MAX;
	room = (uint32_t)(data[2] << 8 | data[3]) << (data[1] >> 4);
	scsi_begin(data[0] & 128 ? NULL : &u, data + 4, len, room, &op);
	if (data[0] & 128) {
		if (op.kind != SCSI_OP_DONE || op.reply_len > room)
			abort();
		return 0;
	}
	judge(&u, &op, room);
	if (op.kind == SCSI_OP_PARAM) {
		params = calloc(1, op.bytes);
		if (!params)
			return 0;
		memcpy(params, data + 20, size - 20 < op.bytes ? size - 20 : op.bytes);
		scsi_param(&u, &op, params);
		free(params);
		judge(&u, &op, room);
		if (op.kind == SCSI_OP_PARAM)
			abort();
	}
	if (op.kind != SCSI_OP_DONE) {
		scsi_error(&op, -5);
		judge(&u, &op, room);
	}
	return 0;
}
