/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * mmu.h - second-level page tables: roots and what is done to them
 *
 * A VM has a set of roots keyed by role. Every edit takes a root; whatever concerns guest
 * frames (host invalidation, dirty log, slots, overlays, write tracking) goes to all
 * roots through their operations: a direct root finds a frame's entries by walking its
 * table, a shadow root by its reverse map. Tables are edited under vm->mmu_lock; the CPU
 * sets accessed and dirty bits at any time.
 *
 * ASID or VPID belong to (vCPU, root) and are the vendor's; it compares root->gen with
 * what it loaded and flushes.
 */
#ifndef _HV_ARCH_X86_MMU_H
#define _HV_ARCH_X86_MMU_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/xarray.h>
#include "arch/x86/x86.h"
#include "arch/x86/lib/slat.h"

enum hv_mmu_kind {
	HV_MMU_DIRECT,		/* guest physical to host */
	HV_MMU_SHADOW,		/* guest linear to host */
	HV_MMU_NESTED,		/* a nested guest's physical to host */
};

/* What distinguishes roots; compared as a whole. */
struct hv_mmu_role {
	u8 kind;		/* enum hv_mmu_kind */
	u8 format;		/* enum hv_slat_format */
	u8 level;		/* 4 or 5 */
	u8 flags;		/* HV_MMU_F_* */
	u64 key;		/* shadow, nested: which guest table; direct: 0 */
};

#define HV_MMU_F_SMALL	(1u << 0)	/* 4 KiB entries only */

struct hv_mmu_root;

/*
 * By guest frame, [start, end). All with mmu_lock held. The bool ones say whether a flush
 * is due (age: whether any entry had been accessed).
 */
struct hv_mmu_root_ops {
	bool (*zap)(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end);
	/* @mask as in hv_arch_mmu_wrprotect_locked() */
	bool (*wrprotect)(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end,
			  const unsigned long *mask);
	bool (*age)(struct hv_mmu_root *root, hv_gfn_t start, hv_gfn_t end, bool clear);
	void (*release)(struct hv_mmu_root *root);	/* free all tables; no CPU uses it */
};

struct hv_mmu_root {
	struct hv_slat_root slat;		/* M */
	struct hv_mmu_role role;	/* I */
	const struct hv_mmu_root_ops *ops;	/* I */
	struct hv_vm *vm;		/* I */
	u64 gen;			/* A: raised by each flush, under M */
	u32 refs;			/* M: the VM's (direct) and each vCPU's that has it loaded */
	struct list_head link;		/* M: vm roots */
};

struct hv_mmu_roots {
	struct list_head list;		/* M: all roots */
	struct hv_mmu_root *direct;	/* I */
	struct xarray tracked;		/* M: gfn to number of write trackers */
	u64 freed;			/* M: chain of tables to free after the next flush */
	u32 max_level;			/* I: 1, 2 or 3: largest entry used */
};

/* ---- root.c ---- */
/* Find a root by role or make one. Takes mmu_lock; may sleep. NULL: no memory. */
struct hv_mmu_root *hv_mmu_root_get(struct hv_vm_x86 *vm, const struct hv_mmu_role *role,
				    const struct hv_mmu_root_ops *ops);
/* The last put takes it out of the set and frees it; the caller's CPU no longer uses it. */
void hv_mmu_root_put(struct hv_mmu_root *root);

/* ---- map.c ---- */
/*
 * Tables needed for the next mapping, per vCPU, filled where it may sleep or by an
 * allocation that does not.
 */
int hv_mmu_cache_fill(struct hv_vcpu_x86 *x, bool may_sleep);	/* -ENOMEM */
void hv_mmu_cache_release(struct hv_vcpu_x86 *x);

/* ---- track.c: write tracking of single frames (page tables of shadow and nested guests) ---- */
/*
 * While a frame is tracked no root maps it writable: a write arrives in hv_mmu_fault()
 * as HV_SLAT_MMIO and is emulated by the tracker's owner. Nests. -ENOMEM.
 */
int hv_mmu_track_add(struct hv_vm_x86 *vm, hv_gfn_t gfn);	/* may sleep */
void hv_mmu_track_del(struct hv_vm_x86 *vm, hv_gfn_t gfn);
bool hv_mmu_tracked_locked(struct hv_vm_x86 *vm, hv_gfn_t start, hv_gfn_t end);

#endif /* _HV_ARCH_X86_MMU_H */
