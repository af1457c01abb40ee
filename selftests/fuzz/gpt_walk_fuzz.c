// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gpt_walk_fuzz.c - hostile page tables and registers
 *
 * Input: registers, an address, an access, then table entries in the order
 * they are read (a guest that changes them between reads, too). Checked: reads are
 * aligned and below the reserved bits, no more of them than levels times
 * restarts, entries only gain accessed and dirty bits, and a translation the
 * fast path gives is the one of the walk.
 */
#include <stdlib.h>
#include "arch/x86/lib/gpt_walk.h"

#define EXPECT(cond) do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct {
	const u8 *data, *start;
	size_t left, total;
	unsigned int reads, exchanges;
	u64 limit;
} feed;

static void take(void *buf, size_t size)
{
	memset(buf, 0, size);
	size = min_t(size_t, size, feed.left);
	memcpy(buf, feed.data, size);
	feed.data += size;
	feed.left -= size;
}

static int read_entry(void *cookie, u64 gpa, u64 *val, unsigned int size)
{
	(void)cookie;
	EXPECT(size == 4 || size == 8);
	EXPECT(gpa % size == 0);
	EXPECT(gpa < feed.limit);
	EXPECT(++feed.reads <= 5 * 8);
	*val = 0;
	take(val, size);
	return *val == 0xeeee ? -EAGAIN : 0;
}

static int exchange(void *cookie, u64 gpa, u64 old, u64 new, unsigned int size)
{
	(void)cookie;
	(void)gpa;
	(void)size;
	EXPECT((old & new) == old && !((old ^ new) & ~(HV_GPTE_A | HV_GPTE_D)) && old != new);
	EXPECT(old & HV_GPTE_P);
	return ++feed.exchanges % 3 == 0;
}

static u64 fast_read(void *cookie, u64 gpa)
{
	u64 val;

	/* What an absent or reserved entry leads to may be asked for; it reads as 0. */
	if (gpa >= feed.limit)
		return 0;
	return read_entry(cookie, gpa, &val, 8) ? 0 : val;
}

static const struct hv_gpt_ops ops = { read_entry, exchange };

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct hv_gpt_regs regs;
	struct hv_gpt_mode mode;
	struct hv_gpt_result res;
	u64 gva, gpa;
	u32 access;
	bool fast;
	u8 bools;
	int ret;

	feed.data = data;
	feed.left = size;
	take(&regs, offsetof(struct hv_gpt_regs, gb_pages));
	take(&bools, 1);
	regs.gb_pages = bools & 1;
	regs.pse36 = bools & 2;
	take(&gva, 8);
	take(&access, 4);
	access &= HV_GPT_WRITE | HV_GPT_USER | HV_GPT_FETCH | HV_GPT_AC | HV_GPT_PEEK;
	ret = hv_gpt_mode_init(&mode, &regs);
	EXPECT(ret == 0 || (ret == -EINVAL && (regs.maxphyaddr < 32 || regs.maxphyaddr > 52)));
	if (ret)
		return 0;
	feed.limit = 1ull << max_t(unsigned int, regs.maxphyaddr, 32);
	feed.start = feed.data;
	feed.total = feed.left;
	feed.reads = feed.exchanges = 0;
	fast = hv_gpt_fetch_fast(&mode, gva, access & HV_GPT_USER, fast_read, NULL, &gpa);
	feed.data = feed.start;
	feed.left = feed.total;
	feed.reads = 0;
	if (fast)
		access = (access & HV_GPT_USER) | HV_GPT_FETCH;
	ret = hv_gpt_walk(&mode, &ops, NULL, gva, access, &res);
	EXPECT(ret == 0 || ret == HV_GPT_FAULT || ret == -EAGAIN);
	EXPECT(!fast || (ret == 0 && res.gpa == gpa));
	if (ret == 0)
		EXPECT(res.gpa < (mode.levels ? 1ull << 52 : 1ull << 32));
	if (ret == HV_GPT_FAULT)
		EXPECT(!(res.error_code & ~0x3fu));
	return 0;
}
