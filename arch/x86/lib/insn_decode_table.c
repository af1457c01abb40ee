// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_decode_table.c - what each opcode is
 *
 * Rows in opcode order (AMD APM volume 3, appendix A; Intel SDM volume 2,
 * appendix A). An absent row is an invalid opcode.
 */
#include "insn_decode_table.h"

#define T(op, dst, src, imm, flags)						\
	((u32)HV_INSN_OP_##op | (u32)HV_OPND_##dst << 8 | (u32)HV_OPND_##src << 12 |	\
	 (u32)IMM_##imm << 16 | (flags))
#define G(group, flags)		((u32)GRP_##group | TF_GROUP | TF_MODRM | (flags))
#define GI(group, imm, flags)	(G(group, flags) | (u32)IMM_##imm << 16)
#define P(pseudo)		((u32)OP_##pseudo)
#define S(flags)		((u32)OP_SPECIAL | (flags))

#define M	TF_MODRM
#define B	TF_BYTE
#define R	TF_RDST
#define W	TF_WDST
#define RW	(TF_RDST | TF_WDST)
#define L	TF_LOCK
#define N64	TF_N64
#define D64	TF_D64
#define F64	TF_F64

#define OTHER		T(OTHER, NONE, NONE, NONE, 0)
#define OTHER_M		T(OTHER, NONE, NONE, NONE, M)
#define OTHER_MI	T(OTHER, NONE, NONE, SB, M)
#define HINT_NOP	T(NOP, NONE, NONE, NONE, M)
#define SPECIAL_M	S(M)

/* The six forms of an arithmetic opcode; @l, @rw as for its write to memory. */
#define ALU(base, op, l, rw)						\
	[(base) + 0] = T(op, RM, REG, NONE, M | B | (l) | (rw)),	\
	[(base) + 1] = T(op, RM, REG, NONE, M | (l) | (rw)),		\
	[(base) + 2] = T(op, REG, RM, NONE, M | B | (rw)),		\
	[(base) + 3] = T(op, REG, RM, NONE, M | (rw)),			\
	[(base) + 4] = T(op, ACC, IMM, SB, B | (rw)),			\
	[(base) + 5] = T(op, ACC, IMM, Z, (rw))

#define ROW8(first, e)		[(first) ... (first) + 7] = (e)
#define ROW16(first, e)		[(first) ... (first) + 15] = (e)

const u32 hv_insn_map0[256] = {
	ALU(0x00, ADD, L, RW), ALU(0x08, OR, L, RW), ALU(0x10, ADC, L, RW), ALU(0x18, SBB, L, RW),
	ALU(0x20, AND, L, RW), ALU(0x28, SUB, L, RW), ALU(0x30, XOR, L, RW), ALU(0x38, CMP, 0, R),
	[0x06] = T(PUSH_SEG, NONE, SEG, NONE, N64), [0x07] = T(POP_SEG, SEG, NONE, NONE, N64),
	[0x0e] = T(PUSH_SEG, NONE, SEG, NONE, N64), [0x0f] = P(ESCAPE),
	[0x16] = T(PUSH_SEG, NONE, SEG, NONE, N64), [0x17] = T(POP_SEG, SEG, NONE, NONE, N64),
	[0x1e] = T(PUSH_SEG, NONE, SEG, NONE, N64), [0x1f] = T(POP_SEG, SEG, NONE, NONE, N64),
	[0x26] = P(PREFIX), [0x27] = T(DAA, NONE, NONE, NONE, N64),
	[0x2e] = P(PREFIX), [0x2f] = T(DAS, NONE, NONE, NONE, N64),
	[0x36] = P(PREFIX), [0x37] = T(AAA, NONE, NONE, NONE, N64),
	[0x3e] = P(PREFIX), [0x3f] = T(AAS, NONE, NONE, NONE, N64),
	ROW16(0x40, P(REX)),
	ROW8(0x50, T(PUSH, NONE, OPREG, NONE, D64)),
	ROW8(0x58, T(POP, OPREG, NONE, NONE, D64 | W)),
	[0x60] = T(PUSHA, NONE, NONE, NONE, N64), [0x61] = T(POPA, NONE, NONE, NONE, N64),
	[0x62] = P(VEX), [0x63] = SPECIAL_M,
	[0x64 ... 0x67] = P(PREFIX),
	[0x68] = T(PUSH, NONE, IMM, Z, D64),
	[0x69] = T(IMUL3, REG, RM, Z, M | W),
	[0x6a] = T(PUSH, NONE, IMM, SB, D64),
	[0x6b] = T(IMUL3, REG, RM, SB, M | W),
	[0x6c] = T(INS, NONE, DX, NONE, B), [0x6d] = T(INS, NONE, DX, NONE, 0),
	[0x6e] = T(OUTS, DX, NONE, NONE, B), [0x6f] = T(OUTS, DX, NONE, NONE, 0),
	ROW16(0x70, T(JCC, NONE, IMM, SB, F64)),
	[0x80] = GI(1, SB, B), [0x81] = GI(1, Z, 0),
	[0x82] = GI(1, SB, B | N64), [0x83] = GI(1, SB, 0),
	[0x84] = T(TEST, RM, REG, NONE, M | B | R), [0x85] = T(TEST, RM, REG, NONE, M | R),
	[0x86] = T(XCHG, RM, REG, NONE, M | B | L | RW), [0x87] = T(XCHG, RM, REG, NONE, M | L | RW),
	[0x88] = T(MOV, RM, REG, NONE, M | B | W), [0x89] = T(MOV, RM, REG, NONE, M | W),
	[0x8a] = T(MOV, REG, RM, NONE, M | B | W), [0x8b] = T(MOV, REG, RM, NONE, M | W),
	[0x8c] = T(MOV_SEG, RM, SEG, NONE, M | W), [0x8d] = T(LEA, REG, RM, NONE, M | TF_MEM | W),
	[0x8e] = T(MOV_SEG, SEG, RM, NONE, M | TF_SRC2), [0x8f] = P(POP_XOP),
	ROW8(0x90, T(XCHG, OPREG, ACC, NONE, RW)),
	[0x98] = T(CBW, NONE, NONE, NONE, 0), [0x99] = T(CWD, NONE, NONE, NONE, 0),
	[0x9a] = T(CALL_FAR, NONE, IMM, FAR, N64), [0x9b] = OTHER,
	[0x9c] = T(PUSHF, NONE, NONE, NONE, D64), [0x9d] = T(POPF, NONE, NONE, NONE, D64),
	[0x9e] = T(SAHF, NONE, NONE, NONE, 0), [0x9f] = T(LAHF, NONE, NONE, NONE, 0),
	[0xa0] = T(MOV, ACC, MOFFS, OFFS, B | W), [0xa1] = T(MOV, ACC, MOFFS, OFFS, W),
	[0xa2] = T(MOV, MOFFS, ACC, OFFS, B | W), [0xa3] = T(MOV, MOFFS, ACC, OFFS, W),
	[0xa4] = T(MOVS, NONE, NONE, NONE, B), [0xa5] = T(MOVS, NONE, NONE, NONE, 0),
	[0xa6] = T(CMPS, NONE, NONE, NONE, B), [0xa7] = T(CMPS, NONE, NONE, NONE, 0),
	[0xa8] = T(TEST, ACC, IMM, SB, B | R), [0xa9] = T(TEST, ACC, IMM, Z, R),
	[0xaa] = T(STOS, NONE, NONE, NONE, B), [0xab] = T(STOS, NONE, NONE, NONE, 0),
	[0xac] = T(LODS, NONE, NONE, NONE, B), [0xad] = T(LODS, NONE, NONE, NONE, 0),
	[0xae] = T(SCAS, NONE, NONE, NONE, B), [0xaf] = T(SCAS, NONE, NONE, NONE, 0),
	ROW8(0xb0, T(MOV, OPREG, IMM, SB, B | W)),
	ROW8(0xb8, T(MOV, OPREG, IMM, V, W)),
	[0xc0] = GI(2, UB, B) | (u32)HV_OPND_IMM << 12, [0xc1] = GI(2, UB, 0) | (u32)HV_OPND_IMM << 12,
	[0xc2] = T(RET, NONE, IMM, W, F64), [0xc3] = T(RET, NONE, NONE, NONE, F64),
	[0xc4] = P(VEX), [0xc5] = P(VEX),
	[0xc6] = G(11, B), [0xc7] = G(11, 0),
	[0xc8] = T(ENTER, NONE, NONE, ENTER, D64), [0xc9] = T(LEAVE, NONE, NONE, NONE, D64),
	[0xca] = T(RET_FAR, NONE, IMM, W, 0), [0xcb] = T(RET_FAR, NONE, NONE, NONE, 0),
	[0xcc] = T(INT3, NONE, NONE, NONE, 0), [0xcd] = T(INT, NONE, IMM, UB, 0),
	[0xce] = T(INTO, NONE, NONE, NONE, N64), [0xcf] = T(IRET, NONE, NONE, NONE, 0),
	[0xd0] = G(2, B) | (u32)HV_OPND_ONE << 12, [0xd1] = G(2, 0) | (u32)HV_OPND_ONE << 12,
	[0xd2] = G(2, B) | (u32)HV_OPND_CL << 12, [0xd3] = G(2, 0) | (u32)HV_OPND_CL << 12,
	[0xd4] = T(AAM, NONE, IMM, UB, N64), [0xd5] = T(AAD, NONE, IMM, UB, N64),
	[0xd6] = T(SALC, NONE, NONE, NONE, N64), [0xd7] = T(XLAT, NONE, NONE, NONE, B),
	ROW8(0xd8, OTHER_M),
	[0xe0] = T(LOOPNE, NONE, IMM, SB, F64), [0xe1] = T(LOOPE, NONE, IMM, SB, F64),
	[0xe2] = T(LOOP, NONE, IMM, SB, F64), [0xe3] = T(JCXZ, NONE, IMM, SB, F64),
	[0xe4] = T(IN, ACC, IMM, UB, B), [0xe5] = T(IN, ACC, IMM, UB, 0),
	[0xe6] = T(OUT, IMM, ACC, UB, B), [0xe7] = T(OUT, IMM, ACC, UB, 0),
	[0xe8] = T(CALL, NONE, IMM, REL, F64), [0xe9] = T(JMP, NONE, IMM, REL, F64),
	[0xea] = T(JMP_FAR, NONE, IMM, FAR, N64), [0xeb] = T(JMP, NONE, IMM, SB, F64),
	[0xec] = T(IN, ACC, DX, NONE, B), [0xed] = T(IN, ACC, DX, NONE, 0),
	[0xee] = T(OUT, DX, ACC, NONE, B), [0xef] = T(OUT, DX, ACC, NONE, 0),
	[0xf0] = P(PREFIX), [0xf1] = OTHER, [0xf2 ... 0xf3] = P(PREFIX),
	[0xf4] = T(HLT, NONE, NONE, NONE, 0), [0xf5] = T(CMC, NONE, NONE, NONE, 0),
	[0xf6] = G(3B, B), [0xf7] = G(3, 0),
	[0xf8] = T(CLC, NONE, NONE, NONE, 0), [0xf9] = T(STC, NONE, NONE, NONE, 0),
	[0xfa] = T(CLI, NONE, NONE, NONE, 0), [0xfb] = T(STI, NONE, NONE, NONE, 0),
	[0xfc] = T(CLD, NONE, NONE, NONE, 0), [0xfd] = T(STD, NONE, NONE, NONE, 0),
	[0xfe] = G(4, B), [0xff] = G(5, 0),
};

const u32 hv_insn_map1[256] = {
	[0x00] = G(6, 0), [0x01] = G(7, 0), [0x02 ... 0x03] = OTHER_M,
	[0x05 ... 0x09] = OTHER,
	[0x0d] = HINT_NOP, [0x0e] = OTHER, [0x0f] = OTHER_MI,
	ROW8(0x10, SPECIAL_M), ROW8(0x18, HINT_NOP),
	[0x20] = T(MOV_CR, RM, CR, NONE, M | W), [0x21] = T(MOV_DR, RM, DR, NONE, M | W),
	[0x22] = T(MOV_CR, CR, RM, NONE, M), [0x23] = T(MOV_DR, DR, RM, NONE, M),
	ROW8(0x28, SPECIAL_M),
	[0x30] = T(WRMSR, NONE, NONE, NONE, 0), [0x31] = OTHER, [0x32] = T(RDMSR, NONE, NONE, NONE, 0),
	[0x33 ... 0x35] = OTHER, [0x37] = OTHER,
	[0x38] = P(ESCAPE), [0x3a] = P(ESCAPE),
	ROW16(0x40, T(CMOVCC, REG, RM, NONE, M | RW)),
	ROW16(0x50, OTHER_M), ROW16(0x60, SPECIAL_M),
	[0x70 ... 0x73] = OTHER_MI, [0x74 ... 0x76] = OTHER_M, [0x77] = OTHER,
	[0x78] = SPECIAL_M, [0x79] = OTHER_M, [0x7c ... 0x7d] = OTHER_M, [0x7e ... 0x7f] = SPECIAL_M,
	ROW16(0x80, T(JCC, NONE, IMM, REL, F64)),
	ROW16(0x90, T(SETCC, RM, NONE, NONE, M | B | W)),
	[0xa0] = T(PUSH_SEG, NONE, SEG, NONE, D64), [0xa1] = T(POP_SEG, SEG, NONE, NONE, D64),
	[0xa2] = T(CPUID, NONE, NONE, NONE, 0), [0xa3] = T(BT, RM, REG, NONE, M | R),
	[0xa4] = T(SHLD, RM, REG, UB, M | RW), [0xa5] = T(SHLD, RM, REG, NONE, M | RW),
	[0xa8] = T(PUSH_SEG, NONE, SEG, NONE, D64), [0xa9] = T(POP_SEG, SEG, NONE, NONE, D64),
	[0xaa] = OTHER, [0xab] = T(BTS, RM, REG, NONE, M | L | RW),
	[0xac] = T(SHRD, RM, REG, UB, M | RW), [0xad] = T(SHRD, RM, REG, NONE, M | RW),
	[0xae] = G(15, 0), [0xaf] = T(IMUL2, REG, RM, NONE, M | RW),
	[0xb0] = T(CMPXCHG, RM, REG, NONE, M | B | L | RW), [0xb1] = T(CMPXCHG, RM, REG, NONE, M | L | RW),
	[0xb2] = T(LOAD_FAR, REG, RM, NONE, M | TF_MEM | W), [0xb3] = T(BTR, RM, REG, NONE, M | L | RW),
	[0xb4] = T(LOAD_FAR, REG, RM, NONE, M | TF_MEM | W),
	[0xb5] = T(LOAD_FAR, REG, RM, NONE, M | TF_MEM | W),
	[0xb6] = T(MOVZX, REG, RM, NONE, M | TF_SRC1 | W), [0xb7] = T(MOVZX, REG, RM, NONE, M | TF_SRC2 | W),
	[0xb8] = SPECIAL_M,
	[0xba] = G(8, 0), [0xbb] = T(BTC, RM, REG, NONE, M | L | RW),
	[0xbc] = T(BSF, REG, RM, NONE, M | RW), [0xbd] = T(BSR, REG, RM, NONE, M | RW),
	[0xbe] = T(MOVSX, REG, RM, NONE, M | TF_SRC1 | W), [0xbf] = T(MOVSX, REG, RM, NONE, M | TF_SRC2 | W),
	[0xc0] = T(XADD, RM, REG, NONE, M | B | L | RW), [0xc1] = T(XADD, RM, REG, NONE, M | L | RW),
	[0xc2] = OTHER_MI, [0xc3] = SPECIAL_M,
	[0xc4 ... 0xc6] = OTHER_MI, [0xc7] = G(9, 0),
	ROW8(0xc8, T(BSWAP, OPREG, NONE, NONE, RW)),
	[0xd0 ... 0xd5] = OTHER_M, [0xd6] = SPECIAL_M, [0xd7 ... 0xe6] = OTHER_M, [0xe7] = SPECIAL_M,
	[0xe8 ... 0xef] = OTHER_M, [0xf0] = SPECIAL_M, [0xf1 ... 0xfe] = OTHER_M,
};

/* By ModRM.reg. An immediate, a source and TF_BYTE may also come from the opcode's row. */
const u32 hv_insn_groups[GRP_NR][8] = {
	[GRP_1] = {
		T(ADD, RM, IMM, NONE, L | RW), T(OR, RM, IMM, NONE, L | RW),
		T(ADC, RM, IMM, NONE, L | RW), T(SBB, RM, IMM, NONE, L | RW),
		T(AND, RM, IMM, NONE, L | RW), T(SUB, RM, IMM, NONE, L | RW),
		T(XOR, RM, IMM, NONE, L | RW), T(CMP, RM, IMM, NONE, R),
	},
	[GRP_2] = {
		T(ROL, RM, NONE, NONE, RW), T(ROR, RM, NONE, NONE, RW),
		T(RCL, RM, NONE, NONE, RW), T(RCR, RM, NONE, NONE, RW),
		T(SHL, RM, NONE, NONE, RW), T(SHR, RM, NONE, NONE, RW),
		T(SAL, RM, NONE, NONE, RW), T(SAR, RM, NONE, NONE, RW),
	},
	[GRP_3B] = {
		T(TEST, RM, IMM, SB, R), T(TEST, RM, IMM, SB, R),
		T(NOT, RM, NONE, NONE, L | RW), T(NEG, RM, NONE, NONE, L | RW),
		T(MUL, NONE, RM, NONE, 0), T(IMUL, NONE, RM, NONE, 0),
		T(DIV, NONE, RM, NONE, 0), T(IDIV, NONE, RM, NONE, 0),
	},
	[GRP_3] = {
		T(TEST, RM, IMM, Z, R), T(TEST, RM, IMM, Z, R),
		T(NOT, RM, NONE, NONE, L | RW), T(NEG, RM, NONE, NONE, L | RW),
		T(MUL, NONE, RM, NONE, 0), T(IMUL, NONE, RM, NONE, 0),
		T(DIV, NONE, RM, NONE, 0), T(IDIV, NONE, RM, NONE, 0),
	},
	[GRP_4] = {
		T(INC, RM, NONE, NONE, L | RW), T(DEC, RM, NONE, NONE, L | RW),
	},
	[GRP_5] = {
		T(INC, RM, NONE, NONE, L | RW), T(DEC, RM, NONE, NONE, L | RW),
		T(CALL, NONE, RM, NONE, F64), T(CALL_FAR, NONE, RM, NONE, TF_MEM),
		T(JMP, NONE, RM, NONE, F64), T(JMP_FAR, NONE, RM, NONE, TF_MEM),
		T(PUSH, NONE, RM, NONE, D64),
	},
	[GRP_6] = {
		T(SLDT, RM, NONE, NONE, W), T(STR, RM, NONE, NONE, W),
		T(LLDT, NONE, RM, NONE, TF_SRC2), T(LTR, NONE, RM, NONE, TF_SRC2),
		T(OTHER, NONE, NONE, NONE, 0), T(OTHER, NONE, NONE, NONE, 0),
	},
	[GRP_7] = {		/* with a register most are other instructions: insn_group() */
		T(SGDT, RM, NONE, NONE, 0), T(SIDT, RM, NONE, NONE, 0),
		T(LGDT, NONE, RM, NONE, 0), T(LIDT, NONE, RM, NONE, 0),
		T(SMSW, RM, NONE, NONE, W), T(OTHER, NONE, NONE, NONE, 0),
		T(LMSW, NONE, RM, NONE, TF_SRC2), T(INVLPG, NONE, RM, NONE, 0),
	},
	[GRP_8] = {
		[4] = T(BT, RM, IMM, UB, R), [5] = T(BTS, RM, IMM, UB, L | RW),
		[6] = T(BTR, RM, IMM, UB, L | RW), [7] = T(BTC, RM, IMM, UB, L | RW),
	},
	[GRP_9] = {
		[1] = T(CMPXCHG8B, RM, NONE, NONE, TF_MEM | L | RW),
		[3 ... 7] = T(OTHER, NONE, NONE, NONE, 0),
	},
	[GRP_11] = {
		[0] = T(MOV, RM, IMM, Z, W), [7] = T(OTHER, NONE, IMM, Z, TF_REG),
	},
	[GRP_15] = {
		[0 ... 7] = T(OTHER, NONE, NONE, NONE, 0),
	},
};
