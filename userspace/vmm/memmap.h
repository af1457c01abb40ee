/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The map of guest memory: which range holds an address. Any thread looks up; one thread
 * changes it, at any time. A range found stays mapped until it is put, whatever happens to the map.
 */
#ifndef HV_VMM_MEMMAP_H
#define HV_VMM_MEMMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mem_range {
	uint64_t		gpa, bytes;
	uint8_t			*host;		/* of its first byte */
	void			*map;		/* what mmap() gave: up to 2 MiB below host */
	size_t			map_len;
	int			fd;		/* backing file, -1: none */
	uint64_t		offset;		/* of its first byte in the file */
	_Atomic uint64_t	*_Atomic dirty;	/* a bit a page; NULL: not noted */
	atomic_uint		refs;		/* the map's, and one a handle */
	bool			bound;		/* to a node of the host */
	bool			of_file;	/* private pages of a saved VM's file: mem_from_file() */
};

struct memmap_table;
struct memmap {
	struct memmap_table	*table;		/* RCU */
};

/* All of [@gpa, @gpa + @len) in one range, with a reference; NULL: none holds it. */
struct mem_range *memmap_get(struct memmap *map, uint64_t gpa, uint64_t len);
/* The last one unmaps, closes and frees it. Any thread. */
void mem_range_put(struct mem_range *r);

/*
 * Changes, one thread at a time, not inside rcu_read_lock(). The map takes over the caller's reference of
 * @r and gives up its own of the range taken out; lookups see the map before or after, never a hole.
 * Return: 0; -EEXIST: it overlaps another; -ENOMEM: nothing was changed.
 */
int memmap_add(struct memmap *map, struct mem_range *r);
int memmap_remove(struct memmap *map, struct mem_range *r);
/* @r takes the place of @old, which has the same addresses. */
int memmap_replace(struct memmap *map, struct mem_range *old, struct mem_range *r);

/* Puts all ranges. No thread looks up any more. */
void memmap_release(struct memmap *map);

#endif
