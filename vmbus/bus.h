/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bus.h - the objects of the VMBus server: bus, channel, GPADL
 *
 * Letters: I immutable; A atomic access; B hv_bus.lock; R RCU. The bus's lock is a mutex
 * between vcpu->lock and slots_lock; nothing is called with it held that touches user or
 * guest memory. A ring mapping has a lock of its own (chan_map.c).
 */
#ifndef _HV_VMBUS_BUS_H
#define _HV_VMBUS_BUS_H

#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <hv/bus.h>
#include <hv/core.h>
#include <hv/gmem.h>
#include <hv/stats.h>
#include "lib/chan.h"
#include "lib/conn.h"
#include "lib/gpadl.h"
#include "lib/msg.h"
#include "lib/offer.h"

#define HV_BUS_OUT_MAX		128u		/* answers that wait; then the guest must */
#define HV_BUS_GPADLS_MAX	4096u
#define HV_BUS_GPADL_PAGES_MAX	(1u << 20)	/* 8 MiB of page numbers a bus */

struct hv_bus {
	refcount_t refs;		/* A: the VM's, each channel's */
	u64 vm_id;			/* I: for traces */
	struct mutex lock;
	struct hv_vm __rcu *vm;		/* B; R for signals: NULL once the VM is gone */
	struct hv_conn conn;		/* B */
	struct list_head chans;		/* B: in order of creation, which is that of offers */
	struct xarray relids;		/* B: channels */
	struct xarray gpadls;		/* B: by the guest's handle */
	u32 nr_gpadls;			/* B */
	u32 gpadl_pages;		/* B */
	struct list_head out;		/* B: messages to the guest */
	u32 nr_out;			/* B */
	struct delayed_work pump;	/* sends them when there is room */
	struct hv_vsynic_watch watch;
};

/* A list of guest pages. It lives from its header message to its torn-down message. */
struct hv_gpadl {
	u32 handle;			/* I */
	struct hv_chan *chan;		/* I: on the bus's list as long as this lives */
	struct hv_gpadl_shape shape;	/* I */
	u32 have;			/* B: page numbers arrived; all of them: it is created */
	bool taken;			/* B: the device uses it */
	bool ending;			/* B: the guest waits for torn-down */
	bool announced;			/* B: the device was told so */
	u64 pfn[];			/* B until complete, then I */
};

/* What user space sees of the rings of one opening: chan_map.c. L: its lock. */
struct hv_ringmap {
	struct hv_frame_watch watch;
	struct mutex lock;		/* taken in mmu notifiers; see chan_map.c */
	struct address_space mapping;
	struct page *zeros;		/* I */
	struct hv_vm *vm;		/* L: NULL: all of it shows @zeros */
	unsigned long opening;		/* L: to which mappings made now belong */
	u32 npages;			/* L */
	u64 *pfn;			/* L */
	struct page **page;		/* L: held while shown; NULL: zeros, or not shown */
	unsigned long *shown;		/* A bits, written under L */
	struct work_struct work;	/* zaps all, for those who may not sleep */
	struct hv_stats_chan *stat;	/* I */
};

enum hv_chan_pending {			/* bits of hv_chan.pending, in order of delivery */
	HV_CP_CLOSED = 1u << 0,
	HV_CP_OPEN = 1u << 1,
	HV_CP_RESTORED = 1u << 2,
	HV_CP_MODIFIED = 1u << 3,
	HV_CP_TEARDOWN = 1u << 4,	/* some GPADL of it is not announced yet */
	HV_CP_RELEASED = 1u << 5,
};

struct hv_chan {
	refcount_t refs;		/* A: the fd's, the bus's list's */
	struct hv_bus *bus;		/* I: referenced */
	struct hv_offer offer;		/* I; relid: set once more by a record */
	struct hv_chan *primary;	/* I: of a sub-channel; referenced; else NULL */
	struct list_head link;		/* B: hv_bus.chans; empty: off the bus */
	u32 state;			/* A, written under B: enum hv_chan_state; chan.c has the setter */
	u32 target_vp;			/* A, written under B */
	bool published;			/* B */
	bool fd_gone;			/* B */
	bool seen;			/* B: the device was told of the opening */
	bool reset;			/* B: the closing is the connection's end */
	bool going;			/* B: rescinded as soon as its device has let go */
	bool unheard;			/* A: a signal found nobody listening */
	u32 pending;			/* A, written under B: HV_CP_* */
	u32 opening;			/* B: counts */
	struct vmb_open open;		/* B: of the present opening */
	u32 ring_pages;			/* B */
	wait_queue_head_t wait;		/* who polls the fd */
	struct eventfd_ctx __rcu *eventfd;	/* B; R for signals */
	struct hv_ringmap map;
	struct hv_stats_chan stat;	/* A */
};

/* ---- server.c ---- */
void hv_bus_put(struct hv_bus *bus);
/* The connection may be over: if nothing is in use any more, go on with what comes next. */
void hv_bus_settle_locked(struct hv_bus *bus);
static inline struct hv_vm *hv_bus_vm_locked(struct hv_bus *bus)
{
	return rcu_dereference_protected(bus->vm, lockdep_is_held(&bus->lock));
}

/* ---- signal.c ---- */
/* Queue a message for the guest and send what can be sent. */
void hv_bus_send_locked(struct hv_bus *bus, const void *msg, u32 bytes);
void hv_bus_send_header_locked(struct hv_bus *bus, u32 type);
void hv_bus_unsend_locked(struct hv_bus *bus);		/* drop all that waits */
void hv_bus_pump_locked(struct hv_bus *bus);
void hv_bus_signal_init(struct hv_bus *bus);
/* For records: message @index of those that wait; its length, 0 none. */
u32 hv_bus_out_get_locked(struct hv_bus *bus, u32 index, void *buf);
/* The guest's signals on this channel come in, or no more. */
int hv_chan_port_add(struct hv_chan *c, struct hv_vm *vm);
void hv_chan_port_remove(struct hv_chan *c, struct hv_vm *vm);

/* ---- chan.c ---- */
void hv_chan_put(struct hv_chan *c);
struct hv_chan *hv_chan_find_locked(struct hv_bus *bus, u32 relid);
/* The setter: false if the edge does not exist. */
bool hv_chan_move_locked(struct hv_chan *c, enum hv_chan_move move);
void hv_chan_notify_locked(struct hv_chan *c, u32 pending);
void hv_chan_offer_locked(struct hv_chan *c);
void hv_chan_open_locked(struct hv_chan *c, const struct vmb_open *m);
int hv_chan_accept_locked(struct hv_chan *c, u32 status);
/* The guest has no use for the opening any more: by CLOSECHANNEL or by its ring's teardown. */
void hv_chan_shut_locked(struct hv_chan *c);
/* The connection is over. */
void hv_chan_disconnect_locked(struct hv_chan *c);
void hv_chan_let_go_locked(struct hv_chan *c);		/* HV_CHAN_ACK of CLOSED */
/*
 * Take it back from the guest, with its sub-channels. To the guest a rescind says that the host has
 * done with its memory (Linux frees the rings then, whatever becomes of their teardown): so
 * the guest is told when the device has let go.
 */
void hv_chan_rescind_locked(struct hv_chan *c);
void hv_chan_released_locked(struct hv_chan *c);	/* RELID_RELEASED */
/* Off the bus for good, whatever its state. */
void hv_chan_end_locked(struct hv_chan *c, struct hv_vm *vm);
u32 hv_chan_modify_locked(struct hv_chan *c, u32 vp);	/* NTSTATUS */

/* ---- gpadl.c ---- */
void hv_gpadl_header_locked(struct hv_bus *bus, const void *msg, u32 bytes);
void hv_gpadl_body_locked(struct hv_bus *bus, const void *msg, u32 bytes);
void hv_gpadl_teardown_locked(struct hv_bus *bus, const struct vmb_gpadl_teardown *m);
/* A complete one of @c that is not ending, or NULL. */
struct hv_gpadl *hv_gpadl_find_locked(struct hv_chan *c, u32 handle);
/* Does the device hold one? */
bool hv_gpadl_any_taken_locked(const struct hv_chan *c);
/* Those the guest waits for and nobody uses are torn down now. */
void hv_gpadl_reap_locked(struct hv_chan *c);
/* It, without a word to the guest. */
void hv_gpadl_free_locked(struct hv_gpadl *g);
/* All of them, likewise. */
void hv_gpadl_free_all_locked(struct hv_chan *c);
/* The device is gone: it holds none any more. */
void hv_gpadl_give_back_all_locked(struct hv_chan *c);
int hv_gpadl_give_back_locked(struct hv_chan *c, u32 handle);
/* The next ending one the device has not heard of; it is announced then. */
struct hv_gpadl *hv_gpadl_announce_locked(struct hv_chan *c);
/* An empty one. ERR_PTR: -EEXIST, -ENOSPC, -ENOMEM. */
struct hv_gpadl *hv_gpadl_new_locked(struct hv_chan *c, u32 handle, const struct hv_gpadl_shape *s);

/* ---- chan_map.c ---- */
int hv_ringmap_init(struct hv_ringmap *m, struct hv_stats_chan *stat);
void hv_ringmap_release(struct hv_ringmap *m);
/* Mappings made from now on show these pages. -ENOMEM. Bus lock held. [proc] */
int hv_ringmap_show(struct hv_ringmap *m, struct hv_vm *vm, const u64 *pfn, u32 npages);
/* What is mapped shows zeros from now on. Bus lock held. [proc] */
void hv_ringmap_revoke(struct hv_ringmap *m);

#endif /* _HV_VMBUS_BUS_H */
