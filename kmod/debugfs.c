// SPDX-License-Identifier: GPL-2.0-only
/*
 * /sys/kernel/debug/hv: what a developer looks at first. Static files that list all VMs,
 * so that creating a VM costs nothing here. Not an interface: HV_VM_GET_STATS is.
 */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/seq_file.h>
#include <hv/arch.h>
#include <hv/core.h>
#include <hv/vm.h>
#include "ioctl.h"
#include "parts.h"

static struct dentry *hv_debugfs_dir;

static const char *const vm_state_names[HV_MS_NR] = {
	[HV_MS_RUNNING] = "running", [HV_MS_PAUSED] = "paused", [HV_MS_DEAD] = "dead",
};

static const char *const vcpu_state_names[HV_VS_NR] = {
	[HV_VS_IDLE] = "idle", [HV_VS_LOADED] = "loaded", [HV_VS_GUEST] = "guest",
	[HV_VS_BLOCKED] = "blocked", [HV_VS_DEAD] = "dead",
};

static int vm_show(struct hv_vm *vm, void *arg)
{
	struct seq_file *m = arg;
	struct hv_vcpu *vcpu;
	u32 i;

	seq_printf(m, "%llu %s pid %d %s vcpus %u of %u refs %u\n", vm->id,
		   vm->name[0] ? vm->name : "-", vm->owner, vm_state_names[hv_vm_get_state(vm)],
		   READ_ONCE(vm->nr_vcpus), vm->max_vcpus, refcount_read(&vm->refs));
	hv_vm_for_each_vcpu(vm, i, vcpu)
		seq_printf(m, "  vcpu %u %s cpu %d requests %#lx exits %llu kicks %llu vnode %d\n",
			   i, vcpu_state_names[READ_ONCE(vcpu->state)], READ_ONCE(vcpu->cpu),
			   READ_ONCE(vcpu->requests), READ_ONCE(vcpu->stat.exits),
			   READ_ONCE(vcpu->stat.kicks), (s32)vcpu->vnode);
	return 0;
}

static int vms_show(struct seq_file *m, void *unused)
{
	return hv_vm_for_each(vm_show, m);
}
DEFINE_SHOW_ATTRIBUTE(vms);

static int ioctls_show(struct seq_file *m, void *unused)
{
	u32 nr;
	u64 n;

	for (nr = 0; nr < HV_IOCTL_NRS; nr++) {
		n = hv_ioctl_count(nr);
		if (n)
			seq_printf(m, "%#04x %llu\n", nr, n);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(ioctls);

/* A kernel without debugfs is no reason to fail. */
int hv_debugfs_init(void)
{
	hv_debugfs_dir = debugfs_create_dir("hv", NULL);
	debugfs_create_file("vms", 0400, hv_debugfs_dir, NULL, &vms_fops);
	debugfs_create_file("ioctls", 0400, hv_debugfs_dir, NULL, &ioctls_fops);
	return 0;
}

void hv_debugfs_exit(void)
{
	debugfs_remove(hv_debugfs_dir);
}
