// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_decode_move.c - plain moves, for MMIO without the executor
 */
#include "insn_decode.h"

bool hv_insn_as_move(const struct hv_insn *insn, struct hv_insn_move *move)
{
	u8 reg = insn->reg;
	bool mem_dst;

	if (insn->op == HV_INSN_OP_MOV) {
		mem_dst = (insn->dst == HV_OPND_RM && (insn->flags & HV_INSN_F_MEM)) ||
			insn->dst == HV_OPND_MOFFS;
		if (!mem_dst && !(insn->src == HV_OPND_RM && (insn->flags & HV_INSN_F_MEM)) &&
		    insn->src != HV_OPND_MOFFS)
			return false;
	} else if ((insn->op == HV_INSN_OP_MOVZX || insn->op == HV_INSN_OP_MOVSX) &&
		   (insn->flags & HV_INSN_F_MEM)) {
		mem_dst = false;
	} else {
		return false;
	}
	move->write = mem_dst;
	move->sign = insn->op == HV_INSN_OP_MOVSX;
	move->size = mem_dst ? insn->opsize : insn->src_size;
	move->dst_size = insn->opsize;
	move->shift = 0;
	move->imm = insn->imm;
	if (insn->src == HV_OPND_IMM) {
		move->gpr = HV_GPR_NONE;
		return true;
	}
	if (insn->src == HV_OPND_ACC || insn->dst == HV_OPND_ACC) {
		reg = HV_GPR_RAX;
	} else if (insn->opsize == 1 && !(insn->flags & HV_INSN_F_REX) && reg >= 4) {
		reg = (u8)(reg - 4);
		move->shift = 8;
	}
	move->gpr = reg;
	return true;
}

u64 hv_insn_move_result(const struct hv_insn_move *move, u64 old, u64 val)
{
	unsigned int unused = 64 - 8u * move->size;

	val = move->sign ? (u64)((s64)(val << unused) >> unused) : val << unused >> unused;
	switch (move->dst_size) {
	case 8:
		return val;
	case 4:
		return (u32)val;
	case 2:
		return (old & ~0xffffull) | (u16)val;
	default:
		return (old & ~(0xffull << move->shift)) | (u64)(u8)val << move->shift;
	}
}
