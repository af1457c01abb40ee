// SPDX-License-Identifier: GPL-2.0-or-later
/* The SCSI core: what each command makes, and what hostile ones come to. */
#include <errno.h>

#include "devices/scsi.h"
#include "lib/unit.h"

#define SECTORS	(40ull << 30 >> 9)

static struct scsi_unit disk, dvd;
static struct scsi_op op;

static void units_reset(void)
{
	memset(&disk, 0, sizeof(disk));
	memset(&dvd, 0, sizeof(dvd));
	disk.type = SCSI_DISK;
	disk.blocks = SECTORS;
	disk.block = 512;
	disk.phys_exp = 3;
	disk.unmap = true;
	disk.medium = true;
	disk.max_bytes = 1 << 20;
	memset(disk.id, 0xab, sizeof(disk.id));
	dvd.type = SCSI_DVD;
	dvd.blocks = 1000;
	dvd.block = 2048;
	dvd.readonly = true;
	dvd.medium = true;
	dvd.max_bytes = 1 << 20;
}

static void run(struct scsi_unit *u, const char *hex, uint32_t room)
{
	uint8_t cdb[SCSI_CDB_MAX];
	uint32_t n = 0;
	unsigned int v;
	int used;

	while (n < sizeof(cdb) && sscanf(hex, "%2x%n", &v, &used) == 1) {
		cdb[n++] = (uint8_t)v;
		hex += used;
		while (*hex == ' ')
			hex++;
	}
	scsi_begin(u, cdb, n, room, &op);
}

static unsigned int sense(void)
{
	return op.sense_len ? (unsigned int)(op.sense[2] << 16 | op.sense[12] << 8 | op.sense[13]) : 0;
}

static uint64_t be(const uint8_t *p, int n)
{
	uint64_t v = 0;

	while (n--)
		v = v << 8 | *p++;
	return v;
}

/* A row: the CDB, the guest's buffer, what it makes. */
static const struct {
	const char *cdb;
	uint32_t room;
	enum scsi_op_kind kind;
	uint64_t lba, nr;
	uint32_t bytes;
	unsigned int sense;
} moves[] = {
	{ "08 01 23 45 08 00", 4096, SCSI_OP_READ, 0x12345, 8, 4096, 0 },
	{ "08 ff ff ff 00 00", 131072, SCSI_OP_READ, 0x1fffff, 256, 131072, 0 },
	{ "0a 00 00 00 01 00", 512, SCSI_OP_WRITE, 0, 1, 512, 0 },
	{ "28 00 00 00 10 00 00 00 08 00", 4096, SCSI_OP_READ, 0x1000, 8, 4096, 0 },
	{ "28 00 00 00 10 00 00 00 08 00", 8192, SCSI_OP_READ, 0x1000, 8, 4096, 0 },
	{ "28 00 00 00 10 00 00 00 00 00", 0, SCSI_OP_DONE, 0x1000, 0, 0, 0 },
	{ "28 00 00 00 10 00 00 00 08 00", 4095, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "28 20 00 00 10 00 00 00 08 00", 4096, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "2a 08 04 ff ff ff 00 00 01 00", 512, SCSI_OP_WRITE, 0x4ffffff, 1, 512, 0 },
	{ "2a 00 04 ff ff ff 00 00 02 00", 1024, SCSI_OP_DONE, 0, 0, 0, 0x052100 },
	{ "2a 00 04 fe ff ff 00 ff ff 00", 0xffffffff, SCSI_OP_WRITE, 0x4feffff, 65535, 65535 * 512, 0 },
	{ "2a 00 05 00 00 00 00 00 01 00", 512, SCSI_OP_DONE, 0, 0, 0, 0x052100 },
	{ "28 00 ff ff ff ff 00 ff ff 00", 0xffffffff, SCSI_OP_DONE, 0, 0, 0, 0x052100 },
	{ "a8 00 00 00 00 02 00 00 00 04 00 00", 2048, SCSI_OP_READ, 2, 4, 2048, 0 },
	{ "aa 00 00 00 00 02 ff ff ff ff 00 00", 2048, SCSI_OP_DONE, 0, 0, 0, 0x052100 },
	{ "88 00 00 00 00 00 04 ff ff ff 00 00 00 01 00 00", 512, SCSI_OP_READ, 0x4ffffff, 1, 512, 0 },
	{ "8a 00 ff ff ff ff ff ff ff ff 00 00 00 02 00 00", 1024, SCSI_OP_DONE, 0, 0, 0, 0x052100 },
	{ "8a 00 00 00 00 00 00 00 00 01 00 80 00 00 00 00", 1 << 20, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "35 00 00 00 00 00 00 00 00 00", 0, SCSI_OP_FLUSH, 0, 0, 0, 0 },
	{ "91 00 ff ff ff ff ff ff ff ff 00 00 00 00 00 00", 0, SCSI_OP_DONE, 0, 0, 0, 0x052100 },
	{ "2f 00 00 00 00 00 00 00 08 00", 0, SCSI_OP_DONE, 0, 8, 0, 0 },
	{ "2f 02 00 00 00 00 00 00 08 00", 4096, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "1b 00 00 00 00 00", 0, SCSI_OP_FLUSH, 0, 0, 0, 0 },
	{ "93 09 00 00 00 00 00 00 00 10 00 00 08 00 00 00", 0, SCSI_OP_ZERO, 16, 2048, 0, 0 },
	{ "93 09 00 00 00 00 00 00 00 10 00 01 00 00 00 00", 0, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "93 01 00 00 00 00 00 00 00 10 00 00 00 00 00 00", 0, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "41 00 00 00 00 10 00 00 08 00", 512, SCSI_OP_PARAM, 16, 8, 512, 0 },
	{ "41 00 00 00 00 10 00 00 08 00", 511, SCSI_OP_DONE, 16, 8, 0, 0x052400 },
	{ "41 02 00 00 00 10 00 00 08 00", 512, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "42 00 00 00 00 00 00 00 18 00", 24, SCSI_OP_PARAM, 0, 0, 24, 0 },
	{ "42 00 00 00 00 00 00 00 18 00", 23, SCSI_OP_DONE, 0, 0, 0, 0x051a00 },
	{ "42 00 00 00 00 00 00 ff ff 00", 65535, SCSI_OP_DONE, 0, 0, 0, 0x051a00 },
	{ "42 01 00 00 00 00 00 00 18 00", 24, SCSI_OP_DONE, 0, 0, 0, 0x052400 },
	{ "a1 00 00 00 00 00 00 00 00 00 00 00", 512, SCSI_OP_DONE, 0, 0, 0, 0x052000 },	/* ATA */
	{ "5e 00 00 00 00 00 00 00 18 00", 24, SCSI_OP_DONE, 0, 0, 0, 0x052000 },
	{ "43 00 00 00 00 00 00 00 18 00", 24, SCSI_OP_DONE, 0, 0, 0, 0x052000 },
	{ "28 00 00 00 10 00 00 00 08", 4096, SCSI_OP_DONE, 0, 0, 0, 0x052400 },	/* cut short */
	{ "ff", 0, SCSI_OP_DONE, 0, 0, 0, 0x052000 },
};

static void test_moves(void)
{
	units_reset();
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		unsigned int failed = unit_failures;

		run(&disk, moves[i].cdb, moves[i].room);
		CHECK_EQ(op.kind, moves[i].kind);
		CHECK_EQ(sense(), moves[i].sense);
		CHECK_EQ(op.status, moves[i].sense ? SCSI_CHECK_CONDITION : SCSI_GOOD);
		CHECK_EQ(op.bytes, moves[i].bytes);
		if (!moves[i].sense && op.kind != SCSI_OP_FLUSH) {
			CHECK_EQ(op.lba, moves[i].lba);
			CHECK_EQ(op.nr, moves[i].nr);
		}
		if (unit_failures != failed)
			fprintf(stderr, "  of %s\n", moves[i].cdb);
	}
	run(&disk, "2a 08 00 00 00 00 00 00 01 00", 512);
	CHECK(op.fua);
	run(&disk, "28 08 00 00 00 00 00 00 01 00", 512);
	CHECK(!op.fua);
}

static void test_params(void)
{
	uint8_t list[40] = { 0, 38, 0, 32 }, block[512] = { 0 };

	units_reset();
	list[15] = 8;		/* lba 8 */
	list[19] = 16;		/* 16 blocks */
	list[31] = 100;
	list[35] = 1;
	run(&disk, "42 00 00 00 00 00 00 00 28 00", 40);
	scsi_param(&disk, &op, list);
	CHECK_EQ(op.kind, SCSI_OP_UNMAP);
	CHECK_EQ(op.nr_ranges, 2);
	CHECK_EQ(op.ranges[0].lba, 8);
	CHECK_EQ(op.ranges[0].nr, 16);
	CHECK_EQ(op.ranges[1].lba, 100);
	CHECK_EQ(op.ranges[1].nr, 1);
	list[24] = 0xff;	/* beyond the end */
	run(&disk, "42 00 00 00 00 00 00 00 28 00", 40);
	scsi_param(&disk, &op, list);
	CHECK_EQ(sense(), 0x052100);
	list[2] = 0xff;		/* says that there is more than there is */
	list[24] = 0;
	run(&disk, "42 00 00 00 00 00 00 00 18 00", 24);
	scsi_param(&disk, &op, list);
	CHECK_EQ(op.kind, SCSI_OP_UNMAP);
	CHECK_EQ(op.nr_ranges, 1);

	run(&disk, "93 08 00 00 00 00 00 00 00 10 00 00 00 08 00 00", 512);
	scsi_param(&disk, &op, block);
	CHECK_EQ(op.kind, SCSI_OP_ZERO);
	CHECK(op.unmap);
	block[511] = 1;
	run(&disk, "93 08 00 00 00 00 00 00 00 10 00 00 00 08 00 00", 512);
	scsi_param(&disk, &op, block);
	CHECK_EQ(op.kind, SCSI_OP_SAME);
	CHECK(!op.unmap);
	CHECK_EQ(op.reply[511], 1);
	disk.unmap = false;
	run(&disk, "93 08 00 00 00 00 00 00 00 10 00 00 00 08 00 00", 512);
	CHECK_EQ(sense(), 0x052400);
	run(&disk, "42 00 00 00 00 00 00 00 28 00", 40);
	CHECK_EQ(sense(), 0x052000);
}

static void test_inquiry(void)
{
	unsigned int i;

	units_reset();
	run(&disk, "12 00 00 00 24 00", 36);
	CHECK_EQ(op.reply_len, 36);
	CHECK_EQ(op.reply[0], 0);
	CHECK_EQ(op.reply[2], 5);
	CHECK(!memcmp(op.reply + 8, "Msft    Virtual Disk    1.0 ", 28));
	run(&dvd, "12 00 00 00 24 00", 36);
	CHECK_EQ(op.reply[0], 5);
	CHECK_EQ(op.reply[1], 0x80);
	run(NULL, "12 00 00 00 24 00", 36);
	CHECK_EQ(op.status, SCSI_GOOD);
	CHECK_EQ(op.reply[0], 0x7f);
	run(NULL, "00 00 00 00 00 00", 0);
	CHECK_EQ(sense(), 0x052500);
	run(&disk, "12 00 00 00 05 00", 36);
	CHECK_EQ(op.reply_len, 5);
	run(&disk, "12 00 00 00 ff 00", 8);
	CHECK_EQ(op.reply_len, 8);
	run(&disk, "12 00 80 00 ff 00", 255);
	CHECK_EQ(sense(), 0x052400);
	run(&disk, "12 01 77 00 ff 00", 255);
	CHECK_EQ(sense(), 0x052400);
	run(NULL, "12 01 00 00 ff 00", 255);
	CHECK_EQ(sense(), 0x052400);

	/* Each page listed is there, names itself, and is as long as it says. */
	run(&disk, "12 01 00 00 ff 00", 255);
	CHECK_EQ(op.reply_len, 4 + 6);
	for (i = 0; i < 6; i++) {
		char cdb[32];
		uint8_t page;

		run(&disk, "12 01 00 00 ff 00", 255);
		page = op.reply[4 + i];
		snprintf(cdb, sizeof(cdb), "12 01 %02x 00 ff 00", page);
		run(&disk, cdb, 255);
		CHECK_EQ(op.status, SCSI_GOOD);
		CHECK_EQ(op.reply[1], page);
		CHECK_EQ(op.reply_len, 4 + be(op.reply + 2, 2));
	}
	run(&disk, "12 01 b0 00 ff 00", 255);
	CHECK_EQ(be(op.reply + 8, 4), 2048);
	CHECK_EQ(be(op.reply + 24, 4), SCSI_RANGES_MAX);
	CHECK_EQ(be(op.reply + 28, 4), 8);
	run(&disk, "12 01 b1 00 ff 00", 255);
	CHECK_EQ(be(op.reply + 4, 2), 1);
	run(&disk, "12 01 83 00 ff 00", 255);
	CHECK_EQ(op.reply[op.reply_len - 8] >> 4, 3);
	run(&dvd, "12 01 b0 00 ff 00", 255);
	CHECK_EQ(sense(), 0x052400);
}

static void test_capacity(void)
{
	units_reset();
	run(&disk, "25 00 00 00 00 00 00 00 00 00", 8);
	CHECK_EQ(be(op.reply, 4), SECTORS - 1);
	CHECK_EQ(be(op.reply + 4, 4), 512);
	run(&disk, "9e 10 00 00 00 00 00 00 00 00 00 00 00 20 00 00", 32);
	CHECK_EQ(op.reply_len, 32);
	CHECK_EQ(be(op.reply, 8), SECTORS - 1);
	CHECK_EQ(op.reply[13], 3);
	CHECK_EQ(op.reply[14], 0xc0);
	run(&disk, "9e 11 00 00 00 00 00 00 00 00 00 00 00 20 00 00", 32);
	CHECK_EQ(sense(), 0x052400);
	disk.blocks = 1ull << 33;
	run(&disk, "25 00 00 00 00 00 00 00 00 00", 8);
	CHECK_EQ(be(op.reply, 4), 0xffffffff);
	disk.blocks = 0xffffffffull + 1;
	run(&disk, "25 00 00 00 00 00 00 00 00 00", 8);
	CHECK_EQ(be(op.reply, 4), 0xffffffff);
	run(&dvd, "25 00 00 00 00 00 00 00 00 00", 8);
	CHECK_EQ(be(op.reply, 4), 999);
	CHECK_EQ(be(op.reply + 4, 4), 2048);
}

static void test_modes(void)
{
	uint8_t list[64];

	units_reset();
	run(&disk, "1a 00 3f 00 ff 00", 255);
	CHECK_EQ(op.reply[0] + 1u, op.reply_len);
	CHECK_EQ(op.reply[2], 0);
	CHECK_EQ(op.reply[3], 8);
	run(&disk, "1a 08 08 00 ff 00", 255);
	CHECK_EQ(op.reply_len, 24);
	CHECK_EQ(op.reply[6] & 4, 4);
	run(&disk, "1a 08 48 00 ff 00", 255);	/* changeable: nothing is */
	CHECK_EQ(op.reply[6], 0);
	run(&disk, "1a 00 ff 00 ff 00", 255);
	CHECK_EQ(sense(), 0x053900);
	run(&disk, "1a 00 2a 00 ff 00", 255);
	CHECK_EQ(sense(), 0x052400);
	disk.readonly = true;
	run(&disk, "1a 00 3f 00 04 00", 4);
	CHECK_EQ(op.reply_len, 4);
	CHECK_EQ(op.reply[2], 0x80);
	run(&disk, "5a 08 3f 00 00 00 00 00 ff 00", 255);
	CHECK_EQ(be(op.reply, 2) + 2, op.reply_len);
	CHECK_EQ(op.reply[3], 0x80);
	run(&disk, "2a 00 00 00 00 00 00 00 01 00", 512);
	CHECK_EQ(sense(), 0x072700);
	run(&disk, "42 00 00 00 00 00 00 00 18 00", 24);
	CHECK_EQ(sense(), 0x072700);
	disk.readonly = false;
	run(&dvd, "5a 08 2a 00 00 00 00 00 ff 00", 255);
	CHECK_EQ(op.reply_len, 30);

	/* What MODE SENSE said may be said back; a change of it may not. */
	run(&disk, "1a 08 08 00 ff 00", 255);
	memset(list, 0, sizeof(list));
	memcpy(list + 4, op.reply + 4, 20);
	run(&disk, "15 10 00 00 18 00", 24);
	CHECK_EQ(op.kind, SCSI_OP_PARAM);
	scsi_param(&disk, &op, list);
	CHECK_EQ(op.status, SCSI_GOOD);
	list[6] = 0;		/* cache off */
	run(&disk, "15 10 00 00 18 00", 24);
	scsi_param(&disk, &op, list);
	CHECK_EQ(sense(), 0x052600);
	list[5] = 0xff;		/* longer than the list */
	run(&disk, "15 10 00 00 18 00", 24);
	scsi_param(&disk, &op, list);
	CHECK_EQ(sense(), 0x051a00);
	list[3] = 0xff;		/* so is the descriptor */
	run(&disk, "15 10 00 00 18 00", 24);
	scsi_param(&disk, &op, list);
	CHECK_EQ(sense(), 0x052600);
}

static void test_attention(void)
{
	units_reset();
	atomic_store(&disk.attention, SCSI_ATTN_CAPACITY | SCSI_ATTN_LUNS);
	run(&disk, "12 00 00 00 24 00", 36);
	CHECK_EQ(op.status, SCSI_GOOD);
	run(&disk, "00 00 00 00 00 00", 0);
	CHECK_EQ(sense(), 0x062a09);
	run(&disk, "03 00 00 00 12 00", 18);
	CHECK_EQ(op.status, SCSI_GOOD);
	CHECK_EQ(op.reply_len, 18);
	CHECK_EQ(op.reply[2], 6);
	CHECK_EQ(op.reply[12], 0x3f);
	run(&disk, "03 00 00 00 12 00", 18);
	CHECK_EQ(op.reply[2], 0);
	run(&disk, "00 00 00 00 00 00", 0);
	CHECK_EQ(op.status, SCSI_GOOD);
}

static void test_dvd(void)
{
	units_reset();
	run(&dvd, "43 00 00 00 00 00 00 00 ff 00", 255);
	CHECK_EQ(op.reply_len, 20);
	CHECK_EQ(be(op.reply, 2), 18);
	CHECK_EQ(op.reply[14], 0xaa);
	CHECK_EQ(be(op.reply + 16, 4), 1000);
	run(&dvd, "43 02 00 00 00 00 aa 00 ff 00", 255);
	CHECK_EQ(op.reply_len, 12);
	CHECK_EQ(op.reply[10], 15);		/* 1150 frames: 15 s, 25 */
	CHECK_EQ(op.reply[11], 25);
	run(&dvd, "43 00 00 00 00 00 02 00 ff 00", 255);
	CHECK_EQ(sense(), 0x052400);
	run(&dvd, "46 00 00 00 00 00 00 00 ff 00", 255);
	CHECK_EQ(be(op.reply, 4) + 4, op.reply_len);
	CHECK_EQ(be(op.reply + 6, 2), 0x10);
	run(&dvd, "46 02 00 1f 00 00 00 00 ff 00", 255);
	CHECK_EQ(op.reply_len, 12);
	run(&dvd, "51 00 00 00 00 00 00 00 ff 00", 255);
	CHECK_EQ(op.reply_len, 34);
	run(&dvd, "2a 00 00 00 00 00 00 00 01 00", 2048);
	CHECK_EQ(sense(), 0x052000);

	/* Locked by the guest: its own eject is refused. */
	run(&dvd, "1e 00 00 00 01 00", 0);
	run(&dvd, "1b 00 00 00 02 00", 0);
	CHECK_EQ(sense(), 0x055302);
	run(&dvd, "1e 00 00 00 00 00", 0);
	run(&dvd, "1b 00 00 00 02 00", 0);
	CHECK_EQ(op.kind, SCSI_OP_EJECT);
	/* Linux takes an attention for success: it would believe the drive unlocked. */
	run(&dvd, "1e 00 00 00 01 00", 0);
	atomic_fetch_or(&dvd.attention, SCSI_ATTN_EJECT);
	run(&dvd, "1e 00 00 00 00 00", 0);
	CHECK_EQ(op.status, SCSI_GOOD);
	CHECK(!atomic_load(&dvd.locked));
	run(&dvd, "00 00 00 00 00 00", 0);
	CHECK_EQ(sense(), 0x065a01);
	run(&dvd, "1b 00 00 00 03 00", 0);
	CHECK_EQ(op.kind, SCSI_OP_LOAD);

	/* The medium goes: no medium, told by polling too. */
	dvd.medium = false;
	atomic_fetch_or(&dvd.attention, SCSI_ATTN_MEDIUM);
	run(&dvd, "00 00 00 00 00 00", 0);
	CHECK_EQ(sense(), 0x023a00);
	run(&dvd, "28 00 00 00 00 00 00 00 01 00", 2048);
	CHECK_EQ(sense(), 0x023a00);
	run(&dvd, "4a 01 00 00 10 00 00 00 08 00", 8);
	CHECK_EQ(op.reply[4], 3);
	CHECK_EQ(op.reply[5], 1);
	/* Another one comes. */
	dvd.medium = true;
	atomic_fetch_or(&dvd.attention, SCSI_ATTN_MEDIUM);
	run(&dvd, "4a 01 00 00 10 00 00 00 08 00", 8);
	CHECK_EQ(op.reply[4], 2);
	run(&dvd, "00 00 00 00 00 00", 0);
	CHECK_EQ(sense(), 0x062800);
	run(&dvd, "00 00 00 00 00 00", 0);
	CHECK_EQ(op.status, SCSI_GOOD);
}

static void test_errors(void)
{
	static const struct {
		int err;
		unsigned int reads, writes;
	} rows[] = {
		{ -EIO, 0x031100, 0x030c00 },
		{ -ENOSPC, 0x072707, 0x072707 },
		{ -EROFS, 0x072700, 0x072700 },
		{ -EBADF, 0x031100, 0x030c00 },
		{ -EFAULT, 0x0b4b00, 0x0b4b00 },
		{ -EMSGSIZE, 0x051a00, 0x051a00 },
		{ -EPROTO, 0x052400, 0x052400 },
	};

	units_reset();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		run(&disk, "28 00 00 00 10 00 00 00 08 00", 4096);
		scsi_error(&op, rows[i].err);
		CHECK_EQ(sense(), rows[i].reads);
		run(&disk, "2a 00 00 00 10 00 00 00 08 00", 4096);
		scsi_error(&op, rows[i].err);
		CHECK_EQ(sense(), rows[i].writes);
		CHECK_EQ(op.kind, SCSI_OP_DONE);
	}
	run(&disk, "28 00 00 00 10 00 00 00 08 00", 4096);
	scsi_error(&op, -ENOMEM);
	CHECK_EQ(op.status, SCSI_BUSY);
	CHECK_EQ(op.sense_len, 0);
}

static void test_luns(void)
{
	static const uint8_t cdb[12] = { 0xa0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0 };
	uint8_t buf[8 + 8 * SCSI_LUNS_MAX];
	uint64_t present[4] = { 5, 0, 0, 1ull << 63 };

	CHECK_EQ(scsi_report_luns(cdb, present, buf, sizeof(buf)), 32);
	CHECK_EQ(be(buf, 4), 24);
	CHECK_EQ(buf[9], 0);
	CHECK_EQ(buf[17], 2);
	CHECK_EQ(buf[25], 255);
	CHECK_EQ(scsi_report_luns(cdb, present, buf, 10), 10);
	memset(present, 0xff, sizeof(present));
	CHECK_EQ(scsi_report_luns(cdb, present, buf, sizeof(buf)), sizeof(buf));
}

int main(void)
{
	test_moves();
	test_params();
	test_inquiry();
	test_capacity();
	test_modes();
	test_attention();
	test_dvd();
	test_errors();
	test_luns();
	return unit_done();
}
