/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * overlay.h - module-owned pages laid over guest memory (TLFS 5.2.1, GPA overlay pages)
 *
 * One page for each (kind, vp), zeroed when created, living as long as the VM, shown at
 * one frame or nowhere. Over RAM, a hole or a read-only slot alike; what lies beneath is
 * untouched and reappears. Where several are shown at one frame the guest sees the one of
 * the lowest kind number, among those the one of the lowest vp; the others come back as
 * the ones above leave. Pages of kinds in HV_OVERLAY_READONLY refuse guest writes
 * (HV_SLAT_MMIO, -EFAULT from hv_gmem_write).
 *
 * _create, _move and _page are in core.h.
 */
#ifndef _HV_OVERLAY_H
#define _HV_OVERLAY_H

#include <hv/types.h>
#include <hv/hv_state.h>

#define HV_OVERLAY_READONLY	(1u << HV_OVERLAY_HYPERCALL | 1u << HV_OVERLAY_REFTSC)

/*
 * Move for a caller that runs no vCPU: state restore and reset. Same as
 * hv_overlay_move(), takes slots_lock. -ENOENT not created. [proc]
 */
int hv_overlay_move_vm(struct hv_vm *vm, u32 kind, u32 vp, hv_gfn_t gfn);
/* Hide every page of the VM and clear it: power-on state. No vCPU runs. [proc] */
void hv_overlay_reset(struct hv_vm *vm);
/*
 * HV_REC_VM_OVERLAY, record @index of the VM. Get: -ENOENT after the last one. Set:
 * creates the page if need be. No vCPU runs. [proc]
 */
int hv_overlay_get_state(struct hv_vm *vm, u32 index, struct hv_rec_overlay *rec);
int hv_overlay_set_state(struct hv_vm *vm, const struct hv_rec_overlay *rec);

#endif /* _HV_OVERLAY_H */
