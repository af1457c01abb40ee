// SPDX-License-Identifier: GPL-2.0-or-later
/* cpuid_policy.c - the table of feature words (APM vol. 3, appendix E; SDM vol. 2A, CPUID) */
#include "cpuid_policy.h"

#define B(n)	(1u << (n))

const struct hv_cpuid_row hv_cpuid_rows[] = {
	{ .leaf = 1, .reg = HV_CPUID_EDX,
	  /* FPU VME DE PSE TSC MSR PAE MCE CX8 APIC SEP MTRR PGE MCA CMOV PAT PSE36 CLFSH MMX FXSR SSE SSE2 */
	  .base = B(0) | B(4) | B(5) | B(6) | B(8) | B(9) | B(13) | B(15) | B(16) | B(19) | B(23) |
		  B(24) | B(25) | B(26),
	  .system = B(1) | B(2) | B(3) | B(7) | B(11) | B(12) | B(14) | B(17) },
	{ .leaf = 1, .reg = HV_CPUID_ECX,
	  .v2 = B(0) | B(9) | B(13) | B(19) | B(20) | B(23),	/* SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT */
	  .v3 = B(12) | B(22) | B(26) | B(28) | B(29),		/* FMA MOVBE XSAVE AVX F16C */
	  .host = B(1) | B(17) | B(25) | B(30) },		/* PCLMULQDQ PCID AES RDRAND */
	{ .leaf = 7, .reg = HV_CPUID_EBX,
	  .system = B(0) | B(7) | B(20),			/* FSGSBASE SMEP SMAP */
	  .v3 = B(3) | B(5) | B(8),				/* BMI1 AVX2 BMI2 */
	  .v4 = B(16) | B(17) | B(28) | B(30) | B(31),		/* AVX512 F DQ CD BW VL */
	  .host = B(1) | B(9) | B(18) | B(19) | B(21) | B(23) | B(24) | B(29) },
	  /* TSC_ADJUST ERMS RDSEED ADX IFMA CLFLUSHOPT CLWB SHA */
	{ .leaf = 7, .reg = HV_CPUID_ECX,
	  .system = B(2),					/* UMIP */
	  .host = B(1) | B(3) | B(6) | B(8) | B(9) | B(10) | B(11) | B(12) | B(14) | B(22) },
	  /* VBMI PKU VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG VPOPCNTDQ RDPID */
	{ .leaf = 7, .reg = HV_CPUID_EDX, .host = B(4) },	/* FSRM */
	{ .leaf = 0xd, .subleaf = 1, .reg = HV_CPUID_EAX, .host = B(0) | B(2) },	/* XSAVEOPT, XGETBV(1) */
	{ .leaf = 0x80000001, .reg = HV_CPUID_EDX,
	  /* the copies of leaf 1 that AMD repeats, then SYSCALL NX MMXEXT FXSR_OPT 1GB RDTSCP LM */
	  .base = B(11) | B(29),
	  .system = 0x0183f3ffu | B(20) | B(25) | B(26) | B(27),
	  .host = B(22) },
	{ .leaf = 0x80000001, .reg = HV_CPUID_ECX,
	  .v2 = B(0),						/* LAHF */
	  .v3 = B(5),						/* ABM (LZCNT) */
	  .system = B(8),					/* CR8 in 32-bit mode */
	  .host = B(1) | B(4) | B(6) | B(7) | B(16) | B(21) },
	  /* CMP_LEGACY CR8 SSE4A MISALIGNSSE FMA4 TBM */
	{ .leaf = 0x80000007, .reg = HV_CPUID_EDX, .system = B(8) },	/* invariant TSC */
	{ .leaf = 0x80000008, .reg = HV_CPUID_EBX,
	  .host = B(0) | B(2) | B(9) | B(12) | B(14) | B(15) | B(24) },
	  /* CLZERO XSAVEERPTR WBNOINVD IBPB IBRS STIBP SSBD */
};

const unsigned int hv_cpuid_nr_rows = ARRAY_SIZE(hv_cpuid_rows);

static const struct hv_cpuid_row *find(u32 leaf, u32 subleaf, enum hv_cpuid_reg reg)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hv_cpuid_rows); i++) {
		const struct hv_cpuid_row *r = &hv_cpuid_rows[i];

		if (r->leaf == leaf && r->subleaf == subleaf && r->reg == reg)
			return r;
	}
	return NULL;
}

/* What the level @model requires in this word. */
static u32 required(const struct hv_cpuid_row *r, u32 model)
{
	return r->base | (model >= 2 ? r->v2 : 0) | (model >= 3 ? r->v3 : 0) |
	       (model >= 4 ? r->v4 : 0);
}

u32 hv_cpuid_word(u32 model, u32 leaf, u32 subleaf, enum hv_cpuid_reg reg, u32 host)
{
	const struct hv_cpuid_row *r = find(leaf, subleaf, reg);

	if (!r)
		return 0;
	if (!model)
		return host & (r->system | r->base | r->v2 | r->v3 | r->v4 | r->host);
	return host & (r->system | required(r, model));
}

u32 hv_cpuid_lacks(u32 model, u32 leaf, u32 subleaf, enum hv_cpuid_reg reg, u32 host)
{
	const struct hv_cpuid_row *r = find(leaf, subleaf, reg);

	return r ? required(r, model) & ~host : 0;
}

u64 hv_cpuid_spec_bits(u32 ebx)
{
	/* IBRS, STIBP, SSBD: where CPUID has them, and where the MSR has them */
	return (ebx >> 14 & 1) | (ebx >> 15 & 1) << 1 | (ebx >> 24 & 1) << 2;
}

bool hv_cpuid_word_is_features(u32 leaf, u32 subleaf, enum hv_cpuid_reg reg)
{
	return find(leaf, subleaf, reg);
}

u32 hv_cpuid_requires(u32 model, u32 leaf, u32 subleaf, enum hv_cpuid_reg reg)
{
	const struct hv_cpuid_row *r = find(leaf, subleaf, reg);

	return r ? required(r, model) : 0;
}
