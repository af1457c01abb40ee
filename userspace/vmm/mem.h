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

/* Host address of range @i of the layout, and its backing file (-1: none) and offset there. */
uint8_t *mem_host(const struct mem *m, unsigned int i);
int mem_file(const struct mem *m, unsigned int i, uint64_t *offset);

/* Back to zeroes, giving the host its pages back. vCPUs are parked, no handle is held. */
int mem_zero(struct mem *m);

/*
 * A handle on [@gpa, @gpa + @len), which must lie in one range. Any thread; put it soon.
 * Return: 0 or -EFAULT.
 */
int mem_get(struct mem *m, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out);
/* Notes what was written as dirty, with a release barrier before it. */
void mem_put(struct mem *m, struct gmem *g);

/*
 * Dirty bits of device writes, one a 4 KiB page of range @i: start noting (0 or -ENOMEM), and fetch and
 * clear. The module's own log covers writes of the guest.
 */
int mem_dirty_start(struct mem *m);
bool mem_dirty_test_clear(struct mem *m, unsigned int i, uint64_t page);

const char *mem_backing_name(const struct mem *m);

#endif
