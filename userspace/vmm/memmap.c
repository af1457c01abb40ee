// SPDX-License-Identifier: GPL-2.0-or-later
/* The map of guest memory: a sorted table, replaced whole on a change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <urcu.h>

#include "memmap.h"
#include "readers.h"

struct memmap_table {
	unsigned int		nr;
	struct mem_range	*range[];
};

static int range_cmp(const void *a, const void *b)
{
	const struct mem_range *x = *(struct mem_range *const *)a, *y = *(struct mem_range *const *)b;

	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

/* Inside rcu_read_lock(). */
static struct mem_range *range_find(const struct memmap_table *t, uint64_t gpa, uint64_t len)
{
	unsigned int lo = 0, hi = t ? t->nr : 0;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		struct mem_range *r = t->range[mid];

		if (gpa < r->gpa)
			hi = mid;
		else if (gpa - r->gpa >= r->bytes)
			lo = mid + 1;
		else
			return len <= r->bytes - (gpa - r->gpa) ? r : NULL;
	}
	return NULL;
}

struct mem_range *memmap_get(struct memmap *map, uint64_t gpa, uint64_t len)
{
	struct mem_range *r;

	readers_enter();	/* once a thread; later calls look at a flag */
	rcu_read_lock();
	r = range_find(rcu_dereference(map->table), gpa, len);
	/* The map's own reference goes only after readers_wait(). */
	if (r)
		atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	rcu_read_unlock();
	return r;
}

void mem_range_put(struct mem_range *r)
{
	if (atomic_fetch_sub_explicit(&r->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (r->map)
		munmap(r->map, r->map_len);
	if (r->fd >= 0)
		close(r->fd);
	free((void *)r->dirty);
	free(r);
}

/* A copy of the table without @out and with @in, each may be NULL; then @out's reference goes. */
static int table_change(struct memmap *map, struct mem_range *out, struct mem_range *in)
{
	struct memmap_table *old = map->table, *t;
	unsigned int i, nr = old ? old->nr : 0;

	t = malloc(sizeof(*t) + (nr + 1) * sizeof(t->range[0]));
	if (!t)
		return -ENOMEM;
	t->nr = 0;
	for (i = 0; i < nr; i++)
		if (old->range[i] != out)
			t->range[t->nr++] = old->range[i];
	if (in)
		t->range[t->nr++] = in;
	qsort(t->range, t->nr, sizeof(t->range[0]), range_cmp);
	for (i = 1; i < t->nr; i++) {
		if (t->range[i]->gpa - t->range[i - 1]->gpa < t->range[i - 1]->bytes) {
			free(t);
			return -EEXIST;
		}
	}
	rcu_assign_pointer(map->table, t);
	readers_wait();
	free(old);
	if (out)
		mem_range_put(out);
	return 0;
}

int memmap_add(struct memmap *map, struct mem_range *r)
{
	return table_change(map, NULL, r);
}

int memmap_remove(struct memmap *map, struct mem_range *r)
{
	return table_change(map, r, NULL);
}

int memmap_replace(struct memmap *map, struct mem_range *old, struct mem_range *r)
{
	return table_change(map, old, r);
}

void memmap_release(struct memmap *map)
{
	unsigned int i;

	for (i = 0; map->table && i < map->table->nr; i++)
		mem_range_put(map->table->range[i]);
	free(map->table);
	map->table = NULL;
}
