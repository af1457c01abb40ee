// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Write tracking (arch/x86/mmu/track.c, as the module builds it) over two roots of different
 * formats: a tracked frame loses its write permission in both, no other does, and the count
 * nests. The kernel around it - xarray, lock, what a flush is - is played by a few lines here.
 */
#include <errno.h>
#include <stdlib.h>
#include "selftests/unit/lib/unit.h"
#include "arch/x86/lib/slat.h"

/* In place of mmu.h and slat_ops.h. */
#define _HV_ARCH_X86_MMU_SLAT_OPS_H
#define FRAMES		1024u
#define GFP_KERNEL_ACCOUNT 0
#define GFP_NOWAIT	0
#define XA_PRESENT	0

typedef u64 hv_gfn_t;

struct xarray {
	void *at[FRAMES];
	unsigned int nr, reserved;
	bool no_memory;
};

struct hv_mmu_roots {
	struct xarray tracked;
};

struct hv_vm {
	int mmu_lock;
};

struct hv_vm_x86 {
	struct hv_vm core;
	struct hv_mmu_roots *roots;
};

static struct hv_slat_root root[2];
static unsigned int flushes, held;

#define spin_lock(l)		((void)(l), held++)
#define spin_unlock(l)		((void)(l), held--)
#define lockdep_assert_held(l)	CHECK(((void)(l), held == 1))
#define xa_mk_value(v)		((void *)((v) << 1 | 1))
#define xa_to_value(p)		((unsigned long)(p) >> 1)
#define xa_err(p)		((void)(p), 0)
#define xa_empty(xa)		(!(xa)->nr)

static int xa_reserve(struct xarray *xa, u64 i, int gfp)
{
	(void)gfp;
	if (xa->no_memory)
		return -ENOMEM;
	xa->reserved += !xa->at[i];
	return 0;
}

/* Storing where nothing was reserved would allocate, under the lock. */
static void *xa_store(struct xarray *xa, u64 i, void *v, int gfp)
{
	(void)gfp;
	CHECK_EQ(held, 1);
	CHECK(xa->at[i] || xa->reserved);
	xa->reserved -= !xa->at[i];
	xa->nr += !xa->at[i];
	xa->at[i] = v;
	return NULL;
}

static void *xa_load(struct xarray *xa, u64 i)
{
	return xa->at[i];
}

static void xa_erase(struct xarray *xa, u64 i)
{
	xa->nr -= !!xa->at[i];
	xa->at[i] = NULL;
}

static void *xa_find(struct xarray *xa, unsigned long *at, unsigned long max, int filter)
{
	(void)filter;
	for (; *at <= max && *at < FRAMES; ++*at)
		if (xa->at[*at])
			return xa->at[*at];
	return NULL;
}

static bool hv_arch_mmu_wrprotect_locked(struct hv_vm *vm, hv_gfn_t start, hv_gfn_t end,
					 const unsigned long *mask)
{
	(void)mask;
	lockdep_assert_held(&vm->mmu_lock);
	return hv_slat_wrprotect(&root[0], start, end) | hv_slat_wrprotect(&root[1], start, end);
}

static void hv_arch_mmu_flush_locked(struct hv_vm *vm)
{
	lockdep_assert_held(&vm->mmu_lock);
	flushes++;
}

int hv_mmu_track_add(struct hv_vm_x86 *vm, hv_gfn_t gfn);
void hv_mmu_track_del(struct hv_vm_x86 *vm, hv_gfn_t gfn);
bool hv_mmu_tracked_locked(struct hv_vm_x86 *vm, hv_gfn_t start, hv_gfn_t end);
#include "arch/x86/mmu/track.c"

static struct hv_mmu_roots roots;
static struct hv_vm_x86 vm = { .roots = &roots };
static void *pages[64];
static unsigned int nr_pages;

static void *page(void)
{
	void *p = aligned_alloc(4096, 4096);

	memset(p, 0, 4096);
	pages[nr_pages++] = p;
	return p;
}

static void map_all(struct hv_slat_root *r)
{
	struct hv_slat_gather g = { 0 };
	struct hv_slat_cache cache = { 0 };
	u64 gfn, *e;
	u32 have;

	for (gfn = 0; gfn < FRAMES; gfn++) {
		while (hv_slat_make(r, gfn, 1, &cache, &e, &have))
			cache.page[cache.n++] = page();
		hv_slat_set(r, e, gfn, 1, hv_slat_leaf(r, gfn << 12, 1, SLAT_WRITE), &g);
	}
}

static bool writable(const struct hv_slat_root *r, u64 gfn)
{
	u32 level;

	return *hv_slat_find(r, gfn, &level) & SLAT_WRITE;
}

/* Frames that have no write permission, the same in both roots. */
static unsigned int protected_frames(void)
{
	unsigned int n = 0;

	for (u64 gfn = 0; gfn < FRAMES; gfn++) {
		CHECK_EQ(writable(&root[0], gfn), writable(&root[1], gfn));
		n += !writable(&root[0], gfn);
	}
	return n;
}

static bool tracked(u64 start, u64 end)
{
	bool ret;

	held++;
	ret = hv_mmu_tracked_locked(&vm, start, end);
	held--;
	return ret;
}

int main(void)
{
	unsigned int i;

	hv_slat_root_init(&root[0], SLAT_FMT_NPT, 4, page(), 0, 0);
	hv_slat_root_init(&root[1], SLAT_FMT_EPT, 4, page(), 0, 0);
	map_all(&root[0]);
	map_all(&root[1]);
	CHECK(!tracked(0, FRAMES));

	CHECK_EQ(hv_mmu_track_add(&vm, 600), 0);
	CHECK_EQ(protected_frames(), 1);
	CHECK(!writable(&root[0], 600) && !writable(&root[1], 600));
	CHECK_EQ(flushes, 1);
	CHECK(tracked(600, 601) && tracked(0, FRAMES) && tracked(512, 1024));
	CHECK(!tracked(0, 600) && !tracked(601, FRAMES));

	/* Once more: nothing left to take, so no flush; it takes two to let go. */
	CHECK_EQ(hv_mmu_track_add(&vm, 600), 0);
	CHECK_EQ(flushes, 1);
	hv_mmu_track_del(&vm, 600);
	CHECK(tracked(600, 601));
	hv_mmu_track_del(&vm, 600);
	CHECK(!tracked(0, FRAMES));
	CHECK_EQ(roots.tracked.nr, 0);

	roots.tracked.no_memory = true;
	CHECK_EQ(hv_mmu_track_add(&vm, 5), -ENOMEM);
	CHECK(!tracked(0, FRAMES) && writable(&root[0], 5));
	CHECK_EQ(held, 0);
	for (i = 0; i < nr_pages; i++)
		free(pages[i]);
	return unit_done();
}
