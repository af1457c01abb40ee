/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the SCSI core share: sense data, replies, the rows of the command tables. */
#ifndef HV_DEVICES_SCSI_IMPL_H
#define HV_DEVICES_SCSI_IMPL_H

#include "scsi.h"

/* Sense key in bits 16-23, additional sense code 8-15, qualifier 0-7. SPC-3 4.5.6, annex D. */
enum scsi_sense {
	SENSE_NO_MEDIUM		= 0x023a00,
	SENSE_READ_ERROR	= 0x031100,
	SENSE_WRITE_ERROR	= 0x030c00,
	SENSE_LIST_LENGTH	= 0x051a00,
	SENSE_BAD_OPCODE	= 0x052000,
	SENSE_BAD_LBA		= 0x052100,
	SENSE_BAD_FIELD		= 0x052400,
	SENSE_BAD_LUN		= 0x052500,
	SENSE_BAD_PARAM		= 0x052600,
	SENSE_NOT_SAVED		= 0x053900,
	SENSE_NO_REMOVAL	= 0x055302,
	SENSE_NEW_MEDIUM	= 0x062800,
	SENSE_RESET		= 0x062900,
	SENSE_CAPACITY		= 0x062a09,
	SENSE_LUNS_CHANGED	= 0x063f0e,
	SENSE_EJECT_REQUEST	= 0x065a01,
	SENSE_PROTECTED		= 0x072700,
	SENSE_NO_SPACE		= 0x072707,
	SENSE_DATA_PHASE	= 0x0b4b00,	/* between guest and device */
};

void scsi_sense_set(struct scsi_op *op, enum scsi_sense what);

/* The reply is op->reply up to @len, of which the guest asked for @room. */
void scsi_reply(struct scsi_op *op, uint32_t len, uint32_t room);

enum scsi_row_flags {
	ROW_ATTN	= 1u << 0,	/* carried out although attention is pending */
	ROW_MEDIUM	= 1u << 1,	/* needs a medium */
	ROW_WRITES	= 1u << 2,	/* refused on a read-only medium */
	ROW_DISK	= 1u << 3,	/* of disks */
	ROW_DVD		= 1u << 4,	/* of DVD drives */
	ROW_MOVES	= 1u << 5,	/* moves data between buffer and medium: no reply of ours */
	ROW_ALL		= ROW_DISK | ROW_DVD,
};

/* @room: the guest's buffer; @op->cdb is set, the rest zero. */
typedef void (*scsi_fn)(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
typedef void (*scsi_param_fn)(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf);

struct scsi_row {
	uint8_t		opcode;
	uint8_t		cdb_len;
	uint16_t	flags;
	const char	*name;
	scsi_fn		begin;
	scsi_param_fn	param;
};

/* scsi_inquiry.c */
void scsi_inquiry(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
/* scsi_mode.c */
void scsi_mode_sense_6(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_mode_sense_10(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_mode_select_6(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_mode_select_10(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_mode_select_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf);
/* scsi_disk.c */
void scsi_read(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_write(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_verify(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_sync_cache(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_unmap(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_unmap_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf);
void scsi_write_same(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_write_same_param(struct scsi_unit *u, struct scsi_op *op, const uint8_t *buf);
void scsi_read_capacity_10(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_service_action_in(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
/* scsi_dvd.c */
void scsi_read_toc(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_get_configuration(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_event_status(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_disc_information(struct scsi_unit *u, struct scsi_op *op, uint32_t room);
void scsi_mechanism_status(struct scsi_unit *u, struct scsi_op *op, uint32_t room);

static inline uint16_t be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be24_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | be16_at(p + 1);
}

static inline uint32_t be32_at(const uint8_t *p)
{
	return (uint32_t)be16_at(p) << 16 | be16_at(p + 2);
}

static inline uint64_t be64_at(const uint8_t *p)
{
	return (uint64_t)be32_at(p) << 32 | be32_at(p + 4);
}

static inline void be16_to(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32_to(uint8_t *p, uint32_t v)
{
	be16_to(p, (uint16_t)(v >> 16));
	be16_to(p + 2, (uint16_t)v);
}

static inline void be64_to(uint8_t *p, uint64_t v)
{
	be32_to(p, (uint32_t)(v >> 32));
	be32_to(p + 4, (uint32_t)v);
}

#endif
