// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a VM: create, publish, kill, release.
 *
 * A VM is made of parts, each with an owner elsewhere; the table below is the only place
 * that knows their order. It is killed by its last reference, by the death of its address
 * space or by a bug, and released by its last reference alone, so whoever holds one may
 * use the object however dead it is.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <hv/arch.h>
#include <hv/bus.h>
#include <hv/core.h>
#include <hv/irq.h>
#include <hv/overlay.h>
#include <hv/slot.h>
#include <hv/tlfs.h>
#include <hv/vm.h>

static DEFINE_MUTEX(hv_vm_list_lock);
static LIST_HEAD(hv_vm_list);
static u32 hv_vm_nr;			/* hv_vm_list_lock; read without it */
static atomic64_t hv_vm_last_id = ATOMIC64_INIT(0);

static int hw_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	return hv_arch_hw_get();
}

static void hw_release(struct hv_vm *vm)
{
	hv_arch_hw_put();
}

static int mem_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	return hv_mem_vm_create(vm);
}

static int tlfs_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	return vm->flags & HV_VM_F_NO_TLFS ? 0 : hv_tlfs_vm_create(vm);
}

static void tlfs_release(struct hv_vm *vm)
{
	if (!(vm->flags & HV_VM_F_NO_TLFS))
		hv_tlfs_vm_release(vm);
}

/* vCPUs come one by one, later; they go all at once, here. */
static int vcpus_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	vm->vcpu = kcalloc(vm->max_vcpus, sizeof(*vm->vcpu), GFP_KERNEL_ACCOUNT);
	return vm->vcpu ? 0 : -ENOMEM;
}

static void vcpus_release(struct hv_vm *vm)
{
	struct hv_vcpu *vcpu;
	u32 i;

	hv_vm_for_each_vcpu(vm, i, vcpu)
		hv_vcpu_release(vcpu);
	kfree(vm->vcpu);
}

static int irq_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	return hv_irq_vm_create(vm);
}

static int port_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	return hv_port_vm_create(vm);
}

static int bus_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	return 0;	/* when it is asked for */
}

static int attach_create(struct hv_vm *vm, const struct hv_vm_args *args)
{
	return hv_mem_vm_attach(vm);
}

/*
 * Created downwards, released upwards. What reaches the VM from outside (host memory,
 * eventfds) stands below the vCPUs it reaches, what they stand on above them.
 */
static const struct hv_vm_part {
	int (*create)(struct hv_vm *vm, const struct hv_vm_args *args);
	void (*release)(struct hv_vm *vm);
} hv_vm_parts[] = {
	{ hw_create, hw_release },
	{ mem_create, hv_mem_vm_release },
	{ hv_arch_vm_create, hv_arch_vm_release },
	{ tlfs_create, tlfs_release },
	{ vcpus_create, vcpus_release },
	{ port_create, hv_port_vm_release },
	{ irq_create, hv_irq_vm_release },
	{ attach_create, hv_mem_vm_detach },
	{ bus_create, hv_bus_vm_release },
};

static void parts_release(struct hv_vm *vm, u32 n)
{
	while (n--)
		hv_vm_parts[n].release(vm);
	mmdrop(vm->mm);
	mutex_destroy(&vm->lock);
	hv_arch_vm_free(vm);
}

struct hv_vm *hv_vm_create(const struct hv_vm_args *args)
{
	struct hv_vm *vm = hv_arch_vm_alloc();
	u32 i;
	int ret;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->id = atomic64_inc_return(&hv_vm_last_id);
	strscpy(vm->name, args->name, sizeof(vm->name));
	vm->flags = args->flags;
	vm->cpu_model = args->cpu_model;
	vm->max_vcpus = args->max_vcpus;
	vm->owner = task_tgid_nr(current);
	vm->mm = current->mm;
	mmgrab(vm->mm);
	refcount_set(&vm->refs, 1);
	INIT_LIST_HEAD(&vm->link);
	mutex_init(&vm->lock);
	vm->state = HV_MS_RUNNING;

	for (i = 0; i < ARRAY_SIZE(hv_vm_parts); i++) {
		ret = hv_vm_parts[i].create(vm, args);
		if (ret) {
			parts_release(vm, i);
			return ERR_PTR(ret);
		}
	}
	return vm;
}

void hv_vm_publish(struct hv_vm *vm)
{
	mutex_lock(&hv_vm_list_lock);
	list_add_tail(&vm->link, &hv_vm_list);
	WRITE_ONCE(hv_vm_nr, hv_vm_nr + 1);
	mutex_unlock(&hv_vm_list_lock);
	hv_event(vm, NULL, HV_EVENT_VM_CREATED, NULL);
}

bool hv_vm_kill(struct hv_vm *vm, u32 event, const char *cause)
{
	if (!hv_vm_set_state(vm, HV_MS_DEAD))
		return false;
	/* A vCPU that missed the state on its way in finds the request before it enters. */
	hv_vm_request_all(vm, HV_REQ_KILL, false);
	if (event)
		hv_event(vm, NULL, event, cause);
	return true;
}

bool hv_vm_lost(struct hv_vm *vm, const char *cause)
{
	if (!hv_vm_kill(vm, HV_EVENT_VM_DEAD, cause))
		return false;
	pr_err("VM %llu (%s) of process %d is dead: %s\n", vm->id, vm->name, vm->owner, cause);
	return true;
}

void hv_vm_set_dead(struct hv_vm *vm, const char *cause)
{
	if (hv_vm_lost(vm, cause))
		WARN_ONCE(1, "hv: internal error, the VM concerned was stopped\n");
}

/* Last reference: no fd, so no call in flight and no vCPU running. */
static void vm_release(struct hv_vm *vm)
{
	bool published = !list_empty(&vm->link);

	hv_vm_kill(vm, 0, NULL);
	if (published) {
		mutex_lock(&hv_vm_list_lock);
		list_del_init(&vm->link);
		WRITE_ONCE(hv_vm_nr, hv_vm_nr - 1);
		mutex_unlock(&hv_vm_list_lock);
		hv_event(vm, NULL, HV_EVENT_VM_DESTROYED, NULL);
	}
	parts_release(vm, ARRAY_SIZE(hv_vm_parts));
}

void hv_vm_get(struct hv_vm *vm)
{
	refcount_inc(&vm->refs);
}

void hv_vm_put(struct hv_vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		vm_release(vm);
}

int hv_vm_for_each(int (*fn)(struct hv_vm *vm, void *arg), void *arg)
{
	struct hv_vm *vm;
	int ret = 0;

	mutex_lock(&hv_vm_list_lock);
	list_for_each_entry(vm, &hv_vm_list, link) {
		ret = fn(vm, arg);
		if (ret)
			break;
	}
	mutex_unlock(&hv_vm_list_lock);
	return ret;
}

u32 hv_vm_count(void)
{
	return READ_ONCE(hv_vm_nr);
}

/* The gate was closed when the vCPU arrived: whoever closed it holds vm->lock. */
int hv_vm_run_enter_slow(struct hv_vm *vm)
{
	while (!atomic_inc_unless_negative(&vm->nr_running)) {
		if (mutex_lock_killable(&vm->lock))
			return -EINTR;
		mutex_unlock(&vm->lock);
	}
	if (READ_ONCE(vm->state) == HV_MS_RUNNING)
		return 0;
	atomic_dec(&vm->nr_running);
	return hv_vm_is_dead(vm) ? -ECANCELED : -EAGAIN;
}

void hv_vm_clocks_hold_locked(struct hv_vm *vm, bool hold)
{
	lockdep_assert_held(&vm->lock);
	/* The reference time stands on the guest's TSC: stopped first, started last. */
	if (hold && vm->tlfs)
		hv_tlfs_vm_pause(vm, true);
	hv_arch_vm_pause(vm, hold);
	if (!hold && vm->tlfs)
		hv_tlfs_vm_pause(vm, false);
}

int hv_vm_set_run_state_locked(struct hv_vm *vm, u32 state)
{
	bool pause = state == HV_RUN_STATE_PAUSED;

	lockdep_assert_held(&vm->lock);
	if (state != HV_RUN_STATE_PAUSED && state != HV_RUN_STATE_RUNNING)
		return -EINVAL;
	if (hv_vm_is_dead(vm))
		return -EIO;
	if (!hv_vm_set_state(vm, pause ? HV_MS_PAUSED : HV_MS_RUNNING))
		return 0;	/* it is in that state */
	hv_vm_clocks_hold_locked(vm, pause);
	hv_event(vm, NULL, pause ? HV_EVENT_VM_PAUSED : HV_EVENT_VM_RESUMED, NULL);
	return 0;
}

int hv_vm_reset_locked(struct hv_vm *vm)
{
	struct hv_vcpu *vcpu;
	u32 i;

	lockdep_assert_held(&vm->lock);
	hv_bus_vm_reset(vm);
	hv_vm_for_each_vcpu(vm, i, vcpu) {
		hv_vcpu_lock_stopped(vcpu);
		if (vcpu->tlfs)
			hv_tlfs_vcpu_reset(vcpu);
		hv_arch_vcpu_reset(vcpu);
		memset(&vcpu->pending, 0, sizeof(vcpu->pending));
		vcpu->started = false;
		mutex_unlock(&vcpu->lock);
	}
	if (vm->tlfs)
		hv_tlfs_vm_reset(vm);
	hv_arch_vm_reset(vm);
	hv_overlay_reset(vm);
	hv_event(vm, NULL, HV_EVENT_VM_RESET, NULL);
	return 0;
}
