/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.h - life of VMs and vCPUs: the four verbs, the VM's state machine, the run gate
 *
 * The vCPU's state setter is in run.h, beside the run loop that uses it.
 * Context letters as in core.h. Documentation/lifetimes.rst tells who holds what.
 */
#ifndef _HV_VM_H
#define _HV_VM_H

#include <linux/atomic.h>
#include <hv/types.h>

/* ---- VM: virt/vm.c ---- */

/*
 * Build a VM nobody else can see. @args has been copied and its flags checked. The new VM
 * belongs to the caller's address space. ERR_PTR: see HV_SYS_CREATE_VM. [proc]
 */
struct hv_vm *hv_vm_create(const struct hv_vm_args *args);
/* It appears on the list of VMs and is announced; cannot fail. [proc] */
void hv_vm_publish(struct hv_vm *vm);
/*
 * Nothing enters it any more: state dead, vCPUs kicked. Returns true to the one caller
 * that killed it. @event, @cause: what to announce; 0 for nothing. [any but hard-irq]
 */
bool hv_vm_kill(struct hv_vm *vm, u32 event, const char *cause);
void hv_vm_get(struct hv_vm *vm);			/* [any] */
void hv_vm_put(struct hv_vm *vm);			/* the last one releases it [proc] */

/* Call @fn for each published VM until it returns non-zero; the list is locked. [proc] */
int hv_vm_for_each(int (*fn)(struct hv_vm *vm, void *arg), void *arg);
u32 hv_vm_count(void);					/* published and not yet released [any] */

/* Guest TSC, reference time and all timers of the guest stop, or go on. No vCPU runs. [proc] */
void hv_vm_clocks_hold_locked(struct hv_vm *vm, bool hold);

/*
 * The host goes to sleep, user space is frozen: the clocks of all running VMs stop.
 * -EBUSY, and all go on, if a vCPU is in HV_VCPU_RUN even so. virt/sleep.c [proc]
 */
int hv_vm_sleep_all(void);
void hv_vm_wake_all(void);				/* user space is still frozen [proc] */

/* HV_VM_SET_RUN_STATE and HV_VM_RESET; vm->lock held and no vCPU runs. [proc] */
int hv_vm_set_run_state_locked(struct hv_vm *vm, u32 state);
int hv_vm_reset_locked(struct hv_vm *vm);

/* ---- vCPU: virt/vcpu.c ---- */

/* Build one, private. vm->lock held. ERR_PTR: -EEXIST, -EINVAL, -ENOMEM. [proc] */
struct hv_vcpu *hv_vcpu_create_locked(struct hv_vm *vm, const struct hv_vcpu_args *args);
/* Put it into vm->vcpu[]: from here on other vCPUs may find it. vm->lock held. */
void hv_vcpu_publish_locked(struct hv_vcpu *vcpu);
/* Undo _create for one that was not published. */
void hv_vcpu_abort(struct hv_vcpu *vcpu);
/* Its fd is gone: it never runs again. The object stays until the VM's last reference. [proc] */
void hv_vcpu_kill(struct hv_vcpu *vcpu);
/* Only from the release of the VM. [proc] */
void hv_vcpu_release(struct hv_vcpu *vcpu);

/* ---- state by record: virt/state.c ---- */

/*
 * One record. @buf is a kernel buffer of *@len bytes; *@len 0 on GET asks for the length.
 * On success *@len is the length of the record. Errors of HV_*_STATE in hv/hv.h.
 * VM: vm->lock held and no vCPU runs. vCPU: vcpu->lock held. [proc]
 */
int hv_state_vm_get(struct hv_vm *vm, u32 rec, u32 index, void *buf, u32 *len, u32 *version);
int hv_state_vm_set(struct hv_vm *vm, u32 rec, u32 index, const void *buf, u32 len, u32 version);
int hv_state_vcpu_get(struct hv_vcpu *vcpu, u32 rec, u32 index, void *buf, u32 *len, u32 *version);
int hv_state_vcpu_set(struct hv_vcpu *vcpu, u32 rec, u32 index, const void *buf, u32 len,
		      u32 version);

/* ---- the VM's state machine: virt/vm_fsm.c ---- */

/* The one setter. False: the edge is not legal from the state found (dead is final). [any] */
bool hv_vm_set_state(struct hv_vm *vm, enum hv_vm_state to);

static inline enum hv_vm_state hv_vm_get_state(struct hv_vm *vm)
{
	return READ_ONCE(vm->state);
}

static inline bool hv_vm_is_dead(struct hv_vm *vm)
{
	return unlikely(READ_ONCE(vm->state) == HV_MS_DEAD);
}

/*
 * ---- the run gate ----
 *
 * vm->nr_running counts vCPUs inside HV_VCPU_RUN. A call that needs all of them out takes
 * the gate by moving the count from 0 to HV_GATE_CLOSED under vm->lock; a vCPU that
 * arrives meanwhile waits for that lock, since such calls are short.
 */
#define HV_GATE_CLOSED	INT_MIN

int hv_vm_run_enter_slow(struct hv_vm *vm);		/* virt/vm.c */

/*
 * First thing of HV_VCPU_RUN, paired with hv_vm_run_leave(). 0, -EAGAIN the VM is paused,
 * -ECANCELED it is dead, -EINTR killed while waiting. Fully ordered on success. [run]
 */
static inline int hv_vm_run_enter(struct hv_vm *vm)
{
	if (unlikely(!atomic_inc_unless_negative(&vm->nr_running)))
		return hv_vm_run_enter_slow(vm);
	if (likely(READ_ONCE(vm->state) == HV_MS_RUNNING))
		return 0;
	atomic_dec(&vm->nr_running);
	return hv_vm_is_dead(vm) ? -ECANCELED : -EAGAIN;
}

static inline void hv_vm_run_leave(struct hv_vm *vm)
{
	atomic_dec(&vm->nr_running);
}

/* Close the gate: -EBUSY if a vCPU is inside. vm->lock held until it is opened again. */
static inline int hv_vm_gate_close_locked(struct hv_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	return atomic_cmpxchg(&vm->nr_running, 0, HV_GATE_CLOSED) ? -EBUSY : 0;
}

static inline void hv_vm_gate_open_locked(struct hv_vm *vm)
{
	lockdep_assert_held(&vm->lock);
	atomic_set_release(&vm->nr_running, 0);
}

/*
 * vcpu->lock, for who has closed the gate: a call that holds it and waits for a page of the
 * host (HV_VCPU_TRANSLATE) is made to leave, so the lock comes soon. mutex_unlock() ends it.
 * [proc, vm->lock held; virt/vcpu.c]
 */
void hv_vcpu_lock_stopped(struct hv_vcpu *vcpu);

#endif /* _HV_VM_H */
