/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu.h - single instructions, and the processor's own data
 *
 * The *_safe forms survive a fault and say which: an extable row leads from the
 * faulting instruction to the one after it, and trap_c() leaves the vector in
 * the processor's fault field.
 */
#ifndef SELFTESTS_GUEST_CPU_H
#define SELFTESTS_GUEST_CPU_H

#include <hv/portable.h>

#define MAX_CPUS	16
#define NO_FAULT	(-1)

enum { VEC_DE = 0, VEC_DB = 1, VEC_BP = 3, VEC_UD = 6, VEC_DF = 8, VEC_GP = 13, VEC_PF = 14 };

struct cpu {
	struct cpu *self;	/* %gs:0 */
	u32 index;
	int fault;		/* vector of the last survived exception, or NO_FAULT */
	u64 fault_error;
	u64 fault_addr;		/* CR2 */
};

#define EXTABLE(from, to)	\
	".pushsection .extable, \"a\"\n\t.quad " from ", " to "\n\t.popsection\n"

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__("movq %%gs:0, %0" : "=r"(c));
	return c;
}

static inline void outb(u16 port, u8 val)
{
	__asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline u8 inb(u16 port)
{
	u8 val;

	__asm__ volatile("inb %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline void outl(u16 port, u32 val)
{
	__asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static inline u32 inl(u16 port)
{
	u32 val;

	__asm__ volatile("inl %1, %0" : "=a"(val) : "Nd"(port) : "memory");
	return val;
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (u64)hi << 32 | lo;
}

static inline void cpuid(u32 leaf, u32 subleaf, u32 out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
			 : "a"(leaf), "c"(subleaf));
}

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 val)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
}

/* Vector of the fault, or NO_FAULT. */
static inline int rdmsr_safe(u32 msr, u64 *val)
{
	u32 lo = 0, hi = 0;

	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: rdmsr\n2:\n" EXTABLE("1b", "2b")
			 : "+a"(lo), "+d"(hi) : "c"(msr) : "memory");
	*val = (u64)hi << 32 | lo;
	return ((volatile struct cpu *)this_cpu())->fault;
}

static inline int wrmsr_safe(u32 msr, u64 val)
{
	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: wrmsr\n2:\n" EXTABLE("1b", "2b")
			 : : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
	return ((volatile struct cpu *)this_cpu())->fault;
}

/* Store or load one byte; the vector of the fault, or NO_FAULT. */
static inline int store_safe(u64 addr, u8 val)
{
	this_cpu()->fault = NO_FAULT;
	__asm__ volatile("1: movb %1, (%0)\n2:\n" EXTABLE("1b", "2b")
			 : : "r"(addr), "q"(val) : "memory");
	return ((volatile struct cpu *)this_cpu())->fault;
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* Interrupts on for the time of one HLT, so that none is taken before it. */
static inline void irq_enable_halt(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void invlpg(u64 addr)
{
	__asm__ volatile("invlpg (%0)" : : "r"(addr) : "memory");
}

static inline u64 read_cr3(void)
{
	u64 v;

	__asm__ volatile("movq %%cr3, %0" : "=r"(v) : : "memory");
	return v;
}

static inline void write_cr3(u64 v)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(v) : "memory");
}

static inline u64 read_cr2(void)
{
	u64 v;

	__asm__ volatile("movq %%cr2, %0" : "=r"(v));
	return v;
}

#endif
