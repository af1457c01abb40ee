// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gpt_walk_test.c - the page walker against a second, plainer model
 *
 * Fixed cases say what the manuals say in words; then random tables, registers
 * and accesses are given to the walker and to model(), which follows the SDM's
 * access-rights text clause by clause and knows nothing of hv_gpt_mode.
 */
#include <stdlib.h>
#include "arch/x86/lib/gpt_walk.h"
#include "lib/unit.h"

#define CR0_WP	(1ull << 16)
#define CR0_PG	(1ull << 31)
#define CR4_PSE	(1ull << 4)
#define CR4_PAE	(1ull << 5)
#define CR4_LA57 (1ull << 12)
#define CR4_SMEP (1ull << 20)
#define CR4_SMAP (1ull << 21)
#define CR4_PKE	(1ull << 22)
#define LMA	(1ull << 10)
#define NXE	(1ull << 11)

#define P	HV_GPTE_P
#define RW	HV_GPTE_RW
#define US	HV_GPTE_US
#define A	HV_GPTE_A
#define D	HV_GPTE_D
#define PS	HV_GPTE_PS
#define NX	HV_GPTE_NX

#define PAGES	16u

static struct memory {
	u64 word[PAGES * 512];
	u64 fail_at;		/* gpa whose read fails */
	int fail;
	unsigned int races;	/* exchanges to lose */
	unsigned int reads, writes;
} mem;

static u64 seed = 88172645463325252ull;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static int mem_read(void *cookie, u64 gpa, u64 *val, unsigned int size)
{
	struct memory *m = cookie;

	m->reads++;
	if (m->fail && gpa == m->fail_at)
		return m->fail;
	if (gpa % size)
		return -EFAULT;
	*val = m->word[gpa / 8 % ARRAY_SIZE(m->word)];	/* random addresses wrap */
	if (size == 4)
		*val = (u32)(*val >> (gpa & 4) * 8);
	return 0;
}

static int mem_cmpxchg(void *cookie, u64 gpa, u64 old, u64 new, unsigned int size)
{
	struct memory *m = cookie;
	unsigned int shift = size == 4 ? (gpa & 4) * 8 : 0;
	u64 mask = size == 4 ? 0xffffffffull << shift : ~0ull, *w = &m->word[gpa / 8 % ARRAY_SIZE(m->word)], cur;

	m->writes++;
	if (m->races) {
		m->races--;
		return 1;
	}
	mem_read(cookie, gpa, &cur, size);
	if (cur != old)
		return 1;
	*w = (*w & ~mask) | (new << shift & mask);
	return 0;
}

static const struct hv_gpt_ops ops = { mem_read, mem_cmpxchg };

static u64 get(u64 gpa, unsigned int size)
{
	u64 v = mem.word[gpa / 8 % ARRAY_SIZE(mem.word)];

	return size == 4 ? (u32)(v >> (gpa & 4) * 8) : v;
}

/* --- the second model */

struct verdict {
	int ret;
	u32 code;
	u64 gpa;
	u8 shift;
};

static bool bit_between(u64 v, int first, int last)
{
	for (; first <= last; first++)
		if (v >> first & 1)
			return true;
	return false;
}

static bool reserved(const struct hv_gpt_regs *r, int levels, int level, u64 e, bool large)
{
	if (levels == 2) {
		if (!large)
			return false;
		return e >> 21 & 1 || bit_between(e, 13 + (r->pse36 ? (r->maxphyaddr < 40 ?
				r->maxphyaddr - 32 : 8) : 0), 20);
	}
	if (levels == 3 && level == 3)
		return false;
	if (bit_between(e, r->maxphyaddr, 51) || ((e & NX) && !(r->efer & NXE)))
		return true;
	if (levels == 3 && bit_between(e, 52, 62))
		return true;
	if (level >= 4 && (e & PS))
		return true;
	if (level == 3 && (e & PS) && !r->gb_pages)
		return true;
	return large && bit_between(e, 13, level == 3 ? 29 : 20);
}

static bool allowed(const struct hv_gpt_regs *r, bool user_page, bool writable, bool exec, u32 acc)
{
	bool wp = r->cr0 & CR0_WP;

	if (!(acc & HV_GPT_USER)) {	/* SDM 4.6.1, supervisor-mode accesses */
		if (acc & HV_GPT_FETCH)
			return exec && !(user_page && (r->cr4 & CR4_SMEP));
		if (user_page && (r->cr4 & CR4_SMAP) && !(acc & HV_GPT_AC))
			return false;
		return !(acc & HV_GPT_WRITE) || !wp || writable;
	}
	if (!user_page)
		return false;
	if (acc & HV_GPT_FETCH)
		return exec;
	return !(acc & HV_GPT_WRITE) || writable;
}

static struct verdict model(const struct hv_gpt_regs *r, u64 gva, u32 acc)
{
	bool pae = r->cr4 & CR4_PAE, lma = pae && (r->efer & LMA), nxe = pae && (r->efer & NXE);
	int levels = !pae ? 2 : !lma ? 3 : r->cr4 & CR4_LA57 ? 5 : 4, level, step = pae ? 9 : 10;
	bool user_page = true, writable = true, exec = true, large = false, pk = false;
	u64 table = r->cr3 & ~0xfffull, e = 0;
	struct verdict v = { 0 };
	u32 key;

	if (!lma)
		gva = (u32)gva;
	v.code = acc & (HV_PFEC_WRITE | HV_PFEC_USER);
	if ((acc & HV_GPT_FETCH) && (nxe || (r->cr4 & CR4_SMEP)))
		v.code |= HV_PFEC_FETCH;
	v.ret = HV_GPT_FAULT;
	for (level = levels; level; level--) {
		v.shift = (u8)(12 + step * (level - 1));
		e = get(table + ((gva >> v.shift) % (1u << step)) * (pae ? 8 : 4), pae ? 8 : 4);
		if (levels == 3 && level == 3)
			e = r->pdpte[gva >> 30 & 3];
		if (!(e & P))
			return v;
		large = level > 1 && (e & PS) && (pae ? level == 2 || (level == 3 && lma) :
						  !!(r->cr4 & CR4_PSE));
		if (reserved(r, levels, level, e, large)) {
			v.code |= HV_PFEC_PRESENT | HV_PFEC_RSVD;
			return v;
		}
		if (!(levels == 3 && level == 3)) {
			user_page &= !!(e & US);
			writable &= !!(e & RW);
			exec &= !(nxe && (e & NX));
		}
		if (large)
			break;
		table = e & HV_GPTE_ADDR;
	}
	if (lma && (r->cr4 & CR4_PKE) && user_page && !(acc & HV_GPT_FETCH)) {
		key = r->pkru >> (e >> 59 & 15) * 2 & 3;
		pk = key & 1 || (key & 2 && acc & HV_GPT_WRITE &&
				 (acc & HV_GPT_USER || r->cr0 & CR0_WP));
	}
	v.code |= HV_PFEC_PRESENT | (pk ? HV_PFEC_PKEY : 0);
	if (pk || !allowed(r, user_page, writable, exec, acc))
		return v;
	v.ret = 0;
	table = e & (pae ? HV_GPTE_ADDR : 0xfffff000);
	v.gpa = (table >> v.shift << v.shift) | (gva & ((1ull << v.shift) - 1));
	if (!pae && large)
		v.gpa |= (e >> 13 & 0xff) << 32;
	return v;
}

/* --- random tables */

static u64 random_entry(const struct hv_gpt_regs *r)
{
	u64 e = (rnd() % PAGES) << 12 | P | RW | US | A, odd = rnd();

	if (odd % 2)			/* most walks should get far */
		return e;
	e ^= rnd() & rnd() & (RW | US | A | D);
	if (odd % 16 == 0)
		e ^= 1ull << rnd() % 64;
	if (odd % 8 == 2)
		e ^= PS;
	if (odd % 32 == 4)
		e ^= NX;
	if (odd % 16 == 6)
		e |= (rnd() & 0xfffff) << 12 & ~(~0ull << (r->maxphyaddr - 1));
	if (odd % 16 == 8)
		e |= (rnd() & 15) << 59;
	return e;
}

static void random_regs(struct hv_gpt_regs *r)
{
	u64 x = rnd();

	*r = (struct hv_gpt_regs){
		.cr0 = CR0_PG | (x & 1 ? CR0_WP : 0), .cr3 = (rnd() % PAGES) << 12,
		.cr4 = (x >> 1 & 3 ? CR4_PAE : 0) | (x & 8 ? CR4_PSE : 0) | (x & 16 ? CR4_SMEP : 0) |
			(x & 32 ? CR4_SMAP : 0) | (x & 64 ? CR4_PKE : 0) | (x & 128 ? CR4_LA57 : 0),
		.efer = x & 256 ? NXE : 0, .pkru = x & 512 ? (u32)rnd() : 0,
		.maxphyaddr = (u8)(32 + rnd() % 21), .gb_pages = x & 1024, .pse36 = x & 2048,
	};
	if ((r->cr4 & CR4_PAE) && (x & (3 << 12)))
		r->efer |= LMA;
	if (!(r->efer & LMA))
		r->cr4 &= ~CR4_LA57;
	for (x = 0; x < 4; x++)
		r->pdpte[x] = (rnd() % PAGES) << 12 | (rnd() % 8 ? P : 0);
}

static u64 table_read(void *cookie, u64 gpa)
{
	u64 val = 0;

	return mem_read(cookie, gpa, &val, 8) ? 0 : val;
}

/* Accessed and dirty bits of every entry used, as the walk must leave them. */
static void check_marks(const struct hv_gpt_mode *m, u64 gva, u32 acc, const struct memory *before)
{
	struct hv_gpt_result again;
	unsigned int i, changed = 0;
	u64 diff;

	for (i = 0; i < ARRAY_SIZE(mem.word); i++) {
		diff = mem.word[i] ^ before->word[i];
		changed += diff != 0;
		CHECK((diff & ~(m->entry == 4 ? (A | D) * 0x100000001ull : A | D)) == 0);
		CHECK((diff & before->word[i]) == 0);
	}
	CHECK(changed <= m->levels);
	if (acc & HV_GPT_PEEK)
		CHECK_EQ(changed, 0);
	mem.writes = 0;
	CHECK_EQ(hv_gpt_walk(m, &ops, &mem, gva, acc, &again), 0);
	CHECK((acc & HV_GPT_PEEK) || mem.writes == 0);
	CHECK(!(acc & HV_GPT_WRITE) || (acc & HV_GPT_PEEK) || (again.rights & HV_GPT_R_DIRTY));
}

static void random_walks(unsigned int rounds)
{
	static struct memory before;
	struct hv_gpt_regs r;
	struct hv_gpt_mode m;
	struct hv_gpt_result res;
	struct verdict want;
	unsigned int i, k, ok = 0, fast = 0;
	u64 gva, gpa;
	u32 acc;
	int ret;

	for (i = 0; i < rounds; i++) {
		random_regs(&r);
		for (k = 0; k < ARRAY_SIZE(mem.word); k++) {
			mem.word[k] = random_entry(&r);
			if (!(r.cr4 & CR4_PAE))
				mem.word[k] = (u32)mem.word[k] | mem.word[k] << 32;
		}
		CHECK_EQ(hv_gpt_mode_init(&m, &r), 0);
		for (k = 0; k < 32; k++) {
			gva = rnd() >> (rnd() % 40);
			acc = rnd() & (HV_GPT_WRITE | HV_GPT_USER | HV_GPT_FETCH | HV_GPT_AC | HV_GPT_PEEK);
			if (acc & HV_GPT_FETCH)
				acc &= ~(u32)HV_GPT_WRITE;
			before = mem;
			want = model(&r, gva, acc);
			ret = hv_gpt_walk(&m, &ops, &mem, gva, acc, &res);
			CHECK_EQ(ret, want.ret);
			if (ret == HV_GPT_FAULT) {
				CHECK_EQ(res.error_code, want.code);
				CHECK(!memcmp(before.word, mem.word, sizeof(mem.word)));
			} else if (!ret) {
				ok++;
				CHECK_EQ(res.gpa, want.gpa);
				CHECK_EQ(res.page_shift, want.shift);
				check_marks(&m, gva, acc, &before);
			}
			if ((acc & ~(u32)HV_GPT_USER) == HV_GPT_FETCH &&
			    hv_gpt_fetch_fast(&m, gva, acc & HV_GPT_USER, table_read, &mem, &gpa)) {
				fast++;
				CHECK_EQ(ret, 0);
				CHECK_EQ(gpa, res.gpa);
			}
			if (unit_failures > 20)
				return;
		}
	}
	/* the generator must not have gone stale */
	CHECK(ok > rounds * 4);
	CHECK(fast > rounds / 8);
}

/* --- fixed cases */

static struct hv_gpt_regs long_regs(void)
{
	return (struct hv_gpt_regs){
		.cr0 = CR0_PG | CR0_WP, .cr3 = 0x1000, .cr4 = CR4_PAE, .efer = LMA | NXE,
		.maxphyaddr = 40, .gb_pages = true,
	};
}

/* Tables at 1000, 2000, 3000, 4000 map gva 0x1234 to 0x5234. */
static void long_tables(void)
{
	memset(&mem, 0, sizeof(mem));
	mem.word[512] = 0x2000 | P | RW | US;
	mem.word[1024] = 0x3000 | P | RW | US;
	mem.word[1536] = 0x4000 | P | RW | US;
	mem.word[2048 + 1] = 0x5000 | P | RW;
}

static int walk(const struct hv_gpt_regs *r, u64 gva, u32 acc, struct hv_gpt_result *res)
{
	struct hv_gpt_mode m;

	CHECK_EQ(hv_gpt_mode_init(&m, r), 0);
	return hv_gpt_walk(&m, &ops, &mem, gva, acc, res);
}

static void accessed_and_dirty(void)
{
	struct hv_gpt_regs r = long_regs();
	struct hv_gpt_result res;

	long_tables();
	CHECK_EQ(walk(&r, 0x1234, HV_GPT_PEEK, &res), 0);
	CHECK_EQ(mem.writes, 0);
	CHECK_EQ(walk(&r, 0x1234, HV_GPT_USER, &res), HV_GPT_FAULT);
	CHECK_EQ(res.error_code, HV_PFEC_PRESENT | HV_PFEC_USER);
	CHECK_EQ(mem.writes, 0);
	CHECK_EQ(walk(&r, 0x1234, HV_GPT_READ, &res), 0);
	CHECK_EQ(res.gpa, 0x5234);
	CHECK_EQ(mem.word[512], 0x2000 | P | RW | US | A);
	CHECK_EQ(mem.word[2049], 0x5000 | P | RW | A);
	CHECK_EQ(walk(&r, 0x1234, HV_GPT_WRITE, &res), 0);
	CHECK_EQ(mem.word[1536], 0x4000 | P | RW | US | A);
	CHECK_EQ(mem.word[2049], 0x5000 | P | RW | A | D);
}

static void waiting_and_racing(void)
{
	static const int errors[] = { -EAGAIN, -EINTR, -EFAULT };
	struct hv_gpt_regs r = long_regs();
	struct hv_gpt_result res;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		long_tables();
		mem.fail = errors[i];
		mem.fail_at = 0x3000;
		CHECK_EQ(walk(&r, 0x1234, HV_GPT_WRITE, &res), errors[i]);
		CHECK_EQ(mem.writes, 0);
	}
	long_tables();
	mem.races = 3;
	CHECK_EQ(walk(&r, 0x1234, HV_GPT_WRITE, &res), 0);
	CHECK_EQ(mem.word[2049], 0x5000 | P | RW | A | D);
	long_tables();
	mem.races = 1000;
	CHECK_EQ(walk(&r, 0x1234, HV_GPT_WRITE, &res), -EAGAIN);
	CHECK(mem.writes < 20);
	CHECK_EQ(mem.word[512], 0x2000 | P | RW | US);
}

static void without_paging(void)
{
	struct hv_gpt_regs r = { .maxphyaddr = 36 };
	struct hv_gpt_result res;
	struct hv_gpt_mode m;

	mem.reads = 0;
	CHECK_EQ(walk(&r, 0x1ffff1234, HV_GPT_WRITE | HV_GPT_USER, &res), 0);
	CHECK_EQ(res.gpa, 0xffff1234);
	CHECK_EQ(mem.reads, 0);
	r.maxphyaddr = 31;
	CHECK_EQ(hv_gpt_mode_init(&m, &r), -EINVAL);
	r.maxphyaddr = 53;
	CHECK_EQ(hv_gpt_mode_init(&m, &r), -EINVAL);
}

static void large_pages(void)
{
	struct hv_gpt_regs r = long_regs();
	struct hv_gpt_result res;

	long_tables();
	mem.word[1536] = 0x40000000 | P | PS;
	CHECK_EQ(walk(&r, 0x1f1234, HV_GPT_READ, &res), 0);
	CHECK_EQ(res.gpa, 0x401f1234);
	CHECK_EQ(res.page_shift, 21);
	mem.word[1024] = 0xc0000000 | P | PS;
	CHECK_EQ(walk(&r, 0x3fff1234, HV_GPT_READ, &res), 0);
	CHECK_EQ(res.gpa, 0xffff1234);
	CHECK_EQ(res.page_shift, 30);
	r.gb_pages = false;
	CHECK_EQ(walk(&r, 0x3fff1234, HV_GPT_READ, &res), HV_GPT_FAULT);
	CHECK_EQ(res.error_code, HV_PFEC_PRESENT | HV_PFEC_RSVD);
}

static void canonical(void)
{
	struct hv_gpt_mode m = { .levels = 4 };

	CHECK(hv_gpt_canonical(&m, 0x7fffffffffffull));
	CHECK(!hv_gpt_canonical(&m, 0x800000000000ull));
	CHECK(hv_gpt_canonical(&m, 0xffff800000000000ull));
	m.levels = 5;
	CHECK(hv_gpt_canonical(&m, 0x800000000000ull));
	CHECK(!hv_gpt_canonical(&m, 1ull << 56));
}

int main(int argc, char **argv)
{
	unsigned int rounds = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 1500;

	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0) | 1;
	accessed_and_dirty();
	waiting_and_racing();
	without_paging();
	large_pages();
	canonical();
	random_walks(rounds);
	return unit_done();
}
