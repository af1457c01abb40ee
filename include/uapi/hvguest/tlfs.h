/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * tlfs.h - the guest-visible interface as the Hypervisor Top-Level Functional
 * Specification gives it: CPUID leaves, synthetic MSRs, hypercalls, page layouts
 *
 * Everything is little-endian. Names say what the specification calls a thing; a
 * constant stands here only if hv implements or answers it.
 */
#ifndef _UAPI_HVGUEST_TLFS_H
#define _UAPI_HVGUEST_TLFS_H

#include <linux/types.h>

/* ---- CPUID (TLFS chapter 2, feature discovery) ----------------------------------- */

#define TLFS_CPUID_BASE			0x40000000
#define TLFS_CPUID_INTERFACE		0x40000001
#define TLFS_CPUID_VERSION		0x40000002
#define TLFS_CPUID_FEATURES		0x40000003
#define TLFS_CPUID_HINTS		0x40000004
#define TLFS_CPUID_LIMITS		0x40000005
#define TLFS_CPUID_HARDWARE		0x40000006
#define TLFS_CPUID_MAX			TLFS_CPUID_HARDWARE
#define TLFS_CPUID_STACK		0x40000080	/* virtualization stack: vendor, interface, properties */
#define TLFS_CPUID_STACK_INTERFACE	0x40000081
#define TLFS_CPUID_STACK_PROPERTIES	0x40000082

#define TLFS_VENDOR_EBX			0x7263694d	/* "Microsoft Hv" */
#define TLFS_VENDOR_ECX			0x666f736f
#define TLFS_VENDOR_EDX			0x76482074
#define TLFS_INTERFACE_HV1		0x31237648	/* "Hv#1" */
#define TLFS_STACK_VENDOR_EBX		0x7263694d	/* "Microsoft VS" */
#define TLFS_STACK_VENDOR_ECX		0x666f736f
#define TLFS_STACK_VENDOR_EDX		0x53562074
#define TLFS_STACK_INTERFACE_VS1	0x31235356	/* "VS#1" */
#define TLFS_STACK_EXT_IOAPIC_RTE	(1u << 2)

/* TLFS_CPUID_FEATURES, EAX: partition privileges, MSR access */
#define TLFS_PRIV_A_VP_RUNTIME		(1u << 0)
#define TLFS_PRIV_A_TIME_REF_COUNT	(1u << 1)
#define TLFS_PRIV_A_SYNIC		(1u << 2)
#define TLFS_PRIV_A_STIMER		(1u << 3)
#define TLFS_PRIV_A_APIC		(1u << 4)
#define TLFS_PRIV_A_HYPERCALL		(1u << 5)
#define TLFS_PRIV_A_VP_INDEX		(1u << 6)
#define TLFS_PRIV_A_RESET		(1u << 7)
#define TLFS_PRIV_A_REFERENCE_TSC	(1u << 9)
#define TLFS_PRIV_A_GUEST_IDLE		(1u << 10)
#define TLFS_PRIV_A_FREQUENCY		(1u << 11)
#define TLFS_PRIV_A_TSC_INVARIANT	(1u << 15)
/* EBX: hypercalls */
#define TLFS_PRIV_B_POST_MESSAGES	(1u << 4)
#define TLFS_PRIV_B_SIGNAL_EVENTS	(1u << 5)
/* EDX: features */
#define TLFS_FEAT_FREQUENCY_MSRS	(1u << 8)
#define TLFS_FEAT_CRASH_MSRS		(1u << 10)
#define TLFS_FEAT_STIMER_DIRECT		(1u << 19)

/* TLFS_CPUID_HINTS, EAX */
#define TLFS_HINT_REMOTE_TLB_FLUSH	(1u << 2)
#define TLFS_HINT_APIC_ACCESS		(1u << 3)
#define TLFS_HINT_RELAXED_TIMING	(1u << 5)
#define TLFS_HINT_DEPRECATE_AUTO_EOI	(1u << 9)
#define TLFS_HINT_CLUSTER_IPI		(1u << 10)
#define TLFS_HINT_EX_PROCESSOR_MASKS	(1u << 11)
#define TLFS_SPIN_RETRIES_NEVER		0xffffffffu

/* ---- synthetic MSRs --------------------------------------------------------------- */

#define TLFS_MSR_FIRST			0x40000000
#define TLFS_MSR_LAST			0x400001ff
#define TLFS_MSR_GUEST_OS_ID		0x40000000
#define TLFS_MSR_HYPERCALL		0x40000001
#define TLFS_MSR_VP_INDEX		0x40000002
#define TLFS_MSR_VP_RUNTIME		0x40000010
#define TLFS_MSR_TIME_REF_COUNT		0x40000020
#define TLFS_MSR_REFERENCE_TSC		0x40000021
#define TLFS_MSR_TSC_FREQUENCY		0x40000022
#define TLFS_MSR_APIC_FREQUENCY		0x40000023
#define TLFS_MSR_EOI			0x40000070
#define TLFS_MSR_ICR			0x40000071
#define TLFS_MSR_TPR			0x40000072
#define TLFS_MSR_VP_ASSIST		0x40000073
#define TLFS_MSR_SCONTROL		0x40000080
#define TLFS_MSR_SVERSION		0x40000081
#define TLFS_MSR_SIEFP			0x40000082
#define TLFS_MSR_SIMP			0x40000083
#define TLFS_MSR_EOM			0x40000084
#define TLFS_MSR_SINT0			0x40000090
#define TLFS_MSR_STIMER0_CONFIG		0x400000b0	/* then COUNT, and pairs for timers 1..3 */
#define TLFS_MSR_STIMER0_COUNT		0x400000b1
#define TLFS_MSR_STIMER3_COUNT		0x400000b7
#define TLFS_MSR_CRASH_P0		0x40000100
#define TLFS_MSR_CRASH_P4		0x40000104
#define TLFS_MSR_CRASH_CTL		0x40000105
#define TLFS_MSR_TSC_INVARIANT		0x40000118

/* Registers that place a page: HYPERCALL, REFERENCE_TSC, VP_ASSIST, SIEFP, SIMP */
#define TLFS_PAGE_ENABLE		(1ull << 0)
#define TLFS_PAGE_PFN_SHIFT		12
#define TLFS_HYPERCALL_LOCKED		(1ull << 1)

#define TLFS_CRASH_CTL_MESSAGE		(1ull << 62)	/* P3 and P4: gpa and length of a text */
#define TLFS_CRASH_CTL_NOTIFY		(1ull << 63)
#define TLFS_CRASH_PARAMS		5

#define TLFS_TSC_INVARIANT_EXPOSE	(1ull << 0)

/* ---- SynIC (TLFS chapters 10 and 11) ------------------------------------------------ */

#define TLFS_SINTS			16
#define TLFS_STIMERS			4
#define TLFS_SCONTROL_ENABLE		(1ull << 0)
#define TLFS_SYNIC_VERSION		1
#define TLFS_SINT_VECTOR_MASK		0xffull
#define TLFS_SINT_MASKED		(1ull << 16)
#define TLFS_SINT_AUTO_EOI		(1ull << 17)
#define TLFS_SINT_POLLING		(1ull << 18)
#define TLFS_SINT_PROXY			(1ull << 20)
#define TLFS_SINT_RESET			TLFS_SINT_MASKED
#define TLFS_SINT_MIN_VECTOR		16

#define TLFS_MESSAGE_PAYLOAD		240
#define TLFS_MESSAGE_F_PENDING		(1u << 0)
#define TLFS_MESSAGE_NONE		0u
#define TLFS_MESSAGE_HYPERVISOR		0x80000000u	/* types with this bit are the hypervisor's own */
#define TLFS_MESSAGE_TIMER_EXPIRED	0x80000010u

struct tlfs_message {
	__u32 type;		/* TLFS_MESSAGE_NONE: the slot is free; written last */
	__u8  size;		/* of the payload */
	__u8  flags;		/* TLFS_MESSAGE_F_* */
	__u16 rsvd;
	__u64 sender;		/* partition or port id */
	__u8  payload[TLFS_MESSAGE_PAYLOAD];
};

struct tlfs_timer_message {
	__u32 index;
	__u32 rsvd;
	__u64 expiration;	/* reference time at which it was due */
	__u64 delivery;		/* reference time at which the message was written */
};

#define TLFS_EVENT_FLAGS		2048	/* per SINT: 256 bytes of the SIEFP */

#define TLFS_STIMER_ENABLE		(1ull << 0)
#define TLFS_STIMER_PERIODIC		(1ull << 1)
#define TLFS_STIMER_LAZY		(1ull << 2)
#define TLFS_STIMER_AUTO_ENABLE		(1ull << 3)
#define TLFS_STIMER_VECTOR_SHIFT	4
#define TLFS_STIMER_VECTOR_MASK		0xff0ull
#define TLFS_STIMER_DIRECT		(1ull << 12)
#define TLFS_STIMER_SINT_SHIFT		16
#define TLFS_STIMER_SINT_MASK		0xf0000ull
#define TLFS_STIMER_VALID		0xf1fffull

/* ---- pages ------------------------------------------------------------------------ */

/* Reference time = ((tsc * scale) >> 64) + offset; sequence 0: read the MSR instead. */
struct tlfs_tsc_page {
	__u32 sequence;
	__u32 rsvd;
	__u64 scale;
	__s64 offset;
};

struct tlfs_vp_assist {
	__u32 apic_assist;	/* TLFS_ASSIST_NO_EOI */
	__u32 rsvd;
};

#define TLFS_ASSIST_NO_EOI		(1u << 0)

/* ---- hypercalls (TLFS chapter 3) -------------------------------------------------- */

#define TLFS_HC_FLUSH_SPACE		0x0002
#define TLFS_HC_FLUSH_LIST		0x0003
#define TLFS_HC_SEND_IPI		0x000b
#define TLFS_HC_FLUSH_SPACE_EX		0x0013
#define TLFS_HC_FLUSH_LIST_EX		0x0014
#define TLFS_HC_SEND_IPI_EX		0x0015
#define TLFS_HC_POST_MESSAGE		0x005c
#define TLFS_HC_SIGNAL_EVENT		0x005d

/* Control word */
#define TLFS_HC_CODE_MASK		0xffffull
#define TLFS_HC_FAST			(1ull << 16)
#define TLFS_HC_VAR_SHIFT		17
#define TLFS_HC_VAR_MASK		0x3ffull	/* 8-byte words of variable header */
#define TLFS_HC_COUNT_SHIFT		32
#define TLFS_HC_START_SHIFT		48
#define TLFS_HC_REP_MASK		0xfffull
#define TLFS_HC_RESERVED		0xf000f000f8000000ull

/* Result: status in 15:0, repetitions completed in 43:32 */
#define TLFS_OK				0
#define TLFS_INVALID_CODE		2
#define TLFS_INVALID_INPUT		3
#define TLFS_INVALID_ALIGNMENT		4
#define TLFS_INVALID_PARAMETER		5
#define TLFS_ACCESS_DENIED		6
#define TLFS_OPERATION_DENIED		8
#define TLFS_INSUFFICIENT_MEMORY	11
#define TLFS_INVALID_PORT_ID		17
#define TLFS_INVALID_CONNECTION_ID	18
#define TLFS_INSUFFICIENT_BUFFERS	19

#define TLFS_FLUSH_ALL_PROCESSORS	(1ull << 0)
#define TLFS_FLUSH_ALL_SPACES		(1ull << 1)
#define TLFS_FLUSH_NON_GLOBAL_ONLY	(1ull << 2)
#define TLFS_FLUSH_EXTENDED_RANGES	(1ull << 3)
#define TLFS_FLUSH_VALID		0xfull

struct tlfs_in_flush {
	__u64 space;		/* CR3, low 12 bits ignored */
	__u64 flags;		/* TLFS_FLUSH_* */
	__u64 mask;		/* VPs 0..63; the VP set of the Ex forms stands here instead */
};

struct tlfs_in_ipi {
	__u32 vector;
	__u32 rsvd;
	__u64 mask;		/* likewise */
};

#define TLFS_IPI_MIN_VECTOR		0x10

/* A sparse set of VPs; one 64-bit mask follows for each bit of @valid. */
struct tlfs_vpset {
	__u64 format;		/* TLFS_VPSET_* */
	__u64 valid;		/* bit n: the bank of VPs 64n..64n+63 is given */
};

#define TLFS_VPSET_SPARSE		0
#define TLFS_VPSET_ALL			1

struct tlfs_in_post_message {
	__u32 connection;
	__u32 rsvd;
	__u32 type;
	__u32 size;
	__u8  payload[TLFS_MESSAGE_PAYLOAD];
};

struct tlfs_in_signal_event {
	__u32 connection;
	__u16 flag;
	__u16 rsvd;
};

#define TLFS_CONNECTION_MASK		0xffffffu

#endif /* _UAPI_HVGUEST_TLFS_H */
