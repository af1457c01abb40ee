/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vsp_ic.h - integration services inside a VMBus channel: shutdown, heartbeat, time
 *
 * Each message is in-band data behind a pipe header (struct vmb_pipe): a struct vmb_ic_header and what
 * belongs to its type. The host speaks first; the guest answers with the same message, changed. All
 * little-endian.
 *
 * Guests seen to use it: Linux 5.10 to 7.2 (drivers/hv/hv_util.c).
 */
#ifndef _UAPI_HVGUEST_VSP_IC_H
#define _UAPI_HVGUEST_VSP_IC_H

#include <linux/types.h>

/* Classes, in wire form: 0e0b6031-..., 57164f39-..., 9527e630-... */
#define VMB_IC_SHUTDOWN_CLASS { \
	0x31, 0x60, 0x0b, 0x0e, 0x13, 0x52, 0x34, 0x49, 0x81, 0x8b, 0x38, 0xd9, 0x0c, 0xed, 0x39, 0xdb }
#define VMB_IC_HEARTBEAT_CLASS { \
	0x39, 0x4f, 0x16, 0x57, 0x15, 0x91, 0x78, 0x4e, 0xab, 0x55, 0x38, 0x2f, 0x3b, 0xd5, 0x42, 0x2d }
#define VMB_IC_TIMESYNC_CLASS { \
	0x30, 0xe6, 0x27, 0x95, 0xae, 0xd0, 0x7b, 0x49, 0xad, 0xce, 0xe8, 0x0a, 0xb0, 0x17, 0x5c, 0xaf }

enum vmb_ic_type {
	VMB_IC_NEGOTIATE = 0,
	VMB_IC_HEARTBEAT = 1,
	VMB_IC_SHUTDOWN = 3,
	VMB_IC_TIMESYNC = 4,
};

#define VMB_IC_F_TRANSACTION	(1u << 0)
#define VMB_IC_F_REQUEST	(1u << 1)
#define VMB_IC_F_RESPONSE	(1u << 2)

struct vmb_ic_version {
	__u16 major, minor;
};

struct vmb_ic_header {
	struct vmb_ic_version framework;
	__u16 type;			/* enum vmb_ic_type */
	struct vmb_ic_version message;
	__u16 bytes;			/* behind this header */
	__u32 status;			/* in an answer: 0 or HRESULT */
	__u8  transaction;
	__u8  flags;			/* VMB_IC_F_* */
	__u16 rsvd;
};

/* NEGOTIATE: framework versions, then message versions. The answer has one of each, or counts of 0. */
struct vmb_ic_negotiate {
	__u16 frameworks, messages;
	__u32 rsvd;
	struct vmb_ic_version version[4];
};

struct vmb_ic_heartbeat {
	__u64 sequence;			/* the guest answers one more */
	__u32 rsvd[8];
};

#define VMB_IC_SHUTDOWN_TEXT	2048u

/* A guest ignores it if it is not sent whole. */
struct vmb_ic_shutdown {
	__u32 reason;
	__u32 timeout;			/* seconds */
	__u32 flags;			/* VMB_IC_SHUTDOWN_F_* */
	__u8  text[VMB_IC_SHUTDOWN_TEXT];
};

#define VMB_IC_SHUTDOWN_F_FORCE		(1u << 0)
#define VMB_IC_SHUTDOWN_F_RESTART	(1u << 1)

/* Message versions 1.0 and 3.0. Times in 100 ns. */
struct vmb_ic_timesync {
	__u64 parent;			/* UTC since 1601-01-01 */
	__u64 child;
	__u64 round_trip;
	__u8  flags;			/* VMB_IC_TIME_F_* */
} __attribute__((packed));

#define VMB_IC_TIME_F_SYNC	(1u << 0)	/* set the clock */
#define VMB_IC_TIME_F_SAMPLE	(1u << 1)	/* a hint */

#endif /* _UAPI_HVGUEST_VSP_IC_H */
