// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disk images. What is refused is refused with words; what is opened reads the same after anything that was
 * done to it, also when it was closed and opened again, and is sound then.
 *
 * Input: byte 0 chooses (bit 0: set right the checksums, bit 1: read-only, bit 2: repair, bit 3: no
 * holes, bit 4: taken as raw, bit 5: little room to grow), 8 operations of 4 bytes (kind, sector, sector,
 * sectors), the image.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libvhd/vhd.h"

#define OPS	8u
#define HEAD	(1 + OPS * 4)
#define ROOM	(4u << 20)
#define WATCHED	256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct { uint8_t data[ROOM]; uint64_t size, most; int no_punch; } store;
static uint8_t model[WATCHED * 512], seen[WATCHED * 512];

static ssize_t store_preadv(void *ctx, const struct iovec *iov, int nr, uint64_t offset)
{
	ssize_t done = 0;
	int i;

	(void)ctx;
	for (i = 0; i < nr && offset < store.size; i++) {
		uint64_t part = iov[i].iov_len < store.size - offset ? iov[i].iov_len : store.size - offset;

		memcpy(iov[i].iov_base, store.data + offset, part);
		offset += part;
		done += part;
	}
	return done;
}

static void store_resize(uint64_t size)
{
	if (size > store.size)
		memset(store.data + store.size, 0, size - store.size);
	store.size = size;
}

static ssize_t store_pwritev(void *ctx, const struct iovec *iov, int nr, uint64_t offset)
{
	ssize_t done = 0;
	int i;

	(void)ctx;
	for (i = 0; i < nr; i++) {
		if (offset > store.most || iov[i].iov_len > store.most - offset)
			return done ? done : -ENOSPC;
		if (offset + iov[i].iov_len > store.size)
			store_resize(offset + iov[i].iov_len);
		memcpy(store.data + offset, iov[i].iov_base, iov[i].iov_len);
		offset += iov[i].iov_len;
		done += iov[i].iov_len;
	}
	return done;
}

static int store_datasync(void *ctx)
{
	(void)ctx;
	return 0;
}

static int store_truncate(void *ctx, uint64_t size)
{
	(void)ctx;
	if (size > store.most)
		return -ENOSPC;
	store_resize(size);
	return 0;
}

static int store_punch(void *ctx, uint64_t offset, uint64_t len)
{
	(void)ctx;
	if (store.no_punch)
		return -EOPNOTSUPP;
	if (offset < store.size)
		memset(store.data + offset, 0, len < store.size - offset ? len : store.size - offset);
	return 0;
}

static int store_size(void *ctx, uint64_t *bytes)
{
	(void)ctx;
	*bytes = store.size;
	return 0;
}

static const struct vhd_io_ops ops = {
	.preadv = store_preadv, .pwritev = store_pwritev, .datasync = store_datasync,
	.truncate = store_truncate, .punch = store_punch, .size = store_size,
};

static void seal(uint64_t at, unsigned int len, unsigned int field)
{
	uint32_t sum = 0;
	unsigned int i;

	if (store.size < len || at > store.size - len)
		return;
	for (i = 0; i < len; i++)
		if (i < field || i >= field + 4)
			sum += store.data[at + i];
	sum = __builtin_bswap32(~sum);
	memcpy(store.data + at + field, &sum, 4);
}

/* Checksums that are right, wherever something looks as if it had one. */
static void seal_all(void)
{
	uint64_t header = 0;

	if (store.size < 512)
		return;
	if (!memcmp(store.data + store.size - 512, "conectix", 8)) {
		seal(store.size - 512, 512, 64);
		memcpy(&header, store.data + store.size - 512 + 16, 8);
	}
	if (!memcmp(store.data, "conectix", 8)) {
		seal(0, 512, 64);
		memcpy(&header, store.data + 16, 8);
	}
	header = __builtin_bswap64(header);
	if (header < store.size && !memcmp(store.data + header, "cxsparse", 8))
		seal(header, 1024, 36);
}

static uint64_t watched(const struct vhd *d)
{
	return vhd_sectors(d) < WATCHED ? vhd_sectors(d) : WATCHED;
}

static void look(struct vhd *d, uint8_t *to)
{
	struct iovec iov = { to, watched(d) * 512 };
	int err = vhd_read(d, 0, &iov, 1, iov.iov_len);

	if (err)
		abort();
}

static void operate(struct vhd *d, const uint8_t *op, uint8_t value)
{
	uint64_t all = vhd_sectors(d), sector = (op[1] << 8 | op[2]) % all, n = op[3] + 1, i;
	static uint8_t buf[256 * 512];
	struct iovec iov = { buf, 0 };
	uint64_t run;
	int err = 0;

	if (n > all - sector)
		n = all - sector;
	switch (op[0] % 5) {
	case 0:
		memset(buf, value, n * 512);
		iov.iov_len = n * 512;
		err = vhd_write(d, sector, &iov, 1, n * 512);
		break;
	case 1:
		err = vhd_zero(d, sector, n, VHD_ZERO_UNMAP);
		value = 0;
		break;
	case 2:
		err = vhd_zero(d, sector, n, 0);
		value = 0;
		break;
	case 3:
		err = vhd_flush(d);
		n = 0;
		break;
	default:
		if (vhd_status(d, sector, n, &run) < 0 || !run || run > n)
			abort();
		n = 0;
	}
	if (err && err != -EROFS && err != -ENOSPC)
		abort();
	/* Of a write that failed some sectors are the old ones. */
	look(d, seen);
	for (i = sector; i < sector + n && i < WATCHED; i++) {
		if (seen[i * 512] == value && !memcmp(seen + i * 512, seen + i * 512 + 1, 511))
			memset(model + i * 512, value, 512);
		else if (!err)
			abort();
	}
	if (memcmp(seen, model, watched(d) * 512))
		abort();
}

static struct vhd *open_it(uint8_t how, struct vhd_err *e)
{
	struct vhd_open_opts o = {
		.flags = (how & 2 ? VHD_OPEN_RDONLY : 0) | (how & 4 ? VHD_OPEN_REPAIR : 0),
		.format = how & 16 ? VHD_RAW : VHD_AUTO,
		.reserve = 3,
	};
	struct vhd *d;
	int err = vhd_open_io(&d, &ops, NULL, "image", &o, e);

	if (!err)
		return d;
	if (err != e->code || !memchr(e->text, 0, sizeof(e->text)) || strncmp(e->text, "image: ", 7))
		abort();
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhd_check c;
	struct vhd_err e;
	unsigned int i;
	struct vhd *d;

	if (size < HEAD || size - HEAD > ROOM / 2)
		return 0;
	store.size = size - HEAD;
	store.most = data[0] & 32 ? store.size + 20000 : ROOM;
	store.no_punch = data[0] & 8;
	memcpy(store.data, data + HEAD, store.size);
	if (data[0] & 1)
		seal_all();
	d = open_it(data[0], &e);
	vhd_check_io(&ops, NULL, "image", &c, &e);
	if (!d)
		return 0;
	look(d, model);
	for (i = 0; i < OPS; i++)
		operate(d, data + 1 + i * 4, 0x80 + i);
	if (vhd_close(d, &e) && e.code != -ENOSPC)
		abort();
	if (data[0] & (2 | 16))
		return 0;
	if (vhd_check_io(&ops, NULL, "image", &c, &e))
		abort();
	d = open_it(data[0] & ~4, &e);
	if (!d)
		abort();
	look(d, seen);
	if (memcmp(seen, model, watched(d) * 512))
		abort();
	vhd_close(d, &e);
	return 0;
}
