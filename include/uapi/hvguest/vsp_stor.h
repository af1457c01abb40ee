/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * vsp_stor.h - the storage protocol inside a VMBus channel
 *
 * Each packet carries one struct vmb_stor_packet, whatever its operation; data is in the pages that a
 * GPA-direct packet lists. Everything is little-endian. Names begin with VMB_STOR_ and vmb_stor_,
 * because the guest's own headers have taken the obvious ones.
 *
 * Guests seen to use it: Linux 5.10 to 7.2 (drivers/scsi/storvsc_drv.c), protocol 6.2.
 */
#ifndef _UAPI_HVGUEST_VSP_STOR_H
#define _UAPI_HVGUEST_VSP_STOR_H

#include <linux/types.h>

/* ba6163d9-04a1-4d29-b605-72e2ffb1dc7f, in wire form */
#define VMB_STOR_SCSI_CLASS { \
	0xd9, 0x63, 0x61, 0xba, 0xa1, 0x04, 0x29, 0x4d, 0xb6, 0x05, 0x72, 0xe2, 0xff, 0xb1, 0xdc, 0x7f }

enum vmb_stor_operation {
	VMB_STOR_COMPLETE_IO = 1,		/* every completion */
	VMB_STOR_REMOVE_DEVICE = 2,		/* to guest, unsolicited */
	VMB_STOR_EXECUTE_SRB = 3,
	VMB_STOR_RESET_LUN = 4,
	VMB_STOR_RESET_ADAPTER = 5,
	VMB_STOR_RESET_BUS = 6,
	VMB_STOR_BEGIN_INITIALIZATION = 7,
	VMB_STOR_END_INITIALIZATION = 8,
	VMB_STOR_QUERY_PROTOCOL_VERSION = 9,
	VMB_STOR_QUERY_PROPERTIES = 10,
	VMB_STOR_ENUMERATE_BUS = 11,		/* to guest, unsolicited */
	VMB_STOR_FCHBA_DATA = 12,		/* Fibre Channel alone */
	VMB_STOR_CREATE_SUB_CHANNELS = 13,
};

#define VMB_STOR_F_COMPLETION	(1u << 0)	/* the sender wants an answer */

#define VMB_STOR_VERSION(major, minor)	((__u16)((major) << 8 | (minor)))
#define VMB_STOR_VERSION_5_1	VMB_STOR_VERSION(5, 1)
#define VMB_STOR_VERSION_6_0	VMB_STOR_VERSION(6, 0)
#define VMB_STOR_VERSION_6_2	VMB_STOR_VERSION(6, 2)

/* NTSTATUS in @status */
#define VMB_STOR_OK		0u
#define VMB_STOR_BAD_REQUEST	0xc0000010u	/* STATUS_INVALID_DEVICE_REQUEST */
#define VMB_STOR_BAD_STATE	0xc0000184u	/* STATUS_INVALID_DEVICE_STATE */
#define VMB_STOR_BAD_REVISION	0xc0000059u	/* STATUS_REVISION_MISMATCH */
#define VMB_STOR_BAD_PARAMETER	0xc000000du	/* STATUS_INVALID_PARAMETER */

#define VMB_STOR_CDB_MAX	16u
#define VMB_STOR_SENSE_MAX	20u

enum vmb_stor_data {
	VMB_STOR_DATA_WRITE = 0,	/* to the device */
	VMB_STOR_DATA_READ = 1,		/* to the guest */
	VMB_STOR_DATA_NONE = 2,
};

/* SRB status, srb.h of the Windows drivers. Flags make success no success. */
enum vmb_stor_srb {
	VMB_STOR_SRB_SUCCESS = 0x01,
	VMB_STOR_SRB_ERROR = 0x04,
	VMB_STOR_SRB_BUSY = 0x05,
	VMB_STOR_SRB_INVALID_REQUEST = 0x06,
	VMB_STOR_SRB_INVALID_LUN = 0x20,	/* a Linux guest removes the LUN */
	VMB_STOR_SRB_F_AUTOSENSE = 0x80,	/* sense data is there */
};

/* A SCSI command and its result: 52 bytes in every protocol version from 5.1 on. */
struct vmb_stor_srb_request {
	__u16 length;			/* of this structure */
	__u8  srb_status;
	__u8  scsi_status;
	__u8  port;
	__u8  path;
	__u8  target;
	__u8  lun;
	__u8  cdb_length;
	__u8  sense_length;
	__u8  data;			/* enum vmb_stor_data */
	__u8  rsvd;
	__u32 transfer_length;		/* bytes; in a completion: moved */
	union {
		__u8 cdb[VMB_STOR_CDB_MAX];
		__u8 sense[VMB_STOR_SENSE_MAX];
	};
	__u16 rsvd2;
	__u8  queue_tag;
	__u8  queue_action;
	__u32 srb_flags;
	__u32 timeout;			/* seconds */
	__u32 sort_key;
};

struct vmb_stor_properties {
	__u32 rsvd;
	__u16 max_sub_channels;
	__u16 rsvd2;
	__u32 flags;			/* VMB_STOR_PROP_* */
	__u32 max_transfer_bytes;
	__u64 rsvd3;
};

#define VMB_STOR_PROP_MULTI_CHANNEL	(1u << 0)

struct vmb_stor_packet {
	__u32 operation;		/* enum vmb_stor_operation */
	__u32 flags;			/* VMB_STOR_F_* */
	__u32 status;
	union {
		struct vmb_stor_srb_request srb;
		struct {
			__u16 version;
			__u16 revision;
		} protocol;
		struct vmb_stor_properties properties;
		__u16 sub_channels;
		__u8 bytes[52];
	} __attribute__((packed));
};

#define VMB_STOR_PACKET_BYTES	64u	/* completions are exactly this long */

#endif /* _UAPI_HVGUEST_VSP_STOR_H */
