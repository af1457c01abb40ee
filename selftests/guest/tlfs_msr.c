// SPDX-License-Identifier: GPL-2.0-or-later
/* tlfs_msr.c - CPUID leaves and synthetic MSRs: what is announced works, the rest faults */
#include "hyperv.h"

static void leaves(void)
{
	u32 out[4], a, d;

	cpuid(TLFS_CPUID_BASE, 0, out);
	check(out[0] >= 0x40000005 && out[0] <= 0x4000ffff, "leaf 0: highest leaf 0x%x", out[0]);
	cpuid(TLFS_CPUID_INTERFACE, 0, out);
	check_eq(out[0], TLFS_INTERFACE_HV1, "leaf 1: interface");
	cpuid(TLFS_CPUID_FEATURES, 0, out);
	a = TLFS_PRIV_A_HYPERCALL | TLFS_PRIV_A_VP_INDEX | TLFS_PRIV_A_TIME_REF_COUNT |
	    TLFS_PRIV_A_SYNIC | TLFS_PRIV_A_STIMER | TLFS_PRIV_A_APIC | TLFS_PRIV_A_REFERENCE_TSC;
	d = TLFS_FEAT_STIMER_DIRECT;
	check_eq(out[0] & a, a, "leaf 3: privileges a Linux guest needs");
	check_eq(out[3] & d, d, "leaf 3: direct timers");
	check_eq(out[1] & (1u << 1 | 1u << 12 | 1u << 22), 0,
		 "leaf 3: nothing that makes a root or isolated partition");
	cpuid(TLFS_CPUID_HINTS, 0, out);
	check(out[0] & TLFS_HINT_DEPRECATE_AUTO_EOI, "leaf 4: auto-EOI deprecated");
	cpuid(0x40000100, 0, out);
	check(out[1] != 0x4b4d564b, "no other hypervisor at 0x40000100");
	cpuid(0x80000007, 0, out);
	print("# invariant TSC bit %u\n", out[3] >> 8 & 1);
}

static void identity(void)
{
	u64 v;

	check_eq((u64)rdmsr_safe(TLFS_MSR_GUEST_OS_ID, &v), (u64)NO_FAULT, "OS id can be read");
	check_eq(v, 0, "OS id starts as 0");
	wrmsr(TLFS_MSR_HYPERCALL, 0x5000 | TLFS_PAGE_ENABLE);
	check_eq(rdmsr(TLFS_MSR_HYPERCALL) & TLFS_PAGE_ENABLE, 0,
		 "hypercall page stays off without an OS id");
	hyperv_enable();
	check_eq(rdmsr(TLFS_MSR_GUEST_OS_ID), OS_ID, "OS id is kept");
	check(rdmsr(TLFS_MSR_HYPERCALL) & TLFS_PAGE_ENABLE, "hypercall page is on");
	wrmsr(TLFS_MSR_GUEST_OS_ID, 0);
	check_eq(rdmsr(TLFS_MSR_HYPERCALL) & TLFS_PAGE_ENABLE, 0, "OS id 0 switches it off");
	hyperv_enable();
}

/* Reset value and one value that must be kept, for plain read-write registers. */
static const struct {
	u32 msr;
	u64 val;
	const char *name;
} plain[] = {
	{ TLFS_MSR_SCONTROL, 1, "SCONTROL" },
	{ TLFS_MSR_SINT0, TLFS_SINT_MASKED | 0x55, "SINT0" },
	{ TLFS_MSR_SINT0 + 15, TLFS_SINT_AUTO_EOI | 0x66, "SINT15" },
	{ TLFS_MSR_STIMER0_CONFIG, TLFS_STIMER_AUTO_ENABLE | 2ull << TLFS_STIMER_SINT_SHIFT, "STIMER0" },
	{ TLFS_MSR_STIMER3_COUNT, 0, "STIMER3 count" },
	{ TLFS_MSR_CRASH_P0, 0x123456789abcdef0ull, "CRASH_P0" },
	{ TLFS_MSR_CRASH_P4, 0xfedcba9876543210ull, "CRASH_P4" },
};

static void registers(void)
{
	u32 i;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		int f = wrmsr_safe(plain[i].msr, plain[i].val);
		int g = rdmsr_safe(plain[i].msr, &v);

		check(f == NO_FAULT && g == NO_FAULT && v == plain[i].val,
		      "%s is kept (faults %d %d, value 0x%llx)", plain[i].name, f, g, v);
	}
	wrmsr(TLFS_MSR_SCONTROL, 0);
	wrmsr(TLFS_MSR_SINT0 + 15, TLFS_SINT_RESET);
	check_eq(rdmsr(TLFS_MSR_SINT0 + 3), TLFS_SINT_RESET, "SINT3 starts masked");
	check_eq(rdmsr(TLFS_MSR_SVERSION), TLFS_SYNIC_VERSION, "SVERSION");
	check_eq(rdmsr(TLFS_MSR_EOM), 0, "EOM reads 0");
	check(rdmsr(TLFS_MSR_CRASH_CTL) & TLFS_CRASH_CTL_NOTIFY, "CRASH_CTL says notify");
	if (hyperv_is_hv())
		check(rdmsr(TLFS_MSR_CRASH_CTL) & TLFS_CRASH_CTL_MESSAGE, "CRASH_CTL takes a text");
	check_eq((u64)wrmsr_safe(TLFS_MSR_SINT0 + 3, 5), VEC_GP, "unmasked SINT with vector 5 faults");
	check_eq(rdmsr(TLFS_MSR_SINT0 + 3), TLFS_SINT_RESET, "and changes nothing");
}

static const struct {
	u32 msr;
	const char *name;
} readonly[] = {
	{ TLFS_MSR_VP_INDEX, "VP_INDEX" }, { TLFS_MSR_TIME_REF_COUNT, "TIME_REF_COUNT" },
	{ TLFS_MSR_TSC_FREQUENCY, "TSC_FREQUENCY" }, { TLFS_MSR_APIC_FREQUENCY, "APIC_FREQUENCY" },
	{ TLFS_MSR_SVERSION, "SVERSION" },
};

static void refusals(void)
{
	u32 i;
	u64 v;

	for (i = 0; i < ARRAY_SIZE(readonly); i++) {
		check_eq((u64)rdmsr_safe(readonly[i].msr, &v), (u64)NO_FAULT, readonly[i].name);
		check(wrmsr_safe(readonly[i].msr, 1) == VEC_GP, "%s refuses writes", readonly[i].name);
	}
	if (!hyperv_is_hv())
		return;
	check_eq((u64)rdmsr_safe(0x400000ff, &v), VEC_GP, "a number without an MSR faults on read");
	check_eq((u64)wrmsr_safe(0x400000a5, 0), VEC_GP, "and on write");
	check_eq((u64)rdmsr_safe(0x4000ffff, &v), VEC_GP, "so does the last of the range");
	check_eq((u64)rdmsr_safe(TLFS_MSR_EOI, &v), VEC_GP, "EOI can not be read");
	check_eq((u64)wrmsr_safe(TLFS_MSR_SIMP, ~0ull << 12 | 1), VEC_GP,
		 "a frame beyond the address width faults");
	check_eq((u64)wrmsr_safe(TLFS_MSR_TPR, 0x100), VEC_GP, "TPR has eight bits");
}

static void check_index(void *arg)
{
	(void)arg;
	check_eq(rdmsr(TLFS_MSR_VP_INDEX), lapic_id(), "VP index");
}

void main(void)
{
	u32 i, n;
	u64 hz;

	if (!hyperv_present())
		leave(2);
	n = smp_start();
	leaves();
	identity();
	registers();
	refusals();
	hz = rdmsr(TLFS_MSR_TSC_FREQUENCY);
	check(hz > 100000000 && hz < 10000000000ull, "TSC runs at %llu Hz", hz);
	check_eq(rdmsr(TLFS_MSR_APIC_FREQUENCY), 1000000000, "APIC timer frequency");
	check_index(NULL);
	for (i = 1; i < n; i++)
		smp_call(i, check_index, NULL);
	wrmsr(TLFS_MSR_TPR, 0x30);
	check_eq(lapic_read(0x80), 0x30, "TPR by its Hyper-V MSR is the APIC's");
	wrmsr(TLFS_MSR_TPR, 0);
}
