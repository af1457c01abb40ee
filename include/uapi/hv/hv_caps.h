/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* hv_caps.h - capabilities of HV_SYS_GET_CAP; append only, numbers are never reused */
#ifndef _UAPI_HV_HV_CAPS_H
#define _UAPI_HV_HV_CAPS_H

enum hv_cap {
	HV_CAP_MAX_VCPUS = 1,		/* per VM */
	HV_CAP_MAX_SLOTS = 2,
	HV_CAP_RUN_BYTES = 3,		/* size of the run page mapping */
	HV_CAP_HW_STATE = 4,		/* enum hv_hw_state */
	HV_CAP_HW_FEATURES = 5,		/* HV_HWF_* in use */
	HV_CAP_GPA_BITS = 6,		/* guest physical address width */
	HV_CAP_DIRTY_LOG = 7,		/* 1 */
	HV_CAP_IOEVENTFD = 8,		/* 1 */
	HV_CAP_IRQFD = 9,		/* bit per enum hv_irq_kind */
	HV_CAP_EVENT_PORT = 10,		/* 1 */
	HV_CAP_STATE_RECORDS = 11,	/* 1 */
	HV_CAP_TLFS = 12,		/* highest Hyper-V CPUID leaf offered */
	HV_CAP_TSC_KHZ = 13,		/* guest TSC frequency, kHz */
	HV_CAP_FORK_BACKING = 14,	/* enum hv_fork_backing */
	HV_CAP_BUS = 15,		/* highest VMBus version of HV_VM_CREATE_BUS; 0: none */
};

/* How the memory of a VM may be shared with a fork of it: Documentation/adr/0002-fork-backing.rst. */
enum hv_fork_backing {
	HV_FORK_BACKING_NONE = 0,
	/* fork(2) of the owner over MAP_PRIVATE memory: the child makes slots at the same addresses */
	HV_FORK_BACKING_PRIVATE = 1,
};

/* Who has the virtualization extension. */
enum hv_hw_state {
	HV_HW_OFF = 0,			/* free: the first VM switches it on */
	HV_HW_OURS = 1,
	HV_HW_NONE = 2,			/* CPU has none that hv can use */
	HV_HW_FIRMWARE_OFF = 3,		/* VM_CR.SVMDIS / FEATURE_CONTROL */
	HV_HW_HELD = 4,			/* another hypervisor switched it on */
};

/* Hardware features in use (module parameters switch each off). */
#define HV_HWF_SLAT		(1ULL << 0)
#define HV_HWF_SLAT_2M		(1ULL << 1)
#define HV_HWF_SLAT_1G		(1ULL << 2)
#define HV_HWF_NEXT_RIP		(1ULL << 3)
#define HV_HWF_DECODE_ASSIST	(1ULL << 4)
#define HV_HWF_FLUSH_BY_ASID	(1ULL << 5)
#define HV_HWF_CLEAN_BITS	(1ULL << 6)
#define HV_HWF_TSC_SCALING	(1ULL << 7)
#define HV_HWF_PAUSE_FILTER	(1ULL << 8)
#define HV_HWF_VGIF		(1ULL << 9)
#define HV_HWF_AVIC		(1ULL << 10)
#define HV_HWF_XSAVE		(1ULL << 11)
#define HV_HWF_VIRT_SPEC_CTRL	(1ULL << 12)

#endif /* _UAPI_HV_HV_CAPS_H */
