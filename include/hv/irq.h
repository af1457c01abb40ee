/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * irq.h - interrupts into a VM and kicks out of it: virt/irq.c, irqfd.c, ioeventfd.c, iobus.c
 *
 * Context letters as in core.h. Lock order: hv_irq_table.lock and hv_iobus.lock are inside
 * vm->lock; the eventfd's wait-queue lock, in which irqfds deliver, is inside both and
 * outside the interrupt controllers' raw locks.
 */
#ifndef _HV_IRQ_H
#define _HV_IRQ_H

#include <hv/types.h>

/* Empty tables; they cost nothing until used. -ENOMEM. [proc] */
int hv_irq_vm_create(struct hv_vm *vm);
/*
 * Detach from all eventfds: from then on none can reach the VM, and none is signalled.
 * No vCPU runs. Also on the way out after a failed create. [proc]
 */
void hv_irq_vm_release(struct hv_vm *vm);

/*
 * Raise @t now; @level is for HV_IRQ_GSI alone. 0 delivered, 1 coalesced with one that was
 * pending already, -EINVAL no such target or nobody took it. [any]
 */
int hv_irq_deliver(struct hv_vm *vm, const struct hv_irq_target *t, u32 level);
/* Is @t something that could be delivered? Checked before it is stored. 0, -EINVAL. [any] */
int hv_irq_target_check(struct hv_vm *vm, const struct hv_irq_target *t);

/* The ioctls; argument structures are copied and their flags and tails checked. [proc] */
/* HV_VM_SET_IRQ: 0 delivered, 1 coalesced or nobody listens, -EINVAL */
int hv_irq_set(struct hv_vm *vm, const struct hv_irq_args *args);
/*
 * HV_VM_SET_IRQFD. -EBADF, -EINVAL not an eventfd, unknown flag, bad target, or resample
 * without a GSI; -EEXIST @fd is an irqfd of this VM already; -ENOENT deassign of none.
 */
int hv_irqfd_set(struct hv_vm *vm, const struct hv_irqfd_args *args);
/*
 * HV_VM_SET_IOEVENTFD. -EBADF, -EINVAL bad flag, length, or range that wraps; -EEXIST an
 * ioeventfd answers some of these writes already; -ENOSPC too many; -ENOENT.
 */
int hv_ioeventfd_set(struct hv_vm *vm, const struct hv_ioeventfd_args *args);

#endif /* _HV_IRQ_H */
