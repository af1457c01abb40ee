/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apic_timer.h - arithmetic of the local APIC timer
 *
 * The bus runs at 1 GHz: one tick before division is one nanosecond.
 */
#ifndef _HV_X86_LIB_APIC_TIMER_H
#define _HV_X86_LIB_APIC_TIMER_H

#include <hv/portable.h>

/* log2 of the divider in the divide configuration register: 1, 2, .. 128 (SDM 11.5.4). */
static inline u32 hv_apic_tdcr_shift(u32 tdcr)
{
	return (((tdcr & 3) | (tdcr >> 1 & 4)) + 1) & 7;
}

/* A full count, in ns. */
static inline u64 hv_apic_count_ns(u32 count, u32 tdcr)
{
	return (u64)count << hv_apic_tdcr_shift(tdcr);
}

/* The current count when @left ns remain: rounded up, so that 0 means it has fired. */
static inline u32 hv_apic_ns_count(u64 left, u32 tdcr)
{
	u32 shift = hv_apic_tdcr_shift(tdcr);
	u64 count = (left >> shift) + !!(left & ((1u << shift) - 1));

	return count > 0xffffffffu ? 0xffffffffu : (u32)count;
}

/*
 * ns until the guest's TSC, @now at @khz, reaches @deadline; 0: reached. Rounded up.
 * The longest wait is a day, whatever the guest wrote: the timer then looks again.
 */
u64 hv_apic_deadline_ns(u64 deadline, u64 now, u32 khz);

#endif /* _HV_X86_LIB_APIC_TIMER_H */
