/* SPDX-License-Identifier: GPL-2.0-only */
/* reftime.h - partition reference time, inside virt; hv_reftime_now() is in core.h */
#ifndef _HV_VIRT_REFTIME_H
#define _HV_VIRT_REFTIME_H

#include <hv/types.h>

void hv_reftime_init(struct hv_vm *vm);		/* vm->tlfs is new */
void hv_reftime_reset(struct hv_vm *vm);
/* Scale, offset or enable bit changed: tell the guest. hv_tlfs_vm.lock held. */
void hv_reftime_page_update_locked(struct hv_vm *vm);

#endif /* _HV_VIRT_REFTIME_H */
