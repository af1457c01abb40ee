/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * arch.h - what virt and kmod call in arch (hv_arch_*), each with its contract
 *
 * Section: the stretch in which the host CPU's extended state is the guest's. Between
 * hv_arch_section_begin() and _end() preemption is off (kernel_fpu_begin) and nothing
 * sleeps; any code that must sleep ends it first, the run loop begins it again.
 */
#ifndef _HV_ARCH_H
#define _HV_ARCH_H

#include <hv/types.h>

struct hv_slot;

/* ---- module and host ---- */
int hv_arch_init(void);				/* probe vendor; 0 even if the CPU has none */
void hv_arch_exit(void);
u32 hv_arch_vendor(void);			/* enum hv_vendor */
u32 hv_arch_hw_state(void);			/* enum hv_hw_state, as of now, over all online CPUs */
u64 hv_arch_hw_features(void);			/* HV_HWF_* */
u64 hv_arch_cap(u32 cap);			/* GPA_BITS, TSC_KHZ */
/* Switch virtualization on (count 0 to 1) or off on all CPUs. -EBUSY held by another, -ENODEV none. [proc] */
int hv_arch_hw_get(void);
void hv_arch_hw_put(void);

/* ---- VM ---- */
struct hv_vm *hv_arch_vm_alloc(void);		/* zeroed, room for the arch's part around it */
void hv_arch_vm_free(struct hv_vm *vm);
int hv_arch_vm_create(struct hv_vm *vm, const struct hv_vm_args *args);	/* CPU model, roots, I/O APIC */
void hv_arch_vm_release(struct hv_vm *vm);	/* no vCPU exists any more */
void hv_arch_vm_reset(struct hv_vm *vm);	/* parts of the VM, not the vCPUs; none runs */
/* Guest TSC frequency and the TSC the guest reads now, for reference time. [any] */
u32 hv_arch_tsc_khz(struct hv_vm *vm);
u64 hv_arch_guest_tsc(struct hv_vm *vm);
/* Set the TSC all vCPUs go on from; the VM is paused. [proc] */
void hv_arch_guest_tsc_set(struct hv_vm *vm, u64 tsc);
/* Stop or restart guest TSC and APIC timers; no vCPU runs. [proc] */
void hv_arch_vm_pause(struct hv_vm *vm, bool paused);
/* May the guest TSC serve all vCPUs as a clock; does it run at one rate for ever? [any] */
enum hv_tsc_trust {
	HV_TSC_NONE,		/* differs between host CPUs, or stops */
	HV_TSC_SYNCHRONIZED,
	HV_TSC_INVARIANT,
};
enum hv_tsc_trust hv_arch_tsc_trust(void);
/* HV_SYS_GET_CPUID (@vm NULL) and HV_VM_GET_CPUID: fill up to *@nr entries, *@nr = needed. */
int hv_arch_cpuid_get(struct hv_vm *vm, u32 cpu_model, struct hv_cpuid_entry *e, u32 *nr);

/* ---- vCPU ---- */
struct hv_vcpu *hv_arch_vcpu_alloc(void);
void hv_arch_vcpu_free(struct hv_vcpu *vcpu);
int hv_arch_vcpu_create(struct hv_vcpu *vcpu);	/* then reset; BSP runnable, others wait for SIPI */
void hv_arch_vcpu_release(struct hv_vcpu *vcpu);
void hv_arch_vcpu_reset(struct hv_vcpu *vcpu);	/* vcpu->lock held */
/* Guest extended state onto this CPU / off it. [run] Nested calls are not allowed; _end is a no-op out of one. */
void hv_arch_section_begin(struct hv_vcpu *vcpu);
void hv_arch_section_end(struct hv_vcpu *vcpu);
/*
 * One step: serve arch requests, inject, enter, leave, handle. In a section, interrupts
 * on, at call; interrupts on, perhaps out of the section, on return. [run]
 */
enum hv_next hv_arch_vcpu_step(struct hv_vcpu *vcpu);
/* Is there something to run for (interrupt deliverable, NMI, INIT/SIPI)? [run; also as wake-up condition] */
bool hv_arch_vcpu_has_event(struct hv_vcpu *vcpu);
/* Returned from BLOCK with an event: leave HLT. [run] */
void hv_arch_vcpu_unblock(struct hv_vcpu *vcpu);
/* Give the answer in vcpu->pending to the vCPU (finish table of virt/exit.c). [run] */
enum hv_next hv_arch_finish_pio_in(struct hv_vcpu *vcpu);
enum hv_next hv_arch_finish_mmio(struct hv_vcpu *vcpu);
int hv_arch_vcpu_inject_nmi(struct hv_vcpu *vcpu);	/* [any] */
int hv_arch_vcpu_translate(struct hv_vcpu *vcpu, struct hv_translate_args *args);	/* vcpu->lock held */

/* ---- interrupts ---- */
/* Who drives the line of an I/O APIC pin: the line is the OR of all. */
enum hv_irq_source {
	HV_IRQ_SOURCE_USER,	/* HV_VM_SET_IRQ */
	HV_IRQ_SOURCE_RESAMPLE,	/* irqfds with F_RESAMPLE: lowered at EOI */
	HV_IRQ_SOURCE_PULSE,	/* irqfds without: up and down at once */
};

/* Set the line of GSI @gsi from @source. 0 delivered (or lowered), 1 coalesced, -EINVAL. [any] */
int hv_arch_irq_set_line(struct hv_vm *vm, u32 gsi, enum hv_irq_source source, bool level);
/* Could @t be delivered? Form only: GSI in range, MSI address of a local APIC. 0, -EINVAL. [any] */
int hv_arch_irq_check(struct hv_vm *vm, const struct hv_irq_target *t);
/* MSI or GSI in, to the local APICs. level is for GSI. 0 delivered, 1 coalesced, -EINVAL. [any] */
int hv_arch_irq_deliver(struct hv_vm *vm, const struct hv_irq_target *t, u32 level);
/* Edge interrupt @vector to one vCPU: SINTs and direct timers. True: it was not pending already. [any] */
bool hv_arch_irq_raise(struct hv_vcpu *vcpu, u8 vector);
/*
 * The local APIC by the Hyper-V MSRs (TLFS 10.2): EOI, interrupt command (in the format of
 * the APIC's present mode), task priority. False: inject #GP. [run]
 */
void hv_arch_apic_eoi(struct hv_vcpu *vcpu);
bool hv_arch_apic_icr_get(struct hv_vcpu *vcpu, u64 *val);
bool hv_arch_apic_icr_set(struct hv_vcpu *vcpu, u64 val);
u8 hv_arch_apic_tpr_get(struct hv_vcpu *vcpu);
bool hv_arch_apic_tpr_set(struct hv_vcpu *vcpu, u64 val);
#define HV_ARCH_APIC_HZ	1000000000ULL	/* of its timer before division */
/* Resample notification: @fn(@arg) is called when the guest ends GSI @gsi. NULL to remove. [proc] */
int hv_arch_irq_set_resample(struct hv_vm *vm, u32 gsi, void (*fn)(void *arg), void *arg);

/* ---- second-level paging: arch/x86/mmu ---- */
/* Host range is going away or a slot changed: unmap [@start, @end) in all roots; true if a flush is due. mmu_lock held. */
bool hv_arch_mmu_zap_range_locked(struct hv_vm *vm, hv_gfn_t start, hv_gfn_t end);
/* Write-protect for the dirty log. @mask != 0: only pages start+n of set bits. mmu_lock held. */
bool hv_arch_mmu_wrprotect_locked(struct hv_vm *vm, hv_gfn_t start, hv_gfn_t end, const unsigned long *mask);
/* Accessed bits: returns whether any was set, and clears them if @clear. mmu_lock held. */
bool hv_arch_mmu_age_locked(struct hv_vm *vm, hv_gfn_t start, hv_gfn_t end, bool clear);
/* All vCPUs stop using old translations before this returns; frees zapped tables. mmu_lock held. */
void hv_arch_mmu_flush_locked(struct hv_vm *vm);

/* ---- state records ---- */
/*
 * Get or set one arch record. @buf, *@len: kernel buffer; on GET with *@len 0 the length
 * is stored. -ENOENT not a record of this arch, -EINVAL refused, -ENOSPC too small. vcpu->lock held.
 */
int hv_arch_vcpu_get_state(struct hv_vcpu *vcpu, u32 rec, void *buf, u32 *len, u32 *version);
int hv_arch_vcpu_set_state(struct hv_vcpu *vcpu, u32 rec, const void *buf, u32 len, u32 version);
int hv_arch_vm_get_state(struct hv_vm *vm, u32 rec, u32 index, void *buf, u32 *len, u32 *version);
int hv_arch_vm_set_state(struct hv_vm *vm, u32 rec, u32 index, const void *buf, u32 len, u32 version);

#endif /* _HV_ARCH_H */
