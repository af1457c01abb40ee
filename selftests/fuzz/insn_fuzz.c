// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_fuzz.c - hostile instruction bytes, and callbacks that answer anything
 *
 * Input: 15 bytes of code, one of mode and privilege, one seed; the rest is
 * what the callbacks give and return. Besides what the sanitizers find:
 *  - a length is 1..15, and with fewer bytes the answer is -ENODATA;
 *  - the short cut for known opcodes agrees with the decoder;
 *  - RIP moves only when the instruction is done, by its length unless it jumps;
 *  - memory callbacks get sizes and accesses as insn_exec.h says, addresses in
 *    the mode's range, and never more calls than the budget explains.
 */
#include <stdlib.h>
#include "arch/x86/lib/insn_exec.h"

#define EXPECT(cond) do { if (!(cond)) abort(); } while (0)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct {
	const u8 *data;
	size_t left;
	unsigned int calls;
	const struct hv_insn *insn;
} feed;

static u8 next(void)
{
	if (!feed.left)
		return 0;
	feed.left--;
	return *feed.data++;
}

static void fill(void *buf, unsigned int size)
{
	u8 *p = buf;

	while (size--)
		*p++ = next();
}

static int answer(struct hv_insn_cpu *cpu)
{
	feed.calls++;
	switch (next()) {
	case 1:
		return HV_INSN_YIELD;
	case 2:
		cpu->fault = (struct hv_insn_fault){ .vector = HV_VEC_PF, .has_error = true };
		return HV_INSN_FAULT;
	case 3:
		return -EAGAIN;
	case 4:
		return -EFAULT;
	default:
		return 0;
	}
}

static void check_memory(const struct hv_insn_cpu *cpu, u64 la, unsigned int size, bool batch)
{
	EXPECT(size >= 1 && size <= (batch ? 256u : 32u));
	EXPECT(!batch || (la & 4095) + size <= 4096 || size <= 4);
	if (cpu->mode != HV_INSN_LONG64)
		EXPECT(la == (u32)la);
	else
		EXPECT((u64)((s64)(la << 16) >> 16) == la);
}

static bool is_batch(void)
{
	return feed.insn->op == HV_INSN_OP_INS || feed.insn->op == HV_INSN_OP_OUTS;
}

static int mem_read(struct hv_insn_cpu *cpu, u64 la, void *buf, unsigned int size, u32 access)
{
	if (!(access & HV_INSN_SYSTEM))
		check_memory(cpu, la, size, is_batch());
	fill(buf, size);
	return answer(cpu);
}

static int mem_write(struct hv_insn_cpu *cpu, u64 la, const void *buf, unsigned int size, u32 access)
{
	static volatile u8 sum;
	unsigned int i;

	EXPECT(access & HV_INSN_WRITE);
	check_memory(cpu, la, size, is_batch());
	for (i = 0; i < size; i++)		/* all of it must be there */
		sum = sum ^ ((const u8 *)buf)[i];
	return answer(cpu);
}

static int mem_cmpxchg(struct hv_insn_cpu *cpu, u64 la, void *old, const void *new, unsigned int size,
		       bool *done)
{
	(void)la;
	(void)new;
	EXPECT(size == 1 || size == 2 || size == 4 || size == 8 || size == 16);
	/* sooner or later it works */
	*done = feed.calls > 20 || next() % 4;
	if (!*done)
		fill(old, size);
	return answer(cpu);
}

static int mem_probe(struct hv_insn_cpu *cpu, u64 la, unsigned int size, u32 access)
{
	(void)access;
	check_memory(cpu, la, size, is_batch());
	return answer(cpu);
}

static int io_in(struct hv_insn_cpu *cpu, u16 port, unsigned int size, void *buf, unsigned int count)
{
	(void)port;
	EXPECT(size == 1 || size == 2 || size == 4);
	EXPECT(count >= 1 && count * size <= 256);
	fill(buf, size * count);
	return answer(cpu);
}

static int io_out(struct hv_insn_cpu *cpu, u16 port, unsigned int size, const void *buf,
		  unsigned int count)
{
	(void)port;
	(void)buf;
	EXPECT(size == 1 || size == 2 || size == 4);
	EXPECT(count >= 1 && count * size <= 256);
	return answer(cpu);
}

static void seg_get(struct hv_insn_cpu *cpu, unsigned int seg, struct hv_rec_seg *out)
{
	(void)cpu;
	EXPECT(seg < HV_SEG_NR);
	fill(out, sizeof(*out));
	if (cpu->mode != HV_INSN_LONG64)
		out->base = (u32)out->base;
}

static void seg_set(struct hv_insn_cpu *cpu, unsigned int seg, const struct hv_rec_seg *val)
{
	(void)cpu;
	(void)val;
	EXPECT(seg < HV_SEG_NR);
}

static void dt_get(struct hv_insn_cpu *cpu, bool idt, struct hv_rec_dt *out)
{
	(void)cpu;
	(void)idt;
	fill(out, sizeof(*out));
}

static void dt_set(struct hv_insn_cpu *cpu, bool idt, const struct hv_rec_dt *val)
{
	(void)cpu;
	(void)idt;
	(void)val;
}

static int reg_read(struct hv_insn_cpu *cpu, unsigned int nr, u64 *val)
{
	EXPECT(nr < 16);
	fill(val, 8);
	return answer(cpu);
}

static int reg_write(struct hv_insn_cpu *cpu, unsigned int nr, u64 val)
{
	(void)val;
	EXPECT(nr < 16);
	return answer(cpu);
}

static int msr_read(struct hv_insn_cpu *cpu, u32 msr, u64 *val)
{
	(void)msr;
	fill(val, 8);
	return answer(cpu);
}

static int msr_write(struct hv_insn_cpu *cpu, u32 msr, u64 val)
{
	(void)msr;
	(void)val;
	return answer(cpu);
}

static int vec_read(struct hv_insn_cpu *cpu, unsigned int reg, void *buf, unsigned int size)
{
	EXPECT(reg < 16 && (size == 16 || size == 32));
	fill(buf, size);
	return answer(cpu);
}

static int vec_write(struct hv_insn_cpu *cpu, unsigned int reg, const void *buf, unsigned int size,
		     bool clear_upper)
{
	(void)buf;
	(void)clear_upper;
	EXPECT(reg < 16 && (size == 16 || size == 32));
	return answer(cpu);
}

static int invlpg(struct hv_insn_cpu *cpu, u64 la)
{
	(void)la;
	return answer(cpu);
}

static int cpuid(struct hv_insn_cpu *cpu, u32 regs[4])
{
	fill(regs, 16);
	return answer(cpu);
}

static int io_check(struct hv_insn_cpu *cpu, u16 port, unsigned int size)
{
	(void)port;
	(void)size;
	return answer(cpu);
}

static const struct hv_insn_ops full_ops = {
	.mem_read = mem_read, .mem_write = mem_write, .mem_cmpxchg = mem_cmpxchg,
	.mem_probe = mem_probe, .io_in = io_in, .io_out = io_out, .seg_get = seg_get,
	.io_check = io_check, .vec_read = vec_read, .vec_write = vec_write, .seg_set = seg_set,
	.dt_get = dt_get, .dt_set = dt_set, .cr_read = reg_read, .cr_write = reg_write,
	.dr_read = reg_read, .dr_write = reg_write, .msr_read = msr_read, .msr_write = msr_write,
	.invlpg = invlpg, .cpuid = cpuid,
};
static const struct hv_insn_ops small_ops = {
	.mem_read = mem_read, .mem_write = mem_write, .mem_cmpxchg = mem_cmpxchg,
	.mem_probe = mem_probe, .io_in = io_in, .io_out = io_out, .seg_get = seg_get,
};

static void check_lengths(const u8 *code, enum hv_insn_mode mode, const struct hv_insn *insn)
{
	struct hv_insn again;
	unsigned int n;
	int len;

	EXPECT(insn->len >= 1 && insn->len <= HV_INSN_MAX_LEN);
	EXPECT(insn->op > HV_INSN_OP_INVALID && insn->op < HV_INSN_OP_NR);
	for (n = 0; n < insn->len; n++)
		EXPECT(hv_insn_decode(code, n, mode, &again) == -ENODATA);
	EXPECT(!hv_insn_decode(code, insn->len, mode, &again) && again.len == insn->len);
	if (insn->op == HV_INSN_OP_CPUID && !(insn->flags & HV_INSN_F_LOCK)) {
		len = hv_insn_len_fixed(code, 15, HV_OPCODE2(0x0f, 0xa2), 2, mode);
		EXPECT(len == insn->len);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 gpr[HV_GPR_NR];
	struct hv_insn_cpu cpu = { .gpr = gpr, .rip = 0x1000, .rflags = HV_FLAG_FIXED };
	struct hv_insn_move move;
	struct hv_insn insn;
	enum hv_insn_mode mode;
	int ret;

	if (size < 17)
		return 0;
	mode = (enum hv_insn_mode)(data[15] & 3);
	if (hv_insn_decode(data, 15, mode, &insn))
		return 0;
	check_lengths(data, mode, &insn);
	if (hv_insn_as_move(&insn, &move)) {
		EXPECT(move.size <= move.dst_size || move.write);
		EXPECT(move.gpr < HV_GPR_NR || (move.gpr == HV_GPR_NONE && move.write));
	}
	cpu.ops = data[15] & 4 ? &full_ops : &small_ops;
	cpu.cpl = data[15] >> 3 & 3;
	cpu.mode = (u8)mode;
	cpu.budget = data[16];
	feed.data = data + 17;
	feed.left = size - 17;
	feed.calls = 0;
	feed.insn = &insn;
	fill(gpr, sizeof(gpr));
	cpu.rflags |= next() | (u64)next() << 8;
	ret = hv_insn_exec(&insn, &cpu);
	EXPECT(ret <= HV_INSN_FAULT && ret != HV_INSN_YIELD);
	EXPECT(ret == HV_INSN_DONE || cpu.rip == 0x1000);
	if (ret == HV_INSN_DONE && insn.op < HV_INSN_OP_PUSH)
		EXPECT(cpu.rip == 0x1000u + insn.len);
	EXPECT(feed.calls <= 4u * (cpu.budget + 1) + 70);
	return 0;
}
