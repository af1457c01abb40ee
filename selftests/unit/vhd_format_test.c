// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an image must look like: each damage to footer, header or table is refused with its own words, and
 * nothing that is refused is changed.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/memfile.h"
#include "lib/unit.h"

#define DISK	(8u << 20)
#define BLOCK	65536u
#define TABLE	1536u

static struct vhd_err e;

static void put(struct memfile *f, uint64_t at, uint64_t value, int bytes)
{
	int i;

	for (i = 0; i < bytes; i++)
		f->data[at + i] = value >> 8 * (bytes - 1 - i);
}

/* The checksum, counted here by itself. */
static void seal(struct memfile *f, uint64_t at, unsigned int len, unsigned int field)
{
	uint32_t sum = 0;
	unsigned int i;

	put(f, at + field, 0, 4);
	for (i = 0; i < len; i++)
		sum += f->data[at + i];
	put(f, at + field, (uint32_t)~sum, 4);
}

static void seal_footers(struct memfile *f)
{
	seal(f, 0, 512, 64);
	seal(f, f->size - 512, 512, 64);
}

static void make(struct memfile *f, enum vhd_format format)
{
	struct vhd_create_opts o = { .format = format, .size = DISK, .block_size = BLOCK };

	memfile_init(f);
	CHECK_EQ(vhd_create_io(&memfile_ops, f, "mem", &o, &e), 0);
}

static int try_open(struct memfile *f, uint32_t flags, enum vhd_format format, struct vhd **d)
{
	struct vhd_open_opts o = { .flags = flags, .format = format };

	memset(&e, 0, sizeof(e));
	*d = NULL;
	return vhd_open_io(d, &memfile_ops, f, "mem", &o, &e);
}

static int open_close(struct memfile *f, uint32_t flags)
{
	struct vhd *d;
	int err = try_open(f, flags, VHD_AUTO, &d);

	if (!err)
		CHECK_EQ(vhd_close(d, &e), 0);
	return err;
}

static void write_one(struct vhd *d, uint64_t sector, uint8_t value)
{
	uint8_t buf[512];
	struct iovec iov = { buf, 512 };

	memset(buf, value, sizeof(buf));
	CHECK_EQ(vhd_write(d, sector, &iov, 1, 512), 0);
}

static int read_one(struct vhd *d, uint64_t sector)
{
	uint8_t buf[512];
	struct iovec iov = { buf, 512 };

	return vhd_read(d, sector, &iov, 1, 512) ? -1 : buf[0] == buf[511] ? buf[0] : -2;
}

/* A dynamic disk with two blocks, in which @bytes at @at become @value. Negative: from the end. */
static const struct damage {
	int64_t		at;
	uint64_t	value;
	int		bytes, code;
	enum { NOTHING, FOOTERS, HEADER } seal;
	const char	*says;
} damages[] = {
	{ 12, 0x00020000, 4, -EOPNOTSUPP, FOOTERS, "version 2.0" },
	{ 60, 4, 4, -EOPNOTSUPP, FOOTERS, "differencing" },
	{ 60, 7, 4, -EUCLEAN, FOOTERS, "disk type 7" },
	{ 60, 2, 4, -EUCLEAN, FOOTERS, "bytes, but" },
	{ 48, 0, 8, -EUCLEAN, FOOTERS, "a size of 0 bytes" },
	{ 48, 513, 8, -EUCLEAN, FOOTERS, "a size of 513 bytes" },
	{ 48, VHD_SIZE_MAX + 512, 8, -EFBIG, FOOTERS, "2040 GiB" },
	{ 48, 0xfffffffffffffe00, 8, -EFBIG, FOOTERS, "2040 GiB" },
	{ 48, VHD_SIZE_MAX, 8, -EFBIG, FOOTERS, "blocks" },
	{ 48, DISK + BLOCK, 8, -EUCLEAN, FOOTERS, "too small for 129 blocks" },
	{ 16, 513, 8, -EUCLEAN, FOOTERS, "dynamic header at 0x201" },
	{ 16, 0, 8, -EUCLEAN, FOOTERS, "not within" },
	{ 16, 0xfffffffffffffe00, 8, -EUCLEAN, FOOTERS, "not within" },
	{ 16, 1024, 8, -EUCLEAN, FOOTERS, "no dynamic header at 0x400" },
	{ 512, 0, 1, -EUCLEAN, NOTHING, "no dynamic header at 0x200" },
	{ 1400, 1, 1, -EUCLEAN, NOTHING, "dynamic header at 0x200: checksum" },
	{ 536, 0x00020000, 4, -EOPNOTSUPP, HEADER, "dynamic header version 2.0" },
	{ 544, 0, 4, -EUCLEAN, HEADER, "block size of 0" },
	{ 544, 65535, 4, -EUCLEAN, HEADER, "block size of 65535" },
	{ 544, 2048, 4, -EUCLEAN, HEADER, "block size of 2048" },
	{ 544, 0x80000000, 4, -EUCLEAN, HEADER, "block size of 2147483648" },
	{ 540, 127, 4, -EUCLEAN, HEADER, "table of 127 entries" },
	{ 540, 0xffffffff, 4, -EUCLEAN, HEADER, "not within" },
	{ 528, 0xfffffffffffffc00, 8, -EUCLEAN, HEADER, "not within" },
	{ 528, 1537, 8, -EUCLEAN, HEADER, "not within" },
	{ 528, 1024, 8, -EUCLEAN, HEADER, "overlaps the dynamic header" },
	{ 528, 0, 8, -EUCLEAN, HEADER, "overlaps the first footer" },
	{ TABLE + 8, 0x7fffffff, 4, -EUCLEAN, NOTHING, "beyond the end" },
	{ TABLE + 8, 0xfffffffe, 4, -EUCLEAN, NOTHING, "beyond the end" },
	{ TABLE + 8, 0, 4, -EUCLEAN, NOTHING, "overlaps the first footer" },
	{ TABLE + 8, 2, 4, -EUCLEAN, NOTHING, "overlaps the dynamic header" },
	{ TABLE + 8, 3, 4, -EUCLEAN, NOTHING, "overlaps the block table" },
};

static void damaged(void)
{
	struct memfile f, before;
	unsigned int i;
	struct vhd *d;

	for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *g = &damages[i];

		make(&f, VHD_DYNAMIC);
		CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
		write_one(d, 0, 1);
		write_one(d, BLOCK / 512, 2);
		CHECK_EQ(vhd_close(d, &e), 0);
		put(&f, g->at, g->value, g->bytes);
		if (g->seal == FOOTERS)
			put(&f, f.size - 512 + g->at, g->value, g->bytes);
		if (g->seal == FOOTERS)
			seal_footers(&f);
		else if (g->seal == HEADER)
			seal(&f, 512, 1024, 36);
		memfile_init(&before);
		memfile_copy(&before, &f);
		CHECK_EQ(open_close(&f, 0), g->code);
		CHECK_HAS(e.text, "mem: ");
		CHECK_HAS(e.text, g->says);
		CHECK_EQ(e.code, g->code);
		CHECK_EQ(open_close(&f, VHD_OPEN_RDONLY), g->code);
		CHECK_EQ(open_close(&f, VHD_OPEN_REPAIR), g->code);
		CHECK(f.size == before.size && !memcmp(f.data, before.data, f.size));
		memfile_done(&f);
		memfile_done(&before);
	}
}

/* Two entries that share a sector, whichever comes first. */
static void overlap(void)
{
	uint32_t second;
	struct memfile f;
	struct vhd *d;

	make(&f, VHD_DYNAMIC);
	CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
	write_one(d, 0, 1);
	write_one(d, BLOCK / 512, 2);
	CHECK_EQ(vhd_close(d, &e), 0);
	memcpy(&second, f.data + TABLE + 4, 4);
	memcpy(f.data + TABLE, &second, 4);
	CHECK_EQ(open_close(&f, VHD_OPEN_RDONLY), -EUCLEAN);
	CHECK_HAS(e.text, "overlaps block");
	put(&f, TABLE, __builtin_bswap32(second) - 1, 4);
	CHECK_EQ(open_close(&f, VHD_OPEN_RDONLY), -EUCLEAN);
	CHECK_HAS(e.text, "table entry at 0x604: block 1");
	memfile_done(&f);
}

/* Every byte of either footer may be damaged; the other one holds. */
static void footers(void)
{
	struct vhd_check c;
	struct memfile f;
	unsigned int i;
	struct vhd *d;

	make(&f, VHD_DYNAMIC);
	CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
	write_one(d, 77, 7);
	CHECK_EQ(vhd_close(d, &e), 0);
	for (i = 0; i < 512; i += 3) {
		uint64_t end = f.size - 512 + i;

		f.data[end] ^= 0x55;
		CHECK_EQ(open_close(&f, 0), -EROFS);
		CHECK_HAS(e.text, "footer at the end is damaged");
		CHECK_EQ(try_open(&f, VHD_OPEN_RDONLY, VHD_AUTO, &d), 0);
		CHECK_EQ(read_one(d, 77), 7);
		vhd_close(d, &e);
		CHECK_EQ(vhd_check_io(&memfile_ops, &f, "mem", &c, &e), -EUCLEAN);
		CHECK_EQ(c.footer, 2);
		CHECK_EQ(open_close(&f, VHD_OPEN_REPAIR), 0);
		CHECK_EQ(vhd_check_io(&memfile_ops, &f, "mem", &c, &e), 0);
		f.data[i] ^= 0x55;
		CHECK_EQ(open_close(&f, 0), -EROFS);
		CHECK_HAS(e.text, "copy of the footer at 0");
		CHECK_EQ(vhd_check_io(&memfile_ops, &f, "mem", &c, &e), -EUCLEAN);
		CHECK_EQ(c.footer, 1);
		CHECK_EQ(open_close(&f, VHD_OPEN_REPAIR), 0);
		CHECK_EQ(open_close(&f, 0), 0);
	}
	/* Both good, but of different disks. */
	put(&f, 70, 0x1234, 2);
	seal(&f, 0, 512, 64);
	CHECK_EQ(open_close(&f, 0), -EROFS);
	CHECK_HAS(e.text, "differs");
	CHECK_EQ(open_close(&f, VHD_OPEN_REPAIR), 0);
	/* Neither. */
	f.data[100] ^= 1;
	f.data[f.size - 100] ^= 1;
	CHECK_EQ(open_close(&f, VHD_OPEN_REPAIR), -EUCLEAN);
	CHECK_HAS(e.text, "no good copy");
	CHECK_HAS(e.next, "raw");
	CHECK_EQ(try_open(&f, 0, VHD_RAW, &d), 0);
	vhd_close(d, &e);
	memfile_done(&f);
}

/* The last footer of a file that another program was cut off in: a block stands where it was. */
static void footer_overwritten(void)
{
	uint64_t end;
	struct memfile f;
	struct vhd *d;

	make(&f, VHD_DYNAMIC);
	end = f.size - 512;
	put(&f, TABLE + 40, end / 512, 4);
	memset(f.data + end, 0xff, 512);
	CHECK_EQ(memfile_ops.truncate(&f, end + 512 + BLOCK), 0);
	memset(f.data + end + 512, 9, BLOCK);
	CHECK_EQ(open_close(&f, 0), -EROFS);
	CHECK_EQ(try_open(&f, VHD_OPEN_REPAIR, VHD_AUTO, &d), 0);
	CHECK_EQ(f.size, end + 512 + BLOCK + 512);
	CHECK_EQ(read_one(d, 10 * BLOCK / 512 + BLOCK / 512 - 1), 9);
	write_one(d, 0, 3);
	CHECK_EQ(vhd_close(d, &e), 0);
	CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
	CHECK_EQ(read_one(d, 0), 3);
	CHECK_EQ(read_one(d, 10 * BLOCK / 512), 9);
	CHECK_EQ(vhd_close(d, &e), 0);
	memfile_done(&f);
	/* Cut within the table's last sector: that is no place for it either. */
	make(&f, VHD_DYNAMIC);
	CHECK_EQ(memfile_ops.truncate(&f, TABLE + DISK / BLOCK * 4), 0);
	CHECK_EQ(open_close(&f, VHD_OPEN_REPAIR), 0);
	CHECK_EQ(f.size, 2048 + 512);
	CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
	CHECK_EQ(read_one(d, DISK / 512 - 1), 0);
	CHECK_EQ(vhd_close(d, &e), 0);
	memfile_done(&f);
}

/* Cut anywhere, a file is refused or still whole, and never read beyond its end. */
static void truncated(void)
{
	struct memfile f, part;
	struct vhd *d;
	uint64_t n;

	make(&f, VHD_DYNAMIC);
	CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
	write_one(d, 0, 1);
	CHECK_EQ(vhd_close(d, &e), 0);
	memfile_init(&part);
	for (n = 0; n < f.size; n += n < 3000 ? 1 : 509) {
		memfile_copy(&part, &f);
		CHECK_EQ(memfile_ops.truncate(&part, n), 0);
		CHECK(open_close(&part, 0) < 0);
		CHECK(e.text[0]);
		if (!open_close(&part, VHD_OPEN_RDONLY))
			CHECK(n >= f.size - 512);
	}
	memfile_done(&f);
	make(&f, VHD_FIXED);
	for (n = 1; n < 600; n++) {
		memfile_copy(&part, &f);
		CHECK_EQ(memfile_ops.truncate(&part, f.size - n), 0);
		/* A multiple of 512 without a footer is a raw disk: nothing tells them apart. The last byte was
		 * left out by old writers. */
		CHECK_EQ(open_close(&part, 0), n == 1 || n == 512 ? 0 : -EINVAL);
	}
	put(&f, f.size - 512 + 48, DISK + 512, 8);
	seal(&f, f.size - 512, 512, 64);
	CHECK_EQ(open_close(&f, 0), -EUCLEAN);
	CHECK_HAS(e.text, "the file was cut");
	memfile_done(&f);
	memfile_done(&part);
}

/* Whose size is the geometry's, and whose is not. */
static void geometry(void)
{
	static const struct { const char *creator; uint16_t c; uint8_t h, s; uint64_t size; } rows[] = {
		{ "win ", 100, 4, 17, DISK }, { "qem2", 100, 4, 17, DISK }, { "hv  ", 100, 4, 17, DISK },
		{ "vpc ", 100, 4, 17, 100 * 4 * 17 * 512 }, { "qemu", 100, 4, 17, 100 * 4 * 17 * 512 },
		{ "vpc ", 0, 0, 0, DISK }, { "vpc ", 65535, 16, 255, DISK },
		/* A geometry that is larger than the disk has nothing behind it. */
		{ "vpc ", 1000, 16, 63, DISK },
	};
	struct memfile f;
	unsigned int i;
	struct vhd *d;

	make(&f, VHD_DYNAMIC);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t at;

		for (at = 0; at < f.size; at += f.size - 512) {
			memcpy(f.data + at + 28, rows[i].creator, 4);
			put(&f, at + 56, rows[i].c, 2);
			f.data[at + 58] = rows[i].h;
			f.data[at + 59] = rows[i].s;
		}
		seal_footers(&f);
		CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
		CHECK_EQ(vhd_sectors(d) * 512, rows[i].size);
		vhd_close(d, &e);
	}
	memfile_done(&f);
}

static void formats(void)
{
	struct vhd_create_opts o = { .format = VHD_DYNAMIC, .size = DISK };
	char name[1000] = "";
	struct vhd_info info;
	struct memfile f;
	struct vhd *d;

	/* The guest's first sectors may hold anything; the footer at the end wins. */
	make(&f, VHD_FIXED);
	memcpy(f.data, "QFI\xfb\0\0\0\3", 8);
	CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), 0);
	vhd_get_info(d, &info);
	CHECK_EQ(info.format, VHD_FIXED);
	CHECK_EQ(info.size, DISK);
	CHECK_EQ(info.file_size, DISK + 512);
	CHECK_EQ(strcmp(info.creator, "hv  "), 0);
	vhd_close(d, &e);
	CHECK_EQ(try_open(&f, 0, VHD_DYNAMIC, &d), -EMEDIUMTYPE);
	CHECK_HAS(e.text, "vhd-fixed disk, not vhd-dynamic");
	/* A whole fixed VHD inside a raw disk, which goes on: raw. */
	memcpy(f.data, f.data + DISK, 512);
	memset(f.data + DISK, 0, 512);
	CHECK_EQ(try_open(&f, 0, VHD_AUTO, &d), -EUCLEAN);
	CHECK_EQ(try_open(&f, 0, VHD_RAW, &d), 0);
	vhd_close(d, &e);
	memfile_done(&f);

	/* Of a name that is too long the line does not make another. */
	make(&f, VHD_RAW);
	memcpy(f.data, "QFI\xfb\0\0\0\3", 8);
	memset(name, 'n', sizeof(name) - 1);
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, name, NULL, &e), -EMEDIUMTYPE);
	CHECK_HAS(e.next, " FILE FILE.vhd");
	CHECK_HAS(e.text, "nnn: ");
	name[250] = 0;
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, name, NULL, &e), -EMEDIUMTYPE);
	CHECK_HAS(e.next, "nnn.vhd'");
	memset(name, '\'', sizeof(name) - 1);
	name[200] = 0;
	CHECK_EQ(vhd_open_io(&d, &memfile_ops, &f, name, NULL, &e), -EMEDIUMTYPE);
	CHECK_HAS(e.next, " FILE FILE.vhd");
	memfile_done(&f);

	memfile_init(&f);
	CHECK_EQ(open_close(&f, 0), -EINVAL);
	CHECK_HAS(e.text, "empty");
	o.block_size = 3 << 20;
	CHECK_EQ(vhd_create_io(&memfile_ops, &f, "mem", &o, &e), -EINVAL);
	o.block_size = 4096;
	o.size = VHD_SIZE_MAX;
	CHECK_EQ(vhd_create_io(&memfile_ops, &f, "mem", &o, &e), -EFBIG);
	o.block_size = 0;
	o.size++;
	CHECK_EQ(vhd_create_io(&memfile_ops, &f, "mem", &o, &e), -EFBIG);
	o.size = 0;
	CHECK_EQ(vhd_create_io(&memfile_ops, &f, "mem", &o, &e), -EINVAL);
	o.size = UINT64_MAX;
	CHECK_EQ(vhd_create_io(&memfile_ops, &f, "mem", &o, &e), -EFBIG);
	o.format = VHD_AUTO;
	CHECK_EQ(vhd_create_io(&memfile_ops, &f, "mem", &o, &e), -EINVAL);
	CHECK_EQ(f.size, 0);
	memfile_done(&f);
}

int main(void)
{
	damaged();
	overlap();
	footers();
	footer_overwritten();
	truncated();
	geometry();
	formats();
	return unit_done();
}
