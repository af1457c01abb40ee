/* SPDX-License-Identifier: GPL-2.0-only */
/* irq.h - the tables behind include/hv/irq.h, shared by irq.c, irqfd.c, ioeventfd.c and iobus.c */
#ifndef _HV_VIRT_IRQ_H
#define _HV_VIRT_IRQ_H

#include <linux/hashtable.h>
#include <linux/workqueue.h>
#include <hv/core.h>
#include <hv/irq.h>

#define HV_IRQFD_HASH_BITS	5
#define HV_NR_GSI		24

/* The irqfds with F_RESAMPLE of one GSI. */
struct hv_resampler {
	struct list_head irqfds;	/* RCU, written under hv_irq_table.lock */
	struct hv_vm *vm;		/* set before the first irqfd */
	u32 gsi;
};

struct hv_irq_table {
	struct mutex lock;		/* inside vm->lock; never taken where an irqfd delivers */
	DECLARE_HASHTABLE(irqfds, HV_IRQFD_HASH_BITS);	/* by eventfd; @lock */
	struct work_struct hup_work;	/* drops irqfds whose eventfd was closed */
	struct hv_resampler resampler[HV_NR_GSI];
	struct hv_vm *vm;		/* I */
};

void hv_irqfd_hup_work(struct work_struct *work);
void hv_irqfd_vm_release(struct hv_irq_table *t);

/* One ioeventfd. */
struct hv_ioevent {
	u64 addr;
	u64 datamatch;
	u32 len;			/* 0: any */
	bool match;			/* compare @datamatch */
	struct eventfd_ctx *ctx;	/* holds a reference */
};

/* All of a space, sorted by address; replaced as a whole. */
struct hv_iobus_space {
	struct rcu_head rcu;
	u32 nr;
	struct hv_ioevent ev[];
};

enum hv_iobus_kind {
	HV_IOBUS_PIO,
	HV_IOBUS_MMIO,
	HV_IOBUS_NR,
};

struct hv_iobus {
	struct hv_iobus_space __rcu *space[HV_IOBUS_NR];	/* NULL: empty */
	struct mutex lock;		/* writers; inside vm->lock */
};

#define HV_IOBUS_MAX	1024		/* ioeventfds in one space */

int hv_iobus_create(struct hv_vm *vm);
void hv_iobus_release(struct hv_vm *vm);
/*
 * Add @ev (its reference passes on success) or remove the one that equals it (its reference
 * is dropped; after return it is not signalled any more). -EEXIST an entry would answer some of the
 * same writes, -ENOSPC, -ENOMEM; -ENOENT. [proc]
 */
int hv_iobus_add(struct hv_iobus *bus, enum hv_iobus_kind kind, const struct hv_ioevent *ev);
int hv_iobus_del(struct hv_iobus *bus, enum hv_iobus_kind kind, const struct hv_ioevent *ev);

#endif /* _HV_VIRT_IRQ_H */
