/* SPDX-License-Identifier: GPL-2.0-only */
/* ioapic.h - the I/O APIC of a VM: 24 pins at 0xfec00000 */
#ifndef _HV_ARCH_X86_IOAPIC_H
#define _HV_ARCH_X86_IOAPIC_H

#include <linux/spinlock.h>
#include "x86.h"
#include "lib/ioapic_regs.h"

#define HV_IOAPIC_GPA	0xfec00000ULL

/* Who is told when the guest ends the interrupt of a pin. */
struct hv_ioapic_resample {
	void (*fn)(void *arg);	/* A, RCU: NULL: nobody */
	void *arg;		/* set before @fn, stays until a grace period after it */
};

struct hv_ioapic {
	raw_spinlock_t lock;		/* interrupts off; inside the eventfds' wait-queue locks */
	struct hv_ioapic_regs regs;	/* under @lock */
	struct hv_ioapic_resample resample[HV_IOAPIC_PINS];
	struct hv_vm_x86 *vm;		/* I */
};

/* Drive pin @gsi. 0 delivered, or nothing to deliver; 1 coalesced; -EINVAL. [any] */
int hv_ioapic_set_line(struct hv_vm_x86 *vm, u32 gsi, enum hv_ioapic_source src, bool level);

#endif /* _HV_ARCH_X86_IOAPIC_H */
