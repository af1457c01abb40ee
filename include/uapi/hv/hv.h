/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * hv.h - the ioctl interface of /dev/hv
 *
 * Kinds of file descriptor: the system fd (an open /dev/hv), a VM fd (from
 * HV_SYS_CREATE_VM), a vCPU fd (from HV_VM_CREATE_VCPU), and channel fds, which hv_bus.h describes.
 *
 * Every argument structure starts with @size (bytes the caller knows, including @size)
 * and @flags. The kernel accepts a shorter structure down to the minimum size of the
 * first release, and a longer one whose tail is zero; an unknown flag is -EINVAL, a
 * non-zero tail is -E2BIG. Minimum sizes never change. Reserved fields (@rsvd*) must be
 * zero. Fields marked [out] are written back.
 *
 * A VM is bound to the address space that created it: VM and vCPU ioctls from another
 * one return -EIO. Common errors of all calls: -EFAULT (bad address), -EINVAL (bad flag
 * or value), -E2BIG (non-zero tail), -ENOTTY (no such call on this fd), -EIO (wrong
 * process, or the VM is dead after an internal error).
 */
#ifndef _UAPI_HV_HV_H
#define _UAPI_HV_HV_H

#include <linux/types.h>
#include <linux/ioctl.h>

#define HV_API_VERSION	1	/* raised only if an existing call changes meaning: never planned */
#define HV_IOC_MAGIC	0xd8

#define HV_NO_VNODE	0xffffffffu	/* not placed on any virtual NUMA node */

/* ---- system fd ---------------------------------------------------------------- */

/* HV_SYS_GET_VERSION: who answers. */
struct hv_version_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 api;		/* [out] HV_API_VERSION */
	__u32 vendor;		/* [out] enum hv_vendor */
	char  release[32];	/* [out] module version, NUL-terminated */
};

enum hv_vendor {
	HV_VENDOR_NONE = 0,	/* no usable virtualization extension; see HV_CAP_HW_STATE */
	HV_VENDOR_AMD = 1,
	HV_VENDOR_INTEL = 2,
};

/* HV_SYS_GET_CAP: value of one capability of hv_caps.h; -EINVAL for an unknown one. */
struct hv_cap_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 cap;		/* enum hv_cap */
	__u32 rsvd;
	__u64 value;		/* [out] meaning by capability */
};

/*
 * HV_SYS_CREATE_VM: a new VM, empty and without vCPUs. Returns its fd (O_CLOEXEC).
 *
 * The first VM of the host switches virtualization on, on all CPUs.
 * Errors: -ENODEV no SVM/VMX (or switched off by firmware); -EBUSY something else (KVM)
 * owns it on a CPU: HV_CAP_HW_STATE names the cause; -EMFILE, -ENOMEM; -EOPNOTSUPP the
 * host cannot provide @cpu_model.
 */
struct hv_vm_args {
	__u32 size;
	__u32 flags;		/* HV_VM_F_* */
	__u32 max_vcpus;	/* 1..HV_MAX_VCPUS */
	__u32 cpu_model;	/* enum hv_cpu_model */
	char  name[32];		/* for traces and events; NUL-terminated, may be empty */
	__u64 id;		/* [out] id of this VM, unique since the module was loaded */
};

#define HV_VM_F_NO_TLFS		(1u << 0)	/* present a bare machine: no Hyper-V interface */
#define HV_VM_F_NO_X2APIC	(1u << 1)	/* do not offer x2APIC */
#define HV_VM_F_SMALL_PAGES	(1u << 2)	/* map 4 KiB only (a debugging aid) */

#define HV_MAX_VCPUS		240
#define HV_MAX_SLOTS		512
#define HV_MAX_VNODES		64	/* virtual NUMA nodes are numbered below that */

enum hv_cpu_model {
	HV_CPU_HOST = 0,	/* host-passthrough: everything host and module support */
	HV_CPU_X86_64_V2 = 2,	/* psABI micro-architecture levels */
	HV_CPU_X86_64_V3 = 3,
	HV_CPU_X86_64_V4 = 4,
};

/* HV_SYS_GET_CPUID: the leaves a VM of @cpu_model would see. -E2BIG sets @nr to what is needed. */
struct hv_cpuid_entry {
	__u32 leaf;
	__u32 subleaf;
	__u32 flags;		/* HV_CPUID_F_* */
	__u32 eax, ebx, ecx, edx;
	__u32 rsvd;
};

#define HV_CPUID_F_SUBLEAF	(1u << 0)	/* @subleaf is significant */

struct hv_cpuid_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 cpu_model;	/* SYS_GET: enum hv_cpu_model; on a VM fd: must be 0 */
	__u32 nr;		/* in: room in @addr; out: entries */
	__u64 addr;		/* user address of struct hv_cpuid_entry[] */
};

#define HV_SYS_GET_VERSION	_IOWR(HV_IOC_MAGIC, 0x00, struct hv_version_args)
#define HV_SYS_GET_CAP		_IOWR(HV_IOC_MAGIC, 0x01, struct hv_cap_args)
#define HV_SYS_CREATE_VM	_IOWR(HV_IOC_MAGIC, 0x02, struct hv_vm_args)
#define HV_SYS_GET_CPUID	_IOWR(HV_IOC_MAGIC, 0x03, struct hv_cpuid_args)

/* ---- VM fd -------------------------------------------------------------------- */

/* HV_VM_CREATE_VCPU: returns the vCPU's fd. -EEXIST index taken, -EINVAL beyond max_vcpus. */
struct hv_vcpu_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 index;		/* VP index, also the APIC id; 0 is the boot processor */
	__u32 vnode;		/* virtual NUMA node or HV_NO_VNODE */
};

/*
 * HV_VM_SET_SLOT: create, replace or delete (@bytes = 0) one guest-memory region.
 *
 * A slot that exists is replaced in one step: no vCPU ever sees a hole, and after the
 * call returns nothing of the old backing is reachable by the guest or the kernel.
 * @gpa, @bytes and @host_addr are multiples of 4096; large mappings are used where
 * @gpa and @host_addr are congruent modulo 2 MiB or 1 GiB. A slot is shorter than 8 TiB
 * (2^31 pages). Errors: -EEXIST overlaps another slot, -ENOENT delete of a slot that is not there, -ENOSPC, -EINVAL.
 */
struct hv_slot_args {
	__u32 size;
	__u32 flags;		/* HV_SLOT_F_* */
	__u32 slot;		/* 0..HV_MAX_SLOTS-1 */
	__u32 vnode;		/* virtual NUMA node or HV_NO_VNODE */
	__u64 gpa;
	__u64 bytes;
	__u64 host_addr;	/* user address the region is mapped at */
	__s32 fd;		/* backing file or -1; named for save, fork and peers */
	__u32 rsvd;
	__u64 fd_offset;	/* offset of @host_addr in @fd */
};

#define HV_SLOT_F_READONLY	(1u << 0)	/* guest writes become HV_EXIT_MMIO */
#define HV_SLOT_F_DIRTY_LOG	(1u << 1)

/*
 * HV_VM_GET_DIRTY: fetch, and with HV_DIRTY_F_CLEAR reset, the dirty bits of @npages
 * pages of @slot from @first (both multiples of 64, or reaching the end of the slot).
 * Bit n of the bitmap is page @first + n. -ENOENT no such slot or no dirty log.
 */
struct hv_dirty_args {
	__u32 size;
	__u32 flags;		/* HV_DIRTY_F_* */
	__u32 slot;
	__u32 rsvd;
	__u64 first;
	__u64 npages;
	__u64 addr;		/* user address of __u64[] */
	__u64 count;		/* [out] set bits returned */
};

#define HV_DIRTY_F_CLEAR	(1u << 0)

/* HV_VM_SET_IOEVENTFD: a guest write to @addr signals @fd without leaving the kernel. */
struct hv_ioeventfd_args {
	__u32 size;
	__u32 flags;		/* HV_IOEVENTFD_F_* */
	__u64 addr;		/* port or gpa */
	__u64 datamatch;
	__u32 len;		/* 0 (any), 1, 2, 4, 8 bytes */
	__s32 fd;
};

#define HV_IOEVENTFD_F_PIO	 (1u << 0)	/* @addr is a port */
#define HV_IOEVENTFD_F_DATAMATCH (1u << 1)	/* only writes of @datamatch */
#define HV_IOEVENTFD_F_DEASSIGN	 (1u << 2)

/* Where an interrupt goes. */
struct hv_irq_target {
	__u32 kind;		/* enum hv_irq_kind */
	__u32 gsi;		/* HV_IRQ_GSI: I/O APIC pin, 0..23 */
	__u64 msi_addr;		/* HV_IRQ_MSI */
	__u32 msi_data;
	__u32 vp;		/* HV_IRQ_SINT: VP index */
	__u32 sint;		/* HV_IRQ_SINT: 0..15 */
	__u32 flag;		/* HV_IRQ_SINT: event flag number to set, 0..2047 */
};

enum hv_irq_kind {
	HV_IRQ_GSI = 0,
	HV_IRQ_MSI = 1,
	HV_IRQ_SINT = 2,	/* set event flag @flag of (@vp, @sint) and raise the SINT */
};

/* HV_VM_SET_IRQFD: a write to eventfd @fd raises @target. */
struct hv_irqfd_args {
	__u32 size;
	__u32 flags;		/* HV_IRQFD_F_* */
	__s32 fd;
	__s32 resample_fd;	/* with F_RESAMPLE: signalled at EOI, the line is lowered */
	struct hv_irq_target target;
};

#define HV_IRQFD_F_DEASSIGN	(1u << 0)
#define HV_IRQFD_F_RESAMPLE	(1u << 1)	/* level-triggered GSI */

/*
 * HV_VM_SET_IRQ: raise (or, for a GSI, set to @level) an interrupt now. Returns 0, or 1 if
 * it merged with one that was pending already or nobody listens now. -EINVAL no such target.
 */
struct hv_irq_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 level;		/* GSI: 0 or 1; ignored otherwise */
	__u32 rsvd;
	struct hv_irq_target target;
};

/*
 * HV_VM_SET_EVENT_PORT: HvSignalEvent on @connection signals eventfd @fd.
 * @fd = -1 removes the port. -EEXIST the connection id is taken.
 */
struct hv_event_port_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 connection;	/* connection id, 1..0xffffff */
	__s32 fd;
};

/*
 * HV_VM_POST_MESSAGE: a message to a SINT, as a port of the hypervisor's would deliver it: into
 * its slot, or behind those that wait for the slot. -EAGAIN 16 posted ones wait there, or the
 * guest has its message page or SynIC off; -EINVAL no such VP or SINT, type 0 or one of the
 * hypervisor's own (bit 31), length over 240; -EINVAL, too, without a Hyper-V interface.
 */
struct hv_message_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 vp;
	__u32 sint;		/* 0..15 */
	__u32 type;
	__u32 len;		/* of the payload, 0..240 */
	__u64 addr;		/* user address of the payload */
	__u64 sender;		/* the port's id, as the guest sees it */
};

/*
 * HV_VM_GET_STATE, HV_VM_SET_STATE, HV_VCPU_GET_STATE, HV_VCPU_SET_STATE: one record of
 * hv_state.h. GET with @len 0 returns the length needed in @len. SET refuses a record
 * that the VM's configuration cannot hold (-EINVAL) or a newer version (-EOPNOTSUPP).
 * vCPU records need the vCPU stopped (it is: the call waits for its mutex); VM records
 * that vCPUs change need all vCPUs out of HV_VCPU_RUN, else -EBUSY.
 */
struct hv_state_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 record;		/* enum hv_state_record */
	__u32 index;		/* which, for records that repeat; else 0 */
	__u64 addr;		/* user address */
	__u32 len;		/* in: room or length; [out] length */
	__u32 version;		/* [out] on GET; in on SET */
};

/* HV_VM_GET_STATS, HV_VCPU_GET_STATS: counters, self-describing; see hv_stats.h. */
struct hv_stats_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u64 addr;
	__u32 len;		/* in: room; [out] length needed */
	__u32 rsvd;
};

/*
 * HV_VM_SET_RUN_STATE: pause or resume the VM's time. All vCPUs must be out of
 * HV_VCPU_RUN (-EBUSY). While paused the reference counter and all guest timers stand
 * still, and HV_VCPU_RUN returns -EAGAIN.
 */
struct hv_run_state_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 state;		/* enum hv_run_state */
	__u32 rsvd;
};

enum hv_run_state {
	HV_RUN_STATE_RUNNING = 0,
	HV_RUN_STATE_PAUSED = 1,
};

/* HV_VM_RESET: every vCPU, interrupt controller, SynIC and overlay back to power-on. Same condition. */
struct hv_reset_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
};

#define HV_VM_CREATE_VCPU	_IOW(HV_IOC_MAGIC, 0x20, struct hv_vcpu_args)
#define HV_VM_SET_SLOT		_IOW(HV_IOC_MAGIC, 0x21, struct hv_slot_args)
#define HV_VM_GET_DIRTY		_IOWR(HV_IOC_MAGIC, 0x22, struct hv_dirty_args)
#define HV_VM_SET_IOEVENTFD	_IOW(HV_IOC_MAGIC, 0x23, struct hv_ioeventfd_args)
#define HV_VM_SET_IRQFD		_IOW(HV_IOC_MAGIC, 0x24, struct hv_irqfd_args)
#define HV_VM_SET_IRQ		_IOW(HV_IOC_MAGIC, 0x25, struct hv_irq_args)
#define HV_VM_SET_EVENT_PORT	_IOW(HV_IOC_MAGIC, 0x26, struct hv_event_port_args)
#define HV_VM_GET_STATE		_IOWR(HV_IOC_MAGIC, 0x27, struct hv_state_args)
#define HV_VM_SET_STATE		_IOWR(HV_IOC_MAGIC, 0x28, struct hv_state_args)
#define HV_VM_GET_STATS		_IOWR(HV_IOC_MAGIC, 0x29, struct hv_stats_args)
#define HV_VM_SET_RUN_STATE	_IOW(HV_IOC_MAGIC, 0x2a, struct hv_run_state_args)
#define HV_VM_RESET		_IOW(HV_IOC_MAGIC, 0x2b, struct hv_reset_args)
#define HV_VM_GET_CPUID		_IOWR(HV_IOC_MAGIC, 0x2c, struct hv_cpuid_args)
#define HV_VM_POST_MESSAGE	_IOW(HV_IOC_MAGIC, 0x2f, struct hv_message_args)

/* ---- vCPU fd ------------------------------------------------------------------ */

/*
 * HV_VCPU_RUN: run the guest until user space is needed. The argument is ignored.
 * Returns 0 with the reason in the run page (hv_run.h), or -EINTR (signal, or
 * immediate_exit set), -EAGAIN (VM paused), -ECANCELED (vCPU or VM is dead).
 *
 * The answer to an exit that reads (a port, MMIO) is taken by the next call, with
 * immediate_exit set, too. User space that has answered makes that call before it saves the
 * vCPU; else the exit comes once more where the records are loaded.
 */
#define HV_VCPU_RUN		_IO(HV_IOC_MAGIC, 0x40)
#define HV_VCPU_GET_STATE	_IOWR(HV_IOC_MAGIC, 0x41, struct hv_state_args)
#define HV_VCPU_SET_STATE	_IOWR(HV_IOC_MAGIC, 0x42, struct hv_state_args)
#define HV_VCPU_GET_STATS	_IOWR(HV_IOC_MAGIC, 0x43, struct hv_stats_args)

/* HV_VCPU_INJECT: an NMI from the operator. May be called while the vCPU runs. */
struct hv_inject_args {
	__u32 size;
	__u32 flags;		/* must be 0 */
	__u32 kind;		/* enum hv_inject_kind */
	__u32 rsvd;
};

enum hv_inject_kind {
	HV_INJECT_NMI = 0,
};

#define HV_VCPU_INJECT		_IOW(HV_IOC_MAGIC, 0x44, struct hv_inject_args)

/* HV_VCPU_TRANSLATE: guest linear address to guest physical, by the vCPU's current paging. */
struct hv_translate_args {
	__u32 size;
	__u32 flags;		/* HV_TRANSLATE_F_*: the access to check */
	__u64 gva;
	__u64 gpa;		/* [out] */
	__u32 fault;		/* [out] 0, or the #PF error code | HV_TRANSLATE_FAULT */
	__u32 rsvd;
};

#define HV_TRANSLATE_F_WRITE	(1u << 0)
#define HV_TRANSLATE_F_EXEC	(1u << 1)
#define HV_TRANSLATE_F_USER	(1u << 2)
#define HV_TRANSLATE_FAULT	(1u << 31)

#define HV_VCPU_TRANSLATE	_IOWR(HV_IOC_MAGIC, 0x45, struct hv_translate_args)

/* ---- generic netlink family of life-cycle events -------------------------------- */

#define HV_GENL_NAME		"hv"
#define HV_GENL_VERSION		1
#define HV_GENL_MCGRP_EVENTS	"events"

enum hv_genl_cmd {
	HV_GENL_CMD_UNSPEC,
	HV_GENL_CMD_EVENT,	/* notification only */
};

enum hv_genl_attr {
	HV_GENL_ATTR_UNSPEC,
	HV_GENL_ATTR_EVENT,	/* u32, enum hv_event */
	HV_GENL_ATTR_VM_ID,	/* u64 */
	HV_GENL_ATTR_VM_NAME,	/* string */
	HV_GENL_ATTR_VCPU,	/* u32, VP index; absent for events of the VM */
	HV_GENL_ATTR_PID,	/* u32, process that owns the VM, in the initial namespace */
	HV_GENL_ATTR_CAUSE,	/* string, short reason; absent if none */
	HV_GENL_ATTR_TIME,	/* u64, CLOCK_BOOTTIME nanoseconds */
	HV_GENL_ATTR_PAD,
	__HV_GENL_ATTR_MAX,
};
#define HV_GENL_ATTR_MAX	(__HV_GENL_ATTR_MAX - 1)

enum hv_event {
	HV_EVENT_VM_CREATED = 1,
	HV_EVENT_VM_DESTROYED = 2,
	HV_EVENT_VM_PAUSED = 3,
	HV_EVENT_VM_RESUMED = 4,
	HV_EVENT_VM_RESET = 5,
	HV_EVENT_VM_DEAD = 6,		/* killed by the module: internal error */
	HV_EVENT_VM_CRASHED = 7,	/* the guest told so by its crash MSRs */
	HV_EVENT_VCPU_CREATED = 8,
	HV_EVENT_VCPU_STARTED = 9,	/* first entry after creation or reset */
	HV_EVENT_VCPU_SHUTDOWN = 10,	/* triple fault */
	HV_EVENT_VCPU_DESTROYED = 11,
};

#endif /* _UAPI_HV_HV_H */
