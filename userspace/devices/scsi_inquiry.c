// SPDX-License-Identifier: GPL-2.0-or-later
/* INQUIRY and its vital product data pages: SPC-3 6.4 and 7.6, SBC-3 6.5. */
#include <stdio.h>
#include <string.h>

#include "scsi_impl.h"

#define ADDITIONAL	31	/* bytes behind byte 4: 36 in all */

static void standard(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint8_t *r = op->reply;

	/* No unit here: qualifier 3, type 1Fh. An error would not do: the guest ignores it. */
	r[0] = u ? (uint8_t)u->type : 0x60 | SCSI_ABSENT;
	if (u && u->type == SCSI_DVD)
		r[1] = 0x80;		/* the medium can be removed */
	r[2] = 5;			/* SPC-3 */
	r[3] = 2;			/* format of this data */
	r[4] = ADDITIONAL;
	r[7] = 2;			/* command queueing */
	memcpy(r + 8, "Msft    ", 8);
	memcpy(r + 16, u && u->type == SCSI_DVD ? "Virtual DVD-ROM " : "Virtual Disk    ", 16);
	memcpy(r + 32, "1.0 ", 4);
	scsi_reply(op, 5 + ADDITIONAL, room);
}

static uint32_t page_list(struct scsi_unit *u, uint8_t *p);

static void hex(const uint8_t *id, char out[2 * SCSI_ID_LEN + 1])
{
	for (unsigned int i = 0; i < SCSI_ID_LEN; i++)
		sprintf(out + 2 * i, "%02x", id[i]);
}

static uint32_t serial(struct scsi_unit *u, uint8_t *p)
{
	char text[2 * SCSI_ID_LEN + 1];

	hex(u->id, text);
	memcpy(p, text, 2 * SCSI_ID_LEN);
	return 2 * SCSI_ID_LEN;
}

/*
 * Device identification: a T10 vendor designator, and a NAA one (locally assigned, so that it claims
 * nobody's registered number) that udev makes /dev/disk/by-id/wwn-... of.
 */
static uint32_t identification(struct scsi_unit *u, uint8_t *p)
{
	uint8_t *naa = p + 4 + 8 + 2 * SCSI_ID_LEN;
	char text[2 * SCSI_ID_LEN + 1];

	hex(u->id, text);
	p[0] = 2;			/* ASCII */
	p[1] = 1;			/* of the unit, T10 vendor id */
	p[3] = 8 + 2 * SCSI_ID_LEN;
	memcpy(p + 4, "Msft    ", 8);
	memcpy(p + 12, text, 2 * SCSI_ID_LEN);
	naa[0] = 1;			/* binary */
	naa[1] = 3;			/* of the unit, NAA */
	naa[3] = 8;
	memcpy(naa + 4, u->id, 8);
	naa[4] = 0x30 | (naa[4] & 0xf);	/* NAA 3: locally assigned */
	return 4 + 8 + 2 * SCSI_ID_LEN + 4 + 8;
}

/* Block limits, SBC-3 6.5.3. Lengths in logical blocks. */
static uint32_t limits(struct scsi_unit *u, uint8_t *p)
{
	p[0] = 1;					/* WRITE SAME of length 0 is refused */
	be16_to(p + 2, (uint16_t)(1u << u->phys_exp));	/* granularity */
	be32_to(p + 4, u->max_bytes / u->block);
	be32_to(p + 8, u->max_bytes / u->block);
	if (u->unmap) {
		be32_to(p + 16, 0xffffffff);		/* blocks of one UNMAP: the disk's size limits it */
		be32_to(p + 20, SCSI_RANGES_MAX);
		be32_to(p + 24, 1u << u->phys_exp);
		be32_to(p + 28, 0x80000000);		/* aligned to 0 */
	}
	be64_to(p + 32, SCSI_SAME_BYTES / u->block);
	return 60;
}

static uint32_t characteristics(struct scsi_unit *u, uint8_t *p)
{
	be16_to(p, u->rotates ? 7200 : 1);	/* 1: does not rotate */
	return 60;
}

/* Logical block provisioning, SBC-3 6.5.4: thin where space is given back; zeros are read then. */
static uint32_t provisioning(struct scsi_unit *u, uint8_t *p)
{
	p[1] = (uint8_t)((u->unmap ? 0xe0 : 0) | 0x04);	/* UNMAP, WRITE SAME(16), (10); zeros */
	p[2] = u->unmap ? 2 : 0;
	return 4;
}

static const struct {
	uint8_t page;
	bool dvd;
	uint32_t (*fill)(struct scsi_unit *u, uint8_t *p);	/* p: zeros; bytes of it */
} pages[] = {
	{ 0x00, true, page_list },
	{ 0x80, true, serial },
	{ 0x83, true, identification },
	{ 0xb0, false, limits },
	{ 0xb1, false, characteristics },
	{ 0xb2, false, provisioning },
};

static uint32_t page_list(struct scsi_unit *u, uint8_t *p)
{
	uint32_t n = 0;

	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (pages[i].dvd || u->type == SCSI_DISK)
			p[n++] = pages[i].page;
	return n;
}

void scsi_inquiry(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint32_t asked = be16_at(op->cdb + 3), len;
	uint8_t page = op->cdb[2];

	if (asked < room)
		room = asked;
	if (!(op->cdb[1] & 1)) {
		if (page)
			return scsi_sense_set(op, SENSE_BAD_FIELD);
		return standard(u, op, room);
	}
	for (size_t i = 0; u && i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (pages[i].page != page || !(pages[i].dvd || u->type == SCSI_DISK))
			continue;
		op->reply[0] = (uint8_t)u->type;
		op->reply[1] = page;
		len = pages[i].fill(u, op->reply + 4);
		be16_to(op->reply + 2, (uint16_t)len);
		return scsi_reply(op, 4 + len, room);
	}
	scsi_sense_set(op, SENSE_BAD_FIELD);
}
