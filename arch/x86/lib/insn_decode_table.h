/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * insn_decode_table.h - opcode tables of the decoder; private to insn_decode*.c
 *
 * One 32-bit word an opcode:
 *   0-7 op, 8-11 dst, 12-15 src, 16-19 immediate, 20-31 flags below.
 */
#ifndef ARCH_X86_LIB_INSN_DECODE_TABLE_H
#define ARCH_X86_LIB_INSN_DECODE_TABLE_H

#include "insn_decode.h"

/* Ops only the tables know; decode turns them into something else. */
enum {
	OP_PREFIX = 0xc0,	/* legacy prefix, or 40-4F in long mode via OP_REX */
	OP_REX,			/* INC, DEC; REX in long mode */
	OP_ESCAPE,		/* 0F */
	OP_VEX,			/* C4, C5, 62 */
	OP_POP_XOP,		/* 8F */
	OP_SPECIAL,		/* depends on prefixes or mode: see insn_special() */
};

enum hv_insn_imm {
	IMM_NONE,
	IMM_SB,			/* byte, sign-extended */
	IMM_UB,			/* byte, zero-extended */
	IMM_W,			/* 2 bytes, zero-extended */
	IMM_Z,			/* operand size, at most 4 bytes, sign-extended */
	IMM_V,			/* operand size */
	IMM_D,			/* 4 bytes */
	IMM_REL,		/* as Z, always 4 bytes in long mode */
	IMM_FAR,		/* offset of operand size, then a selector */
	IMM_OFFS,		/* address size: MOFFS */
	IMM_ENTER,		/* 2 bytes, then 1 */
	IMM_BB,			/* 2 single bytes (EXTRQ, INSERTQ) */
};

#define TF_MODRM	(1u << 20)
#define TF_BYTE		(1u << 21)	/* operand size 1 */
#define TF_D64		(1u << 22)	/* long mode: 8 bytes unless 66 */
#define TF_N64		(1u << 23)	/* invalid in long mode */
#define TF_F64		(TF_D64 | TF_N64)	/* long mode: 8 bytes always */
#define TF_LOCK		(1u << 24)	/* LOCK allowed on memory */
#define TF_GROUP	(1u << 25)	/* op is an index into hv_insn_groups */
#define TF_MEM		(1u << 26)	/* invalid with a register */
#define TF_REG		(1u << 27)	/* invalid with memory */
#define TF_SRC1		(1u << 28)	/* source of 1 byte */
#define TF_SRC2		(2u << 28)	/* source of 2 bytes */
#define TF_SRC4		(3u << 28)	/* source of 4 bytes */
#define TF_SRC_SHIFT	28
#define TF_RDST		(1u << 30)
#define TF_WDST		(1u << 31)

#define TE_OP(e)	((u8)(e))
#define TE_DST(e)	((e) >> 8 & 15)
#define TE_SRC(e)	((e) >> 12 & 15)
#define TE_IMM(e)	((e) >> 16 & 15)
#define TE_SRC_SIZE(e)	((e) >> TF_SRC_SHIFT & 3)

enum hv_insn_group {
	GRP_1, GRP_2, GRP_3B, GRP_3, GRP_4, GRP_5, GRP_6, GRP_7, GRP_8, GRP_9, GRP_11, GRP_15,
	GRP_NR,
};

extern const u32 hv_insn_map0[256];
extern const u32 hv_insn_map1[256];
extern const u32 hv_insn_groups[GRP_NR][8];

#endif /* ARCH_X86_LIB_INSN_DECODE_TABLE_H */
