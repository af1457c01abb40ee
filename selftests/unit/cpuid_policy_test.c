// SPDX-License-Identifier: GPL-2.0-or-later
/* What guests of each CPU model see, and what makes a host refuse a model. */
#include "arch/x86/lib/cpuid_policy.h"
#include "selftests/unit/lib/expect.h"

#define AVX2	(1u << 5)
#define AVX512F	(1u << 16)
#define VMX	(1u << 5)

static void baselines_hide_what_they_do_not_name(void)
{
	/* A host with everything: each level shows its own features and no later ones. */
	EXPECT(!(hv_cpuid_word(2, 7, 0, HV_CPUID_EBX, ~0u) & AVX2));
	EXPECT(hv_cpuid_word(3, 7, 0, HV_CPUID_EBX, ~0u) & AVX2);
	EXPECT(!(hv_cpuid_word(3, 7, 0, HV_CPUID_EBX, ~0u) & AVX512F));
	EXPECT(hv_cpuid_word(4, 7, 0, HV_CPUID_EBX, ~0u) & AVX512F);
}

static void nothing_beyond_the_host(void)
{
	unsigned int i, model;

	for (i = 0; i < hv_cpuid_nr_rows; i++) {
		const struct hv_cpuid_row *r = &hv_cpuid_rows[i];

		for (model = 0; model <= 4; model++) {
			u32 some = 0x5a5a5a5au;

			EXPECT(!hv_cpuid_word(model, r->leaf, r->subleaf, r->reg, 0));
			EXPECT(!(hv_cpuid_word(model, r->leaf, r->subleaf, r->reg, some) & ~some));
		}
	}
}

static void levels_grow(void)
{
	unsigned int i;

	for (i = 0; i < hv_cpuid_nr_rows; i++) {
		const struct hv_cpuid_row *r = &hv_cpuid_rows[i];
		u32 v2 = hv_cpuid_word(2, r->leaf, r->subleaf, r->reg, ~0u);
		u32 v3 = hv_cpuid_word(3, r->leaf, r->subleaf, r->reg, ~0u);
		u32 v4 = hv_cpuid_word(4, r->leaf, r->subleaf, r->reg, ~0u);
		u32 host = hv_cpuid_word(0, r->leaf, r->subleaf, r->reg, ~0u);

		EXPECT(!(v2 & ~v3) && !(v3 & ~v4) && !(v4 & ~host));
	}
}

static void virtualization_is_never_offered(void)
{
	unsigned int model;

	for (model = 0; model <= 4; model++) {
		EXPECT(!(hv_cpuid_word(model, 1, 0, HV_CPUID_ECX, ~0u) & VMX));
		EXPECT(!(hv_cpuid_word(model, 0x80000001, 0, HV_CPUID_ECX, ~0u) & (1u << 2)));
		EXPECT(!hv_cpuid_word(model, 0x8000000a, 0, HV_CPUID_EDX, ~0u));
	}
}

static void a_host_without_avx_refuses_v3(void)
{
	u32 host = ~(1u << 28);

	EXPECT(hv_cpuid_lacks(3, 1, 0, HV_CPUID_ECX, host) == (1u << 28));
	EXPECT(!hv_cpuid_lacks(2, 1, 0, HV_CPUID_ECX, host));
	EXPECT(!hv_cpuid_lacks(0, 1, 0, HV_CPUID_ECX, 0));
}

static void spec_ctrl_bits_follow_their_features(void)
{
	EXPECT_EQ(hv_cpuid_spec_bits(0), 0);
	EXPECT_EQ(hv_cpuid_spec_bits(1u << 12), 0);	/* IBPB alone makes no SPEC_CTRL */
	EXPECT_EQ(hv_cpuid_spec_bits(1u << 14), 1);
	EXPECT_EQ(hv_cpuid_spec_bits(1u << 15), 2);
	EXPECT_EQ(hv_cpuid_spec_bits(1u << 24), 4);
	EXPECT_EQ(hv_cpuid_spec_bits(~0u), 7);
	EXPECT_EQ(hv_cpuid_spec_bits(~(1u << 14 | 1u << 15 | 1u << 24)), 0);
}

/* The psABI's list of levels, by name: what the table has to require. */
static void levels_require_what_the_psabi_says(void)
{
	EXPECT_EQ(hv_cpuid_requires(2, 1, 0, HV_CPUID_ECX),
		  1u << 0 | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23);
	EXPECT_EQ(hv_cpuid_requires(3, 1, 0, HV_CPUID_ECX) & ~hv_cpuid_requires(2, 1, 0, HV_CPUID_ECX),
		  1u << 12 | 1u << 22 | 1u << 26 | 1u << 28 | 1u << 29);
	EXPECT_EQ(hv_cpuid_requires(3, 7, 0, HV_CPUID_EBX), 1u << 3 | 1u << 5 | 1u << 8);
	EXPECT_EQ(hv_cpuid_requires(4, 7, 0, HV_CPUID_EBX) & ~hv_cpuid_requires(3, 7, 0, HV_CPUID_EBX),
		  1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31);
	EXPECT_EQ(hv_cpuid_requires(2, 0x80000001, 0, HV_CPUID_ECX), 1u << 0);
	EXPECT_EQ(hv_cpuid_requires(3, 0x80000001, 0, HV_CPUID_ECX), 1u << 0 | 1u << 5);
	EXPECT_EQ(hv_cpuid_requires(0, 7, 0, HV_CPUID_EBX), 0);
}

int main(void)
{
	spec_ctrl_bits_follow_their_features();
	levels_require_what_the_psabi_says();
	baselines_hide_what_they_do_not_name();
	nothing_beyond_the_host();
	levels_grow();
	virtualization_is_never_offered();
	a_host_without_avx_refuses_v3();
	return expect_done();
}
