// SPDX-License-Identifier: GPL-2.0-or-later
/* The SCSI core: one table of commands, sense data, unit attention. */
#include <errno.h>
#include <string.h>

#include "scsi_impl.h"

void scsi_sense_set(struct scsi_op *op, enum scsi_sense what)
{
	op->kind = SCSI_OP_DONE;
	op->status = SCSI_CHECK_CONDITION;
	op->reply_len = 0;
	op->sense_len = SCSI_SENSE_LEN;
	memset(op->sense, 0, sizeof(op->sense));
	op->sense[0] = 0x70;		/* current error, fixed format */
	op->sense[2] = (uint8_t)(what >> 16);
	op->sense[7] = SCSI_SENSE_LEN - 8;
	op->sense[12] = (uint8_t)(what >> 8);
	op->sense[13] = (uint8_t)what;
}

void scsi_reply(struct scsi_op *op, uint32_t len, uint32_t room)
{
	op->kind = SCSI_OP_DONE;
	op->reply_len = len < room ? len : room;
}

static void test_unit_ready(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	(void)u, (void)op, (void)room;
}

/* Attention that is pending is the sense data asked for; no sense data otherwise. SPC-3 6.27. */
static void request_sense(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint32_t asked = op->cdb[4];

	(void)u;
	if (op->cdb[1] & 1)		/* descriptor format: not offered */
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (!op->sense_len) {
		scsi_sense_set(op, 0);
		op->sense[2] = 0;
	}
	memcpy(op->reply, op->sense, SCSI_SENSE_LEN);
	op->status = SCSI_GOOD;
	op->sense_len = 0;
	scsi_reply(op, SCSI_SENSE_LEN, asked < room ? asked : room);
}

/* A self-test passes; other diagnostics need parameters, which nobody sends. SPC-3 6.28. */
static void send_diagnostic(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	(void)u, (void)room;
	if (!(op->cdb[1] & 0x04) || be16_at(op->cdb + 3))
		scsi_sense_set(op, SENSE_BAD_FIELD);
}

/* SBC-3 5.20, MMC-5 6.42: a disk stops and starts by doing nothing; a tray moves. */
static void start_stop(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	bool load_eject = op->cdb[4] & 2, start = op->cdb[4] & 1;

	(void)room;
	if (u->type == SCSI_DISK) {
		/* The cache is on disk before the guest may think the power is off. */
		if (!start && !(op->cdb[4] >> 4))
			op->kind = SCSI_OP_FLUSH;
		return;
	}
	if (op->cdb[4] >> 4 || !load_eject)
		return;
	if (!start && atomic_load(&u->locked))
		return scsi_sense_set(op, SENSE_NO_REMOVAL);
	op->kind = start ? SCSI_OP_LOAD : SCSI_OP_EJECT;
}

static void prevent_removal(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	(void)room;
	if (op->cdb[4] & 2)	/* persistent prevent: obsolete */
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	atomic_store(&u->locked, op->cdb[4] & 1);
}

/* Searched from the front: what disks live on comes first. */
static const struct scsi_row rows[] = {
	{ 0x28, 10, ROW_ALL | ROW_MEDIUM | ROW_MOVES, "READ(10)", scsi_read, NULL },
	{ 0x2a, 10, ROW_DISK | ROW_WRITES | ROW_MOVES, "WRITE(10)", scsi_write, NULL },
	{ 0x00, 6, ROW_ALL | ROW_MEDIUM, "TEST UNIT READY", test_unit_ready, NULL },
	{ 0x03, 6, ROW_ALL | ROW_ATTN, "REQUEST SENSE", request_sense, NULL },
	{ 0x08, 6, ROW_DISK | ROW_MOVES, "READ(6)", scsi_read, NULL },
	{ 0x0a, 6, ROW_DISK | ROW_WRITES | ROW_MOVES, "WRITE(6)", scsi_write, NULL },
	{ 0x12, 6, ROW_ALL | ROW_ATTN, "INQUIRY", scsi_inquiry, NULL },
	{ 0x15, 6, ROW_ALL, "MODE SELECT(6)", scsi_mode_select_6, scsi_mode_select_param },
	{ 0x1a, 6, ROW_ALL, "MODE SENSE(6)", scsi_mode_sense_6, NULL },
	{ 0x1b, 6, ROW_ALL, "START STOP UNIT", start_stop, NULL },
	{ 0x1d, 6, ROW_ALL, "SEND DIAGNOSTIC", send_diagnostic, NULL },
	/* Linux takes an attention in answer to it for success. */
	{ 0x1e, 6, ROW_ALL | ROW_ATTN, "PREVENT ALLOW MEDIUM REMOVAL", prevent_removal, NULL },
	{ 0x25, 10, ROW_ALL | ROW_MEDIUM, "READ CAPACITY(10)", scsi_read_capacity_10, NULL },
	{ 0x2f, 10, ROW_ALL | ROW_MEDIUM, "VERIFY(10)", scsi_verify, NULL },
	{ 0x35, 10, ROW_DISK, "SYNCHRONIZE CACHE(10)", scsi_sync_cache, NULL },
	{ 0x41, 10, ROW_DISK | ROW_WRITES, "WRITE SAME(10)", scsi_write_same,
	  scsi_write_same_param },
	{ 0x42, 10, ROW_DISK | ROW_WRITES, "UNMAP", scsi_unmap, scsi_unmap_param },
	{ 0x43, 10, ROW_DVD | ROW_MEDIUM, "READ TOC/PMA/ATIP", scsi_read_toc, NULL },
	{ 0x46, 10, ROW_DVD | ROW_ATTN, "GET CONFIGURATION", scsi_get_configuration, NULL },
	{ 0x4a, 10, ROW_DVD | ROW_ATTN, "GET EVENT STATUS NOTIFICATION", scsi_event_status, NULL },
	{ 0x51, 10, ROW_DVD | ROW_MEDIUM, "READ DISC INFORMATION", scsi_disc_information, NULL },
	{ 0x55, 10, ROW_ALL, "MODE SELECT(10)", scsi_mode_select_10, scsi_mode_select_param },
	{ 0x5a, 10, ROW_ALL, "MODE SENSE(10)", scsi_mode_sense_10, NULL },
	{ 0x88, 16, ROW_DISK | ROW_MOVES, "READ(16)", scsi_read, NULL },
	{ 0x8a, 16, ROW_DISK | ROW_WRITES | ROW_MOVES, "WRITE(16)", scsi_write, NULL },
	{ 0x8f, 16, ROW_DISK, "VERIFY(16)", scsi_verify, NULL },
	{ 0x91, 16, ROW_DISK, "SYNCHRONIZE CACHE(16)", scsi_sync_cache, NULL },
	{ 0x93, 16, ROW_DISK | ROW_WRITES, "WRITE SAME(16)", scsi_write_same,
	  scsi_write_same_param },
	{ 0x9e, 16, ROW_DISK, "SERVICE ACTION IN(16)", scsi_service_action_in, NULL },
	{ SCSI_REPORT_LUNS, 12, 0, "REPORT LUNS", NULL, NULL },	/* the target's: scsi_report_luns() */
	{ 0xa8, 12, ROW_ALL | ROW_MEDIUM | ROW_MOVES, "READ(12)", scsi_read, NULL },
	{ 0xaa, 12, ROW_DISK | ROW_WRITES | ROW_MOVES, "WRITE(12)", scsi_write, NULL },
	{ 0xbd, 12, ROW_DVD, "MECHANISM STATUS", scsi_mechanism_status, NULL },
};

static const struct scsi_row *row_of(uint8_t opcode)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].opcode == opcode)
			return &rows[i];
	return NULL;
}

const char *scsi_opcode_name(uint8_t opcode)
{
	const struct scsi_row *row = row_of(opcode);

	return row ? row->name : "unknown";
}

/* In the order they are told, SAM-3 5.9.4. */
static const struct {
	unsigned int bit;
	enum scsi_sense sense;
} attentions[] = {
	{ SCSI_ATTN_RESET, SENSE_RESET },
	{ SCSI_ATTN_MEDIUM, SENSE_NEW_MEDIUM },
	{ SCSI_ATTN_CAPACITY, SENSE_CAPACITY },
	{ SCSI_ATTN_LUNS, SENSE_LUNS_CHANGED },
	{ SCSI_ATTN_EJECT, SENSE_EJECT_REQUEST },
};

/* True, with its sense data set, if the unit had something to tell; told once. */
static bool tell_attention(struct scsi_unit *u, struct scsi_op *op)
{
	if (!atomic_load_explicit(&u->attention, memory_order_relaxed))
		return false;
	for (size_t i = 0; i < sizeof(attentions) / sizeof(attentions[0]); i++) {
		/* That the medium has gone is told by "no medium"; the bit stays for event polling. */
		if (attentions[i].bit == SCSI_ATTN_MEDIUM && !u->medium)
			continue;
		if (atomic_fetch_and(&u->attention, ~attentions[i].bit) & attentions[i].bit) {
			scsi_sense_set(op, attentions[i].sense);
			return true;
		}
	}
	return false;
}

void scsi_begin(struct scsi_unit *u, const uint8_t *cdb, uint32_t len, uint32_t room,
		struct scsi_op *op)
{
	const struct scsi_row *row = row_of(cdb[0]);
	unsigned int type;

	memset(op, 0, offsetof(struct scsi_op, reply));
	if (!row || !(row->flags & ROW_MOVES))
		memset(op->reply, 0, SCSI_REPLY_MAX);
	memcpy(op->cdb, cdb, len < SCSI_CDB_MAX ? len : SCSI_CDB_MAX);
	if (!u) {
		if (cdb[0] == 0x12 && len >= 6)
			scsi_inquiry(NULL, op, room);
		else
			scsi_sense_set(op, SENSE_BAD_LUN);
		return;
	}
	type = u->type == SCSI_DVD ? ROW_DVD : ROW_DISK;
	if (!row || !(row->flags & type))
		return scsi_sense_set(op, SENSE_BAD_OPCODE);
	if (len < row->cdb_len)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (!(row->flags & ROW_ATTN) && tell_attention(u, op))
		return;
	if (row->opcode == 0x03)
		tell_attention(u, op);
	if ((row->flags & ROW_MEDIUM) && !u->medium)
		return scsi_sense_set(op, SENSE_NO_MEDIUM);
	if ((row->flags & ROW_WRITES) && u->readonly)
		return scsi_sense_set(op, SENSE_PROTECTED);
	row->begin(u, op, room);
}

void scsi_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf)
{
	const struct scsi_row *row = row_of(op->cdb[0]);

	op->kind = SCSI_OP_DONE;
	if (!row || !row->param)
		return scsi_sense_set(op, SENSE_BAD_OPCODE);
	row->param(u, op, buf);
}

void scsi_error(struct scsi_op *op, int err)
{
	bool reads = op->kind == SCSI_OP_READ;

	switch (err) {
	case -ENOMEM:
	case -EAGAIN:
	case -EINTR:
		op->kind = SCSI_OP_DONE;
		op->status = SCSI_BUSY;
		op->sense_len = 0;
		op->reply_len = 0;
		return;
	case -ENOSPC:
	case -EDQUOT:
		return scsi_sense_set(op, SENSE_NO_SPACE);
	case -EROFS:
		return scsi_sense_set(op, SENSE_PROTECTED);
	case -ERANGE:
		return scsi_sense_set(op, SENSE_BAD_LBA);
	case -EFAULT:
		return scsi_sense_set(op, SENSE_DATA_PHASE);
	case -EMSGSIZE:
		return scsi_sense_set(op, SENSE_LIST_LENGTH);
	case -EPROTO:
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	case -ENOMEDIUM:
		return scsi_sense_set(op, SENSE_NO_MEDIUM);
	default:
		return scsi_sense_set(op, reads ? SENSE_READ_ERROR : SENSE_WRITE_ERROR);
	}
}

uint32_t scsi_report_luns(const uint8_t *cdb, const uint64_t present[SCSI_LUNS_MAX / 64],
			  uint8_t *buf, uint32_t room)
{
	uint32_t asked = be32_at(cdb + 6), len = 8, lun;
	uint8_t list[8 + 8 * SCSI_LUNS_MAX] = { 0 };

	/* 0: those with addressing methods that are well known or not; 1: well-known alone; 2: all. */
	if (cdb[2] != 1)
		for (lun = 0; lun < SCSI_LUNS_MAX; lun++)
			if (present[lun / 64] >> (lun % 64) & 1) {
				list[len + 1] = (uint8_t)lun;	/* peripheral addressing */
				len += 8;
			}
	be32_to(list, len - 8);
	if (len > asked)
		len = asked;
	if (len > room)
		len = room;
	memcpy(buf, list, len);
	return len;
}
