// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Address-space ids against a model of the CPUs' translation caches: vCPUs move between CPUs
 * and fill the caches; none may ever find a translation that another one, or an older root
 * of its own, left under its id. An emulator that flushes at every entry cannot show that.
 */
#include <stdlib.h>
#include <string.h>
#include "arch/x86/lib/asid.h"
#include "selftests/unit/lib/expect.h"

#define CPUS	3
#define VCPUS	7
#define IDS	64

struct host_cpu {
	struct hv_asid_pool pool;
	u64 tlb[IDS];			/* whose translations are there; 0: nobody's */
};

static struct host_cpu cpus[CPUS];
static struct hv_asid vcpus[VCPUS];
static u32 root[VCPUS];			/* changes when the vCPU's root does */
static u64 takes, flushes, kept;

static u64 owner(u32 vcpu)
{
	return (u64)(vcpu + 1) << 32 | root[vcpu];
}

/* One entry, as the world switch makes it. */
static void enter(u32 vcpu, s32 cpu)
{
	struct host_cpu *c = &cpus[cpu];
	struct hv_asid *a = &vcpus[vcpu];

	if (!hv_asid_holds(a, &c->pool, cpu)) {
		takes++;
		if (hv_asid_take(&c->pool, a, cpu)) {
			flushes++;
			memset(c->tlb, 0, sizeof(c->tlb));
		}
	} else {
		kept++;
	}
	EXPECT(a->id >= 1 && a->id < c->pool.limit);
	EXPECT(!c->tlb[a->id] || c->tlb[a->id] == owner(vcpu));
	c->tlb[a->id] = owner(vcpu);
}

static void random_walk(u32 limit)
{
	u32 i, n;

	memset(cpus, 0, sizeof(cpus));
	takes = flushes = kept = 0;
	for (i = 0; i < CPUS; i++)
		hv_asid_restart(&cpus[i].pool, limit);
	for (i = 0; i < VCPUS; i++) {
		hv_asid_drop(&vcpus[i]);
		root[i] = 1;
	}
	for (n = 0; n < 200000; n++) {
		u32 v = (u32)rand() % VCPUS;

		switch (rand() % 16) {
		case 0:			/* another root, or a flush without one */
			root[v]++;
			hv_asid_drop(&vcpus[v]);
			break;
		case 1:			/* the CPU went off and on: what is cached there is unknown */
			if (rand() % 64)
				break;
			i = (u32)rand() % CPUS;
			hv_asid_restart(&cpus[i].pool, limit);
			memset(cpus[i].tlb, 0x5a, sizeof(cpus[i].tlb));
			break;
		default:
			enter(v, rand() % CPUS);
		}
	}
	EXPECT(takes && flushes);
	EXPECT(flushes >= takes / limit && kept);
	printf("limit %u: %llu taken, %llu flushes, %llu kept\n", limit, (unsigned long long)takes,
	       (unsigned long long)flushes, (unsigned long long)kept);
}

static void one_cpu_in_order(void)
{
	struct hv_asid_pool p = {};
	struct hv_asid a = { .cpu = -1 }, b = { .cpu = -1 };

	hv_asid_restart(&p, 3);
	EXPECT(hv_asid_take(&p, &a, 0) && a.id == 1);
	EXPECT(!hv_asid_take(&p, &b, 0) && b.id == 2);
	EXPECT(hv_asid_holds(&a, &p, 0) && hv_asid_holds(&b, &p, 0));
	EXPECT(!hv_asid_holds(&a, &p, 1));
	hv_asid_drop(&b);
	EXPECT(!hv_asid_holds(&b, &p, 0));
	/* Used up: everything goes, the other's id too. */
	EXPECT(hv_asid_take(&p, &b, 0) && b.id == 1);
	EXPECT(!hv_asid_holds(&a, &p, 0));
}

int main(void)
{
	static const u32 limits[] = { 2, 3, 4, 8, 16, IDS };
	u32 i;

	srand(1);
	one_cpu_in_order();
	for (i = 0; i < ARRAY_SIZE(limits); i++)
		random_walk(limits[i]);
	return expect_done();
}
