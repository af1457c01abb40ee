// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_exec_test.c - what the executor promises its callers
 *
 * insn_oracle_test compares results with the CPU. Here: callbacks that say "not
 * now", at every access of random instructions; budgets and yields of REP;
 * ports; and what user mode can't do for real: real mode, far transfers,
 * system registers.
 */
#include <stdlib.h>
#include "arch/x86/lib/insn_exec.h"
#include "lib/unit.h"

#define MEM		0x10000u
#define GDT		0x8000u

struct port_note {
	u16 port;
	u8 size;
	u8 count;
	bool in;
};

static struct machine {
	struct hv_insn_cpu cpu;
	u64 gpr[HV_GPR_NR];
	u8 mem[MEM];
	struct hv_rec_seg seg[HV_SEG_NR];
	struct hv_rec_dt gdt, idt;
	u64 cr[16];
	u8 vec[16][32];
	unsigned int calls, fail_call;	/* the nth callback fails, from 1 */
	int fail_with;
	struct port_note note[64];
	unsigned int notes, probes;
	u8 port_byte;			/* next byte a port gives */
	bool string_in;			/* the instruction is INS */
	bool promised;			/* the write after INS's probe and port read */
	u64 msr;
} m;

static u64 seed = 0x2545f4914f6cdd1dull;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static int chance(void)
{
	return ++m.calls == m.fail_call ? m.fail_with : 0;
}

static u8 *at(u64 la)
{
	return m.mem + la % MEM;
}

static int mem_read(struct hv_insn_cpu *cpu, u64 la, void *buf, unsigned int size, u32 access)
{
	unsigned int i;
	int ret = chance();

	(void)cpu;
	(void)access;
	for (i = 0; i < size && ret >= 0; i++)
		((u8 *)buf)[i] = *at(la + i);
	return ret;
}

static int mem_write(struct hv_insn_cpu *cpu, u64 la, const void *buf, unsigned int size, u32 access)
{
	unsigned int i;
	int ret = m.promised ? 0 : chance();

	(void)cpu;
	m.promised = false;
	CHECK(access & HV_INSN_WRITE);
	for (i = 0; i < size && ret >= 0; i++)
		*at(la + i) = ((const u8 *)buf)[i];
	return ret;
}

static int mem_cmpxchg(struct hv_insn_cpu *cpu, u64 la, void *old, const void *new, unsigned int size,
		       bool *done)
{
	u8 now[16];
	unsigned int i;
	int ret = chance();

	(void)cpu;
	if (ret < 0)
		return ret;
	for (i = 0; i < size; i++)
		now[i] = *at(la + i);
	/* now and then somebody else was faster */
	if (m.calls % 7 == 3)
		*at(la) ^= 0;
	*done = !memcmp(now, old, size);
	for (i = 0; i < size && *done; i++)
		*at(la + i) = ((const u8 *)new)[i];
	memcpy(old, now, size);
	return ret;
}

static int mem_probe(struct hv_insn_cpu *cpu, u64 la, unsigned int size, u32 access)
{
	(void)cpu;
	(void)la;
	(void)size;
	(void)access;
	m.probes++;
	return chance();
}

static void note(u16 port, unsigned int size, unsigned int count, bool in)
{
	if (m.notes < ARRAY_SIZE(m.note))
		m.note[m.notes++] = (struct port_note){ port, (u8)size, (u8)count, in };
}

static int io_in(struct hv_insn_cpu *cpu, u16 port, unsigned int size, void *buf, unsigned int count)
{
	unsigned int i;
	int ret = chance();

	(void)cpu;
	if (ret < 0)
		return ret;
	note(port, size, count, true);
	m.promised = m.string_in;
	for (i = 0; i < size * count; i++)
		((u8 *)buf)[i] = m.port_byte++;
	return ret;
}

static int io_out(struct hv_insn_cpu *cpu, u16 port, unsigned int size, const void *buf,
		  unsigned int count)
{
	unsigned int i;
	int ret = chance();

	(void)cpu;
	if (ret < 0)
		return ret;
	note(port, size, count, false);
	for (i = 0; i < size * count; i++)
		m.port_byte = (u8)(m.port_byte * 31 + ((const u8 *)buf)[i]);
	return ret;
}

static void seg_get(struct hv_insn_cpu *cpu, unsigned int seg, struct hv_rec_seg *out)
{
	(void)cpu;
	*out = m.seg[seg];
}

static void seg_set(struct hv_insn_cpu *cpu, unsigned int seg, const struct hv_rec_seg *val)
{
	(void)cpu;
	m.seg[seg] = *val;
}

static void dt_get(struct hv_insn_cpu *cpu, bool idt, struct hv_rec_dt *out)
{
	(void)cpu;
	*out = idt ? m.idt : m.gdt;
}

static void dt_set(struct hv_insn_cpu *cpu, bool idt, const struct hv_rec_dt *val)
{
	(void)cpu;
	*(idt ? &m.idt : &m.gdt) = *val;
}

static int cr_read(struct hv_insn_cpu *cpu, unsigned int cr, u64 *val)
{
	(void)cpu;
	*val = m.cr[cr];
	return 0;
}

static int cr_write(struct hv_insn_cpu *cpu, unsigned int cr, u64 val)
{
	(void)cpu;
	m.cr[cr] = val;
	return 0;
}

static int msr_read(struct hv_insn_cpu *cpu, u32 msr, u64 *val)
{
	(void)cpu;
	*val = m.msr + msr;
	return 0;
}

static int msr_write(struct hv_insn_cpu *cpu, u32 msr, u64 val)
{
	(void)cpu;
	m.msr = val - msr;
	return 0;
}

static int vec_read(struct hv_insn_cpu *cpu, unsigned int reg, void *buf, unsigned int size)
{
	(void)cpu;
	memcpy(buf, m.vec[reg], size);
	return 0;
}

static int vec_write(struct hv_insn_cpu *cpu, unsigned int reg, const void *buf, unsigned int size,
		     bool clear_upper)
{
	(void)cpu;
	memcpy(m.vec[reg], buf, size);
	if (clear_upper)
		memset(m.vec[reg] + size, 0, 32 - size);
	return 0;
}

static const struct hv_insn_ops ops = {
	.mem_read = mem_read, .mem_write = mem_write, .mem_cmpxchg = mem_cmpxchg,
	.mem_probe = mem_probe, .io_in = io_in, .io_out = io_out, .seg_get = seg_get,
	.vec_read = vec_read, .vec_write = vec_write, .seg_set = seg_set, .dt_get = dt_get,
	.dt_set = dt_set, .cr_read = cr_read, .cr_write = cr_write, .msr_read = msr_read,
	.msr_write = msr_write,
};

static void reset(enum hv_insn_mode mode)
{
	unsigned int i;

	memset(&m, 0, sizeof(m));
	m.cpu = (struct hv_insn_cpu){
		.ops = &ops, .gpr = m.gpr, .rip = 0x100, .rflags = HV_FLAG_FIXED | HV_FLAG_IF,
		.mode = (u8)mode, .budget = 1000,
	};
	for (i = 0; i < HV_SEG_NR; i++)
		m.seg[i] = mode == HV_INSN_REAL16 ? (struct hv_rec_seg){ 0, 0xffff, 0, 0x93 } :
			(struct hv_rec_seg){ 0, 0xffffffff, 8, 0xc93 };
	m.idt.limit = 0x3ff;
	m.gdt = (struct hv_rec_dt){ .base = GDT, .limit = 0xff };
}

static int run(const char *bytes)
{
	struct hv_insn insn;
	int ret = hv_insn_decode((const u8 *)bytes, 15, (enum hv_insn_mode)m.cpu.mode, &insn);

	CHECK_EQ(ret, 0);
	return ret ? ret : hv_insn_exec(&insn, &m.cpu);
}

#define PAD "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

/* --- interrupted at every access */

static bool state_equal(const struct machine *a, const struct machine *b)
{
	return !memcmp(a->gpr, b->gpr, sizeof(a->gpr)) && a->cpu.rip == b->cpu.rip &&
		a->cpu.rflags == b->cpu.rflags && !memcmp(a->vec, b->vec, sizeof(a->vec));
}

/* Runs to the end; a callback fails once, at call @fail. Counts REP's rounds as one. */
static int run_through(const struct hv_insn *insn, unsigned int fail, int with)
{
	struct machine before;
	unsigned int rounds;
	int ret = 0;

	m.calls = 0;
	m.fail_call = fail;
	m.fail_with = with;
	for (rounds = 0; rounds < 3000; rounds++) {
		before = m;
		ret = hv_insn_exec(insn, &m.cpu);
		if (ret == -EAGAIN) {
			bool rep = insn->flags & (HV_INSN_F_REP | HV_INSN_F_REPNE);

			CHECK_EQ(m.calls, fail);
			CHECK(rep || state_equal(&before, &m));
			CHECK_EQ(m.cpu.rip, before.cpu.rip);
			continue;
		}
		if (ret != HV_INSN_PARTIAL)
			break;
	}
	return ret;
}

static void interrupt_everywhere(const u8 *bytes, enum hv_insn_mode mode)
{
	static struct machine start, want;
	struct hv_insn insn;
	unsigned int i, calls;
	int ret;

	if (hv_insn_decode(bytes, 15, mode, &insn))
		return;
	/* Frames of ENTER may lie over each other; far transfers stop half way as on the CPU. */
	if (insn.op == HV_INSN_OP_ENTER || insn.op >= HV_INSN_OP_MOV_SEG)
		return;
	reset(mode);
	m.cpu.rflags |= rnd() & (HV_FLAG_ARITH | HV_FLAG_DF);
	m.cpu.budget = 1 + (u32)(rnd() % 40);
	for (i = 0; i < HV_GPR_NR; i++)
		m.gpr[i] = rnd() % 3 ? rnd() % 300 : mode == HV_INSN_LONG64 ? rnd() : (u32)rnd();
	for (i = 0; i < sizeof(m.mem); i += 8)
		memcpy(m.mem + i, &(u64){ rnd() % 2 ? rnd() : 0 }, 8);
	m.string_in = insn.op == HV_INSN_OP_INS;
	start = m;
	ret = run_through(&insn, 0, 0);
	calls = m.calls;
	want = m;
	if (ret < 0 || calls > 400)
		return;
	for (i = 1; i <= calls; i++) {
		m = start;
		CHECK_EQ(run_through(&insn, i, -EAGAIN), ret);
		CHECK(state_equal(&m, &want));
		CHECK(!memcmp(m.mem, want.mem, sizeof(m.mem)));
		CHECK_EQ(m.port_byte, want.port_byte);
		m = start;
		CHECK_EQ(run_through(&insn, i, HV_INSN_YIELD), ret);
		CHECK(state_equal(&m, &want));
		CHECK(!memcmp(m.mem, want.mem, sizeof(m.mem)));
	}
}

static void random_interruptions(unsigned int n)
{
	unsigned int i, k;
	u8 b[16];

	for (i = 0; i < n && unit_failures < 20; i++) {
		for (k = 0; k < 16; k++)
			b[k] = (u8)(rnd() >> 30);
		switch (rnd() % 8) {
		case 0:
			b[0] = 0x0f;
			break;
		case 1:
			b[0] = rnd() % 2 ? 0xf3 : 0xf2;
			b[1] = (u8)(0xa4 + rnd() % 12);
			break;
		case 2:
			b[0] = 0xf3;
			b[1] = (u8)(0x6c + rnd() % 4);
			break;
		case 3:			/* POP to memory, by rSP too */
			b[0] = 0x8f;
			b[1] = rnd() % 2 ? 0x04 : b[1] & 0xc7;
			b[2] = rnd() % 2 ? 0x24 : b[2];
			break;
		default:
			break;
		}
		interrupt_everywhere(b, (enum hv_insn_mode)(rnd() % 4));
	}
}

/* --- REP */

static void rep_budget_and_yield(void)
{
	reset(HV_INSN_LONG64);
	m.gpr[HV_GPR_RSI] = 0x1000;
	m.gpr[HV_GPR_RDI] = 0x2000;
	m.gpr[HV_GPR_RCX] = 10;
	m.cpu.budget = 4;
	memcpy(m.mem + 0x1000, "0123456789", 10);
	CHECK_EQ(run("\xf3\xa4" PAD), HV_INSN_PARTIAL);
	CHECK_EQ(m.gpr[HV_GPR_RCX], 6);
	CHECK_EQ(m.gpr[HV_GPR_RSI], 0x1004);
	CHECK_EQ(m.cpu.rip, 0x100);
	m.calls = 0;
	m.fail_call = 4;
	m.fail_with = HV_INSN_YIELD;		/* the write of the second iteration */
	CHECK_EQ(run("\xf3\xa4" PAD), HV_INSN_PARTIAL);
	CHECK_EQ(m.gpr[HV_GPR_RCX], 4);
	m.cpu.budget = 0;			/* counts as 1 */
	CHECK_EQ(run("\xf3\xa4" PAD), HV_INSN_PARTIAL);
	CHECK_EQ(m.gpr[HV_GPR_RCX], 3);
	m.cpu.budget = 3;
	CHECK_EQ(run("\xf3\xa4" PAD), HV_INSN_DONE);
	CHECK_EQ(m.cpu.rip, 0x102);
	CHECK(!memcmp(m.mem + 0x2000, "0123456789", 11));
	/* the last iteration yields: nothing is left, so it retires */
	m.gpr[HV_GPR_RCX] = 1;
	m.calls = 0;
	m.fail_call = 1;
	CHECK_EQ(run("\xf3\xaa" PAD), HV_INSN_DONE);
	/* a wait in the middle of REPE CMPSB leaves the flags of what was compared */
	m.gpr[HV_GPR_RCX] = 2;
	m.gpr[HV_GPR_RSI] = m.gpr[HV_GPR_RDI];
	m.cpu.rflags &= ~(u64)HV_FLAG_ZF;
	m.calls = 0;
	m.fail_call = 3;
	m.fail_with = -EAGAIN;
	CHECK_EQ(run("\xf3\xa6" PAD), -EAGAIN);
	CHECK_EQ(m.gpr[HV_GPR_RCX], 1);
	CHECK(m.cpu.rflags & HV_FLAG_ZF);
	/* repne scasb over a wide budget */
	reset(HV_INSN_LONG64);
	m.gpr[HV_GPR_RDI] = 0x1000;
	m.gpr[HV_GPR_RCX] = ~0ull;
	m.mem[0x1005] = 7;
	m.gpr[HV_GPR_RAX] = 7;
	CHECK_EQ(run("\xf2\xae" PAD), HV_INSN_DONE);
	CHECK_EQ(m.gpr[HV_GPR_RDI], 0x1006);
	CHECK_EQ(m.gpr[HV_GPR_RCX], ~0ull - 6);
	CHECK(m.cpu.rflags & HV_FLAG_ZF);
}

static void string_ports(void)
{
	unsigned int i;

	reset(HV_INSN_LONG64);
	m.gpr[HV_GPR_RDI] = 0x1ff6;		/* 10 bytes before a page ends */
	m.gpr[HV_GPR_RCX] = 300;
	m.gpr[HV_GPR_RDX] = 0x1f0;
	CHECK_EQ(run("\x66\xf3\x6d" PAD), HV_INSN_DONE);	/* rep insw */
	CHECK_EQ(m.note[0].count, 5);
	CHECK_EQ(m.note[0].port, 0x1f0);
	CHECK_EQ(m.note[0].size, 2);
	CHECK_EQ(m.note[1].count, 128);
	CHECK_EQ(m.notes, 4);
	for (i = 0; i < 600; i++)
		CHECK_EQ(m.mem[0x1ff6 + i], (u8)i);
	CHECK_EQ(m.gpr[HV_GPR_RDI], 0x1ff6 + 600);
	/* the port is not read when the memory is not there */
	reset(HV_INSN_LONG64);
	m.fail_call = 1;
	m.fail_with = -EAGAIN;
	CHECK_EQ(run("\x6c" PAD), -EAGAIN);
	CHECK_EQ(m.notes, 0);
	CHECK_EQ(m.probes, 1);
	CHECK_EQ(run("\x6c" PAD), HV_INSN_DONE);
	CHECK_EQ(m.notes, 1);
	/* downwards one by one */
	reset(HV_INSN_LONG64);
	m.cpu.rflags |= HV_FLAG_DF;
	m.gpr[HV_GPR_RSI] = 0x1008;
	m.gpr[HV_GPR_RCX] = 3;
	CHECK_EQ(run("\xf3\x6f" PAD), HV_INSN_DONE);		/* rep outsl */
	CHECK_EQ(m.notes, 3);
	CHECK_EQ(m.gpr[HV_GPR_RSI], 0x1008 - 12);
	/* a segment's end inside a batch: up to it, then the fault */
	reset(HV_INSN_PROT32);
	m.seg[HV_SEG_ES].limit = 0x1003;
	m.gpr[HV_GPR_RDI] = 0x1000;
	m.gpr[HV_GPR_RCX] = 9;
	CHECK_EQ(run("\xf3\x6c" PAD), HV_INSN_FAULT);
	CHECK_EQ(m.cpu.fault.vector, HV_VEC_GP);
	CHECK_EQ(m.gpr[HV_GPR_RCX], 5);
	CHECK_EQ(m.notes, 4);
	/* IN and OUT */
	reset(HV_INSN_REAL16);
	m.port_byte = 0x5a;
	CHECK_EQ(run("\xe4\x61" PAD), HV_INSN_DONE);
	CHECK_EQ(m.gpr[HV_GPR_RAX], 0x5a);
	CHECK_EQ(m.note[0].port, 0x61);
	CHECK_EQ(run("\x66\xef" PAD), HV_INSN_DONE);
	CHECK_EQ(m.note[1].size, 4);
}

/* --- what user mode cannot do */

static void real_mode(void)
{
	reset(HV_INSN_REAL16);
	m.gpr[HV_GPR_RAX] = 0x123;
	CHECK_EQ(run("\x8e\xd8" PAD), HV_INSN_DONE);		/* mov %ax, %ds */
	CHECK_EQ(m.seg[HV_SEG_DS].base, 0x1230);
	CHECK_EQ(m.seg[HV_SEG_DS].limit, 0xffff);
	CHECK_EQ(run("\x8e\xd0" PAD), HV_INSN_DONE);		/* mov %ax, %ss */
	CHECK(m.cpu.out & HV_INSN_OUT_SHADOW);
	m.mem[0x1235] = 0x77;
	CHECK_EQ(run("\xa0\x05\x00" PAD), HV_INSN_DONE);	/* mov 5, %al */
	CHECK_EQ(m.gpr[HV_GPR_RAX], 0x177);
	CHECK_EQ(run("\x67\x8b\x86\xfe\xff\x00\x00" PAD), HV_INSN_DONE);
	m.gpr[HV_GPR_RSI] = 1;
	CHECK_EQ(run("\x67\x8b\x86\xfe\xff\x00\x00" PAD), HV_INSN_FAULT);	/* ends at 0x10000 */
	CHECK_EQ(m.cpu.fault.vector, HV_VEC_GP);
	CHECK(!m.cpu.fault.has_error);
	/* far call, far return */
	reset(HV_INSN_REAL16);
	m.gpr[HV_GPR_RSP] = 0x4000;
	m.seg[HV_SEG_CS].selector = 0x55;
	CHECK_EQ(run("\x9a\x34\x12\x78\x06" PAD), HV_INSN_DONE);
	CHECK_EQ(m.cpu.rip, 0x1234);
	CHECK_EQ(m.seg[HV_SEG_CS].base, 0x6780);
	CHECK(m.cpu.out & HV_INSN_OUT_MODE);
	CHECK_EQ(m.gpr[HV_GPR_RSP], 0x3ffc);
	CHECK_EQ(get_unaligned_le32(m.mem + 0x3ffc), 0x550105);
	CHECK_EQ(run("\xca\x02\x00" PAD), HV_INSN_DONE);
	CHECK_EQ(m.cpu.rip, 0x105);
	CHECK_EQ(m.seg[HV_SEG_CS].base, 0x550);
	CHECK_EQ(m.gpr[HV_GPR_RSP], 0x4002);
}

static void real_mode_interrupts(void)
{
	reset(HV_INSN_REAL16);
	m.gpr[HV_GPR_RSP] = 0x4000;
	m.cpu.rflags |= HV_FLAG_CF | HV_FLAG_TF;
	put_unaligned_le32(0x01002222, m.mem + 4 * 0x10);
	CHECK_EQ(run("\xcd\x10" PAD), HV_INSN_DONE);
	CHECK_EQ(m.cpu.rip, 0x2222);
	CHECK_EQ(m.seg[HV_SEG_CS].base, 0x1000);
	CHECK_EQ(m.cpu.rflags, HV_FLAG_FIXED | HV_FLAG_CF);
	CHECK_EQ(m.gpr[HV_GPR_RSP], 0x3ffa);
	CHECK_EQ(get_unaligned_le16(m.mem + 0x3ffa), 0x102);
	CHECK_EQ(run("\xcf" PAD), HV_INSN_DONE);
	CHECK_EQ(m.cpu.rip, 0x102);
	CHECK(m.cpu.rflags & HV_FLAG_IF);
	CHECK(m.cpu.rflags & HV_FLAG_TF);
	CHECK(m.cpu.out & HV_INSN_OUT_NMI_DONE);
	m.idt.limit = 0x3f;
	CHECK_EQ(run("\xcd\x10" PAD), HV_INSN_FAULT);
	CHECK_EQ(m.cpu.fault.vector, HV_VEC_GP);
	CHECK_EQ(run("\xce" PAD), HV_INSN_DONE);	/* INTO, OF clear */
}

/* The way of boot code: lgdt, cr0, far jump, data segments, long mode. */
static void into_protected_mode(void)
{
	reset(HV_INSN_REAL16);
	put_unaligned_le64(0x00cf9a000000ffff, m.mem + GDT + 8);	/* 32-bit code */
	put_unaligned_le64(0x00cf92000000ffff, m.mem + GDT + 16);
	put_unaligned_le64(0x00af9a000000ffff, m.mem + GDT + 24);	/* 64-bit code */
	put_unaligned_le64(0x00cf12000000ffff, m.mem + GDT + 32);	/* not present */
	put_unaligned_le64(0x00cff2000000ffff, m.mem + GDT + 40);	/* DPL 3 */
	put_unaligned_le16(0x2f, m.mem + 0x500);
	put_unaligned_le32(GDT, m.mem + 0x502);
	CHECK_EQ(run("\x0f\x01\x16\x00\x05" PAD), HV_INSN_DONE);	/* lgdt 0x500 */
	CHECK_EQ(m.gdt.base, GDT);
	CHECK_EQ(m.gdt.limit, 0x2f);
	m.gpr[HV_GPR_RAX] = 1;
	CHECK_EQ(run("\x0f\x22\xc0" PAD), HV_INSN_DONE);		/* mov %eax, %cr0 */
	CHECK_EQ(m.cr[0], 1);
	CHECK(m.cpu.out & HV_INSN_OUT_MODE);
	m.cpu.mode = HV_INSN_PROT16;
	CHECK_EQ(run("\x66\xea\x34\x12\x00\x00\x08\x00" PAD), HV_INSN_DONE);
	CHECK_EQ(m.cpu.rip, 0x1234);
	CHECK_EQ(m.seg[HV_SEG_CS].attr, 0xc9b);
	CHECK_EQ(m.seg[HV_SEG_CS].limit, 0xffffffff);
	CHECK_EQ(m.mem[GDT + 8 + 5], 0x9b);			/* accessed */
	m.cpu.mode = HV_INSN_PROT32;
	m.gpr[HV_GPR_RAX] = 16;
	CHECK_EQ(run("\x8e\xd0" PAD), HV_INSN_DONE);
	CHECK_EQ(m.seg[HV_SEG_SS].attr, 0xc93);
	m.gpr[HV_GPR_RAX] = 32;
	CHECK_EQ(run("\x8e\xd8" PAD), HV_INSN_FAULT);
	CHECK_EQ(m.cpu.fault.vector, HV_VEC_NP);
	CHECK_EQ(m.cpu.fault.error, 32);
	m.gpr[HV_GPR_RAX] = 48;
	CHECK_EQ(run("\x8e\xd8" PAD), HV_INSN_FAULT);		/* beyond the table */
	CHECK_EQ(m.cpu.fault.vector, HV_VEC_GP);
	CHECK_EQ(m.cpu.fault.error, 48);
	m.gpr[HV_GPR_RAX] = 40;
	CHECK_EQ(run("\x8e\xd0" PAD), HV_INSN_FAULT);		/* SS: DPL is not CPL */
	CHECK_EQ(run("\x8e\xd8" PAD), HV_INSN_DONE);
	m.gpr[HV_GPR_RAX] = 0;
	CHECK_EQ(run("\x8e\xd8" PAD), HV_INSN_DONE);
	CHECK_EQ(m.seg[HV_SEG_DS].attr, 0);
	CHECK_EQ(run("\x8b\x03" PAD), HV_INSN_FAULT);		/* through a null segment */
	CHECK_EQ(run("\xea\x00\x20\x00\x00\x18\x00" PAD), HV_INSN_DONE);
	CHECK_EQ(m.seg[HV_SEG_CS].attr, 0xa9b);
	CHECK_EQ(run("\x9a\x00\x20\x00\x00\x18\x00" PAD), -EOPNOTSUPP);
}

static void system_registers(void)
{
	static const char * const kernel_only[] = {
		"\xf4", "\x0f\x01\x10", "\x0f\x01\x18", "\x0f\x20\xc0", "\x0f\x22\xd8", "\x0f\x21\xf8",
		"\x0f\x32", "\x0f\x30", "\x0f\x01\x38", "\x0f\x01\xf0", "\x0f\x00\xd0",
	};
	char b[32];
	unsigned int i;

	reset(HV_INSN_LONG64);
	CHECK_EQ(run("\xf4" PAD), HV_INSN_DONE);
	CHECK(m.cpu.out & HV_INSN_OUT_HALT);
	m.gpr[HV_GPR_RCX] = 0x10;
	m.gpr[HV_GPR_RAX] = 0xaaaaaaaa11111111;
	m.gpr[HV_GPR_RDX] = 0xbbbbbbbb22222222;
	CHECK_EQ(run("\x0f\x30" PAD), HV_INSN_DONE);
	CHECK_EQ(m.msr, 0x2222222211111111 - 0x10);
	CHECK_EQ(run("\x0f\x32" PAD), HV_INSN_DONE);
	CHECK_EQ(m.gpr[HV_GPR_RAX], 0x11111111);
	CHECK_EQ(m.gpr[HV_GPR_RDX], 0x22222222);
	m.cr[8] = 5;
	CHECK_EQ(run("\x44\x0f\x20\xc0" PAD), HV_INSN_DONE);	/* mov %cr8, %rax */
	CHECK_EQ(m.gpr[HV_GPR_RAX], 5);
	m.cr[0] = 0x80000011;
	CHECK_EQ(run("\x0f\x01\xe0" PAD), HV_INSN_DONE);	/* smsw %eax */
	CHECK_EQ(m.gpr[HV_GPR_RAX], 0x80000011);
	m.gpr[HV_GPR_RAX] = 0xe;
	CHECK_EQ(run("\x0f\x01\xf0" PAD), HV_INSN_DONE);	/* lmsw does not clear PE */
	CHECK_EQ(m.cr[0], 0x8000001f);
	m.gpr[HV_GPR_RBX] = 0x700;
	CHECK_EQ(run("\x0f\x01\x03" PAD), HV_INSN_DONE);	/* sgdt (%rbx) */
	CHECK_EQ(get_unaligned_le64(m.mem + 0x702), GDT);
	CHECK_EQ(run("\x0f\xa2" PAD), -EOPNOTSUPP);		/* no cpuid callback here */
	CHECK_EQ(run("\x0f\x01\x3b" PAD), -EOPNOTSUPP);
	m.cpu.cpl = 3;
	for (i = 0; i < ARRAY_SIZE(kernel_only); i++) {
		memset(b, 0, sizeof(b));
		memcpy(b, kernel_only[i], i ? i == 6 || i == 7 ? 2 : 3 : 1);
		CHECK_EQ(run(b), HV_INSN_FAULT);
		CHECK_EQ(m.cpu.fault.vector, HV_VEC_GP);
		CHECK(m.cpu.fault.has_error);
	}
	CHECK_EQ(run("\x0f\x01\x03" PAD), HV_INSN_DONE);
	m.cpu.umip = true;
	CHECK_EQ(run("\x0f\x01\x03" PAD), HV_INSN_FAULT);
	CHECK_EQ(run("\xfa" PAD), HV_INSN_FAULT);
	m.cpu.cpl = 0;
	CHECK_EQ(run("\xfa" PAD), HV_INSN_DONE);
	CHECK(!(m.cpu.rflags & HV_FLAG_IF));
	CHECK_EQ(run("\xfb" PAD), HV_INSN_DONE);
	CHECK(m.cpu.out & HV_INSN_OUT_SHADOW);
}

/* LOCK: what was read is checked again, and another's change is not lost. */
static unsigned int steals;

static int stealing_cmpxchg(struct hv_insn_cpu *cpu, u64 la, void *old, const void *new,
			    unsigned int size, bool *done)
{
	if (steals) {
		steals--;
		m.mem[la] += 16;
	}
	return mem_cmpxchg(cpu, la, old, new, size, done);
}

static void locked(void)
{
	struct hv_insn_ops thief = ops;

	thief.mem_cmpxchg = stealing_cmpxchg;
	reset(HV_INSN_LONG64);
	m.cpu.ops = &thief;
	m.gpr[HV_GPR_RBX] = 0x100;
	m.gpr[HV_GPR_RAX] = 3;
	steals = 3;
	CHECK_EQ(run("\xf0\x0f\xc0\x03" PAD), HV_INSN_DONE);	/* lock xadd %al, (%rbx) */
	CHECK_EQ(m.mem[0x100], 51);
	CHECK_EQ(m.gpr[HV_GPR_RAX], 48);
	/* the second try starts from the flags as they were */
	steals = 1;
	m.mem[0x100] = 0xf0;
	m.gpr[HV_GPR_RAX] = 0x10;
	m.cpu.rflags &= ~(u64)HV_FLAG_CF;
	CHECK_EQ(run("\xf0\x10\x03" PAD), HV_INSN_DONE);	/* lock adc %al, (%rbx) */
	CHECK_EQ(m.mem[0x100], 0x10);
	CHECK(!(m.cpu.rflags & HV_FLAG_CF));
	m.mem[0x100] = 51;
	m.gpr[HV_GPR_RAX] = 48;
	steals = 1;
	CHECK_EQ(run("\x86\x03" PAD), HV_INSN_DONE);		/* xchg locks by itself */
	CHECK_EQ(m.mem[0x100], 48);
	CHECK_EQ(m.gpr[HV_GPR_RAX], 67);
	/* who never gets through comes back as it was, and may be interrupted */
	steals = 1000;
	CHECK_EQ(run("\xf0\x10\x03" PAD), -EAGAIN);
	CHECK_EQ(m.gpr[HV_GPR_RAX], 67);
	CHECK(steals > 900);
	steals = 0;
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 0) : 800;

	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0) | 1;
	rep_budget_and_yield();
	string_ports();
	real_mode();
	real_mode_interrupts();
	into_protected_mode();
	system_registers();
	locked();
	random_interruptions(n);
	return unit_done();
}
