/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vmbus.h - what crosses VMBus: channel messages, offers, ring headers, packets
 *
 * Everything is little-endian and naturally aligned. Names begin with VMB_ and vmb_, because
 * the guest's own headers have taken the obvious ones. What a device says inside of its
 * packets stands in vsp_*.h.
 *
 * Guests seen to use it: Linux 5.10 to 7.2 (drivers/hv).
 */
#ifndef _UAPI_HVGUEST_VMBUS_H
#define _UAPI_HVGUEST_VMBUS_H

#include <linux/types.h>

#define VMB_PAGE		4096u	/* of GPADLs and rings, whatever the guest's own size */

/* A GUID in its mixed-endian wire form: the first three groups are little-endian. */
struct vmb_guid {
	__u8 b[16];
};

/* ---- where messages travel ---------------------------------------------------------- */

#define VMB_CONNECTION_MESSAGES	1u	/* channel messages; INITIATE_CONTACT below version 5.0 */
#define VMB_CONNECTION_CONTACT	4u	/* INITIATE_CONTACT from 5.0 on */
#define VMB_SINT		2u	/* the SINT that host messages and event flags use */
#define VMB_MESSAGE_TYPE	1u	/* SynIC message type of a channel message, both ways */
#define VMB_MESSAGE_MAX		240u	/* bytes: the payload of a SynIC message */
#define VMB_RELIDS		2048u	/* ids are 1..2047: an event flag each */
#define VMB_CONNECTION_CHANNELS	0x2000u	/* + relid: the connection that signals a channel */

/* ---- versions ------------------------------------------------------------------------- */

#define VMB_VERSION(major, minor)	((__u32)(major) << 16 | (minor))
#define VMB_VERSION_WS2008	VMB_VERSION(0, 13)
#define VMB_VERSION_WIN7	VMB_VERSION(1, 1)
#define VMB_VERSION_WIN8	VMB_VERSION(2, 4)	/* per-channel connections and vectors */
#define VMB_VERSION_WIN8_1	VMB_VERSION(3, 0)	/* UNLOAD */
#define VMB_VERSION_WIN10	VMB_VERSION(4, 0)
#define VMB_VERSION_WIN10_V4_1	VMB_VERSION(4, 1)	/* MODIFY_CHANNEL */
#define VMB_VERSION_WIN10_V5	VMB_VERSION(5, 0)	/* contact on its own connection, choice of SINT */
#define VMB_VERSION_WIN10_V5_1	VMB_VERSION(5, 1)
#define VMB_VERSION_WIN10_V5_2	VMB_VERSION(5, 2)
#define VMB_VERSION_WIN10_V5_3	VMB_VERSION(5, 3)	/* MODIFY_CHANNEL_RESPONSE */

/* ---- channel messages ------------------------------------------------------------------ */

enum vmb_message_type {
	VMB_MSG_INVALID = 0,
	VMB_MSG_OFFER = 1,			/* to guest */
	VMB_MSG_RESCIND = 2,			/* to guest */
	VMB_MSG_REQUEST_OFFERS = 3,
	VMB_MSG_OFFERS_DELIVERED = 4,		/* to guest */
	VMB_MSG_OPEN = 5,
	VMB_MSG_OPEN_RESULT = 6,		/* to guest */
	VMB_MSG_CLOSE = 7,
	VMB_MSG_GPADL_HEADER = 8,
	VMB_MSG_GPADL_BODY = 9,
	VMB_MSG_GPADL_CREATED = 10,		/* to guest */
	VMB_MSG_GPADL_TEARDOWN = 11,
	VMB_MSG_GPADL_TORNDOWN = 12,		/* to guest */
	VMB_MSG_RELID_RELEASED = 13,
	VMB_MSG_INITIATE_CONTACT = 14,
	VMB_MSG_VERSION_RESPONSE = 15,		/* to guest */
	VMB_MSG_UNLOAD = 16,
	VMB_MSG_UNLOAD_RESPONSE = 17,		/* to guest */
	VMB_MSG_TL_CONNECT = 21,
	VMB_MSG_MODIFY_CHANNEL = 22,
	VMB_MSG_TL_CONNECT_RESULT = 23,		/* to guest */
	VMB_MSG_MODIFY_CHANNEL_RESPONSE = 24,	/* to guest */
	VMB_MSG_TYPES = 25,
};

/* Every message begins so; those without fields are just that. */
struct vmb_header {
	__u32 type;		/* enum vmb_message_type */
	__u32 rsvd;
};

#define VMB_USER_DEFINED	120u	/* bytes of an offer or open that only the device reads */

struct vmb_offer {
	struct vmb_header header;
	struct vmb_guid interface;	/* the class */
	struct vmb_guid instance;	/* unique among all primary channels */
	__u64 rsvd[2];
	__u16 flags;			/* VMB_OFFER_F_* */
	__u16 mmio_megabytes;
	__u8  user_defined[VMB_USER_DEFINED];
	__u16 sub_channel_index;	/* 0: a primary channel */
	__u16 rsvd2;
	__u32 relid;
	__u8  monitor_id;
	__u8  monitor_allocated;	/* bit 0 */
	__u16 dedicated_interrupt;	/* bit 0: no flag in the shared interrupt page */
	__u32 connection;		/* for HvSignalEvent */
} __attribute__((packed));

#define VMB_OFFER_F_ENUMERATE		0x0001u
#define VMB_OFFER_F_TRANSFER_PAGES	0x0002u
#define VMB_OFFER_F_GPADLS		0x0004u
#define VMB_OFFER_F_NAMED_PIPE		0x0010u
#define VMB_OFFER_F_LOOPBACK		0x0100u
#define VMB_OFFER_F_PARENT		0x0200u
#define VMB_OFFER_F_MONITOR		0x0400u
#define VMB_OFFER_F_TLNPI		0x2000u	/* a hv_sock connection */

struct vmb_rescind {
	struct vmb_header header;
	__u32 relid;
};

struct vmb_open {
	struct vmb_header header;
	__u32 relid;
	__u32 open_id;		/* echoed in the result */
	__u32 gpadl;		/* of the rings */
	__u32 target_vp;	/* to be interrupted */
	__u32 downstream;	/* pages of the guest-to-host ring; the other one follows */
	__u8  user_defined[VMB_USER_DEFINED];
} __attribute__((packed));

struct vmb_open_result {
	struct vmb_header header;
	__u32 relid;
	__u32 open_id;
	__u32 status;		/* 0: open */
};

/* CLOSE, RELID_RELEASED */
struct vmb_relid {
	struct vmb_header header;
	__u32 relid;
};

struct vmb_gpa_range {
	__u32 bytes;
	__u32 offset;		/* of the first byte in the first page */
	/* __u64 pfn[] */
};

struct vmb_gpadl_header {
	struct vmb_header header;
	__u32 relid;
	__u32 gpadl;		/* the guest's choice, unique in its connection */
	__u16 range_bytes;	/* of all ranges with their page numbers, bodies included */
	__u16 ranges;
	struct vmb_gpa_range range;
	/* __u64 pfn[]: as many as the message holds; unaligned */
} __attribute__((packed));

struct vmb_gpadl_body {
	struct vmb_header header;
	__u32 number;		/* not reliable: Linux always sends 0 */
	__u32 gpadl;
	/* __u64 pfn[] */
};

struct vmb_gpadl_created {
	struct vmb_header header;
	__u32 relid;
	__u32 gpadl;
	__u32 status;		/* 0: created */
};

struct vmb_gpadl_teardown {
	struct vmb_header header;
	__u32 relid;
	__u32 gpadl;
};

struct vmb_gpadl_torndown {
	struct vmb_header header;
	__u32 gpadl;
};

struct vmb_initiate_contact {
	struct vmb_header header;
	__u32 version;
	__u32 target_vp;	/* host messages go to its VMB_SINT */
	union {
		__u64 interrupt_page;	/* below 5.0 */
		struct {
			__u8  sint;	/* from 5.0 on */
			__u8  vtl;
			__u16 rsvd;
			__u32 features;	/* VMB_FEATURE_*, from 5.3 on */
		} v5;
	};
	__u64 monitor_page[2];	/* to guest, to host */
} __attribute__((packed));

#define VMB_FEATURE_GUEST_SPECIFIED_SIGNAL	(1u << 0)
#define VMB_FEATURE_CHANNEL_INTERRUPT_REDIRECT	(1u << 1)
#define VMB_FEATURE_MODIFY_CONNECTION		(1u << 2)
#define VMB_FEATURE_CLIENT_ID			(1u << 3)
#define VMB_FEATURE_CONFIDENTIAL_CHANNELS	(1u << 4)
#define VMB_FEATURE_PAUSE_RESUME		(1u << 5)

/* Always sent whole: Linux wants 16 bytes whatever the version. */
struct vmb_version_response {
	struct vmb_header header;
	__u8  supported;	/* 1: @version of the request is agreed upon */
	__u8  state;		/* enum vmb_connection_state */
	__u16 rsvd;
	__u32 connection;	/* from 5.0 on: connection id of all messages to come; else the version */
};

enum vmb_connection_state {
	VMB_CONNECTION_OK = 0,
	VMB_CONNECTION_LOW_RESOURCES = 1,
	VMB_CONNECTION_FAILED = 2,
};

/* REQUEST_OFFERS, OFFERS_DELIVERED, UNLOAD and UNLOAD_RESPONSE are a vmb_header. */

struct vmb_tl_connect {
	struct vmb_header header;
	struct vmb_guid endpoint;	/* the guest's */
	struct vmb_guid service;	/* the host's */
};

struct vmb_tl_connect_result {
	struct vmb_header header;
	struct vmb_guid endpoint;
	struct vmb_guid service;
	__u32 status;
};

struct vmb_modify_channel {
	struct vmb_header header;
	__u32 relid;
	__u32 target_vp;
};

struct vmb_modify_channel_response {
	struct vmb_header header;
	__u32 relid;
	__u32 status;
};

/* NTSTATUS values in results */
#define VMB_STATUS_OK			0x00000000u
#define VMB_STATUS_UNSUCCESSFUL		0xc0000001u
#define VMB_STATUS_INVALID_PARAMETER	0xc000000du
#define VMB_STATUS_NO_RESOURCES		0xc000009au
#define VMB_STATUS_NOT_FOUND		0xc0000225u
#define VMB_STATUS_REFUSED		0xc0000236u

/* ---- rings ------------------------------------------------------------------------------ */

/*
 * A ring is one page of this and whole pages of data. Indices are byte offsets into the
 * data, multiples of 8; equal ones mean empty, so the data is never filled whole.
 */
struct vmb_ring_header {
	__u32 write_index;		/* the producer's */
	__u32 read_index;		/* the consumer's */
	__u32 interrupt_mask;		/* consumer: 1 = I am reading, do not signal */
	__u32 pending_send_bytes;	/* producer: signal me when more than that is free; 0 = don't */
	__u32 rsvd[12];
	__u32 features;			/* VMB_RING_F_* */
};

#define VMB_RING_F_PENDING_SEND		(1u << 0)	/* pending_send_bytes is obeyed */
#define VMB_RING_MAX_PAGES		8190u		/* both rings: what one GPADL can list */

/* Each packet begins with this, in units of 8 bytes, and is followed by a vmb_packet_trailer. */
struct vmb_packet {
	__u16 type;		/* enum vmb_packet_type */
	__u16 header_words;	/* this and what the type adds: where the payload begins */
	__u16 words;		/* all without the trailer */
	__u16 flags;		/* VMB_PACKET_F_* */
	__u64 transaction;	/* echoed by the completion */
};

#define VMB_PACKET_F_COMPLETION	(1u << 0)	/* a completion is asked for */

enum vmb_packet_type {
	VMB_PACKET_INBAND = 6,
	VMB_PACKET_TRANSFER_PAGES = 7,
	VMB_PACKET_GPADL = 8,
	VMB_PACKET_GPA_DIRECT = 9,
	VMB_PACKET_COMPLETION = 11,
};

struct vmb_packet_trailer {
	__u32 rsvd;
	__u32 write_index;	/* as it was before the packet */
};

/* Behind the vmb_packet of VMB_PACKET_TRANSFER_PAGES; then @ranges of vmb_transfer_range. */
struct vmb_transfer_pages {
	__u16 pageset;		/* which buffer: agreed upon by the device's protocol */
	__u8  sender_owns;
	__u8  rsvd;
	__u32 ranges;
};

struct vmb_transfer_range {
	__u32 bytes;
	__u32 offset;		/* in the buffer */
};

/* Behind the vmb_packet of VMB_PACKET_GPA_DIRECT; then @ranges of vmb_gpa_range and its pfns. */
struct vmb_gpa_direct {
	__u32 rsvd;
	__u32 ranges;
};

/* Payload of a pipe channel (VMB_OFFER_F_NAMED_PIPE) begins with this; @bytes is exact. */
struct vmb_pipe {
	__u32 type;		/* VMB_PIPE_DATA */
	__u32 bytes;		/* that follow */
};

#define VMB_PIPE_PARTIAL	0u
#define VMB_PIPE_DATA		1u

/* First word of vmb_offer.user_defined on a pipe channel. */
#define VMB_PIPE_MODE_BYTE	0u
#define VMB_PIPE_MODE_MESSAGE	4u

/* ---- the monitor page: laid out for completeness, never offered ---------------------------- */

struct vmb_monitor_page {
	__u32 trigger_state;
	__u32 rsvd;
	struct {
		__u32 pending;
		__u32 armed;
	} group[4];
	__u64 rsvd2[3];
	__s32 next_check[4][32];
	__u16 latency[4][32];
	__u64 rsvd3[32];
	struct {
		__u32 connection;
		__u16 flag;
		__u16 rsvd;
	} parameter[4][32];
	__u8  rsvd4[1984];
};

#endif /* _UAPI_HVGUEST_VMBUS_H */
