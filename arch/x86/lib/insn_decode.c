// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_decode.c - x86 instruction decoder, see insn_decode.h
 *
 * One pass over the bytes: prefixes, opcode (table row), ModRM and what follows
 * it, immediate. The row says which operands there are; sizes follow from the
 * mode and the prefixes.
 */
#include "insn_decode_table.h"

#define REX_W	8u
#define REX_R	4u
#define REX_X	2u
#define REX_B	1u

/* What the passes hand to each other. */
struct scan {
	const u8 *bytes;
	unsigned int pos;	/* next byte */
	unsigned int end;	/* readable bytes, at most 15 */
	u8 rex;			/* REX or its VEX equivalent, 0 when none */
	u8 pp;			/* mandatory prefix: 0 none, 1 66, 2 F3, 3 F2 */
	u8 seg;			/* override, HV_SEG_NR when none */
	u8 vex_l;		/* VEX.L */
	u8 vex_v;		/* VEX.vvvv complemented: 0 when unused */
	bool addr;		/* has 67 */
	bool capped;		/* end is the 15-byte limit, not lack of bytes */
};

static int short_of_bytes(const struct scan *s)
{
	return s->capped ? -E2BIG : -ENODATA;
}

static bool have(const struct scan *s, unsigned int n)
{
	return s->pos + n <= s->end;
}

/* 26 2E 36 3E 64 65 66 67 F0 F2 F3 */
static void scan_prefix(struct scan *s, struct hv_insn *out, u8 b)
{
	switch (b) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
		/* In long mode these four are ignored, and so do not undo FS or GS. */
		if (out->mode != HV_INSN_LONG64) {
			s->seg = (b >> 3) & 3;
			out->flags |= HV_INSN_F_SEG;
		}
		break;
	case 0x64: case 0x65:
		s->seg = (u8)(HV_SEG_FS + (b - 0x64));
		out->flags |= HV_INSN_F_SEG;
		break;
	case 0x66:
		out->flags |= HV_INSN_F_OPSIZE;
		break;
	case 0x67:
		s->addr = true;
		break;
	case 0xf0:
		out->flags |= HV_INSN_F_LOCK;
		break;
	case 0xf2:
		out->flags = (u16)((out->flags & ~HV_INSN_F_REP) | HV_INSN_F_REPNE);
		break;
	default:
		out->flags = (u16)((out->flags & ~HV_INSN_F_REPNE) | HV_INSN_F_REP);
		break;
	}
}

/*
 * Prefixes and the first opcode byte. A REX that is not last counts for
 * nothing.
 */
static int scan_opcode(struct scan *s, struct hv_insn *out, u32 *row)
{
	u32 e;
	u8 b;

	for (;;) {
		if (unlikely(!have(s, 1)))
			return short_of_bytes(s);
		b = s->bytes[s->pos++];
		e = hv_insn_map0[b];
		if (likely(TE_OP(e) < OP_PREFIX) || (e & TF_GROUP))
			break;
		if (TE_OP(e) == OP_PREFIX) {
			s->rex = 0;
			scan_prefix(s, out, b);
			continue;
		}
		if (TE_OP(e) == OP_REX) {
			if (out->mode == HV_INSN_LONG64) {
				s->rex = b;
				continue;
			}
			e = (b < 0x48 ? HV_INSN_OP_INC : HV_INSN_OP_DEC) |
				(u32)HV_OPND_OPREG << 8 | TF_RDST | TF_WDST;
		}
		break;
	}
	out->opcode = b;
	*row = e;
	return 0;
}

/* After 0F: the second byte, and the third of the 0F38 and 0F3A maps. */
static int scan_escape(struct scan *s, struct hv_insn *out, u32 *row)
{
	u8 b;

	if (!have(s, 1))
		return short_of_bytes(s);
	b = s->bytes[s->pos++];
	out->opcode = b;
	out->map = 1;
	*row = hv_insn_map1[b];
	if (TE_OP(*row) != OP_ESCAPE || (*row & TF_GROUP))
		return 0;
	out->map = b == 0x38 ? 2 : 3;
	if (!have(s, 1))
		return short_of_bytes(s);
	out->opcode = s->bytes[s->pos++];
	*row = out->map == 2 ? (u32)OP_SPECIAL | TF_MODRM :
		(u32)HV_INSN_OP_OTHER | (u32)IMM_SB << 16 | TF_MODRM;
	return 0;
}

/*
 * VEX, EVEX and XOP prefixes and the opcode after them. In legacy modes they
 * share their first byte with LES, LDS, BOUND and POP; a second byte that would
 * be a register ModRM (for XOP: a map of 8 or more) tells them apart.
 */
static int scan_vex(struct scan *s, struct hv_insn *out, u32 *row)
{
	u8 first = out->opcode, p0, p1, map, imm = IMM_NONE;
	unsigned int n = first == 0xc5 ? 1 : first == 0x62 ? 3 : 2;

	if (!have(s, n + 1))
		return short_of_bytes(s);
	if (s->rex || out->mode == HV_INSN_REAL16 ||
	    (out->flags & (HV_INSN_F_LOCK | HV_INSN_F_REP | HV_INSN_F_REPNE | HV_INSN_F_OPSIZE)))
		return -EINVAL;
	p0 = s->bytes[s->pos];
	p1 = s->bytes[s->pos + n - (first == 0x62 ? 2 : 1)];
	if (first == 0xc5) {
		map = 1;
		s->rex = (u8)(~p0 >> 5 & REX_R);
	} else {
		map = first == 0x62 ? p0 & 7 : p0 & 31;
		s->rex = (u8)((~p0 >> 5 & 7) | (p1 >> 4 & REX_W));
	}
	s->pp = p1 & 3;
	s->vex_l = p1 >> 2 & 1;
	s->vex_v = ~p1 >> 3 & 15;
	if (out->mode != HV_INSN_LONG64)
		s->rex = 0;
	s->pos += n;
	out->opcode = s->bytes[s->pos++];
	out->map = map;
	out->flags |= HV_INSN_F_VEX;
	if (first == 0x8f) {
		if (map > 10)
			return -EINVAL;
		imm = map == 8 ? IMM_UB : map == 10 ? IMM_D : IMM_NONE;
	} else if (map == 0 || (first != 0x62 && map > 3) || map == 4 || map == 7 ||
		   (first == 0x62 && !(p1 & 4))) {
		return -EINVAL;
	} else if (map == 3) {
		imm = IMM_UB;
	} else if (map == 1 && TE_OP(hv_insn_map1[out->opcode]) == HV_INSN_OP_OTHER &&
		   TE_IMM(hv_insn_map1[out->opcode]) == IMM_SB) {
		imm = IMM_UB;
	}
	*row = (u32)HV_INSN_OP_OTHER | (u32)imm << 16 | TF_MODRM;
	if (first == 0xc4 || first == 0xc5) {
		if (map == 1 && out->opcode == 0x77)
			*row &= ~TF_MODRM;
		else if (map == 1 || map == 2)
			*row = (*row & ~0xffu) | OP_SPECIAL;
	}
	return 0;
}

/* C4, C5, 62 and 8F: a vector prefix, or the old instruction. */
static int scan_shared(struct scan *s, struct hv_insn *out, u32 *row)
{
	u8 first = out->opcode;

	if (!have(s, 1))
		return short_of_bytes(s);
	if (first == 0x8f) {
		if ((s->bytes[s->pos] & 0x1f) >= 8)
			return scan_vex(s, out, row);
		if (s->bytes[s->pos] & 0x38)
			return -EINVAL;
		*row = (u32)HV_INSN_OP_POP | (u32)HV_OPND_RM << 8 | TF_MODRM | TF_D64 | TF_WDST;
		return 0;
	}
	if (out->mode == HV_INSN_LONG64 || s->bytes[s->pos] >= 0xc0)
		return scan_vex(s, out, row);
	*row = (u32)(first == 0x62 ? HV_INSN_OP_BOUND : HV_INSN_OP_LOAD_FAR) |
		(u32)HV_OPND_REG << 8 | (u32)HV_OPND_RM << 12 | TF_MODRM | TF_MEM |
		(first == 0x62 ? TF_RDST : TF_WDST);
	return 0;
}

/* 16-bit addressing: base and index by ModRM.rm. */
static const u8 rm16_base[8] = {
	HV_GPR_RBX, HV_GPR_RBX, HV_GPR_RBP, HV_GPR_RBP,
	HV_GPR_RSI, HV_GPR_RDI, HV_GPR_RBP, HV_GPR_RBX,
};
static const u8 rm16_index[8] = {
	HV_GPR_RSI, HV_GPR_RDI, HV_GPR_RSI, HV_GPR_RDI,
	HV_GPR_NONE, HV_GPR_NONE, HV_GPR_NONE, HV_GPR_NONE,
};

static int scan_mem16(struct scan *s, struct hv_insn *out, u8 mod, u8 rm)
{
	unsigned int disp = mod;

	out->base = rm16_base[rm];
	out->index = rm16_index[rm];
	if (mod == 0 && rm == 6) {
		out->base = HV_GPR_NONE;
		disp = 2;
	}
	if (out->base == HV_GPR_RBP)
		out->seg = HV_SEG_SS;
	if (!have(s, disp))
		return short_of_bytes(s);
	if (disp == 1)
		out->disp = (s8)s->bytes[s->pos];
	else if (disp == 2)
		out->disp = (s16)get_unaligned_le16(s->bytes + s->pos);
	s->pos += disp;
	return 0;
}

static int scan_mem32(struct scan *s, struct hv_insn *out, u8 mod, u8 rm)
{
	unsigned int disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
	u8 sib;

	if (rm == 4) {
		if (!have(s, 1))
			return short_of_bytes(s);
		sib = s->bytes[s->pos++];
		rm = sib & 7;
		out->scale = sib >> 6;
		out->index = (u8)((sib >> 3 & 7) | (s->rex & REX_X) << 2);
		if (out->index == HV_GPR_RSP)
			out->index = HV_GPR_NONE;
		if (mod == 0 && rm == 5) {
			out->base = HV_GPR_NONE;
			disp = 4;
			goto displacement;
		}
	} else if (mod == 0 && rm == 5) {
		out->base = out->mode == HV_INSN_LONG64 ? HV_GPR_RIP : HV_GPR_NONE;
		disp = 4;
		goto displacement;
	}
	out->base = (u8)(rm | (s->rex & REX_B) << 3);
	if (out->base == HV_GPR_RSP || out->base == HV_GPR_RBP)
		out->seg = HV_SEG_SS;
displacement:
	if (unlikely(!have(s, disp)))
		return short_of_bytes(s);
	if (disp == 1)
		out->disp = (s8)s->bytes[s->pos];
	else if (disp == 4)
		out->disp = (s32)get_unaligned_le32(s->bytes + s->pos);
	s->pos += disp;
	return 0;
}

/* ModRM, SIB and displacement. @force_reg: MOV CR and DR ignore ModRM.mod. */
static int scan_modrm(struct scan *s, struct hv_insn *out, bool force_reg)
{
	u8 mod, rm;

	if (unlikely(!have(s, 1)))
		return short_of_bytes(s);
	out->modrm = s->bytes[s->pos++];
	out->flags |= HV_INSN_F_MODRM;
	mod = out->modrm >> 6;
	rm = out->modrm & 7;
	out->reg = (u8)((out->modrm >> 3 & 7) | (s->rex & REX_R) << 1);
	if (mod == 3 || force_reg) {
		out->rm = (u8)(rm | (s->rex & REX_B) << 3);
		return 0;
	}
	out->flags |= HV_INSN_F_MEM;
	return out->addrsize == 2 ? scan_mem16(s, out, mod, rm) : scan_mem32(s, out, mod, rm);
}

static void set_sizes(const struct scan *s, struct hv_insn *out, u32 row)
{
	bool opsize = out->flags & HV_INSN_F_OPSIZE;

	switch (out->mode) {
	case HV_INSN_LONG64:
		out->addrsize = s->addr ? 4 : 8;
		if ((s->rex & REX_W) || (row & TF_F64) == TF_F64)
			out->opsize = 8;
		else if (opsize)
			out->opsize = 2;
		else
			out->opsize = row & TF_D64 ? 8 : 4;
		break;
	case HV_INSN_PROT32:
		out->addrsize = s->addr ? 2 : 4;
		out->opsize = opsize ? 2 : 4;
		break;
	default:
		out->addrsize = s->addr ? 4 : 2;
		out->opsize = opsize ? 4 : 2;
		break;
	}
	if (row & TF_BYTE)
		out->opsize = 1;
}

/* Rows of the groups whose register form is another instruction. */
static u32 group_with_register(struct scan *s, const struct hv_insn *out, u32 group, u32 row)
{
	u8 n = out->modrm >> 3 & 7;

	if (group == GRP_7 && n != 4 && n != 6)
		return HV_INSN_OP_OTHER;	/* VMCALL, SWAPGS, XGETBV and the like */
	if (group == GRP_15 && n >= 5 && s->pp == 0)
		return HV_INSN_OP_NOP;		/* LFENCE, MFENCE, SFENCE */
	return row;
}

static int resolve_group(struct scan *s, struct hv_insn *out, u32 *row)
{
	u32 group = TE_OP(*row), e = hv_insn_groups[group][out->modrm >> 3 & 7];

	if (!(out->flags & HV_INSN_F_MEM)) {
		e = group_with_register(s, out, group, e);
	} else if (group == GRP_15 && (out->modrm >> 3 & 7) == 7 && s->pp <= 1) {
		e = HV_INSN_OP_NOP;		/* CLFLUSH, CLFLUSHOPT */
	}
	if (TE_OP(e) == HV_INSN_OP_INVALID)
		return -EINVAL;
	if (group == GRP_11) {
		/* C6: a byte immediate; C7 /7 (XBEGIN) has a relative target. */
		if ((*row & TF_BYTE))
			e = (e & ~(15u << 16)) | (u32)IMM_SB << 16;
		if (TE_OP(e) == HV_INSN_OP_OTHER && out->modrm != 0xf8)
			return -EINVAL;
	}
	if (group == GRP_6 && out->mode == HV_INSN_REAL16)
		return -EINVAL;
	/* What the opcode's row adds: immediate, source, byte size. */
	*row = e | (*row & (15u << 16 | 15u << 12 | TF_BYTE | TF_N64));
	return 0;
}

/*
 * Moves between memory and a vector register. What is wider than 8 bytes takes
 * VEX.L; the rest zero-extends on loading.
 */
static const struct vmov_row {
	u8 opcode, pp;
	u8 size;		/* 0: 16, or 32 with VEX.L; 1: 4, or 8 with W */
	u8 flags;
#define VM_STORE	1
#define VM_ALIGN	2	/* #GP when misaligned */
#define VM_L0		4	/* VEX.L must be 0 */
#define VM_MAP2		8	/* 0F38 instead of 0F */
} vmov_rows[] = {
	{ 0x10, 0, 0, 0 }, { 0x10, 1, 0, 0 }, { 0x10, 2, 4, 0 }, { 0x10, 3, 8, 0 },
	{ 0x11, 0, 0, VM_STORE }, { 0x11, 1, 0, VM_STORE },
	{ 0x11, 2, 4, VM_STORE }, { 0x11, 3, 8, VM_STORE },
	{ 0x28, 0, 0, VM_ALIGN }, { 0x28, 1, 0, VM_ALIGN },
	{ 0x29, 0, 0, VM_ALIGN | VM_STORE }, { 0x29, 1, 0, VM_ALIGN | VM_STORE },
	{ 0x2b, 0, 0, VM_ALIGN | VM_STORE }, { 0x2b, 1, 0, VM_ALIGN | VM_STORE },
	{ 0x6e, 1, 1, VM_L0 }, { 0x7e, 1, 1, VM_L0 | VM_STORE },
	{ 0x7e, 2, 8, VM_L0 }, { 0xd6, 1, 8, VM_L0 | VM_STORE },
	{ 0x6f, 1, 0, VM_ALIGN }, { 0x6f, 2, 0, 0 },
	{ 0x7f, 1, 0, VM_ALIGN | VM_STORE }, { 0x7f, 2, 0, VM_STORE },
	{ 0xe7, 1, 0, VM_ALIGN | VM_STORE }, { 0xf0, 3, 0, 0 },
	{ 0x2a, 1, 0, VM_ALIGN | VM_MAP2 },
};

static bool resolve_vmov(const struct scan *s, struct hv_insn *out, u32 *row)
{
	bool vex = out->flags & HV_INSN_F_VEX;
	unsigned int i;

	if (!(out->flags & HV_INSN_F_MEM) || (vex && s->vex_v != 0))
		return false;
	for (i = 0; i < ARRAY_SIZE(vmov_rows); i++) {
		const struct vmov_row *v = &vmov_rows[i];

		if (v->opcode != out->opcode || v->pp != s->pp ||
		    (out->map == 2) != !!(v->flags & VM_MAP2) ||
		    (vex && s->vex_l && (v->flags & VM_L0)))
			continue;
		if (v->size == 0)
			out->vec_size = vex && s->vex_l ? 32 : 16;
		else if (v->size == 1)
			out->vec_size = s->rex & REX_W ? 8 : 4;
		else
			out->vec_size = v->size;
		if (v->flags & VM_ALIGN)
			out->flags |= HV_INSN_F_ALIGN;
		*row = HV_INSN_OP_VMOV | TF_MODRM;
		if (v->flags & VM_STORE)
			*row |= (u32)HV_OPND_VRM << 8 | (u32)HV_OPND_VREG << 12 | TF_WDST;
		else
			*row |= (u32)HV_OPND_VREG << 8 | (u32)HV_OPND_VRM << 12 | TF_WDST;
		return true;
	}
	return false;
}

/* MOVNTI: 4 bytes also where the operand size is 2. */
static int movnti(struct hv_insn *out, u32 *row)
{
	*row = HV_INSN_OP_MOV | (u32)HV_OPND_RM << 8 | (u32)HV_OPND_REG << 12 |
		TF_MODRM | TF_MEM | TF_WDST;
	if (out->opsize == 2)
		out->opsize = 4;
	return 0;
}

/* Opcodes whose meaning hangs on the mode or on a mandatory prefix. */
static int resolve_special(const struct scan *s, struct hv_insn *out, u32 *row)
{
	const u32 load = (u32)HV_OPND_REG << 8 | (u32)HV_OPND_RM << 12 | TF_MODRM | TF_WDST;
	u32 imm = *row & (15u << 16);

	if (resolve_vmov(s, out, row))
		return 0;
	*row = HV_INSN_OP_OTHER | TF_MODRM | imm;
	if (out->flags & HV_INSN_F_VEX)
		return 0;
	if (out->map == 0) {				/* 63 */
		if (out->mode == HV_INSN_LONG64)
			*row = HV_INSN_OP_MOVSX | load | (out->opsize == 2 ? TF_SRC2 : TF_SRC4);
		else if (out->mode == HV_INSN_REAL16)
			return -EINVAL;
	} else if (out->map == 1) {
		if (out->opcode == 0x78 && (s->pp == 1 || s->pp == 3))
			*row |= (u32)IMM_BB << 16;
		else if (out->opcode == 0xb8 && s->pp != 2)
			return -EINVAL;
		else if (out->opcode == 0xb8)
			*row = HV_INSN_OP_POPCNT | load;
		else if (out->opcode == 0xc3 && s->pp)
			return -EINVAL;
		else if (out->opcode == 0xc3)
			return movnti(out, row);
	} else if ((out->opcode & 0xfe) == 0xf0 && s->pp < 2) {	/* 0F38 F0, F1 */
		if (!(out->flags & HV_INSN_F_MEM))
			return -EINVAL;
		*row = HV_INSN_OP_MOVBE | TF_MODRM | TF_WDST;
		*row |= out->opcode == 0xf0 ? (u32)HV_OPND_REG << 8 | (u32)HV_OPND_RM << 12 :
			(u32)HV_OPND_RM << 8 | (u32)HV_OPND_REG << 12;
	}
	return 0;
}

static int scan_imm(struct scan *s, struct hv_insn *out, unsigned int kind)
{
	unsigned int n, extra = 0;
	const u8 *p;

	switch (kind) {
	case IMM_NONE:
		return 0;
	case IMM_SB: case IMM_UB:
		n = 1;
		break;
	case IMM_W: case IMM_BB:
		n = 2;
		break;
	case IMM_ENTER:
		n = 2;
		extra = 1;
		break;
	case IMM_Z:
		n = min_t(unsigned int, out->opsize, 4);
		break;
	case IMM_REL:
		n = out->mode == HV_INSN_LONG64 ? 4 : out->opsize;
		break;
	case IMM_FAR:
		n = out->opsize;
		extra = 2;
		break;
	case IMM_D:
		n = 4;
		break;
	case IMM_OFFS:
		n = out->addrsize;
		break;
	default:		/* IMM_V */
		n = out->opsize;
		break;
	}
	if (unlikely(!have(s, n + extra)))
		return short_of_bytes(s);
	p = s->bytes + s->pos;
	s->pos += n + extra;
	if (n == 1)
		out->imm = kind == IMM_UB ? p[0] : (u64)(s64)(s8)p[0];
	else if (n == 2)
		out->imm = kind == IMM_W || kind == IMM_ENTER || kind == IMM_FAR || kind == IMM_OFFS ?
			get_unaligned_le16(p) : (u64)(s64)(s16)get_unaligned_le16(p);
	else if (n == 4)
		out->imm = kind == IMM_FAR || kind == IMM_OFFS ? get_unaligned_le32(p) :
			(u64)(s64)(s32)get_unaligned_le32(p);
	else
		out->imm = get_unaligned_le64(p);
	if (extra == 2)
		out->imm2 = get_unaligned_le16(p + n);
	else if (extra == 1)
		out->imm2 = p[n];
	if (kind == IMM_OFFS)
		out->disp = (s64)out->imm;
	return 0;
}

/* Prefix combinations that change a plain opcode; the last word on validity. */
static int finish(const struct scan *s, struct hv_insn *out, u32 row)
{
	static const u8 src_sizes[4] = { 0, 1, 2, 4 };
	u8 n = TE_SRC_SIZE(row);

	out->op = TE_OP(row);
	out->dst = TE_DST(row);
	out->src = TE_SRC(row);
	out->flags |= (u16)((row & TF_RDST ? HV_INSN_F_RDST : 0) | (row & TF_WDST ? HV_INSN_F_WDST : 0));
	out->src_size = n ? src_sizes[n] : out->opsize;
	out->cc = out->opcode & 15;
	if (out->dst == HV_OPND_OPREG || out->src == HV_OPND_OPREG)
		out->reg = (u8)((out->opcode & 7) | (s->rex & REX_B) << 3);
	if (unlikely((out->flags & HV_INSN_F_LOCK) && (!(row & TF_LOCK) || !(out->flags & HV_INSN_F_MEM))))
		return -EINVAL;

	switch (out->op) {
	case HV_INSN_OP_XCHG:
		/* F3 90 is PAUSE, whatever REX says. */
		if (out->opcode == 0x90 && (out->reg == HV_GPR_RAX || s->pp == 2))
			out->op = HV_INSN_OP_NOP;
		break;
	case HV_INSN_OP_BSF: case HV_INSN_OP_BSR:
		if (s->pp == 2)
			out->op = out->op == HV_INSN_OP_BSF ? HV_INSN_OP_TZCNT : HV_INSN_OP_LZCNT;
		break;
	case HV_INSN_OP_PUSH_SEG: case HV_INSN_OP_POP_SEG:
		out->reg = out->opcode >> 3 & 7;
		break;
	case HV_INSN_OP_MOV_SEG:
		out->reg = out->modrm >> 3 & 7;
		if (out->reg > HV_SEG_GS || (out->dst == HV_OPND_SEG && out->reg == HV_SEG_CS))
			return -EINVAL;
		break;
	case HV_INSN_OP_MOV_CR:
	case HV_INSN_OP_MOV_DR:
		if (out->op == HV_INSN_OP_MOV_DR ? out->reg > 7 :
		    out->reg == 1 || (out->reg > 4 && out->reg != 8))
			return -EINVAL;
		out->opsize = out->src_size = out->mode == HV_INSN_LONG64 ? 8 : 4;
		break;
	case HV_INSN_OP_IN: case HV_INSN_OP_OUT: case HV_INSN_OP_INS: case HV_INSN_OP_OUTS:
		out->opsize = out->src_size = out->opsize == 8 ? 4 : out->opsize;
		break;
	default:
		break;
	}
	return 0;
}

int hv_insn_decode(const u8 *bytes, unsigned int len, enum hv_insn_mode mode, struct hv_insn *out)
{
	struct scan s = {
		.bytes = bytes, .seg = HV_SEG_NR,
		.end = min_t(unsigned int, len, HV_INSN_MAX_LEN), .capped = len >= HV_INSN_MAX_LEN,
	};
	u32 row;
	int ret;

	*out = (struct hv_insn){
		.mode = (u8)mode, .seg = HV_SEG_DS, .base = HV_GPR_NONE, .index = HV_GPR_NONE,
	};
	ret = scan_opcode(&s, out, &row);
	if (unlikely(ret))
		return ret;
	if (!(row & TF_GROUP) && unlikely(TE_OP(row) >= OP_PREFIX)) {
		if (TE_OP(row) == OP_ESCAPE)
			ret = scan_escape(&s, out, &row);
		else if (TE_OP(row) != OP_SPECIAL)
			ret = scan_shared(&s, out, &row);
		if (unlikely(ret))
			return ret;
	}
	if (unlikely(row == 0))
		return -EINVAL;
	if (!(out->flags & HV_INSN_F_VEX))
		s.pp = out->flags & HV_INSN_F_REP ? 2 : out->flags & HV_INSN_F_REPNE ? 3 :
			out->flags & HV_INSN_F_OPSIZE ? 1 : 0;
	if (s.rex && !(out->flags & HV_INSN_F_VEX))
		out->flags |= HV_INSN_F_REX;
	set_sizes(&s, out, row);

	if (row & TF_MODRM) {
		ret = scan_modrm(&s, out, out->map == 1 && out->opcode >= 0x20 && out->opcode <= 0x23);
		if (unlikely(ret))
			return ret;
		if (row & TF_GROUP) {
			ret = resolve_group(&s, out, &row);
			if (ret)
				return ret;
			set_sizes(&s, out, row);
		} else if (TE_OP(row) == OP_SPECIAL) {
			ret = resolve_special(&s, out, &row);
			if (ret)
				return ret;
		}
		if (row & (out->flags & HV_INSN_F_MEM ? TF_REG : TF_MEM))
			return -EINVAL;
	}
	if ((row & TF_F64) == TF_N64 && mode == HV_INSN_LONG64)
		return -EINVAL;
	ret = scan_imm(&s, out, TE_IMM(row));
	if (unlikely(ret))
		return ret;
	if (s.seg != HV_SEG_NR)
		out->seg = s.seg;
	out->len = (u8)s.pos;
	return finish(&s, out, row);
}

int hv_insn_len_prefixed(const u8 *bytes, unsigned int len, u32 opcode, unsigned int n,
			 enum hv_insn_mode mode)
{
	unsigned int end = min_t(unsigned int, len, HV_INSN_MAX_LEN), i = 0, k;
	u32 kind;

	for (; i < end; i++) {
		kind = TE_OP(hv_insn_map0[bytes[i]]);
		if (kind != OP_PREFIX && (kind != OP_REX || mode != HV_INSN_LONG64))
			break;
		if (bytes[i] == 0xf0)
			return -EINVAL;
	}
	for (k = 0; k < n && i < end; k++, i++) {
		if (bytes[i] != (u8)(opcode >> 8 * k))
			return -EINVAL;
	}
	if (k < n)
		return len >= HV_INSN_MAX_LEN ? -E2BIG : -ENODATA;
	return (int)i;
}
