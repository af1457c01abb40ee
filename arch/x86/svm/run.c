// SPDX-License-Identifier: GPL-2.0-only
/* run.c - into the guest and out: ASIDs, event injection, host state around VMRUN */
#include <linux/hw_breakpoint.h>
#include <linux/mm_types.h>
#include <linux/sched.h>
#include <asm/asm.h>
#include <asm/debugreg.h>
#include <asm/msr.h>
#include <asm/msr-index.h>
#include <asm/mce.h>
#include <asm/nospec-branch.h>
#include <asm/spec-ctrl.h>
#include <uapi/asm/svm.h>
#include "svm.h"

static void asid_take(struct hv_svm_cpu *c, struct hv_vcpu_svm *s)
{
	bool flush = hv_asid_take(&c->asids, &s->asid, s->x.core.cpu);

	s->vmcb->tlb_control = flush ? SVM_TLB_FLUSH_ALL : SVM_TLB_NOTHING;
	s->vmcb->asid = s->asid.id;
	s->x.core.stat.asids_taken++;
	s->x.core.stat.asid_rollovers += flush;
	/*
	 * All of them: whoever comes back to this CPU from another one comes by here, and what this one
	 * remembers of the VMCB is from before (APM vol. 2, 15.15.4).
	 */
	s->vmcb->clean = 0;
}

void hv_svm_tlb_flush(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);

	x->core.stat.tlb_flushes++;
	if (hv_svm_feat.flush_asid)
		s->vmcb->tlb_control = SVM_TLB_FLUSH_ASID;
	else
		hv_asid_drop(&s->asid);	/* a fresh ASID has no translations */
}

/* Section begins. */
void hv_svm_load(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);
	struct hv_svm_cpu *c = this_cpu_ptr(&hv_svm_cpu);

	s->host_saved = false;
	if (c->last != s) {
		/* Branch predictions of another guest must not serve this one, also of one that has ended. */
		if (c->last_vm != x->core.vm->id)
			indirect_branch_prediction_barrier();
		c->last_vm = x->core.vm->id;
		c->last = s;
		s->vmcb->clean = 0;
	}
	if (hv_svm_feat.rdtscp) {
		rdmsrl(MSR_TSC_AUX, s->host_tsc_aux);
		if (s->host_tsc_aux != x->tsc_aux)
			wrmsrl(MSR_TSC_AUX, x->tsc_aux);
	}
}

void hv_svm_put(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);

	if (hv_svm_feat.rdtscp && s->host_tsc_aux != x->tsc_aux)
		wrmsrl(MSR_TSC_AUX, s->host_tsc_aux);
	/* Each #VMEXIT switched the host's breakpoints off (APM vol. 2, 15.6): on again. */
	if (unlikely(hw_breakpoint_active()))
		hw_breakpoint_restore();
}

/* First debug-register access since the last exit that took them away: give them to the guest. */
void hv_svm_drs_load(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);
	u32 *w = &s->vmcb->intercept[SVM_I_DR_ALL / 32];

	s->guest_drs = true;
	*w = 0;
	s->vmcb->dr6 = x->dr6;
	s->vmcb->dr7 = x->dr7;
	hv_svm_dirty(s, SVM_C_INTERCEPTS);
	hv_svm_dirty(s, SVM_C_DR);
}

static void drs_switch_in(struct hv_vcpu_x86 *x)
{
	/* The guest must not choose where the host breaks on its way in. */
	if (unlikely(hw_breakpoint_active()))
		set_debugreg(0, 7);
	set_debugreg(x->dr[0], 0);
	set_debugreg(x->dr[1], 1);
	set_debugreg(x->dr[2], 2);
	set_debugreg(x->dr[3], 3);
}

/* Take them back right after the exit: state is read from here. DR7 is clear by now. */
static void drs_switch_out(struct hv_vcpu_svm *s)
{
	struct hv_vcpu_x86 *x = &s->x;

	get_debugreg(x->dr[0], 0);
	get_debugreg(x->dr[1], 1);
	get_debugreg(x->dr[2], 2);
	get_debugreg(x->dr[3], 3);
	x->dr6 = s->vmcb->dr6;
	x->dr7 = s->vmcb->dr7;
	if (!(x->dr7 & 0xff)) {
		s->guest_drs = false;
		s->vmcb->intercept[SVM_I_DR_ALL / 32] = 0xffffffff;
		hv_svm_dirty(s, SVM_C_INTERCEPTS);
	}
}

/*
 * The SPEC_CTRL that the world switch has in the MSR while the guest runs. With the virtual
 * one the CPU takes the guest's from the VMCB and the MSR stays as it is.
 */
static u32 spec_ctrl_for(struct hv_vcpu_svm *s)
{
	if (!hv_svm_feat.v_spec_ctrl)
		return s->x.spec_ctrl;
	s->vmcb->spec_ctrl = s->x.spec_ctrl;
	return static_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) ? this_cpu_read(x86_spec_ctrl_current) : 0;
}

/* A divider that leaks the last quotient (Zen 1, DIV0) is given one of ours before the guest runs. */
static __always_inline void divider_clear(void)
{
#ifdef X86_BUG_DIV0
	u32 quotient = 0, rest = 0;

	asm volatile(ALTERNATIVE("", "divl %2", X86_BUG_DIV0)
		     : "+a"(quotient), "+d"(rest) : "r"(1u) : "cc");
#endif
}

/* User space must not run on predictions the guest trained (VMSCAPE): the kernel flushes them there. */
static __always_inline void user_ibpb_owed(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

static void event_take_back(struct hv_vcpu_svm *s)
{
	u32 info = s->vmcb->exit_int_info;
	struct hv_x86_events *ev = &s->x.ev;

	s->vmcb->event_inj = 0;
	if (likely(!(info & SVM_EVENT_VALID)))
		return;
	ev->reinject = true;
	ev->reinject_vector = info & 0xff;
	ev->reinject_type = (info >> 8) & 7;
	ev->reinject_has_error = info & SVM_EVENT_HAS_ERROR;
	ev->reinject_error = s->vmcb->exit_int_error;
}

/*
 * The host's FS, GS, TR, LDTR and MSRs, once a section: they cannot change until it ends,
 * but for an LDT, which another thread may replace, and the old one be freed, at any
 * interrupt: one that exists is saved at each entry. False: the CPU has no SVM any more.
 */
static bool host_save(struct hv_vcpu_svm *s, struct hv_svm_cpu *c)
{
	asm goto("1: vmsave %0\n\t" _ASM_EXTABLE(1b, %l[fault])
		 : : "a"(c->host_spa) : "memory" : fault);
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	s->host_saved = !READ_ONCE(current->mm->context.ldt);
#else
	s->host_saved = true;
#endif
	return true;
fault:
	return false;
}

/*
 * SVME was cleared by others. They may have it by now: nothing is switched off here later.
 * Interrupts off.
 */
static noinstr void taken(struct hv_vcpu_svm *s)
{
	__this_cpu_write(hv_svm_cpu.on, false);
	s->vmcb->exit_code = HV_SVM_EXIT_TAKEN;
}

asmlinkage noinstr void hv_svm_vmrun_fault(u64 *gpr)
{
	taken(to_svm(container_of(gpr, struct hv_vcpu_x86, gpr[0])));
}

void hv_svm_enter(struct hv_vcpu_x86 *x)
{
	struct hv_vcpu_svm *s = to_svm(x);
	struct hv_vmcb *v = s->vmcb;
	struct hv_svm_cpu *c = this_cpu_ptr(&hv_svm_cpu);
	u8 tpr = hv_lapic_tpr_get(x) >> 4;

	/* Reboot switches SVM off by an IPI, at any time but with interrupts off. */
	if (unlikely(!c->on)) {
		v->exit_code = HV_SVM_EXIT_OFF;
		return;
	}
	if (unlikely(!s->host_saved) && !host_save(s, c)) {
		taken(s);
		return;
	}
	if (unlikely(!hv_asid_holds(&s->asid, &c->asids, x->core.cpu)))
		asid_take(c, s);
	if (tpr != (v->int_ctl & SVM_INT_TPR)) {
		v->int_ctl = (v->int_ctl & ~SVM_INT_TPR) | tpr;
		hv_svm_dirty(s, SVM_C_INT);
	}
	v->rip = x->rip;
	v->rsp = x->gpr[HV_RSP];
	v->rax = x->gpr[HV_RAX];
	v->rflags = x->rflags;
	if (unlikely(s->guest_drs))
		drs_switch_in(x);

	divider_clear();
	hv_svm_vmrun(x->gpr, s->vmcb_spa, c->host_spa, spec_ctrl_for(s));
	user_ibpb_owed();

	if (unlikely(s->guest_drs))
		drs_switch_out(s);
	x->rip = v->rip;
	x->gpr[HV_RSP] = v->rsp;
	x->gpr[HV_RAX] = v->rax;
	x->rflags = v->rflags;
	v->clean = hv_svm_feat.clean_bits ? SVM_C_ALL : 0;
	/* The CPU does not keep CR2 clean for us: it changes on every guest #PF. */
	v->clean &= ~(1u << SVM_C_CR2);
	v->tlb_control = SVM_TLB_NOTHING;
	if (unlikely(tpr != (v->int_ctl & SVM_INT_TPR)))
		hv_lapic_tpr_set(x, (v->int_ctl & SVM_INT_TPR) << 4);
	event_take_back(s);
}

void hv_svm_exit_irqoff(struct hv_vcpu_x86 *x)
{
	struct hv_vmcb *v = to_svm(x)->vmcb;

	/* INTR and NMI: held by GIF, the host took them at STGI or takes them when it enables interrupts. */
	if (unlikely(v->exit_code == SVM_EXIT_EXCP_BASE + 18)) {
		struct pt_regs regs = {
			.cs = 3,	/* from user mode, as far as the handler is concerned */
			.flags = X86_EFLAGS_IF,
		};

		do_machine_check(&regs);
	}
}

void hv_svm_inject(struct hv_vcpu_x86 *x, enum hv_event_type type, u8 vector, bool has_error,
		   u32 error)
{
	struct hv_vmcb *v = to_svm(x)->vmcb;

	v->event_inj = vector | type << 8 | SVM_EVENT_VALID | (has_error ? SVM_EVENT_HAS_ERROR : 0);
	v->event_inj_error = error;
}

/*
 * HV_WIN_IRQ: a dummy virtual interrupt that ignores the TPR: the guest leaves with VINTR
 * where it could take it. One with a priority would also do for a TPR to be lowered, but
 * emulators deliver that when it equals the TPR, and would leave again and again.
 */
void hv_svm_irq_window(struct hv_vcpu_x86 *x, unsigned int window)
{
	struct hv_vcpu_svm *s = to_svm(x);
	struct hv_vmcb *v = s->vmcb;

	v->int_ctl &= ~(SVM_INT_V_IRQ | SVM_INT_IGN_TPR | 0xfu << SVM_INT_PRIO_SHIFT);
	if (window == HV_WIN_IRQ)
		v->int_ctl |= SVM_INT_V_IRQ | SVM_INT_IGN_TPR | 0xfu << SVM_INT_PRIO_SHIFT;
	v->int_vector = 0;
	hv_svm_dirty(s, SVM_C_INT);
	hv_svm_intercept(s, SVM_I_VINTR, window == HV_WIN_IRQ);
	hv_svm_intercept(s, SVM_I_CR8_WR, window == HV_WIN_TPR);
}

/* NMIs stay masked until the guest's IRET. */
void hv_svm_nmi_window(struct hv_vcpu_x86 *x, bool on)
{
	hv_svm_intercept(to_svm(x), SVM_I_IRET, on);
}
