/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * hv_bus.h - VMBus from user space: the bus of a VM, and channel fds
 *
 * The module is the server: it negotiates with the guest, offers channels, keeps GPADLs and
 * answers what needs no device. A device (VSP) sees its channel as an fd:
 *
 *	HV_VM_CREATE_BUS	once a VM, before its guest runs
 *	HV_VM_CREATE_CHANNEL	a channel fd; the guest is offered the channel as soon as it asks
 *	poll, HV_CHAN_GET_EVENT	what the guest did: opened, closed, moved, tore a GPADL down
 *	mmap			the rings of an open channel
 *	HV_CHAN_SET_EVENTFD	the guest's signals arrive there, without an exit to user space
 *	HV_CHAN_SIGNAL		interrupt the guest
 *	close			rescinds the channel, if HV_CHAN_RESCIND did not before
 *
 * A channel fd may be used from any process, and it does not keep the VM alive: when the VM
 * has gone its calls return -ENXIO and poll reports HUP. All numbers of pages here mean
 * 4096 bytes. The conventions of hv.h hold for every structure.
 *
 * Mapping. Offset 0 is the guest-to-host ring, its header page first; right behind its
 * out_pages stand those of the host-to-guest ring. Any part may be mapped, shared, any
 * number of times; mapping the data pages twice side by side makes packets contiguous. The
 * pages are the guest's own memory, found at first touch and looked up again whenever the
 * host or the VMM changes what lies there. A mapping belongs to the opening during which
 * it was made: once the channel is closed, reset or rescinded, its ring GPADL torn down, or the VM
 * gone, it shows a page of zeros private to the fd, which may be written and leads
 * nowhere. It never raises SIGBUS for the guest's doing, and never shows stale
 * guest memory. Whoever reads a ring must expect anything in it (vmbus/lib/ring.h does).
 */
#ifndef _UAPI_HV_HV_BUS_H
#define _UAPI_HV_HV_BUS_H

#include <linux/types.h>
#include <linux/ioctl.h>
#include "hv.h"

/* ---- on a VM fd ------------------------------------------------------------------------- */

/*
 * HV_VM_CREATE_BUS: this VM has a VMBus. Without one, PostMessage answers "invalid
 * connection id", and a guest goes on without. -EEXIST it has one; -EOPNOTSUPP the VM was made with
 * HV_VM_F_NO_TLFS; -EINVAL @max_version.
 */
struct hv_bus_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 max_version;	/* highest to agree upon, major << 16 | minor; 0: 5.3 */
	__u32 rsvd;
};

#define HV_CHANNEL_USER_BYTES	120

/*
 * HV_VM_CREATE_CHANNEL: a channel of the bus. Returns its fd (O_CLOEXEC). Offered at once if
 * the guest has asked for offers, else when it does. -ENOENT the VM has no bus; -EEXIST a
 * channel of that instance is there, or was and the guest has not released it yet;
 * -ENOSPC 2047 channels; -EINVAL.
 */
struct hv_channel_args {
	__u32 size;
	__u32 flags;		/* HV_CHANNEL_F_* */
	__u8  interface[16];	/* GUIDs in wire form (three groups little-endian) */
	__u8  instance[16];
	__u16 mmio_megabytes;	/* the guest shall reserve for it in the bus's _CRS windows */
	__u16 max_sub_channels;	/* HV_CHAN_CREATE_SUB accepts indices 1..this; 0: none */
	__u32 max_ring_pages;	/* refuse to open with larger rings (both together); 0: any */
	__u8  user_defined[HV_CHANNEL_USER_BYTES];	/* for the guest's driver */
	__u32 relid;		/* [out] channel id, 1..2047: also its event flag */
	__u32 connection;	/* [out] connection id that the guest signals */
};

#define HV_CHANNEL_F_PIPE	(1u << 0)	/* a pipe in message mode: its payloads have a pipe header */
#define HV_CHANNEL_F_TLNPI	(1u << 1)	/* a hv_sock connection */

#define HV_VM_CREATE_BUS	_IOW(HV_IOC_MAGIC, 0x2d, struct hv_bus_args)
#define HV_VM_CREATE_CHANNEL	_IOWR(HV_IOC_MAGIC, 0x2e, struct hv_channel_args)

/* ---- on a channel fd -------------------------------------------------------------------- */

/*
 * poll: EPOLLIN: HV_CHAN_GET_EVENT has something. EPOLLHUP: the channel is over (the guest
 * released it after a rescind, or the VM is gone); only close makes sense.
 */

enum hv_chan_event_kind {
	HV_CHAN_EVENT_NONE = 0,
	/*
	 * The guest opens it. Nothing happens on the channel until HV_CHAN_SET_OPEN_RESULT;
	 * the guest waits for that. Map the rings before accepting.
	 */
	HV_CHAN_EVENT_OPEN = 1,
	/*
	 * The guest closed it, reset, unloaded its driver, or connected anew. Ring mappings have been
	 * revoked. Finish or drop what is in flight, so that no guest memory is touched on
	 * behalf of the old opening any more, then HV_CHAN_ACK with this kind: the guest
	 * may be waiting for it. HV_CHAN_EVENT_F_RESET: all GPADLs have gone, too.
	 */
	HV_CHAN_EVENT_CLOSED = 2,
	/* The guest wants its interrupts on @target_vp; already done. Nothing to answer. */
	HV_CHAN_EVENT_MODIFIED = 3,
	/*
	 * The guest tears down GPADL @gpadl, which HV_CHAN_GET_GPADL took. Stop using it, then
	 * HV_CHAN_ACK with this kind and @gpadl. A GPADL nobody took goes without an event.
	 */
	HV_CHAN_EVENT_GPADL_TEARDOWN = 4,
	/* The guest has released the rescinded channel. Nothing to answer; EPOLLHUP stays. */
	HV_CHAN_EVENT_RELEASED = 5,
	/*
	 * The channel was restored by record as it was saved: open, with these rings. Like
	 * OPEN, but there is no result to give.
	 */
	HV_CHAN_EVENT_RESTORED = 6,
};

#define HV_CHAN_EVENT_F_RESET	(1u << 0)

/* HV_CHAN_GET_EVENT: take the next event. -EAGAIN there is none; -ENXIO the VM is gone. */
struct hv_chan_event_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 kind;		/* [out] enum hv_chan_event_kind */
	__u32 event_flags;	/* [out] HV_CHAN_EVENT_F_* */
	__u32 gpadl;		/* [out] OPEN, RESTORED: of the rings; GPADL_TEARDOWN: which */
	__u32 target_vp;	/* [out] OPEN, RESTORED, MODIFIED: VP to interrupt */
	__u32 out_pages;	/* [out] OPEN, RESTORED: guest-to-host ring, header included; at least 2 */
	__u32 in_pages;		/* [out] likewise host-to-guest */
	__u32 version;		/* [out] VMBus version agreed upon */
	__u32 opening;		/* [out] counts the openings of this channel */
	__u8  user_defined[HV_CHANNEL_USER_BYTES];	/* [out] OPEN, RESTORED: what the guest's driver sent along */
};

/*
 * HV_CHAN_SET_OPEN_RESULT: answer HV_CHAN_EVENT_OPEN. @status 0 accepts; else an NTSTATUS
 * the guest sees. -ESTALE the guest gave up meanwhile (a CLOSED event tells).
 */
struct hv_chan_open_result_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 status;
	__u32 rsvd;
};

/* HV_CHAN_ACK: see the events CLOSED and GPADL_TEARDOWN. -ESTALE nothing of that kind waits. */
struct hv_chan_ack_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 kind;		/* HV_CHAN_EVENT_CLOSED or _GPADL_TEARDOWN */
	__u32 gpadl;		/* GPADL_TEARDOWN; else 0 */
};

/*
 * HV_CHAN_SET_EVENTFD: the guest's HvSignalEvent on this channel adds 1 to @fd; -1: to nothing.
 * Stays over closing and opening again. Signals that came earlier are not repeated, so
 * look into the ring once after it was set.
 */
struct hv_chan_eventfd_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__s32 fd;
	__u32 rsvd;
};

/*
 * HV_CHAN_GET_GPADL: where the pages of a GPADL of this channel are. With HV_GPADL_F_TAKE its
 * teardown waits until it is given back by HV_CHAN_ACK (or the fd is closed). Call it as
 * often as needed for parts. The list is of guest page numbers: what lies there is for the
 * caller to look up at each use. -ENOENT no such GPADL, or it is being torn down.
 */
struct hv_chan_gpadl_args {
	__u32 size;
	__u32 flags;		/* HV_GPADL_F_* */
	__u32 gpadl;		/* the guest's handle */
	__u32 first;		/* page of the list to begin with */
	__u32 nr;		/* in: room; out: pages written */
	__u32 npages;		/* [out] of the whole list */
	__u32 bytes;		/* [out] of the buffer */
	__u32 offset;		/* [out] of its first byte in the first page */
	__u64 addr;		/* user address of __u64[] page numbers; 0 with @nr 0 */
};

#define HV_GPADL_F_TAKE		(1u << 0)

/*
 * HV_CHAN_CREATE_SUB: a sub-channel of this primary channel, offered while the primary one is
 * open. Returns its fd. The guest's closing of the primary channel, and its end, rescinds
 * sub-channels. -EINVAL not a primary channel, or @index beyond max_sub_channels;
 * -EEXIST, -ENOSPC.
 */
struct hv_chan_sub_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 index;		/* 1.. */
	__u32 relid;		/* [out] */
};

/*
 * HV_CHAN_RESCIND: take the channel back from the guest, as closing the fd does, but the fd
 * stays to see HV_CHAN_EVENT_RELEASED. Mappings are revoked on return. Of a channel that the device
 * has open, or whose GPADLs it took, the guest hears only after HV_CHAN_ACK of the CLOSED event: it
 * takes its memory back then, without asking. -EALREADY.
 */
struct hv_chan_rescind_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
};

/* HV_CHAN_GET_INFO: what it is and in which state. */
struct hv_chan_info_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 state;		/* [out] enum hv_chan_state */
	__u32 relid;		/* [out] */
	__u32 connection;	/* [out] */
	__u32 sub_channel;	/* [out] 0: primary */
	__u32 target_vp;	/* [out] while open */
	__u32 version;		/* [out] VMBus version; 0: not connected */
	__u32 gpadl;		/* [out] of the rings while open */
	__u32 out_pages;	/* [out] */
	__u32 in_pages;		/* [out] */
	__u32 opening;		/* [out] */
	__u8  interface[16];	/* [out] */
	__u8  instance[16];	/* [out] */
};

/* Also in records: numbers never change. */
enum hv_chan_state {
	HV_CHAN_HIDDEN = 0,	/* the guest does not know it now */
	HV_CHAN_OFFERED = 1,	/* offered, closed */
	HV_CHAN_OPENING = 2,	/* waits for HV_CHAN_SET_OPEN_RESULT */
	HV_CHAN_OPEN = 3,
	HV_CHAN_CLOSING = 4,	/* closed by the guest, waits for HV_CHAN_ACK */
	HV_CHAN_DRAINING = 5,	/* the connection is gone, waits for HV_CHAN_ACK */
	HV_CHAN_RESCINDED = 6,	/* waits for the guest to release it */
	HV_CHAN_DEAD = 7,
};

/*
 * HV_CHAN_SIGNAL: set the channel's event flag for the VP it is bound to and raise VMB_SINT
 * there. The argument is ignored. Looks at no interrupt mask: the owner of the ring does.
 * 0; -EAGAIN the channel is not open; -ENXIO. Any process, never sleeps.
 */
#define HV_CHAN_SIGNAL		_IO(HV_IOC_MAGIC, 0x60)
#define HV_CHAN_GET_EVENT	_IOWR(HV_IOC_MAGIC, 0x61, struct hv_chan_event_args)
#define HV_CHAN_SET_OPEN_RESULT	_IOW(HV_IOC_MAGIC, 0x62, struct hv_chan_open_result_args)
#define HV_CHAN_ACK		_IOW(HV_IOC_MAGIC, 0x63, struct hv_chan_ack_args)
#define HV_CHAN_SET_EVENTFD	_IOW(HV_IOC_MAGIC, 0x64, struct hv_chan_eventfd_args)
#define HV_CHAN_GET_GPADL	_IOWR(HV_IOC_MAGIC, 0x65, struct hv_chan_gpadl_args)
#define HV_CHAN_CREATE_SUB	_IOWR(HV_IOC_MAGIC, 0x66, struct hv_chan_sub_args)
#define HV_CHAN_RESCIND		_IOW(HV_IOC_MAGIC, 0x67, struct hv_chan_rescind_args)
#define HV_CHAN_GET_INFO	_IOWR(HV_IOC_MAGIC, 0x68, struct hv_chan_info_args)
/* The channel's counters: struct hv_stats_args, hv_stats.h. */
#define HV_CHAN_GET_STATS	_IOWR(HV_IOC_MAGIC, 0x69, struct hv_stats_args)

/*
 * ---- state records -----------------------------------------------------------------------
 *
 * To move a VM: save with its devices quiet. In the new process HV_VM_CREATE_BUS, the same channels
 * (by class, instance and sub-channel; relids may differ until the record is set), then SET
 * of all records in order of number and index. A channel that was open tells HV_CHAN_EVENT_RESTORED,
 * one being opened HV_CHAN_EVENT_OPEN again. What waited for the old device's acknowledgement
 * counts as acknowledged. -EBUSY the bus has been used already; -ENOENT no such channel; -EINVAL.
 */
struct hv_rec_bus {
	__u32 max_version;	/* checked */
	__u32 state;		/* 0 off, 1 connected, 2 the connection is ending */
	__u32 next;		/* ending: 0 nothing, 1 a contact, 2 an unload is to be answered */
	__u32 version;
	__u32 target_vp;
	__u32 offers;		/* the guest has asked for them */
	__u8  contact[40];	/* the last INITIATE_CONTACT */
};

struct hv_rec_bus_channel {
	__u8  interface[16];
	__u8  instance[16];
	__u32 sub_channel;
	__u32 relid;
	__u32 state;		/* enum hv_chan_state */
	__u32 target_vp;
	__u32 opening;
	__u32 rsvd;
	__u8  open[148];	/* the last OPENCHANNEL */
	__u32 rsvd2;
};

struct hv_rec_bus_gpadl {
	__u32 relid;
	__u32 gpadl;
	__u32 npages;
	__u32 bytes;
	__u32 offset;
	__u32 have;		/* page numbers that have arrived; as many follow */
	__u32 ending;		/* the guest waits for it to be torn down */
	__u32 rsvd;
};

#endif /* _UAPI_HV_HV_BUS_H */
