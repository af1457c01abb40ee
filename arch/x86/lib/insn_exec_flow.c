// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec_flow.c - stack instructions and near branches of the executor
 */
#include "insn_exec_priv.h"

#define SEG_DB		0x400u	/* hv_rec_seg.attr */

/* Bytes of the stack pointer: 2, 4, 8. */
unsigned int hv_exec_stack_size(struct hv_exec *x)
{
	struct hv_rec_seg ss;

	if (x->cpu->mode == HV_INSN_LONG64)
		return 8;
	x->cpu->ops->seg_get(x->cpu, HV_SEG_SS, &ss);
	return ss.attr & SEG_DB ? 4 : 2;
}

int hv_exec_push(struct hv_exec *x, u64 *sp, u64 val, unsigned int size)
{
	u64 off = (*sp - size) & size_mask(hv_exec_stack_size(x)), la;
	int ret = hv_exec_linear(x, HV_SEG_SS, off, size, HV_INSN_WRITE, &la);

	if (!ret)
		ret = hv_exec_store(x, la, val, size, HV_INSN_STACK);
	if (!ret)
		*sp = off;
	return ret;
}

int hv_exec_pop(struct hv_exec *x, u64 *sp, u64 *val, unsigned int size)
{
	u64 mask = size_mask(hv_exec_stack_size(x)), la;
	int ret = hv_exec_linear(x, HV_SEG_SS, *sp & mask, size, HV_INSN_READ, &la);

	if (!ret)
		ret = hv_exec_load(x, la, val, size, HV_INSN_STACK);
	if (!ret)
		*sp = (*sp + size) & mask;
	return ret;
}

void hv_exec_set_sp(struct hv_exec *x, u64 sp)
{
	u64 *rsp = &x->cpu->gpr[HV_GPR_RSP];

	*rsp = merge(*rsp, sp, hv_exec_stack_size(x));
}

/* Source of PUSH, near JMP and CALL. */
static int get_source(struct hv_exec *x, u64 *val)
{
	const struct hv_insn *insn = x->insn;
	int ret;

	if (!hv_exec_is_mem(insn, insn->src)) {
		*val = hv_exec_get(x, insn->src, insn->opsize);
		return 0;
	}
	ret = hv_exec_resolve(x, insn->opsize, HV_INSN_READ);
	return ret ? ret : hv_exec_load(x, x->la, val, insn->opsize, HV_INSN_READ);
}

static int exec_pop(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	u64 old = x->cpu->gpr[HV_GPR_RSP], sp = old, val;
	int ret = hv_exec_pop(x, &sp, &val, insn->opsize);

	if (ret)
		return ret;
	/* The address of a memory operand is formed with the new rSP. */
	hv_exec_set_sp(x, sp);
	if (!hv_exec_is_mem(insn, insn->dst)) {
		hv_exec_set(x, insn->dst, val, insn->opsize);
		return 0;
	}
	ret = hv_exec_resolve(x, insn->opsize, HV_INSN_WRITE);
	if (!ret)
		ret = hv_exec_store(x, x->la, val, insn->opsize, HV_INSN_WRITE);
	if (ret)
		x->cpu->gpr[HV_GPR_RSP] = old;
	return ret;
}

/* One by one from the top, so that a fault has the CPU's address; rSP moves last. */
static int exec_pusha(struct hv_exec *x)
{
	u64 *gpr = x->cpu->gpr, sp = gpr[HV_GPR_RSP];
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < 8; i++)
		ret = hv_exec_push(x, &sp, gpr[i], x->insn->opsize);
	if (!ret)
		hv_exec_set_sp(x, sp);
	return ret;
}

static int exec_popa(struct hv_exec *x)
{
	unsigned int size = x->insn->opsize, i;
	u64 *gpr = x->cpu->gpr, sp = gpr[HV_GPR_RSP], val[8];
	int ret = 0;

	for (i = 0; !ret && i < 8; i++)
		ret = hv_exec_pop(x, &sp, &val[7 - i], size);
	if (ret)
		return ret;
	for (i = 0; i < 8; i++) {
		if (i != HV_GPR_RSP)
			gpr[i] = merge(gpr[i], val[i], size);
	}
	hv_exec_set_sp(x, sp);
	return 0;
}

/* In virtual-8086 mode the flags belong to IOPL 3. */
static bool flags_forbidden(const struct hv_exec *x)
{
	return (x->rflags & HV_FLAG_VM) && (x->rflags & HV_FLAG_IOPL) != HV_FLAG_IOPL;
}

static int exec_popf(struct hv_exec *x)
{
	u64 sp = x->cpu->gpr[HV_GPR_RSP], val;
	u64 may = HV_FLAG_ARITH | HV_FLAG_TF | HV_FLAG_DF | HV_FLAG_NT | HV_FLAG_AC | HV_FLAG_ID;
	unsigned int iopl = (u8)(x->rflags >> 12) & 3;
	int ret;

	if (flags_forbidden(x))
		return hv_exec_fault(x, HV_VEC_GP, 0);
	ret = hv_exec_pop(x, &sp, &val, x->insn->opsize);
	if (ret)
		return ret;
	if (x->cpu->cpl <= iopl)
		may |= HV_FLAG_IF;
	if (x->cpu->cpl == 0)
		may |= HV_FLAG_IOPL;
	if (x->insn->opsize == 2)
		may &= 0xffff;
	x->rflags = (x->rflags & ~may) | (val & may);
	hv_exec_set_sp(x, sp);
	return 0;
}

static int exec_pushf(struct hv_exec *x)
{
	u64 sp = x->cpu->gpr[HV_GPR_RSP];
	int ret;

	if (flags_forbidden(x))
		return hv_exec_fault(x, HV_VEC_GP, 0);
	ret = hv_exec_push(x, &sp, x->rflags & ~(u64)(HV_FLAG_VM | HV_FLAG_RF), x->insn->opsize);
	if (!ret)
		hv_exec_set_sp(x, sp);
	return ret;
}

static int exec_enter(struct hv_exec *x)
{
	unsigned int size = x->insn->opsize, level = x->insn->imm2 & 31, i;
	u64 *gpr = x->cpu->gpr, sp = gpr[HV_GPR_RSP], bp = gpr[HV_GPR_RBP], frame, val, at;
	int ret = hv_exec_push(x, &sp, bp, size);

	frame = gpr[HV_GPR_RSP] - size;		/* all of it, also on a 16-bit stack */
	for (i = 1; !ret && i < level; i++) {
		at = (bp - i * size) & size_mask(hv_exec_stack_size(x));
		ret = hv_exec_pop(x, &at, &val, size);	/* a read at @at */
		if (!ret)
			ret = hv_exec_push(x, &sp, val, size);
	}
	if (!ret && level)
		ret = hv_exec_push(x, &sp, frame, size);
	if (ret)
		return ret;
	/* The CPU checks that the new top of the stack can be written. */
	sp = (sp - (u16)x->insn->imm) & size_mask(hv_exec_stack_size(x));
	ret = hv_exec_linear(x, HV_SEG_SS, sp, size, HV_INSN_WRITE, &at);
	if (!ret)
		ret = hv_exec_note(x, x->cpu->ops->mem_probe(x->cpu, at, size,
							     HV_INSN_WRITE | HV_INSN_STACK));
	if (ret)
		return ret;
	hv_exec_set_sp(x, sp);
	gpr[HV_GPR_RBP] = merge(gpr[HV_GPR_RBP], frame, size);
	return 0;
}

static int exec_leave(struct hv_exec *x)
{
	u64 *gpr = x->cpu->gpr, sp = gpr[HV_GPR_RBP], val;
	int ret = hv_exec_pop(x, &sp, &val, x->insn->opsize);

	if (ret)
		return ret;
	hv_exec_set_sp(x, sp);
	gpr[HV_GPR_RBP] = merge(gpr[HV_GPR_RBP], val, x->insn->opsize);
	return 0;
}

int hv_exec_stack(struct hv_exec *x)
{
	u64 sp = x->cpu->gpr[HV_GPR_RSP], val;
	int ret;

	switch (x->insn->op) {
	case HV_INSN_OP_PUSH:
		ret = get_source(x, &val);
		if (!ret)
			ret = hv_exec_push(x, &sp, val, x->insn->opsize);
		if (!ret)
			hv_exec_set_sp(x, sp);
		return ret;
	case HV_INSN_OP_POP:
		return exec_pop(x);
	case HV_INSN_OP_PUSHA:
		return exec_pusha(x);
	case HV_INSN_OP_POPA:
		return exec_popa(x);
	case HV_INSN_OP_PUSHF:
		return exec_pushf(x);
	case HV_INSN_OP_POPF:
		return exec_popf(x);
	case HV_INSN_OP_ENTER:
		return exec_enter(x);
	default:		/* LEAVE */
		return exec_leave(x);
	}
}

/* Near transfer: #GP when the target lies outside the code segment. */
static int go_to(struct hv_exec *x, u64 target)
{
	struct hv_rec_seg cs;

	if (x->cpu->mode == HV_INSN_LONG64) {
		if (!hv_exec_canonical(x, target))
			return hv_exec_fault(x, HV_VEC_GP, 0);
	} else {
		target &= size_mask(x->insn->opsize);
		x->cpu->ops->seg_get(x->cpu, HV_SEG_CS, &cs);
		if (target > cs.limit)
			return hv_exec_fault(x, HV_VEC_GP, 0);
	}
	x->rip = target;
	return 0;
}

/* LOOP, LOOPE, LOOPNE, JCXZ. */
static int exec_loop(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	u64 *rcx = &x->cpu->gpr[HV_GPR_RCX], count = *rcx & size_mask(insn->addrsize);
	bool zf = x->rflags & HV_FLAG_ZF, jump;
	int ret;

	if (insn->op == HV_INSN_OP_JCXZ)
		return count ? 0 : go_to(x, x->rip + insn->imm);
	count = (count - 1) & size_mask(insn->addrsize);
	jump = count && (insn->op == HV_INSN_OP_LOOP || zf == (insn->op == HV_INSN_OP_LOOPE));
	if (jump) {
		ret = go_to(x, x->rip + insn->imm);
		if (ret)
			return ret;
	}
	*rcx = merge(*rcx, count, insn->addrsize);
	return 0;
}

static int exec_ret(struct hv_exec *x)
{
	u64 sp = x->cpu->gpr[HV_GPR_RSP], target;
	int ret = hv_exec_pop(x, &sp, &target, x->insn->opsize);

	if (!ret)
		ret = go_to(x, target);
	if (!ret)
		hv_exec_set_sp(x, sp + x->insn->imm);
	return ret;
}

int hv_exec_flow(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	u64 next = x->rip, sp = x->cpu->gpr[HV_GPR_RSP], target;
	int ret;

	switch (insn->op) {
	case HV_INSN_OP_JCC:
		return hv_alu_condition(x->rflags, insn->cc) ? go_to(x, next + insn->imm) : 0;
	case HV_INSN_OP_JMP: case HV_INSN_OP_CALL:
		ret = get_source(x, &target);
		/* The CPU pushes first, and checks the target then. */
		if (!ret && insn->op == HV_INSN_OP_CALL)
			ret = hv_exec_push(x, &sp, next, insn->opsize);
		if (!ret)
			ret = go_to(x, insn->src == HV_OPND_IMM ? next + target : target);
		if (!ret && insn->op == HV_INSN_OP_CALL)
			hv_exec_set_sp(x, sp);
		return ret;
	case HV_INSN_OP_RET:
		return exec_ret(x);
	default:
		return exec_loop(x);
	}
}
