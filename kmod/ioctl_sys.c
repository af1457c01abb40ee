// SPDX-License-Identifier: GPL-2.0-only
/* Calls on the system fd (an open /dev/hv). */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <hv/arch.h>
#include <hv/release.h>
#include <hv/vm.h>
#include "buffer.h"
#include "caps.h"
#include "ioctl.h"

#define HV_VM_F_ALL	(HV_VM_F_NO_TLFS | HV_VM_F_NO_X2APIC | HV_VM_F_SMALL_PAGES)

static long sys_get_version(struct hv_call *call, void *args)
{
	struct hv_version_args *a = args;

	a->api = HV_API_VERSION;
	a->vendor = hv_arch_vendor();
	memset(a->release, 0, sizeof(a->release));
	strscpy(a->release, HV_RELEASE, sizeof(a->release));
	return 0;
}

static long sys_get_cap(struct hv_call *call, void *args)
{
	struct hv_cap_args *a = args;

	return hv_caps_get(a->cap, &a->value);
}

static void vm_publish(void *obj)
{
	hv_vm_publish(obj);
}

static long sys_create_vm(struct hv_call *call, void *args)
{
	struct hv_vm_args *a = args;
	struct hv_vm *vm;
	int ret;

	if (!memchr(a->name, 0, sizeof(a->name)))
		return -EINVAL;
	if (!a->max_vcpus || a->max_vcpus > HV_MAX_VCPUS)
		return -EINVAL;
	vm = hv_vm_create(a);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = hv_newfd_create(&call->newfd, "hv-vm", &hv_vm_fops, vm, vm_publish);
	if (ret) {
		hv_vm_put(vm);
		return ret;
	}
	a->id = vm->id;
	return 0;
}

static const struct hv_ioctl_op sys_ops[] = {
	HV_OP(HV_SYS_GET_VERSION, struct hv_version_args, release, 0, 0, sys_get_version),
	HV_OP_RSVD(HV_SYS_GET_CAP, struct hv_cap_args, value, 0, 0, sys_get_cap),
	HV_OP(HV_SYS_CREATE_VM, struct hv_vm_args, id, HV_VM_F_ALL, 0, sys_create_vm),
	HV_OP(HV_SYS_GET_CPUID, struct hv_cpuid_args, addr, 0, HVL_OUT_E2BIG, hv_cpuid_get,
	      .before = hv_cpuid_before, .after = hv_cpuid_after),
};

static const struct hv_ioctl_table sys_table = {
	.first = _IOC_NR(HV_SYS_GET_VERSION), .nr = ARRAY_SIZE(sys_ops), .ops = sys_ops,
};

static long sys_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return hv_ioctl_dispatch(&sys_table, NULL, NULL, cmd, (void __user *)arg);
}

const struct file_operations hv_sys_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = sys_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
