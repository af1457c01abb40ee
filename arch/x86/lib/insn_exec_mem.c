// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec_mem.c - segments, memory and operands of the executor
 */
#include "insn_exec_priv.h"

/* Bits of hv_rec_seg.attr. */
#define SEG_WRITE_READ	0x002u	/* data: writable; code: readable */
#define SEG_EXPAND_DOWN	0x004u	/* data only */
#define SEG_CODE	0x008u
#define SEG_PRESENT	0x080u
#define SEG_DB		0x400u

int hv_exec_fault(struct hv_exec *x, unsigned int vector, u32 error)
{
	struct hv_insn_cpu *cpu = x->cpu;
	bool real = cpu->mode == HV_INSN_REAL16 && !(cpu->rflags & HV_FLAG_VM);

	cpu->fault = (struct hv_insn_fault){
		.vector = (u8)vector, .error = error,
		/* Real mode pushes no error codes. */
		.has_error = !real && (vector == HV_VEC_GP || vector == HV_VEC_SS ||
				       vector == HV_VEC_NP || vector == HV_VEC_AC),
	};
	return HV_INSN_FAULT;
}

int hv_exec_note(struct hv_exec *x, int ret)
{
	if (ret != HV_INSN_YIELD)
		return ret;
	x->yield = true;
	return 0;
}

bool hv_exec_canonical(const struct hv_exec *x, u64 la)
{
	unsigned int drop = x->cpu->la57 ? 7 : 16;

	return (u64)((s64)(la << drop) >> drop) == la;
}

static bool limit_allows(const struct hv_rec_seg *seg, u64 off, unsigned int size)
{
	u64 last = off + size - 1;

	if ((seg->attr & (SEG_CODE | SEG_EXPAND_DOWN)) == SEG_EXPAND_DOWN)
		return off > seg->limit && last <= (seg->attr & SEG_DB ? 0xffffffffull : 0xffff);
	/* A flat segment wraps at 4 GiB. */
	return seg->limit == 0xffffffff || last <= seg->limit;
}

static bool type_allows(const struct hv_exec *x, const struct hv_rec_seg *seg, u32 access)
{
	if (x->cpu->mode == HV_INSN_REAL16)
		return true;
	if (!(seg->attr & SEG_PRESENT))
		return false;
	if (access & HV_INSN_WRITE)
		return (seg->attr & (SEG_CODE | SEG_WRITE_READ)) == SEG_WRITE_READ;
	return (seg->attr & (SEG_CODE | SEG_WRITE_READ)) != SEG_CODE;
}

int hv_exec_linear(struct hv_exec *x, unsigned int seg, u64 off, unsigned int size, u32 access,
		   u64 *la)
{
	unsigned int vector = seg == HV_SEG_SS ? HV_VEC_SS : HV_VEC_GP;
	struct hv_rec_seg s;

	if (likely(x->cpu->mode == HV_INSN_LONG64)) {
		if (unlikely(seg >= HV_SEG_FS)) {
			x->cpu->ops->seg_get(x->cpu, seg, &s);
			off += s.base;
		}
		if (unlikely(!hv_exec_canonical(x, off) || !hv_exec_canonical(x, off + size - 1)))
			return hv_exec_fault(x, vector, 0);
		*la = off;
		return 0;
	}
	x->cpu->ops->seg_get(x->cpu, seg, &s);
	if (!type_allows(x, &s, access) || !limit_allows(&s, off, size))
		return hv_exec_fault(x, vector, 0);
	*la = (u32)(s.base + off);
	return 0;
}

/* Offset of the memory operand, cut to the address size. */
u64 hv_exec_offset(const struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	u64 off = (u64)insn->disp;

	if (insn->base == HV_GPR_RIP)
		off += x->rip;
	else if (insn->base != HV_GPR_NONE)
		off += x->cpu->gpr[insn->base];
	if (insn->index != HV_GPR_NONE)
		off += x->cpu->gpr[insn->index] << insn->scale;
	return off & size_mask(insn->addrsize);
}

/* Register bit offset of BT and kin: whole operands away from the address. */
static u64 bit_displacement(const struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	s64 bit = (s64)sign_extend(x->cpu->gpr[insn->reg], insn->opsize);

	return (u64)((bit >> 3) & -(s64)insn->opsize);
}

int hv_exec_resolve(struct hv_exec *x, unsigned int size, u32 access)
{
	u64 off = hv_exec_offset(x);

	if (x->insn->op >= HV_INSN_OP_BT && x->insn->op <= HV_INSN_OP_BTC &&
	    x->insn->src == HV_OPND_REG)
		off = (off + bit_displacement(x)) & size_mask(x->insn->addrsize);
	return hv_exec_linear(x, x->insn->seg, off, size, access, &x->la);
}

int hv_exec_load(struct hv_exec *x, u64 la, u64 *val, unsigned int size, u32 access)
{
	u8 buf[8] = { 0 };
	int ret = hv_exec_note(x, x->cpu->ops->mem_read(x->cpu, la, buf, size, access));

	*val = get_unaligned_le64(buf);
	return ret;
}

int hv_exec_store(struct hv_exec *x, u64 la, u64 val, unsigned int size, u32 access)
{
	u8 buf[8];

	put_unaligned_le64(val, buf);
	return hv_exec_note(x, x->cpu->ops->mem_write(x->cpu, la, buf, size, access | HV_INSN_WRITE));
}

bool hv_exec_is_mem(const struct hv_insn *insn, unsigned int opnd)
{
	return opnd == HV_OPND_MOFFS || (opnd == HV_OPND_RM && (insn->flags & HV_INSN_F_MEM));
}

/* AH, CH, DH, BH: byte registers 4..7 without REX. */
static bool is_high_byte(const struct hv_insn *insn, unsigned int reg, unsigned int size)
{
	return size == 1 && !(insn->flags & HV_INSN_F_REX) && reg >= 4 && reg < 8;
}

u64 hv_exec_reg(const struct hv_exec *x, unsigned int reg, unsigned int size)
{
	if (is_high_byte(x->insn, reg, size))
		return x->cpu->gpr[reg - 4] >> 8 & 0xff;
	return x->cpu->gpr[reg] & size_mask(size);
}

void hv_exec_set_reg(struct hv_exec *x, unsigned int reg, u64 val, unsigned int size)
{
	u64 *gpr = &x->cpu->gpr[reg];

	if (is_high_byte(x->insn, reg, size)) {
		gpr -= 4;
		*gpr = (*gpr & ~0xff00ull) | (val & 0xff) << 8;
	} else {
		*gpr = merge(*gpr, val, size);
	}
}

u64 hv_exec_get(const struct hv_exec *x, unsigned int opnd, unsigned int size)
{
	switch (opnd) {
	case HV_OPND_RM:
		return hv_exec_reg(x, x->insn->rm, size);
	case HV_OPND_REG: case HV_OPND_OPREG:
		return hv_exec_reg(x, x->insn->reg, size);
	case HV_OPND_ACC:
		return x->cpu->gpr[HV_GPR_RAX] & size_mask(size);
	case HV_OPND_IMM:
		return x->insn->imm;
	case HV_OPND_CL:
		return x->cpu->gpr[HV_GPR_RCX] & 0xff;
	case HV_OPND_DX:
		return x->cpu->gpr[HV_GPR_RDX] & 0xffff;
	default:		/* HV_OPND_ONE */
		return 1;
	}
}

void hv_exec_set(struct hv_exec *x, unsigned int opnd, u64 val, unsigned int size)
{
	unsigned int reg = opnd == HV_OPND_RM ? x->insn->rm : x->insn->reg;

	if (opnd == HV_OPND_ACC)
		x->cpu->gpr[HV_GPR_RAX] = merge(x->cpu->gpr[HV_GPR_RAX], val, size);
	else
		hv_exec_set_reg(x, reg, val, size);
}

u64 hv_insn_linear(const struct hv_insn *insn, struct hv_insn_cpu *cpu)
{
	struct hv_exec x = { .insn = insn, .cpu = cpu, .rip = cpu->rip + insn->len };
	struct hv_rec_seg s = { 0 };
	u64 off = hv_exec_offset(&x);

	if (cpu->mode == HV_INSN_LONG64 && insn->seg < HV_SEG_FS)
		return off;
	cpu->ops->seg_get(cpu, insn->seg, &s);
	return cpu->mode == HV_INSN_LONG64 ? s.base + off : (u32)(s.base + off);
}
