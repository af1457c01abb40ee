// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * insn_decode_test.c - the decoder on known encodings, and the short cuts beside it
 *
 * insn_oracle_test compares with the CPU; here stands what it can't see:
 * answers for bytes that do not suffice, lengths of what is never executed, and
 * the moves that MMIO takes without the executor.
 */
#include "arch/x86/lib/insn_decode.h"
#include "lib/unit.h"

#define R16	HV_INSN_REAL16
#define P16	HV_INSN_PROT16
#define P32	HV_INSN_PROT32
#define L64	HV_INSN_LONG64

/* Lengths by hand from the manuals; 0 means -EINVAL. */
static const struct {
	const char *bytes;
	u8 given, mode, len, op;
} lengths[] = {
	{ "\x90", 1, L64, 1, HV_INSN_OP_NOP },
	{ "\xf3\x90", 2, L64, 2, HV_INSN_OP_NOP },
	{ "\x49\x90", 2, L64, 2, HV_INSN_OP_XCHG },
	{ "\x89\x18", 2, L64, 2, HV_INSN_OP_MOV },
	{ "\x89\x1d\x01\x02\x03\x04", 6, L64, 6, HV_INSN_OP_MOV },
	{ "\x89\x1c\x25\x01\x02\x03\x04", 7, L64, 7, HV_INSN_OP_MOV },
	{ "\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10, L64, 10, HV_INSN_OP_MOV },
	{ "\xb8\x01\x02\x03\x04", 5, P32, 5, HV_INSN_OP_MOV },
	{ "\xb8\x01\x02", 3, R16, 3, HV_INSN_OP_MOV },
	{ "\x66\xb8\x01\x02\x03\x04", 6, R16, 6, HV_INSN_OP_MOV },
	{ "\xa1\x01\x02\x03\x04\x05\x06\x07\x08", 9, L64, 9, HV_INSN_OP_MOV },
	{ "\x67\xa1\x01\x02\x03\x04", 6, L64, 6, HV_INSN_OP_MOV },
	{ "\xc7\x80\x01\x02\x03\x04\x05\x06\x07\x08", 10, L64, 10, HV_INSN_OP_MOV },
	{ "\xf6\x00\x01", 3, L64, 3, HV_INSN_OP_TEST },
	{ "\xf6\x10", 2, L64, 2, HV_INSN_OP_NOT },
	{ "\xf7\x00\x01\x02\x03\x04", 6, L64, 6, HV_INSN_OP_TEST },
	{ "\x66\xf7\x00\x01\x02", 5, L64, 5, HV_INSN_OP_TEST },
	{ "\xc8\x01\x02\x03", 4, L64, 4, HV_INSN_OP_ENTER },
	{ "\xea\x01\x02\x03\x04", 5, R16, 5, HV_INSN_OP_JMP_FAR },
	{ "\xea\x01\x02\x03\x04\x05\x06", 7, P32, 7, HV_INSN_OP_JMP_FAR },
	{ "\xea\x01\x02\x03\x04\x05\x06", 7, L64, 0, 0 },
	{ "\x66\xe9\x01\x02\x03\x04", 6, L64, 6, HV_INSN_OP_JMP },
	{ "\x66\xe9\x01\x02", 4, P32, 4, HV_INSN_OP_JMP },
	{ "\x0f\x38\xf0\x00", 4, L64, 4, HV_INSN_OP_MOVBE },
	{ "\xf2\x0f\x38\xf0\xc0", 5, L64, 5, HV_INSN_OP_OTHER },
	{ "\x0f\x3a\x0f\xc1\x08", 5, L64, 5, HV_INSN_OP_OTHER },
	{ "\x0f\x01\xd9", 3, L64, 3, HV_INSN_OP_OTHER },		/* VMMCALL */
	{ "\x0f\x01\x10", 3, L64, 3, HV_INSN_OP_LGDT },
	{ "\x0f\x22\x00", 3, L64, 3, HV_INSN_OP_MOV_CR },	/* mod is ignored */
	{ "\x44\x0f\x22\xc0", 4, L64, 4, HV_INSN_OP_MOV_CR },	/* CR8 */
	{ "\x0f\x22\xc8", 3, L64, 0, 0 },			/* CR1 */
	{ "\xf3\x0f\x6f\x00", 4, L64, 4, HV_INSN_OP_VMOV },
	{ "\xc5\xfe\x6f\x00", 4, L64, 4, HV_INSN_OP_VMOV },
	{ "\xc5\xfe\x6f\xc0", 4, L64, 4, HV_INSN_OP_OTHER },
	{ "\xc5\x00", 2, P32, 2, HV_INSN_OP_LOAD_FAR },
	{ "\xc5\xf8\x77", 3, P32, 3, HV_INSN_OP_OTHER },
	{ "\xc5\xf8\x77", 3, R16, 0, 0 },
	{ "\x62\xf1\x7c\x48\x10\x00", 6, L64, 6, HV_INSN_OP_OTHER },	/* EVEX */
	{ "\x62\xf3\x75\x48\x25\xc2\xff", 7, L64, 7, HV_INSN_OP_OTHER },
	{ "\x62\x00", 2, P32, 2, HV_INSN_OP_BOUND },
	{ "\x8f\xe8\x78\xc0\xc0\x01", 6, L64, 6, HV_INSN_OP_OTHER },	/* XOP */
	{ "\x8f\x00", 2, L64, 2, HV_INSN_OP_POP },
	{ "\x8f\x20", 2, L64, 0, 0 },
	{ "\x06", 1, L64, 0, 0 },
	{ "\x06", 1, P32, 1, HV_INSN_OP_PUSH_SEG },
	{ "\x40", 1, P32, 1, HV_INSN_OP_INC },
	{ "\x4f", 1, P32, 1, HV_INSN_OP_DEC },
	{ "\x0f\x0b", 2, L64, 0, 0 },				/* UD2 */
	{ "\xf0\x01\x00", 3, L64, 3, HV_INSN_OP_ADD },
	{ "\xf0\x01\xc0", 3, L64, 0, 0 },			/* LOCK needs memory */
	{ "\xf0\x89\x00", 3, L64, 0, 0 },			/* and a read-modify-write */
	{ "\xf0\x38\x00", 3, L64, 0, 0 },
	{ "\x63\xc0", 2, L64, 2, HV_INSN_OP_MOVSX },
	{ "\x63\xc0", 2, R16, 0, 0 },
	{ "\xd9\x00", 2, L64, 2, HV_INSN_OP_OTHER },
};

static void golden_lengths(void)
{
	struct hv_insn insn;
	unsigned int i, k;
	int ret;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		ret = hv_insn_decode((const u8 *)lengths[i].bytes, lengths[i].given,
				     (enum hv_insn_mode)lengths[i].mode, &insn);
		if (ret != (lengths[i].len ? 0 : -EINVAL))
			fprintf(stderr, "row %u\n", i);
		CHECK_EQ(ret, lengths[i].len ? 0 : -EINVAL);
		if (ret)
			continue;
		CHECK_EQ(insn.len, lengths[i].len);
		CHECK_EQ(insn.op, lengths[i].op);
		for (k = 0; k < insn.len; k++)
			CHECK_EQ(hv_insn_decode((const u8 *)lengths[i].bytes, k,
						(enum hv_insn_mode)lengths[i].mode, &insn), -ENODATA);
	}
}

static void too_long(void)
{
	u8 b[16];
	struct hv_insn insn;

	memset(b, 0x66, sizeof(b));
	b[14] = 0x90;
	CHECK_EQ(hv_insn_decode(b, 15, L64, &insn), 0);
	CHECK_EQ(insn.len, 15);
	CHECK_EQ(hv_insn_decode(b, 14, L64, &insn), -ENODATA);
	b[14] = 0x66;
	b[15] = 0x90;
	CHECK_EQ(hv_insn_decode(b, 16, L64, &insn), -E2BIG);
	CHECK_EQ(hv_insn_len_fixed(b, 16, HV_OPCODE1(0x90), 1, L64), -E2BIG);
	/* a 16th byte is never part of it */
	b[14] = 0xb0;
	CHECK_EQ(hv_insn_decode(b, 16, L64, &insn), -E2BIG);
}

static void operands(void)
{
	struct hv_insn i;

	/* mov %ax, 0x10(%r12,%r13,4) */
	CHECK_EQ(hv_insn_decode((const u8 *)"\x66\x43\x89\x44\xac\x10", 6, L64, &i), 0);
	CHECK_EQ(i.opsize, 2);
	CHECK_EQ(i.base, HV_GPR_R12);
	CHECK_EQ(i.index, HV_GPR_R13);
	CHECK_EQ(i.scale, 2);
	CHECK_EQ(i.disp, 0x10);
	CHECK_EQ(i.seg, HV_SEG_DS);
	CHECK_EQ(i.reg, HV_GPR_RAX);
	/* the stack segment by base, and a prefix over it */
	CHECK_EQ(hv_insn_decode((const u8 *)"\x89\x45\xf0", 3, P32, &i), 0);
	CHECK_EQ(i.seg, HV_SEG_SS);
	CHECK_EQ(i.disp, -16);
	CHECK_EQ(hv_insn_decode((const u8 *)"\x3e\x89\x45\xf0", 4, P32, &i), 0);
	CHECK_EQ(i.seg, HV_SEG_DS);
	/* in long mode FS stays though CS follows, and CS alone is nothing */
	CHECK_EQ(hv_insn_decode((const u8 *)"\x64\x2e\x89\x00", 4, L64, &i), 0);
	CHECK_EQ(i.seg, HV_SEG_FS);
	CHECK_EQ(hv_insn_decode((const u8 *)"\x2e\x89\x45\xf0", 4, L64, &i), 0);
	CHECK_EQ(i.seg, HV_SEG_SS);
	/* 16-bit: bp+di+disp16 */
	CHECK_EQ(hv_insn_decode((const u8 *)"\x89\x83\x00\x80", 4, R16, &i), 0);
	CHECK_EQ(i.base, HV_GPR_RBP);
	CHECK_EQ(i.index, HV_GPR_RDI);
	CHECK_EQ(i.disp, -0x8000);
	/* a REX that another prefix follows counts for nothing */
	CHECK_EQ(hv_insn_decode((const u8 *)"\x48\x66\x89\x00", 4, L64, &i), 0);
	CHECK_EQ(i.opsize, 2);
	CHECK(!(i.flags & HV_INSN_F_REX));
	/* the last of F2, F3 counts */
	CHECK_EQ(hv_insn_decode((const u8 *)"\xf2\xf3\xa6", 3, L64, &i), 0);
	CHECK((i.flags & HV_INSN_F_REP) && !(i.flags & HV_INSN_F_REPNE));
	CHECK_EQ(hv_insn_decode((const u8 *)"\x48\xff\xe0", 3, L64, &i), 0);
	CHECK_EQ(i.op, HV_INSN_OP_JMP);
	CHECK_EQ(i.opsize, 8);
}

static void fixed_length(void)
{
	const u32 cpuid = HV_OPCODE2(0x0f, 0xa2), vmmcall = HV_OPCODE3(0x0f, 0x01, 0xd9);

	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x0f\xa2\x89\xd8", 4, cpuid, 2, L64), 2);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x0f\xa2", 2, cpuid, 2, L64), 2);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x0f", 1, cpuid, 2, L64), -ENODATA);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"", 0, cpuid, 2, L64), -ENODATA);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x0f\x31\x00\x00", 4, cpuid, 2, L64), -EINVAL);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x66\x48\x0f\xa2\x00", 5, cpuid, 2, L64), 4);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x48\x0f\xa2\x00", 4, cpuid, 2, P32), -EINVAL);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\xf0\x0f\xa2\x00", 4, cpuid, 2, L64), -EINVAL);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x2e\x36\x3e\x26\x64\x65\x66\x67\xf2\xf3\x0f\xa2", 12,
				   cpuid, 2, P32), 12);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x0f\x01\xd9\x90", 4, vmmcall, 3, L64), 3);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\x0f\x01\xc1\x90", 4, vmmcall, 3, L64), -EINVAL);
	CHECK_EQ(hv_insn_len_fixed((const u8 *)"\xf4\x01\xc1\x90", 4, HV_OPCODE1(0xf4), 1, R16), 1);
}

static struct hv_insn_move move_of(const char *bytes, enum hv_insn_mode mode, bool is)
{
	struct hv_insn_move m = { 0 };
	struct hv_insn i;

	CHECK_EQ(hv_insn_decode((const u8 *)bytes, 15, mode, &i), 0);
	CHECK_EQ(hv_insn_as_move(&i, &m), is);
	return m;
}

#define PAD "\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static void moves(void)
{
	u64 gpr[HV_GPR_NR] = { [HV_GPR_RAX] = 0x1122334455667788, [HV_GPR_R9] = 0x99 };
	struct hv_insn_move m;

	m = move_of("\x89\x01" PAD, L64, true);			/* mov %eax, (%rcx) */
	CHECK(m.write && m.size == 4);
	CHECK_EQ((u32)hv_insn_move_value(&m, gpr), 0x55667788);
	m = move_of("\x88\x21" PAD, L64, true);			/* mov %ah, (%rcx) */
	CHECK(m.write && m.size == 1);
	CHECK_EQ((u8)hv_insn_move_value(&m, gpr), 0x77);
	m = move_of("\x44\x88\x09" PAD, L64, true);		/* mov %r9b, (%rcx) */
	CHECK_EQ((u8)hv_insn_move_value(&m, gpr), 0x99);
	m = move_of("\x48\xc7\x01\xff\xff\xff\xff" PAD, L64, true);	/* movq $-1, (%rcx) */
	CHECK(m.write && m.size == 8);
	CHECK_EQ(hv_insn_move_value(&m, gpr), ~0ull);
	m = move_of("\x8a\x21" PAD, L64, true);			/* mov (%rcx), %ah */
	CHECK(!m.write && m.gpr == HV_GPR_RAX);
	CHECK_EQ(hv_insn_move_result(&m, gpr[0], 0xabcd), 0x112233445566cd88);
	m = move_of("\x66\x8b\x01" PAD, L64, true);
	CHECK_EQ(hv_insn_move_result(&m, gpr[0], 0x1abcd), 0x112233445566abcd);
	m = move_of("\x8b\x01" PAD, L64, true);
	CHECK_EQ(hv_insn_move_result(&m, gpr[0], ~0ull), 0xffffffff);
	m = move_of("\x0f\xb6\x01" PAD, L64, true);		/* movzbl */
	CHECK(m.size == 1 && m.dst_size == 4);
	CHECK_EQ(hv_insn_move_result(&m, gpr[0], 0x1ff), 0xff);
	m = move_of("\x48\x0f\xbf\x01" PAD, L64, true);		/* movswq */
	CHECK_EQ(hv_insn_move_result(&m, gpr[0], 0x8001), 0xffffffffffff8001);
	m = move_of("\x66\x0f\xbe\x01" PAD, L64, true);		/* movsbw */
	CHECK_EQ(hv_insn_move_result(&m, gpr[0], 0x80), 0x112233445566ff80);
	m = move_of("\x63\x01" PAD, L64, true);			/* movslq without REX.W */
	CHECK_EQ(hv_insn_move_result(&m, gpr[0], 0x80000000), 0x80000000);
	m = move_of("\xa3" PAD, L64, true);
	CHECK(m.write && m.gpr == HV_GPR_RAX && m.size == 4);
	m = move_of("\xa0" PAD, L64, true);
	CHECK(!m.write && m.gpr == HV_GPR_RAX && m.size == 1);
	move_of("\x89\xc1" PAD, L64, false);			/* between registers */
	move_of("\xb8\x01" PAD, L64, false);
	move_of("\x0f\xb6\xc1" PAD, L64, false);
	move_of("\x01\x01" PAD, L64, false);			/* add */
	move_of("\x0f\x38\xf0\x01" PAD, L64, false);		/* movbe */
}

/* The short way says what the long way says, and takes what drivers compile to. */
static void moves_at_once(void)
{
	static const u8 starts[] = { 0x88, 0x89, 0x8a, 0x8b, 0xc6, 0xc7, 0x0f, 0x0f, 0x66, 0x48, 0x44, 0x41 };
	unsigned int i, k, n, taken = 0, plain = 0;
	struct hv_insn_move a, b;
	struct hv_insn insn;
	u64 r = 88172645463325252ull;
	u8 c[16];
	bool is;

	for (i = 0; i < 300000; i++) {
		for (k = 0; k < 16; k++) {
			r ^= r << 13;
			r ^= r >> 7;
			r ^= r << 17;
			c[k] = (u8)(r >> 30);
		}
		c[0] = starts[c[15] % sizeof(starts)];
		if (c[0] == 0x0f)
			c[1] = (u8)(0xb6 | (c[14] & 9));
		if (c[0] == 0x66 || (c[0] & 0xf0) == 0x40)
			c[1] = starts[c[14] % sizeof(starts)];
		is = !hv_insn_decode(c, 15, L64, &insn) && hv_insn_as_move(&insn, &a);
		plain += is;
		n = hv_insn_decode_move(c, 15, L64, &b);
		CHECK_EQ(hv_insn_decode_move(c, 14, L64, &b), 0);
		CHECK_EQ(hv_insn_decode_move(c, 15, P32, &b), 0);
		if (!n)
			continue;
		taken++;
		hv_insn_decode_move(c, 15, L64, &b);
		CHECK(is);
		CHECK_EQ(n, insn.len);
		CHECK(a.write == b.write && a.size == b.size && a.gpr == b.gpr && a.shift == b.shift);
		CHECK(a.write || (a.sign == b.sign && a.dst_size == b.dst_size));
		CHECK(a.gpr != HV_GPR_NONE || a.imm == b.imm);
		if (unit_failures > 20)
			return;
	}
	CHECK(taken > 100000);
	CHECK(taken >= plain - plain / 8);
}

int main(void)
{
	moves_at_once();
	golden_lengths();
	too_long();
	operands();
	fixed_length();
	moves();
	return unit_done();
}
