// SPDX-License-Identifier: GPL-2.0-only
/*
 * The run page in user space.
 *
 * The mapping holds the vCPU's file, which holds the VM, so the page outlives every
 * mapping of it. It is mapped by the fault handler, because user space may drop it at any
 * time (MADV_DONTNEED) and must find the same page again. A child of fork() does not get
 * it: the VM isn't the child's.
 */
#include <linux/mm.h>
#include "runpage.h"

static vm_fault_t runpage_fault(struct vm_fault *vmf)
{
	struct hv_vcpu *vcpu = vmf->vma->vm_private_data;

	if (vmf->pgoff)
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page(vcpu->run);
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct runpage_vm_ops = {
	.fault = runpage_fault,
};

int hv_runpage_mmap(struct hv_vcpu *vcpu, struct vm_area_struct *vma)
{
	BUILD_BUG_ON(sizeof(struct hv_run) > HV_RUN_PIO_DATA);
	BUILD_BUG_ON(HV_RUN_PIO_DATA + HV_RUN_PIO_MAX > HV_RUN_BYTES);
	BUILD_BUG_ON(HV_RUN_BYTES != PAGE_SIZE);

	if (vma->vm_pgoff || vma->vm_end - vma->vm_start != HV_RUN_BYTES)
		return -EINVAL;
	/* A private copy would never show the kernel's side. */
	if (!(vma->vm_flags & VM_SHARED) || (vma->vm_flags & VM_EXEC))
		return -EINVAL;
	if (vcpu->vm->mm != vma->vm_mm)
		return -EIO;
	vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vm_flags_clear(vma, VM_MAYEXEC);
	vma->vm_private_data = vcpu;
	vma->vm_ops = &runpage_vm_ops;
	return 0;
}
