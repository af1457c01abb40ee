/* SPDX-License-Identifier: GPL-2.0-only */
/* svm.h - what the files of the AMD backend share */
#ifndef _HV_SVM_H
#define _HV_SVM_H

#include <linux/io.h>
#include "../x86.h"
#include "../lib/asid.h"
#include "vmcb.h"

struct hv_vcpu_svm {
	struct hv_vcpu_x86 x;		/* first */
	struct hv_vmcb *vmcb;		/* I */
	phys_addr_t vmcb_spa;		/* I */
	struct hv_asid asid;		/* what its translations are tagged with */
	bool host_saved;		/* this section did VMSAVE for the host */
	bool guest_drs;			/* DR0-3, 6 of the guest are in the CPU */
	u64 host_tsc_aux;		/* to put back at the end of the section */
};

static inline struct hv_vcpu_svm *to_svm(struct hv_vcpu_x86 *x)
{
	return container_of(x, struct hv_vcpu_svm, x);
}

/* Per host CPU. */
struct hv_svm_cpu {
	bool on;			/* SVME was set by us */
	struct hv_asid_pool asids;
	struct hv_vcpu_svm *last;	/* whose VMCB ran here last, for clean bits; only compared */
	u64 last_vm;			/* id of the VM that ran here last, for IBPB; 0: none */
	phys_addr_t hsave_spa;		/* VM_HSAVE_PA */
	phys_addr_t host_spa;		/* VMSAVE area of the host's FS, GS, TR, LDTR and MSRs */
	struct page *hsave;
	struct page *host;
};

/*
 * Our own exit codes, beyond what hardware uses: we switched SVM off on this CPU (it goes
 * offline, or the machine reboots); somebody else did, and an instruction of SVM faulted.
 */
#define HV_SVM_EXIT_OFF		0xf0000001ULL
#define HV_SVM_EXIT_TAKEN	0xf0000002ULL

DECLARE_PER_CPU(struct hv_svm_cpu, hv_svm_cpu);

/* What this CPU has and parameters did not switch off; set once by hw_setup. */
struct hv_svm_features {
	u32 asid_limit;			/* ids are 1 .. asid_limit - 1 */
	bool nrips, decode_assist, flush_asid, clean_bits, pause_filter, v_spec_ctrl;
	bool rdtscp;
};

extern struct hv_svm_features hv_svm_feat;

/* hw.c */
bool hv_svm_hw_supported(void);
int hv_svm_hw_setup(void);
void hv_svm_hw_unsetup(void);
u32 hv_svm_hw_state(void);
int hv_svm_hw_enable(void);
void hv_svm_hw_disable(void);
u64 hv_svm_hw_features(void);

/* bitmap.c: permission maps shared by all VMs (what passes is the same for each) */
int hv_svm_bitmap_create(void);
void hv_svm_bitmap_release(void);
phys_addr_t hv_svm_msrpm_spa(void);
phys_addr_t hv_svm_iopm_spa(void);

/* ctl.c: the VMCB */
int hv_svm_vcpu_create(struct hv_vcpu_x86 *x);
void hv_svm_vcpu_release(struct hv_vcpu_x86 *x);
void hv_svm_vcpu_reset(struct hv_vcpu_x86 *x);
struct hv_vcpu_x86 *hv_svm_vcpu_alloc(void);
void hv_svm_vcpu_free(struct hv_vcpu_x86 *x);
void hv_svm_seg_get(struct hv_vcpu_x86 *x, unsigned int seg, struct hv_rec_seg *s);
void hv_svm_seg_set(struct hv_vcpu_x86 *x, unsigned int seg, const struct hv_rec_seg *s);
void hv_svm_dt_get(struct hv_vcpu_x86 *x, bool idt, struct hv_rec_dt *dt);
void hv_svm_dt_set(struct hv_vcpu_x86 *x, bool idt, const struct hv_rec_dt *dt);
u64 hv_svm_cr_get(struct hv_vcpu_x86 *x, unsigned int cr);
void hv_svm_cr_set(struct hv_vcpu_x86 *x, unsigned int cr, u64 val);
u64 hv_svm_efer_get(struct hv_vcpu_x86 *x);
void hv_svm_efer_set(struct hv_vcpu_x86 *x, u64 val);
void hv_svm_dr7_set(struct hv_vcpu_x86 *x, u64 val);
int hv_svm_msr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val);
int hv_svm_msr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val);
bool hv_svm_long64(struct hv_vcpu_x86 *x);
unsigned int hv_svm_cpl(struct hv_vcpu_x86 *x);
u32 hv_svm_int_shadow_get(struct hv_vcpu_x86 *x);
void hv_svm_int_shadow_set(struct hv_vcpu_x86 *x, u32 on);
void hv_svm_tsc_offset_set(struct hv_vcpu_x86 *x, u64 offset);
void hv_svm_root_set(struct hv_vcpu_x86 *x, struct hv_mmu_root *root);
u64 hv_svm_next_rip(struct hv_vcpu_x86 *x);
unsigned int hv_svm_insn_bytes(struct hv_vcpu_x86 *x, u8 *buf);

/* run.c: the world switch around enter.S, ASIDs, events */
void hv_svm_load(struct hv_vcpu_x86 *x);
void hv_svm_put(struct hv_vcpu_x86 *x);
void hv_svm_enter(struct hv_vcpu_x86 *x);
void hv_svm_exit_irqoff(struct hv_vcpu_x86 *x);
void hv_svm_inject(struct hv_vcpu_x86 *x, enum hv_event_type type, u8 vector, bool has_error,
		   u32 error);
void hv_svm_irq_window(struct hv_vcpu_x86 *x, unsigned int window);
void hv_svm_nmi_window(struct hv_vcpu_x86 *x, bool on);
void hv_svm_tlb_flush(struct hv_vcpu_x86 *x);
void hv_svm_drs_load(struct hv_vcpu_x86 *x);

/* enter.S */
asmlinkage void hv_svm_vmrun(u64 *gpr, phys_addr_t vmcb, phys_addr_t host, u32 spec_ctrl);
/* run.c, called by enter.S: CLGI faulted, nothing of the guest is in the CPU. */
asmlinkage void hv_svm_vmrun_fault(u64 *gpr);

/* exits.c */
enum hv_next hv_svm_exit_handle(struct hv_vcpu_x86 *x);
void hv_svm_exit_info(struct hv_vcpu_x86 *x, u64 *code, u64 *info1, u64 *info2);

static inline void hv_svm_dirty(struct hv_vcpu_svm *s, unsigned int bit)
{
	s->vmcb->clean &= ~(1u << bit);
}

static inline void hv_svm_intercept(struct hv_vcpu_svm *s, unsigned int bit, bool on)
{
	u32 *w = &s->vmcb->intercept[bit / 32], m = 1u << (bit % 32);
	u32 v = on ? *w | m : *w & ~m;

	if (v != *w) {
		*w = v;
		hv_svm_dirty(s, SVM_C_INTERCEPTS);
	}
}

#endif /* _HV_SVM_H */
