// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench.c - what one operation costs, by the TSC; driven by selftests/bench
 *
 * In the counted lab a tick is an instruction. Each row is printed as
 * "ROW name median mean n", the cost of the two RDTSC taken off. The driver gives the
 * ports and addresses it serves on the command line: pio=, mmio=, kickp=, kickm=, conn=,
 * round=, touch= (4 KiB pages the host already has), rtouch= (64 MiB of such). With
 * vector=ROW one more turn of that row runs between vector_begin and vector_end, where
 * who steps through the machine stops it (scripts/bench --vector).
 */
#include "hyperv.h"

#define N	200
#define VEC_SELF	0x41
#define VEC_SINT	0x42
#define SINT		2
#define TOUCH_PAGES	1024u
#define HC_FAST		(1ull << 16)

static u64 samples[TOUCH_PAGES], overhead;
static u32 nr;
static volatile u32 irqs;
static volatile u64 irq_tsc, eoi_cost;
static u8 siefp[4096] __attribute__((aligned(4096))), simp[4096] __attribute__((aligned(4096)));

static void row(const char *name)
{
	u64 sum = 0, v;
	u32 i, j;

	for (i = 0; i < nr; i++)
		sum += samples[i];
	for (i = 1; i < nr; i++) {
		v = samples[i];
		for (j = i; j && samples[j - 1] > v; j--)
			samples[j] = samples[j - 1];
		samples[j] = v;
	}
	print("ROW %s %lu %lu %u\n", name, (unsigned long)(samples[nr / 2] - overhead),
	      (unsigned long)(sum / nr - overhead), nr);
	nr = 0;
}

void vector_begin(void) __attribute__((noinline));
void vector_end(void) __attribute__((noinline));
void vector_begin(void)
{
	__asm__ volatile("nop");
}

void vector_end(void)
{
	__asm__ volatile("nop");
}

#define TRACE(name, code)						\
	do {								\
		if (option_is("vector", name)) {			\
			vector_begin();					\
			code;						\
			vector_end();					\
		}							\
	} while (0)

#define TIME(name, code)						\
	do {								\
		for (int i_ = -8; i_ < N; i_++) {			\
			u64 a_ = rdtsc(), b_;				\
									\
			code;						\
			b_ = rdtsc();					\
			if (i_ >= 0)					\
				samples[nr++] = b_ - a_;		\
		}							\
		row(name);						\
		TRACE(name, code);					\
	} while (0)

static void measure_overhead(void)
{
	u64 best = ~0ull, a, b;

	for (int i = 0; i < 32; i++) {
		a = rdtsc();
		b = rdtsc();
		if (b - a < best)
			best = b - a;
	}
	overhead = best;
}

static void on_self(struct trap_frame *f)
{
	u64 t;

	(void)f;
	irq_tsc = rdtsc();
	irqs++;
	t = rdtsc();
	lapic_eoi();
	eoi_cost = rdtsc() - t;
}

static void exits(void)
{
	volatile u32 *mmio = (volatile u32 *)option("mmio", 0);
	u16 pio = (u16)option("pio", 0);
	u32 out[4];

	TIME("exit.cpuid", cpuid(0, 0, out));
	TIME("exit.rdmsr", rdmsr(0x277));
	TIME("exit.wrmsr", wrmsr(0x277, 0x0007040600070406ull));
	if (pio)
		TIME("exit.pio_user", outb(pio, 0));
	if (mmio)
		TIME("exit.mmio_user", *mmio = 0);
}

static void kicks(void)
{
	volatile u32 *m = (volatile u32 *)option("kickm", 0);
	u16 p = (u16)option("kickp", 0);

	if (p)
		TIME("kick.pio", outl(p, 1));
	if (m)
		TIME("kick.mmio", *m = 1);
}

/* A self-IPI, from the write to the return of its handler. */
static void self_ipi(void)
{
	u32 was = irqs;

	wrmsr(0x83f, VEC_SELF);
	while (irqs == was)
		cpu_pause();
}

static void apic(void)
{
	u32 i;

	irq_set(VEC_SELF, on_self);
	irq_enable();
	for (i = 0; i < N; i++) {
		u64 t = rdtsc();

		self_ipi();
		samples[nr++] = irq_tsc - t;
	}
	row("x2apic.self_ipi");
	for (i = 0; i < N; i++) {
		self_ipi();
		samples[nr++] = eoi_cost;
	}
	row("x2apic.eoi");
	TRACE("x2apic.self_ipi", self_ipi());
	TRACE("x2apic.eoi", lapic_eoi());
	irq_disable();
}

/* HLT with an interrupt that is pending already: the exit, the wake-up that finds it, the injection. */
static void halts(void)
{
	for (int i = 0; i < N; i++) {
		u64 t;

		wrmsr(0x83f, VEC_SELF);
		t = rdtsc();
		irq_enable_halt();
		samples[nr++] = irq_tsc - t;
	}
	row("exit.hlt");
	wrmsr(0x83f, VEC_SELF);
	TRACE("exit.hlt", irq_enable_halt());
}

static void signal_round(u64 conn)
{
	u32 was = irqs;

	__atomic_and_fetch((u64 *)(siefp + 256 * SINT), 0, __ATOMIC_SEQ_CST);
	hcall(TLFS_HC_SIGNAL_EVENT | HC_FAST, conn, 0);
	while (irqs == was)
		irq_enable_halt();
}

static void hyperv(void)
{
	u64 conn = option("conn", 0), round = option("round", 0);

	if (!conn || !hyperv_present())
		return;
	hyperv_enable();
	TIME("hv.signal_event", hcall(TLFS_HC_SIGNAL_EVENT | HC_FAST, conn, 0));
	TIME("hv.unknown_call", hcall(0x3fff | HC_FAST, 0, 0));
	if (!round)
		return;
	irq_set(VEC_SINT, on_self);
	wrmsr(TLFS_MSR_SIMP, (u64)simp | 1);
	wrmsr(TLFS_MSR_SIEFP, (u64)siefp | 1);
	wrmsr(TLFS_MSR_SINT0 + SINT, VEC_SINT);
	wrmsr(TLFS_MSR_SCONTROL, 1);
	/*
	 * The host's threads need some 40 ms to settle: a scheduler gives a new thread less (CFS
	 * places it a slice behind), so that at first it would seldom take the CPU when woken.
	 */
	for (int i = -4096; i < N; i++) {
		u64 t = rdtsc();

		signal_round(round);
		if (i >= 0)
			samples[nr++] = irq_tsc - t;
	}
	row("hv.signal_round");
	TRACE("hv.signal_round", signal_round(round));
}

static void touch(void)
{
	u64 seq = option("touch", 0), rnd = option("rtouch", 0);
	u32 x = 12345, i;
	u64 t;

	if (seq) {
		for (i = 0; i < TOUCH_PAGES; i++) {
			t = rdtsc();
			*(volatile u8 *)(seq + i * 4096ull) = 1;
			samples[nr++] = rdtsc() - t;
		}
		row("mmu.touch_present");
	}
	if (rnd) {
		for (i = 0; i < TOUCH_PAGES; i++) {
			x = x * 1664525u + 1013904223u;
			t = rdtsc();
			*(volatile u8 *)(rnd + (u64)(x >> 8) % 16384 * 4096) = 1;
			samples[nr++] = rdtsc() - t;
		}
		row("mmu.touch_random");
	}
}

void main(void)
{
	measure_overhead();
	lapic_init();
	exits();
	kicks();
	apic();
	halts();
	hyperv();
	touch();
	check(true, "measured");
}
