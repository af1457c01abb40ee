/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ioctl.h - op tables of the three kinds of fd, and the dispatcher that runs them
 *
 * A row says everything that can be checked without knowing the call: sizes, flags,
 * reserved fields, locks. A handler sees a structure that passed all of it, filled up with
 * zeros to the size the module knows, and only calls into virt.
 */
#ifndef _HV_KMOD_IOCTL_H
#define _HV_KMOD_IOCTL_H

#include <linux/file.h>
#include <linux/stddef.h>
#include <hv/types.h>
#include "fd.h"

#define HV_ARGS_MAX	256		/* bytes of the largest argument structure */

/* What a row wants held, or allowed, while its handler runs. */
#define HVL_VM		(1u << 0)	/* vm->lock */
#define HVL_STOPPED	(1u << 1)	/* vm->lock, and no vCPU in HV_VCPU_RUN (else -EBUSY) */
#define HVL_VCPU	(1u << 2)	/* vcpu->lock: the vCPU is not running */
#define HVL_OUT_E2BIG	(1u << 3)	/* not a lock: fields [out] are valid with -E2BIG too */

/* One call on its way. */
struct hv_call {
	struct hv_vm *vm;		/* NULL on the system fd */
	struct hv_vcpu *vcpu;		/* NULL but on a vCPU fd */
	struct hv_chan *chan;		/* NULL but on a channel fd, where the others are */
	struct hv_newfd newfd;		/* an fd the handler made; published when all is well */
	void *buf;			/* kvmalloc'ed, freed by the dispatcher */
	union {
		u64 align;
		u8 bytes[HV_ARGS_MAX];
	} args;
};

/**
 * struct hv_ioctl_op - one ioctl
 * @cmd: number; type, number and direction count, the size in it is the caller's
 * @size: bytes of the structure as this module knows it
 * @min: bytes of it in its first release: never changed
 * @flags: the flags known
 * @rsvd: offset of a reserved __u32, or 0
 * @locks: HVL_*
 * @before: optional, before any lock: get call->buf and copy into it what @args point to
 * @fn: under the locks, touches no user memory; 0 or a negative errno, call->newfd
 * @after: optional, after the locks and only if @fn returned 0: copy out of call->buf
 */
struct hv_ioctl_op {
	u32 cmd;
	u16 size;
	u16 min;
	u32 flags;
	u16 rsvd;
	u16 locks;
	long (*before)(struct hv_call *call, void *args);
	long (*fn)(struct hv_call *call, void *args);
	long (*after)(struct hv_call *call, void *args);
};

/* Rows stand in number order without holes: index = number - @first of the table. */
struct hv_ioctl_table {
	u32 first;
	u32 nr;
	const struct hv_ioctl_op *ops;
};

#define HV_OP_(CMD, STRUCT, LAST, FLAGS, RSVD, LOCKS, FN, ...)		\
	{								\
		.cmd = (CMD),						\
		.size = sizeof(STRUCT) + BUILD_BUG_ON_ZERO(sizeof(STRUCT) > HV_ARGS_MAX), \
		.min = offsetofend(STRUCT, LAST),			\
		.flags = (FLAGS), .rsvd = (RSVD), .locks = (LOCKS), .fn = (FN), \
		__VA_ARGS__						\
	}
/* @LAST: the last field of the first release's structure; .before and .after may follow @FN */
#define HV_OP(CMD, STRUCT, LAST, FLAGS, LOCKS, FN, ...)			\
	HV_OP_(CMD, STRUCT, LAST, FLAGS, 0, LOCKS, FN, __VA_ARGS__)
/* the same for a structure with a reserved field @rsvd */
#define HV_OP_RSVD(CMD, STRUCT, LAST, FLAGS, LOCKS, FN, ...)		\
	HV_OP_(CMD, STRUCT, LAST, FLAGS, offsetof(STRUCT, rsvd), LOCKS, FN, __VA_ARGS__)

long hv_ioctl_dispatch(const struct hv_ioctl_table *table, struct hv_vm *vm, struct hv_vcpu *vcpu,
		       unsigned int cmd, void __user *arg);
/* The same on a channel fd: any process, no VM held, no locks of a row. */
long hv_ioctl_dispatch_chan(const struct hv_ioctl_table *table, struct hv_chan *chan,
			    unsigned int cmd, void __user *arg);

/* Calls of number @nr since the module was loaded, over all CPUs; 0 if there is no such call. */
u64 hv_ioctl_count(u32 nr);
#define HV_IOCTL_NRS	0x70

extern const struct file_operations hv_sys_fops;	/* ioctl_sys.c */
extern const struct file_operations hv_vm_fops;		/* ioctl_vm.c */
extern const struct file_operations hv_vcpu_fops;	/* ioctl_vcpu.c */
extern const struct file_operations hv_chan_fops;	/* ioctl_chan.c */

/* An fd over @chan, whose reference passes in any case; for CREATE_CHANNEL and CREATE_SUB. */
long hv_newfd_chan(struct hv_call *call, struct hv_chan *chan);

#endif /* _HV_KMOD_IOCTL_H */
