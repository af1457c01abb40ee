/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * insn_exec.h - executes one decoded instruction through callbacks.
 *
 * Everything is fetched first, then committed: an instruction whose callback
 * says "not now" leaves registers as they were and is simply executed again.
 * The exceptions are the architecture's own: completed iterations of a REP
 * string instruction stay done, with rCX, rSI and rDI at their new values and
 * RIP still at the instruction.
 *
 * Executed again from the same state, an instruction makes the same accesses in
 * the same order. A caller that had to ask user space for the first access can
 * therefore answer it from a note on the second run, and an instruction that
 * reads and writes MMIO needs no state here.
 *
 * Not executed (-EOPNOTSUPP): x87, MMX, vector arithmetic, and what insn_decode
 * calls HV_INSN_OP_OTHER. Far transfers, segment loads outside real mode and
 * system registers need the optional callbacks.
 *
 * Flags that the architecture leaves undefined:
 *   MUL, IMUL		SF, ZF, PF from the low half, AF clear
 *   DIV, IDIV		all six unchanged
 *   AND, OR, XOR, TEST	AF clear
 *   shifts by more than one  OF as if computed from the final step; AF clear
 *   BSF, BSR, BT		the undefined ones unchanged, except ZF of BSF and BSR
 *
 * Source: AMD APM volume 3; Intel SDM volume 2.
 */
#ifndef ARCH_X86_LIB_INSN_EXEC_H
#define ARCH_X86_LIB_INSN_EXEC_H

#include "insn_decode.h"

/* EFLAGS bits. */
#define HV_FLAG_CF	0x00001u
#define HV_FLAG_FIXED	0x00002u	/* always one */
#define HV_FLAG_PF	0x00004u
#define HV_FLAG_AF	0x00010u
#define HV_FLAG_ZF	0x00040u
#define HV_FLAG_SF	0x00080u
#define HV_FLAG_TF	0x00100u
#define HV_FLAG_IF	0x00200u
#define HV_FLAG_DF	0x00400u
#define HV_FLAG_OF	0x00800u
#define HV_FLAG_IOPL	0x03000u
#define HV_FLAG_NT	0x04000u
#define HV_FLAG_RF	0x10000u
#define HV_FLAG_VM	0x20000u
#define HV_FLAG_AC	0x40000u
#define HV_FLAG_VIF	0x80000u
#define HV_FLAG_VIP	0x100000u
#define HV_FLAG_ID	0x200000u
#define HV_FLAG_ARITH	(HV_FLAG_CF | HV_FLAG_PF | HV_FLAG_AF | HV_FLAG_ZF | HV_FLAG_SF | \
			 HV_FLAG_OF)

/* Exception vectors the executor raises. */
#define HV_VEC_DE	0u
#define HV_VEC_BR	5u
#define HV_VEC_UD	6u
#define HV_VEC_NM	7u
#define HV_VEC_NP	11u
#define HV_VEC_SS	12u
#define HV_VEC_GP	13u
#define HV_VEC_PF	14u
#define HV_VEC_AC	17u

/* Results of hv_insn_exec() and of callbacks; negative values are errnos. */
#define HV_INSN_DONE	0	/* retired: RIP is at the next instruction */
/*
 * From a callback: the access was accepted, return to the caller as soon as the
 * architecture allows. A REP instruction then stops after this iteration.
 */
#define HV_INSN_YIELD	1
/*
 * From hv_insn_exec(): a REP instruction stopped between iterations, because
 * its budget ran out or a callback yielded; RIP still at it. Look for
 * interrupts, then call again (the decoded instruction may be kept).
 */
#define HV_INSN_PARTIAL	2
/* A fault is to be injected: hv_insn_cpu.fault holds it. RIP at the instruction. */
#define HV_INSN_FAULT	3

struct hv_insn_fault {
	u8 vector;		/* HV_VEC_* */
	bool has_error;
	u32 error;
	u64 addr;		/* CR2 of a #PF */
};

/* @access of the memory callbacks. */
#define HV_INSN_READ	0u
#define HV_INSN_WRITE	1u	/* in mem_read: will be written too, so check for writing */
#define HV_INSN_LOCKED	2u	/* with WRITE: part of a LOCKed access, or of XCHG */
#define HV_INSN_STACK	4u	/* implicit stack access */
#define HV_INSN_SYSTEM	8u	/* descriptor table: supervisor whatever the CPL */

struct hv_insn_cpu;

/*
 * Callbacks. Memory is addressed by linear address: segmentation, limits and
 * the canonical check are done. Sizes are 1..32 bytes, for INS and OUTS up to 256
 * within a page; other accesses may cross one page boundary, and outside 64-bit
 * mode run past 4 GiB, where they go on at 0.
 *
 * Return of each: 0; HV_INSN_YIELD (accepted, see above); HV_INSN_FAULT after
 * filling in cpu->fault (a page fault, say); or a negative errno, returned as it is
 * from hv_insn_exec(): -EAGAIN or -EINTR when the access must wait and the
 * instruction be executed again, -EFAULT when it can't be done at all.
 */
struct hv_insn_ops {
	int (*mem_read)(struct hv_insn_cpu *cpu, u64 la, void *buf, unsigned int size, u32 access);
	/* All of @buf or nothing. */
	int (*mem_write)(struct hv_insn_cpu *cpu, u64 la, const void *buf, unsigned int size,
			 u32 access);
	/*
	 * Atomic: if memory equals @old, store @new. @size is 1, 2, 4, 8 or 16.
	 * Puts what was there before into @old and says in @done whether it was equal. Writes
	 * (the old value) even when not equal, as CMPXCHG does: needs a writable page.
	 * MMIO may do it as a read and a write.
	 */
	int (*mem_cmpxchg)(struct hv_insn_cpu *cpu, u64 la, void *old, const void *new,
			   unsigned int size, bool *done);
	/*
	 * Would a write of @size bytes at @la succeed now? Called before a
	 * side effect that can't be taken back: the port read of INS. If the
	 * mem_write that follows asks to be executed again all the same, io_in
	 * must then give the same answer again. No change except accessed and
	 * dirty bits.
	 */
	int (*mem_probe)(struct hv_insn_cpu *cpu, u64 la, unsigned int size, u32 access);
	/*
	 * @count units of @size (1, 2, 4) bytes from or to one port, in
	 * order. All of them, or an error and none.
	 */
	int (*io_in)(struct hv_insn_cpu *cpu, u16 port, unsigned int size, void *buf,
		     unsigned int count);
	int (*io_out)(struct hv_insn_cpu *cpu, u16 port, unsigned int size, const void *buf,
		      unsigned int count);
	/*
	 * Segment ES..GS, TR or LDTR as the CPU caches it. In 64-bit mode
	 * memory operands ask for FS and GS alone.
	 */
	void (*seg_get)(struct hv_insn_cpu *cpu, unsigned int seg, struct hv_rec_seg *out);

	/* Optional from here on: NULL makes what needs them -EOPNOTSUPP. */

	/*
	 * May the program use these ports? Called when CPL > IOPL or in
	 * virtual-8086 mode, before the port is used. NULL: always.
	 */
	int (*io_check)(struct hv_insn_cpu *cpu, u16 port, unsigned int size);
	/*
	 * Vector register @reg 0..15, @size 16 or 32 bytes. A write of 16 with
	 * @clear_upper zeroes the rest (VEX). #NM and #UD by CR0, CR4 and XCR0
	 * are the caller's.
	 */
	int (*vec_read)(struct hv_insn_cpu *cpu, unsigned int reg, void *buf, unsigned int size);
	int (*vec_write)(struct hv_insn_cpu *cpu, unsigned int reg, const void *buf,
			 unsigned int size, bool clear_upper);
	/* Put a segment register into the CPU as it stands in @seg (no checks left to do). */
	void (*seg_set)(struct hv_insn_cpu *cpu, unsigned int seg, const struct hv_rec_seg *val);
	/* GDTR and IDTR. */
	void (*dt_get)(struct hv_insn_cpu *cpu, bool idt, struct hv_rec_dt *out);
	void (*dt_set)(struct hv_insn_cpu *cpu, bool idt, const struct hv_rec_dt *val);
	/* Control, debug and model-specific registers: checks and side effects are the caller's. */
	int (*cr_read)(struct hv_insn_cpu *cpu, unsigned int cr, u64 *val);
	int (*cr_write)(struct hv_insn_cpu *cpu, unsigned int cr, u64 val);
	int (*dr_read)(struct hv_insn_cpu *cpu, unsigned int dr, u64 *val);
	int (*dr_write)(struct hv_insn_cpu *cpu, unsigned int dr, u64 val);
	int (*msr_read)(struct hv_insn_cpu *cpu, u32 msr, u64 *val);
	int (*msr_write)(struct hv_insn_cpu *cpu, u32 msr, u64 val);
	int (*invlpg)(struct hv_insn_cpu *cpu, u64 la);
	/* EAX, ECX in and EAX, EBX, ECX, EDX out. */
	int (*cpuid)(struct hv_insn_cpu *cpu, u32 regs[4]);
};

/* hv_insn_cpu.out */
#define HV_INSN_OUT_SHADOW	0x01u	/* interrupts are held off for one instruction (STI, MOV SS) */
#define HV_INSN_OUT_HALT	0x02u	/* HLT retired */
#define HV_INSN_OUT_MODE	0x04u	/* CS, CR0 or EFER may have changed: work out mode and cpl again */
#define HV_INSN_OUT_NMI_DONE	0x08u	/* IRET retired */

/* The CPU as the executor sees it. The caller fills it in and keeps it. */
struct hv_insn_cpu {
	const struct hv_insn_ops *ops;
	void *ctx;		/* the caller's; not touched */
	u64 *gpr;		/* HV_GPR_NR registers, changed when an instruction retires */
	u64 rip;		/* of the instruction; of the next one when it retired */
	u64 rflags;
	u8 mode;		/* enum hv_insn_mode, as given to the decoder */
	u8 cpl;			/* 0..3; 3 in virtual-8086 mode */
	bool la57;		/* CR4.LA57: 57-bit canonical addresses */
	bool umip;		/* CR4.UMIP: SGDT and the like fault at CPL 3 */
	u8 out;			/* HV_INSN_OUT_*, set by the call */
	u32 budget;		/* most REP iterations in one call; 0 counts as 1 */
	struct hv_insn_fault fault;
};

/**
 * hv_insn_exec() - execute one instruction
 * @insn: decoded in @cpu->mode
 * @cpu:  registers and callbacks; updated when the instruction retires
 *
 * The trap flag and debug breakpoints are the caller's (look at RFLAGS.TF as it
 * was before). RF is cleared by an instruction that retires.
 *
 * Return: HV_INSN_DONE, HV_INSN_PARTIAL, HV_INSN_FAULT, -EOPNOTSUPP when this
 * instruction is not executed here, or the errno of a callback.
 * HV_INSN_YIELD is not returned: the instruction retired (DONE) or stopped (PARTIAL).
 * Context: that of the callbacks; about 400 bytes of stack.
 */
int hv_insn_exec(const struct hv_insn *insn, struct hv_insn_cpu *cpu);

/**
 * hv_insn_linear() - the linear address of the memory operand, unchecked
 * @insn: decoded instruction with a memory operand
 * @cpu:  registers; seg_get is called when the segment has a base
 *
 * For tracing and for a caller that already knows the access is allowed.
 */
u64 hv_insn_linear(const struct hv_insn *insn, struct hv_insn_cpu *cpu);

#endif /* ARCH_X86_LIB_INSN_EXEC_H */
