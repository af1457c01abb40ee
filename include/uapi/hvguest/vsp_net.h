/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vsp_net.h - the network protocols inside a VMBus channel: NVSP, and RNDIS in it
 *
 * Each packet carries one struct vmb_nvsp, 40 bytes whatever its type. VMB_NVSP_RNDIS_PACKET stands for one or
 * more RNDIS messages: from the guest in a section of the send buffer, in the pages that a GPA-direct packet
 * lists, or begun in the one and continued in the other; to the guest in the receive buffer, where a
 * transfer-pages packet lists them. Everything is little-endian. Names begin with VMB_NVSP_ and VMB_RNDIS_,
 * because the guest's own headers have taken the obvious ones.
 *
 * Sources: [MS-RNDIS] for the messages, the NDIS reference (OID_*, NDIS_OFFLOAD, NDIS_RECEIVE_SCALE_*) for
 * what they carry; NVSP as guests were seen to use it: Linux 5.10 to 7.2 (drivers/net/hyperv).
 */
#ifndef _UAPI_HVGUEST_VSP_NET_H
#define _UAPI_HVGUEST_VSP_NET_H

#include <linux/types.h>

/* f8615163-df3e-46c5-913f-f2d2f965ed0e, in wire form */
#define VMB_NET_CLASS { \
	0x63, 0x51, 0x61, 0xf8, 0x3e, 0xdf, 0xc5, 0x46, 0x91, 0x3f, 0xf2, 0xd2, 0xf9, 0x65, 0xed, 0x0e }

/* ---- NVSP ------------------------------------------------------------------------------- */

enum vmb_nvsp_type {
	VMB_NVSP_INIT = 1,
	VMB_NVSP_INIT_COMPLETE = 2,
	VMB_NVSP_NDIS_VERSION = 100,		/* no reply */
	VMB_NVSP_SEND_RECV_BUF = 101,
	VMB_NVSP_SEND_RECV_BUF_COMPLETE = 102,
	VMB_NVSP_REVOKE_RECV_BUF = 103,		/* no reply */
	VMB_NVSP_SEND_SEND_BUF = 104,
	VMB_NVSP_SEND_SEND_BUF_COMPLETE = 105,
	VMB_NVSP_REVOKE_SEND_BUF = 106,		/* no reply */
	VMB_NVSP_RNDIS_PACKET = 107,
	VMB_NVSP_RNDIS_PACKET_COMPLETE = 108,
	VMB_NVSP_NDIS_CONFIG = 125,		/* version 2 on; no reply */
	VMB_NVSP_SWITCH_DATA_PATH = 129,	/* version 4 on; the reply is empty */
	VMB_NVSP_SUBCHANNEL = 133,		/* version 5 on */
	VMB_NVSP_INDIRECTION_TABLE = 134,	/* to guest */
};

#define VMB_NVSP_VERSION_1	0x00002u
#define VMB_NVSP_VERSION_2	0x30002u
#define VMB_NVSP_VERSION_4	0x40000u
#define VMB_NVSP_VERSION_5	0x50000u
#define VMB_NVSP_VERSION_6	0x60000u
#define VMB_NVSP_VERSION_6_1	0x60001u

enum vmb_nvsp_status {
	VMB_NVSP_OK = 1,
	VMB_NVSP_FAILED = 2,
	VMB_NVSP_TOO_NEW = 3,
	VMB_NVSP_TOO_OLD = 4,
	VMB_NVSP_BAD_PACKET = 5,
};

/* Capabilities in VMB_NVSP_NDIS_CONFIG */
#define VMB_NVSP_CAP_SRIOV	(1ull << 2)
#define VMB_NVSP_CAP_8021Q	(1ull << 3)
#define VMB_NVSP_CAP_RSC	(1ull << 7)

#define VMB_NVSP_RECV_PAGESET	0xcafeu
#define VMB_NVSP_NO_SECTION	0xffffffffu	/* all of it lies in pages */
#define VMB_NVSP_BYTES		40u

enum vmb_nvsp_channel {
	VMB_NVSP_DATA = 0,		/* RNDIS packets */
	VMB_NVSP_CONTROL = 1,		/* other RNDIS messages */
};

struct vmb_nvsp {
	__u32 type;			/* enum vmb_nvsp_type */
	union {
		struct { __u32 min, max; } init;
		struct {
			__u32 version;
			__u32 max_mdl_chain;
			__u32 status;		/* enum vmb_nvsp_status */
		} init_complete;
		struct { __u32 major, minor; } ndis_version;
		struct {
			__u32 mtu;		/* of frames: Ethernet header included */
			__u32 rsvd;
			__u32 caps[2];		/* VMB_NVSP_CAP_*, low word first */
		} ndis_config;
		struct { __u32 gpadl; __u16 id; __u16 rsvd; } buf;	/* SEND_RECV_BUF, SEND_SEND_BUF */
		struct { __u16 id; } revoke;
		struct {
			__u32 status;
			__u32 sections;		/* what follows: 1 */
			__u32 offset;
			__u32 section_bytes;
			__u32 section_count;
			__u32 end_offset;
		} recv_complete;
		struct { __u32 status, section_bytes; } send_complete;
		struct {
			__u32 channel;		/* enum vmb_nvsp_channel */
			__u32 section;		/* of the send buffer, or VMB_NVSP_NO_SECTION */
			__u32 section_bytes;	/* used in it */
		} rndis;
		struct { __u32 status; } rndis_complete;
		struct { __u32 op, count; } subchannel;			/* op 1: allocate */
		struct { __u32 status, count; } subchannel_complete;
		struct { __u32 count, offset; } table;			/* then __u32[16] */
		__u32 words[9];
	};
};

#define VMB_NVSP_SUBCHANNEL_ALLOCATE	1u

/* ---- RNDIS ------------------------------------------------------------------------------ */

enum vmb_rndis_type {
	VMB_RNDIS_PACKET = 1,
	VMB_RNDIS_INIT = 2,
	VMB_RNDIS_HALT = 3,		/* no reply */
	VMB_RNDIS_QUERY = 4,
	VMB_RNDIS_SET = 5,
	VMB_RNDIS_RESET = 6,
	VMB_RNDIS_INDICATE = 7,		/* to guest */
	VMB_RNDIS_KEEPALIVE = 8,
};

#define VMB_RNDIS_COMPLETE	0x80000000u	/* in the type of a reply */

enum vmb_rndis_status {
	VMB_RNDIS_OK = 0,
	VMB_RNDIS_FAILURE = 0xc0000001,
	VMB_RNDIS_NOT_SUPPORTED = 0xc00000bb,
	VMB_RNDIS_INVALID_LENGTH = 0xc0010014,
	VMB_RNDIS_INVALID_DATA = 0xc0010015,
	VMB_RNDIS_BUFFER_TOO_SHORT = 0xc0010016,
	VMB_RNDIS_LINK_UP = 0x4001000b,
	VMB_RNDIS_LINK_DOWN = 0x4001000c,
};

struct vmb_rndis_header {
	__u32 type;			/* enum vmb_rndis_type, VMB_RNDIS_COMPLETE */
	__u32 bytes;			/* of the message, this header included */
};

/* Offsets count from the first byte behind the header. */
struct vmb_rndis_packet {
	struct vmb_rndis_header header;
	__u32 data_offset;
	__u32 data_bytes;
	__u32 oob_offset, oob_bytes, oob_count;
	__u32 info_offset;		/* struct vmb_rndis_info, one behind the other */
	__u32 info_bytes;
	__u32 vc;
	__u32 rsvd;
};

/* Per-packet information */
struct vmb_rndis_info {
	__u32 bytes;			/* all of it */
	__u32 type;			/* enum vmb_rndis_info_type; bit 31: internal */
	__u32 offset;			/* of the value, from here */
};

enum vmb_rndis_info_type {
	VMB_RNDIS_INFO_CHECKSUM = 0,
	VMB_RNDIS_INFO_LSO = 2,
	VMB_RNDIS_INFO_8021Q = 6,
	VMB_RNDIS_INFO_HASH = 8,
};

#define VMB_RNDIS_INFO_RSC	0x80000001u	/* struct vmb_rndis_rsc */

/* VMB_RNDIS_INFO_CHECKSUM, to be done (from the guest) */
#define VMB_RNDIS_CSUM_TX_IP4	(1u << 0)	/* it is IPv4 */
#define VMB_RNDIS_CSUM_TX_IP6	(1u << 1)
#define VMB_RNDIS_CSUM_TX_TCP	(1u << 2)
#define VMB_RNDIS_CSUM_TX_UDP	(1u << 3)
#define VMB_RNDIS_CSUM_TX_IP	(1u << 4)	/* the IPv4 header's */
#define VMB_RNDIS_CSUM_TX_OFFSET(v)	((v) >> 16 & 0x3ff)	/* of the TCP header in the frame */
/* ... and seen to be right (to the guest) */
#define VMB_RNDIS_CSUM_RX_TCP_OK	(1u << 3)
#define VMB_RNDIS_CSUM_RX_UDP_OK	(1u << 4)
#define VMB_RNDIS_CSUM_RX_IP_OK		(1u << 5)

/* VMB_RNDIS_INFO_LSO, version 2 */
#define VMB_RNDIS_LSO_MSS(v)	((v) & 0xfffff)
#define VMB_RNDIS_LSO_OFFSET(v)	((v) >> 20 & 0x3ff)
#define VMB_RNDIS_LSO_V2	(1u << 30)
#define VMB_RNDIS_LSO_IP6	(1u << 31)

/* VMB_RNDIS_INFO_8021Q: priority in bits 0-2, DEI in bit 3, VLAN in bits 4-15 */

/* One of several packets that the guest shall join to one frame. */
struct vmb_rndis_rsc {
	__u8  version;			/* 1 */
	__u8  flags;			/* VMB_RNDIS_RSC_F_* */
	__u16 id;
};
#define VMB_RNDIS_RSC_VERSION	1
#define VMB_RNDIS_RSC_F_SUBALLOC	(1u << 0)
#define VMB_RNDIS_RSC_F_FIRST		(1u << 1)
#define VMB_RNDIS_RSC_F_LAST		(1u << 2)

struct vmb_rndis_init {
	struct vmb_rndis_header header;
	__u32 id;			/* of the request; the reply repeats it */
	__u32 major, minor;
	__u32 max_transfer;
};

struct vmb_rndis_init_complete {
	struct vmb_rndis_header header;
	__u32 id;
	__u32 status;
	__u32 major, minor;
	__u32 device_flags;		/* 1: connectionless */
	__u32 medium;			/* 0: 802.3 */
	__u32 max_packets;		/* in one NVSP message */
	__u32 max_transfer;
	__u32 alignment_shift;		/* of packets in it: 1 << this */
	__u32 af_offset, af_bytes;
};

/* VMB_RNDIS_QUERY, VMB_RNDIS_SET; the information's offset counts from @id. */
struct vmb_rndis_request {
	struct vmb_rndis_header header;
	__u32 id;
	__u32 oid;
	__u32 info_bytes;
	__u32 info_offset;
	__u32 vc;
};

struct vmb_rndis_query_complete {
	struct vmb_rndis_header header;
	__u32 id;
	__u32 status;
	__u32 info_bytes;
	__u32 info_offset;		/* from @id */
};

/* VMB_RNDIS_SET, VMB_RNDIS_KEEPALIVE */
struct vmb_rndis_complete {
	struct vmb_rndis_header header;
	__u32 id;
	__u32 status;
};

struct vmb_rndis_reset_complete {
	struct vmb_rndis_header header;
	__u32 status;
	__u32 addressing;
};

struct vmb_rndis_indicate {
	struct vmb_rndis_header header;
	__u32 status;			/* enum vmb_rndis_status */
	__u32 buffer_bytes, buffer_offset;
};

/* ---- OIDs ------------------------------------------------------------------------------- */

enum vmb_oid {
	VMB_OID_SUPPORTED_LIST = 0x00010101,
	VMB_OID_HARDWARE_STATUS = 0x00010102,
	VMB_OID_MEDIA_SUPPORTED = 0x00010103,
	VMB_OID_MEDIA_IN_USE = 0x00010104,
	VMB_OID_MAXIMUM_FRAME_SIZE = 0x00010106,
	VMB_OID_LINK_SPEED = 0x00010107,		/* in 100 bit/s */
	VMB_OID_VENDOR_DESCRIPTION = 0x0001010d,
	VMB_OID_PACKET_FILTER = 0x0001010e,
	VMB_OID_MAXIMUM_TOTAL_SIZE = 0x00010111,
	VMB_OID_MEDIA_CONNECT_STATUS = 0x00010114,
	VMB_OID_XMIT_OK = 0x00020101,
	VMB_OID_RCV_OK = 0x00020102,
	VMB_OID_XMIT_ERROR = 0x00020103,
	VMB_OID_RCV_ERROR = 0x00020104,
	VMB_OID_RCV_NO_BUFFER = 0x00020105,
	VMB_OID_RSS_CAPABILITIES = 0x00010203,
	VMB_OID_RSS_PARAMETERS = 0x00010204,
	VMB_OID_CONFIG_PARAMETER = 0x0001021b,
	VMB_OID_PERMANENT_ADDRESS = 0x01010101,
	VMB_OID_CURRENT_ADDRESS = 0x01010102,
	VMB_OID_MULTICAST_LIST = 0x01010103,
	VMB_OID_MAXIMUM_LIST_SIZE = 0x01010104,
	VMB_OID_OFFLOAD_PARAMETERS = 0xfc01020c,
	VMB_OID_OFFLOAD_CAPABILITIES = 0xfc01020d,
};

/* VMB_OID_PACKET_FILTER */
#define VMB_FILTER_DIRECTED		(1u << 0)
#define VMB_FILTER_MULTICAST		(1u << 1)
#define VMB_FILTER_ALL_MULTICAST	(1u << 2)
#define VMB_FILTER_BROADCAST		(1u << 3)
#define VMB_FILTER_PROMISCUOUS		(1u << 5)

struct vmb_ndis_object {
	__u8  type;			/* enum vmb_ndis_object_type */
	__u8  revision;
	__u16 bytes;
};

enum vmb_ndis_object_type {
	VMB_NDIS_DEFAULT = 0x80,
	VMB_NDIS_RSS_CAPABILITIES = 0x88,
	VMB_NDIS_RSS_PARAMETERS = 0x89,
	VMB_NDIS_OFFLOAD = 0xa7,
};

/* Which checksums: in *_txcsum and *_rxcsum of struct vmb_ndis_offload */
#define VMB_CSUM4_IP_OPTIONS	0x001u
#define VMB_CSUM4_TCP_OPTIONS	0x004u
#define VMB_CSUM4_TCP		0x010u
#define VMB_CSUM4_UDP		0x040u
#define VMB_CSUM4_IP		0x100u
#define VMB_CSUM6_EXTENSIONS	0x001u
#define VMB_CSUM6_TCP_OPTIONS	0x004u
#define VMB_CSUM6_TCP		0x010u
#define VMB_CSUM6_UDP		0x040u

#define VMB_ENCAP_8023		2u
#define VMB_LSO6_EXTENSIONS	0x001u
#define VMB_LSO6_TCP_OPTIONS	0x004u

/* NDIS_OFFLOAD. Guests of NDIS 6.0 take 112 bytes, of 6.1 144, of 6.30 156. */
struct vmb_ndis_offload {
	struct vmb_ndis_object header;	/* VMB_NDIS_OFFLOAD */
	__u32 ip4_txencap, ip4_txcsum, ip4_rxencap, ip4_rxcsum;
	__u32 ip6_txencap, ip6_txcsum, ip6_rxencap, ip6_rxcsum;
	__u32 lsov1[4];
	__u32 ipsecv1[7];
	__u32 lso4_encap, lso4_max_bytes, lso4_min_segments;
	__u32 lso6_encap, lso6_max_bytes, lso6_min_segments, lso6_options;
	__u32 flags;
	__u32 ipsecv2[8];
	__u8  rsc_ip4, rsc_ip6;
	__u8  rsvd[2];
	__u32 encap_flags, encap_max_header;
};
#define VMB_NDIS_OFFLOAD_6_0	112u
#define VMB_NDIS_OFFLOAD_6_1	144u
#define VMB_NDIS_OFFLOAD_6_30	156u

/* NDIS_OFFLOAD_PARAMETERS: each 0: as it is, 1: off; checksums 2: send, 3: receive, 4: both; others 2: on */
struct vmb_ndis_offload_parameters {
	struct vmb_ndis_object header;	/* VMB_NDIS_DEFAULT */
	__u8  ip4_csum, tcp4_csum, udp4_csum, tcp6_csum, udp6_csum;
	__u8  lsov1, ipsecv1, lso4, lso6, chimney4, chimney6;
	__u8  pad;
	__u32 flags;
	__u8  ipsecv2, ipsecv2_ip4;
	__u8  rsc4, rsc6;
	__u8  encap, encap_types;
	__u8  pad2[2];
};

struct vmb_ndis_rss_capabilities {
	struct vmb_ndis_object header;
	__u32 flags;
	__u32 interrupts;
	__u32 queues;
	__u16 table_entries;
	__u16 rsvd;			/* not sent */
};
#define VMB_NDIS_RSS_CAPABILITIES_BYTES	18u	/* guests take no more */

#endif /* _UAPI_HVGUEST_VSP_NET_H */
