// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The I/O bus: a sorted table of ranges for ports and one for addresses, replaced whole on a change.
 *
 * A reader finds the range under rcu_read_lock() and calls the device inside it: removal waits for
 * readers, so a device never runs after iobus_remove() returned. Devices therefore must not wait for
 * the loop thread, which is the one that removes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <urcu.h>

#include "iobus.h"
#include "readers.h"

struct entry {
	uint64_t	base, last;
	struct device	*dev;
	unsigned int	id;
};

struct table {
	unsigned int	nr;
	struct entry	entry[];
};

struct iobus {
	struct table	*table[2];	/* by enum dev_space; RCU */
};

int iobus_create(struct iobus **out)
{
	struct iobus *bus = calloc(1, sizeof(*bus));

	if (!bus)
		return -ENOMEM;
	*out = bus;
	return 0;
}

void iobus_release(struct iobus *bus)
{
	if (!bus)
		return;
	free(bus->table[0]);
	free(bus->table[1]);
	free(bus);
}

static void table_publish(struct iobus *bus, enum dev_space space, struct table *t)
{
	struct table *old = bus->table[space];

	rcu_assign_pointer(bus->table[space], t);
	readers_wait();
	free(old);
}

static int entry_cmp(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->base < y->base ? -1 : x->base > y->base;
}

/* A copy of the table of @space without @d, with @d's ranges added if @add. */
static int table_change(struct iobus *bus, enum dev_space space, struct device *d, bool add)
{
	const struct table *old = bus->table[space];
	unsigned int i, nr = old ? old->nr : 0;
	struct table *t = malloc(sizeof(*t) + (nr + DEV_RANGES) * sizeof(struct entry));

	if (!t)
		return -ENOMEM;
	t->nr = 0;
	for (i = 0; i < nr; i++)
		if (old->entry[i].dev != d)
			t->entry[t->nr++] = old->entry[i];
	for (i = 0; add && i < d->nr_ranges; i++) {
		const struct dev_range *r = &d->range[i];

		if (r->space == space)
			t->entry[t->nr++] = (struct entry){ r->base, r->base + r->len - 1, d, r->id };
	}
	qsort(t->entry, t->nr, sizeof(t->entry[0]), entry_cmp);
	for (i = 1; i < t->nr; i++) {
		if (t->entry[i].base <= t->entry[i - 1].last) {
			free(t);
			return -EEXIST;
		}
	}
	table_publish(bus, space, t);
	return 0;
}

int iobus_add(struct iobus *bus, struct device *d)
{
	bool has[2] = { false, false };
	unsigned int i;
	int ret = 0;

	for (i = 0; i < d->nr_ranges; i++)
		has[d->range[i].space] = true;
	for (i = 0; i < 2 && !ret; i++)
		if (has[i])
			ret = table_change(bus, i, d, true);
	if (ret)
		iobus_remove(bus, d);
	return ret;
}

void iobus_remove(struct iobus *bus, struct device *d)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (!bus->table[i] || !table_change(bus, i, d, false))
			continue;
		/* No memory for the smaller copy: an empty bus is safer than a freed device on it. */
		table_publish(bus, i, NULL);
	}
}

/* Inside rcu_read_lock(). */
static const struct entry *entry_find(struct iobus *bus, enum dev_space space, uint64_t addr,
				      unsigned int size)
{
	const struct table *t = rcu_dereference(bus->table[space]);
	unsigned int lo = 0, hi = t ? t->nr : 0;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (t->entry[mid].last < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	/* An access that starts in a range and leaves it is nobody's. */
	if (!t || lo == t->nr || addr < t->entry[lo].base || addr + size - 1 > t->entry[lo].last)
		return NULL;
	return &t->entry[lo];
}

bool iobus_read(struct iobus *bus, enum dev_space space, uint64_t addr, unsigned int size, uint64_t *value)
{
	const struct entry *e;

	rcu_read_lock();
	e = entry_find(bus, space, addr, size);
	if (e) {
		pthread_mutex_lock(&e->dev->lock);
		e->dev->accesses++;
		*value = e->dev->ops->read(e->dev, e->id, addr - e->base, size);
		pthread_mutex_unlock(&e->dev->lock);
	} else {
		*value = ~0ULL;
	}
	rcu_read_unlock();
	return e;
}

bool iobus_write(struct iobus *bus, enum dev_space space, uint64_t addr, unsigned int size, uint64_t value)
{
	const struct entry *e;

	rcu_read_lock();
	e = entry_find(bus, space, addr, size);
	if (e) {
		pthread_mutex_lock(&e->dev->lock);
		e->dev->accesses++;
		e->dev->ops->write(e->dev, e->id, addr - e->base, size, value);
		pthread_mutex_unlock(&e->dev->lock);
	}
	rcu_read_unlock();
	return e;
}
