/* SPDX-License-Identifier: GPL-2.0-only */
/* runpage.h - mmap of a vCPU fd */
#ifndef _HV_KMOD_RUNPAGE_H
#define _HV_KMOD_RUNPAGE_H

#include <hv/types.h>

struct vm_area_struct;

/* Map the run page. -EINVAL other than one page at offset 0, private or executable. [proc] */
int hv_runpage_mmap(struct hv_vcpu *vcpu, struct vm_area_struct *vma);

#endif /* _HV_KMOD_RUNPAGE_H */
