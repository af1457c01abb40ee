/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* hv_x86.h - layouts of the x86 state records (hv_state.h) */
#ifndef _UAPI_HV_HV_X86_H
#define _UAPI_HV_HV_X86_H

#include <linux/types.h>

/* General registers in the order of their encoding: rax rcx rdx rbx rsp rbp rsi rdi r8..r15 */
struct hv_rec_regs {
	__u64 gpr[16];
	__u64 rip;
	__u64 rflags;
};

/* A segment register; @attr as in the VMCB: type:4 s:1 dpl:2 p:1 avl:1 l:1 db:1 g:1 (APM vol. 2, 15.5) */
struct hv_rec_seg {
	__u64 base;
	__u32 limit;		/* in bytes, granularity applied */
	__u16 selector;
	__u16 attr;
};

enum hv_seg_index {		/* the order of sreg encoding, then the system segments */
	HV_SEG_ES = 0, HV_SEG_CS, HV_SEG_SS, HV_SEG_DS, HV_SEG_FS, HV_SEG_GS,
	HV_SEG_TR, HV_SEG_LDTR, HV_SEG_NR,
};

struct hv_rec_dt {
	__u64 base;
	__u32 limit;
	__u32 rsvd;
};

struct hv_rec_sregs {
	struct hv_rec_seg seg[HV_SEG_NR];
	struct hv_rec_dt gdt;
	struct hv_rec_dt idt;
	__u64 cr0;
	__u64 cr2;
	__u64 cr3;
	__u64 cr4;
	__u64 cr8;
	__u64 efer;
	__u64 apic_base;	/* IA32_APIC_BASE */
	__u64 pdpte[4];		/* PAE only */
};

struct hv_rec_debug {
	__u64 dr[4];
	__u64 dr6;
	__u64 dr7;
};

struct hv_rec_xsave {
	__u64 xcr0;
	__u32 bytes;		/* of the area that follows, standard (non-compacted) format */
	__u32 rsvd;
	/* followed by the XSAVE area */
};

struct hv_rec_msr {
	__u32 index;
	__u32 rsvd;
	__u64 value;
};

/* The local APIC's register page: one 32-bit register each 16 bytes (SDM vol. 3A, 11.4.1). */
struct hv_rec_lapic {
	__u32 regs[64];		/* register at offset 16 * n */
	__u64 timer_left;	/* guest TSC ticks (deadline) or bus ns until expiry; ~0 = not armed */
	__u64 tsc_deadline;	/* IA32_TSC_DEADLINE */
	__u32 pending_eoi[8];	/* must be 0 */
	__u32 esr_pending;	/* errors not yet latched by a write of ESR */
	__u32 rsvd;
};

struct hv_rec_ioapic {
	__u64 redir[24];
	__u32 irr;		/* bit per pin: level pins that wait for a mask or remote IRR to go; ignored on SET */
	__u32 level;		/* lines as HV_VM_SET_IRQ drives them, bit per pin */
	__u32 id;
	__u32 ioregsel;
	__u32 resample;		/* lines as irqfds with F_RESAMPLE drive them */
	__u32 rsvd;
};

enum hv_mp_state {
	HV_MP_RUNNABLE = 0,
	HV_MP_WAIT_SIPI = 1,
	HV_MP_HALTED = 2,
	HV_MP_SHUTDOWN = 3,
};

/* What is on its way into the vCPU. Events are per level; level 0 is the only one until nesting exists. */
struct hv_rec_events {
	__u32 level;
	__u32 mp_state;		/* enum hv_mp_state */
	__u8  exc_pending;	/* an exception waits for injection */
	__u8  exc_vector;
	__u8  exc_has_error;
	__u8  nmi_pending;	/* count, 0..2 */
	__u8  nmi_masked;
	__u8  int_shadow;	/* STI or MOV SS */
	__u8  reinject;		/* event interrupted in delivery: 0 none, else EXITINTINFO's type + 1 */
	__u8  reinject_vector;
	__u32 exc_error;
	__u32 reinject_error;
	__u8  reinject_has_error;
	__u8  init_pending;	/* INIT and SIPI that arrived and took no effect yet */
	__u8  sipi_pending;
	__u8  sipi_vector;
	__u8  started;		/* has run since creation or reset */
	__u8  rsvd[3];
	__u64 exc_payload;	/* CR2 or DR6 that comes with the exception */
};

struct hv_rec_config {
	__u32 cpu_model;	/* enum hv_cpu_model */
	__u32 vm_flags;		/* HV_VM_F_* */
	__u32 max_vcpus;
	__u32 tsc_khz;
	__u64 cpuid_crc;	/* of the leaves offered: with host-passthrough a mismatch is refused on SET */
};

struct hv_rec_clock {
	__u64 reftime;		/* partition reference time, 100 ns */
	__u64 tsc;		/* guest TSC of vCPU 0 at @reftime */
	__u32 run_state;	/* enum hv_run_state */
	__u32 rsvd;
};

/* A slot, in order of guest addresses. SET compares it with the slot of that number. */
struct hv_rec_slot {
	__u32 slot;
	__u32 flags;		/* HV_SLOT_F_*; the dirty log may differ */
	__u64 gpa;
	__u64 bytes;
	__u32 vnode;		/* virtual node or HV_NO_VNODE */
	__u32 rsvd;		/* must be 0 */
};

struct hv_rec_tlfs_vm {
	__u64 guest_os_id;
	__u64 hypercall;
	__u64 reference_tsc;
	__u32 tsc_sequence;
	__u32 rsvd;
	__u64 tsc_invariant;
	__u64 crash_p[5];
	__u64 crash_ctl;
};

struct hv_rec_stimer {
	__u64 config;
	__u64 count;
	__u64 expiry;		/* absolute reference time of the next expiry; 0 = not armed */
	__u32 pending_msg;	/* expired, message not yet in its slot */
	__u32 rsvd;
	__u64 pending_due;	/* then: the time it was due at */
};

struct hv_rec_tlfs_vcpu {
	__u64 vp_assist;
	__u64 scontrol;
	__u64 siefp;
	__u64 simp;
	__u64 sint[16];
	struct hv_rec_stimer stimer[4];
	__u64 autoeoi[4];	/* bit per vector that auto-EOIs */
	__u32 msg_pending;	/* bit per SINT: a message waits for its slot */
	__u32 eoi_assist;	/* "no EOI required" was set for the vector in service + 1; 0 none */
};

/* One posted message that waits for its slot. */
struct hv_rec_message {
	__u32 type;
	__u8  sint;
	__u8  len;
	__u16 rsvd;		/* 0 */
	__u64 sender;
	__u8  payload[240];	/* 0 behind @len */
};

/* All of them in order of arrival; those of expired timers are in hv_rec_tlfs_vcpu. */
struct hv_rec_messages {
	__u32 count;		/* 0..256, at most 16 a SINT */
	__u32 rsvd;		/* 0 */
	struct hv_rec_message message[];
};

/* The content of one overlay page (module-owned; the RAM beneath is part of guest memory). */
struct hv_rec_overlay {
	__u32 kind;		/* enum hv_overlay_kind */
	__u32 vp;		/* owner, or 0 for those of the partition */
	__u64 gpa;		/* where it lies, ~0 = disabled */
	__u8  page[4096];
};

enum hv_overlay_kind {
	HV_OVERLAY_HYPERCALL = 0,
	HV_OVERLAY_REFTSC = 1,
	HV_OVERLAY_VP_ASSIST = 2,
	HV_OVERLAY_SIEFP = 3,
	HV_OVERLAY_SIMP = 4,
	HV_OVERLAY_NR,
};

/*
 * An exit that waits for an answer. Without F_ANSWERED user space is told of it (again) by
 * the next HV_VCPU_RUN. With it the device has answered and will not be asked again: the
 * instruction, which had to wait for memory, is executed with @data.
 */
struct hv_rec_pending {
	__u16 kind;		/* enum hv_pending_kind */
	__u16 len;
	__u32 step;
	__u64 key;
	__u8  data[16];		/* MMIO write, or the answer */
	/* version 2 */
	__u32 flags;		/* HV_PENDING_F_* */
	__u32 rsvd;		/* must be 0 */
	__u8  more[240];	/* what does not fit in @data */
};

#define HV_PENDING_F_ANSWERED	(1u << 0)

enum hv_pending_kind {
	HV_PENDING_NONE = 0,
	HV_PENDING_PIO_IN = 1,		/* key: port << 32 | item bytes; step: items, 256 bytes at most */
	HV_PENDING_MMIO_READ = 2,	/* key: gpa; len: bytes */
	HV_PENDING_MMIO_WRITE = 3,	/* key: gpa; data: rest of the access still to send */
};

#endif /* _UAPI_HV_HV_X86_H */
