// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guest memory.
 *
 * The mapping of each range starts at a host address congruent with its guest address modulo 2 MiB,
 * so that the module can map whole huge pages. Binding is mbind(2) directly: libnuma would cost more to
 * load than all of this.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"

#define HUGE		(2ULL << 20)
#define PAGE_SHIFT	12

#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB	(21U << 26)
#endif

struct mem {
	const struct layout	*layout;
	enum vmm_backing	backing;
	int			fd;			/* memfd of all ranges, or -1 */
	uint8_t			*host[LAYOUT_RANGES];
	void			*map[LAYOUT_RANGES];	/* what mmap() gave: up to 2 MiB below host[] */
	size_t			map_len[LAYOUT_RANGES];
	_Atomic uint64_t	*dirty[LAYOUT_RANGES];	/* NULL: not noted */
};

static const char * const backing_names[VMM_BACKING_NR] = {
	[VMM_BACKING_AUTO] = "auto", [VMM_BACKING_MEMFD] = "memfd",
	[VMM_BACKING_THP] = "thp", [VMM_BACKING_HUGETLB] = "hugetlb",
};

const char *mem_backing_name(const struct mem *m)
{
	return backing_names[m->backing];
}

/* Shared memory gets huge pages only if this switch of the host allows it. */
static enum vmm_backing backing_choose(enum vmm_backing wanted)
{
	char buf[96];
	ssize_t n;
	int fd;

	if (wanted != VMM_BACKING_AUTO)
		return wanted;
	fd = open("/sys/kernel/mm/transparent_hugepage/shmem_enabled", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return VMM_BACKING_THP;
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[n > 0 ? n : 0] = 0;
	return strstr(buf, "[always]") || strstr(buf, "[advise]") || strstr(buf, "[within_size]") ?
	       VMM_BACKING_MEMFD : VMM_BACKING_THP;
}

static int file_create(struct mem *m, const char *name, uint64_t bytes)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	char label[VMM_NAME_MAX + 8];

	if (m->backing == VMM_BACKING_HUGETLB)
		flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	snprintf(label, sizeof(label), "hv-%s", name);
	m->fd = memfd_create(label, flags);
	if (m->fd < 0 || ftruncate(m->fd, bytes))
		return -errno;
	/* Whoever gets this fd can write the memory, but not take pages from under the guest. */
	if (fcntl(m->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		return -errno;
	return 0;
}

static int node_bind(void *addr, uint64_t len, int node)
{
	unsigned long mask[1024 / (8 * sizeof(long))] = { 0 };

	mask[node / (8 * sizeof(long))] = 1UL << node % (8 * sizeof(long));
	return syscall(SYS_mbind, addr, len, MPOL_BIND, mask, sizeof(mask) * 8 + 1, 0) ? -errno : 0;
}

static int range_map(struct mem *m, unsigned int i)
{
	const struct layout_range *r = &m->layout->range[i];
	uint64_t slack = m->backing == VMM_BACKING_HUGETLB ? 0 : HUGE;
	int flags = m->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	uint8_t *p, *host;

	/* Without a reservation a guest that touches memory when the pool is empty dies by SIGBUS. */
	if (m->backing != VMM_BACKING_HUGETLB)
		flags |= MAP_NORESERVE;

	/* Reserve room to align in, then put the memory into it: a file must start at its offset. */
	if (m->fd >= 0 && slack) {
		p = mmap(NULL, r->bytes + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			 -1, 0);
	} else {
		p = mmap(NULL, r->bytes + slack, PROT_READ | PROT_WRITE, flags, m->fd,
			 m->fd >= 0 ? (off_t)r->offset : 0);
	}
	if (p == MAP_FAILED)
		return -errno;
	m->map[i] = p;
	m->map_len[i] = r->bytes + slack;
	host = (uint8_t *)(((uintptr_t)p + slack - 1) & ~(HUGE - 1));
	if (!slack)
		host = p;
	m->host[i] = host;
	if (m->fd >= 0 && slack &&
	    mmap(host, r->bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, m->fd, r->offset) == MAP_FAILED)
		return -errno;
	if (m->backing != VMM_BACKING_HUGETLB)
		madvise(host, r->bytes, MADV_HUGEPAGE);	/* a host without THP: small pages */
	return r->host_node >= 0 ? node_bind(host, r->bytes, r->host_node) : 0;
}

int mem_create(struct mem **out, const struct vmm_config *cfg, const struct layout *layout, char *err,
	       size_t errlen)
{
	struct mem *m = calloc(1, sizeof(*m));
	unsigned int i;
	int ret = 0;

	if (!m)
		return -ENOMEM;
	m->layout = layout;
	m->fd = -1;
	m->backing = backing_choose(cfg->backing);
	if (m->backing != VMM_BACKING_THP)
		ret = file_create(m, cfg->name[0] ? cfg->name : "vm", cfg->memory);
	for (i = 0; !ret && i < layout->nr; i++) {
		ret = range_map(m, i);
		if (ret && layout->range[i].host_node >= 0 && m->host[i])
			snprintf(err, errlen, "cannot bind guest memory to host node %d: %s",
				 layout->range[i].host_node, strerror(-ret));
	}
	if (!ret) {
		*out = m;
		return 0;
	}
	if (!err[0])
		snprintf(err, errlen, "cannot get %llu MiB of guest memory (%s): %s%s",
			 (unsigned long long)cfg->memory >> 20, mem_backing_name(m), strerror(-ret),
			 m->backing == VMM_BACKING_HUGETLB ?
			 "; reserve 2 MiB pages in /proc/sys/vm/nr_hugepages" : "");
	mem_release(m);
	return ret;
}

void mem_release(struct mem *m)
{
	unsigned int i;

	if (!m)
		return;
	for (i = 0; i < m->layout->nr; i++) {
		if (m->map[i])
			munmap(m->map[i], m->map_len[i]);
		free((void *)m->dirty[i]);
	}
	if (m->fd >= 0)
		close(m->fd);
	free(m);
}

uint8_t *mem_host(const struct mem *m, unsigned int i)
{
	return m->host[i];
}

int mem_file(const struct mem *m, unsigned int i, uint64_t *offset)
{
	*offset = m->fd >= 0 ? m->layout->range[i].offset : 0;
	return m->fd;
}

int mem_zero(struct mem *m)
{
	unsigned int i;

	for (i = 0; i < m->layout->nr; i++) {
		uint64_t bytes = m->layout->range[i].bytes;

		/* A hole in hugetlb memory gives up its reservation, and somebody else may take it. */
		if (m->backing == VMM_BACKING_HUGETLB)
			memset(m->host[i], 0, bytes);
		else if (madvise(m->host[i], bytes, m->fd >= 0 ? MADV_REMOVE : MADV_DONTNEED))
			return -errno;
	}
	return 0;
}

/* The range that holds all of [gpa, gpa + len), -1: none. */
static int range_find(const struct mem *m, uint64_t gpa, uint64_t len)
{
	const struct layout *l = m->layout;
	unsigned int i;

	for (i = 0; i < l->nr; i++)
		if (gpa >= l->range[i].gpa && gpa - l->range[i].gpa < l->range[i].bytes &&
		    len <= l->range[i].bytes - (gpa - l->range[i].gpa))
			return i;
	return -1;
}

int mem_get(struct mem *m, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out)
{
	int i = range_find(m, gpa, len);

	if (i < 0)
		return -EFAULT;
	*out = (struct gmem){ m->host[i] + (gpa - m->layout->range[i].gpa), gpa, len, dir };
	return 0;
}

void mem_put(struct mem *m, struct gmem *g)
{
	int i = range_find(m, g->gpa, g->len);
	uint64_t page, last;

	if (i < 0 || !(g->dir & DEV_DIR_WRITE) || !g->len || !m->dirty[i])
		return;
	last = (g->gpa + g->len - 1 - m->layout->range[i].gpa) >> PAGE_SHIFT;
	for (page = (g->gpa - m->layout->range[i].gpa) >> PAGE_SHIFT; page <= last; page++)
		__atomic_fetch_or((uint64_t *)&m->dirty[i][page / 64], 1ULL << page % 64,
				  __ATOMIC_RELEASE);
}

int mem_dirty_start(struct mem *m)
{
	unsigned int i;

	for (i = 0; i < m->layout->nr; i++) {
		uint64_t words = ((m->layout->range[i].bytes >> PAGE_SHIFT) + 63) / 64;

		if (!m->dirty[i])
			m->dirty[i] = calloc(words, sizeof(uint64_t));
		if (!m->dirty[i])
			return -ENOMEM;
	}
	return 0;
}

bool mem_dirty_test_clear(struct mem *m, unsigned int i, uint64_t page)
{
	uint64_t bit = 1ULL << page % 64;

	return m->dirty[i] &&
	       __atomic_fetch_and((uint64_t *)&m->dirty[i][page / 64], ~bit, __ATOMIC_ACQUIRE) & bit;
}
