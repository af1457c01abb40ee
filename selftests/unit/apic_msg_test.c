// SPDX-License-Identifier: GPL-2.0-or-later
/* Interrupt messages: decoding of ICR, MSI and redirection entries; destinations; timer arithmetic. */
#include "arch/x86/lib/apic_msg.h"
#include "arch/x86/lib/apic_timer.h"
#include "selftests/unit/lib/expect.h"

static u64 key_of(enum hv_apic_mode mode, u32 id, u32 ldr, u32 dfr)
{
	struct hv_apic a = { .id = id, .mode = (u8)mode };

	hv_apic_reset(&a);
	if (mode == HV_APIC_XAPIC)
		a.ldr = ldr;
	a.dfr = dfr;
	a.svr |= HV_APIC_SVR_ENABLE;
	return hv_apic_key(&a);
}

static void test_icr(void)
{
	struct hv_apic_msg m;

	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x000008fd, 0x00020004);
	EXPECT(m.logical && !m.broadcast && !m.ignored && !m.level);
	EXPECT_EQ(m.dest, 0x20004);
	EXPECT_EQ(m.vector, 0xfd);
	hv_apic_msg_from_icr(&m, HV_APIC_XAPIC, 0x000000fd, 0xff000000);
	EXPECT(m.broadcast && !m.logical);
	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x000000fd, 0xff);
	EXPECT(!m.broadcast);
	EXPECT_EQ(m.dest, 0xff);
	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x000000fd, 0xffffffff);
	EXPECT(m.broadcast);
	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x0000c500, 1);	/* INIT assert */
	EXPECT(m.delivery == HV_APIC_INIT && !m.ignored);
	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x00008500, 1);	/* de-assert */
	EXPECT(m.ignored);
	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x000c4400, 0);
	EXPECT(m.shorthand == HV_APIC_TO_OTHERS && m.delivery == HV_APIC_NMI);
	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x00000140, 0);
	EXPECT(m.lowest);
	hv_apic_msg_from_icr(&m, HV_APIC_X2APIC, 0x00000340, 0);
	EXPECT(m.ignored);
}

static void test_msi(void)
{
	struct hv_apic_msg m;

	EXPECT(hv_apic_msg_from_msi(&m, 0xfed00000, 0x41) == -EINVAL);
	EXPECT(hv_apic_msg_from_msi(&m, 0x1fee00000ull, 0x41) == -EINVAL);
	EXPECT_EQ(hv_apic_msg_from_msi(&m, 0xfee05000, 0x41), 0);
	EXPECT(m.dest == 5 && m.vector == 0x41 && !m.level && !m.lowest && !m.logical);
	hv_apic_msg_from_msi(&m, 0xfee05020, 0x41);
	EXPECT_EQ(m.dest, 0x105);
	hv_apic_msg_from_msi(&m, 0xfeefffe0, 0x41);
	EXPECT_EQ(m.dest, 0x7fff);
	EXPECT(!m.broadcast);
	hv_apic_msg_from_msi(&m, 0xfeeff000, 0x41);
	EXPECT(m.broadcast);
	hv_apic_msg_from_msi(&m, 0xfee0300c, 0x41);
	EXPECT(m.logical && m.lowest);
	hv_apic_msg_from_msi(&m, 0xfee03008, 0x41);	/* hint without logical mode */
	EXPECT(!m.lowest);
	hv_apic_msg_from_msi(&m, 0xfee03000, 0xc041);
	EXPECT(m.level && !m.ignored);
	hv_apic_msg_from_msi(&m, 0xfee03000, 0x8041);
	EXPECT(m.ignored);
	hv_apic_msg_from_msi(&m, 0xfee03000, 0x441);
	EXPECT(m.delivery == HV_APIC_NMI && !m.ignored);
	hv_apic_msg_from_msi(&m, 0xfee03000, 0x641);
	EXPECT(m.ignored);
}

static void test_redir(void)
{
	struct hv_apic_msg m;

	hv_apic_msg_from_redir(&m, 0x0300000000008931ull);
	EXPECT(m.dest == 3 && m.logical && m.level && m.lowest && m.vector == 0x31);
	hv_apic_msg_from_redir(&m, 0x0302000000000031ull);
	EXPECT_EQ(m.dest, 0x103);
	hv_apic_msg_from_redir(&m, 0xff00000000000031ull);
	EXPECT(m.broadcast);
	hv_apic_msg_from_redir(&m, 0x0700ull);
	EXPECT(m.ignored);
}

static void test_match(void)
{
	const u64 flat = key_of(HV_APIC_XAPIC, 2, 0x04000000, 0xffffffff);
	const u64 cluster = key_of(HV_APIC_XAPIC, 2, 0x24000000, 0x0fffffff);
	const u64 odd = key_of(HV_APIC_XAPIC, 2, 0x24000000, 0x5fffffff);
	const u64 x2 = key_of(HV_APIC_X2APIC, 0x23, 0, 0xffffffff);
	const u64 off = key_of(HV_APIC_OFF, 2, 0, 0xffffffff);
	struct { u64 key; u32 id, dest; bool logical, broadcast, hit; } row[] = {
		{ flat, 2, 2, false, false, true },
		{ flat, 2, 3, false, false, false },
		{ flat, 2, 0x102, false, false, false },
		{ flat, 2, 0x04, true, false, true },
		{ flat, 2, 0x0c, true, false, true },
		{ flat, 2, 0x03, true, false, false },
		{ flat, 2, 0x104, true, false, false },
		{ flat, 2, 0xff, true, true, true },
		{ cluster, 2, 0x24, true, false, true },
		{ cluster, 2, 0x2f, true, false, true },
		{ cluster, 2, 0x2b, true, false, false },
		{ cluster, 2, 0x34, true, false, false },
		{ cluster, 2, 0xff, true, true, true },
		{ odd, 2, 0x24, true, false, false },
		{ x2, 0x23, 0x23, false, false, true },
		{ x2, 0x23, 0x24, false, false, false },
		{ x2, 0x23, 0x00020008, true, false, true },
		{ x2, 0x23, 0x0002fff7, true, false, false },
		{ x2, 0x23, 0x00030008, true, false, false },
		{ x2, 0x23, 0xffffffff, true, true, true },
		{ off, 2, 2, false, false, false },
		{ off, 2, 0xff, false, true, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row); i++) {
		struct hv_apic_msg m = { .dest = row[i].dest, .logical = row[i].logical,
					 .broadcast = row[i].broadcast };

		if (hv_apic_msg_matches(&m, row[i].key, row[i].id) != row[i].hit)
			fprintf(stderr, "row %u\n", i);
		EXPECT_EQ(hv_apic_msg_matches(&m, row[i].key, row[i].id), row[i].hit);
	}
	EXPECT(hv_apic_key_enabled(flat));
	EXPECT_EQ(hv_apic_key_mode(x2), HV_APIC_X2APIC);
}

static void test_lowest(void)
{
	int best = -1;
	u8 ppr = 0;

	EXPECT(hv_apic_lowest_offer(&best, &ppr, 4, 0x35));
	EXPECT(!hv_apic_lowest_offer(&best, &ppr, 5, 0x40));
	EXPECT(!hv_apic_lowest_offer(&best, &ppr, 6, 0x30));	/* same class: the first keeps it */
	EXPECT(hv_apic_lowest_offer(&best, &ppr, 7, 0x20));
	EXPECT_EQ(best, 7);
}

static void test_timer(void)
{
	static const u8 shift[16] = { 1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 0, 5, 6, 7, 0 };
	const u64 day = 86400ull * 1000000000;
	u32 i;

	for (i = 0; i < 16; i++)
		EXPECT_EQ(hv_apic_tdcr_shift(i), shift[i]);
	EXPECT_EQ(hv_apic_count_ns(0xffffffff, 0xa), 0xffffffffull << 7);
	EXPECT_EQ(hv_apic_ns_count(0, 0xb), 0);
	EXPECT_EQ(hv_apic_ns_count(1, 0xa), 1);
	EXPECT_EQ(hv_apic_ns_count(129, 0xa), 2);
	EXPECT_EQ(hv_apic_ns_count(~0ull, 0xb), 0xffffffff);
	EXPECT_EQ(hv_apic_deadline_ns(100, 100, 1000000), 0);
	EXPECT_EQ(hv_apic_deadline_ns(99, 100, 1000000), 0);
	EXPECT_EQ(hv_apic_deadline_ns(3000001, 0, 3000000), 1000001);
	EXPECT_EQ(hv_apic_deadline_ns(1, 0, 3000000), 1);
	EXPECT_EQ(hv_apic_deadline_ns(~0ull, 0, 3000000), day);
	EXPECT_EQ(hv_apic_deadline_ns(~0ull, 1, 1), day);
}

int main(void)
{
	test_icr();
	test_msi();
	test_redir();
	test_match();
	test_lowest();
	test_timer();
	return expect_done();
}
