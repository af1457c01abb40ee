/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * insn_decode.h - x86 instruction decoder: bytes in, one description out.
 *
 * The decoder has no state and reads nothing but the bytes it is given. It
 * knows the length of every instruction of the one-byte, 0F, 0F38, 0F3A, VEX,
 * XOP and EVEX maps, and describes the operands of those that insn_exec.h can
 * execute; the others come back as HV_INSN_OP_OTHER with a true length.
 *
 * Source: AMD APM volume 3, chapters 1 and 2 and appendix A; Intel SDM
 * volume 2, chapter 2 and appendix A. Where the two vendors differ:
 *   - near branches in 64-bit mode ignore an operand-size prefix (Intel);
 *   - 3DNow! (0F 0F) has a length but is never executed.
 */
#ifndef ARCH_X86_LIB_INSN_DECODE_H
#define ARCH_X86_LIB_INSN_DECODE_H

#include "hv/portable.h"
#include "hv/hv_x86.h"		/* enum hv_seg_index */

/* An instruction longer than this raises #GP(0) on the CPU. */
#define HV_INSN_MAX_LEN		15

/*
 * How the code segment is interpreted. Compatibility mode is PROT16 or PROT32;
 * virtual-8086 mode is REAL16.
 */
enum hv_insn_mode {
	HV_INSN_REAL16,		/* CR0.PE = 0, or EFLAGS.VM = 1 */
	HV_INSN_PROT16,		/* protected, CS.D = 0 */
	HV_INSN_PROT32,		/* protected, CS.D = 1 */
	HV_INSN_LONG64,		/* EFER.LMA = 1 and CS.L = 1 */
};

/* General registers, as ModRM encodes them (indices of hv_insn_cpu.gpr). */
enum hv_insn_gpr {
	HV_GPR_RAX, HV_GPR_RCX, HV_GPR_RDX, HV_GPR_RBX,
	HV_GPR_RSP, HV_GPR_RBP, HV_GPR_RSI, HV_GPR_RDI,
	HV_GPR_R8, HV_GPR_R9, HV_GPR_R10, HV_GPR_R11,
	HV_GPR_R12, HV_GPR_R13, HV_GPR_R14, HV_GPR_R15,
	HV_GPR_NR,
	HV_GPR_RIP = 0x10,	/* only as hv_insn.base */
	HV_GPR_NONE = 0xff,	/* only as hv_insn.base and .index */
};

/* What an instruction does; the operands say to what. */
enum hv_insn_op {
	HV_INSN_OP_INVALID,	/* never returned: such bytes give -EINVAL */
	HV_INSN_OP_OTHER,	/* a known length, not executed by insn_exec */
	/* The eight of opcodes 00-3F and group 1, in encoding order. */
	HV_INSN_OP_ADD, HV_INSN_OP_OR, HV_INSN_OP_ADC, HV_INSN_OP_SBB,
	HV_INSN_OP_AND, HV_INSN_OP_SUB, HV_INSN_OP_XOR, HV_INSN_OP_CMP,
	/* The eight of group 2, in encoding order (6 is an alias of SHL). */
	HV_INSN_OP_ROL, HV_INSN_OP_ROR, HV_INSN_OP_RCL, HV_INSN_OP_RCR,
	HV_INSN_OP_SHL, HV_INSN_OP_SHR, HV_INSN_OP_SAL, HV_INSN_OP_SAR,
	/* BT family in the order of group 8. */
	HV_INSN_OP_BT, HV_INSN_OP_BTS, HV_INSN_OP_BTR, HV_INSN_OP_BTC,
	HV_INSN_OP_TEST, HV_INSN_OP_NOT, HV_INSN_OP_NEG,
	HV_INSN_OP_INC, HV_INSN_OP_DEC,
	HV_INSN_OP_MUL, HV_INSN_OP_IMUL, HV_INSN_OP_IMUL2, HV_INSN_OP_IMUL3,
	HV_INSN_OP_DIV, HV_INSN_OP_IDIV,
	HV_INSN_OP_SHLD, HV_INSN_OP_SHRD,
	HV_INSN_OP_BSF, HV_INSN_OP_BSR, HV_INSN_OP_TZCNT, HV_INSN_OP_LZCNT,
	HV_INSN_OP_POPCNT, HV_INSN_OP_BSWAP,
	/* Moves. */
	HV_INSN_OP_MOV, HV_INSN_OP_MOVZX, HV_INSN_OP_MOVSX, HV_INSN_OP_MOVBE,
	HV_INSN_OP_LEA, HV_INSN_OP_XCHG, HV_INSN_OP_XADD,
	HV_INSN_OP_CMPXCHG, HV_INSN_OP_CMPXCHG8B, HV_INSN_OP_SETCC,
	HV_INSN_OP_CMOVCC, HV_INSN_OP_VMOV,
	HV_INSN_OP_CBW, HV_INSN_OP_CWD, HV_INSN_OP_XLAT,
	/* Stack. */
	HV_INSN_OP_PUSH, HV_INSN_OP_POP, HV_INSN_OP_PUSHA, HV_INSN_OP_POPA,
	HV_INSN_OP_PUSHF, HV_INSN_OP_POPF, HV_INSN_OP_ENTER, HV_INSN_OP_LEAVE,
	/* Near control flow. */
	HV_INSN_OP_JCC, HV_INSN_OP_JMP, HV_INSN_OP_CALL, HV_INSN_OP_RET,
	HV_INSN_OP_LOOP, HV_INSN_OP_LOOPE, HV_INSN_OP_LOOPNE, HV_INSN_OP_JCXZ,
	/* Flags. */
	HV_INSN_OP_LAHF, HV_INSN_OP_SAHF, HV_INSN_OP_CLC, HV_INSN_OP_STC,
	HV_INSN_OP_CMC, HV_INSN_OP_CLD, HV_INSN_OP_STD, HV_INSN_OP_CLI,
	HV_INSN_OP_STI,
	/* Strings and ports. */
	HV_INSN_OP_MOVS, HV_INSN_OP_CMPS, HV_INSN_OP_STOS, HV_INSN_OP_LODS,
	HV_INSN_OP_SCAS, HV_INSN_OP_INS, HV_INSN_OP_OUTS,
	HV_INSN_OP_IN, HV_INSN_OP_OUT,
	/* No effect that an emulator shows: NOP, PREFETCH*, ENDBR, fences. */
	HV_INSN_OP_NOP,
	/* ASCII and decimal adjust, old and still used by 16-bit boot code. */
	HV_INSN_OP_AAA, HV_INSN_OP_AAS, HV_INSN_OP_DAA, HV_INSN_OP_DAS,
	HV_INSN_OP_AAM, HV_INSN_OP_AAD, HV_INSN_OP_SALC, HV_INSN_OP_BOUND,
	/* Far control flow, segments and system state. */
	HV_INSN_OP_MOV_SEG, HV_INSN_OP_PUSH_SEG, HV_INSN_OP_POP_SEG,
	HV_INSN_OP_LOAD_FAR, HV_INSN_OP_JMP_FAR, HV_INSN_OP_CALL_FAR,
	HV_INSN_OP_RET_FAR, HV_INSN_OP_IRET, HV_INSN_OP_INT, HV_INSN_OP_INT3,
	HV_INSN_OP_INTO, HV_INSN_OP_HLT,
	HV_INSN_OP_LGDT, HV_INSN_OP_LIDT, HV_INSN_OP_SGDT, HV_INSN_OP_SIDT,
	HV_INSN_OP_SMSW, HV_INSN_OP_LMSW, HV_INSN_OP_LLDT, HV_INSN_OP_LTR,
	HV_INSN_OP_SLDT, HV_INSN_OP_STR, HV_INSN_OP_INVLPG,
	HV_INSN_OP_MOV_CR, HV_INSN_OP_MOV_DR,
	HV_INSN_OP_RDMSR, HV_INSN_OP_WRMSR, HV_INSN_OP_CPUID,
	HV_INSN_OP_NR,
};

/* Where an operand lives (hv_insn.dst, .src). */
enum hv_insn_opnd {
	HV_OPND_NONE,
	HV_OPND_RM,		/* ModRM r/m: a register, or memory if HV_INSN_F_MEM */
	HV_OPND_REG,		/* ModRM reg */
	HV_OPND_ACC,		/* AL, AX, EAX, RAX */
	HV_OPND_OPREG,		/* low three bits of the opcode, in hv_insn.reg */
	HV_OPND_IMM,		/* hv_insn.imm */
	HV_OPND_CL,
	HV_OPND_ONE,		/* the constant 1 */
	HV_OPND_MOFFS,		/* memory at hv_insn.disp (A0-A3) */
	HV_OPND_SEG,		/* ModRM reg as a segment, or a fixed one in .reg */
	HV_OPND_CR,		/* ModRM reg as CRn */
	HV_OPND_DR,		/* ModRM reg as DRn */
	HV_OPND_VREG,		/* ModRM reg as a vector register */
	HV_OPND_VRM,		/* ModRM r/m: a vector register, or memory */
	HV_OPND_DX,		/* port number in DX */
};

/* hv_insn.flags */
#define HV_INSN_F_MEM		0x0001u	/* RM or VRM is memory */
#define HV_INSN_F_MODRM		0x0002u	/* has a ModRM byte */
#define HV_INSN_F_LOCK		0x0004u	/* F0; legal here (else -EINVAL) */
#define HV_INSN_F_REP		0x0008u	/* F3 was the last of F2, F3 */
#define HV_INSN_F_REPNE		0x0010u	/* F2 was the last of F2, F3 */
#define HV_INSN_F_REX		0x0020u	/* has REX: SPL..DIL, not AH..BH */
#define HV_INSN_F_OPSIZE	0x0040u	/* has 66 */
#define HV_INSN_F_SEG		0x0080u	/* has a segment override */
#define HV_INSN_F_VEX		0x0100u	/* VEX: clears upper vector lanes */
#define HV_INSN_F_RDST		0x0200u	/* reads dst before writing it */
#define HV_INSN_F_WDST		0x0400u	/* writes dst */
#define HV_INSN_F_ALIGN		0x0800u	/* VMOV: #GP when memory is misaligned */

/* One decoded instruction; plain data, may be cached by its bytes and mode. */
struct hv_insn {
	u8 len;			/* bytes, 1..15 */
	u8 mode;		/* enum hv_insn_mode */
	u8 op;			/* enum hv_insn_op */
	u8 map;			/* 0 one-byte, 1 0F, 2 0F38, 3 0F3A; 8..10 XOP */
	u8 opcode;		/* last opcode byte */
	u8 modrm;
	u16 flags;		/* HV_INSN_F_* */
	u8 opsize;		/* 1, 2, 4, 8: general operand size in bytes */
	u8 addrsize;		/* 2, 4, 8 */
	u8 src_size;		/* size of src; differs for MOVZX, MOVSX, VMOV */
	u8 dst;			/* enum hv_insn_opnd */
	u8 src;			/* enum hv_insn_opnd */
	u8 reg;			/* ModRM.reg with REX.R, or the opcode's register */
	u8 rm;			/* ModRM.rm with REX.B, when not memory */
	u8 seg;			/* enum hv_seg_index of the memory operand, override applied */
	u8 base;		/* HV_GPR_*, HV_GPR_RIP or HV_GPR_NONE */
	u8 index;		/* HV_GPR_* or HV_GPR_NONE */
	u8 scale;		/* index shift, 0..3 */
	u8 cc;			/* condition code of SETcc, CMOVcc, Jcc: 0..15 */
	u16 imm2;		/* selector of a far pointer; level of ENTER */
	u16 vec_size;		/* VMOV: bytes moved, 4..32 */
	s64 disp;		/* displacement, sign-extended; offset of MOFFS */
	u64 imm;		/* immediate, sign-extended to 64 bits */
};

/**
 * hv_insn_decode() - decode one instruction
 * @bytes: the instruction's first byte; nothing outside @len is read
 * @len:   bytes available; more than HV_INSN_MAX_LEN is allowed and ignored
 * @mode:  how the code segment is interpreted
 * @out:   result; undefined unless 0 is returned
 *
 * Return: 0; -ENODATA when the instruction does not end within @len and more
 * bytes could complete it (fetch the next page and call again); -E2BIG when it
 * would exceed 15 bytes (the CPU raises #GP(0)); -EINVAL when the bytes are no
 * instruction in this mode (the CPU raises #UD).
 * Context: any.
 */
int hv_insn_decode(const u8 *bytes, unsigned int len, enum hv_insn_mode mode,
		   struct hv_insn *out);

/* Opcodes for hv_insn_len_fixed(), first byte lowest. */
#define HV_OPCODE1(a)		((u32)(a))
#define HV_OPCODE2(a, b)	((u32)(a) | (u32)(b) << 8)
#define HV_OPCODE3(a, b, c)	((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16)

/* The general case of hv_insn_len_fixed(). */
int hv_insn_len_prefixed(const u8 *bytes, unsigned int len, u32 opcode,
			 unsigned int n, enum hv_insn_mode mode);

/**
 * hv_insn_len_fixed() - length of an instruction whose opcode is known
 * @bytes:  the instruction's first byte
 * @len:    bytes available
 * @opcode: HV_OPCODEn() of an instruction without ModRM operand or immediate
 * @n:      bytes in @opcode, 1..3
 * @mode:   how the code segment is interpreted
 *
 * For an intercepted CPUID, RDMSR, WRMSR, VMMCALL, HLT and the like on a CPU
 * without next-RIP: skips legal prefixes and checks the opcode, so that the
 * length always comes from the guest's bytes. Costs about ten instructions when
 * there is no prefix, @n is a constant and at least 4 bytes are given.
 *
 * Return: 1..15; -ENODATA when more bytes are needed; -EINVAL when the bytes
 * are not that instruction (they changed since the intercept: run the guest
 * again).
 * Context: any.
 */
static inline int hv_insn_len_fixed(const u8 *bytes, unsigned int len, u32 opcode,
				    unsigned int n, enum hv_insn_mode mode)
{
	if (likely(len >= 4 && !((get_unaligned_le32(bytes) ^ opcode) & (~0u >> (32 - 8 * n)))))
		return (int)n;
	return hv_insn_len_prefixed(bytes, len, opcode, n, mode);
}

/*
 * A plain move between memory and a general register or constant: what a device
 * driver's readl() and writel() compile to.
 */
struct hv_insn_move {
	bool write;		/* register or constant to memory */
	bool sign;		/* read: sign-extend from size to dst_size */
	u8 size;		/* bytes in memory: 1, 2, 4, 8 */
	u8 dst_size;		/* read: width of the destination register */
	u8 gpr;			/* HV_GPR_*, or HV_GPR_NONE for a constant */
	u8 shift;		/* 8 for AH, CH, DH, BH, else 0 */
	u64 imm;		/* the constant */
};

/**
 * hv_insn_as_move() - see an instruction as a plain move, if it is one
 * @insn: decoded instruction
 * @move: result
 *
 * The hot path of MMIO: after a SLAT fault the hardware has done the segment
 * and page checks of the access and reports its guest-physical address, so a
 * plain move that stays within that page needs no address calculation and no
 * executor. Covers MOV, MOVZX, MOVSX, MOVSXD with one memory operand.
 *
 * Return: true when @move was filled in.
 */
bool hv_insn_as_move(const struct hv_insn *insn, struct hv_insn_move *move);

/**
 * hv_insn_decode_move() - decode the usual plain moves of 64-bit code at once
 * @bytes: the instruction's first byte
 * @len:   bytes available; nothing is tried below HV_INSN_MAX_LEN
 * @mode:  how the code segment is interpreted; nothing but LONG64 is tried
 * @move:  result
 *
 * hv_insn_decode() and hv_insn_as_move() in one step of about 50 instructions for
 * MOV, MOVZX and MOVSX with memory, optional 66 and REX and no other prefix.
 *
 * Return: the length; 0 when this is not for the short way, which says nothing about
 * the instruction: use hv_insn_decode().
 */
unsigned int hv_insn_decode_move(const u8 *bytes, unsigned int len, enum hv_insn_mode mode,
				 struct hv_insn_move *move);

/* The value a write of @move stores, from the registers. */
static inline u64 hv_insn_move_value(const struct hv_insn_move *move, const u64 *gpr)
{
	return move->gpr == HV_GPR_NONE ? move->imm : gpr[move->gpr] >> move->shift;
}

/* The new content of register gpr[move->gpr] after reading @val from memory. */
u64 hv_insn_move_result(const struct hv_insn_move *move, u64 old, u64 val);

#endif /* ARCH_X86_LIB_INSN_DECODE_H */
