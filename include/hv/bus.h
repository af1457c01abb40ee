/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bus.h - the VMBus server as the rest of the module sees it; all of it is made in vmbus/
 *
 * A bus belongs to a VM and ends with it. A channel belongs to its fd and to the bus, and
 * outlives both as long as one is there; it never keeps the VM. Context letters as in core.h.
 */
#ifndef _HV_BUS_H
#define _HV_BUS_H

#include <linux/poll.h>
#include <hv/hv_bus.h>
#include <hv/types.h>

struct eventfd_ctx;
struct hv_chan;

/* ---- of a VM ---- */

/* HV_VM_CREATE_BUS. vm->lock held. [proc] */
int hv_bus_create_locked(struct hv_vm *vm, const struct hv_bus_args *args);
/* The VM's last reference is gone: its channels are over. A VM without a bus: nothing. [proc] */
void hv_bus_vm_release(struct hv_vm *vm);
/* HV_VM_RESET: the guest has forgotten all. vm->lock held, no vCPU runs. [proc] */
void hv_bus_vm_reset(struct hv_vm *vm);

/*
 * State by record: HV_REC_BUS and the next ones of hv_state.h, as in hv/vm.h. vm->lock held, no
 * vCPU runs. [proc]
 */
int hv_bus_get_state(struct hv_vm *vm, u32 rec, u32 index, void *buf, u32 *len, u32 *version);
int hv_bus_set_state(struct hv_vm *vm, u32 rec, u32 index, const void *buf, u32 len, u32 version);

/* ---- a channel ---- */

/*
 * HV_VM_CREATE_CHANNEL, HV_CHAN_CREATE_SUB: one nobody sees. Fields [out] of @args are set.
 * The reference is the caller's. ERR_PTR: see there. [proc]
 */
struct hv_chan *hv_chan_create(struct hv_vm *vm, struct hv_channel_args *args);
struct hv_chan *hv_chan_create_sub(struct hv_chan *primary, struct hv_chan_sub_args *args);
/* Its fd is coming: the guest is offered it, if it asked for offers. Cannot fail. [proc] */
void hv_chan_publish(struct hv_chan *c);
/* Its fd is gone, or never came: rescind, and drop the reference. [proc] */
void hv_chan_close(struct hv_chan *c);

/* The calls of a channel fd, under the names of hv_bus.h. [proc, but _signal: any] */
int hv_chan_signal(struct hv_chan *c);
int hv_chan_get_event(struct hv_chan *c, struct hv_chan_event_args *args);
int hv_chan_set_open_result(struct hv_chan *c, u32 status);
int hv_chan_ack(struct hv_chan *c, u32 kind, u32 gpadl);
int hv_chan_rescind(struct hv_chan *c);
int hv_chan_get_info(struct hv_chan *c, struct hv_chan_info_args *args);
/* @ctx, whose reference passes on success; NULL: none. */
int hv_chan_set_eventfd(struct hv_chan *c, struct eventfd_ctx *ctx);
/* @pfn: room for args->nr. */
int hv_chan_get_gpadl(struct hv_chan *c, struct hv_chan_gpadl_args *args, u64 *pfn);
const struct hv_stats_chan *hv_chan_stats(struct hv_chan *c);

__poll_t hv_chan_poll(struct hv_chan *c, struct file *file, poll_table *pt);
/* The file's mappings are the channel's own to zap; before the fd is installed. */
void hv_chan_set_mapping(struct hv_chan *c, struct file *file);
int hv_chan_mmap(struct hv_chan *c, struct vm_area_struct *vma);

#endif /* _HV_BUS_H */
