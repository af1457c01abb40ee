// SPDX-License-Identifier: GPL-2.0-or-later
/* What a DVD drive answers besides: MMC-5 6. The medium is one finalized data track. */
#include <string.h>

#include "scsi_impl.h"

#define PROFILE_NONE	0x0000
#define PROFILE_DVD_ROM	0x0010
#define LEAD_OUT	0xaa

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* An address as the medium's tables give it: a block number, or minutes, seconds and frames. */
static void address(uint8_t *p, uint64_t lba, bool msf)
{
	if (!msf) {
		be32_to(p, (uint32_t)lba);
		return;
	}
	lba += 150;		/* two seconds of lead-in; 75 frames a second */
	p[0] = 0;
	p[1] = (uint8_t)smaller((uint32_t)(lba / (75 * 60)), 255);
	p[2] = (uint8_t)(lba / 75 % 60);
	p[3] = (uint8_t)(lba % 75);
}

static uint8_t *track(uint8_t *p, uint8_t number, uint64_t lba, bool msf)
{
	p[1] = 0x14;		/* data track, position */
	p[2] = number;
	address(p + 4, lba, msf);
	return p + 8;
}

void scsi_read_toc(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint8_t format = op->cdb[2] & 0x0f, from = op->cdb[6], *r = op->reply, *p = r + 4;
	bool msf = op->cdb[1] & 2;

	r[2] = 1;		/* first track or session */
	r[3] = 1;		/* last */
	switch (format) {
	case 0:			/* the tracks from @from on */
		if (from > 1 && from != LEAD_OUT)
			return scsi_sense_set(op, SENSE_BAD_FIELD);
		if (from <= 1)
			p = track(p, 1, 0, msf);
		p = track(p, LEAD_OUT, u->blocks, msf);
		break;
	case 1:			/* the last session's first track */
		p = track(p, 1, 0, msf);
		break;
	default:
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	}
	be16_to(r, (uint16_t)(p - r - 2));
	scsi_reply(op, (uint32_t)(p - r), smaller(be16_at(op->cdb + 7), room));
}

/* Features, MMC-5 5.3: number, bytes behind its four, current always or with a medium only. */
static uint8_t *profile_list(const struct scsi_unit *u, uint8_t *p)
{
	p[2] = 0x03;		/* persistent, current */
	p[3] = 4;
	be16_to(p + 4, PROFILE_DVD_ROM);
	p[6] = u->medium;
	return p + 8;
}

static uint8_t *core_feature(const struct scsi_unit *u, uint8_t *p)
{
	(void)u;
	be16_to(p, 0x0001);
	p[2] = 0x0b;		/* version 2 */
	p[3] = 8;
	be32_to(p + 4, 1);	/* SCSI */
	p[8] = 1;		/* device busy events */
	return p + 12;
}

static uint8_t *removable(const struct scsi_unit *u, uint8_t *p)
{
	(void)u;
	be16_to(p, 0x0003);
	p[2] = 0x03;
	p[3] = 4;
	p[4] = 0x29;		/* tray, eject, lock */
	return p + 8;
}

static uint8_t *random_readable(const struct scsi_unit *u, uint8_t *p)
{
	be16_to(p, 0x0010);
	p[2] = u->medium;
	p[3] = 8;
	be32_to(p + 4, u->block);
	be16_to(p + 8, 16);	/* blocks of an error correction unit */
	return p + 12;
}

static uint8_t *dvd_read(const struct scsi_unit *u, uint8_t *p)
{
	be16_to(p, 0x001f);
	p[2] = u->medium;
	return p + 4;
}

static const struct {
	uint16_t number;
	uint8_t *(*fill)(const struct scsi_unit *u, uint8_t *p);
} features[] = {
	{ 0x0000, profile_list },
	{ 0x0001, core_feature },
	{ 0x0003, removable },
	{ 0x0010, random_readable },
	{ 0x001f, dvd_read },
};

void scsi_get_configuration(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint8_t which = op->cdb[1] & 3, *r = op->reply, *p = r + 8;
	uint16_t from = be16_at(op->cdb + 2);

	if (which == 3)
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		uint8_t *start = p;

		if (features[i].number < from || (which == 2 && features[i].number != from))
			continue;
		p = features[i].fill(u, p);
		if (which == 1 && !(start[2] & 1)) {
			memset(start, 0, (size_t)(p - start));
			p = start;
		}
	}
	be32_to(r, (uint32_t)(p - r - 4));
	be16_to(r + 6, u->medium ? PROFILE_DVD_ROM : PROFILE_NONE);
	scsi_reply(op, (uint32_t)(p - r), smaller(be16_at(op->cdb + 7), room));
}

#define CLASS_MEDIA	4

/* MMC-5 6.7. Only polled: the event is what the unit has to tell. */
void scsi_event_status(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	unsigned int attn = atomic_load(&u->attention);
	uint8_t *r = op->reply;

	if (!(op->cdb[1] & 1))		/* asynchronous */
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	r[3] = 1u << CLASS_MEDIA;	/* supported */
	if (!(op->cdb[4] & 1u << CLASS_MEDIA)) {
		r[2] = 0x80;		/* no event of the classes asked for */
		be16_to(r, 2);
		return scsi_reply(op, 4, smaller(be16_at(op->cdb + 7), room));
	}
	r[2] = CLASS_MEDIA;
	if (attn & SCSI_ATTN_EJECT) {
		r[4] = 1;		/* the operator asks for the medium */
		atomic_fetch_and(&u->attention, ~SCSI_ATTN_EJECT);
	} else if (attn & SCSI_ATTN_MEDIUM) {
		r[4] = u->medium ? 2 : 3;	/* new medium, medium removed */
		/* A new one stays to be told as unit attention, which makes the guest read its size. */
		if (!u->medium)
			atomic_fetch_and(&u->attention, ~SCSI_ATTN_MEDIUM);
	}
	r[5] = u->medium ? 2 : 1;	/* medium present; tray open */
	be16_to(r, 6);
	scsi_reply(op, 8, smaller(be16_at(op->cdb + 7), room));
}

void scsi_disc_information(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	uint8_t *r = op->reply;

	(void)u;
	if (op->cdb[1] & 7)		/* standard information alone */
		return scsi_sense_set(op, SENSE_BAD_FIELD);
	be16_to(r, 32);
	r[2] = 0x0e;			/* last session complete, disc finalized */
	r[3] = 1;			/* first track */
	r[4] = 1;			/* sessions */
	r[5] = 1;			/* first track in the last session */
	r[6] = 1;			/* last track there */
	r[7] = 0x20;			/* unrestricted use */
	scsi_reply(op, 34, smaller(be16_at(op->cdb + 7), room));
}

void scsi_mechanism_status(struct scsi_unit *u, struct scsi_op *op, uint32_t room)
{
	op->reply[1] = u->medium ? 0 : 0x10;	/* tray open */
	scsi_reply(op, 8, smaller(be16_at(op->cdb + 8), room));
}
