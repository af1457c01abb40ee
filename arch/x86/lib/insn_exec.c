// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec.c - executes one instruction, see insn_exec.h
 *
 * Most instructions are the same three steps: fetch source and destination,
 * compute, write the destination. Memory is written before any register, for
 * it alone can refuse. What does not fit is in the files beside this one.
 */
#include "insn_exec_priv.h"

/* What compute() leaves beside the new destination. */
struct step {
	u64 dst;		/* in: old value; out: new value */
	u64 src;
	u64 flags;
	u64 reg;		/* goes to the source operand or rAX, see extra */
	enum { EXTRA_NONE, EXTRA_SRC, EXTRA_ACC } extra;
	bool keep;		/* dst is not written */
};

static void step_alu(struct step *s, struct hv_alu r)
{
	s->dst = r.val;
	s->flags = r.flags;
}

static void compute_cmpxchg(struct hv_exec *x, struct step *s, unsigned int size)
{
	u64 acc = x->cpu->gpr[HV_GPR_RAX] & size_mask(size);
	struct hv_alu cmp = hv_alu_arith(HV_INSN_OP_CMP, acc, s->dst, size, s->flags);

	s->flags = cmp.flags;
	if (s->flags & HV_FLAG_ZF) {
		s->dst = s->src;
	} else {
		s->reg = s->dst;
		s->extra = EXTRA_ACC;
		s->keep = !hv_exec_is_mem(x->insn, x->insn->dst);
	}
}

static void compute_move(struct hv_exec *x, struct step *s)
{
	const struct hv_insn *insn = x->insn;

	switch (insn->op) {
	case HV_INSN_OP_MOVSX:
		s->dst = sign_extend(s->src, insn->src_size);
		break;
	case HV_INSN_OP_MOVBE:
		s->dst = hv_alu_swap(s->src, insn->opsize);
		break;
	case HV_INSN_OP_BSWAP:
		/* 16 bits: undefined, in practice 0 */
		s->dst = insn->opsize == 2 ? 0 : hv_alu_swap(s->dst, insn->opsize);
		break;
	case HV_INSN_OP_SETCC:
		s->dst = hv_alu_condition(s->flags, insn->cc);
		break;
	case HV_INSN_OP_CMOVCC:
		if (hv_alu_condition(s->flags, insn->cc))
			s->dst = s->src;
		break;
	case HV_INSN_OP_XCHG:
		s->reg = s->dst;
		s->extra = EXTRA_SRC;
		s->dst = s->src;
		break;
	default:		/* MOV, MOVZX */
		s->dst = s->src;
		break;
	}
}

static void compute(struct hv_exec *x, struct step *s)
{
	const struct hv_insn *insn = x->insn;
	unsigned int op = insn->op, size = insn->opsize;
	u64 count;

	s->extra = EXTRA_NONE;
	s->keep = false;
	switch (op) {
	case HV_INSN_OP_ADD ... HV_INSN_OP_CMP: case HV_INSN_OP_TEST ... HV_INSN_OP_DEC:
		step_alu(s, hv_alu_arith(op, s->dst, s->src, size, s->flags));
		break;
	case HV_INSN_OP_XADD:
		s->reg = s->dst;
		s->extra = EXTRA_SRC;
		step_alu(s, hv_alu_arith(op, s->dst, s->src, size, s->flags));
		break;
	case HV_INSN_OP_ROL ... HV_INSN_OP_SAR:
		step_alu(s, hv_alu_shift(op, s->dst, s->src, size, s->flags));
		break;
	case HV_INSN_OP_SHLD: case HV_INSN_OP_SHRD:
		/* A4, AC count by immediate; A5, AD by CL. */
		count = insn->opcode & 1 ? x->cpu->gpr[HV_GPR_RCX] : insn->imm;
		step_alu(s, hv_alu_shift2(op == HV_INSN_OP_SHRD, s->dst, s->src, count, size, s->flags));
		break;
	case HV_INSN_OP_BSF: case HV_INSN_OP_BSR:
		s->keep = !s->src;		/* not even the upper half is cleared */
		fallthrough;
	case HV_INSN_OP_BT ... HV_INSN_OP_BTC: case HV_INSN_OP_TZCNT ... HV_INSN_OP_POPCNT:
		step_alu(s, hv_alu_bits(op, s->dst, s->src, size, s->flags));
		break;
	case HV_INSN_OP_IMUL2:
		step_alu(s, hv_alu_imul(s->dst, s->src, size, s->flags));
		break;
	case HV_INSN_OP_IMUL3:
		step_alu(s, hv_alu_imul(s->src, insn->imm, size, s->flags));
		break;
	case HV_INSN_OP_CMPXCHG:
		compute_cmpxchg(x, s, size);
		break;
	default:
		compute_move(x, s);
		break;
	}
}

/* Rounds of a locked operation that others get ahead of, before the caller looks at signals. */
#define LOCKED_ROUNDS	16

/* Reads what has to be read, computes, and writes memory. */
static int generic_memory(struct hv_exec *x, struct step *s)
{
	const struct hv_insn *insn = x->insn;
	unsigned int size = insn->opsize, round;
	bool writes = insn->flags & HV_INSN_F_WDST, locked, done = false;
	u32 access = writes ? HV_INSN_WRITE : HV_INSN_READ;
	u64 old;
	u8 now[8] = { 0 }, new[8];
	int ret = hv_exec_resolve(x, size, access);

	if (ret)
		return ret;
	locked = insn->flags & HV_INSN_F_LOCK || insn->op == HV_INSN_OP_XCHG;
	if (locked)
		access |= HV_INSN_LOCKED;
	if (insn->flags & HV_INSN_F_RDST) {
		ret = hv_exec_load(x, x->la, &s->dst, size, access);
		if (ret)
			return ret;
	}
	old = s->dst;
	compute(x, s);
	if (!writes)
		return 0;
	if (!locked)
		return hv_exec_store(x, x->la, s->dst, size, access);
	for (round = 0; round < LOCKED_ROUNDS; round++) {
		put_unaligned_le64(old, now);
		put_unaligned_le64(s->dst, new);
		ret = hv_exec_note(x, x->cpu->ops->mem_cmpxchg(x->cpu, x->la, now, new, size, &done));
		if (ret || done)
			return ret;
		/* Somebody else wrote: again, from the value found. */
		old = s->dst = get_unaligned_le64(now) & size_mask(size);
		s->flags = x->rflags;
		compute(x, s);
	}
	return -EAGAIN;
}

static int exec_generic(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	unsigned int size = insn->opsize;
	struct step s = { .flags = x->rflags };
	int ret;

	if (hv_exec_is_mem(insn, insn->src)) {
		ret = hv_exec_resolve(x, insn->src_size, HV_INSN_READ);
		if (!ret)
			ret = hv_exec_load(x, x->la, &s.src, insn->src_size, HV_INSN_READ);
		if (ret)
			return ret;
	} else if (insn->src != HV_OPND_NONE) {
		s.src = hv_exec_get(x, insn->src, insn->src == HV_OPND_IMM ? 8 : insn->src_size);
	}
	if (hv_exec_is_mem(insn, insn->dst)) {
		ret = generic_memory(x, &s);
		if (ret)
			return ret;
	} else {
		if (insn->flags & HV_INSN_F_RDST)
			s.dst = hv_exec_get(x, insn->dst, size);
		compute(x, &s);
	}
	/* The source first: XADD and XCHG of one register keep the destination. */
	if (s.extra == EXTRA_SRC)
		hv_exec_set(x, insn->src, s.reg, size);
	else if (s.extra == EXTRA_ACC)
		hv_exec_set(x, HV_OPND_ACC, s.reg, size);
	if ((insn->flags & HV_INSN_F_WDST) && !s.keep && !hv_exec_is_mem(insn, insn->dst))
		hv_exec_set(x, insn->dst, s.dst, size);
	x->rflags = s.flags;
	return 0;
}

/* MUL, IMUL, DIV, IDIV of rAX and rDX (or AX). */
static int exec_muldiv(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	unsigned int size = insn->opsize;
	u64 *gpr = x->cpu->gpr, src, low, high;
	bool is_signed = insn->op == HV_INSN_OP_IMUL || insn->op == HV_INSN_OP_IDIV;
	struct hv_alu r;
	int ret;

	if (hv_exec_is_mem(insn, insn->src)) {
		ret = hv_exec_resolve(x, size, HV_INSN_READ);
		if (!ret)
			ret = hv_exec_load(x, x->la, &src, size, HV_INSN_READ);
		if (ret)
			return ret;
	} else {
		src = hv_exec_get(x, insn->src, size);
	}
	low = gpr[HV_GPR_RAX];
	if (insn->op == HV_INSN_OP_MUL || insn->op == HV_INSN_OP_IMUL) {
		r = hv_alu_mul(is_signed, low, src, size, x->rflags, &high);
		low = r.val;
		x->rflags = r.flags;
	} else {
		high = size == 1 ? low >> 8 : gpr[HV_GPR_RDX];
		if (!hv_alu_div(is_signed, &low, &high, src, size))
			return hv_exec_fault(x, HV_VEC_DE, 0);
	}
	if (size == 1) {
		gpr[HV_GPR_RAX] = merge(gpr[HV_GPR_RAX], (high & 0xff) << 8 | (low & 0xff), 2);
	} else {
		gpr[HV_GPR_RAX] = merge(gpr[HV_GPR_RAX], low, size);
		gpr[HV_GPR_RDX] = merge(gpr[HV_GPR_RDX], high, size);
	}
	return 0;
}

/* CMPXCHG8B, CMPXCHG16B. */
static int exec_cmpxchg8b(struct hv_exec *x)
{
	unsigned int half = x->insn->opsize == 8 ? 8 : 4, size = 2 * half;
	u64 *gpr = x->cpu->gpr, low = gpr[HV_GPR_RAX], high = gpr[HV_GPR_RDX];
	u8 old[16] = { 0 }, new[16] = { 0 };
	bool done = false;
	int ret = hv_exec_resolve(x, size, HV_INSN_WRITE);

	if (ret)
		return ret;
	if (half == 8 && (x->la & 15))
		return hv_exec_fault(x, HV_VEC_GP, 0);
	put_unaligned_le64(low, old);
	put_unaligned_le64(gpr[HV_GPR_RBX], new);
	if (half == 8) {
		put_unaligned_le64(high, old + 8);
		put_unaligned_le64(gpr[HV_GPR_RCX], new + 8);
	} else {
		put_unaligned_le32((u32)high, old + 4);
		put_unaligned_le32((u32)gpr[HV_GPR_RCX], new + 4);
	}
	ret = hv_exec_note(x, x->cpu->ops->mem_cmpxchg(x->cpu, x->la, old, new, size, &done));
	if (ret)
		return ret;
	x->rflags &= ~(u64)HV_FLAG_ZF;
	if (done) {
		x->rflags |= HV_FLAG_ZF;
		return 0;
	}
	gpr[HV_GPR_RAX] = half == 8 ? get_unaligned_le64(old) : get_unaligned_le32(old);
	gpr[HV_GPR_RDX] = half == 8 ? get_unaligned_le64(old + 8) : get_unaligned_le32(old + 4);
	return 0;
}

/* Moves between memory and a vector register. */
static int exec_vmov(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	const struct hv_insn_ops *ops = x->cpu->ops;
	bool store = insn->dst == HV_OPND_VRM;
	unsigned int lanes = insn->vec_size > 16 ? 32 : 16;
	u8 buf[32] = { 0 };
	int ret;

	if (!ops->vec_read || !ops->vec_write)
		return -EOPNOTSUPP;
	/* Misalignment counts before the segment's limit. */
	if ((insn->flags & HV_INSN_F_ALIGN) &&
	    (hv_insn_linear(insn, x->cpu) & (insn->vec_size - 1u)))
		return hv_exec_fault(x, HV_VEC_GP, 0);
	ret = hv_exec_resolve(x, insn->vec_size, store ? HV_INSN_WRITE : HV_INSN_READ);
	if (ret)
		return ret;
	if (store) {
		ret = hv_exec_note(x, ops->vec_read(x->cpu, insn->reg, buf, lanes));
		if (!ret)
			ret = ops->mem_write(x->cpu, x->la, buf, insn->vec_size, HV_INSN_WRITE);
		return hv_exec_note(x, ret);
	}
	ret = hv_exec_note(x, ops->mem_read(x->cpu, x->la, buf, insn->vec_size, HV_INSN_READ));
	if (ret)
		return ret;
	return hv_exec_note(x, ops->vec_write(x->cpu, insn->reg, buf, lanes, insn->flags & HV_INSN_F_VEX));
}

/* The lower limit is looked at before the upper one is even addressed. */
static int exec_bound(struct hv_exec *x)
{
	unsigned int size = x->insn->opsize, i;
	u64 off = hv_exec_offset(x), val = sign_extend(hv_exec_get(x, HV_OPND_REG, size), size), limit;
	int ret;

	for (i = 0; i < 2; i++, off += size) {
		ret = hv_exec_linear(x, x->insn->seg, off & size_mask(x->insn->addrsize), size,
				     HV_INSN_READ, &x->la);
		if (!ret)
			ret = hv_exec_load(x, x->la, &limit, size, HV_INSN_READ);
		if (ret)
			return ret;
		limit = sign_extend(limit, size);
		if (i ? (s64)val > (s64)limit : (s64)val < (s64)limit)
			return hv_exec_fault(x, HV_VEC_BR, 0);
	}
	return 0;
}

static int exec_xlat(struct hv_exec *x)
{
	u64 *gpr = x->cpu->gpr, off = gpr[HV_GPR_RBX] + (u8)gpr[HV_GPR_RAX], val;
	int ret = hv_exec_linear(x, x->insn->seg, off & size_mask(x->insn->addrsize), 1,
				 HV_INSN_READ, &x->la);

	if (!ret)
		ret = hv_exec_load(x, x->la, &val, 1, HV_INSN_READ);
	if (!ret)
		gpr[HV_GPR_RAX] = merge(gpr[HV_GPR_RAX], val, 1);
	return ret;
}

/* Interrupt flag: CPL against IOPL. */
static int exec_cli_sti(struct hv_exec *x)
{
	if (x->cpu->cpl > (x->rflags & HV_FLAG_IOPL) >> 12)
		return hv_exec_fault(x, HV_VEC_GP, 0);
	if (x->insn->op == HV_INSN_OP_CLI) {
		x->rflags &= ~(u64)HV_FLAG_IF;
	} else {
		if (!(x->rflags & HV_FLAG_IF))
			x->cpu->out |= HV_INSN_OUT_SHADOW;
		x->rflags |= HV_FLAG_IF;
	}
	return 0;
}

/* Without memory operands: accumulator and flags. */
static int exec_simple(struct hv_exec *x)
{
	const u64 status = HV_FLAG_ARITH & ~HV_FLAG_OF;
	const struct hv_insn *insn = x->insn;
	u64 *rax = &x->cpu->gpr[HV_GPR_RAX], *rdx = &x->cpu->gpr[HV_GPR_RDX], val;
	unsigned int size = insn->opsize;
	struct hv_alu r;

	switch (insn->op) {
	case HV_INSN_OP_CBW:
		*rax = merge(*rax, sign_extend(*rax, size / 2), size);
		break;
	case HV_INSN_OP_CWD:
		val = sign_extend(*rax, size);
		*rdx = merge(*rdx, (u64)((s64)val >> 63), size);
		break;
	case HV_INSN_OP_LAHF:
		*rax = (*rax & ~0xff00ull) | ((x->rflags & status) | HV_FLAG_FIXED) << 8;
		break;
	case HV_INSN_OP_SAHF:
		x->rflags = (x->rflags & ~status) | (*rax >> 8 & status);
		break;
	case HV_INSN_OP_CLC:
		x->rflags &= ~(u64)HV_FLAG_CF;
		break;
	case HV_INSN_OP_STC:
		x->rflags |= HV_FLAG_CF;
		break;
	case HV_INSN_OP_CMC:
		x->rflags ^= HV_FLAG_CF;
		break;
	case HV_INSN_OP_CLD:
		x->rflags &= ~(u64)HV_FLAG_DF;
		break;
	case HV_INSN_OP_STD:
		x->rflags |= HV_FLAG_DF;
		break;
	case HV_INSN_OP_SALC:
		*rax = merge(*rax, x->rflags & HV_FLAG_CF ? 0xff : 0, 1);
		break;
	case HV_INSN_OP_AAM:
		if (!insn->imm)
			return hv_exec_fault(x, HV_VEC_DE, 0);
		fallthrough;
	default:		/* AAA, AAS, DAA, DAS, AAD */
		r = hv_alu_decimal(insn->op, *rax, (u8)insn->imm, x->rflags);
		*rax = r.val;
		x->rflags = r.flags;
		break;
	}
	return 0;
}

static int dispatch(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;

	switch (insn->op) {
	case HV_INSN_OP_ADD ... HV_INSN_OP_DEC: case HV_INSN_OP_IMUL2 ... HV_INSN_OP_IMUL3:
	case HV_INSN_OP_SHLD ... HV_INSN_OP_MOVBE: case HV_INSN_OP_XCHG ... HV_INSN_OP_CMPXCHG:
	case HV_INSN_OP_SETCC: case HV_INSN_OP_CMOVCC:
		return exec_generic(x);
	case HV_INSN_OP_MUL: case HV_INSN_OP_IMUL: case HV_INSN_OP_DIV: case HV_INSN_OP_IDIV:
		return exec_muldiv(x);
	case HV_INSN_OP_LEA:
		hv_exec_set(x, HV_OPND_REG, hv_exec_offset(x), insn->opsize);
		return 0;
	case HV_INSN_OP_CMPXCHG8B:
		return exec_cmpxchg8b(x);
	case HV_INSN_OP_VMOV:
		return exec_vmov(x);
	case HV_INSN_OP_XLAT:
		return exec_xlat(x);
	case HV_INSN_OP_PUSH ... HV_INSN_OP_LEAVE:
		return hv_exec_stack(x);
	case HV_INSN_OP_JCC ... HV_INSN_OP_JCXZ:
		return hv_exec_flow(x);
	case HV_INSN_OP_CLI: case HV_INSN_OP_STI:
		return exec_cli_sti(x);
	case HV_INSN_OP_MOVS ... HV_INSN_OP_OUTS:
		return hv_exec_string(x);
	case HV_INSN_OP_IN: case HV_INSN_OP_OUT:
		return hv_exec_port(x);
	case HV_INSN_OP_NOP:
		return 0;
	case HV_INSN_OP_BOUND:
		return exec_bound(x);
	case HV_INSN_OP_CBW: case HV_INSN_OP_CWD: case HV_INSN_OP_LAHF ... HV_INSN_OP_STD:
	case HV_INSN_OP_AAA ... HV_INSN_OP_SALC:
		return exec_simple(x);
	case HV_INSN_OP_MOV_SEG ... HV_INSN_OP_CPUID:
		return hv_exec_sys(x);
	default:
		return -EOPNOTSUPP;
	}
}

int hv_insn_exec(const struct hv_insn *insn, struct hv_insn_cpu *cpu)
{
	struct hv_exec x = { .insn = insn, .cpu = cpu, .rflags = cpu->rflags };
	int ret;

	cpu->out = 0;
	x.rip = cpu->rip + insn->len;
	if (insn->mode != HV_INSN_LONG64)
		x.rip = (u32)x.rip;
	ret = dispatch(&x);
	if (unlikely(ret))
		return ret;
	cpu->rflags = x.rflags & ~(u64)HV_FLAG_RF;
	if (x.partial) {
		cpu->rflags = x.rflags;
		return HV_INSN_PARTIAL;
	}
	cpu->rip = x.rip;
	return HV_INSN_DONE;
}
