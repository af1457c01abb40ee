// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec_sys.c - system registers of the executor
 *
 * The executor checks privilege and moves values; what a value means to a
 * control register or an MSR is the caller's.
 */
#include "insn_exec_priv.h"

/* SGDT, SIDT, LGDT, LIDT. */
static int exec_table(struct hv_exec *x)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	const struct hv_insn *insn = x->insn;
	unsigned int base_size = insn->mode == HV_INSN_LONG64 ? 8 : 4;
	bool store = insn->op == HV_INSN_OP_SGDT || insn->op == HV_INSN_OP_SIDT;
	bool idt = insn->op == HV_INSN_OP_SIDT || insn->op == HV_INSN_OP_LIDT;
	struct hv_rec_dt dt = { 0 };
	u8 buf[10];
	u64 base, limit;
	int ret;

	if (!ops->dt_get || !ops->dt_set)
		return -EOPNOTSUPP;
	ret = hv_exec_resolve(x, 2 + base_size, store ? HV_INSN_WRITE : HV_INSN_READ);
	if (ret)
		return ret;
	if (store) {
		ops->dt_get(x->cpu, idt, &dt);
		put_unaligned_le16((u16)dt.limit, buf);
		put_unaligned_le64(dt.base, buf + 2);
		return hv_exec_note(x, ops->mem_write(x->cpu, x->la, buf, 2 + base_size,
						      HV_INSN_WRITE));
	}
	ret = hv_exec_load(x, x->la, &limit, 2, HV_INSN_READ);
	if (!ret)
		ret = hv_exec_load(x, operand_past(x, 2), &base, base_size, HV_INSN_READ);
	if (ret)
		return ret;
	if (base_size == 8 && !hv_exec_canonical(x, base))
		return hv_exec_fault(x, HV_VEC_GP, 0);
	dt.limit = (u32)limit;
	dt.base = base_size == 4 && insn->opsize == 2 ? base & 0xffffff : base;
	ops->dt_set(x->cpu, idt, &dt);
	return 0;
}

/* SMSW, SLDT, STR: 2 bytes to memory, zero-extended to a register. */
static int store_word(struct hv_exec *x)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	const struct hv_insn *insn = x->insn;
	struct hv_rec_seg seg;
	u64 val;
	int ret;

	if (insn->op == HV_INSN_OP_SMSW) {
		if (!ops->cr_read)
			return -EOPNOTSUPP;
		ret = hv_exec_note(x, ops->cr_read(x->cpu, 0, &val));
		if (ret)
			return ret;
	} else {
		ops->seg_get(x->cpu, insn->op == HV_INSN_OP_STR ? HV_SEG_TR : HV_SEG_LDTR, &seg);
		val = seg.selector;
	}
	if (!hv_exec_is_mem(insn, insn->dst)) {
		hv_exec_set(x, insn->dst, val, insn->opsize);
		return 0;
	}
	ret = hv_exec_resolve(x, 2, HV_INSN_WRITE);
	return ret ? ret : hv_exec_store(x, x->la, val, 2, HV_INSN_WRITE);
}

/* LMSW sets PE, MP, EM, TS of CR0, and never clears PE. */
static int exec_lmsw(struct hv_exec *x)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	const struct hv_insn *insn = x->insn;
	u64 val, cr0;
	int ret = 0;

	if (!ops->cr_read || !ops->cr_write)
		return -EOPNOTSUPP;
	if (hv_exec_is_mem(insn, insn->src)) {
		ret = hv_exec_resolve(x, 2, HV_INSN_READ);
		if (!ret)
			ret = hv_exec_load(x, x->la, &val, 2, HV_INSN_READ);
	} else {
		val = hv_exec_get(x, insn->src, 2);
	}
	if (!ret)
		ret = hv_exec_note(x, ops->cr_read(x->cpu, 0, &cr0));
	if (ret)
		return ret;
	x->cpu->out |= HV_INSN_OUT_MODE;
	return hv_exec_note(x, ops->cr_write(x->cpu, 0, (cr0 & ~0xeull) | (val & 0xf)));
}

/* MOV to and from CRn and DRn: always a register, of the mode's width. */
static int exec_mov_control(struct hv_exec *x)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	const struct hv_insn *insn = x->insn;
	bool dr = insn->op == HV_INSN_OP_MOV_DR;
	int (*get)(struct hv_insn_cpu *cpu, unsigned int nr, u64 *val) =
		dr ? ops->dr_read : ops->cr_read;
	int (*set)(struct hv_insn_cpu *cpu, unsigned int nr, u64 val) =
		dr ? ops->dr_write : ops->cr_write;
	u64 val;
	int ret;

	if (insn->dst == HV_OPND_RM) {
		if (!get)
			return -EOPNOTSUPP;
		ret = hv_exec_note(x, get(x->cpu, insn->reg, &val));
		if (!ret)
			hv_exec_set(x, insn->dst, val, insn->opsize);
		return ret;
	}
	if (!set)
		return -EOPNOTSUPP;
	if (!dr)
		x->cpu->out |= HV_INSN_OUT_MODE;
	return hv_exec_note(x, set(x->cpu, insn->reg, hv_exec_get(x, insn->src, insn->opsize)));
}

static int exec_msr(struct hv_exec *x)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	u64 *gpr = x->cpu->gpr, val;
	u32 msr = (u32)gpr[HV_GPR_RCX];
	int ret;

	if (x->insn->op == HV_INSN_OP_WRMSR) {
		if (!ops->msr_write)
			return -EOPNOTSUPP;
		x->cpu->out |= HV_INSN_OUT_MODE;
		val = (u32)gpr[HV_GPR_RAX] | gpr[HV_GPR_RDX] << 32;
		return hv_exec_note(x, ops->msr_write(x->cpu, msr, val));
	}
	if (!ops->msr_read)
		return -EOPNOTSUPP;
	ret = hv_exec_note(x, ops->msr_read(x->cpu, msr, &val));
	if (ret)
		return ret;
	gpr[HV_GPR_RAX] = (u32)val;
	gpr[HV_GPR_RDX] = val >> 32;
	return 0;
}

static int exec_cpuid(struct hv_exec *x)
{
	u64 *gpr = x->cpu->gpr;
	u32 r[4] = { (u32)gpr[HV_GPR_RAX], 0, (u32)gpr[HV_GPR_RCX], 0 };
	int ret;

	if (!x->cpu->ops->cpuid)
		return -EOPNOTSUPP;
	ret = hv_exec_note(x, x->cpu->ops->cpuid(x->cpu, r));
	if (ret)
		return ret;
	gpr[HV_GPR_RAX] = r[0];
	gpr[HV_GPR_RBX] = r[1];
	gpr[HV_GPR_RCX] = r[2];
	gpr[HV_GPR_RDX] = r[3];
	return 0;
}

static int exec_invlpg(struct hv_exec *x)
{
	if (!x->cpu->ops->invlpg)
		return -EOPNOTSUPP;
	return hv_exec_note(x, x->cpu->ops->invlpg(x->cpu, hv_insn_linear(x->insn, x->cpu)));
}

static bool privileged(unsigned int op)
{
	switch (op) {
	case HV_INSN_OP_HLT: case HV_INSN_OP_LGDT: case HV_INSN_OP_LIDT: case HV_INSN_OP_LMSW:
	case HV_INSN_OP_LLDT: case HV_INSN_OP_LTR: case HV_INSN_OP_INVLPG:
	case HV_INSN_OP_MOV_CR: case HV_INSN_OP_MOV_DR:
	case HV_INSN_OP_RDMSR: case HV_INSN_OP_WRMSR:
		return true;
	default:
		return false;
	}
}

int hv_exec_sys(struct hv_exec *x)
{
	unsigned int op = x->insn->op;

	if (op <= HV_INSN_OP_INTO)
		return hv_exec_seg(x);
	if (x->cpu->cpl && privileged(op))
		return hv_exec_fault(x, HV_VEC_GP, 0);
	switch (op) {
	case HV_INSN_OP_HLT:
		x->cpu->out |= HV_INSN_OUT_HALT;
		return 0;
	case HV_INSN_OP_SGDT: case HV_INSN_OP_SIDT: case HV_INSN_OP_SLDT: case HV_INSN_OP_STR:
	case HV_INSN_OP_SMSW:
		if (x->cpu->cpl && x->cpu->umip)
			return hv_exec_fault(x, HV_VEC_GP, 0);
		return op == HV_INSN_OP_SGDT || op == HV_INSN_OP_SIDT ? exec_table(x) : store_word(x);
	case HV_INSN_OP_LGDT: case HV_INSN_OP_LIDT:
		return exec_table(x);
	case HV_INSN_OP_LMSW:
		return exec_lmsw(x);
	case HV_INSN_OP_MOV_CR: case HV_INSN_OP_MOV_DR:
		return exec_mov_control(x);
	case HV_INSN_OP_RDMSR: case HV_INSN_OP_WRMSR:
		return exec_msr(x);
	case HV_INSN_OP_CPUID:
		return exec_cpuid(x);
	case HV_INSN_OP_INVLPG:
		return exec_invlpg(x);
	default:		/* LLDT, LTR: no boot code is emulated up to there */
		return -EOPNOTSUPP;
	}
}
