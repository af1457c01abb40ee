/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * hv_run.h - the run page of a vCPU: mmap(fd, offset 0, HV_RUN_BYTES)
 *
 * User space may scribble over it at any time: the kernel copies what it reads once,
 * and never reads back what it wrote (kind, length, address).
 */
#ifndef _UAPI_HV_HV_RUN_H
#define _UAPI_HV_HV_RUN_H

#include <linux/types.h>

#define HV_RUN_BYTES		4096
#define HV_RUN_PIO_DATA		1024	/* offset of string-I/O data in the page */
#define HV_RUN_PIO_MAX		2048	/* bytes of it */

enum hv_exit_kind {
	HV_EXIT_NONE = 0,
	HV_EXIT_PIO = 1,	/* @pio: IN data go to, OUT data stand at HV_RUN_PIO_DATA */
	HV_EXIT_MMIO = 2,	/* @mmio */
	HV_EXIT_SHUTDOWN = 3,	/* triple fault: reset or stop the VM */
	HV_EXIT_CRASH = 4,	/* @crash: the guest wrote its crash control MSR */
	HV_EXIT_MEMORY_FAULT = 5, /* @fault: host memory behind a slot cannot be had */
	HV_EXIT_INTERNAL = 6,	/* @internal: the module cannot go on; the VM is dead */
	HV_EXIT_FAIL_ENTRY = 7,	/* @internal: hardware refused the guest state */
};

struct hv_exit_pio {
	__u16 port;
	__u8  bytes;		/* of one item: 1, 2, 4 */
	__u8  in;		/* 1: guest reads */
	__u32 count;		/* items; count * bytes <= HV_RUN_PIO_MAX */
};

struct hv_exit_mmio {
	__u64 gpa;
	__u8  bytes;		/* 1..8 */
	__u8  write;
	__u8  rsvd[6];
	__u8  data[8];		/* write: from the guest; read: the answer goes here */
};

struct hv_exit_crash {
	__u64 ctl;		/* CRASH_CTL as written */
	__u64 p[5];		/* CRASH_P0..P4 */
};

struct hv_exit_fault {
	__u64 gpa;
	__u64 flags;		/* HV_FAULT_F_* */
	__s32 error;		/* negative errno of the host */
	__u32 rsvd;
};

#define HV_FAULT_F_WRITE	(1u << 0)

struct hv_exit_internal {
	__u32 cause;		/* enum hv_internal_cause */
	__u32 rsvd;
	__u64 info[4];		/* vendor exit code and qualifications, for the log */
};

enum hv_internal_cause {
	HV_INTERNAL_UNKNOWN_EXIT = 1,	/* exit code without a handler */
	HV_INTERNAL_EMULATION = 2,	/* instruction the executor does not know; info: rip, bytes */
	HV_INTERNAL_ENTRY = 3,		/* VMRUN/VMLAUNCH failed */
	HV_INTERNAL_BUG = 4,		/* a broken invariant, see the host's log */
};

struct hv_run {
	/* in */
	__u8  immediate_exit;	/* return -EINTR before entering the guest */
	__u8  rsvd0[7];
	/* out */
	__u32 exit_kind;	/* enum hv_exit_kind */
	__u32 rsvd1;
	union {
		struct hv_exit_pio pio;
		struct hv_exit_mmio mmio;
		struct hv_exit_crash crash;
		struct hv_exit_fault fault;
		struct hv_exit_internal internal;
		__u8 rsvd2[240];
	};
};

#endif /* _UAPI_HV_HV_RUN_H */
