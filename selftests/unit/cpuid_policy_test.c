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

int main(void)
{
	baselines_hide_what_they_do_not_name();
	nothing_beyond_the_host();
	levels_grow();
	virtualization_is_never_offered();
	a_host_without_avx_refuses_v3();
	return expect_done();
}
