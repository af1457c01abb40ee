/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vmcb.h - the virtual machine control block (APM vol. 2, appendix B)
 *
 * Our own, because the kernel's changes between the versions we run on.
 */
#ifndef _HV_SVM_VMCB_H
#define _HV_SVM_VMCB_H

#include <linux/types.h>
#include <linux/build_bug.h>

struct hv_vmcb_seg {
	u16 selector;
	u16 attr;
	u32 limit;
	u64 base;
} __packed;

struct hv_vmcb {
	/* control area */
	u32 intercept[6];		/* 000 */
	u32 rsvd_018[9];
	u16 pause_threshold;		/* 03c */
	u16 pause_count;		/* 03e */
	u64 iopm;			/* 040 */
	u64 msrpm;			/* 048 */
	u64 tsc_offset;			/* 050 */
	u32 asid;			/* 058 */
	u8  tlb_control;		/* 05c */
	u8  rsvd_05d[3];
	u32 int_ctl;			/* 060: V_TPR, V_IRQ, V_GIF, V_INTR_MASKING, AVIC */
	u32 int_vector;			/* 064 */
	u64 int_state;			/* 068: bit 0 interrupt shadow */
	u64 exit_code;			/* 070 */
	u64 exit_info1;			/* 078 */
	u64 exit_info2;			/* 080 */
	u32 exit_int_info;		/* 088 */
	u32 exit_int_error;		/* 08c */
	u64 nested_ctl;			/* 090: bit 0 nested paging */
	u64 avic_bar;			/* 098 */
	u64 ghcb;			/* 0a0 */
	u32 event_inj;			/* 0a8 */
	u32 event_inj_error;		/* 0ac */
	u64 ncr3;			/* 0b0 */
	u64 virt_ext;			/* 0b8 */
	u32 clean;			/* 0c0 */
	u32 rsvd_0c4;
	u64 next_rip;			/* 0c8 */
	u8  insn_len;			/* 0d0 */
	u8  insn_bytes[15];		/* 0d1 */
	u8  rsvd_0e0[0x400 - 0x0e0];

	/* state save area */
	struct hv_vmcb_seg es, cs, ss, ds, fs, gs;	/* 400 */
	struct hv_vmcb_seg gdtr, ldtr, idtr, tr;	/* 460 */
	u8  rsvd_4a0[43];
	u8  cpl;			/* 4cb */
	u8  rsvd_4cc[4];
	u64 efer;			/* 4d0 */
	u8  rsvd_4d8[112];
	u64 cr4;			/* 548 */
	u64 cr3;
	u64 cr0;
	u64 dr7;
	u64 dr6;
	u64 rflags;			/* 570 */
	u64 rip;
	u8  rsvd_580[88];
	u64 rsp;			/* 5d8 */
	u8  rsvd_5e0[24];
	u64 rax;			/* 5f8 */
	u64 star;
	u64 lstar;
	u64 cstar;
	u64 sfmask;
	u64 kernel_gs_base;
	u64 sysenter_cs;
	u64 sysenter_esp;
	u64 sysenter_eip;
	u64 cr2;			/* 640 */
	u8  rsvd_648[32];
	u64 pat;			/* 668 */
	u64 dbgctl;
	u64 br_from;
	u64 br_to;
	u64 last_excp_from;
	u64 last_excp_to;
	u8  rsvd_698[72];
	u64 spec_ctrl;			/* 6e0: with virtual SPEC_CTRL */
	u8  rsvd_6e8[0x1000 - 0x6e8];
} __packed;

static_assert(offsetof(struct hv_vmcb, int_ctl) == 0x60);
static_assert(offsetof(struct hv_vmcb, clean) == 0xc0);
static_assert(offsetof(struct hv_vmcb, es) == 0x400);
static_assert(offsetof(struct hv_vmcb, efer) == 0x4d0);
static_assert(offsetof(struct hv_vmcb, cr4) == 0x548);
static_assert(offsetof(struct hv_vmcb, rsp) == 0x5d8);
static_assert(offsetof(struct hv_vmcb, cr2) == 0x640);
static_assert(offsetof(struct hv_vmcb, pat) == 0x668);
static_assert(offsetof(struct hv_vmcb, spec_ctrl) == 0x6e0);
static_assert(sizeof(struct hv_vmcb) == 4096);

/* Intercept bits: word * 32 + bit */
enum {
	SVM_I_CR0_WR = 16, SVM_I_CR3_WR = 19, SVM_I_CR4_WR = 20, SVM_I_CR8_WR = 24,
	SVM_I_DR_ALL = 32,		/* 16 reads, 16 writes */
	SVM_I_EXC = 64,			/* + vector */
	SVM_I_INTR = 96, SVM_I_NMI = 97, SVM_I_SMI = 98, SVM_I_INIT = 99, SVM_I_VINTR = 100,
	SVM_I_CR0_SEL_WR = 101, SVM_I_RDPMC = 111, SVM_I_CPUID = 114, SVM_I_RSM = 115,
	SVM_I_IRET = 116, SVM_I_INVD = 118, SVM_I_PAUSE = 119, SVM_I_HLT = 120,
	SVM_I_INVLPGA = 122, SVM_I_IOIO = 123, SVM_I_MSR = 124, SVM_I_TASK_SWITCH = 125,
	SVM_I_SHUTDOWN = 127,
	SVM_I_VMRUN = 128, SVM_I_VMMCALL = 129, SVM_I_VMLOAD = 130, SVM_I_VMSAVE = 131,
	SVM_I_STGI = 132, SVM_I_CLGI = 133, SVM_I_SKINIT = 134, SVM_I_WBINVD = 137,
	SVM_I_MONITOR = 138, SVM_I_MWAIT = 139, SVM_I_XSETBV = 141, SVM_I_RDPRU = 142,
	SVM_I_INVLPGB = 160, SVM_I_INVLPGB_ILLEGAL = 161, SVM_I_MCOMMIT = 163, SVM_I_TLBSYNC = 164,
};

/* Clean bits: what the CPU may keep cached since the last VMRUN of this VMCB on this CPU */
enum {
	SVM_C_INTERCEPTS, SVM_C_PERMS, SVM_C_ASID, SVM_C_INT, SVM_C_NPT, SVM_C_CR, SVM_C_DR,
	SVM_C_DT, SVM_C_SEG, SVM_C_CR2, SVM_C_LBR, SVM_C_AVIC, SVM_C_NR,
};
#define SVM_C_ALL	((1u << SVM_C_NR) - 1)

#define SVM_INT_TPR		0x0fu
#define SVM_INT_V_IRQ		(1u << 8)
#define SVM_INT_V_GIF		(1u << 9)
#define SVM_INT_PRIO_SHIFT	16
#define SVM_INT_IGN_TPR		(1u << 20)
#define SVM_INT_MASKING		(1u << 24)

#define SVM_EVENT_VALID		(1u << 31)
#define SVM_EVENT_HAS_ERROR	(1u << 11)

#define SVM_TLB_NOTHING		0
#define SVM_TLB_FLUSH_ALL	1
#define SVM_TLB_FLUSH_ASID	3

/* IOIO EXITINFO1 */
#define SVM_IOIO_IN		(1u << 0)
#define SVM_IOIO_STRING		(1u << 2)
#define SVM_IOIO_REP		(1u << 3)
#define SVM_IOIO_SIZE_SHIFT_	4

#endif /* _HV_SVM_VMCB_H */
