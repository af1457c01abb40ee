// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * debug.c - debug registers and single steps (APM vol. 2, chapter 13): breakpoints outlive
 * exits, and an instruction the hypervisor executes traps like any other
 */
#include "guest.h"

#define DR6_BD		(1u << 13)
#define DR6_BS		(1u << 14)
#define DR7_FIXED	0x400u
#define DR7_GD		(1u << 13)
#define RFLAGS_TF	(1u << 8)
#define RFLAGS_RF	(1u << 16)
#define PORT_USER	0xf0		/* nobody's: the exit reaches user space */
#define GPA_USER	0xd0000000	/* the same for memory */
#define MAX_TRAPS	32

static struct {
	u64 rip, dr6, dr7;
} traps[MAX_TRAPS];

static volatile u32 nr_traps;
static u64 step_end;		/* stepping ends where RIP is this */
static volatile u32 watched;
static u8 line[3] = { 1, 2, 3 };

#define READ_DR(n)	({ u64 v_; __asm__ volatile("movq %%dr" #n ", %0" : "=r"(v_)); v_; })
#define WRITE_DR(n, v)	__asm__ volatile("movq %0, %%dr" #n : : "r"((u64)(v)) : "memory")

static void on_debug(struct trap_frame *f)
{
	u32 i = nr_traps;

	if (i < MAX_TRAPS) {
		traps[i].rip = f->rip;
		traps[i].dr6 = READ_DR(6);
		traps[i].dr7 = READ_DR(7);
		nr_traps = i + 1;
	}
	WRITE_DR(6, 0xffff0ff0);
	f->rflags |= RFLAGS_RF;
	if (f->rip == step_end || i >= MAX_TRAPS - 1)
		f->rflags &= ~(u64)RFLAGS_TF;
}

#define TF_ON	"pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"

extern const u8 step_0[], step_1[], step_2[], step_3[], step_4[], step_5[], step_6[];
extern const u8 rep_0[], rep_1[], halt_1[];

static void steps_check(const char *name, const u8 *const *want, u32 n)
{
	u32 i, wrong = 0;

	check_eq(nr_traps, n, name);
	for (i = 0; i < n && i < nr_traps; i++) {
		if (traps[i].rip != (u64)(uintptr_t)want[i] || !(traps[i].dr6 & DR6_BS) ||
		    traps[i].dr6 & 0xf) {
			print("# trap %u: rip 0x%llx, not 0x%llx, dr6 0x%llx\n", i, traps[i].rip,
			      (u64)(uintptr_t)want[i], traps[i].dr6);
			wrong++;
		}
	}
	check_eq(wrong, 0, "each is right after its instruction, as a single step");
}

/* One instruction for each way an instruction is executed for the guest. */
static void step_exits(void)
{
	static const u8 *const want[] = { step_0, step_1, step_2, step_3, step_4, step_5, step_6 };

	nr_traps = 0;
	step_end = (u64)(uintptr_t)step_6;
	__asm__ volatile(TF_ON
			 "cpuid\nstep_0:\n\t"
			 "inb $0xf0, %%al\nstep_1:\n\t"
			 "outb %%al, $0xf0\nstep_2:\n\t"
			 "movl $0x10, %%ecx\nstep_3:\n\t"
			 "rdmsr\nstep_4:\n\t"
			 "movl (%%rsi), %%eax\nstep_5:\n\t"
			 "movl %%eax, (%%rsi)\nstep_6:\n\t"
			 : : "a"(0), "c"(0), "S"((u64)GPA_USER) : "rbx", "rdx", "memory", "cc");
	steps_check("single steps over intercepted instructions", want, 7);
}

static void step_string(void)
{
	static const u8 *const want[] = { rep_0, rep_0, rep_1 };
	u64 n = sizeof(line);
	const u8 *p = line;

	nr_traps = 0;
	step_end = (u64)(uintptr_t)rep_1;
	__asm__ volatile("movl $0xf0, %%edx\n\t"
			 "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\nrep_0:\n\t"
			 "rep outsb\nrep_1:\n\t"
			 : "+c"(n), "+S"(p) : : "rdx", "memory", "cc");
	steps_check("single steps over REP OUTSB: one an iteration", want, 3);
	check_eq(n, 0, "and it ends");
}

static void step_halt(void)
{
	static const u8 *const want[] = { halt_1 };

	nr_traps = 0;
	step_end = (u64)(uintptr_t)halt_1;
	__asm__ volatile(TF_ON "hlt\nhalt_1:\n\t" : : : "memory", "cc");
	steps_check("a single step over HLT ends it", want, 1);
}

extern const u8 wrote[], fetched[], guarded[];

static void data_breakpoint(void)
{
	u32 out[4], i;

	nr_traps = 0;
	step_end = 0;
	WRITE_DR(0, (uintptr_t)&watched);
	WRITE_DR(7, DR7_FIXED | 1 | 0xd << 16);		/* DR0: writes, 4 bytes */
	for (i = 0; i < 20; i++) {
		cpuid(0, 0, out);
		outb(PORT_USER, (u8)i);
	}
	check_eq(nr_traps, 0, "no trap before the write");
	check_eq(READ_DR(7), DR7_FIXED | 1 | 0xd << 16, "DR7 outlives exits");
	check_eq(READ_DR(0), (uintptr_t)&watched, "DR0 too");
	__asm__ volatile("movl $7, %0\nwrote:\n\t" : "=m"(watched));
	check_eq(nr_traps, 1, "a data breakpoint traps once");
	check_eq(traps[0].dr6 & 0xf, 1, "DR6 names it");
	check_eq(traps[0].rip, (uintptr_t)wrote, "after the write");
	WRITE_DR(7, DR7_FIXED);
	watched = 8;
	check_eq(nr_traps, 1, "none once it is disabled");
}

extern const u8 io_wrote[], io_read[], io_out[], io_in[], io_rep[], io_both[];

#define WATCH(len_rw)	(DR7_FIXED | 1 | (u64)(len_rw) << 16)	/* by DR0 */

/* One trap, after the instruction, that names DR0; with a single step if @step. */
static void trapped(const char *name, const u8 *after, bool step)
{
	check_eq(nr_traps, 1, name);
	if (nr_traps != 1)
		return;
	if (traps[0].rip != (u64)(uintptr_t)after || (traps[0].dr6 & 0xf) != 1 ||
	    !(traps[0].dr6 & DR6_BS) == step)
		check(false, "%s: rip 0x%llx, not 0x%llx, dr6 0x%llx", name, traps[0].rip,
		      (u64)(uintptr_t)after, traps[0].dr6);
}

/* The hypervisor executes these: it has to look at the breakpoints itself. */
static void device_breakpoint(void)
{
	u64 cr4;

	WRITE_DR(0, GPA_USER + 2);
	WRITE_DR(7, WATCH(0x1));		/* one byte, writes */
	nr_traps = 0;
	__asm__ volatile("movl %%eax, (%%rsi)\nio_wrote:\n\t" : : "a"(0), "S"((u64)GPA_USER) : "memory");
	trapped("a write of a device's memory", io_wrote, false);
	nr_traps = 0;
	__asm__ volatile("movl (%%rsi), %%eax\n\tmovw %%ax, (%%rsi)\n\t"
			 : : "S"((u64)GPA_USER) : "rax", "memory");
	check_eq(nr_traps, 0, "neither a read nor the bytes before it");
	WRITE_DR(7, WATCH(0x3));		/* reads too */
	__asm__ volatile("movl (%%rsi), %%eax\nio_read:\n\t" : : "S"((u64)GPA_USER) : "rax", "memory");
	trapped("a read of a device's memory", io_read, false);
	nr_traps = 0;
	step_end = (u64)(uintptr_t)io_both;
	__asm__ volatile(TF_ON "movl (%%rsi), %%eax\nio_both:\n\t"
			 : : "S"((u64)GPA_USER) : "rax", "memory", "cc");
	trapped("a single step over it: one trap for both", io_both, true);
	step_end = 0;

	WRITE_DR(0, PORT_USER);
	WRITE_DR(7, WATCH(0x2));		/* I/O, if CR4.DE says that there is such a thing */
	nr_traps = 0;
	outb(PORT_USER, 1);
	check_eq(nr_traps, 0, "no I/O breakpoint without CR4.DE");
	__asm__ volatile("movq %%cr4, %0\n\torq $8, %0\n\tmovq %0, %%cr4" : "=&r"(cr4));
	__asm__ volatile("outb %%al, $0xf0\nio_out:\n\t" : : "a"(1) : "memory");
	trapped("a port write", io_out, false);
	nr_traps = 0;
	__asm__ volatile("inb $0xf0, %%al\nio_in:\n\t" : : : "rax", "memory");
	trapped("a port read", io_in, false);
	nr_traps = 0;
	outb(PORT_USER + 1, 1);
	check_eq(nr_traps, 0, "not the next port");
	{
		const u8 *p = line;
		u64 n = 1;

		__asm__ volatile("movl $0xf0, %%edx\n\trep outsb\nio_rep:\n\t"
				 : "+c"(n), "+S"(p) : : "rdx", "memory", "cc");
		trapped("a string write", io_rep, false);
	}
	WRITE_DR(7, DR7_FIXED);
	__asm__ volatile("movq %%cr4, %0\n\tandq $~8, %0\n\tmovq %0, %%cr4" : "=&r"(cr4));
}

static void code_breakpoint(void)
{
	nr_traps = 0;
	WRITE_DR(3, (uintptr_t)fetched);
	WRITE_DR(7, DR7_FIXED | 1 << 6);
	outb(PORT_USER, 0);
	__asm__ volatile("nop\nfetched:\n\tnop" : : : "memory");
	check_eq(nr_traps, 1, "an instruction breakpoint faults once");
	check_eq(traps[0].dr6 & 0xf, 8, "DR6 names it");
	check_eq(traps[0].rip, (uintptr_t)fetched, "before the instruction");
	WRITE_DR(7, DR7_FIXED);
}

static void general_detect(void)
{
	u64 v = 0;

	nr_traps = 0;
	WRITE_DR(2, 0x1234);
	WRITE_DR(7, DR7_FIXED | DR7_GD);
	outb(PORT_USER, 0);
	__asm__ volatile("guarded: movq %%dr2, %0" : "+r"(v) : : "memory");
	if (!nr_traps && READ_DR(7) & DR7_GD) {
		WRITE_DR(7, DR7_FIXED);
		check_skip("DR7.GD", "this processor keeps the bit and ignores it, as QEMU's TCG does");
		return;
	}
	check_eq(nr_traps, 1, "with DR7.GD an access faults once");
	check(traps[0].dr6 & DR6_BD, "DR6.BD says why");
	check_eq(traps[0].rip, (uintptr_t)guarded, "before the access");
	check_eq(traps[0].dr7 & DR7_GD, 0, "the handler finds GD clear");
	check_eq(v, 0x1234, "and the access then works");
}

void main(void)
{
	irq_set(VEC_DB, on_debug);
	step_exits();
	step_string();
	step_halt();
	data_breakpoint();
	device_breakpoint();
	code_breakpoint();
	general_detect();
}
