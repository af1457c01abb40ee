// SPDX-License-Identifier: GPL-2.0-or-later
/* CPU models by name, and features by name where one is missing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "arch/x86/lib/cpuid_policy.h"
#include "libhv/libhv.h"
#include "vmm/cpu_model.h"

#define LEAVES_MAX 128

static const struct { const char *name; enum hv_cpu_model model; } models[] = {
	{ "host", HV_CPU_HOST }, { "x86-64-v2", HV_CPU_X86_64_V2 },
	{ "x86-64-v3", HV_CPU_X86_64_V3 }, { "x86-64-v4", HV_CPU_X86_64_V4 },
};

/* As /proc/cpuinfo calls them. */
static const struct {
	uint32_t leaf, subleaf;
	enum hv_cpuid_reg reg;
	const char *bit[32];
} words[] = {
	{ 1, 0, HV_CPUID_EDX, {
		[0] = "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic",
		[11] = "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", [19] = "clflush",
		[23] = "mmx", "fxsr", "sse", "sse2", [28] = "ht" } },
	{ 1, 0, HV_CPUID_ECX, {
		[0] = "sse3", "pclmulqdq", [9] = "ssse3", [12] = "fma", "cx16", [17] = "pcid",
		[19] = "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes",
		"xsave", [28] = "avx", "f16c", "rdrand" } },
	{ 7, 0, HV_CPUID_EBX, {
		[0] = "fsgsbase", "tsc_adjust", [3] = "bmi1", [5] = "avx2", [7] = "smep", "bmi2",
		"erms", [16] = "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma",
		[23] = "clflushopt", "clwb", [28] = "avx512cd", "sha_ni", "avx512bw", "avx512vl" } },
	{ 7, 0, HV_CPUID_ECX, {
		[1] = "avx512vbmi", "umip", "pku", [6] = "avx512_vbmi2", [8] = "gfni", "vaes",
		"vpclmulqdq", "avx512_vnni", "avx512_bitalg", [14] = "avx512_vpopcntdq",
		[22] = "rdpid" } },
	{ 7, 0, HV_CPUID_EDX, { [4] = "fsrm" } },
	{ 0xd, 1, HV_CPUID_EAX, { [0] = "xsaveopt", [2] = "xgetbv1" } },
	{ 0x80000001, 0, HV_CPUID_EDX, {
		[11] = "syscall", [20] = "nx", [22] = "mmxext", [25] = "fxsr_opt", "pdpe1gb",
		"rdtscp", [29] = "lm" } },
	{ 0x80000001, 0, HV_CPUID_ECX, {
		[0] = "lahf_lm", "cmp_legacy", [4] = "cr8_legacy", "abm", "sse4a", "misalignsse",
		"3dnowprefetch", [16] = "fma4", [21] = "tbm" } },
	{ 0x80000007, 0, HV_CPUID_EDX, { [8] = "constant_tsc" } },
	{ 0x80000008, 0, HV_CPUID_EBX, {
		[0] = "clzero", [2] = "xsaveerptr", [9] = "wbnoinvd", [12] = "ibpb", [14] = "ibrs",
		"stibp", [24] = "ssbd" } },
};

int cpu_model_find(const char *name, enum hv_cpu_model *out)
{
	unsigned int i;

	for (i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		if (!strcmp(models[i].name, name ? name : "host")) {
			*out = models[i].model;
			return 0;
		}
	}
	return -EINVAL;
}

static uint32_t word_of(const struct hv_cpuid_entry *e, uint32_t nr, const struct hv_cpuid_row *row)
{
	uint32_t i;

	for (i = 0; i < nr; i++) {
		const uint32_t r[] = { e[i].eax, e[i].ebx, e[i].ecx, e[i].edx };

		if (e[i].leaf == row->leaf && e[i].subleaf == row->subleaf)
			return r[row->reg];
	}
	return 0;
}

/* Appends the names of @bits; the list ends with "..." where @text is full. */
static int list(const struct hv_cpuid_row *row, uint32_t bits, char *text, size_t size)
{
	const char *const *names = NULL;
	unsigned int i, n = 0;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i].leaf == row->leaf && words[i].subleaf == row->subleaf &&
		    words[i].reg == row->reg)
			names = words[i].bit;
	for (i = 0; i < 32; i++) {
		size_t at = strlen(text);
		char one[48];

		if (!(bits >> i & 1))
			continue;
		n++;
		if (names && names[i])
			snprintf(one, sizeof(one), "%s%s", at ? ", " : "", names[i]);
		else
			snprintf(one, sizeof(one), "%sCPUID 0x%x.%u %s bit %u", at ? ", " : "", row->leaf,
				 row->subleaf, (const char *[]){ "eax", "ebx", "ecx", "edx" }[row->reg], i);
		if (at + strlen(one) + 5 < size)
			strcpy(text + at, one);
		else if (at + 4 < size && (at < 3 || strcmp(text + at - 3, "...")))
			strcpy(text + at, "...");
	}
	return (int)n;
}

int cpu_features_missing(const struct hv_cpuid_entry *saved, uint32_t nr_saved,
			 const struct hv_cpuid_entry *have, uint32_t nr_have, char *text, size_t size)
{
	unsigned int i;
	int n = 0;

	text[0] = 0;
	for (i = 0; i < hv_cpuid_nr_rows; i++) {
		const struct hv_cpuid_row *row = &hv_cpuid_rows[i];

		n += list(row, word_of(saved, nr_saved, row) & ~word_of(have, nr_have, row), text, size);
	}
	return n;
}

int cpu_model_missing(int sys, enum hv_cpu_model model, char *text, size_t size)
{
	struct hv_cpuid_entry host[LEAVES_MAX];
	uint32_t nr = LEAVES_MAX;
	int ret = libhv_cpuid(sys, HV_CPU_HOST, host, &nr), n = 0;
	unsigned int i;

	text[0] = 0;
	if (ret)
		return ret;
	for (i = 0; i < hv_cpuid_nr_rows; i++) {
		const struct hv_cpuid_row *row = &hv_cpuid_rows[i];

		n += list(row, hv_cpuid_lacks(model, row->leaf, row->subleaf, row->reg,
					      word_of(host, nr, row)), text, size);
	}
	return n;
}
