// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest memory: every backing, alignment, handles at the edges of ranges, dirty bits, back to zeroes;
 * slots that come, change and go under readers. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/unit.h"
#include "vmm/mem.h"

#define MIB (1ULL << 20)

static struct vmm_config cfg;
static struct layout layout;
static char err[256];

/* 4 GiB and more, so that there is a hole; two nodes whose border is not there. */
static void config(enum vmm_backing backing)
{
	vmm_config_init(&cfg);
	strcpy(cfg.name, "t");
	cfg.kernel = "k";
	cfg.backing = backing;
	cfg.memory = 5120 * MIB;
	cfg.nodes = 2;
	cfg.node[0] = (struct vmm_node){ 1024 * MIB, 0, 1, -1 };
	cfg.node[1] = (struct vmm_node){ 4096 * MIB, 0, 0, -1 };
	layout_build(&layout, &cfg);
	CHECK_EQ(layout.nr, 3);
}

static void handles(struct mem *m)
{
	uint64_t high = layout.range[2].gpa, end = high + layout.range[2].bytes;
	struct gmem g, h;

	CHECK_EQ(mem_get(m, 1024 * MIB - 16, 16, DEV_DIR_WRITE, &g), 0);
	CHECK(g.ptr == mem_host(m, 0) + 1024 * MIB - 16);
	mem_put(m, &g);
	CHECK_EQ(mem_get(m, 1024 * MIB - 16, 17, DEV_DIR_READ, &g), -EFAULT);	/* two ranges */
	CHECK_EQ(mem_get(m, LAYOUT_HOLE - 4, 8, DEV_DIR_READ, &g), -EFAULT);
	CHECK_EQ(mem_get(m, LAYOUT_HOLE, 1, DEV_DIR_READ, &g), -EFAULT);
	CHECK_EQ(mem_get(m, end - 1, 1, DEV_DIR_READ, &g), 0);
	mem_put(m, &g);
	CHECK_EQ(mem_get(m, end, 1, DEV_DIR_READ, &g), -EFAULT);
	CHECK_EQ(mem_get(m, ~0ULL, 1, DEV_DIR_READ, &g), -EFAULT);
	CHECK_EQ(mem_get(m, ~0ULL - 3, 8, DEV_DIR_READ, &g), -EFAULT);
	CHECK_EQ(mem_get(m, high, ~0U, DEV_DIR_READ, &g), -EFAULT);
	CHECK_EQ(mem_get(m, high, 1, DEV_DIR_WRITE, &g), 0);
	CHECK_EQ(mem_get_like(m, &g, end - 1, 1, &h), 0);
	CHECK(h.ptr == (char *)g.ptr + (end - 1 - high) && h.dir == DEV_DIR_WRITE);
	mem_put(m, &h);
	CHECK_EQ(mem_get_like(m, &g, end - 1, 2, &h), -EFAULT);
	CHECK_EQ(mem_get_like(m, &g, high - 1, 1, &h), -EFAULT);
	CHECK_EQ(mem_get_like(m, &g, high, ~0U, &h), -EFAULT);
	CHECK_EQ(mem_get_like(m, &g, 4096, 16, &h), 0);		/* of another range */
	CHECK(h.ptr == mem_host(m, 0) + 4096 && h.len == 16);
	mem_put(m, &h);
	mem_put(m, &g);
}

static void dirty(struct mem *m)
{
	struct gmem g;

	CHECK_EQ(mem_get(m, 4095, 2, DEV_DIR_WRITE, &g), 0);
	mem_put(m, &g);
	CHECK(!mem_dirty_test_clear(m, 0, 0));		/* not noted yet */
	CHECK_EQ(mem_dirty_start(m), 0);
	CHECK_EQ(mem_get(m, 4095, 2, DEV_DIR_WRITE, &g), 0);
	mem_put(m, &g);
	CHECK(mem_dirty_test_clear(m, 0, 0));
	CHECK(mem_dirty_test_clear(m, 0, 1));
	CHECK(!mem_dirty_test_clear(m, 0, 1));
	CHECK(!mem_dirty_test_clear(m, 0, 2));
	CHECK_EQ(mem_get(m, 8192, 4096, DEV_DIR_READ, &g), 0);
	mem_put(m, &g);
	CHECK(!mem_dirty_test_clear(m, 0, 2));
	CHECK_EQ(mem_get(m, layout.range[2].gpa + layout.range[2].bytes - 1, 1, DEV_DIR_WRITE, &g), 0);
	mem_put(m, &g);
	CHECK(mem_dirty_test_clear(m, 2, (layout.range[2].bytes >> 12) - 1));
}

static void backing(enum vmm_backing b, const char *name)
{
	uint64_t off;
	struct mem *m;
	unsigned int i;

	config(b);
	err[0] = 0;
	CHECK_EQ(mem_create(&m, &cfg, &layout, err, sizeof(err)), 0);
	CHECK_EQ(strcmp(mem_backing_name(m), name), 0);
	for (i = 0; i < layout.nr; i++) {
		CHECK_EQ(((uintptr_t)mem_host(m, i) ^ layout.range[i].gpa) & (2 * MIB - 1), 0);
		CHECK_EQ(mem_file(m, i, &off) >= 0, b == VMM_BACKING_MEMFD);
		CHECK_EQ(off, b == VMM_BACKING_MEMFD ? layout.range[i].offset : 0);
		mem_host(m, i)[0] = mem_host(m, i)[layout.range[i].bytes - 1] = (uint8_t)(i + 1);
	}
	if (b == VMM_BACKING_MEMFD) {
		uint8_t c = 0;

		CHECK_EQ(pread(mem_file(m, 2, &off), &c, 1, layout.range[2].offset), 1);
		CHECK_EQ(c, 3);
		CHECK_EQ(ftruncate(mem_file(m, 0, &off), 4096), -1);	/* sealed */
	}
	handles(m);
	dirty(m);
	CHECK_EQ(mem_zero(m), 0);
	for (i = 0; i < layout.nr; i++)
		CHECK_EQ(mem_host(m, i)[0] | mem_host(m, i)[layout.range[i].bytes - 1], 0);
	mem_release(m);
}

static void refusals(void)
{
	struct mem *m = NULL;

	config(VMM_BACKING_THP);
	layout.range[1].host_node = 1000;
	err[0] = 0;
	CHECK(mem_create(&m, &cfg, &layout, err, sizeof(err)) < 0);
	CHECK_HAS(err, "host node 1000");
	config(VMM_BACKING_HUGETLB);		/* more than any machine of ours has set aside */
	cfg.nodes = 0;
	cfg.memory = 1ULL << 41;
	layout_build(&layout, &cfg);
	err[0] = 0;
	CHECK(mem_create(&m, &cfg, &layout, err, sizeof(err)) < 0);
	CHECK_HAS(err, "2097152 MiB of guest memory (hugetlb)");
	mem_release(NULL);
}

/* ---- changes at run time ---- */

#define EXTRA	(64ULL << 30)
#define BYTES	(16ULL << 12)

static void small(struct mem **m, enum vmm_backing b)
{
	vmm_config_init(&cfg);
	cfg.kernel = "k";
	cfg.backing = b;
	cfg.memory = 16 * MIB;
	layout_build(&layout, &cfg);
	CHECK_EQ(mem_create(m, &cfg, &layout, err, sizeof(err)), 0);
}

static bool mapped(const void *p)
{
	unsigned char v;

	return !mincore((void *)((uintptr_t)p & ~4095UL), 4096, &v);
}

static void changes(enum vmm_backing b)
{
	struct gmem g, h, like;
	struct mem *m;
	int slot, i;

	small(&m, b);
	CHECK_EQ(mem_add(m, 0, 4096, -1), -EEXIST);
	CHECK_EQ(mem_add(m, 16 * MIB - 4096, 8192, -1), -EEXIST);
	CHECK_EQ(mem_add(m, EXTRA, 0, -1), -EINVAL);
	CHECK_EQ(mem_add(m, EXTRA + 1, 4096, -1), -EINVAL);
	CHECK_EQ(mem_add(m, -4096ULL, 4096, -1), -EINVAL);
	CHECK_EQ(mem_get(m, EXTRA, 1, DEV_DIR_READ, &g), -EFAULT);
	slot = mem_add(m, EXTRA + 4096, BYTES, -1);
	CHECK_EQ(slot, 1);
	CHECK_EQ(((uintptr_t)mem_host(m, slot) ^ (EXTRA + 4096)) & (2 * MIB - 1), 0);
	CHECK_EQ(mem_get(m, EXTRA + 4096, BYTES, DEV_DIR_WRITE, &g), 0);
	CHECK_EQ(mem_get(m, EXTRA + 4095, 2, DEV_DIR_WRITE, &h), -EFAULT);
	memset(g.ptr, 7, BYTES);
	CHECK_EQ(mem_replace(m, slot), 0);
	CHECK_EQ(mem_get(m, EXTRA + 4096, BYTES, DEV_DIR_READ, &h), 0);
	CHECK(g.ptr != h.ptr);
	CHECK_EQ(*(uint8_t *)h.ptr, 0);			/* new memory */
	CHECK_EQ(((uint8_t *)g.ptr)[BYTES - 1], 7);	/* the old one is still held */
	CHECK_EQ(mem_get_like(m, &g, EXTRA + 8192, 1, &like), 0);
	CHECK(like.ptr == (char *)g.ptr + 4096);		/* what it is like is held, too */
	mem_put(m, &g);
	CHECK(mapped(like.ptr));
	mem_put(m, &like);
	CHECK(!mapped(like.ptr));
	CHECK_EQ(mem_remove(m, slot), 0);
	CHECK_EQ(mem_remove(m, slot), -ENOENT);
	CHECK_EQ(mem_replace(m, slot), -ENOENT);
	CHECK_EQ(mem_get(m, EXTRA + 4096, 1, DEV_DIR_READ, &g), -EFAULT);
	CHECK(mapped(h.ptr));
	mem_put(m, &h);
	CHECK(!mapped(h.ptr));
	/* Bits of a slot that came while noting; and no more slots than there are. */
	CHECK_EQ(mem_dirty_start(m), 0);
	for (i = 1; i < MEM_SLOTS; i++)
		CHECK_EQ(mem_add(m, EXTRA + i * BYTES, BYTES, -1), i);
	CHECK_EQ(mem_add(m, 2 * EXTRA, BYTES, -1), -ENOSPC);
	CHECK_EQ(mem_get(m, EXTRA + 2 * BYTES + 4096, 1, DEV_DIR_WRITE, &g), 0);
	mem_put(m, &g);
	CHECK(mem_dirty_test_clear(m, 2, 1));
	CHECK(!mem_dirty_test_clear(m, 2, 1));
	mem_release(m);
}

static atomic_bool quit;
static atomic_ulong seen, torn;

/* What a handle shows stays one generation's, whole and mapped, until it is put. */
static void *reader(void *arg)
{
	struct gmem g;

	while (!quit) {
		const uint8_t *p;
		size_t i;

		if (mem_get(arg, EXTRA, BYTES, DEV_DIR_WRITE, &g))
			continue;
		p = g.ptr;
		for (i = 0; i < BYTES; i += 512)
			torn += p[i] != p[0] && p[i] && p[0];	/* zero: not filled yet */
		mem_put(arg, &g);
		seen++;
	}
	return NULL;
}

static void under_readers(enum vmm_backing b)
{
	pthread_t t[2];
	struct mem *m;
	int i, k;

	small(&m, b);
	CHECK_EQ(mem_dirty_start(m), 0);
	quit = false;
	seen = 0;
	for (i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, reader, m), 0);
	for (i = 1; i <= 200; i++) {
		int slot = mem_add(m, EXTRA, BYTES, -1);

		CHECK_EQ(slot, 1);
		for (k = 0; slot > 0 && k < 3; k++) {
			unsigned long before = seen;

			memset(mem_host(m, slot), i, BYTES);
			for (int spin = 0; seen == before && spin < 20000; spin++)
				sched_yield();
			CHECK_EQ(k < 2 ? mem_replace(m, slot) : mem_remove(m, slot), 0);
		}
	}
	quit = true;
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	CHECK(seen >= 200);
	CHECK_EQ(torn, 0);
	mem_release(m);
}

int main(void)
{
	backing(VMM_BACKING_MEMFD, "memfd");
	backing(VMM_BACKING_THP, "thp");
	refusals();
	changes(VMM_BACKING_MEMFD);
	changes(VMM_BACKING_THP);
	under_readers(VMM_BACKING_MEMFD);
	under_readers(VMM_BACKING_THP);
	return unit_done();
}
