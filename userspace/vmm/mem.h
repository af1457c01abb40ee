/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory: its host mappings, and handles on pieces of it. */
#ifndef HV_VMM_MEM_H
#define HV_VMM_MEM_H

#include "config.h"
#include "devices/dev_services.h"
#include "layout.h"

struct mem;

/*
 * Map all guest memory, page by page congruent with guest addresses modulo 2 MiB, bound to host nodes.
 * @err: on failure what could not be had and the next step. Return: 0 or -errno.
 */
int mem_create(struct mem **out, const struct vmm_config *cfg, const struct layout *layout, char *err,
	       size_t errlen);
/* No handle may be held. */
void mem_release(struct mem *m);

#define MEM_SLOTS	(LAYOUT_RANGES + 8)

/*
 * Change the map at run time; loop thread. Lookups see the memory before or after, never a hole, and handles got
 * before stay good: what they lie in is unmapped when the last one is put.
 * mem_add() - zero memory for [@gpa, @gpa + @bytes), both multiples of 4096, in a free slot, bound to @host_node
 * unless that is negative. Return: the slot; -EEXIST, -ENOSPC, -EINVAL or -errno.
 * mem_replace() - zero memory behind the same addresses. Return: 0 or -errno.
 * mem_remove() - take a slot out. Return: 0, -ENOENT or -ENOMEM.
 */
int mem_add(struct mem *m, uint64_t gpa, uint64_t bytes, int host_node);
int mem_replace(struct mem *m, unsigned int slot);
int mem_remove(struct mem *m, unsigned int slot);

/* Host address of slot @i (the layout's ranges come first), and its backing file (-1: none) and offset there. */
uint8_t *mem_host(const struct mem *m, unsigned int i);
int mem_file(const struct mem *m, unsigned int i, uint64_t *offset);

/*
 * Have slot @i, which nobody has touched yet, show the bytes of file @fd from @offset on: read when they are
 * needed, written to the file never. Its length must cover the slot for as long as the process lives.
 * Return: 0; -EOPNOTSUPP the backing is not private memory, or is bound to a host node; -errno.
 */
int mem_from_file(struct mem *m, unsigned int i, int fd, uint64_t offset);

/* Back to zeroes, giving the host its pages back. vCPUs are parked, no handle is held. */
int mem_zero(struct mem *m);

/*
 * A handle on [@gpa, @gpa + @len), which must lie in one slot. Any thread; put it soon.
 * Return: 0 or -EFAULT.
 */
int mem_get(struct mem *m, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out);
/* One more, with the direction of @held, which is not put before this returns: without a look at the map
 * when both lie in one slot. A slot that was replaced since then is the old one for both. */
int mem_get_like(struct mem *m, const struct gmem *held, uint64_t gpa, uint32_t len, struct gmem *out);
/* Notes what was written as dirty, with a release barrier before it. */
void mem_put(struct mem *m, struct gmem *g);

/*
 * Dirty bits of device writes, one a 4 KiB page of slot @i: start noting (0 or -ENOMEM), and fetch and
 * clear. The module's own log covers writes of the guest.
 */
int mem_dirty_start(struct mem *m);
bool mem_dirty_test_clear(struct mem *m, unsigned int i, uint64_t page);

const char *mem_backing_name(const struct mem *m);

#endif
