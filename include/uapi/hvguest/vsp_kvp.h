/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vsp_kvp.h - key-value pairs inside a VMBus channel, an integration service
 *
 * Each message is that of vsp_ic.h: a pipe header, a struct vmb_ic_header, and one of the bodies below. The host
 * asks; the guest answers with the same message, filled in, of the same length, and a status. Strings are
 * UTF-16. All little-endian.
 *
 * The guest's driver answers nothing, not even the versions, while no daemon serves it, and one question at a
 * time; it gives the daemon 30 s for each.
 *
 * Guests seen to use it: Linux 6.1 (drivers/hv/hv_kvp.c, tools/hv/hv_kvp_daemon.c).
 */
#ifndef _UAPI_HVGUEST_VSP_KVP_H
#define _UAPI_HVGUEST_VSP_KVP_H

#include <linux/types.h>

/* a9a0f4e7-5a45-4d96-b827-8a841e8c03e6, in wire form */
#define VMB_KVP_CLASS { \
	0xe7, 0xf4, 0xa0, 0xa9, 0x45, 0x5a, 0x96, 0x4d, 0xb8, 0x27, 0x8a, 0x84, 0x1e, 0x8c, 0x03, 0xe6 }

#define VMB_IC_KVP		2u	/* beside enum vmb_ic_type */

enum vmb_kvp_operation {
	VMB_KVP_GET = 0,
	VMB_KVP_SET = 1,
	VMB_KVP_DELETE = 2,
	VMB_KVP_ENUMERATE = 3,
	VMB_KVP_GET_IP = 4,		/* message version 4.0 */
	VMB_KVP_SET_IP = 5,
};

enum vmb_kvp_pool {
	VMB_KVP_EXTERNAL = 0,		/* written by the host's users */
	VMB_KVP_GUEST = 1,		/* written by the guest's users */
	VMB_KVP_AUTO = 2,		/* what the guest's service finds out */
	VMB_KVP_AUTO_EXTERNAL = 3,	/* what the host finds out */
	VMB_KVP_POOLS
};

/* Status of an answer, besides 0. */
#define VMB_KVP_S_END		0x80070103u	/* there is no such entry, and none behind it */
#define VMB_KVP_E_FAIL		0x80004005u

enum vmb_kvp_type {
	VMB_KVP_SZ = 1,
	VMB_KVP_U32 = 4,
	VMB_KVP_U64 = 8,
};

#define VMB_KVP_NAME_UNITS	256u	/* of UTF-16, with the 0 at the end */
#define VMB_KVP_VALUE_BYTES	2048u

struct vmb_kvp_pair {
	__u32 type;			/* enum vmb_kvp_type */
	__u32 name_bytes;		/* with the 0, like value_bytes of a string */
	__u32 value_bytes;
	__u16 name[VMB_KVP_NAME_UNITS];
	__u8  value[VMB_KVP_VALUE_BYTES];
};

struct vmb_kvp_name {
	__u32 bytes;
	__u16 name[VMB_KVP_NAME_UNITS];
};

struct vmb_kvp {
	__u8  operation;		/* enum vmb_kvp_operation */
	__u8  pool;			/* enum vmb_kvp_pool */
	__u16 rsvd;
	union {
		struct vmb_kvp_pair set;	/* and GET */
		struct vmb_kvp_name del;
		struct {
			__u32 index;
			struct vmb_kvp_pair pair;
		} enumerate;
	};
};

/* Addresses of one kind in one string, with ';' between them. */
struct vmb_kvp_ip {
	__u8  operation;
	__u8  pool;			/* and no gap */
	__u16 adapter[128];		/* GET_IP of Linux: its MAC address as 02:AB:... */
	__u8  family;			/* 0: all */
	__u8  dhcp;
	__u16 address[1024];
	__u16 mask[1024];
	__u16 gateway[512];
	__u16 dns[1024];
} __attribute__((packed));

#endif /* _UAPI_HVGUEST_VSP_KVP_H */
