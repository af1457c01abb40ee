// SPDX-License-Identifier: GPL-2.0-or-later
/* MODE SENSE and MODE SELECT: SPC-3 6.9, 6.11, 7.4; SBC-3 6.4; MMC-5 7. */
#include <string.h>

#include "scsi_impl.h"

/* Page control field: which values. */
enum { PC_CURRENT, PC_CHANGEABLE, PC_DEFAULT, PC_SAVED };

static uint32_t recovery(struct scsi_unit *u, uint8_t *p, bool changeable)
{
	(void)u, (void)changeable;
	p[0] = 0x01;
	p[1] = 10;
	return 12;
}

/* The write cache is on and nobody can turn it off: what is not flushed may be lost with the power. */
static uint32_t caching(struct scsi_unit *u, uint8_t *p, bool changeable)
{
	p[0] = 0x08;
	p[1] = 18;
	if (!changeable && !u->readonly)
		p[2] = 0x04;	/* WCE */
	return 20;
}

static uint32_t control(struct scsi_unit *u, uint8_t *p, bool changeable)
{
	(void)u;
	p[0] = 0x0a;
	p[1] = 10;
	if (!changeable)
		p[3] = 0x10;	/* commands may be reordered */
	return 12;
}

/* MM capabilities: reads DVD-ROM, loads with a tray, can lock it. MMC-3 6.3.11; still asked for. */
static uint32_t capabilities(struct scsi_unit *u, uint8_t *p, bool changeable)
{
	p[0] = 0x2a;
	p[1] = 20;
	if (changeable)
		return 22;
	p[2] = 0x38;		/* DVD-ROM, DVD-R, and method 2 are read */
	p[4] = 0x70;		/* multi-session, mode 2 forms 1 and 2 */
	p[6] = 0x29 | (atomic_load(&u->locked) ? 0x02 : 0);	/* tray, eject, lock */
	return 22;
}

static const struct {
	uint8_t page;
	unsigned int flags;
	uint32_t (*fill)(struct scsi_unit *u, uint8_t *p, bool changeable);
} pages[] = {
	{ 0x01, ROW_ALL, recovery },
	{ 0x08, ROW_DISK, caching },
	{ 0x0a, ROW_ALL, control },
	{ 0x2a, ROW_DVD, capabilities },
};

/* The pages asked for at @p; their bytes, or 0 if there is no such page. */
static uint32_t fill_pages(struct scsi_unit *u, uint8_t *p, uint8_t page, unsigned int pc)
{
	unsigned int type = u->type == SCSI_DVD ? ROW_DVD : ROW_DISK;
	uint32_t len = 0;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if ((pages[i].flags & type) && (page == 0x3f || page == pages[i].page))
			len += pages[i].fill(u, p + len, pc == PC_CHANGEABLE);
	return len;
}

static uint32_t block_descriptor(struct scsi_unit *u, uint8_t *p)
{
	if (u->type != SCSI_DISK)
		return 0;
	be32_to(p, u->blocks > 0xffffffff ? 0xffffffff : (uint32_t)u->blocks);
	be32_to(p + 4, u->block);
	return 8;
}

/* @head: bytes of the header, 4 or 8. */
static void mode_sense(struct scsi_unit *u, struct scsi_op *op, uint32_t room, uint32_t head)
{
	uint8_t *r = op->reply, page = op->cdb[2] & 0x3f, sub = op->cdb[3];
	unsigned int pc = op->cdb[2] >> 6;
	uint32_t desc = 0, body, len;

	if (pc == PC_SAVED)
		return scsi_sense_set(op, SENSE_NOT_SAVED);
	if (sub && sub != 0xff)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (!(op->cdb[1] & 8))
		desc = block_descriptor(u, r + head);
	body = fill_pages(u, r + head + desc, page, pc);
	if (!body && page != 0)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	len = head + desc + body;
	if (head == 4) {
		r[0] = (uint8_t)(len - 1);
		r[2] = u->readonly && u->type == SCSI_DISK ? 0x80 : 0;
		r[3] = (uint8_t)desc;
	} else {
		be16_to(r, (uint16_t)(len - 2));
		r[3] = u->readonly && u->type == SCSI_DISK ? 0x80 : 0;
		be16_to(r + 6, (uint16_t)desc);
	}
	scsi_reply(op, len, room);
}

void scsi_mode_sense_6(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	mode_sense(u, op, op->cdb[4] < room ? op->cdb[4] : room, 4);
}

void scsi_mode_sense_10(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint32_t asked = be16_at(op->cdb + 7);

	mode_sense(u, op, asked < room ? asked : room, 8);
}

static void mode_select(struct scsi_op *op, uint32_t asked, uint32_t room)
{
	if (op->cdb[1] & 1)			/* save pages: there is no place for them */
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	if (asked > room || asked > SCSI_REPLY_MAX)
		return scsi_sense_set(op, SENSE_LIST_LENGTH);
	if (!asked)
		return;
	op->kind = SCSI_OP_PARAM;
	op->bytes = asked;
}

void scsi_mode_select_6(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	(void)u;
	mode_select(op, op->cdb[4], room);
}

void scsi_mode_select_10(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	(void)u;
	mode_select(op, be16_at(op->cdb + 7), room);
}

/*
 * Nothing can be changed: pages are taken when they say what is so already. MODE SENSE and then
 * MODE SELECT of the same page is what tools do.
 */
void scsi_mode_select_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf)
{
	uint32_t head = op->cdb[0] == 0x15 ? 4 : 8, pos, len = op->bytes;
	uint8_t want[SCSI_REPLY_MAX];
	uint32_t desc, n;

	if (len < head)
		return scsi_sense_set(op, SENSE_LIST_LENGTH);
	desc = head == 4 ? buf[3] : be16_at(buf + 6);
	if (desc > len - head)
		return scsi_sense_set(op, SENSE_BAD_PARAM);
	for (pos = head + desc; pos < len; pos += n) {
		if (len - pos < 2 || (buf[pos] & 0x40) || len - pos < 2u + buf[pos + 1])
			return scsi_sense_set(op, SENSE_LIST_LENGTH);
		memset(want, 0, sizeof(want));
		n = fill_pages(u, want, buf[pos] & 0x3f, PC_CURRENT);
		if (!n || (buf[pos] & 0x3f) == 0x3f || n != 2u + buf[pos + 1] ||
		    memcmp(buf + pos + 2, want + 2, n - 2))
			return scsi_sense_set(op, SENSE_BAD_PARAM);
	}
}
