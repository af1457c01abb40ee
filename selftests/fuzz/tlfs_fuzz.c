// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tlfs_fuzz.c - hostile control words, VP sets and timer registers
 *
 * Besides what the sanitizers find: an accepted input list lies in one page, a parsed
 * set yields VPs in rising order below the limit, and a timer that is disabled or
 * has no count is never armed.
 */
#include <stdlib.h>
#include <hv/portable.h>
#include <hvguest/tlfs.h>
#include "virt/lib/hcall_parse.h"
#include "virt/lib/stimer_rules.h"
#include "virt/lib/vpset.h"

#define EXPECT(cond) do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void hypercall(const u64 *w)
{
	struct hv_hcall_shape s = {
		.in_bytes = (u16)(w[0] & 0x1f8),
		.rep_bytes = (u16)(w[0] >> 16 & 0x38),
		.out_bytes = (u16)(w[0] >> 32 & 0x1f8),
		.flags = (u16)(w[0] >> 48 & 3),
	};
	struct hv_hcall_form f;

	if (hv_hcall_parse(&s, w[1], w[2], w[3], &f) != TLFS_OK)
		return;
	EXPECT(!(w[1] & TLFS_HC_RESERVED));
	EXPECT(f.head_bytes == s.in_bytes + 8 * f.var_words);
	if (f.fast)
		EXPECT(f.head_bytes + f.count * s.rep_bytes <= 16);
	else
		EXPECT(w[2] % 4096 + f.head_bytes + (u64)f.count * s.rep_bytes <= 4096 ||
		       f.head_bytes + f.count * s.rep_bytes == 0);
	EXPECT(s.rep_bytes ? f.start < f.count : !f.count);
}

static void vpset(const u64 *w, u32 nr)
{
	struct hv_vp_set s;
	u32 vp, last = 0, n = 0;

	if (hv_vpset_parse(&s, w, nr) != TLFS_OK)
		return;
	for (vp = hv_vpset_next(&s, 0, 240); vp < 240; vp = hv_vpset_next(&s, vp + 1, 240)) {
		EXPECT(!n || vp > last);
		EXPECT(s.all || (s.bank[vp / 64] >> (vp % 64) & 1));
		last = vp;
		n++;
	}
}

static void timer(const u64 *w, u32 nr)
{
	struct hv_stimer_regs t = { 0 };
	u64 now = 0;
	u32 i;

	for (i = 0; i + 1 < nr; i += 2) {
		now += w[i] >> 32 & 0xffffff;
		switch (w[i] & 3) {
		case 0:
			hv_stimer_set_config(&t, w[i + 1], now);
			break;
		case 1:
			hv_stimer_set_count(&t, w[i + 1], now);
			break;
		default:
			if (hv_stimer_due(&t, now)) {
				hv_stimer_expire(&t, now);
				EXPECT(!t.expiry || t.expiry > now || t.expiry == ~0ull);
			}
		}
		EXPECT(!t.expiry || ((t.config & TLFS_STIMER_ENABLE) && t.count));
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 w[64];
	u32 nr;

	if (size < 40)
		return 0;
	nr = (u32)(min(size, sizeof(w)) / 8);
	memcpy(w, data, nr * 8);
	hypercall(w);
	vpset(w + 1, nr - 1);
	timer(w + 1, nr - 1);
	return 0;
}
