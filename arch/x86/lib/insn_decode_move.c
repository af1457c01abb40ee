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

/* Bytes of ModRM, SIB and displacement in 64-bit mode; 0 for a register. */
static unsigned int address_bytes(const u8 *p)
{
	u8 mod = p[0] >> 6, rm = p[0] & 7;
	unsigned int n = 1;

	if (unlikely(mod == 3))
		return 0;
	if (rm == 4) {
		n++;
		rm = p[1] & 7;
	}
	if (mod == 1)
		return n + 1;
	return mod == 2 || rm == 5 ? n + 4 : n;
}

static void set_register(struct hv_insn_move *move, u8 modrm, u8 rex, bool byte)
{
	u8 reg = (u8)((modrm >> 3 & 7) | (rex & 4) << 1);
	bool high = byte && !rex && reg >= 4;

	move->gpr = high ? (u8)(reg - 4) : reg;
	move->shift = high ? 8 : 0;
}

unsigned int hv_insn_decode_move(const u8 *bytes, unsigned int len, enum hv_insn_mode mode,
				 struct hv_insn_move *move)
{
	const u8 *p = bytes;
	u8 rex = 0, opsize = 4, op, modrm;
	unsigned int n;

	/* The longest of these ends before the 15th byte, so no byte is checked for. */
	if (unlikely(len < HV_INSN_MAX_LEN || mode != HV_INSN_LONG64))
		return 0;
	if (*p == 0x66) {
		opsize = 2;
		p++;
	}
	if ((*p & 0xf0) == 0x40)
		rex = *p++;
	if (rex & 8)
		opsize = 8;
	op = *p++;
	move->sign = false;
	move->imm = 0;
	if ((op & 0xfc) == 0x88) {			/* MOV with a register */
		move->write = !(op & 2);
		move->size = move->dst_size = op & 1 ? opsize : 1;
	} else if (op == 0x0f && (*p & 0xf6) == 0xb6) {	/* MOVZX, MOVSX */
		op = *p++;
		move->write = false;
		move->sign = op & 8;
		move->size = op & 1 ? 2 : 1;
		move->dst_size = opsize;
		op = 0x8b;				/* the register is not a byte */
	} else if ((op & 0xfe) == 0xc6) {		/* MOV with a constant */
		move->write = true;
		move->size = move->dst_size = op & 1 ? opsize : 1;
	} else {
		return 0;
	}
	modrm = *p;
	n = address_bytes(p);
	if (unlikely(!n))
		return 0;
	p += n;
	if ((op & 0xfe) != 0xc6) {
		set_register(move, modrm, rex, !(op & 1));
		return (unsigned int)(p - bytes);
	}
	if (modrm & 0x38)
		return 0;
	move->gpr = HV_GPR_NONE;
	move->shift = 0;
	n = min_t(unsigned int, move->size, 4);
	move->imm = n == 1 ? (u64)(s64)(s8)*p : n == 2 ? (u64)(s64)(s16)get_unaligned_le16(p) :
		(u64)(s64)(s32)get_unaligned_le32(p);
	return (unsigned int)(p - bytes) + n;
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
