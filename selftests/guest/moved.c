// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * moved.c - keeps everything busy for a while and notices when something is lost
 *
 * Meant to be stopped, saved and gone on with elsewhere at any moment: nothing here may
 * fail because of it. rounds=N (default 400). Each round sends an IPI to and fro, waits
 * for a timer message and looks at clocks and registers; a direct timer ticks through.
 * With typed=1 it goes on until a 'q' comes over the serial port, looks at a page of memory each round,
 * and reads the clock chip's memory, which user space has: its answer is not lost either.
 */
#include "hyperv.h"

#define VEC_PING	0x51
#define VEC_PONG	0x52
#define VEC_TICK	0x53
#define VEC_MSG		0x54
#define VEC_POST	0x55
#define SINT		5
#define SINT_POST	6	/* the host posts numbered messages */
#define MS		10000ull
#define LATE		(20000 * MS)	/* lost, not late */

static struct tlfs_message simp[TLFS_SINTS] __attribute__((aligned(4096)));
static union {
	struct tlfs_tsc_page tsc;
	u8 all[4096];
} frame __attribute__((aligned(4096)));
static volatile u32 pings, pongs, ticks, messages, stop;
static volatile u64 latest;	/* reference time when it was last looked at, VP 0 */
static volatile u32 backwards;

/*
 * Timers alone would not find a counter that was set back: they wait until it has caught
 * up. What the host posts at each move comes at once.
 */
static u64 time_look(void)
{
	u64 now = reftime();

	backwards += now < latest;
	latest = now;
	return now;
}

static void on_ping(struct trap_frame *f)
{
	(void)f;
	pings++;
	lapic_eoi();
	hcall(TLFS_HC_SEND_IPI | TLFS_HC_FAST, VEC_PONG, 1);
}

static void on_pong(struct trap_frame *f)
{
	(void)f;
	pongs++;
	lapic_eoi();
}

static void on_tick(struct trap_frame *f)
{
	(void)f;
	ticks++;
	time_look();
	lapic_eoi();
}

static void on_message(struct trap_frame *f)
{
	(void)f;
	if (simp[SINT].type == TLFS_MESSAGE_TIMER_EXPIRED)
		messages++;
	__atomic_store_n(&simp[SINT].type, 0, __ATOMIC_SEQ_CST);
	if (simp[SINT].flags & TLFS_MESSAGE_F_PENDING)
		wrmsr(TLFS_MSR_EOM, 0);
	lapic_eoi();
}

static volatile u32 posted, lost;

static void on_post(struct trap_frame *f)
{
	(void)f;
	time_look();
	if (simp[SINT_POST].type == 1) {
		lost += *(u32 *)simp[SINT_POST].payload != posted;
		posted++;
	}
	__atomic_store_n(&simp[SINT_POST].type, 0, __ATOMIC_SEQ_CST);
	if (simp[SINT_POST].flags & TLFS_MESSAGE_F_PENDING)
		wrmsr(TLFS_MSR_EOM, 0);
	lapic_eoi();
}

static void other(void *arg)
{
	(void)arg;
	while (!stop)
		irq_enable_halt();
}

/* Halt until *@p is @want; false if that never happens. */
static bool halt_for(volatile u32 *p, u32 want)
{
	u64 end = reftime() + LATE;

	while (*p != want && reftime() < end)
		irq_enable_halt();
	return *p == want;
}

static u64 page_time(void)
{
	volatile struct tlfs_tsc_page *p = &frame.tsc;
	u64 scale, tsc;
	s64 offset;
	u32 seq;

	do {
		seq = p->sequence;
		scale = p->scale;
		offset = p->offset;
		tsc = rdtsc();
	} while (p->sequence != seq);
	return seq ? (u64)((unsigned __int128)tsc * scale >> 64) + (u64)offset : reftime();
}

/* Fill vector registers and some general ones, exit a few times, compare. */
static bool registers_kept(u64 seed)
{
	u64 back[4];

	__asm__ volatile("movq %[s], %%xmm0\n\tmovq %[s], %%xmm7\n\tmovq %[s], %%xmm15\n\t"
			 "movq %[s], %%r12\n\t"
			 "mov $50, %%r13d\n"
			 "1:\n\txor %%eax, %%eax\n\txor %%ecx, %%ecx\n\tcpuid\n\t"
			 "dec %%r13d\n\tjnz 1b\n\t"
			 "movq %%xmm0, %[a]\n\tmovq %%xmm7, %[b]\n\tmovq %%xmm15, %[c]\n\t"
			 "movq %%r12, %[d]"
			 : [a] "=m"(back[0]), [b] "=m"(back[1]), [c] "=m"(back[2]), [d] "=m"(back[3])
			 : [s] "r"(seed)
			 : "rax", "rbx", "rcx", "rdx", "r12", "r13", "memory");
	return back[0] == seed && back[1] == seed && back[2] == seed && back[3] == seed;
}

static u64 input[16] __attribute__((aligned(4096)));

/* A rep call that a signal of the host may interrupt: all of it is done when it returns. */
static bool flush_done(void)
{
	u64 r;

	input[1] = TLFS_FLUSH_ALL_PROCESSORS | TLFS_FLUSH_ALL_SPACES;
	r = hcall(TLFS_HC_FLUSH_LIST | 3ull << TLFS_HC_COUNT_SHIFT, (u64)(uintptr_t)input, 0);
	return r == 3ull << 32;
}

static void sse_on(void)
{
	u64 v;

	__asm__ volatile("movq %%cr4, %0\n\torq $0x600, %0\n\tmovq %0, %%cr4" : "=r"(v));
	__asm__ volatile("movq %%cr0, %0\n\tandq $~0xc, %0\n\tmovq %0, %%cr0" : "=r"(v));
}

#define PAGES	2048
#define COM1	0x3f8
#define RTC	0x70

static u64 memory[PAGES][512] __attribute__((aligned(4096)));

/* What was written a lap ago is there; every fourth page is zero. */
static bool memory_kept(u32 i)
{
	u64 *p = memory[i % PAGES], want = i < PAGES || i % 4 == 3 ? 0 : i - PAGES + 1;

	for (u32 k = 0; k < 512; k++) {
		if (p[k] != want)
			return false;
		p[k] = i % 4 == 3 ? 0 : i + 1;
	}
	return true;
}

/* Bytes of the clock's memory, which only the guest writes. */
static bool device_kept(u32 i)
{
	u8 was;

	outb(RTC, 0x50);
	was = inb(RTC + 1);
	outb(RTC + 1, (u8)(i + 1));
	return was == (u8)i;
}

static bool quit_typed(void)
{
	return inb(COM1 + 5) & 1 && inb(COM1) == 'q';
}

static u32 round(u32 i, u64 *last)
{
	u32 bad = 0;
	u64 a, b;

	hcall(TLFS_HC_SEND_IPI | TLFS_HC_FAST, VEC_PING, 2);
	if (!halt_for(&pongs, i + 1))
		bad |= 1;
	wrmsr(TLFS_MSR_STIMER0_COUNT + 2, reftime() + MS / 2);
	if (!halt_for(&messages, i + 1))
		bad |= 2;
	a = page_time();
	b = reftime();
	if (a < *last || b < a)
		bad |= 4;
	*last = b;
	if (!registers_kept(0x1234567800000000ull + i * 0x10001))
		bad |= 8;
	if (!flush_done())
		bad |= 16;
	if (lost)
		bad |= 32;
	if (backwards)
		bad |= 64;
	return bad;
}

void main(void)
{
	u32 i, n = (u32)option("rounds", 400), typed = (u32)option("typed", 0), bad = 0;
	u64 last = 0, begin;

	if (!hyperv_present())
		leave(2);
	sse_on();
	check_eq(smp_start(), 2, "two processors");
	hyperv_enable();
	irq_set(VEC_PING, on_ping);
	irq_set(VEC_PONG, on_pong);
	irq_set(VEC_TICK, on_tick);
	irq_set(VEC_MSG, on_message);
	irq_set(VEC_POST, on_post);
	wrmsr(TLFS_MSR_REFERENCE_TSC, (u64)(uintptr_t)&frame | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SIMP, (u64)(uintptr_t)simp | TLFS_PAGE_ENABLE);
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC_MSG);
	wrmsr(TLFS_MSR_SINT0 + SINT_POST, VEC_POST);
	wrmsr(TLFS_MSR_SCONTROL, TLFS_SCONTROL_ENABLE);
	wrmsr(TLFS_MSR_STIMER0_CONFIG + 2,
	      TLFS_STIMER_AUTO_ENABLE | (u64)SINT << TLFS_STIMER_SINT_SHIFT);
	wrmsr(TLFS_MSR_STIMER0_COUNT, 5 * MS);
	wrmsr(TLFS_MSR_STIMER0_CONFIG, TLFS_STIMER_ENABLE | TLFS_STIMER_PERIODIC |
	      TLFS_STIMER_DIRECT | (u64)VEC_TICK << TLFS_STIMER_VECTOR_SHIFT);
	smp_call_async(1, other, NULL);
	if (typed) {
		outb(RTC, 0x50);	/* it has a battery: a reset leaves what was there */
		outb(RTC + 1, 0);
	}
	begin = reftime();
	for (i = 0; typed ? !quit_typed() && !bad : i < n && !bad; i++) {
		bad = round(i, &last);
		if (typed && !memory_kept(i))
			bad |= 128;
		if (typed && !device_kept(i))
			bad |= 256;
		if (typed && !(i % 64))
			print("# round %u\n", i);
	}
	print("# %u rounds, %u ticks, %u posted in %llu ms\n", i, ticks, posted,
	      (reftime() - begin) / MS);
	check(!bad, "nothing was lost (bits 0x%x in round %u)", bad, i);
	check_eq(pings, i, "pings");
	check(ticks > 0, "the periodic timer ticked");
	stop = 1;
	hcall(TLFS_HC_SEND_IPI | TLFS_HC_FAST, VEC_PING, 2);
	smp_wait(1);
}
