// SPDX-License-Identifier: GPL-2.0-only
/*
 * sleep.c - what guests notice of a host that sleeps: nothing
 *
 * Their clocks stand still from the moment the host's devices are suspended until they are
 * resumed, as if each VM had been paused: guest TSC, reference time, APIC and synthetic
 * timers go on where they stood. That holds for every kind of sleep, whether the host's
 * TSC runs on through it (suspend to idle) or starts at 0 again (to memory). A guest's wall
 * clock is late afterwards by the time slept; setting it is the business of its time
 * synchronization. A guest that saw its clocks jump by hours would report stuck CPUs.
 *
 * User space is frozen here: no vCPU is in HV_VCPU_RUN and no call is under way, so
 * nothing but the timers of the VMs is awake.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/errno.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <hv/trace.h>
#include <hv/vm.h>

static int vm_sleep(struct hv_vm *vm, void *unused)
{
	int ret = -EBUSY;

	/* Whoever holds the lock would have to be frozen with it: not to be waited for. */
	if (!mutex_trylock(&vm->lock))
		goto busy;
	ret = hv_vm_gate_close_locked(vm);
	if (!ret) {
		if (hv_vm_get_state(vm) == HV_MS_RUNNING) {
			hv_vm_clocks_hold_locked(vm, true);
			vm->asleep = true;
			vm->stat.host_sleeps++;
			trace_hv_vm_sleep(vm, true);
		}
		hv_vm_gate_open_locked(vm);
	}
	mutex_unlock(&vm->lock);
busy:
	if (ret)
		pr_err("VM %llu (%s) is busy: the host cannot sleep\n", vm->id, vm->name);
	return ret;
}

static int vm_wake(struct hv_vm *vm, void *unused)
{
	mutex_lock(&vm->lock);
	if (vm->asleep) {
		vm->asleep = false;
		hv_vm_clocks_hold_locked(vm, false);
		trace_hv_vm_sleep(vm, false);
	}
	mutex_unlock(&vm->lock);
	return 0;
}

int hv_vm_sleep_all(void)
{
	int ret = hv_vm_for_each(vm_sleep, NULL);

	if (ret)
		hv_vm_wake_all();
	return ret;
}

void hv_vm_wake_all(void)
{
	hv_vm_for_each(vm_wake, NULL);
}
