/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * hv_state.h - record ids of HV_*_GET_STATE / HV_*_SET_STATE and of the save stream
 *
 * A VM moved to a new process is: HV_SYS_CREATE_VM and slots with the memory's content,
 * every VM record, every vCPU and its records, in the order of the numbers below.
 * A record's layout (hv_x86.h) never changes; a longer one gets a new version.
 */
#ifndef _UAPI_HV_HV_STATE_H
#define _UAPI_HV_HV_STATE_H

enum hv_state_record {
	/* of the VM */
	HV_REC_VM_CONFIG = 0x001,	/* struct hv_rec_config: CPU model, flags; checked on SET */
	HV_REC_VM_CLOCK = 0x002,	/* struct hv_rec_clock */
	HV_REC_VM_TLFS = 0x003,		/* struct hv_rec_tlfs_vm */
	HV_REC_VM_IOAPIC = 0x004,	/* struct hv_rec_ioapic */
	HV_REC_VM_OVERLAY = 0x005,	/* struct hv_rec_overlay, repeats by index; -ENOENT ends */
	HV_REC_VM_SLOT = 0x006,		/* struct hv_rec_slot, repeats likewise; checked on SET */
	/*
	 * struct hv_cpuid_entry[]: the leaves the vCPUs see. SET: -EOPNOTSUPP the VM does not
	 * offer a feature that is in it (compare with HV_VM_GET_CPUID); -EINVAL other leaves;
	 * -EBUSY a vCPU has run. Else the VM takes them.
	 */
	HV_REC_VM_CPUID = 0x007,

	/* of the bus, for a VM that has one and its channels; struct in hv_bus.h. All end by -ENOENT */
	HV_REC_BUS = 0x010,		/* struct hv_rec_bus */
	HV_REC_BUS_CHANNEL = 0x011,	/* struct hv_rec_bus_channel, repeats */
	HV_REC_BUS_GPADL = 0x012,	/* struct hv_rec_bus_gpadl and page numbers, repeats */
	HV_REC_BUS_MESSAGE = 0x013,	/* a message that waits for the guest to read, repeats */

	/* of a vCPU */
	HV_REC_VCPU_REGS = 0x101,	/* struct hv_rec_regs */
	HV_REC_VCPU_SREGS = 0x102,	/* struct hv_rec_sregs */
	HV_REC_VCPU_DEBUG = 0x103,	/* struct hv_rec_debug */
	HV_REC_VCPU_XSAVE = 0x104,	/* XCR0, XSTATE_BV and the area in standard format */
	HV_REC_VCPU_MSRS = 0x105,	/* struct hv_rec_msr[] */
	HV_REC_VCPU_LAPIC = 0x106,	/* struct hv_rec_lapic */
	HV_REC_VCPU_EVENTS = 0x107,	/* struct hv_rec_events */
	HV_REC_VCPU_TLFS = 0x108,	/* struct hv_rec_tlfs_vcpu */
	HV_REC_VCPU_PENDING = 0x109,	/* struct hv_rec_pending */
	HV_REC_VCPU_MESSAGES = 0x10a,	/* struct hv_rec_messages; -ENOENT without Hyper-V interface */
};

#endif /* _UAPI_HV_HV_STATE_H */
