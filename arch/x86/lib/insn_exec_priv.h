/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * insn_exec_priv.h - shared by the files of the executor, private to insn_exec*.c
 *
 * Functions return 0 or what ends the instruction: HV_INSN_FAULT or an errno.
 * HV_INSN_YIELD from a callback is noted in hv_exec.yield and counts as 0.
 */
#ifndef ARCH_X86_LIB_INSN_EXEC_PRIV_H
#define ARCH_X86_LIB_INSN_EXEC_PRIV_H

#include "insn_exec.h"

/* One execution: what it will commit if nothing fails. */
struct hv_exec {
	const struct hv_insn *insn;
	struct hv_insn_cpu *cpu;
	u64 rip;		/* next instruction */
	u64 rflags;
	u64 la;			/* linear address of the memory operand */
	bool yield;		/* a callback said HV_INSN_YIELD */
	bool partial;		/* stopped between iterations */
};

/* Result of an arithmetic step and the flags it leaves. */
struct hv_alu {
	u64 val;
	u64 flags;		/* EFLAGS with the arithmetic ones renewed */
};

static inline u64 size_mask(unsigned int size)
{
	return ~0ull >> (64 - 8 * size);
}

static inline u64 sign_bit(unsigned int size)
{
	return 1ull << (8 * size - 1);
}

static inline u64 sign_extend(u64 val, unsigned int size)
{
	unsigned int unused = 64 - 8 * size;

	return (u64)((s64)(val << unused) >> unused);
}

/* Replaces the low @size bytes of a register; 4 clears the upper half. */
static inline u64 merge(u64 old, u64 val, unsigned int size)
{
	if (size == 8)
		return val;
	if (size == 4)
		return (u32)val;
	return (old & ~size_mask(size)) | (val & size_mask(size));
}

/* @n bytes past the memory operand's address; outside long mode it wraps at 4 GiB. */
static inline u64 operand_past(const struct hv_exec *x, unsigned int n)
{
	return x->cpu->mode == HV_INSN_LONG64 ? x->la + n : (u32)(x->la + n);
}

/* --- insn_exec_alu.c: no access to anything but arguments */
struct hv_alu hv_alu_arith(unsigned int op, u64 a, u64 b, unsigned int size, u64 flags);
struct hv_alu hv_alu_shift(unsigned int op, u64 a, u64 count, unsigned int size, u64 flags);
struct hv_alu hv_alu_shift2(bool right, u64 a, u64 b, u64 count, unsigned int size, u64 flags);
struct hv_alu hv_alu_bits(unsigned int op, u64 a, u64 b, unsigned int size, u64 flags);
struct hv_alu hv_alu_imul(u64 a, u64 b, unsigned int size, u64 flags);
/* Full product; *@high gets the upper half. */
struct hv_alu hv_alu_mul(bool is_signed, u64 a, u64 b, unsigned int size, u64 flags, u64 *high);
/* False: #DE. @low and @high become quotient and remainder. */
bool hv_alu_div(bool is_signed, u64 *low, u64 *high, u64 by, unsigned int size);
struct hv_alu hv_alu_decimal(unsigned int op, u64 ax, u8 imm, u64 flags);
bool hv_alu_condition(u64 flags, unsigned int cc);
u64 hv_alu_swap(u64 val, unsigned int size);

/* --- insn_exec_mem.c: segments, memory, operands */
int hv_exec_fault(struct hv_exec *x, unsigned int vector, u32 error);
/* Linear address of @size bytes at @off in @seg; checks limit, type, canonical form. */
int hv_exec_linear(struct hv_exec *x, unsigned int seg, u64 off, unsigned int size, u32 access,
		   u64 *la);
u64 hv_exec_offset(const struct hv_exec *x);
/* Resolve the memory operand into x->la. */
int hv_exec_resolve(struct hv_exec *x, unsigned int size, u32 access);
int hv_exec_load(struct hv_exec *x, u64 la, u64 *val, unsigned int size, u32 access);
int hv_exec_store(struct hv_exec *x, u64 la, u64 val, unsigned int size, u32 access);
int hv_exec_note(struct hv_exec *x, int ret);
bool hv_exec_canonical(const struct hv_exec *x, u64 la);
bool hv_exec_is_mem(const struct hv_insn *insn, unsigned int opnd);
u64 hv_exec_reg(const struct hv_exec *x, unsigned int reg, unsigned int size);
void hv_exec_set_reg(struct hv_exec *x, unsigned int reg, u64 val, unsigned int size);
/* A general operand other than memory. */
u64 hv_exec_get(const struct hv_exec *x, unsigned int opnd, unsigned int size);
void hv_exec_set(struct hv_exec *x, unsigned int opnd, u64 val, unsigned int size);

/* --- insn_exec_flow.c: stack and near branches */
unsigned int hv_exec_stack_size(struct hv_exec *x);
int hv_exec_flow(struct hv_exec *x);
int hv_exec_stack(struct hv_exec *x);
/* Push below *@sp and pop above it; @sp is moved, rSP is not. */
int hv_exec_push(struct hv_exec *x, u64 *sp, u64 val, unsigned int size);
int hv_exec_pop(struct hv_exec *x, u64 *sp, u64 *val, unsigned int size);
void hv_exec_set_sp(struct hv_exec *x, u64 sp);

/* --- insn_exec_string.c: strings and ports */
int hv_exec_string(struct hv_exec *x);
int hv_exec_port(struct hv_exec *x);

/* --- insn_exec_seg.c: segment registers and far transfers */
int hv_exec_seg(struct hv_exec *x);

/* --- insn_exec_sys.c: system registers */
int hv_exec_sys(struct hv_exec *x);

#endif /* ARCH_X86_LIB_INSN_EXEC_PRIV_H */
