// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec_seg.c - segment registers and far transfers of the executor
 *
 * Complete in real and virtual-8086 mode. In protected mode: loads of data
 * segments and far jumps to a code segment of the same privilege, which is what
 * boot code uses between real and long mode; gates, tasks, far calls, returns
 * and interrupts are -EOPNOTSUPP there.
 *
 * Source: AMD APM volume 2, chapter 4; volume 3, JMP (Far), MOV, POP.
 */
#include "insn_exec_priv.h"

/* Descriptor, as 8 bytes in memory. */
#define DESC_ACCESSED	(1ull << 40)
#define DESC_WR		(1ull << 41)	/* data: writable; code: readable */
#define DESC_CONFORM	(1ull << 42)	/* code only */
#define DESC_CODE	(1ull << 43)
#define DESC_S		(1ull << 44)	/* code or data */
#define DESC_DPL(d)	((unsigned int)((d) >> 45) & 3)
#define DESC_P		(1ull << 47)
#define DESC_L		(1ull << 53)
#define DESC_DB		(1ull << 54)
#define DESC_G		(1ull << 55)

static bool is_real(const struct hv_exec *x)
{
	return x->cpu->mode == HV_INSN_REAL16;
}

static void unpack(u64 desc, u16 sel, struct hv_rec_seg *seg)
{
	u32 limit = (u32)(desc & 0xffff) | (u32)(desc >> 32 & 0xf0000);

	seg->base = (desc >> 16 & 0xffffff) | (desc >> 32 & 0xff000000);
	seg->limit = desc & DESC_G ? limit << 12 | 0xfff : limit;
	seg->selector = sel;
	seg->attr = (u16)((desc >> 40 & 0xff) | (desc >> 44 & 0xf00));
}

/* Reads the descriptor of @sel and says where it lies. */
static int read_descriptor(struct hv_exec *x, u16 sel, u64 *desc, u64 *at)
{
	struct hv_insn_cpu *cpu = x->cpu;
	struct hv_rec_seg ldt;
	struct hv_rec_dt gdt;

	if (sel & 4) {
		cpu->ops->seg_get(cpu, HV_SEG_LDTR, &ldt);
		gdt.base = ldt.base;
		gdt.limit = ldt.attr & 0x80 ? ldt.limit : 0;
	} else {
		cpu->ops->dt_get(cpu, false, &gdt);
	}
	if ((sel | 7u) > gdt.limit)
		return hv_exec_fault(x, HV_VEC_GP, sel & 0xfffcu);
	*at = gdt.base + (sel & 0xfff8u);
	return hv_exec_load(x, *at, desc, 8, HV_INSN_SYSTEM);
}

static int mark_accessed(struct hv_exec *x, u64 desc, u64 at)
{
	u8 old, new;
	bool done;

	if (desc & DESC_ACCESSED)
		return 0;
	old = (u8)(desc >> 40);
	new = old | 1;
	return hv_exec_note(x, x->cpu->ops->mem_cmpxchg(x->cpu, at + 5, &old, &new, 1, &done));
}

static int check_data(struct hv_exec *x, unsigned int seg, u16 sel, u64 desc)
{
	unsigned int rpl = sel & 3, cpl = x->cpu->cpl, dpl = DESC_DPL(desc);
	bool ok;

	if (!(desc & DESC_S))
		ok = false;
	else if (seg == HV_SEG_SS)
		ok = !(desc & DESC_CODE) && (desc & DESC_WR) && rpl == cpl && dpl == cpl;
	else if (desc & DESC_CODE)
		ok = (desc & DESC_WR) && ((desc & DESC_CONFORM) || (rpl <= dpl && cpl <= dpl));
	else
		ok = rpl <= dpl && cpl <= dpl;
	if (!ok)
		return hv_exec_fault(x, HV_VEC_GP, sel & 0xfffcu);
	if (!(desc & DESC_P))
		return hv_exec_fault(x, seg == HV_SEG_SS ? HV_VEC_SS : HV_VEC_NP, sel & 0xfffcu);
	return 0;
}

/* Fills @val in for a load of @sel into @seg (not CS). */
static int prepare_data(struct hv_exec *x, unsigned int seg, u16 sel, struct hv_rec_seg *val)
{
	struct hv_insn_cpu *cpu = x->cpu;
	u64 desc, at;
	int ret;

	if (is_real(x)) {
		cpu->ops->seg_get(cpu, seg, val);	/* limit and attributes stay */
		val->base = (u64)sel << 4;
		val->selector = sel;
		return 0;
	}
	if (!(sel & 0xfffc)) {
		if (seg == HV_SEG_SS && (cpu->mode != HV_INSN_LONG64 || cpu->cpl == 3 ||
					 (sel & 3) != cpu->cpl))
			return hv_exec_fault(x, HV_VEC_GP, 0);
		*val = (struct hv_rec_seg){ .selector = sel };
		return 0;
	}
	ret = read_descriptor(x, sel, &desc, &at);
	if (!ret)
		ret = check_data(x, seg, sel, desc);
	if (!ret)
		ret = mark_accessed(x, desc, at);
	if (!ret)
		unpack(desc | DESC_ACCESSED, sel, val);
	return ret;
}

static int load_data(struct hv_exec *x, unsigned int seg, u16 sel)
{
	struct hv_rec_seg val;
	int ret = prepare_data(x, seg, sel, &val);

	if (ret)
		return ret;
	x->cpu->ops->seg_set(x->cpu, seg, &val);
	if (seg == HV_SEG_SS)
		x->cpu->out |= HV_INSN_OUT_SHADOW;
	return 0;
}

static int prepare_code(struct hv_exec *x, u16 sel, u64 ip, struct hv_rec_seg *val)
{
	unsigned int rpl = sel & 3, cpl = x->cpu->cpl;
	u64 desc, at;
	int ret;

	if (is_real(x)) {
		x->cpu->ops->seg_get(x->cpu, HV_SEG_CS, val);
		val->base = (u64)sel << 4;
		val->selector = sel;
		return ip > val->limit ? hv_exec_fault(x, HV_VEC_GP, 0) : 0;
	}
	if (!(sel & 0xfffc))
		return hv_exec_fault(x, HV_VEC_GP, 0);
	ret = read_descriptor(x, sel, &desc, &at);
	if (ret)
		return ret;
	if (!(desc & DESC_S))
		return -EOPNOTSUPP;		/* gate or task */
	if (!(desc & DESC_CODE) || ((desc & DESC_L) && (desc & DESC_DB)) ||
	    (desc & DESC_CONFORM ? DESC_DPL(desc) > cpl : rpl > cpl || DESC_DPL(desc) != cpl))
		return hv_exec_fault(x, HV_VEC_GP, sel & 0xfffcu);
	if (!(desc & DESC_P))
		return hv_exec_fault(x, HV_VEC_NP, sel & 0xfffcu);
	unpack(desc | DESC_ACCESSED, (u16)((sel & ~3u) | cpl), val);
	if (!(desc & DESC_L) && ip > val->limit)
		return hv_exec_fault(x, HV_VEC_GP, 0);
	return mark_accessed(x, desc, at);
}

/* Offset and selector of a far pointer, immediate or in memory. */
static int far_pointer(struct hv_exec *x, u64 *off, u16 *sel)
{
	const struct hv_insn *insn = x->insn;
	u64 val = 0;
	int ret;

	if (insn->src == HV_OPND_IMM) {
		*off = insn->imm;
		*sel = insn->imm2;
		return 0;
	}
	ret = hv_exec_resolve(x, insn->opsize + 2u, HV_INSN_READ);
	if (!ret)
		ret = hv_exec_load(x, x->la, off, insn->opsize, HV_INSN_READ);
	if (!ret)
		ret = hv_exec_load(x, operand_past(x, insn->opsize), &val, 2, HV_INSN_READ);
	*sel = (u16)val;
	return ret;
}

static void go_far(struct hv_exec *x, const struct hv_rec_seg *cs, u64 ip)
{
	x->cpu->ops->seg_set(x->cpu, HV_SEG_CS, cs);
	x->cpu->out |= HV_INSN_OUT_MODE;
	x->rip = ip;
}

static int exec_jmp_call_far(struct hv_exec *x)
{
	bool call = x->insn->op == HV_INSN_OP_CALL_FAR;
	unsigned int size = x->insn->opsize;
	struct hv_rec_seg cs, old;
	u64 off = 0, sp = x->cpu->gpr[HV_GPR_RSP];
	u16 sel;
	int ret;

	if (call && !is_real(x))
		return -EOPNOTSUPP;
	ret = far_pointer(x, &off, &sel);
	if (!ret)
		ret = prepare_code(x, sel, off, &cs);
	if (!ret && call) {
		x->cpu->ops->seg_get(x->cpu, HV_SEG_CS, &old);
		ret = hv_exec_push(x, &sp, old.selector, size);
		if (!ret)
			ret = hv_exec_push(x, &sp, x->rip, size);
		if (!ret)
			hv_exec_set_sp(x, sp);
	}
	if (!ret)
		go_far(x, &cs, off);
	return ret;
}

/* Far RET and IRET. */
static int exec_return_far(struct hv_exec *x)
{
	bool iret = x->insn->op == HV_INSN_OP_IRET;
	unsigned int size = x->insn->opsize;
	u64 sp = x->cpu->gpr[HV_GPR_RSP], ip, sel, flags = 0;
	u64 may = 0x244dd5 & (size == 2 ? 0xffff : ~0ull);	/* all but VM, VIF, VIP, RF */
	struct hv_rec_seg cs;
	int ret;

	if (!is_real(x) || (iret && (x->rflags & HV_FLAG_VM)))
		return -EOPNOTSUPP;
	may |= HV_FLAG_IF | HV_FLAG_IOPL | HV_FLAG_NT;
	ret = hv_exec_pop(x, &sp, &ip, size);
	if (!ret)
		ret = hv_exec_pop(x, &sp, &sel, size);
	if (!ret && iret)
		ret = hv_exec_pop(x, &sp, &flags, size);
	if (!ret)
		ret = prepare_code(x, (u16)sel, ip, &cs);
	if (ret)
		return ret;
	if (iret) {
		x->rflags = (x->rflags & ~may) | (flags & may);
		x->cpu->out |= HV_INSN_OUT_NMI_DONE;
	} else {
		sp += x->insn->imm;
	}
	hv_exec_set_sp(x, sp);
	go_far(x, &cs, ip);
	return 0;
}

/* INT n, INT3, INTO through the real-mode vector table. */
static int exec_int(struct hv_exec *x)
{
	struct hv_insn_cpu *cpu = x->cpu;
	u64 sp = cpu->gpr[HV_GPR_RSP], entry;
	unsigned int vector = x->insn->op == HV_INSN_OP_INT ? (u8)x->insn->imm :
		x->insn->op == HV_INSN_OP_INT3 ? 3 : 4;
	struct hv_rec_seg cs, old;
	struct hv_rec_dt idt;
	int ret;

	if (x->insn->op == HV_INSN_OP_INTO && !(x->rflags & HV_FLAG_OF))
		return 0;
	if (!is_real(x) || (x->rflags & HV_FLAG_VM))
		return -EOPNOTSUPP;
	cpu->ops->dt_get(cpu, true, &idt);
	if (4 * vector + 3 > idt.limit)
		return hv_exec_fault(x, HV_VEC_GP, 0);
	ret = hv_exec_load(x, idt.base + 4 * vector, &entry, 4, HV_INSN_SYSTEM);
	if (!ret)
		ret = prepare_code(x, (u16)(entry >> 16), entry & 0xffff, &cs);
	if (ret)
		return ret;
	cpu->ops->seg_get(cpu, HV_SEG_CS, &old);
	ret = hv_exec_push(x, &sp, x->rflags, 2);
	if (!ret)
		ret = hv_exec_push(x, &sp, old.selector, 2);
	if (!ret)
		ret = hv_exec_push(x, &sp, x->rip, 2);
	if (ret)
		return ret;
	x->rflags &= ~(u64)(HV_FLAG_IF | HV_FLAG_TF | HV_FLAG_AC);
	hv_exec_set_sp(x, sp);
	go_far(x, &cs, entry & 0xffff);
	return 0;
}

/* MOV to and from a segment register. */
static int exec_mov_seg(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	struct hv_rec_seg seg;
	u64 val;
	int ret;

	if (insn->dst == HV_OPND_SEG) {
		if (!hv_exec_is_mem(insn, insn->src))
			return load_data(x, insn->reg, (u16)hv_exec_get(x, insn->src, 2));
		ret = hv_exec_resolve(x, 2, HV_INSN_READ);
		if (!ret)
			ret = hv_exec_load(x, x->la, &val, 2, HV_INSN_READ);
		return ret ? ret : load_data(x, insn->reg, (u16)val);
	}
	if (!hv_exec_is_mem(insn, insn->dst)) {
		x->cpu->ops->seg_get(x->cpu, insn->reg, &seg);
		hv_exec_set(x, insn->dst, seg.selector, insn->opsize);
		return 0;
	}
	ret = hv_exec_resolve(x, 2, HV_INSN_WRITE);
	if (ret)
		return ret;
	x->cpu->ops->seg_get(x->cpu, insn->reg, &seg);
	return hv_exec_store(x, x->la, seg.selector, 2, HV_INSN_WRITE);
}

static int exec_push_seg(struct hv_exec *x)
{
	u64 sp = x->cpu->gpr[HV_GPR_RSP];
	struct hv_rec_seg seg;
	int ret;

	x->cpu->ops->seg_get(x->cpu, x->insn->reg, &seg);
	/* With a 4-byte operand only the selector is written. */
	if (x->insn->opsize == 4) {
		sp -= 2;
		ret = hv_exec_push(x, &sp, seg.selector, 2);
	} else {
		ret = hv_exec_push(x, &sp, seg.selector, x->insn->opsize);
	}
	if (!ret)
		hv_exec_set_sp(x, sp);
	return ret;
}

static int exec_pop_seg(struct hv_exec *x)
{
	u64 sp = x->cpu->gpr[HV_GPR_RSP], val;
	unsigned int stack = hv_exec_stack_size(x);	/* by the old SS */
	int ret = hv_exec_pop(x, &sp, &val, 2);

	sp += x->insn->opsize - 2u;
	if (!ret)
		ret = load_data(x, x->insn->reg, (u16)val);
	if (!ret)
		x->cpu->gpr[HV_GPR_RSP] = merge(x->cpu->gpr[HV_GPR_RSP], sp, stack);
	return ret;
}

/* LES, LDS, LSS, LFS, LGS. */
static int exec_load_far(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	unsigned int seg = insn->map == 0 ? (insn->opcode == 0xc4 ? HV_SEG_ES : HV_SEG_DS) :
		insn->opcode & 7;
	u64 off = 0;
	u16 sel;
	int ret = far_pointer(x, &off, &sel);

	if (!ret)
		ret = load_data(x, seg, sel);
	if (!ret)
		hv_exec_set(x, HV_OPND_REG, off, insn->opsize);
	return ret;
}

int hv_exec_seg(struct hv_exec *x)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	const struct hv_insn *insn = x->insn;

	if ((insn->op == HV_INSN_OP_MOV_SEG && insn->dst != HV_OPND_SEG))
		return exec_mov_seg(x);
	if (insn->op == HV_INSN_OP_PUSH_SEG)
		return exec_push_seg(x);
	if (!ops->seg_set || !ops->dt_get)
		return -EOPNOTSUPP;
	switch (insn->op) {
	case HV_INSN_OP_MOV_SEG:
		return exec_mov_seg(x);
	case HV_INSN_OP_POP_SEG:
		return exec_pop_seg(x);
	case HV_INSN_OP_LOAD_FAR:
		return exec_load_far(x);
	case HV_INSN_OP_JMP_FAR: case HV_INSN_OP_CALL_FAR:
		return exec_jmp_call_far(x);
	case HV_INSN_OP_RET_FAR: case HV_INSN_OP_IRET:
		return exec_return_far(x);
	default:
		return exec_int(x);
	}
}
