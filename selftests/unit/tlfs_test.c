// SPDX-License-Identifier: GPL-2.0-or-later
/* tlfs_test.c - the pure cores of the TLFS interface: VP sets, hypercall shapes, time, timers */
#include <hv/portable.h>
#include <hvguest/tlfs.h>
#include "lib/unit.h"
#include "virt/lib/hcall_parse.h"
#include "virt/lib/stimer_rules.h"
#include "virt/lib/tsc_scale.h"
#include "virt/lib/vpset.h"

static void layouts(void)
{
	CHECK_EQ(sizeof(struct tlfs_message), 256);
	CHECK_EQ(offsetof(struct tlfs_message, payload), 16);
	CHECK_EQ(sizeof(struct tlfs_timer_message), 24);
	CHECK_EQ(sizeof(struct tlfs_in_post_message), 256);
	CHECK_EQ(sizeof(struct tlfs_in_signal_event), 8);
	CHECK_EQ(sizeof(struct tlfs_in_flush), 24);
	CHECK_EQ(sizeof(struct tlfs_in_ipi), 16);
	CHECK_EQ(offsetof(struct tlfs_tsc_page, offset), 16);
}

static void vpset(void)
{
	u64 w[8] = { TLFS_VPSET_SPARSE, 0x5, 1ull << 63, 0x3 };
	struct hv_vp_set s;

	CHECK_EQ(hv_vpset_parse(&s, w, 4), TLFS_OK);
	CHECK_EQ(hv_vpset_next(&s, 0, 240), 63);
	CHECK_EQ(hv_vpset_next(&s, 64, 240), 128);
	CHECK_EQ(hv_vpset_next(&s, 129, 240), 129);
	CHECK_EQ(hv_vpset_next(&s, 130, 240), 240);
	CHECK_EQ(hv_vpset_next(&s, 0, 63), 63);
	CHECK_EQ(hv_vpset_next(&s, 300, 240), 240);
	CHECK_EQ(hv_vpset_parse(&s, w, 3), TLFS_INVALID_INPUT);
	CHECK_EQ(hv_vpset_parse(&s, w, 5), TLFS_INVALID_INPUT);
	CHECK_EQ(hv_vpset_parse(&s, w, 1), TLFS_INVALID_INPUT);
	CHECK_EQ(hv_vpset_parse(&s, w, 0), TLFS_INVALID_INPUT);
	w[0] = 2;
	CHECK_EQ(hv_vpset_parse(&s, w, 4), TLFS_INVALID_PARAMETER);
	CHECK_EQ(hv_vpset_next(&s, 0, 240), 240);
	w[0] = TLFS_VPSET_ALL;
	CHECK_EQ(hv_vpset_parse(&s, w, 2), TLFS_OK);
	CHECK_EQ(hv_vpset_next(&s, 7, 240), 7);
	CHECK_EQ(hv_vpset_next(&s, 240, 240), 240);
	/* a bank beyond our limit is dropped, not an error */
	w[0] = TLFS_VPSET_SPARSE;
	w[1] = 1ull << 40;
	CHECK_EQ(hv_vpset_parse(&s, w, 3), TLFS_OK);
	CHECK_EQ(hv_vpset_next(&s, 0, 240), 240);
	hv_vpset_from_mask(&s, 1ull << 5);
	CHECK_EQ(hv_vpset_next(&s, 0, 240), 5);
	CHECK_EQ(hv_vpset_next(&s, 6, 240), 240);
}

#define REP(count, start)	((u64)(count) << 32 | (u64)(start) << 48)
#define VAR(words)		((u64)(words) << 17)

static const struct hv_hcall_shape simple = { 16, 0, 0, HV_HCALL_F_FAST };
static const struct hv_hcall_shape slow = { 256, 0, 0, 0 };
static const struct hv_hcall_shape rep_var = { 16, 8, 0, HV_HCALL_F_VAR };
static const struct hv_hcall_shape fast_var = { 16, 0, 0, HV_HCALL_F_VAR | HV_HCALL_F_FAST };
static const struct hv_hcall_shape with_out = { 8, 0, 8, HV_HCALL_F_FAST };

static u16 parse(const struct hv_hcall_shape *s, u64 control, u64 in, u64 out)
{
	struct hv_hcall_form f;

	return hv_hcall_parse(s, control, in, out, &f);
}

static void hypercalls(void)
{
	struct hv_hcall_form f;
	unsigned int bit;

	CHECK_EQ(parse(&simple, 0, 0x1000, 0), TLFS_OK);
	CHECK_EQ(parse(&simple, TLFS_HC_FAST, 1, 1), TLFS_OK);
	CHECK_EQ(parse(&slow, TLFS_HC_FAST, 0, 0), TLFS_INVALID_INPUT);
	for (bit = 0; bit < 64; bit++)
		if (TLFS_HC_RESERVED >> bit & 1)
			CHECK_EQ(parse(&simple, 1ull << bit, 0, 0), TLFS_INVALID_INPUT);
	/* repetitions */
	CHECK_EQ(parse(&simple, REP(1, 0), 0, 0), TLFS_INVALID_INPUT);
	CHECK_EQ(parse(&simple, REP(0, 1), 0, 0), TLFS_INVALID_INPUT);
	CHECK_EQ(parse(&rep_var, 0, 0, 0), TLFS_INVALID_INPUT);
	CHECK_EQ(parse(&rep_var, REP(3, 3), 0, 0), TLFS_INVALID_INPUT);
	CHECK_EQ(parse(&rep_var, REP(3, 2), 0, 0), TLFS_OK);
	CHECK_EQ(hv_hcall_parse(&rep_var, REP(5, 4) | VAR(3), 8, 0, &f), TLFS_OK);
	CHECK_EQ(f.count, 5);
	CHECK_EQ(f.start, 4);
	CHECK_EQ(f.var_words, 3);
	CHECK_EQ(f.head_bytes, 40);
	CHECK(!f.fast);
	/* variable header */
	CHECK_EQ(parse(&simple, VAR(1), 0, 0), TLFS_INVALID_INPUT);
	CHECK_EQ(parse(&fast_var, VAR(1), 0, 0), TLFS_OK);
	CHECK_EQ(parse(&fast_var, TLFS_HC_FAST | VAR(1), 0, 0), HV_HCALL_UD);
	/* alignment and page crossing */
	CHECK_EQ(parse(&simple, 0, 0x1004, 0), TLFS_INVALID_ALIGNMENT);
	CHECK_EQ(parse(&simple, 0, 0x1ff0, 0), TLFS_OK);
	CHECK_EQ(parse(&simple, 0, 0x1ff8, 0), TLFS_INVALID_ALIGNMENT);
	CHECK_EQ(parse(&slow, 0, 0x1f00, 0), TLFS_OK);
	CHECK_EQ(parse(&slow, 0, 0x1f08, 0), TLFS_INVALID_ALIGNMENT);
	CHECK_EQ(parse(&rep_var, REP(510, 0), 0, 0), TLFS_OK);
	CHECK_EQ(parse(&rep_var, REP(511, 0), 0, 0), TLFS_INVALID_ALIGNMENT);
	CHECK_EQ(parse(&rep_var, REP(4095, 0) | VAR(1023), 0, 0), TLFS_INVALID_ALIGNMENT);
	CHECK_EQ(parse(&with_out, 0, 0, 4), TLFS_INVALID_ALIGNMENT);
	CHECK_EQ(parse(&with_out, 0, 0, 0xff8), TLFS_OK);
	CHECK_EQ(parse(&with_out, TLFS_HC_FAST, 0, 4), TLFS_OK);
	CHECK_EQ(hv_hcall_result(TLFS_OK, 7), 7ull << 32);
}

static void scale(void)
{
	static const u32 khz[] = { 10001, 999999, 1000000, 2000000, 2600123, 4200000, ~0u };
	u64 tsc, t, last;
	unsigned int i;

	CHECK_EQ(hv_tsc_scale(0), 0);
	CHECK_EQ(hv_tsc_scale(10000), 0);
	CHECK_EQ(hv_tsc_scale(20000), 1ull << 63);
	CHECK_EQ(hv_tsc_scale(1000000), 184467440737095516ull);
	for (i = 0; i < ARRAY_SIZE(khz); i++) {
		/* one hour of ticks is one hour, at most one unit short */
		tsc = (u64)khz[i] * 1000 * 3600;
		t = hv_tsc_to_reftime(tsc, hv_tsc_scale(khz[i]));
		CHECK(t <= 36000000000ull && t >= 36000000000ull - 1);
		for (last = 0, tsc = ~0ull - 100000; tsc < ~0ull - 7; tsc += 7, last = t) {
			t = hv_tsc_to_reftime(tsc, hv_tsc_scale(khz[i]));
			if (t < last)
				break;
		}
		CHECK(t >= last);
	}
}

#define SINT(n)		((u64)(n) << TLFS_STIMER_SINT_SHIFT)
#define VECTOR(v)	((u64)(v) << TLFS_STIMER_VECTOR_SHIFT)

static void one_shot(void)
{
	struct hv_stimer_regs t = { 0 };

	/* Linux: enable with count 0 is stopped, the count arms it */
	CHECK(hv_stimer_set_config(&t, TLFS_STIMER_ENABLE | TLFS_STIMER_AUTO_ENABLE |
				   TLFS_STIMER_DIRECT | VECTOR(0xed), 100));
	CHECK_EQ(t.expiry, 0);
	CHECK(!hv_stimer_due(&t, ~0ull));
	hv_stimer_set_count(&t, 500, 100);
	CHECK_EQ(t.expiry, 500);
	CHECK(!hv_stimer_due(&t, 499));
	CHECK(hv_stimer_due(&t, 500));
	CHECK_EQ(hv_stimer_expire(&t, 600), 500);
	CHECK(!(t.config & TLFS_STIMER_ENABLE));
	CHECK_EQ(t.expiry, 0);
	/* auto-enable; a count in the past is due at once */
	hv_stimer_set_count(&t, 50, 600);
	CHECK(t.config & TLFS_STIMER_ENABLE);
	CHECK(hv_stimer_due(&t, 600));
	/* count 0 stops */
	hv_stimer_set_count(&t, 0, 600);
	CHECK(!(t.config & TLFS_STIMER_ENABLE));
	CHECK_EQ(t.expiry, 0);
	/* without auto-enable a count does not enable */
	CHECK(hv_stimer_set_config(&t, SINT(2), 0));
	hv_stimer_set_count(&t, 50, 0);
	CHECK_EQ(t.expiry, 0);
	CHECK(hv_stimer_set_config(&t, SINT(2) | TLFS_STIMER_ENABLE, 0));
	CHECK_EQ(t.expiry, 50);
}

static void refused(void)
{
	struct hv_stimer_regs t = { 0 };

	CHECK(!hv_stimer_set_config(&t, TLFS_STIMER_ENABLE | TLFS_STIMER_DIRECT | VECTOR(15), 0));
	CHECK_EQ(t.config, 0);
	CHECK(hv_stimer_set_config(&t, TLFS_STIMER_DIRECT | VECTOR(15) | TLFS_STIMER_AUTO_ENABLE, 0));
	hv_stimer_set_count(&t, 5, 0);
	CHECK_EQ(t.expiry, 0);
	CHECK(hv_stimer_set_config(&t, TLFS_STIMER_ENABLE | TLFS_STIMER_AUTO_ENABLE, 0));
	CHECK(!(t.config & TLFS_STIMER_ENABLE));
	hv_stimer_set_count(&t, 5, 0);
	CHECK_EQ(t.expiry, 0);
	CHECK(hv_stimer_set_config(&t, ~0ull, 0));
	CHECK_EQ(t.config, TLFS_STIMER_VALID);
}

static void periodic(void)
{
	struct hv_stimer_regs t = { 0 };

	CHECK(hv_stimer_set_config(&t, TLFS_STIMER_ENABLE | TLFS_STIMER_PERIODIC | SINT(3), 7));
	CHECK_EQ(t.expiry, 0);		/* no period yet */
	hv_stimer_set_count(&t, 100, 1000);
	CHECK(hv_stimer_set_config(&t, t.config | TLFS_STIMER_ENABLE, 1000));
	CHECK_EQ(t.expiry, 1100);
	CHECK_EQ(hv_stimer_expire(&t, 1100), 1100);
	CHECK_EQ(t.expiry, 1200);
	/* late by three periods and a half: one expiry, and on the grid */
	CHECK_EQ(hv_stimer_expire(&t, 1550), 1200);
	CHECK_EQ(t.expiry, 1600);
	CHECK(t.config & TLFS_STIMER_ENABLE);
	/* the end of time */
	hv_stimer_set_count(&t, ~0ull, 1000);
	CHECK(hv_stimer_set_config(&t, t.config | TLFS_STIMER_ENABLE, 1000));
	CHECK_EQ(t.expiry, ~0ull);
	CHECK_EQ(hv_stimer_expire(&t, ~0ull), ~0ull);
	CHECK_EQ(t.expiry, ~0ull);
}

int main(void)
{
	layouts();
	vpset();
	hypercalls();
	scale();
	one_shot();
	refused();
	periodic();
	return unit_done();
}
