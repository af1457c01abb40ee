// SPDX-License-Identifier: GPL-2.0-only
/*
 * host.c - virtualization on the host's CPUs, under our own count
 *
 * Switched on at the first VM, off after the last; never taken from another holder.
 * While on, it follows CPU hotplug, suspend, reboot and (by the kernel's emergency
 * callback) crash.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/mutex.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>
#include <linux/cpuhotplug.h>
#include <hv/hv_caps.h>
#include <asm/reboot.h>
#include "x86.h"

const struct hv_vendor_ops *hv_vendor;

#define V_OP(name, ret, args) \
	DEFINE_STATIC_CALL_NULL(hv_v_##name, *((struct hv_vendor_ops *)NULL)->name);
#include "ops.h"

static DEFINE_MUTEX(hw_lock);		/* hw_count, switching; order: before cpus_read_lock */
static unsigned int hw_count;
static bool hw_ready;			/* hw_setup done; from the first VM until unload */
static bool hw_rebooting;
static int hw_cpuhp;

static const struct hv_vendor_ops *const vendors[] = { &hv_svm_ops };

static void vendor_bind(const struct hv_vendor_ops *ops)
{
	hv_vendor = ops;
#define V_OP(name, ret, args) static_call_update(hv_v_##name, ops->name);
#include "ops.h"
}

static void enable_this_cpu(void *ret)
{
	int r = hv_v(hw_enable)();

	if (r)
		cmpxchg((int *)ret, 0, r);
}

static void disable_this_cpu(void *unused)
{
	hv_v(hw_disable)();
}

/*
 * A CPU comes up while VMs exist: it must be able to run them. Refusing here refuses the
 * CPU, which is better than a vCPU thread that dies when it is scheduled there.
 */
static int host_cpu_online(unsigned int cpu)
{
	int ret = 0;

	if (!READ_ONCE(hw_count) || READ_ONCE(hw_rebooting))
		return 0;
	local_irq_disable();
	enable_this_cpu(&ret);
	local_irq_enable();
	if (ret)
		pr_err("CPU %u: virtualization is held by another hypervisor, CPU stays offline\n",
		       cpu);
	return ret;
}

static int host_cpu_offline(unsigned int cpu)
{
	local_irq_disable();
	hv_v(hw_disable)();
	local_irq_enable();
	return 0;
}

/* One CPU, interrupts off: vCPU threads are frozen, the others went through host_cpu_offline. */
static int hw_suspend(void)
{
	if (hw_count)
		hv_v(hw_disable)();
	return 0;
}

static void hw_resume(void)
{
	if (hw_count && hv_v(hw_enable)())
		pr_err("cannot switch virtualization on again after suspend\n");
}

static struct syscore_ops hw_syscore = { .suspend = hw_suspend, .resume = hw_resume };

static int hw_reboot(struct notifier_block *nb, unsigned long event, void *data)
{
	/* INIT is ignored by a CPU in guest mode or with GIF clear: some firmware hangs on that. */
	WRITE_ONCE(hw_rebooting, true);
	on_each_cpu(disable_this_cpu, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block hw_reboot_nb = { .notifier_call = hw_reboot };

static void hw_emergency(void)
{
	hv_v(hw_disable)();
}

int hv_arch_init(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(vendors); i++)
		if (vendors[i]->hw_supported())
			break;
	if (i == ARRAY_SIZE(vendors)) {
		pr_warn("this CPU reports no SVM with nested paging (svm, npt in /proc/cpuinfo): VMs cannot be created; switch it on in the firmware, or have nesting switched on outside this virtual machine\n");
		return 0;
	}
	vendor_bind(vendors[i]);
	hv_fpu_init();
	ret = hv_v(hw_setup)();
	if (ret)
		goto unbind;
	ret = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "virt/hv:online", host_cpu_online,
					host_cpu_offline);
	if (ret < 0)
		goto unsetup;
	hw_cpuhp = ret;
	register_syscore_ops(&hw_syscore);
	register_reboot_notifier(&hw_reboot_nb);
	cpu_emergency_register_virt_callback(hw_emergency);
	hw_ready = true;
	return 0;
unsetup:
	hv_v(hw_unsetup)();
unbind:
	hv_vendor = NULL;
	return ret;
}

void hv_arch_exit(void)
{
	if (!hw_ready)
		return;
	cpu_emergency_unregister_virt_callback(hw_emergency);
	unregister_reboot_notifier(&hw_reboot_nb);
	unregister_syscore_ops(&hw_syscore);
	cpuhp_remove_state_nocalls(hw_cpuhp);
	hv_v(hw_unsetup)();
	hw_ready = false;
}

u32 hv_arch_vendor(void)
{
	return hv_vendor ? hv_vendor->vendor : HV_VENDOR_NONE;
}

static void worst_state(void *worst)
{
	u32 s = hv_v(hw_state)(), old = READ_ONCE(*(u32 *)worst);

	/* Numbered so that the worse news is the higher number. */
	while (s > old) {
		u32 was = cmpxchg((u32 *)worst, old, s);

		if (was == old)
			break;
		old = was;
	}
}

u32 hv_arch_hw_state(void)
{
	u32 worst = HV_HW_OFF;

	if (!hv_vendor)
		return HV_HW_NONE;
	on_each_cpu(worst_state, &worst, 1);
	return worst;
}

u64 hv_arch_hw_features(void)
{
	return hv_vendor ? hv_v(hw_features)() : 0;
}

int hv_arch_hw_get(void)
{
	int ret = 0;

	if (!hv_vendor)
		return -ENODEV;
	mutex_lock(&hw_lock);
	cpus_read_lock();
	if (READ_ONCE(hw_rebooting)) {
		ret = -ESHUTDOWN;
	} else if (!hw_count) {
		on_each_cpu(enable_this_cpu, &ret, 1);
		if (ret)
			on_each_cpu(disable_this_cpu, NULL, 1);
	}
	if (!ret)
		WRITE_ONCE(hw_count, hw_count + 1);
	cpus_read_unlock();
	mutex_unlock(&hw_lock);
	if (ret == -EBUSY)
		pr_notice_ratelimited("another hypervisor holds virtualization on this machine: unload it first (for KVM: modprobe -r kvm_amd kvm_intel)\n");
	return ret;
}

void hv_arch_hw_put(void)
{
	mutex_lock(&hw_lock);
	cpus_read_lock();
	WRITE_ONCE(hw_count, hw_count - 1);
	if (!hw_count)
		on_each_cpu(disable_this_cpu, NULL, 1);
	cpus_read_unlock();
	mutex_unlock(&hw_lock);
}
