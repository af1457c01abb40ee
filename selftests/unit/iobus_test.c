// SPDX-License-Identifier: GPL-2.0-or-later
/* The I/O bus: who answers, what overlaps, edges; devices that come and go under readers. */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/unit.h"
#include "vmm/iobus.h"
#include "vmm/readers.h"

struct fake {
	struct device	dev;
	uint64_t	off, value;
	unsigned int	id, size;
	bool		gone;
};

static atomic_bool quit;
static atomic_ulong answered, after_removal;

static uint64_t fake_read(struct device *d, unsigned int id, uint64_t off, unsigned int size)
{
	struct fake *f = dev_container(d, struct fake, dev);

	atomic_fetch_add(&after_removal, f->gone);
	f->id = id;
	f->off = off;
	f->size = size;
	return 0x42;
}

static void fake_write(struct device *d, unsigned int id, uint64_t off, unsigned int size, uint64_t value)
{
	fake_read(d, id, off, size);
	dev_container(d, struct fake, dev)->value = value;
}

static const struct dev_ops fake_ops = { .name = "fake", .read = fake_read, .write = fake_write };

static void fake_init(struct fake *f, const struct dev_range *r, unsigned int nr)
{
	memset(f, 0, sizeof(*f));
	device_init(&f->dev, &fake_ops, NULL, r, nr);
}

static void lookups(void)
{
	static const struct dev_range ra[] = {
		{ DEV_SPACE_PORT, 0x3f8, 8, 1 }, { DEV_SPACE_MEM, 0x3f8, 4, 2 }, { DEV_SPACE_PORT, 0x70, 2, 3 },
	};
	static const struct dev_range rb[] = { { DEV_SPACE_PORT, 0x400, 12, 0 } };
	static const struct dev_range rc[] = {
		{ DEV_SPACE_MEM, 0x1000, 16, 0 }, { DEV_SPACE_PORT, 0x40b, 1, 0 },
	};
	struct fake a, b, c;
	struct iobus *bus;
	uint64_t v = 0;

	CHECK_EQ(iobus_create(&bus), 0);
	CHECK(!iobus_read(bus, DEV_SPACE_PORT, 0x3f8, 1, &v));
	CHECK_EQ(v, ~0ULL);
	fake_init(&a, ra, 3);
	fake_init(&b, rb, 1);
	fake_init(&c, rc, 2);
	CHECK_EQ(iobus_add(bus, &a.dev), 0);
	CHECK_EQ(iobus_add(bus, &b.dev), 0);
	CHECK_EQ(iobus_add(bus, &c.dev), -EEXIST);
	CHECK(!iobus_read(bus, DEV_SPACE_MEM, 0x1000, 1, &v));	/* nothing of it stays */
	CHECK(iobus_read(bus, DEV_SPACE_PORT, 0x3ff, 1, &v));
	CHECK_EQ(v, 0x42);
	CHECK_EQ(a.off, 7);
	CHECK_EQ(a.id, 1);
	CHECK(!iobus_read(bus, DEV_SPACE_PORT, 0x3ff, 2, &v));	/* leaves the range */
	CHECK(!iobus_read(bus, DEV_SPACE_PORT, 0x3f7, 2, &v));	/* begins before it */
	CHECK(iobus_write(bus, DEV_SPACE_MEM, 0x3f8, 4, 99));
	CHECK_EQ(a.id, 2);
	CHECK_EQ(a.value, 99);
	CHECK(!iobus_write(bus, DEV_SPACE_MEM, 0x3f8, 8, 1));
	CHECK(!iobus_write(bus, DEV_SPACE_MEM, ~0ULL, 8, 1));
	CHECK(iobus_read(bus, DEV_SPACE_PORT, 0x408, 4, &v));
	CHECK_EQ(b.off, 8);
	CHECK_EQ(a.dev.accesses, 2);
	iobus_remove(bus, &a.dev);
	CHECK(!iobus_read(bus, DEV_SPACE_PORT, 0x70, 1, &v));
	CHECK(iobus_read(bus, DEV_SPACE_PORT, 0x400, 1, &v));
	CHECK_EQ(iobus_add(bus, &a.dev), 0);
	iobus_release(bus);
}

static void *reader(void *arg)
{
	uint64_t v;

	readers_enter();
	while (!quit)
		atomic_fetch_add(&answered, iobus_read(arg, DEV_SPACE_PORT, 0x105, 1, &v));
	readers_leave();
	return NULL;
}

/* A device that is off the bus may be freed: no reader is in it any more (the sanitizer watches). */
static void removal(void)
{
	static const struct dev_range r[] = { { DEV_SPACE_PORT, 0x100, 16, 0 } };
	pthread_t t[2];
	struct iobus *bus;

	CHECK_EQ(iobus_create(&bus), 0);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, reader, bus), 0);
	for (int i = 0; i < 300; i++) {
		struct fake *f = malloc(sizeof(*f));
		unsigned long before = answered;

		fake_init(f, r, 1);
		CHECK_EQ(iobus_add(bus, &f->dev), 0);
		for (int spin = 0; answered == before && spin < 100000; spin++)
			sched_yield();
		iobus_remove(bus, &f->dev);
		f->gone = true;
		free(f);
	}
	quit = true;
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK(answered >= 100);
	CHECK_EQ(after_removal, 0);
	iobus_release(bus);
}

int main(void)
{
	lookups();
	removal();
	return unit_done();
}
