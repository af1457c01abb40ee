// SPDX-License-Identifier: LGPL-2.1-or-later
/* The VM fd: memory, interrupts, life-cycle. */
#include <string.h>

#include "call.h"
#include "libhv.h"

int libhv_vm_create(int sys, const char *name, uint32_t max_vcpus, enum hv_cpu_model model,
		    uint32_t flags, uint64_t *id)
{
	struct hv_vm_args args = {
		.size = sizeof(args), .flags = flags, .max_vcpus = max_vcpus, .cpu_model = model,
	};
	int ret;

	if (name)
		memcpy(args.name, name, strnlen(name, sizeof(args.name) - 1));
	ret = libhv_call(sys, HV_SYS_CREATE_VM, &args);
	if (ret >= 0 && id)
		*id = args.id;
	return ret;
}

int libhv_vm_vcpu(int vm, uint32_t index, uint32_t vnode)
{
	struct hv_vcpu_args args = { .size = sizeof(args), .index = index, .vnode = vnode };

	return libhv_call(vm, HV_VM_CREATE_VCPU, &args);
}

int libhv_vm_slot(int vm, const struct hv_slot_args *slot)
{
	struct hv_slot_args args = *slot;

	args.size = sizeof(args);
	return libhv_call(vm, HV_VM_SET_SLOT, &args);
}

int libhv_vm_irq_line(int vm, uint32_t gsi, int level)
{
	struct hv_irq_args args = {
		.size = sizeof(args), .level = !!level,
		.target = { .kind = HV_IRQ_GSI, .gsi = gsi },
	};

	return libhv_call(vm, HV_VM_SET_IRQ, &args);
}

int libhv_vm_msi(int vm, uint64_t addr, uint32_t data)
{
	struct hv_irq_args args = {
		.size = sizeof(args),
		.target = { .kind = HV_IRQ_MSI, .msi_addr = addr, .msi_data = data },
	};

	return libhv_call(vm, HV_VM_SET_IRQ, &args);
}

int libhv_vm_irqfd(int vm, const struct hv_irqfd_args *irqfd)
{
	struct hv_irqfd_args args = *irqfd;

	args.size = sizeof(args);
	return libhv_call(vm, HV_VM_SET_IRQFD, &args);
}

int libhv_vm_ioeventfd(int vm, const struct hv_ioeventfd_args *ioeventfd)
{
	struct hv_ioeventfd_args args = *ioeventfd;

	args.size = sizeof(args);
	return libhv_call(vm, HV_VM_SET_IOEVENTFD, &args);
}

int libhv_vm_event_port(int vm, uint32_t connection, int fd)
{
	struct hv_event_port_args args = {
		.size = sizeof(args), .connection = connection, .fd = fd,
	};

	return libhv_call(vm, HV_VM_SET_EVENT_PORT, &args);
}

int libhv_vm_dirty(int vm, uint32_t slot, uint64_t first, uint64_t npages, uint32_t flags,
		   uint64_t *bitmap, uint64_t *count)
{
	struct hv_dirty_args args = {
		.size = sizeof(args), .flags = flags, .slot = slot, .first = first,
		.npages = npages, .addr = (uintptr_t)bitmap,
	};
	int ret = libhv_call(vm, HV_VM_GET_DIRTY, &args);

	if (ret >= 0 && count)
		*count = args.count;
	return ret < 0 ? ret : 0;
}

int libhv_vm_run_state(int vm, enum hv_run_state state)
{
	struct hv_run_state_args args = { .size = sizeof(args), .state = state };

	return libhv_call(vm, HV_VM_SET_RUN_STATE, &args);
}

int libhv_vm_reset(int vm)
{
	struct hv_reset_args args = { .size = sizeof(args) };

	return libhv_call(vm, HV_VM_RESET, &args);
}
