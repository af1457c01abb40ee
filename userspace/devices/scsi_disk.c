// SPDX-License-Identifier: GPL-2.0-or-later
/* Block commands: SBC-3 5. READ and READ CAPACITY also serve DVD drives (MMC-5 6). */
#include <string.h>

#include "scsi_impl.h"

struct span {
	uint64_t lba, nr;
};

/* LBA and length by the size of the CDB, which the group in its first byte gives. */
static struct span span_of(const uint8_t *cdb)
{
	struct span s;

	switch (cdb[0] >> 5) {
	case 0:
		s.lba = be24_at(cdb + 1) & 0x1fffff;
		s.nr = cdb[4] ? cdb[4] : 256;
		break;
	case 1:
	case 2:
		s.lba = be32_at(cdb + 2);
		s.nr = be16_at(cdb + 7);
		break;
	case 4:
		s.lba = be64_at(cdb + 2);
		s.nr = be32_at(cdb + 10);
		break;
	default:
		s.lba = be32_at(cdb + 2);
		s.nr = be32_at(cdb + 6);
	}
	return s;
}

/* Does it lie on the medium? If not, sense data is set. */
static bool on_medium(const struct scsi_unit *u, struct scsi_op *op, struct span s)
{
	if (s.lba > u->blocks || s.nr > u->blocks - s.lba) {
		scsi_sense_set(op, SENSE_BAD_LBA);
		return false;
	}
	op->lba = s.lba;
	op->nr = s.nr;
	return true;
}

static void transfer(struct scsi_unit *u, struct scsi_op *op, uint32_t room,
		     enum scsi_op_kind kind)
{
	struct span s = span_of(op->cdb);

	/* Protection information is not kept. */
	if (op->cdb[0] >> 5 && op->cdb[1] >> 5)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (!on_medium(u, op, s) || !s.nr)
		return;
	if (s.nr > room / u->block)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	op->kind = kind;
	op->bytes = (uint32_t)s.nr * u->block;
	op->fua = op->cdb[0] >> 5 && (op->cdb[1] & 0x08);
}

void scsi_read(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	transfer(u, op, room, SCSI_OP_READ);
	op->fua = false;	/* the host's page cache holds nothing that is not so */
}

void scsi_write(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	transfer(u, op, room, SCSI_OP_WRITE);
}

/* Without data to compare with there is nothing that could differ. */
void scsi_verify(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	(void)room;
	if (op->cdb[1] & 0x06 || op->cdb[1] >> 5)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	on_medium(u, op, span_of(op->cdb));
}

/* The range is a hint: everything is flushed. */
void scsi_sync_cache(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	(void)room;
	if (on_medium(u, op, span_of(op->cdb)))
		op->kind = SCSI_OP_FLUSH;
}

#define UNMAP_HEAD	8u
#define UNMAP_DESC	16u

void scsi_unmap(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint32_t len = be16_at(op->cdb + 7);

	if (!u->unmap)
		return scsi_sense_set(op, SENSE_BAD_OPCODE);
	if (op->cdb[1] & 1)		/* anchored */
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (!len)
		return;
	if (len < UNMAP_HEAD || len > room || len > UNMAP_HEAD + UNMAP_DESC * SCSI_RANGES_MAX)
		return scsi_sense_set(op, SENSE_LIST_LENGTH);
	op->kind = SCSI_OP_PARAM;
	op->bytes = len;
}

void scsi_unmap_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf)
{
	uint32_t len = be16_at(buf + 2), n, i;
	struct span s;

	/* What is listed beyond the list's end is not there; a rest that is no whole descriptor counts not. */
	if (len > op->bytes - UNMAP_HEAD)
		len = op->bytes - UNMAP_HEAD;
	n = len / UNMAP_DESC;
	for (i = 0; i < n; i++) {
		s.lba = be64_at(buf + UNMAP_HEAD + i * UNMAP_DESC);
		s.nr = be32_at(buf + UNMAP_HEAD + i * UNMAP_DESC + 8);
		if (!on_medium(u, op, s))
			return;
		op->ranges[i].lba = s.lba;
		op->ranges[i].nr = s.nr;
	}
	op->nr_ranges = n;
	op->unmap = true;
	if (n)
		op->kind = SCSI_OP_UNMAP;
}

void scsi_write_same(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	bool unmap = op->cdb[1] & 0x08, no_data = op->cdb[0] == 0x93 && (op->cdb[1] & 0x01);
	struct span s = span_of(op->cdb);

	/* Protection, anchor, and the obsolete "write the address" bits. */
	if (op->cdb[1] & 0xf6 || (unmap && !u->unmap))
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (!s.nr || s.nr > SCSI_SAME_BYTES / u->block)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (!on_medium(u, op, s))
		return;
	op->unmap = unmap;
	if (no_data) {
		op->kind = SCSI_OP_ZERO;
		return;
	}
	if (room < u->block)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	op->kind = SCSI_OP_PARAM;
	op->bytes = u->block;
}

void scsi_write_same_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf)
{
	uint32_t i;

	for (i = 0; i < u->block && !buf[i]; i++)
		;
	if (i == u->block) {
		op->kind = SCSI_OP_ZERO;
		return;
	}
	op->unmap = false;	/* blocks that are to hold this cannot be given back */
	op->kind = SCSI_OP_SAME;
	memcpy(op->reply, buf, u->block);
}

void scsi_read_capacity_10(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint64_t last = u->blocks - 1;

	/* PMI, or an address without it: obsolete. */
	if (op->cdb[8] & 1 || be32_at(op->cdb + 2))
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	be32_to(op->reply, last > 0xfffffffe ? 0xffffffff : (uint32_t)last);
	be32_to(op->reply + 4, u->block);
	scsi_reply(op, 8, room);
}

void scsi_service_action_in(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint32_t asked = be32_at(op->cdb + 10);

	if ((op->cdb[1] & 0x1f) != 0x10)	/* READ CAPACITY(16) alone */
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	be64_to(op->reply, u->blocks - 1);
	be32_to(op->reply + 8, u->block);
	op->reply[13] = u->phys_exp & 0x0f;
	op->reply[14] = u->unmap ? 0xc0 : 0;	/* LBPME, LBPRZ: unmapped blocks read as zeros */
	scsi_reply(op, 32, asked < room ? asked : room);
}
