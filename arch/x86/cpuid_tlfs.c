// SPDX-License-Identifier: GPL-2.0-only
/*
 * cpuid_tlfs.c - the Hyper-V CPUID leaves (TLFS chapter 2)
 *
 * What is announced here works; nothing else is announced. Left out on purpose: the
 * privileges that would make Linux believe it is a root or isolated partition
 * (partition id, CPU management, isolation), guest idle, and XMM input. The VP run time
 * counter is left out because a moved VM would see it go back.
 */
#include <hv/tlfs.h>
#include "x86.h"

#define PRIV_A	(TLFS_PRIV_A_TIME_REF_COUNT | TLFS_PRIV_A_SYNIC | TLFS_PRIV_A_STIMER |	\
		 TLFS_PRIV_A_APIC | TLFS_PRIV_A_HYPERCALL | TLFS_PRIV_A_VP_INDEX |	\
		 TLFS_PRIV_A_REFERENCE_TSC | TLFS_PRIV_A_FREQUENCY)
#define PRIV_B	(TLFS_PRIV_B_POST_MESSAGES | TLFS_PRIV_B_SIGNAL_EVENTS)
#define FEATURES (TLFS_FEAT_FREQUENCY_MSRS | TLFS_FEAT_CRASH_MSRS | TLFS_FEAT_STIMER_DIRECT)

/*
 * APIC access by MSR is recommended: with it Linux ends its interrupts through the VP assist
 * page, mostly without an exit. (To be taken back where the CPU virtualizes EOI.)
 */
#define HINTS	(TLFS_HINT_REMOTE_TLB_FLUSH | TLFS_HINT_APIC_ACCESS | TLFS_HINT_RELAXED_TIMING | \
		 TLFS_HINT_DEPRECATE_AUTO_EOI | TLFS_HINT_CLUSTER_IPI | TLFS_HINT_EX_PROCESSOR_MASKS)

#define VERSION_MAJOR	10	/* of the interface, as Hyper-V numbers it: only printed by guests */
#define VERSION_BUILD	20348

static const struct {
	u32 leaf;
	u32 out[4];
} leaves[] = {
	{ TLFS_CPUID_BASE,
	  { TLFS_CPUID_MAX, TLFS_VENDOR_EBX, TLFS_VENDOR_ECX, TLFS_VENDOR_EDX } },
	{ TLFS_CPUID_INTERFACE, { TLFS_INTERFACE_HV1 } },
	{ TLFS_CPUID_VERSION, { VERSION_BUILD, VERSION_MAJOR << 16 } },
	{ TLFS_CPUID_FEATURES, { PRIV_A, PRIV_B, 0, FEATURES } },
	{ TLFS_CPUID_HINTS, { HINTS, TLFS_SPIN_RETRIES_NEVER } },
	{ TLFS_CPUID_LIMITS, { HV_MAX_VCPUS, HV_MAX_VCPUS } },
	{ TLFS_CPUID_HARDWARE },
	{ TLFS_CPUID_STACK,
	  { TLFS_CPUID_STACK_PROPERTIES, TLFS_STACK_VENDOR_EBX, TLFS_STACK_VENDOR_ECX,
	    TLFS_STACK_VENDOR_EDX } },
	{ TLFS_CPUID_STACK_INTERFACE, { TLFS_STACK_INTERFACE_VS1 } },
	{ TLFS_CPUID_STACK_PROPERTIES, { TLFS_STACK_EXT_IOAPIC_RTE } },
};

bool hv_cpuid_tlfs(struct hv_vm *vm, u32 leaf, u32 out[4])
{
	unsigned int i;

	if (vm && (vm->flags & HV_VM_F_NO_TLFS))
		return false;
	for (i = 0; i < ARRAY_SIZE(leaves) && leaves[i].leaf != leaf; i++)
		;
	if (i == ARRAY_SIZE(leaves))
		return false;
	memcpy(out, leaves[i].out, sizeof(leaves[i].out));
	if (leaf == TLFS_CPUID_FEATURES && hv_arch_tsc_trust() == HV_TSC_INVARIANT)
		out[0] |= TLFS_PRIV_A_TSC_INVARIANT;
	return true;
}
