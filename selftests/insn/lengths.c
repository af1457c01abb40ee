// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * lengths.c - instruction lengths against the Zydis disassembler
 *
 *	lengths [instances [seed]]
 *
 * Random bytes with likely prefixes, in all four modes. What Zydis knows must
 * have the same length here, and what it does not must not be executable here.
 * Set aside: UD0, UD1 and UD2, which have a length but only fault; Knights Corner
 * and PadLock, which no CPU we run on has; MPX encodings, which are hint NOPs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <Zydis/Zydis.h>
#include "arch/x86/lib/insn_decode.h"

static const struct {
	ZydisMachineMode machine;
	ZydisStackWidth stack;
	enum hv_insn_mode mode;
} modes[] = {
	{ ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16, HV_INSN_REAL16 },
	{ ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16, HV_INSN_PROT16 },
	{ ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32, HV_INSN_PROT32 },
	{ ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64, HV_INSN_LONG64 },
};

static ZydisDecoder decoders[4];
static u64 seed;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void random_bytes(u8 *b)
{
	static const u8 prefixes[] = {
		0x66, 0x67, 0xf2, 0xf3, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65, 0xf0, 0x48, 0x41, 0x44, 0x4f,
		0x40,
	};
	static const u8 vectors[] = { 0xc4, 0xc5, 0x62, 0x8f };
	u64 r = rnd();
	unsigned int i, p = 0;

	for (i = 0; i < 16; i++)
		b[i] = (u8)(rnd() >> 20);
	for (i = r & 1 ? r >> 1 & 3 : 0; i; i--)
		b[p++] = prefixes[rnd() % sizeof(prefixes)];
	if ((r >> 4 & 3) == 0) {
		b[p] = 0x0f;
	} else if ((r >> 4 & 15) == 1) {
		b[p++] = 0x0f;
		b[p] = r & 0x100 ? 0x38 : 0x3a;
	} else if ((r >> 4 & 31) == 2) {
		b[p] = vectors[r >> 12 & 3];
	}
}

static bool set_aside(const ZydisDecodedInstruction *z)
{
	bool map1 = z->opcode_map == ZYDIS_OPCODE_MAP_0F;

	return z->mnemonic == ZYDIS_MNEMONIC_UD0 || z->mnemonic == ZYDIS_MNEMONIC_UD1 ||
		z->mnemonic == ZYDIS_MNEMONIC_UD2 || (map1 && (z->opcode & 0xfe) == 0xa6) ||
		z->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX ||
		/* JKZD and JKNZD of Knights Corner */
		(z->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && (z->opcode & 0xee) == 0x84 && map1) ||
		(z->encoding == ZYDIS_INSTRUCTION_ENCODING_VEX && (z->opcode & 0xfe) == 0x74 &&
		 z->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT);
}

static const char *compare(const u8 *b, unsigned int m)
{
	ZydisDecodedInstruction z;
	struct hv_insn insn;
	bool known = ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoders[m], NULL, b, 15, &z));
	int ret = hv_insn_decode(b, 15, modes[m].mode, &insn);

	if (known && set_aside(&z))
		return NULL;
	if (known && ret)
		return "not known here";
	if (known && insn.len != z.length)
		return "length";
	if (!known && !ret && insn.op != HV_INSN_OP_OTHER && !(insn.map == 1 && (insn.opcode & 0xfe) == 0x1a))
		return "not known to Zydis";
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 2000000, i, bad = 0;
	const char *why;
	unsigned int k, m;
	u8 b[16];

	seed = (argc > 2 ? strtoull(argv[2], NULL, 0) : (u64)time(NULL) * 0x9e3779b97f4a7c15ull) | 1;
	printf("seed %#llx\n", seed);
	for (m = 0; m < 4; m++) {
		ZydisDecoderInit(&decoders[m], modes[m].machine, modes[m].stack);
		ZydisDecoderEnableMode(&decoders[m], ZYDIS_DECODER_MODE_KNC, ZYAN_FALSE);
	}
	for (i = 0; i < n && bad < 20; i++) {
		random_bytes(b);
		m = rnd() & 3;
		why = compare(b, m);
		if (!why)
			continue;
		bad++;
		printf("%s, mode %u:", why, m);
		for (k = 0; k < 15; k++)
			printf(" %02x", b[k]);
		printf("\n");
	}
	printf("%lu instances, %lu differ\n", i, bad);
	return bad != 0;
}
