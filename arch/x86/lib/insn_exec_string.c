// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec_string.c - string instructions and port I/O of the executor
 *
 * Each iteration commits its own registers, so a fault or a wait in the middle
 * leaves what the CPU would leave. INS and OUTS move a batch at once where
 * memory is contiguous; MOVS and the others go unit by unit, for either side
 * may be a device that cares.
 */
#include "insn_exec_priv.h"

/* Most bytes of one port batch: bounded by the stack. */
#define BATCH		256u

static u64 offset_of(const struct hv_exec *x, unsigned int reg)
{
	return x->cpu->gpr[reg] & size_mask(x->insn->addrsize);
}

/* rSI or rDI past @units, by the direction flag. */
static void advance(struct hv_exec *x, unsigned int reg, unsigned int units)
{
	u64 *gpr = &x->cpu->gpr[reg], step = (u64)units * x->insn->opsize;

	*gpr = merge(*gpr, x->rflags & HV_FLAG_DF ? *gpr - step : *gpr + step, x->insn->addrsize);
}

static int source(struct hv_exec *x, u64 *la, unsigned int bytes)
{
	return hv_exec_linear(x, x->insn->seg, offset_of(x, HV_GPR_RSI), bytes, HV_INSN_READ, la);
}

static int destination(struct hv_exec *x, u64 *la, unsigned int bytes, u32 access)
{
	return hv_exec_linear(x, HV_SEG_ES, offset_of(x, HV_GPR_RDI), bytes, access, la);
}

static int check_port(struct hv_exec *x, u16 port)
{
	struct hv_insn_cpu *cpu = x->cpu;

	if (!cpu->ops->io_check || (cpu->cpl <= (x->rflags & HV_FLAG_IOPL) >> 12 &&
				    !(x->rflags & HV_FLAG_VM)))
		return 0;
	return hv_exec_note(x, cpu->ops->io_check(cpu, port, x->insn->opsize));
}

/* Units that lie together in one page, at most @want. */
static unsigned int contiguous(const struct hv_exec *x, u64 off, u64 la, unsigned int want)
{
	unsigned int size = x->insn->opsize, room = 4096 - (unsigned int)(la & 4095);
	u64 wrap = size_mask(x->insn->addrsize) - off + 1;	/* 0: 2^64 */

	if (x->rflags & HV_FLAG_DF)
		return 1;
	if (wrap && wrap < room)
		room = (unsigned int)wrap;
	room = min_t(unsigned int, room, BATCH) / size;
	return room ? min_t(unsigned int, room, want) : 1;
}

static int step_ins(struct hv_exec *x, unsigned int *units)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	unsigned int size = x->insn->opsize, n = *units;
	u16 port = (u16)x->cpu->gpr[HV_GPR_RDX];
	u8 buf[BATCH];
	u64 la, whole;
	int ret = destination(x, &la, size, HV_INSN_WRITE);

	if (ret)
		return ret;
	n = contiguous(x, offset_of(x, HV_GPR_RDI), la, n);
	if (n > 1 && destination(x, &whole, n * size, HV_INSN_WRITE))
		n = 1;		/* ends beyond the segment: up to there one by one */
	/* The port is read only once the data has a place to go. */
	ret = hv_exec_note(x, ops->mem_probe(x->cpu, la, n * size, HV_INSN_WRITE));
	if (!ret)
		ret = hv_exec_note(x, ops->io_in(x->cpu, port, size, buf, n));
	if (!ret)
		ret = hv_exec_note(x, ops->mem_write(x->cpu, la, buf, n * size, HV_INSN_WRITE));
	if (ret)
		return ret;
	advance(x, HV_GPR_RDI, n);
	*units = n;
	return 0;
}

static int step_outs(struct hv_exec *x, unsigned int *units)
{
	const struct hv_insn_ops *ops = x->cpu->ops;
	unsigned int size = x->insn->opsize, n = *units;
	u16 port = (u16)x->cpu->gpr[HV_GPR_RDX];
	u8 buf[BATCH];
	u64 la, whole;
	int ret = source(x, &la, size);

	if (ret)
		return ret;
	n = contiguous(x, offset_of(x, HV_GPR_RSI), la, n);
	if (n > 1 && source(x, &whole, n * size))
		n = 1;
	ret = hv_exec_note(x, ops->mem_read(x->cpu, la, buf, n * size, HV_INSN_READ));
	if (!ret)
		ret = hv_exec_note(x, ops->io_out(x->cpu, port, size, buf, n));
	if (ret)
		return ret;
	advance(x, HV_GPR_RSI, n);
	*units = n;
	return 0;
}

static int step_movs(struct hv_exec *x)
{
	unsigned int size = x->insn->opsize;
	u64 from, to, val;
	int ret = source(x, &from, size);

	if (!ret)
		ret = hv_exec_load(x, from, &val, size, HV_INSN_READ);
	if (!ret)
		ret = destination(x, &to, size, HV_INSN_WRITE);
	if (!ret)
		ret = hv_exec_store(x, to, val, size, HV_INSN_WRITE);
	if (ret)
		return ret;
	advance(x, HV_GPR_RSI, 1);
	advance(x, HV_GPR_RDI, 1);
	return 0;
}

static int step_cmps(struct hv_exec *x)
{
	unsigned int size = x->insn->opsize;
	u64 la, a = x->cpu->gpr[HV_GPR_RAX], b;
	bool scas = x->insn->op == HV_INSN_OP_SCAS;
	int ret = destination(x, &la, size, HV_INSN_READ);	/* first, as the CPU does */

	if (!ret)
		ret = hv_exec_load(x, la, &b, size, HV_INSN_READ);
	if (!ret && !scas) {
		ret = source(x, &la, size);
		if (!ret)
			ret = hv_exec_load(x, la, &a, size, HV_INSN_READ);
	}
	if (ret)
		return ret;
	x->rflags = hv_alu_arith(HV_INSN_OP_CMP, a, b, size, x->rflags).flags;
	if (!scas)
		advance(x, HV_GPR_RSI, 1);
	advance(x, HV_GPR_RDI, 1);
	return 0;
}

/* One iteration, or up to *@units of INS and OUTS; *@units becomes what was done. */
static int step(struct hv_exec *x, unsigned int *units)
{
	unsigned int size = x->insn->opsize, want = *units;
	u64 *rax = &x->cpu->gpr[HV_GPR_RAX], la, val;
	int ret;

	*units = 1;
	switch (x->insn->op) {
	case HV_INSN_OP_INS:
		*units = want;
		return step_ins(x, units);
	case HV_INSN_OP_OUTS:
		*units = want;
		return step_outs(x, units);
	case HV_INSN_OP_MOVS:
		return step_movs(x);
	case HV_INSN_OP_STOS:
		ret = destination(x, &la, size, HV_INSN_WRITE);
		if (!ret)
			ret = hv_exec_store(x, la, *rax, size, HV_INSN_WRITE);
		if (!ret)
			advance(x, HV_GPR_RDI, 1);
		return ret;
	case HV_INSN_OP_LODS:
		ret = source(x, &la, size);
		if (!ret)
			ret = hv_exec_load(x, la, &val, size, HV_INSN_READ);
		if (!ret) {
			*rax = merge(*rax, val, size);
			advance(x, HV_GPR_RSI, 1);
		}
		return ret;
	default:		/* CMPS, SCAS */
		return step_cmps(x);
	}
}

/* REPE and REPNE end on the zero flag too, for the comparing ones. */
static bool repeat_ends(const struct hv_exec *x)
{
	bool zf = x->rflags & HV_FLAG_ZF;

	if (x->insn->op != HV_INSN_OP_CMPS && x->insn->op != HV_INSN_OP_SCAS)
		return false;
	return zf == !!(x->insn->flags & HV_INSN_F_REPNE);
}

/*
 * With 32-bit addresses in 64-bit mode upper halves are cleared even when
 * nothing moves: of rCX always, of the pointers by MOVS and STOS alone. (Seen on
 * Intel; AMD says nothing of it.)
 */
static void write_back(struct hv_exec *x)
{
	unsigned int op = x->insn->op;
	u64 *rcx = &x->cpu->gpr[HV_GPR_RCX];

	*rcx = merge(*rcx, *rcx, x->insn->addrsize);
	if (op == HV_INSN_OP_MOVS)
		advance(x, HV_GPR_RSI, 0);
	if (op == HV_INSN_OP_MOVS || op == HV_INSN_OP_STOS)
		advance(x, HV_GPR_RDI, 0);
}

int hv_exec_string(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	struct hv_insn_cpu *cpu = x->cpu;
	u64 *rcx = &cpu->gpr[HV_GPR_RCX], left = *rcx & size_mask(insn->addrsize);
	u32 budget = cpu->budget ? cpu->budget : 1;
	unsigned int units = 1;
	int ret = 0;

	if (insn->op == HV_INSN_OP_INS || insn->op == HV_INSN_OP_OUTS)
		ret = check_port(x, (u16)cpu->gpr[HV_GPR_RDX]);
	if (ret)
		return ret;
	if (!(insn->flags & (HV_INSN_F_REP | HV_INSN_F_REPNE)))
		return step(x, &units);
	write_back(x);
	while (left) {
		if (!budget || x->yield) {
			x->partial = true;
			break;
		}
		units = left < budget ? (unsigned int)left : budget;
		ret = step(x, &units);
		if (ret)
			break;
		left -= units;
		budget -= units;
		*rcx = merge(*rcx, left, insn->addrsize);
		/* What was done stays done, whatever comes next. */
		cpu->rflags = x->rflags;
		if (repeat_ends(x))
			break;
	}
	return ret;
}

int hv_exec_port(struct hv_exec *x)
{
	const struct hv_insn *insn = x->insn;
	struct hv_insn_cpu *cpu = x->cpu;
	bool in = insn->op == HV_INSN_OP_IN;
	u16 port = (u16)hv_exec_get(x, in ? insn->src : insn->dst, 2);
	u8 buf[4] = { 0 };
	int ret = check_port(x, port);

	if (ret)
		return ret;
	if (in) {
		ret = hv_exec_note(x, cpu->ops->io_in(cpu, port, insn->opsize, buf, 1));
		if (!ret)
			hv_exec_set(x, HV_OPND_ACC, get_unaligned_le32(buf), insn->opsize);
		return ret;
	}
	put_unaligned_le32((u32)hv_exec_get(x, HV_OPND_ACC, insn->opsize), buf);
	return hv_exec_note(x, cpu->ops->io_out(cpu, port, insn->opsize, buf, 1));
}
