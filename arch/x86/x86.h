/* SPDX-License-Identifier: GPL-2.0-only */
/* x86.h - the x86 part of a VM and of a vCPU; the vendor's part nests around hv_vcpu_x86 */
#ifndef _HV_ARCH_X86_H
#define _HV_ARCH_X86_H

#include <linux/kernel.h>
#include <linux/static_call.h>
#include <hv/types.h>
#include <hv/core.h>
#include <hv/arch.h>
#include "arch/x86/lib/slat.h"
#include "arch/x86/lib/gpt_walk.h"
#include "arch/x86/lib/insn_decode.h"

struct hv_lapic;
struct hv_ioapic;
struct hv_mmu_root;
struct hv_mmu_roots;
struct hv_cpuid_policy;

/* Index of gpr[]: the order of the encoding. */
enum hv_gpr {
	HV_RAX, HV_RCX, HV_RDX, HV_RBX, HV_RSP, HV_RBP, HV_RSI, HV_RDI,
	HV_R8, HV_R9, HV_R10, HV_R11, HV_R12, HV_R13, HV_R14, HV_R15,
};

/* Event types, numbered as EVENTINJ and the VM-entry interruption field have them. */
enum hv_event_type {
	HV_EV_INTR = 0,
	HV_EV_NMI = 2,
	HV_EV_EXCEPTION = 3,
	HV_EV_SOFT_INT = 4,
};

/* What ends the guest's run, so that an interrupt can be injected. */
enum hv_irq_window {
	HV_WIN_NONE,
	HV_WIN_IRQ,		/* the guest can take an interrupt, whatever its TPR */
	HV_WIN_TPR,		/* it writes CR8 */
};

struct hv_vm_x86 {
	struct hv_vm core;		/* first */
	struct hv_mmu_roots *roots;	/* I: arch/x86/mmu/ */
	struct hv_ioapic *ioapic;	/* I */
	struct hv_cpuid_policy *cpuid;	/* I: what guests of this VM see */
	u32 tsc_khz;			/* I */
	u64 tsc_offset;			/* A: guest TSC - host TSC; stands in hv_rec_clock */
	u64 tsc_paused;			/* V: guest TSC while the VM is paused */
};

/* Events on their way in; one instance per level (level 1 comes with nesting). */
struct hv_x86_events {
	bool exc_pending;
	u8 exc_vector;
	bool exc_has_error;
	u32 exc_error;
	u64 exc_payload;	/* CR2 for #PF, DR6 for #DB: set when injected */

	bool reinject;		/* delivery was interrupted by the exit */
	u8 reinject_type;	/* enum hv_event_type */
	u8 reinject_vector;
	bool reinject_has_error;
	u32 reinject_error;

	atomic_t nmi_pending;	/* A: 0..2 */
	bool nmi_masked;	/* an NMI handler runs (until IRET) */
	bool nmi_window;	/* IRET is being watched for */
	bool nmi_iret;		/* it was reached, at nmi_iret_rip, and is not executed yet */
	u64 nmi_iret_rip;
	bool nmi_step;		/* one step over that IRET, by TF of ours */
	bool nmi_step_tf;	/* the guest had TF set itself */
	u8 irq_window;		/* enum hv_irq_window: what is being watched for */
};

struct hv_vcpu_x86 {
	struct hv_vcpu core;		/* first */

	/* hot: touched by every exit */
	u64 gpr[16];			/* rsp and rax are copied from and to the control block */
	u64 rip;
	u64 rflags;
	struct hv_x86_events ev;
	struct hv_lapic *lapic;		/* I */
	struct hv_mmu_root *root;	/* what the vCPU translates with now */
	u64 root_gen;			/* of @root when it was loaded */
	struct hv_slat_cache mmu_cache;	/* T: tables for the next mapping */
	u32 mp_state;			/* enum hv_mp_state; A: read by wakers */

	/* extended state and registers the control block does not hold */
	u64 xcr0;
	u32 pkru;
	u32 host_pkru;			/* while the guest runs */
	void *xsave;			/* I: 64-byte aligned, standard format */
	u32 xsave_bytes;
	u64 dr[4];
	u64 dr6;
	u64 dr7;
	u64 cr4_guest;			/* as the guest reads it */
	struct hv_gpt_mode gpt;		/* digest of the paging registers below */
	u64 gpt_cr0, gpt_cr4, gpt_efer;
	struct hv_insn insn;		/* last one decoded for emulation, by its bytes */
	u8 insn_bytes[16];
	u8 insn_mode;			/* enum hv_insn_mode, or */
#define HV_INSN_MODE_NONE 0xff
	unsigned long rcu_noted;	/* jiffies when an entry last told RCU of a quiescent state */
	u64 pio_next_rip;		/* with HV_PENDING_PIO_IN: RIP after it; 0 decode again */

	/* MSRs that only hv keeps */
	u64 tsc_delta;			/* this vCPU's TSC - the VM's */
	u64 tsc_adjust;
	u64 tsc_aux;
	u64 mtrr_def_type;
	u64 mtrr_fixed[11];
	u64 mtrr_var[16];
	u64 mcg_status;
	u64 spec_ctrl;
	u64 hwcr;
};

static inline struct hv_vm_x86 *to_vm_x86(struct hv_vm *vm)
{
	return container_of(vm, struct hv_vm_x86, core);
}

static inline struct hv_vcpu_x86 *to_x86(struct hv_vcpu *vcpu)
{
	return container_of(vcpu, struct hv_vcpu_x86, core);
}

/* ---- the vendor's verbs ---- */
struct hv_vendor_ops {
	const char *name;
	u32 vendor;			/* enum hv_vendor */
#define V_OP(name, ret, args) ret (*name) args;
#include "ops.h"
};

extern const struct hv_vendor_ops hv_svm_ops;
extern const struct hv_vendor_ops *hv_vendor;	/* NULL: no usable extension; host.c */

/* Hot verbs go through static calls: hv_v(name)(args). */
#define V_OP(name, ret, args) DECLARE_STATIC_CALL(hv_v_##name, *((struct hv_vendor_ops *)NULL)->name);
#include "ops.h"
#define hv_v(name)	static_call(hv_v_##name)

#define HV_DR6_BS	(1ULL << 14)	/* DR6: a single step */

/* The single-step trap (RFLAGS.TF) of an instruction executed here: arch/x86/inject.c. [run] */
void hv_insn_step_trap(struct hv_vcpu_x86 *x);

/* The instruction is done; RFLAGS are still those it began with. */
static inline void hv_insn_retire(struct hv_vcpu_x86 *x, u64 rip)
{
	if (unlikely(x->rflags & (1ULL << 8)))	/* TF */
		hv_insn_step_trap(x);
	x->rip = rip;
	x->rflags &= ~(1ULL << 16);	/* RF */
	hv_v(int_shadow_set)(x, 0);
}

/* ---- extended state: arch/x86/fpu.c ---- */
void hv_fpu_init(void);
u64 hv_fpu_xcr0_allowed(void);			/* XCR0 bits a guest may be offered */
int hv_fpu_create(struct hv_vcpu_x86 *x);
void hv_fpu_release(struct hv_vcpu_x86 *x);
void hv_fpu_reset(struct hv_vcpu_x86 *x);
void hv_fpu_load(struct hv_vcpu_x86 *x);	/* section begins */
void hv_fpu_put(struct hv_vcpu_x86 *x);		/* section ends */
void hv_fpu_enter(struct hv_vcpu_x86 *x);	/* XCR0 and PKRU (irqs off) */
void hv_fpu_leave(struct hv_vcpu_x86 *x);
/* For the record: PKRU into an area in standard format; a whole state taken after checks. */
void hv_fpu_pkru_store(struct hv_vcpu_x86 *x, void *area);
int hv_fpu_set(struct hv_vcpu_x86 *x, u64 xcr0, const void *area, u32 bytes);
int hv_fpu_vec_read(struct hv_vcpu_x86 *x, unsigned int reg, void *buf, unsigned int size);
int hv_fpu_vec_write(struct hv_vcpu_x86 *x, unsigned int reg, const void *buf,
		     unsigned int size, bool clear_upper);

/* ---- time: arch/x86/tsc.c ---- */
void hv_tsc_vm_create(struct hv_vm_x86 *vm);
/* Guest TSC of this vCPU now; a write moves this vCPU's offset only. */
u64 hv_tsc_read(struct hv_vcpu_x86 *x);
void hv_tsc_write(struct hv_vcpu_x86 *x, u64 val);
void hv_tsc_adjust(struct hv_vcpu_x86 *x, u64 val);	/* IA32_TSC_ADJUST */
void hv_tsc_sync(struct hv_vcpu_x86 *x);	/* the VM's offset changed */

/* ---- events: arch/x86/inject.c ---- */
/* Does the guest still handle its last NMI? [run, or while it does not run] */
static inline bool hv_nmi_masked(const struct hv_vcpu_x86 *x)
{
	return x->ev.nmi_masked && !(x->ev.nmi_iret && x->rip != x->ev.nmi_iret_rip);
}

/* Put what is pending into the control block; open windows for what must wait (irqs off). */
void hv_events_inject(struct hv_vcpu_x86 *x);
/* May an interrupt or NMI be taken right now? */
bool hv_irq_allowed(struct hv_vcpu_x86 *x);
/* NMI-window exit: the guest is about to end its NMI handler. */
enum hv_next hv_exit_nmi_window(struct hv_vcpu_x86 *x);
enum hv_next hv_exit_db(struct hv_vcpu_x86 *x, u64 dr6);
/* Queue an exception for the next entry; merges to #DF or triple fault by APM vol. 2, 8.2.9. [run] */
void hv_inject_exception(struct hv_vcpu_x86 *x, u8 vector, bool has_error, u32 error, u64 payload);
static inline void hv_inject_gp(struct hv_vcpu_x86 *x)
{
	hv_inject_exception(x, 13, true, 0, 0);
}

static inline void hv_inject_ud(struct hv_vcpu_x86 *x)
{
	hv_inject_exception(x, 6, false, 0, 0);
}

/* ---- instructions: arch/x86/emul.c ---- */
/*
 * RIP of the instruction after the intercepted one, known to be @opcode (HV_OPCODEn, @n
 * bytes): from the CPU where it saves it, else from the bytes. 0, or -EAGAIN: the bytes
 * cannot be had or are another instruction by now: enter the guest again. [run]
 */
int hv_insn_next_rip(struct hv_vcpu_x86 *x, u32 opcode, unsigned int n, u64 *rip);

/* Decode and execute the instruction at RIP: MOV CR and others that access no device. [run] */
enum hv_next hv_emulate(struct hv_vcpu_x86 *x);
/* The same for MMIO: the CPU let the program access @gpa, @write: for writing too. [run] */
enum hv_next hv_emulate_mmio(struct hv_vcpu_x86 *x, hv_gpa_t gpa, bool write);
/* The same for string I/O: the CPU let the program use @bytes at @port. [run] */
enum hv_next hv_emulate_pio(struct hv_vcpu_x86 *x, u16 port, unsigned int bytes);
/* Execute it again with the answer in the note; @gpa: if the note answers MMIO. [run] */
enum hv_next hv_emulate_answered(struct hv_vcpu_x86 *x, hv_gpa_t gpa);
/* How the code segment is interpreted now. */
enum hv_insn_mode hv_cpu_mode(struct hv_vcpu_x86 *x);
/* The digest of the paging registers, brought up to date. */
const struct hv_gpt_mode *hv_gpt_mode(struct hv_vcpu_x86 *x);
/* Walk the guest's tables; HV_GPT_FAULT with @r->error_code, or as gpt_walk.h. [run] */
int hv_gpt_translate(struct hv_vcpu_x86 *x, hv_gva_t gva, u32 access, struct hv_gpt_result *r);

/* ---- vendor-neutral exit handlers: arch/x86/exit.c ---- */
enum hv_next hv_exit_cpuid(struct hv_vcpu_x86 *x);
enum hv_next hv_exit_rdmsr(struct hv_vcpu_x86 *x);
enum hv_next hv_exit_wrmsr(struct hv_vcpu_x86 *x);
enum hv_next hv_exit_hlt(struct hv_vcpu_x86 *x);
enum hv_next hv_exit_hypercall(struct hv_vcpu_x86 *x, u32 opcode);
/* @next_rip: 0 if the CPU did not give it */
enum hv_next hv_exit_pio(struct hv_vcpu_x86 *x, u16 port, unsigned int bytes, bool in, bool string,
			 u64 next_rip);
enum hv_next hv_exit_slat(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u64 access);
enum hv_next hv_exit_internal(struct hv_vcpu_x86 *x, u32 cause, u64 i0, u64 i1, u64 i2, u64 i3);
enum hv_next hv_exit_shutdown(struct hv_vcpu_x86 *x);

/* ---- local APIC: arch/x86/lapic.c, lapic_timer.c ---- */
int hv_lapic_create(struct hv_vcpu_x86 *x);
void hv_lapic_release(struct hv_vcpu_x86 *x);
void hv_lapic_reset(struct hv_vcpu_x86 *x, bool init);	/* @init: INIT keeps the APIC id and base */
/* Highest vector above the processor priority, or -1. [run or waker] */
int hv_lapic_pending(struct hv_vcpu_x86 *x);
/* It is being injected: IRR to ISR (or straight to done, for auto-EOI). [run] */
void hv_lapic_accept(struct hv_vcpu_x86 *x, u8 vector);
u8 hv_lapic_tpr_get(struct hv_vcpu_x86 *x);			/* 8-bit TPR */
void hv_lapic_tpr_set(struct hv_vcpu_x86 *x, u8 tpr);
/* x2APIC MSRs 0x800..0x8ff, APIC_BASE 0x1b, TSC_DEADLINE 0x6e0. [run] */
enum hv_msr_result hv_lapic_msr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val);
enum hv_msr_result hv_lapic_msr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val);
/* EOI by the Hyper-V MSR (0x40000070), ICR 0x71, TPR 0x72 use these too. */
void hv_lapic_eoi(struct hv_vcpu_x86 *x);
/* xAPIC page: 0 taken, -EOPNOTSUPP @gpa is not it (moved, disabled, x2APIC). [run] */
int hv_lapic_mmio_read(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u32 len, u64 *val);
int hv_lapic_mmio_write(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u32 len, u64 val);
/* Serve HV_REQ_LAPIC_TIMER and HV_REQ_INIT_SIPI before an entry; INIT/SIPI may change mp_state. [run] */
void hv_lapic_service(struct hv_vcpu_x86 *x);
/* The vCPU left or entered a section or BLOCK: timers follow its host CPU. */
void hv_lapic_loaded(struct hv_vcpu_x86 *x);
int hv_lapic_get_state(struct hv_vcpu_x86 *x, struct hv_rec_lapic *rec);
int hv_lapic_set_state(struct hv_vcpu_x86 *x, const struct hv_rec_lapic *rec);
/* VM paused or resumed: armed timers stop and go on by what was left. */
void hv_lapic_pause(struct hv_vcpu_x86 *x, bool paused);

/* ---- I/O APIC at 0xfec00000, 24 pins: arch/x86/ioapic.c ---- */
int hv_ioapic_create(struct hv_vm_x86 *vm);
void hv_ioapic_release(struct hv_vm_x86 *vm);
void hv_ioapic_reset(struct hv_vm_x86 *vm);
int hv_ioapic_mmio_read(struct hv_vm_x86 *vm, hv_gpa_t gpa, u32 len, u64 *val);
int hv_ioapic_mmio_write(struct hv_vm_x86 *vm, hv_gpa_t gpa, u32 len, u64 val);
void hv_ioapic_get_state(struct hv_vm_x86 *vm, struct hv_rec_ioapic *rec);
int hv_ioapic_set_state(struct hv_vm_x86 *vm, const struct hv_rec_ioapic *rec);	/* -EINVAL */
void hv_ioapic_eoi(struct hv_vm_x86 *vm, u8 vector);	/* from the local APIC, level vectors only */

/* ---- second-level paging: arch/x86/mmu/mmu.h has the rest ---- */
int hv_mmu_vm_create(struct hv_vm_x86 *vm);
void hv_mmu_vm_release(struct hv_vm_x86 *vm);
struct hv_mmu_root *hv_mmu_root_direct(struct hv_vm_x86 *vm);
hv_spa_t hv_mmu_root_spa(struct hv_mmu_root *root);
void hv_mmu_vcpu_release(struct hv_vcpu_x86 *x);	/* at the end of hv_arch_vcpu_release() */

enum hv_slat_result {
	HV_SLAT_MAPPED,		/* enter again */
	HV_SLAT_RETRY,		/* raced with an invalidation or a signal: enter again or leave */
	HV_SLAT_MMIO,		/* no memory, or a write to read-only memory: emulate */
	HV_SLAT_ERROR,		/* host memory can not be had: the run page says so */
};

#define HV_SLAT_F_WRITE	(1u << 0)
#define HV_SLAT_F_EXEC	(1u << 1)
#define HV_SLAT_F_PRESENT (1u << 2)	/* a translation existed: permission fault */

/* Second-level fault of the vCPU at @gpa. May sleep (ends the section then). [run] */
enum hv_slat_result hv_mmu_fault(struct hv_vcpu_x86 *x, hv_gpa_t gpa, u32 access);

/* ---- CPUID and MSRs: arch/x86/cpuid.c, msr.c ---- */
int hv_cpuid_vm_create(struct hv_vm_x86 *vm, u32 cpu_model);
void hv_cpuid_vm_release(struct hv_vm_x86 *vm);
void hv_cpuid_query(struct hv_vcpu_x86 *x, u32 leaf, u32 subleaf, u32 out[4]);
bool hv_cpuid_has(struct hv_vm_x86 *vm, u32 feature);	/* X86_FEATURE_* */
enum hv_msr_result hv_msr_get(struct hv_vcpu_x86 *x, u32 msr, u64 *val);
enum hv_msr_result hv_msr_set(struct hv_vcpu_x86 *x, u32 msr, u64 val);

u64 hv_cpuid_spec_ctrl(struct hv_vm_x86 *vm);	/* bits of SPEC_CTRL the guest may set; 0: none */
u64 hv_cpuid_crc(struct hv_vm_x86 *vm);		/* of all leaves offered, for the config record */
/* HV_REC_VM_CPUID: arch/x86/cpuid_record.c */
int hv_cpuid_get_state(struct hv_vm_x86 *vm, void *buf, u32 *len);
int hv_cpuid_set_state(struct hv_vm_x86 *vm, const void *buf, u32 len);
u32 hv_cpuid_signature(struct hv_vm_x86 *vm);	/* leaf 1 EAX */
unsigned int hv_gpa_bits(void);			/* guest physical address width */

/* ---- INIT and SIPI take effect: arch/x86/arch.c, called by hv_lapic_service() ---- */
void hv_vcpu_init_signal(struct hv_vcpu_x86 *x);	/* resets the local APIC too */
void hv_vcpu_sipi(struct hv_vcpu_x86 *x, u8 vector);	/* ignored unless it waits for one */

/* ---- registers: arch/x86/regs.c (checked writes, mode changes) ---- */
int hv_cr_write(struct hv_vcpu_x86 *x, unsigned int cr, u64 val);	/* -EINVAL: inject #GP */
u64 hv_cr4_allowed(struct hv_vcpu_x86 *x);	/* by what its CPUID offers */
u64 hv_efer_allowed(struct hv_vcpu_x86 *x);	/* without LMA, which is the CPU's */
int hv_efer_write(struct hv_vcpu_x86 *x, u64 val);
int hv_xcr_write(struct hv_vcpu_x86 *x, u32 index, u64 val);

#endif /* _HV_ARCH_X86_H */
