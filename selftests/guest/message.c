// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * message.c - messages that the host posts: full slot and backlog, order, polled and masked SINTs
 *
 * A write to port PORT has the host post what the value says and go on when that is done:
 * low byte: how many, then the SINT, then 1 if they must all be refused. Each message
 * carries its number, counted from 0 over all that were taken.
 */
#include "hyperv.h"

#define PORT	0x700
#define SINT	2
#define QUIET	5
#define VEC_MSG	0x60
#define BACKLOG	16
#define TYPE	1
#define SENDER	0x1234567890ull

struct payload {
	u32 number;
	u8 pattern[64];
};

static struct tlfs_message simp[TLFS_SINTS] __attribute__((aligned(4096)));
static volatile u32 got, bad;
static u32 next;

static void ask(u32 count, u32 sint, bool refused)
{
	outl(PORT, count | sint << 8 | (u32)refused << 16);
}

/* Is the message in @m the one that comes next, whole? */
static bool right(volatile struct tlfs_message *m)
{
	const volatile struct payload *p = (const volatile void *)m->payload;
	u32 i;

	if (m->type != TYPE || m->size != sizeof(*p) || m->sender != SENDER || p->number != next)
		return false;
	for (i = 0; i < sizeof(p->pattern); i++)
		if (p->pattern[i] != (u8)(p->number + i))
			return false;
	next++;
	return true;
}

static void take(volatile struct tlfs_message *m)
{
	bad += !right(m);
	__atomic_store_n((u32 *)&m->type, 0, __ATOMIC_SEQ_CST);
	if (m->flags & TLFS_MESSAGE_F_PENDING)
		wrmsr(TLFS_MSR_EOM, 0);
}

static void on_message(struct trap_frame *f)
{
	(void)f;
	got++;
	take(&simp[SINT]);
	lapic_eoi();
}

static void backlog(void)
{
	got = 0;
	ask(1 + BACKLOG, SINT, false);
	check_eq(simp[SINT].flags, TLFS_MESSAGE_F_PENDING, "more wait behind the one in the slot");
	ask(3, SINT, true);
	reftime_settle();
	check_eq(got, 1 + BACKLOG, "an interrupt for each");
	check(!bad && next == 1 + BACKLOG, "all came in order (%u wrong)", bad);
	check_eq(simp[SINT].type, 0, "and no other");
	ask(4, SINT, false);
	reftime_settle();
	check(got == 5 + BACKLOG && !bad, "then there is room again");
}

/* Polled and masked SINTs: in the slot, but no interrupt. */
static void quiet(u64 sint, const char *name)
{
	got = 0;
	bad = 0;
	wrmsr(TLFS_MSR_SINT0 + QUIET, sint);
	ask(2, QUIET, false);
	reftime_settle();
	check(simp[QUIET].type == TYPE && simp[QUIET].flags == TLFS_MESSAGE_F_PENDING,
	      "%s SINT: the first of two is in the slot", name);
	take(&simp[QUIET]);
	check_eq(simp[QUIET].type, TYPE, "after EOM the second is");
	take(&simp[QUIET]);
	check(!got && !bad, "both right, and no interrupt");
}

/* What waited for a page that was switched off never comes. */
static void dropped(void)
{
	ask(3, SINT, false);
	wrmsr(TLFS_MSR_SIMP, 0);
	ask(1, SINT, true);
	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)simp | TLFS_PAGE_ENABLE);
	check_eq(simp[SINT].type, 0, "a page enabled anew is empty");
	next += 3;
	ask(2, SINT, false);
	bad = 0;
	got = 0;
	reftime_settle();
	/* The interrupt of the first of the dropped ones was raised before. */
	check(got >= 2 && next == 5 + BACKLOG + 4 + 3 + 2 && bad <= 1,
	      "later ones come (next %u, %u interrupts)", next, got);
}

void main(void)
{
	if (!hyperv_present())
		leave(2);
	smp_start();
	irq_set(VEC_MSG, on_message);
	hyperv_enable();
	ask(1, SINT, true);
	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)simp | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC_MSG);
	ask(1, SINT, true);
	wrmsr(TLFS_MSR_SCONTROL, TLFS_SCONTROL_ENABLE);
	backlog();
	quiet(TLFS_SINT_POLLING | VEC_MSG, "polling");
	quiet(TLFS_SINT_MASKED | VEC_MSG, "masked");
	dropped();
}
