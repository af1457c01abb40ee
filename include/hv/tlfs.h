/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tlfs.h - the Hyper-V interface of a VM and of a vCPU: their state, and what arch, kmod
 * and (later) vmbus call. Context letters as in core.h; wire names are in hvguest/tlfs.h.
 *
 * Locks: hv_tlfs_vm.lock (a mutex inside vcpu->lock, outside slots_lock) for partition
 * registers; hv_vsynic.lock (raw, taken in hard-irq context) for SINTs, message
 * queue and timers. Nothing is called with the raw lock held but hrtimers: interrupts
 * are raised after it is dropped, so the local APIC may call hv_tlfs_eoi() from anywhere.
 */
#ifndef _HV_TLFS_H
#define _HV_TLFS_H

#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <hvguest/tlfs.h>
#include <hv/types.h>

struct hv_vsynic_watch;

/* Letters as in types.h; P: hv_tlfs_vm.lock, Q: hv_vsynic.lock, T: the vCPU's thread. */
struct hv_tlfs_vm {
	struct mutex lock;
	u64 scale;		/* I: of the reference TSC page; 0: the host's TSC can not be used */
	u64 offset;		/* A: reference time - scaled guest TSC (or - host clock without scale) */
	u64 stopped_at;		/* A: while @paused, without scale */
	bool paused;		/* A: time stands still, timers are off */
	bool tsc_invariant_ok;	/* I: TLFS_MSR_TSC_INVARIANT is offered */
	u32 tsc_sequence;	/* P: last one published */
	u64 guest_os_id;	/* P, A for readers */
	u64 hypercall;		/* P */
	u64 reference_tsc;	/* P */
	u64 tsc_invariant;	/* P, A for readers */
	u64 crash_p[TLFS_CRASH_PARAMS];	/* A */
	u64 crash_ctl;		/* A: as written by the guest */
	struct hv_vsynic_watch __rcu *watch;	/* P, RCU for readers */
};

/* The part of a vCPU's state that exits and interrupt injection look at; virt/vsynic.h nests it. */
struct hv_tlfs_vcpu {
	struct tlfs_vp_assist *assist;	/* T: the page while it is enabled, else NULL */
	bool assist_offered;		/* T: "no EOI required" stands in the page */
	u16 queued;			/* A, written under Q: SINTs with waiting messages */
	DECLARE_BITMAP(auto_eoi, 256);	/* A: vectors of SINTs with auto-EOI */
};

/* ---- CPUID and privileges: arch/x86/cpuid_tlfs.c ---- */
/* Leaf of @vm (NULL: as a new VM would see it; its flags are set); false: there is no such leaf. [any] */
bool hv_cpuid_tlfs(struct hv_vm *vm, u32 leaf, u32 out[4]);
/*
 * Shall CPUID 0x80000007 EDX[8] (invariant TSC) be shown now? Only after the guest asked
 * for it, when TLFS_MSR_TSC_INVARIANT is offered. [any]
 */
static inline bool hv_tlfs_tsc_invariant(struct hv_vm *vm)
{
	return vm->tlfs && (READ_ONCE(vm->tlfs->tsc_invariant) & TLFS_TSC_INVARIANT_EXPOSE);
}

/* ---- EOI assist (TLFS 10.3.5): virt/vp_assist.c and here ---- */
/*
 * The protocol, by the one who injects interrupts:
 *  - before an entry, when the highest vector in service is an edge one, none lower is in
 *    service or pending, and no one waits for its EOI: hv_assist_offer(). While it stands,
 *    every interrupt delivered to the vCPU must kick it, whatever its priority.
 *  - after the exit, before anybody looks at priorities: if hv_assist_collect() says so,
 *    the guest has ended its interrupt without an exit: end it in the local APIC.
 */
static inline bool hv_assist_wanted(struct hv_vcpu *vcpu)
{
	return vcpu->tlfs && vcpu->tlfs->assist;
}

static inline void hv_assist_offer(struct hv_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->tlfs->assist->apic_assist, TLFS_ASSIST_NO_EOI);
	vcpu->tlfs->assist_offered = true;
}

bool hv_assist_collect_slow(struct hv_vcpu *vcpu);

static inline bool hv_assist_collect(struct hv_vcpu *vcpu)
{
	if (likely(!vcpu->tlfs || !vcpu->tlfs->assist_offered))
		return false;
	return hv_assist_collect_slow(vcpu);
}

/* ---- time: virt/reftime.c ---- */
/* Reference time becomes @reftime at guest TSC @tsc (HV_REC_VM_CLOCK); page and timers follow. No vCPU runs. [proc] */
void hv_reftime_set(struct hv_vm *vm, u64 reftime, u64 tsc);
/*
 * The VM's time stops or goes on: timers are held or armed again. Call it with true
 * before the guest TSC is stopped, with false after it runs again and the VM's
 * state is HV_MS_RUNNING. No vCPU runs. [proc]
 */
void hv_tlfs_vm_pause(struct hv_vm *vm, bool paused);

/* ---- connections: virt/port.c; ports are made by what core.h has ---- */
int hv_port_vm_create(struct hv_vm *vm);	/* vm->ports */
void hv_port_vm_release(struct hv_vm *vm);

/* ---- state by record: virt/tlfs_state.c. No vCPU runs. [proc] ---- */
/* -ENOENT: the VM has no Hyper-V interface. -EINVAL: a value the registers can not hold. */
int hv_tlfs_vm_get_state(struct hv_vm *vm, struct hv_rec_tlfs_vm *rec);
int hv_tlfs_vm_set_state(struct hv_vm *vm, const struct hv_rec_tlfs_vm *rec);
int hv_tlfs_vcpu_get_state(struct hv_vcpu *vcpu, struct hv_rec_tlfs_vcpu *rec);	/* vcpu->lock held */
int hv_tlfs_vcpu_set_state(struct hv_vcpu *vcpu, const struct hv_rec_tlfs_vcpu *rec);
/* Posted messages. Room @*len: 0 asks for the length; -ENOSPC. virt/vsynic_queue.c */
int hv_vsynic_messages_get(struct hv_vcpu *vcpu, void *buf, u32 *len);
int hv_vsynic_messages_set(struct hv_vcpu *vcpu, const void *buf, u32 len);

#endif /* _HV_TLFS_H */
