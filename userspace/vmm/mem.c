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
#include "memmap.h"

#define HUGE		(2ULL << 20)
#define PAGE_SHIFT	12

#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB	(21U << 26)
#endif

struct mem {
	struct memmap		map;
	struct mem_range	*slot[MEM_SLOTS];	/* loop thread */
	enum vmm_backing	backing;
	bool			noting;			/* mem_dirty_start() was called */
	char			label[VMM_NAME_MAX + 8];	/* of memfds, for the host's administrator */
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

/* @out: a memfd of @bytes, -1 when the backing has none. */
static int file_create(const struct mem *m, uint64_t bytes, int *out)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd, ret;

	*out = -1;
	if (m->backing == VMM_BACKING_THP)
		return 0;
	if (m->backing == VMM_BACKING_HUGETLB)
		flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	fd = memfd_create(m->label, flags);
	if (fd < 0)
		return -errno;
	/* Whoever gets this fd can write the memory, but not take pages from under the guest. */
	if (ftruncate(fd, bytes) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	*out = fd;
	return 0;
}

static int node_bind(void *addr, uint64_t len, int node)
{
	unsigned long mask[1024 / (8 * sizeof(long))] = { 0 };

	mask[node / (8 * sizeof(long))] = 1UL << node % (8 * sizeof(long));
	return syscall(SYS_mbind, addr, len, MPOL_BIND, mask, sizeof(mask) * 8 + 1, 0) ? -errno : 0;
}

static int range_map(const struct mem *m, struct mem_range *r, int host_node)
{
	uint64_t slack = m->backing == VMM_BACKING_HUGETLB ? 0 : HUGE;
	int flags = r->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	uint8_t *p;

	/* Without a reservation a guest that touches memory when the pool is empty dies by SIGBUS. */
	if (m->backing != VMM_BACKING_HUGETLB)
		flags |= MAP_NORESERVE;

	/* Reserve room to align in, then put the memory into it: a file must start at its offset. */
	if (r->fd >= 0 && slack) {
		p = mmap(NULL, r->bytes + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			 -1, 0);
	} else {
		p = mmap(NULL, r->bytes + slack, PROT_READ | PROT_WRITE, flags, r->fd,
			 r->fd >= 0 ? (off_t)r->offset : 0);
	}
	if (p == MAP_FAILED)
		return -errno;
	r->map = p;
	r->map_len = r->bytes + slack;
	r->host = slack ? (uint8_t *)((((uintptr_t)p + HUGE - 1) & ~(HUGE - 1)) + r->gpa % HUGE) : p;
	if (slack && r->host >= p + HUGE)
		r->host -= HUGE;
	if (r->fd >= 0 && slack && mmap(r->host, r->bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, r->fd,
					r->offset) == MAP_FAILED)
		return -errno;
	if (m->backing != VMM_BACKING_HUGETLB)
		madvise(r->host, r->bytes, MADV_HUGEPAGE);	/* a host without THP: small pages */
	r->bound = host_node >= 0;
	return r->bound ? node_bind(r->host, r->bytes, host_node) : 0;
}

static int dirty_alloc(struct mem_range *r)
{
	void *bits = calloc(((r->bytes >> PAGE_SHIFT) + 63) / 64, sizeof(uint64_t));

	if (!bits)
		return -ENOMEM;
	atomic_store(&r->dirty, bits);
	return 0;
}

/* Takes over @fd. On failure *@out is NULL, or has a range that lacks its binding: put it. */
static int range_create(const struct mem *m, uint64_t gpa, uint64_t bytes, int fd, uint64_t offset,
			int host_node, struct mem_range **out)
{
	struct mem_range *r = calloc(1, sizeof(*r));
	int ret = 0;

	*out = r;
	if (!r) {
		if (fd >= 0)
			close(fd);
		return -ENOMEM;
	}
	r->gpa = gpa;
	r->bytes = bytes;
	r->fd = fd;
	r->offset = offset;
	atomic_init(&r->refs, 1);
	if (m->noting)
		ret = dirty_alloc(r);
	return ret ? ret : range_map(m, r, host_node);
}

/* All ranges of the layout lie in one file, each with a descriptor of its own. */
static int layout_map(struct mem *m, const struct layout *layout, uint64_t bytes, char *err, size_t errlen)
{
	unsigned int i;
	int file, fd, ret = file_create(m, bytes, &file);

	for (i = 0; !ret && i < layout->nr; i++) {
		const struct layout_range *l = &layout->range[i];
		struct mem_range *r = NULL;

		fd = file < 0 || i + 1 == layout->nr ? file : fcntl(file, F_DUPFD_CLOEXEC, 0);
		if (file >= 0 && fd < 0) {
			ret = -errno;
			break;
		}
		if (fd == file)
			file = -1;
		ret = range_create(m, l->gpa, l->bytes, fd, l->offset, l->host_node, &r);
		if (ret && l->host_node >= 0 && r && r->host)
			snprintf(err, errlen, "cannot bind guest memory to host node %d: %s", l->host_node,
				 strerror(-ret));
		if (!ret)
			ret = memmap_add(&m->map, r);
		if (!ret)
			m->slot[i] = r;
		else if (r)
			mem_range_put(r);
	}
	if (file >= 0)
		close(file);
	return ret;
}

int mem_create(struct mem **out, const struct vmm_config *cfg, const struct layout *layout, char *err,
	       size_t errlen)
{
	struct mem *m = calloc(1, sizeof(*m));
	int ret;

	if (!m)
		return -ENOMEM;
	m->backing = backing_choose(cfg->backing);
	snprintf(m->label, sizeof(m->label), "hv-%s", cfg->name[0] ? cfg->name : "vm");
	ret = layout_map(m, layout, cfg->memory, err, errlen);
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
	if (!m)
		return;
	memmap_release(&m->map);
	free(m);
}

/* A range with a file of its own, not in the map yet. */
static int range_fresh(const struct mem *m, uint64_t gpa, uint64_t bytes, int host_node, struct mem_range **out)
{
	int fd, ret = file_create(m, bytes, &fd);

	*out = NULL;
	if (ret)
		return ret;
	ret = range_create(m, gpa, bytes, fd, 0, host_node, out);
	if (ret && *out)
		mem_range_put(*out);
	return ret;
}

int mem_add(struct mem *m, uint64_t gpa, uint64_t bytes, int host_node)
{
	struct mem_range *r;
	unsigned int i;
	int ret;

	if (!bytes || (gpa | bytes) & 4095 || gpa + bytes < gpa)
		return -EINVAL;
	for (i = 0; i < MEM_SLOTS && m->slot[i]; i++)
		;
	if (i == MEM_SLOTS)
		return -ENOSPC;
	ret = range_fresh(m, gpa, bytes, host_node, &r);
	if (ret)
		return ret;
	ret = memmap_add(&m->map, r);
	if (ret) {
		mem_range_put(r);
		return ret;
	}
	m->slot[i] = r;
	return i;
}

int mem_replace(struct mem *m, unsigned int slot)
{
	struct mem_range *old = slot < MEM_SLOTS ? m->slot[slot] : NULL, *r;
	int ret;

	if (!old)
		return -ENOENT;
	ret = range_fresh(m, old->gpa, old->bytes, -1, &r);
	if (ret)
		return ret;
	ret = memmap_replace(&m->map, old, r);
	if (ret)
		mem_range_put(r);
	else
		m->slot[slot] = r;
	return ret;
}

int mem_remove(struct mem *m, unsigned int slot)
{
	int ret;

	if (slot >= MEM_SLOTS || !m->slot[slot])
		return -ENOENT;
	ret = memmap_remove(&m->map, m->slot[slot]);
	if (!ret)
		m->slot[slot] = NULL;
	return ret;
}

uint8_t *mem_host(const struct mem *m, unsigned int i)
{
	return m->slot[i]->host;
}

int mem_file(const struct mem *m, unsigned int i, uint64_t *offset)
{
	*offset = m->slot[i]->fd >= 0 ? m->slot[i]->offset : 0;
	return m->slot[i]->fd;
}

int mem_from_file(struct mem *m, unsigned int i, int fd, uint64_t offset)
{
	struct mem_range *r = m->slot[i];

	if (r->fd >= 0 || r->bound || m->backing == VMM_BACKING_HUGETLB)
		return -EOPNOTSUPP;
	if (mmap(r->host, r->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
		 (off_t)offset) == MAP_FAILED)
		return -errno;
	r->of_file = true;
	return 0;
}

/* What goes back to zero must not become the file's again. */
static int anonymous_again(struct mem_range *r)
{
	if (mmap(r->host, r->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE,
		 -1, 0) == MAP_FAILED)
		return -errno;
	madvise(r->host, r->bytes, MADV_HUGEPAGE);
	r->of_file = false;
	return 0;
}

int mem_zero(struct mem *m)
{
	unsigned int i;

	for (i = 0; i < MEM_SLOTS; i++) {
		struct mem_range *r = m->slot[i];

		if (!r)
			continue;
		if (r->of_file) {
			int ret = anonymous_again(r);

			if (ret)
				return ret;
			continue;
		}
		/* A hole in hugetlb memory gives up its reservation, and somebody else may take it. */
		if (m->backing == VMM_BACKING_HUGETLB)
			memset(r->host, 0, r->bytes);
		else if (madvise(r->host, r->bytes, r->fd >= 0 ? MADV_REMOVE : MADV_DONTNEED))
			return -errno;
	}
	return 0;
}

int mem_get(struct mem *m, uint64_t gpa, uint32_t len, uint32_t dir, struct gmem *out)
{
	struct mem_range *r = memmap_get(&m->map, gpa, len);

	if (!r)
		return -EFAULT;
	*out = (struct gmem){ r->host + (gpa - r->gpa), gpa, len, dir, r };
	return 0;
}

int mem_get_like(struct mem *m, const struct gmem *held, uint64_t gpa, uint32_t len, struct gmem *out)
{
	struct mem_range *r = held->range;

	if (gpa < r->gpa || gpa - r->gpa >= r->bytes || len > r->bytes - (gpa - r->gpa))
		return mem_get(m, gpa, len, held->dir, out);
	/* @held has a reference, so the range is there, and may be had once more. */
	atomic_fetch_add_explicit(&r->refs, 1, memory_order_relaxed);
	*out = (struct gmem){ r->host + (gpa - r->gpa), gpa, len, held->dir, r };
	return 0;
}

void mem_put(struct mem *m, struct gmem *g)
{
	struct mem_range *r = g->range;
	_Atomic uint64_t *bits = atomic_load(&r->dirty);
	uint64_t page, last;

	(void)m;
	if (g->dir & DEV_DIR_WRITE && g->len && bits) {
		last = (g->gpa + g->len - 1 - r->gpa) >> PAGE_SHIFT;
		for (page = (g->gpa - r->gpa) >> PAGE_SHIFT; page <= last; page++)
			atomic_fetch_or_explicit(&bits[page / 64], 1ULL << page % 64, memory_order_release);
	}
	g->range = NULL;
	mem_range_put(r);
}

int mem_dirty_start(struct mem *m)
{
	unsigned int i;
	int ret = 0;

	m->noting = true;
	for (i = 0; i < MEM_SLOTS && !ret; i++)
		if (m->slot[i] && !atomic_load(&m->slot[i]->dirty))
			ret = dirty_alloc(m->slot[i]);
	return ret;
}

bool mem_dirty_test_clear(struct mem *m, unsigned int i, uint64_t page)
{
	_Atomic uint64_t *bits = atomic_load(&m->slot[i]->dirty);
	uint64_t bit = 1ULL << page % 64;

	return bits && atomic_fetch_and_explicit(&bits[page / 64], ~bit, memory_order_acquire) & bit;
}
