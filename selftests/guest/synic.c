// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * synic.c - message slots, SINTs and event flags
 *
 * Messages come from synthetic timers whose time has passed already. Event flags need
 * the host: conn=N names a connection whose signal sets flag flag=F of SINT 2 on VP 0.
 */
#include "hyperv.h"

#define SINT	3
#define VEC_MSG	0x60
#define VEC_EVT	0x61
#define VEC_ANY	0x62

struct page {
	struct tlfs_message slot[TLFS_SINTS];
};

static struct page simp[MAX_CPUS] __attribute__((aligned(4096)));
static u8 siefp[MAX_CPUS][4096] __attribute__((aligned(4096)));
static volatile u32 got[MAX_CPUS], events;
static volatile bool free_in_handler, skip_eoi;

static volatile struct tlfs_message *slot(void)
{
	return &simp[this_cpu()->index].slot[SINT];
}

static void slot_free(void)
{
	__atomic_store_n((u32 *)&slot()->type, 0, __ATOMIC_SEQ_CST);
}

static void on_message(struct trap_frame *f)
{
	(void)f;
	got[this_cpu()->index]++;
	if (free_in_handler)
		slot_free();
	if (!skip_eoi)
		lapic_eoi();
}

static void on_event(struct trap_frame *f)
{
	(void)f;
	events++;
	lapic_eoi();
}

static void on_any(struct trap_frame *f)
{
	(void)f;
	lapic_eoi();
}

/* Timer @n sends a message to SINT now. Returns the expiry it was given. */
static u64 fire(u32 n)
{
	u64 now = reftime();

	wrmsr(TLFS_MSR_STIMER0_CONFIG + 2 * n,
	      TLFS_STIMER_AUTO_ENABLE | (u64)SINT << TLFS_STIMER_SINT_SHIFT);
	wrmsr(TLFS_MSR_STIMER0_COUNT + 2 * n, now);
	return now;
}

static void pages_on(void *arg)
{
	u32 i = this_cpu()->index;

	(void)arg;
	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)&simp[i] | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SIEFP, (u64)(uintptr_t)siefp[i] | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC_MSG);
	wrmsr(TLFS_MSR_SCONTROL, TLFS_SCONTROL_ENABLE);
}

static void one_message(void)
{
	const volatile struct tlfs_timer_message *t;
	u64 due;

	got[0] = 0;
	due = fire(1);
	reftime_settle();
	t = (const volatile void *)slot()->payload;
	check_eq(slot()->type, TLFS_MESSAGE_TIMER_EXPIRED, "a timer message is in the slot");
	check_eq(slot()->size, sizeof(*t), "its size");
	check_eq(slot()->flags, 0, "nothing waits behind it");
	check_eq(t->index, 1, "which timer");
	check_eq(t->expiration, due, "when it was due");
	check(t->delivery >= due && t->delivery <= reftime(), "when it was delivered");
	check_eq(got[0], 1, "one interrupt");
	slot_free();
}

static void queued(void)
{
	const volatile struct tlfs_timer_message *t = (const volatile void *)slot()->payload;
	u32 i;

	got[0] = 0;
	for (i = 0; i < 3; i++)
		fire(i);
	reftime_settle();
	for (i = 0; i < 3; i++) {
		check(slot()->type == TLFS_MESSAGE_TIMER_EXPIRED && t->index == i,
		      "message %u of 3 in order (type 0x%x, timer %u)", i, slot()->type, t->index);
		check_eq(slot()->flags, i < 2, "pending flag");
		check_eq(got[0], i + 1, "interrupts so far");
		slot_free();
		wrmsr(TLFS_MSR_EOM, 0);
		reftime_settle();
	}
	check_eq(slot()->type, 0, "then the slot is free");
	check_eq(got[0], 3, "and no interrupt came without a message");
}

static void rescan_on_eoi(void)
{
	got[0] = 0;
	free_in_handler = true;
	fire(0);
	fire(1);
	reftime_settle();
	free_in_handler = false;
	check_eq(got[0], 2, "an EOI alone has the queue scanned");
	check_eq(slot()->type, 0, "and the slot is free");
}

static void quiet(u64 sint, const char *what)
{
	got[0] = 0;
	wrmsr(TLFS_MSR_SINT0 + SINT, sint);
	fire(0);
	reftime_settle();
	check(slot()->type == TLFS_MESSAGE_TIMER_EXPIRED, "%s SINT: the message is in the slot", what);
	check(got[0] == 0, "%s SINT: no interrupt", what);
	slot_free();
	wrmsr(TLFS_MSR_EOM, 0);
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC_MSG);
}

static u32 in_service(u32 vector)
{
	return lapic_read(0x100 + vector / 32 * 0x10) >> (vector % 32) & 1;
}

static void auto_eoi(void)
{
	u32 i;

	got[0] = 0;
	skip_eoi = true;
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC_MSG | TLFS_SINT_AUTO_EOI);
	for (i = 0; i < 3; i++) {
		fire(0);
		reftime_settle();
		slot_free();
		wrmsr(TLFS_MSR_EOM, 0);
	}
	check_eq(got[0], 3, "auto-EOI: three interrupts, no EOI");
	check_eq(in_service(VEC_MSG), 0, "auto-EOI: nothing is left in service");
	skip_eoi = false;
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC_MSG);
}

static void switched_off(void)
{
	got[0] = 0;
	wrmsr(TLFS_MSR_SCONTROL, 0);
	fire(0);
	reftime_settle();
	check_eq(slot()->type, 0, "SynIC off: no message");
	wrmsr(TLFS_MSR_SCONTROL, TLFS_SCONTROL_ENABLE);
	reftime_settle();
	check_eq(slot()->type, TLFS_MESSAGE_TIMER_EXPIRED, "SynIC on again: it arrives");
	check_eq(got[0], 1, "with its interrupt");
	fire(1);	/* waits behind it */
	wrmsr(TLFS_MSR_SIMP, 0);
	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)&simp[0] | TLFS_PAGE_ENABLE);
	reftime_settle();
	check_eq(slot()->type, 0, "a page enabled anew is empty, old messages are gone");
	wrmsr(TLFS_MSR_STIMER0_CONFIG + 2, 0);
}

static void other_cpu(void *arg)
{
	u32 i = this_cpu()->index;

	(void)arg;
	pages_on(NULL);
	got[i] = 0;
	fire(2);
	reftime_settle();
	check(got[i] == 1 && slot()->type == TLFS_MESSAGE_TIMER_EXPIRED,
	      "processor %u has a SynIC of its own", i);
	slot_free();
	wrmsr(TLFS_MSR_SCONTROL, 0);
	wrmsr(TLFS_MSR_SIMP, 0);
	wrmsr(TLFS_MSR_SIEFP, 0);
}

static void event_flags(void)
{
	u64 conn = option("conn", 0), flag = option("flag", 5);
	u8 *word = &siefp[0][2 * 256 + flag / 8];
	u8 bit = (u8)(1u << flag % 8);
	u32 i;

	if (!conn) {
		check_skip("event flags", "no conn= given");
		return;
	}
	wrmsr(TLFS_MSR_SINT0 + 2, VEC_EVT);
	hcall(TLFS_HC_SIGNAL_EVENT | TLFS_HC_FAST, conn, 0);
	reftime_settle();
	check_eq(events, 1, "a signal raises the SINT");
	check_eq(*word, bit, "and sets the flag");
	hcall(TLFS_HC_SIGNAL_EVENT | TLFS_HC_FAST, conn, 0);
	reftime_settle();
	check_eq(events, 1, "no second interrupt while the flag is set");
	__atomic_and_fetch(word, (u8)~bit, __ATOMIC_SEQ_CST);
	hcall(TLFS_HC_SIGNAL_EVENT | TLFS_HC_FAST, conn, 0);
	reftime_settle();
	check_eq(events, 2, "one more when it was cleared");
	__atomic_and_fetch(word, (u8)~bit, __ATOMIC_SEQ_CST);
	wrmsr(TLFS_MSR_SINT0 + 2, TLFS_SINT_MASKED | VEC_EVT);
	hcall(TLFS_HC_SIGNAL_EVENT | TLFS_HC_FAST, conn, 0);
	reftime_settle();
	check(events == 2 && !*word, "a masked SINT takes no events");
	for (i = 0; i < 4096; i++)
		if (siefp[0][i])
			break;
	check_eq(i, 4096, "no other flag was touched");
}

void main(void)
{
	u32 i, n;

	if (!hyperv_present())
		leave(2);
	n = smp_start();
	irq_set(VEC_MSG, on_message);
	irq_set(VEC_EVT, on_event);
	irq_set(VEC_ANY, on_any);
	hyperv_enable();
	pages_on(NULL);
	one_message();
	queued();
	rescan_on_eoi();
	quiet(TLFS_SINT_MASKED | VEC_MSG, "masked");
	quiet(TLFS_SINT_POLLING | VEC_MSG, "polling");
	auto_eoi();
	if (hyperv_is_hv())
		switched_off();
	for (i = 1; i < n; i++)
		smp_call(i, other_cpu, NULL);
	event_flags();
}
