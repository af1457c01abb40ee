// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Second-level tables against a flat model: random maps of all sizes, zaps, splits, write
 * protection and ageing on two roots of different formats that map the same frames, every
 * range operation applied to both, as the module does.
 */
#include <errno.h>
#include <stdlib.h>
#include "selftests/unit/lib/unit.h"
#include "arch/x86/lib/slat.h"

#define FRAMES	(4u << 18)	/* 4 GiB: all sizes fit, upper tables matter */
#define ROOTS	2

struct frame {
	u64 spa;		/* 0: not mapped */
	bool write, accessed, dirty;
};

struct test_root {
	struct hv_slat_root r;
	struct hv_slat_cache cache;
	struct frame *model;
	u64 harvested, expect_harvest;
	u64 live;		/* tables allocated and not freed */
};

static u32 seed = 7;

static u32 rnd(u32 n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

static void *page(void)
{
	void *p = aligned_alloc(4096, 4096);

	memset(p, 0, 4096);
	return p;
}

static void fill(struct test_root *t)
{
	while (t->cache.n < 4) {
		t->cache.page[t->cache.n++] = page();
		t->live++;
	}
}

static void harvest(void *ctx, u64 entry, u32 level)
{
	struct test_root *t = ctx;

	CHECK(entry & SLAT_PRESENT);
	t->harvested += hv_slat_span(level);
}

static void drop(struct test_root *t, struct hv_slat_gather *g)
{
	void *p;

	CHECK(!g->freed || g->flush);
	while ((p = hv_slat_chain_pop(&g->freed, 0))) {
		t->live--;
		free(p);
	}
}

static struct hv_slat_gather gather(struct test_root *t)
{
	return (struct hv_slat_gather){ .harvest = harvest, .ctx = t };
}

/* A large leaf touched by a change goes as a whole: find what the model loses. */
static void model_zap(struct test_root *t, u64 start, u64 end)
{
	u64 lo = start, hi = end, f;
	u32 level;

	for (f = start; f < end; f++) {
		u64 *e = hv_slat_find(&t->r, f, &level);
		u64 base = f & ~(hv_slat_span(level) - 1);

		if (!(*e & SLAT_PRESENT))
			continue;
		if (base < lo)
			lo = base;
		if (base + hv_slat_span(level) > hi)
			hi = base + hv_slat_span(level);
		f = base + hv_slat_span(level) - 1;
	}
	for (f = lo; f < hi; f++) {
		if (t->model[f].spa)
			t->expect_harvest++;
		memset(&t->model[f], 0, sizeof(t->model[f]));
	}
}

static void map(struct test_root *t, u64 gfn, u32 level)
{
	struct hv_slat_gather g = gather(t);
	u64 span = hv_slat_span(level), base = gfn & ~(span - 1), spa = (base + 1000 * span) << 12;
	bool write = rnd(2);
	u64 *e;
	u32 have;
	int ret;

	fill(t);
	while ((ret = hv_slat_make(&t->r, gfn, level, &t->cache, &e, &have))) {
		CHECK_EQ(ret, -EEXIST);
		CHECK(have > level);
		model_zap(t, gfn, gfn + 1);
		hv_slat_zap(&t->r, gfn, gfn + 1, &g);
	}
	model_zap(t, base, base + span);
	hv_slat_set(&t->r, e, gfn, level,
		 hv_slat_leaf(&t->r, spa, level, write ? SLAT_WRITE | SLAT_HOST_WRITE : 0), &g);
	for (u64 f = 0; f < span; f++)
		t->model[base + f] = (struct frame){ .spa = spa + (f << 12), .write = write };
	drop(t, &g);
}

static void zap(struct test_root *t, u64 start, u64 end)
{
	struct hv_slat_gather g = gather(t);

	model_zap(t, start, end);
	hv_slat_zap(&t->r, start, end, &g);
	CHECK_EQ(t->harvested, t->expect_harvest);
	drop(t, &g);
}

static void split(struct test_root *t, u64 gfn)
{
	struct hv_slat_gather g = gather(t);
	u32 level;
	u64 *e = hv_slat_find(&t->r, gfn, &level);

	fill(t);
	if (level == 1 || !(*e & SLAT_PRESENT))
		return;
	CHECK_EQ(hv_slat_split(&t->r, e, level, &t->cache, &g), 0);
	CHECK(g.flush);
	drop(t, &g);
}

/* The processor: reads or writes a frame, sets the bits the format has. */
static void touch(struct test_root *t, u64 gfn, bool write)
{
	u32 level;
	u64 *e = hv_slat_find(&t->r, gfn, &level);
	u64 base, f;

	if (!(*e & SLAT_PRESENT) || (write && !(*e & SLAT_WRITE)))
		return;
	*e |= t->r.fmt->accessed | (write ? t->r.fmt->dirty : 0);
	base = gfn & ~(hv_slat_span(level) - 1);
	for (f = base; f < base + hv_slat_span(level); f++) {
		t->model[f].accessed = true;
		t->model[f].dirty |= write;
	}
}

static void wrprotect(struct test_root *t, u64 start, u64 end)
{
	bool any = false;
	u64 f, g, base;
	u32 level;

	for (f = start; f < end; f = base + hv_slat_span(level)) {
		u64 *e = hv_slat_find(&t->r, f, &level);

		base = f & ~(hv_slat_span(level) - 1);
		if (!(*e & SLAT_PRESENT))
			continue;
		for (g = base; g < base + hv_slat_span(level); g++) {
			any |= t->model[g].write;
			t->model[g].write = false;
		}
	}
	CHECK_EQ(hv_slat_wrprotect(&t->r, start, end), any);
}

static void age(struct test_root *t, u64 start, u64 end)
{
	bool any = false;
	u64 f, g, base;
	u32 level;

	for (f = start; f < end; f = base + hv_slat_span(level)) {
		hv_slat_find(&t->r, f, &level);
		base = f & ~(hv_slat_span(level) - 1);
		for (g = base; t->r.fmt->accessed && g < base + hv_slat_span(level) && g < FRAMES; g++) {
			any |= t->model[g].accessed;
			t->model[g].accessed = false;
		}
	}
	CHECK_EQ(hv_slat_age(&t->r, start, end, false), any);
	CHECK_EQ(hv_slat_age(&t->r, start, end, true), any);
	CHECK_EQ(hv_slat_age(&t->r, start, end, false), false);
}

static void check_frame(const struct test_root *t, u64 f)
{
	const struct frame *m = &t->model[f];
	u32 level;
	u64 v = *hv_slat_find(&t->r, f, &level);
	u64 spa = (v & SLAT_ADDR) + ((f & (hv_slat_span(level) - 1)) << 12);

	CHECK_EQ(v & SLAT_PRESENT, m->spa != 0);
	if (!m->spa || !(v & SLAT_PRESENT))
		return;
	CHECK_EQ(spa, m->spa);
	CHECK_EQ(!!(v & SLAT_LARGE), level > 1);
	CHECK_EQ(!!(v & SLAT_WRITE), m->write);
	CHECK_EQ(v & t->r.fmt->leaf, t->r.fmt->leaf);
	if (t->r.fmt->accessed) {
		CHECK_EQ(hv_slat_is_dirty(&t->r, v), m->dirty);
		CHECK_EQ(hv_slat_is_accessed(&t->r, v), m->accessed);
	}
}

/* The iterator visits exactly the present leaves, in order, and the counters agree. */
static void check_iter(const struct test_root *t)
{
	struct hv_slat_iter it;
	u64 n[4] = {}, expect = 0;

	hv_slat_iter_start(&it, &t->r, 0, FRAMES);
	while (hv_slat_iter_next(&it)) {
		for (; expect < it.gfn; expect++)
			if (t->model[expect].spa)
				CHECK(!"a mapped frame was passed over");
		CHECK(t->model[it.gfn].spa);
		n[it.level]++;
		expect = it.gfn + hv_slat_span(it.level);
	}
	for (; expect < FRAMES; expect++)
		if (t->model[expect].spa)
			CHECK(!"a mapped frame was passed over");
	for (int l = 1; l <= 3; l++)
		CHECK_EQ(n[l], t->r.leaves[l]);
	CHECK_EQ(t->live, t->r.tables + t->cache.n);
}

static void check(const struct test_root *t)
{
	for (int i = 0; i < 2000; i++)
		check_frame(t, rnd(FRAMES));
	check_iter(t);
}

static void step(struct test_root *t)
{
	u64 start = rnd(FRAMES), len, end;

	len = rnd(3) ? rnd(64) + 1 : rnd(2) ? rnd(4096) + 1 : rnd(FRAMES / 2) + 1;
	end = start + len < FRAMES ? start + len : FRAMES;
	switch (rnd(9)) {
	case 0 ... 2:
		for (u64 f = start; f < end && f < start + 600; f++)
			map(t, f, 1);
		break;
	case 3:
		map(t, start, 2);
		break;
	case 4:
		if (!rnd(8))
			map(t, start, 3);
		break;
	case 5:
		zap(t, start, end);
		break;
	case 6:
		split(t, start);
		break;
	case 7:
		wrprotect(t, start, end);
		break;
	case 8:
		for (int i = 0; i < 200; i++)
			touch(t, rnd(FRAMES), rnd(2));
		age(t, start, end);
		break;
	}
}

static void test_random(void)
{
	static struct test_root t[ROOTS];
	const enum hv_slat_format fmt[ROOTS] = { SLAT_FMT_NPT, SLAT_FMT_EPT };

	for (int i = 0; i < ROOTS; i++) {
		hv_slat_root_init(&t[i].r, fmt[i], i ? 5 : 4, page(), 0, 0);
		t[i].model = calloc(FRAMES, sizeof(struct frame));
	}
	for (int n = 0; n < 400; n++) {
		u64 start = rnd(FRAMES), end = start + rnd(5000);

		for (int i = 0; i < ROOTS; i++)
			step(&t[i]);
		/* What concerns frames goes to all roots. */
		if (end > FRAMES)
			end = FRAMES;
		for (int i = 0; i < ROOTS; i++)
			zap(&t[i], start, end);
		for (int i = 0; i < ROOTS; i++)
			for (u64 f = start; f < end; f++)
				CHECK(!t[i].model[f].spa);
		if (n % 20 == 0)
			for (int i = 0; i < ROOTS; i++)
				check(&t[i]);
	}
	for (int i = 0; i < ROOTS; i++) {
		struct hv_slat_gather g = gather(&t[i]);

		model_zap(&t[i], 0, FRAMES);
		hv_slat_clear(&t[i].r, &g);
		drop(&t[i], &g);
		CHECK_EQ(t[i].harvested, t[i].expect_harvest);
		CHECK_EQ(t[i].r.tables, 0);
		check_iter(&t[i]);
		while (t[i].cache.n)
			free(t[i].cache.page[--t[i].cache.n]);
		for (int e = 0; e < SLAT_ENTRIES; e++)
			CHECK_EQ(t[i].r.top[e], 0);
		free(t[i].r.top);
		free(t[i].model);
	}
}

/* An empty cache fails without harm, and a later call goes on from there. */
static void test_cache(void)
{
	struct test_root t = {};
	struct hv_slat_gather g = gather(&t);
	struct hv_slat_cache none = {};
	u64 *e;
	u32 have;

	hv_slat_root_init(&t.r, SLAT_FMT_NPT, 4, page(), 0, 0);
	CHECK_EQ(hv_slat_make(&t.r, 5, 1, &none, &e, &have), -ENOMEM);
	for (u32 want = 3; want >= 1; want--) {
		struct hv_slat_cache one = { .n = 1, .page = { page() } };

		CHECK_EQ(hv_slat_make(&t.r, 5, 1, &one, &e, &have), want > 1 ? -ENOMEM : 0);
		CHECK_EQ(one.n, 0);
		CHECK_EQ(t.r.tables, 4 - want);
		t.live++;
	}
	CHECK_EQ(have, 1);
	/* Tables that map nothing go with the range, too. */
	hv_slat_zap(&t.r, 0, 1ULL << 36, &g);
	drop(&t, &g);
	CHECK_EQ(t.r.tables, 0);
	CHECK_EQ(t.live, 0);
	free(t.r.top);
}

/* Formats as the manuals have them. */
static void test_formats(void)
{
	struct hv_slat_root n, e;

	hv_slat_root_init(&n, SLAT_FMT_NPT, 4, NULL, 0, 0);
	hv_slat_root_init(&e, SLAT_FMT_EPT, 4, NULL, 0, 0);
	CHECK_EQ(hv_slat_leaf(&n, 0x1000, 1, 0), 0x1005);			/* P, U */
	CHECK_EQ(hv_slat_leaf(&n, 0x200000, 2, SLAT_WRITE), 0x200087);	/* P, W, U, PS */
	CHECK_EQ(hv_slat_leaf(&e, 0x1000, 1, 0), 0x1035);			/* R, X, WB */
	CHECK_EQ(hv_slat_leaf(&e, 0x200000, 2, SLAT_WRITE), 0x2000b7);
	CHECK_EQ(hv_slat_fmts[SLAT_FMT_NPT].table, 0x27);
	CHECK_EQ(hv_slat_fmts[SLAT_FMT_EPT].table, 7);
	CHECK(hv_slat_is_dirty(&n, 0x1045) && !hv_slat_is_dirty(&n, 0x1007));
	CHECK(hv_slat_is_accessed(&e, 0x1135) && !hv_slat_is_accessed(&e, 0x1035));
}

int main(void)
{
	test_formats();
	test_cache();
	test_random();
	return unit_done();
}
