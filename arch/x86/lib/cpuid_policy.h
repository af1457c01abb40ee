/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpuid_policy.h - which CPUID feature bits a guest sees
 *
 * One row a feature word: what hv can support at all, and what each CPU model requires.
 * A guest of host-passthrough sees what host and hv both have; a guest of a baseline sees
 * exactly the baseline (x86-64 psABI, micro-architecture levels) and what every
 * supported host has for running a system, so that it can move between hosts.
 */
#ifndef ARCH_X86_LIB_CPUID_POLICY_H
#define ARCH_X86_LIB_CPUID_POLICY_H

#include "hv/portable.h"

enum hv_cpuid_reg { HV_CPUID_EAX, HV_CPUID_EBX, HV_CPUID_ECX, HV_CPUID_EDX };

/**
 * hv_cpuid_word() - the guest's value of one feature word
 * @model: enum hv_cpu_model
 * @host:  the same word as the host's CPU has it
 * Return: the word; 0 for one that has no row.
 */
u32 hv_cpuid_word(u32 model, u32 leaf, u32 subleaf, enum hv_cpuid_reg reg, u32 host);

/**
 * hv_cpuid_lacks() - what @model requires and @host does not have, in this word
 */
u32 hv_cpuid_lacks(u32 model, u32 leaf, u32 subleaf, enum hv_cpuid_reg reg, u32 host);

/* Is this word one of feature bits, of which a guest may be shown fewer? */
bool hv_cpuid_word_is_features(u32 leaf, u32 subleaf, enum hv_cpuid_reg reg);

/* What @model requires in this word. */
u32 hv_cpuid_requires(u32 model, u32 leaf, u32 subleaf, enum hv_cpuid_reg reg);

/* Bits of SPEC_CTRL that a guest may set, by its 0x80000008 EBX; 0: it has no such MSR. */
u64 hv_cpuid_spec_bits(u32 ebx);

/* A row, for walking all words. */
struct hv_cpuid_row {
	u32 leaf, subleaf;
	enum hv_cpuid_reg reg;
	u32 system;		/* offered by every model where the host has it */
	u32 base;		/* required by every model */
	u32 v2, v3, v4;		/* required from this level on */
	u32 host;		/* offered by host-passthrough only, where the host has it */
};

extern const struct hv_cpuid_row hv_cpuid_rows[];
extern const unsigned int hv_cpuid_nr_rows;

#endif /* ARCH_X86_LIB_CPUID_POLICY_H */
