// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Test devices. Port numbers and behaviour are those kvm-unit-tests (lib/x86/io.h, the x86 users of
 * "testdev") relies on, so that one image runs here and on KVM.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "testdev.h"

#define PORT_DEBUG_EXIT	0xf4
#define PORT_LATCH	0xe0
#define PORT_FLUSH	0xe4
#define PORT_BYTES	0xe8
#define PORT_LINES	0x2000
#define PORT_FW_CFG	0x510
#define MEM_BASE	0xff000000ULL
#define MEM_LEN		0x10000
#define NR_LINES	24

static uint64_t zero_read(struct device *d, unsigned int id, uint64_t off, unsigned int size)
{
	(void)d, (void)id, (void)off, (void)size;
	return 0;
}

static void no_reset(struct device *d)
{
	(void)d;
}

/* ---- isa-debug-exit ---- */

static void exit_write(struct device *d, unsigned int id, uint64_t off, unsigned int size,
		       uint64_t value)
{
	(void)id, (void)off, (void)size;
	d->ds->ops->power(d->ds, DEV_POWER_DEBUG_EXIT, value);
}

static void exit_release(struct device *d)
{
	free(d);
}

static const struct dev_ops exit_ops = {
	.name = "debug-exit", .read = zero_read, .write = exit_write,
	.reset = no_reset, .release = exit_release,
};

int debug_exit_create(struct device **out, struct dev_services *ds)
{
	const struct dev_range range = { DEV_SPACE_PORT, PORT_DEBUG_EXIT, 4, 0 };
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	device_init(d, &exit_ops, ds, &range, 1);
	*out = d;
	return 0;
}

/* ---- pc-testdev ---- */

enum { T_LATCH, T_FLUSH, T_BYTES, T_LINES, T_MEM };

struct pc_testdev {
	struct device	dev;
	uint8_t		latch[4];	/* T_LATCH and T_BYTES show the same register */
	uint8_t		mem[MEM_LEN];
};

/* The bytes a range reads and writes, NULL for the ranges that act. */
static uint8_t *testdev_bytes(struct pc_testdev *t, unsigned int id, uint64_t off)
{
	switch (id) {
	case T_LATCH:
	case T_BYTES:
		return t->latch + off;
	case T_MEM:
		return t->mem + off;
	}
	return NULL;
}

static uint64_t testdev_read(struct device *d, unsigned int id, uint64_t off, unsigned int size)
{
	const uint8_t *p = testdev_bytes(dev_container(d, struct pc_testdev, dev), id, off);
	uint64_t v = 0;

	if (p)
		memcpy(&v, p, size);
	return v;
}

static void testdev_write(struct device *d, unsigned int id, uint64_t off, unsigned int size,
			  uint64_t value)
{
	uint8_t *p = testdev_bytes(dev_container(d, struct pc_testdev, dev), id, off);

	if (p)
		memcpy(p, &value, size);
	else if (id == T_LINES)
		d->ds->ops->irq_set(d->ds, off, value != 0);
	else
		d->ds->ops->page_touch(d->ds, value & ~0xfffULL);
}

static void testdev_reset(struct device *d)
{
	struct pc_testdev *t = dev_container(d, struct pc_testdev, dev);

	memset(t->latch, 0, sizeof(t->latch));
	memset(t->mem, 0, sizeof(t->mem));
}

static void testdev_save(struct device *d, struct fields_out *out)
{
	const struct pc_testdev *t = dev_container(d, struct pc_testdev, dev);

	fields_put(out, t->latch, sizeof(t->latch));
	fields_put(out, t->mem, sizeof(t->mem));
}

static int testdev_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct pc_testdev *t = dev_container(d, struct pc_testdev, dev);

	(void)version;
	fields_get(in, t->latch, sizeof(t->latch));
	fields_get(in, t->mem, sizeof(t->mem));
	return 0;
}

static void testdev_release(struct device *d)
{
	free(dev_container(d, struct pc_testdev, dev));
}

static const struct dev_record testdev_record = { DEV_REC_PC_TESTDEV, 1, testdev_save, testdev_load };

static const struct dev_ops testdev_ops = {
	.name = "pc-testdev", .read = testdev_read, .write = testdev_write,
	.reset = testdev_reset, .release = testdev_release, .record = &testdev_record,
};

int pc_testdev_create(struct device **out, struct dev_services *ds)
{
	static const struct dev_range ranges[] = {
		{ DEV_SPACE_PORT, PORT_LATCH, 4, T_LATCH },
		{ DEV_SPACE_PORT, PORT_FLUSH, 4, T_FLUSH },
		{ DEV_SPACE_PORT, PORT_BYTES, 4, T_BYTES },
		{ DEV_SPACE_PORT, PORT_LINES, NR_LINES, T_LINES },
		{ DEV_SPACE_MEM, MEM_BASE, MEM_LEN, T_MEM },
	};
	struct pc_testdev *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	device_init(&t->dev, &testdev_ops, ds, ranges, sizeof(ranges) / sizeof(*ranges));
	*out = &t->dev;
	return 0;
}

/* ---- fw_cfg ---- */

enum { FW_SIGNATURE = 0x00, FW_ID = 0x01, FW_RAM_SIZE = 0x03, FW_NB_CPUS = 0x05, FW_MAX_CPUS = 0x0f };

struct fw_cfg {
	struct device	dev;
	uint64_t	memory;
	uint16_t	cpus;
	uint16_t	selector;
	unsigned int	pos;
};

/* Byte @pos of the selected item; items end in zeroes. */
static uint8_t fw_cfg_byte(const struct fw_cfg *f)
{
	static const uint8_t sig[8] = "QEMU";	/* the signature the guests look for */
	uint64_t v;

	switch (f->selector) {
	case FW_SIGNATURE:
		return f->pos < sizeof(sig) ? sig[f->pos] : 0;
	case FW_ID:
		v = 1;
		break;
	case FW_RAM_SIZE:
		v = f->memory;
		break;
	case FW_NB_CPUS:
	case FW_MAX_CPUS:
		v = f->cpus;
		break;
	default:
		v = 0;
	}
	return f->pos < 8 ? v >> 8 * f->pos : 0;
}

static uint64_t fw_cfg_read(struct device *d, unsigned int id, uint64_t off, unsigned int size)
{
	struct fw_cfg *f = dev_container(d, struct fw_cfg, dev);
	uint8_t v;

	(void)id, (void)size;
	if (off != 1)
		return 0;
	v = fw_cfg_byte(f);
	if (f->pos < 8)
		f->pos++;
	return v;
}

static void fw_cfg_write(struct device *d, unsigned int id, uint64_t off, unsigned int size,
			 uint64_t value)
{
	struct fw_cfg *f = dev_container(d, struct fw_cfg, dev);

	(void)id, (void)size;
	if (off == 0) {
		f->selector = value;
		f->pos = 0;
	}
}

static void fw_cfg_reset(struct device *d)
{
	struct fw_cfg *f = dev_container(d, struct fw_cfg, dev);

	f->selector = 0;
	f->pos = 0;
}

static void fw_cfg_save(struct device *d, struct fields_out *out)
{
	const struct fw_cfg *f = dev_container(d, struct fw_cfg, dev);

	fields_put_u16(out, f->selector);
	fields_put_u8(out, (uint8_t)f->pos);
}

static int fw_cfg_load(struct device *d, struct fields_in *in, uint32_t version)
{
	struct fw_cfg *f = dev_container(d, struct fw_cfg, dev);

	(void)version;
	f->selector = fields_get_u16(in);
	f->pos = fields_get_u8(in);
	return 0;
}

static void fw_cfg_release(struct device *d)
{
	free(dev_container(d, struct fw_cfg, dev));
}

static const struct dev_record fw_cfg_record = { DEV_REC_FW_CFG, 1, fw_cfg_save, fw_cfg_load };

static const struct dev_ops fw_cfg_ops = {
	.name = "fw-cfg", .read = fw_cfg_read, .write = fw_cfg_write,
	.reset = fw_cfg_reset, .release = fw_cfg_release, .record = &fw_cfg_record,
};

int fw_cfg_create(struct device **out, struct dev_services *ds, uint64_t memory, unsigned int cpus)
{
	const struct dev_range range = { DEV_SPACE_PORT, PORT_FW_CFG, 2, 0 };
	struct fw_cfg *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	device_init(&f->dev, &fw_cfg_ops, ds, &range, 1);
	f->memory = memory;
	f->cpus = cpus;
	*out = &f->dev;
	return 0;
}
