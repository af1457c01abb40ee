// SPDX-License-Identifier: GPL-2.0-or-later
/* Register file of the local APIC: access rules, priorities, modes, save form. */
#include "arch/x86/lib/apic_regs.h"
#include "selftests/unit/lib/expect.h"

static void make(struct hv_apic *a, u32 id, enum hv_apic_mode mode)
{
	memset(a, 0, sizeof(*a));
	a->id = id;
	a->mode = (u8)mode;
	a->has_deadline = true;
	hv_apic_reset(a);
}

static void request(struct hv_apic *a, u8 vector)
{
	a->irr[vector >> 6] |= 1ull << (vector & 63);
}

/* Take what is deliverable as the kernel does; -1 if nothing is. */
static int take(struct hv_apic *a)
{
	int top, vector = hv_apic_deliverable(a, &top);

	if (vector < 0)
		return -1;
	a->irr[vector >> 6] &= ~(1ull << (vector & 63));
	hv_apic_enter_service(a, (u8)vector);
	return vector;
}

static void test_reset(void)
{
	struct hv_apic a;
	u64 v;

	make(&a, 3, HV_APIC_XAPIC);
	hv_apic_read(&a, HV_APIC_ID, false, &v);
	EXPECT_EQ(v, 3u << 24);
	hv_apic_read(&a, HV_APIC_VERSION, false, &v);
	EXPECT_EQ(v, 0x50014);
	hv_apic_read(&a, HV_APIC_SVR, false, &v);
	EXPECT_EQ(v, 0xff);
	hv_apic_read(&a, HV_APIC_DFR, false, &v);
	EXPECT_EQ(v, 0xffffffff);
	hv_apic_read(&a, HV_APIC_LVT0, false, &v);
	EXPECT_EQ(v, 0x10000);
	EXPECT_EQ(hv_apic_read(&a, HV_APIC_TMCCT, false, &v), HV_APIC_DO_TIMER_NOW);
	EXPECT(!hv_apic_enabled(&a));
}

static void test_priority(void)
{
	struct hv_apic a;

	make(&a, 0, HV_APIC_X2APIC);
	EXPECT_EQ(take(&a), -1);
	request(&a, 0x31);
	request(&a, 0x3f);
	request(&a, 0x42);
	EXPECT_EQ(take(&a), 0x42);
	EXPECT_EQ(a.ppr, 0x40);
	EXPECT_EQ(take(&a), -1);		/* lower class waits */
	request(&a, 0x4f);
	EXPECT_EQ(take(&a), -1);		/* same class waits */
	request(&a, 0xff);
	EXPECT_EQ(take(&a), 0xff);
	EXPECT_EQ(a.ppr, 0xf0);
	EXPECT_EQ(hv_apic_leave_service(&a), 0xff);
	EXPECT_EQ(a.ppr, 0x40);
	EXPECT_EQ(hv_apic_leave_service(&a), 0x42);
	EXPECT_EQ(take(&a), 0x4f);
	EXPECT_EQ(hv_apic_leave_service(&a), 0x4f);
	hv_apic_set_tpr(&a, 0x35);
	EXPECT_EQ(a.ppr, 0x35);
	EXPECT_EQ(take(&a), -1);
	hv_apic_set_tpr(&a, 0x2f);
	EXPECT_EQ(take(&a), 0x3f);
	hv_apic_set_tpr(&a, 0x38);
	EXPECT_EQ(a.ppr, 0x38);		/* TPR's subclass counts when classes agree */
	hv_apic_set_tpr(&a, 0);
	EXPECT_EQ(hv_apic_leave_service(&a), 0x3f);
	EXPECT_EQ(take(&a), 0x31);
	EXPECT_EQ(hv_apic_leave_service(&a), 0x31);
	EXPECT_EQ(hv_apic_leave_service(&a), (u64)-1);
	EXPECT_EQ(a.ppr, 0);
}

/* Which registers can be read and written in which way; everything else is refused. */
static void test_access(void)
{
	static const u32 no_x2_read[] = { HV_APIC_APR, HV_APIC_EOI, HV_APIC_RRD, HV_APIC_DFR,
					  HV_APIC_ICR2, HV_APIC_SELF, 0x000, 0x010, 0x040, 0x2f0,
					  0x3a0, 0x290 };
	static const u32 no_x2_write[] = { HV_APIC_ID, HV_APIC_VERSION, HV_APIC_PPR, HV_APIC_LDR,
					   HV_APIC_DFR, HV_APIC_ISR, HV_APIC_TMR + 0x70, HV_APIC_IRR,
					   HV_APIC_ICR2, HV_APIC_TMCCT, 0x2f0 };
	static const u32 no_x_write[] = { HV_APIC_VERSION, HV_APIC_PPR, HV_APIC_ISR, HV_APIC_SELF,
					  HV_APIC_TMCCT, 0x2f0, 0x000 };
	struct hv_apic a;
	unsigned int i;
	u64 v;

	make(&a, 1, HV_APIC_X2APIC);
	for (i = 0; i < ARRAY_SIZE(no_x2_read); i++)
		EXPECT_EQ(hv_apic_read(&a, no_x2_read[i], true, &v), HV_APIC_REFUSE);
	for (i = 0; i < ARRAY_SIZE(no_x2_write); i++)
		EXPECT_EQ(hv_apic_write(&a, no_x2_write[i], true, 0), HV_APIC_REFUSE);
	make(&a, 1, HV_APIC_XAPIC);
	for (i = 0; i < ARRAY_SIZE(no_x_write); i++)
		EXPECT_EQ(hv_apic_write(&a, no_x_write[i], false, 0), HV_APIC_REFUSE);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_END, true, 0), HV_APIC_REFUSE);
	EXPECT_EQ(hv_apic_read(&a, 0xfff0, false, &v), HV_APIC_REFUSE);
}

static void test_reserved(void)
{
	static const struct { u32 reg; u64 bad, good; } row[] = {
		{ HV_APIC_TPR,	0x100, 0xff },
		{ HV_APIC_EOI,	1, 0 },
		{ HV_APIC_SVR,	0x1000, 0x1ff },
		{ HV_APIC_ESR,	0x80, 0 },
		{ HV_APIC_TDCR,	0x4, 0xb },
		{ HV_APIC_SELF,	0x100, 0xff },
		{ HV_APIC_ICR,	0x2000, 0xff000040fdull },
		{ HV_APIC_ICR,	0x10000, 0x1000 },
		{ HV_APIC_ICR,	0x100000, 0xfd },
		{ HV_APIC_LVT0, 0x80000, 0x200ec },
		{ HV_APIC_LVT0, 0x100, 0x400ec },
		{ HV_APIC_LVT0 + 0x30, 0x20000, 0x1f7ff },
		{ HV_APIC_LVT0 + 0x50, 0x700, 0x100fe },
		{ HV_APIC_LVT0 + 0x10, 0x2000, 0x104fe },
		{ HV_APIC_TMICT, 1ull << 32, 0xffffffff },
	};
	struct hv_apic a;
	unsigned int i;

	make(&a, 1, HV_APIC_X2APIC);
	for (i = 0; i < ARRAY_SIZE(row); i++) {
		EXPECT_EQ(hv_apic_write(&a, row[i].reg, true, row[i].bad), HV_APIC_REFUSE);
		EXPECT(hv_apic_write(&a, row[i].reg, true, row[i].good) != HV_APIC_REFUSE);
	}
	a.has_deadline = false;
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_LVT0, true, 0x400ec), HV_APIC_REFUSE);
	/* The same in xAPIC: dropped, never stored. */
	make(&a, 1, HV_APIC_XAPIC);
	hv_apic_write(&a, HV_APIC_SVR, false, 0xffffffff);
	EXPECT_EQ(a.svr, 0x3ff);
	hv_apic_write(&a, HV_APIC_LVT0, false, 0xffffffff);
	EXPECT_EQ(a.lvt[0], 0x700ff);
	hv_apic_write(&a, HV_APIC_LVT0 + 0x30, false, 0xffffffff);
	EXPECT_EQ(a.lvt[HV_APIC_LVT_LINT0], 0x1a7ff);
	hv_apic_write(&a, HV_APIC_ICR, false, 0xffffffff);
	EXPECT_EQ(a.icr, 0xccfff);
	hv_apic_write(&a, HV_APIC_DFR, false, 0);
	EXPECT_EQ(a.dfr, 0x0fffffff);
}

static void test_acts(void)
{
	struct hv_apic a;
	u64 v;

	make(&a, 1, HV_APIC_X2APIC);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_SVR, true, 0x1ff), HV_APIC_DO_DEST);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_TPR, true, 0x20), HV_APIC_DO_PRIO);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_EOI, true, 0), HV_APIC_DO_EOI);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_SELF, true, 0x40), HV_APIC_DO_SELF);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_ESR, true, 0), HV_APIC_DO_ESR);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_ICR, true, 0x5000000fdull), HV_APIC_DO_ICR);
	hv_apic_read(&a, HV_APIC_ICR, true, &v);
	EXPECT_EQ(v, 0x5000000fdull);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_TMICT, true, 1000), HV_APIC_DO_TIMER);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_TDCR, true, 3), HV_APIC_DO_TIMER_DIV);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_LVT0, true, 0xec), HV_APIC_DONE);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_LVT0, true, 0x200ec), HV_APIC_DO_TIMER_MODE);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_LVT0, true, 0x200ed), HV_APIC_DONE);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_LVT0, true, 0x400ec), HV_APIC_DO_TIMER_MODE);
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_TMICT, true, 5), HV_APIC_DONE);
	hv_apic_read(&a, HV_APIC_TMICT, true, &v);
	EXPECT_EQ(v, 0);
	/* Software disable masks the LVT, and it can not be unmasked until enabled. */
	EXPECT_EQ(hv_apic_write(&a, HV_APIC_SVR, true, 0xff), HV_APIC_DO_DEST);
	EXPECT_EQ(a.lvt[0], 0x500ec);
	hv_apic_write(&a, HV_APIC_LVT0, true, 0x400ec);
	EXPECT_EQ(a.lvt[0], 0x500ec);
}

static void test_modes(void)
{
	static const u64 mask = (1ull << 40) - 1;
	const u64 x = HV_APIC_BASE_DEFAULT | HV_APIC_BASE_ENABLE, x2 = x | HV_APIC_BASE_X2APIC;
	const u64 off = HV_APIC_BASE_DEFAULT;
	struct hv_apic a;
	u64 v;

	EXPECT(hv_apic_base_ok(x, x2, true, mask));
	EXPECT(!hv_apic_base_ok(x, x2, false, mask));
	EXPECT(!hv_apic_base_ok(x2, x, true, mask));
	EXPECT(hv_apic_base_ok(x2, off, true, mask));
	EXPECT(!hv_apic_base_ok(off, x2, true, mask));
	EXPECT(hv_apic_base_ok(off, x, true, mask));
	EXPECT(!hv_apic_base_ok(x, off | HV_APIC_BASE_X2APIC, true, mask));
	EXPECT(!hv_apic_base_ok(x, x | 1, true, mask));
	EXPECT(!hv_apic_base_ok(x, x | 1 << 9, true, mask));
	EXPECT(!hv_apic_base_ok(x, x | 1ull << 40, true, mask));
	EXPECT(hv_apic_base_ok(x, x | 1ull << 39, true, mask));

	make(&a, 0x123, HV_APIC_XAPIC);
	hv_apic_write(&a, HV_APIC_LDR, false, 0x0f000000);
	EXPECT_EQ(a.ldr, 0x0f000000);
	request(&a, 0x50);
	hv_apic_set_mode(&a, HV_APIC_X2APIC);
	hv_apic_read(&a, HV_APIC_LDR, true, &v);
	EXPECT_EQ(v, 0x120008);		/* cluster 0x12, bit 3 */
	hv_apic_read(&a, HV_APIC_ID, true, &v);
	EXPECT_EQ(v, 0x123);
	EXPECT_EQ(hv_apic_top(a.irr), 0x50);
	hv_apic_set_mode(&a, HV_APIC_OFF);
	EXPECT_EQ(hv_apic_top(a.irr), -1);
	hv_apic_set_mode(&a, HV_APIC_XAPIC);
	EXPECT_EQ(a.ldr, 0);
}

static void test_save(void)
{
	struct hv_apic a, b;
	u32 page[64];

	make(&a, 7, HV_APIC_X2APIC);
	hv_apic_write(&a, HV_APIC_SVR, true, 0x1ff);
	hv_apic_write(&a, HV_APIC_LVT0, true, 0x200ec);
	hv_apic_write(&a, HV_APIC_TMICT, true, 12345);
	hv_apic_write(&a, HV_APIC_TDCR, true, 0xb);
	request(&a, 0x61);
	take(&a);
	request(&a, 0xa5);
	take(&a);
	request(&a, 0x23);
	a.tmr[1] = 1ull << (0x61 - 64);
	a.esr = 0x40;
	hv_apic_store(&a, page);
	make(&b, 7, HV_APIC_X2APIC);
	EXPECT_EQ(hv_apic_load(&b, page), 0);
	EXPECT(!memcmp(&a, &b, sizeof(a)));

	make(&b, 8, HV_APIC_X2APIC);
	EXPECT(hv_apic_load(&b, page) == -EINVAL);
	make(&b, 7, HV_APIC_XAPIC);
	EXPECT(hv_apic_load(&b, page) == -EINVAL);
	make(&b, 7, HV_APIC_X2APIC);
	page[HV_APIC_SVR / 16] |= 0x1000;
	EXPECT(hv_apic_load(&b, page) == -EINVAL);
	page[HV_APIC_SVR / 16] &= ~0x1000u;
	page[HV_APIC_LVT0 / 16 + 5] |= 0x400;
	EXPECT(hv_apic_load(&b, page) == -EINVAL);
	page[HV_APIC_LVT0 / 16 + 5] &= ~0x400u;
	page[HV_APIC_IRR / 16] = 0xffff;
	EXPECT_EQ(hv_apic_load(&b, page), 0);
	EXPECT_EQ(b.irr[0] & 0xffff, 0);
}

int main(void)
{
	test_reset();
	test_priority();
	test_access();
	test_reserved();
	test_acts();
	test_modes();
	test_save();
	return expect_done();
}
