// SPDX-License-Identifier: GPL-2.0-or-later
/* slotmap and overlaymap against plain models, with random changes */
#include <stdlib.h>
#include "selftests/unit/lib/unit.h"
#include "virt/lib/slotmap.h"
#include "virt/lib/overlaymap.h"

#define FRAMES	256
#define SLOTS	16

static u32 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

struct model {
	struct hv_slotmap *map;
	void *owner[FRAMES];	/* by frame */
	char slots[SLOTS];	/* addresses stand for slots */
	u64 gfn[SLOTS], npages[SLOTS];
};

static void replace(struct model *m, int i, u64 gfn, u64 npages)
{
	struct hv_slotmap_ent in = { .gfn = gfn, .npages = npages, .owner = &m->slots[i] };
	struct hv_slotmap *next = malloc(hv_slotmap_bytes(m->map->nr + 1));
	bool had = m->npages[i];

	hv_slotmap_build(next, m->map, had ? &m->slots[i] : NULL, npages ? &in : NULL);
	free(m->map);
	m->map = next;
	for (u64 f = m->gfn[i]; f < m->gfn[i] + m->npages[i]; f++)
		m->owner[f] = NULL;
	for (u64 f = gfn; f < gfn + npages; f++)
		m->owner[f] = &m->slots[i];
	m->gfn[i] = gfn;
	m->npages[i] = npages;
}

static void check(const struct model *m)
{
	for (u32 f = 0; f < FRAMES; f++) {
		int i = hv_slotmap_find(m->map, f);

		CHECK((i < 0 ? NULL : m->map->ent[i].owner) == m->owner[f]);
	}
	for (u32 i = 1; i < m->map->nr; i++)
		CHECK(m->map->ent[i - 1].gfn + m->map->ent[i - 1].npages <= m->map->ent[i].gfn);
}

static void test_slots(void)
{
	struct model m = { .map = calloc(1, hv_slotmap_bytes(0)) };

	check(&m);
	for (int n = 0; n < 20000; n++) {
		int i = (int)rnd(SLOTS);
		u64 gfn = rnd(FRAMES), npages = rnd(FRAMES / 6);
		bool clash = false;

		if (gfn + npages > FRAMES)
			npages = FRAMES - gfn;
		for (u64 f = gfn; f < gfn + npages; f++)
			clash |= m.owner[f] && m.owner[f] != &m.slots[i];
		if (npages)
			CHECK_EQ(!!hv_slotmap_overlap(m.map, gfn, npages, &m.slots[i]), clash);
		if (!clash)
			replace(&m, i, gfn, npages);
		if (n % 100 == 0)
			check(&m);
	}
	check(&m);
	free(m.map);
}

#define PAGES	12

static void check_overlays(const struct hv_overlaymap *m, const u64 *at)
{
	for (u64 f = 0; f < 32; f++) {
		const struct hv_overlaymap_ent *top = hv_overlaymap_top(m, f);
		u64 first = 2, end = 30, want_first = 2, want_end = 30;
		int best = -1;

		for (int p = PAGES - 1; p >= 0; p--) {
			if (at[p] == f)
				best = p;
			else if (at[p] != ~0ULL && at[p] < f && at[p] >= want_first)
				want_first = at[p] + 1;
			else if (at[p] != ~0ULL && at[p] > f && at[p] < want_end)
				want_end = at[p];
		}
		CHECK_EQ(top ? (int)top->rank : -1, best);
		if (f < 2 || f >= 30)
			continue;
		hv_overlaymap_clip(m, f, &first, &end);
		CHECK_EQ(first, want_first);
		CHECK_EQ(end, want_end);
	}
}

/* Rank decides at one frame, whatever the order of moves; those beneath come back. */
static void test_overlays(void)
{
	struct hv_overlaymap *m = calloc(1, hv_overlaymap_bytes(0));
	u64 at[PAGES];

	memset(at, 0xff, sizeof(at));
	for (int n = 0; n < 5000; n++) {
		u32 p = rnd(PAGES);
		u64 to = rnd(4) ? rnd(32) : ~0ULL;
		struct hv_overlaymap_ent in = { .gfn = to, .rank = p, .page = m };
		struct hv_overlaymap *next = malloc(hv_overlaymap_bytes(m->nr + 1));

		hv_overlaymap_build(next, m, p, to == ~0ULL ? NULL : &in);
		free(m);
		m = next;
		at[p] = to;
		check_overlays(m, at);
	}
	free(m);
}

int main(void)
{
	test_slots();
	test_overlays();
	return unit_done();
}
