/* SPDX-License-Identifier: GPL-2.0-only */
/* stats.h - the list of counters, once: structs, names and units come from it */
#ifndef _HV_STATS_H
#define _HV_STATS_H

#include <linux/types.h>
#include <hv/hv_stats.h>

/* S(name, unit, kind) */
#define HV_STATS_VM_LIST(S)						\
	S(slot_updates,		COUNT, CUMULATIVE)			\
	S(notifier_invalidates,	COUNT, CUMULATIVE)			\
	S(slat_pages_4k,	PAGES, INSTANT)				\
	S(slat_pages_2m,	PAGES, INSTANT)				\
	S(slat_pages_1g,	PAGES, INSTANT)				\
	S(slat_tables,		PAGES, INSTANT)				\
	S(remote_tlb_flushes,	COUNT, CUMULATIVE)			\
	S(aged_young,		COUNT, CUMULATIVE)			\
	S(aged_old,		COUNT, CUMULATIVE)			\
	S(irqfd_signals,	COUNT, CUMULATIVE)			\
	S(messages_posted,	COUNT, CUMULATIVE)			\
	S(bus_messages,		COUNT, CUMULATIVE)			\
	S(bus_refused,		COUNT, CUMULATIVE)			\
	S(bus_throttled,	COUNT, CUMULATIVE)			\
	S(host_sleeps,		COUNT, CUMULATIVE)

#define HV_STATS_VCPU_LIST(S)						\
	S(exits,		COUNT, CUMULATIVE)			\
	S(exits_cpuid,		COUNT, CUMULATIVE)			\
	S(exits_msr,		COUNT, CUMULATIVE)			\
	S(exits_pio,		COUNT, CUMULATIVE)			\
	S(exits_slat,		COUNT, CUMULATIVE)			\
	S(exits_hlt,		COUNT, CUMULATIVE)			\
	S(exits_hypercall,	COUNT, CUMULATIVE)			\
	S(exits_intr,		COUNT, CUMULATIVE)			\
	S(exits_nmi,		COUNT, CUMULATIVE)			\
	S(exits_irq_window,	COUNT, CUMULATIVE)			\
	S(exits_exception,	COUNT, CUMULATIVE)			\
	S(exits_cr,		COUNT, CUMULATIVE)			\
	S(exits_dr,		COUNT, CUMULATIVE)			\
	S(exits_pause,		COUNT, CUMULATIVE)			\
	S(exits_other,		COUNT, CUMULATIVE)			\
	S(user_exits,		COUNT, CUMULATIVE)			\
	S(user_pio,		COUNT, CUMULATIVE)			\
	S(user_mmio,		COUNT, CUMULATIVE)			\
	S(mmio,			COUNT, CUMULATIVE)			\
	S(slat_faults_mapped,	COUNT, CUMULATIVE)			\
	S(slat_faults_retry,	COUNT, CUMULATIVE)			\
	S(slat_prefaulted,	PAGES, CUMULATIVE)			\
	S(insn_decoded,		COUNT, CUMULATIVE)			\
	S(insn_executed,	COUNT, CUMULATIVE)			\
	S(irq_injected,		COUNT, CUMULATIVE)			\
	S(nmi_injected,		COUNT, CUMULATIVE)			\
	S(exceptions_injected,	COUNT, CUMULATIVE)			\
	S(hypercalls,		COUNT, CUMULATIVE)			\
	S(signal_events,	COUNT, CUMULATIVE)			\
	S(vsynic_messages,	COUNT, CUMULATIVE)			\
	S(vsynic_events,	COUNT, CUMULATIVE)			\
	S(vstimer_expired,	COUNT, CUMULATIVE)			\
	S(kicks,		COUNT, CUMULATIVE)			\
	S(blocks,		COUNT, CUMULATIVE)			\
	S(blocked_ns,		NS, CUMULATIVE)				\
	S(sections,		COUNT, CUMULATIVE)			\
	S(tlb_flushes,		COUNT, CUMULATIVE)			\
	S(asids_taken,		COUNT, CUMULATIVE)			\
	S(asid_rollovers,	COUNT, CUMULATIVE)

#define HV_STATS_CHAN_LIST(S)						\
	S(guest_signals,	COUNT, CUMULATIVE)			\
	S(host_signals,		COUNT, CUMULATIVE)			\
	S(host_signals_late,	COUNT, CUMULATIVE)			\
	S(opens,		COUNT, CUMULATIVE)			\
	S(closes,		COUNT, CUMULATIVE)			\
	S(gpadls,		COUNT, CUMULATIVE)			\
	S(events,		COUNT, CUMULATIVE)			\
	S(ring_faults,		COUNT, CUMULATIVE)			\
	S(ring_zaps,		COUNT, CUMULATIVE)

#define HV_STATS_FIELD(name, unit, kind) u64 name;
struct hv_stats_vm { HV_STATS_VM_LIST(HV_STATS_FIELD) };
struct hv_stats_vcpu { HV_STATS_VCPU_LIST(HV_STATS_FIELD) };
struct hv_stats_chan { HV_STATS_CHAN_LIST(HV_STATS_FIELD) };
#undef HV_STATS_FIELD

#endif /* _HV_STATS_H */
