/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compat.h - the differences between the kernels hv.ko builds for
 *
 * Included in front of every C file, so that the code proper reads as if written for the
 * newest kernel and has no version test. probes.mk finds out what there is.
 */
#ifndef _HV_KMOD_COMPAT_H
#define _HV_KMOD_COMPAT_H

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "hv.ko needs Linux 5.10 or later"
#endif

#ifndef HV_HAVE_VM_FLAGS_SET
/* 6.3: vm_flags is not written directly any more. */
#define vm_flags_set(vma, flags)	((void)((vma)->vm_flags |= (flags)))
#define vm_flags_clear(vma, flags)	((void)((vma)->vm_flags &= ~(flags)))
#endif

#endif /* _HV_KMOD_COMPAT_H */
