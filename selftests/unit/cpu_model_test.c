// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of CPU models, and of what a saved VM needs and another one lacks. */
#include <string.h>
#include "arch/x86/lib/cpuid_policy.h"
#include "selftests/unit/lib/expect.h"
#include "vmm/cpu_model.h"

static void names(void)
{
	enum hv_cpu_model m;

	EXPECT(!cpu_model_find(NULL, &m) && m == HV_CPU_HOST);
	EXPECT(!cpu_model_find("x86-64-v3", &m) && m == HV_CPU_X86_64_V3);
	EXPECT(cpu_model_find("x86-64-v5", &m) < 0);
	EXPECT(cpu_model_find("", &m) < 0);
}

static void missing(void)
{
	struct hv_cpuid_entry want[] = {
		{ .leaf = 1, .ecx = 1u << 28 | 1u << 12 }, { .leaf = 7, .ebx = 1u << 16 | 1u << 5 },
	};
	struct hv_cpuid_entry have[] = {
		{ .leaf = 7, .ebx = 1u << 5 }, { .leaf = 1, .ecx = 1u << 12 },
	};
	char text[64], small[12];

	EXPECT_EQ(cpu_features_missing(want, 2, have, 2, text, sizeof(text)), 2);
	EXPECT(!strcmp(text, "avx, avx512f"));
	EXPECT_EQ(cpu_features_missing(have, 2, want, 2, text, sizeof(text)), 0);
	EXPECT(!text[0]);
	/* No room: cut at a name, and said so. */
	EXPECT_EQ(cpu_features_missing(want, 2, have, 0, small, sizeof(small)), 4);
	EXPECT(strlen(small) < sizeof(small) && strstr(small, "..."));
}

/* Every bit a guest may see has a name. */
static void every_bit_has_a_name(void)
{
	unsigned int i, b;
	char text[128];

	for (i = 0; i < hv_cpuid_nr_rows; i++) {
		const struct hv_cpuid_row *r = &hv_cpuid_rows[i];
		u32 all = r->system | r->base | r->v2 | r->v3 | r->v4 | r->host;

		/* AMD repeats leaf 1 there. */
		if (r->leaf == 0x80000001 && r->reg == HV_CPUID_EDX)
			all &= ~0x0183f3ffu;
		for (b = 0; b < 32; b++) {
			u32 w[4] = { 0 };
			struct hv_cpuid_entry e = { .leaf = r->leaf, .subleaf = r->subleaf };

			if (!(all >> b & 1))
				continue;
			w[r->reg] = 1u << b;
			e.eax = w[0];
			e.ebx = w[1];
			e.ecx = w[2];
			e.edx = w[3];
			EXPECT_EQ(cpu_features_missing(&e, 1, NULL, 0, text, sizeof(text)), 1);
			EXPECT(!strstr(text, "CPUID"));
		}
	}
}

int main(void)
{
	names();
	missing();
	every_bit_has_a_name();
	return expect_done();
}
