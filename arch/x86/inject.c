// SPDX-License-Identifier: GPL-2.0-only
/* inject.c - exceptions, NMIs and interrupts on their way into the guest */
#include <asm/processor-flags.h>
#include <hv/trace.h>
#include "lapic.h"

#define VEC_DB	1
#define VEC_DF	8
#define VEC_PF	14

#define DR6_CAUSES	0xe00fULL	/* B0-B3, BD, BS, BT */

enum exc_class { BENIGN, CONTRIBUTORY, PAGE_FAULT, DOUBLE };

/* APM vol. 2, 8.2.9: which exceptions combine to a double fault. */
static enum exc_class exc_class(u8 vector)
{
	switch (vector) {
	case 0: case 10: case 11: case 12: case 13: case 21:
		return CONTRIBUTORY;
	case VEC_PF:
		return PAGE_FAULT;
	case VEC_DF:
		return DOUBLE;
	}
	return BENIGN;
}

static void exc_set(struct hv_x86_events *ev, u8 vector, bool has_error, u32 error, u64 payload)
{
	ev->exc_pending = true;
	ev->exc_vector = vector;
	ev->exc_has_error = has_error;
	ev->exc_error = error;
	ev->exc_payload = payload;
}

void hv_inject_exception(struct hv_vcpu_x86 *x, u8 vector, bool has_error, u32 error, u64 payload)
{
	struct hv_x86_events *ev = &x->ev;
	enum exc_class first, second = exc_class(vector);
	bool prior = ev->exc_pending ||
		     (ev->reinject && ev->reinject_type == HV_EV_EXCEPTION);

	/* In real mode exceptions push no error code. */
	if (!(hv_v(cr_get)(x, 0) & X86_CR0_PE))
		has_error = false;
	if (!prior) {
		exc_set(ev, vector, has_error, error, payload);
		return;
	}
	first = exc_class(ev->exc_pending ? ev->exc_vector : ev->reinject_vector);
	ev->reinject = false;
	if (first == DOUBLE) {
		ev->exc_pending = false;
		hv_vcpu_request(&x->core, HV_REQ_SHUTDOWN);
	} else if ((first == CONTRIBUTORY && second == CONTRIBUTORY) ||
		   (first == PAGE_FAULT && second != BENIGN)) {
		exc_set(ev, VEC_DF, true, 0, 0);
	} else {
		/* The first will occur again when its instruction is executed again. */
		exc_set(ev, vector, has_error, error, payload);
	}
}

bool hv_irq_allowed(struct hv_vcpu_x86 *x)
{
	return (x->rflags & X86_EFLAGS_IF) && !hv_v(int_shadow_get)(x);
}

static bool nmi_allowed(struct hv_vcpu_x86 *x)
{
	return !x->ev.nmi_masked && !hv_v(int_shadow_get)(x);
}

int hv_arch_vcpu_inject_nmi(struct hv_vcpu *vcpu)
{
	struct hv_x86_events *ev = &to_x86(vcpu)->ev;

	/* One may wait while one is handled; more merge, as on hardware. */
	if (atomic_add_unless(&ev->nmi_pending, 1, 2))
		hv_vcpu_request(vcpu, HV_REQ_NMI);
	return 0;
}

static void event_inject(struct hv_vcpu_x86 *x, enum hv_event_type type, u8 vector,
			 bool has_error, u32 error)
{
	trace_hv_inject(&x->core, type, vector, error);
	hv_v(inject)(x, type, vector, has_error, error);
}

static void exception_inject(struct hv_vcpu_x86 *x)
{
	struct hv_x86_events *ev = &x->ev;

	ev->exc_pending = false;
	if (ev->exc_vector == VEC_PF) {
		hv_v(cr_set)(x, 2, ev->exc_payload);
	} else if (ev->exc_vector == VEC_DB) {
		/* From a record it may be anything; the other bits of DR6 never change. */
		x->dr6 = (x->dr6 & ~0xfULL) | (ev->exc_payload & DR6_CAUSES);
		hv_v(dr7_set)(x, x->dr7 & ~(1ULL << 13));
	}
	/* A fault's frame has RF set, so that its instruction breakpoint is not hit again. */
	if (ev->exc_vector != VEC_DB && ev->exc_vector != 3 && ev->exc_vector != 4)
		x->rflags |= X86_EFLAGS_RF;
	x->core.stat.exceptions_injected++;
	event_inject(x, HV_EV_EXCEPTION, ev->exc_vector, ev->exc_has_error, ev->exc_error);
}

/* An interrupt that only the TPR holds back: the guest lowers that by CR8 without an exit. */
static enum hv_irq_window tpr_window(struct hv_vcpu_x86 *x)
{
	const struct hv_lapic *l = x->lapic;
	int top;

	if (likely(!l->held_back || !(l->apic.tpr >> 4)))
		return HV_WIN_NONE;
	top = hv_apic_top(l->apic.irr);
	if (top < 0 || (l->apic.isr_top >= 0 && l->apic.isr_top >> 4 >= top >> 4))
		return HV_WIN_NONE;
	return HV_WIN_TPR;
}

static void windows_set(struct hv_vcpu_x86 *x, enum hv_irq_window irq, bool nmi)
{
	if (x->ev.irq_window != irq) {
		x->ev.irq_window = irq;
		hv_v(irq_window)(x, irq);
	}
	if (x->ev.nmi_window != nmi) {
		x->ev.nmi_window = nmi;
		hv_v(nmi_window)(x, nmi);
	}
}

static void nmi_unmask(struct hv_x86_events *ev)
{
	ev->nmi_iret = false;
	ev->nmi_step = false;
	ev->nmi_masked = false;
}

/* NMIs are masked. The IRET's end is seen late unless one waits: then a trap tells of it. */
static void nmi_masked_look(struct hv_vcpu_x86 *x)
{
	struct hv_x86_events *ev = &x->ev;

	if (!ev->nmi_step && !hv_nmi_masked(x)) {
		nmi_unmask(ev);
		return;
	}
	/* One waits while one is handled; more merge. */
	atomic_cmpxchg(&ev->nmi_pending, 2, 1);
	if (ev->nmi_iret && !ev->nmi_step && atomic_read(&ev->nmi_pending)) {
		ev->nmi_step = true;
		ev->nmi_step_tf = x->rflags & X86_EFLAGS_TF;
		x->rflags |= X86_EFLAGS_TF;
	}
}

/*
 * One event an entry; what must wait opens a window. Exceptions first (they belong to the
 * instruction just executed), then NMI, then interrupts.
 */
void hv_events_inject(struct hv_vcpu_x86 *x)
{
	struct hv_x86_events *ev = &x->ev;
	bool slot = true, nmi, nmi_wait;
	int vector;

	if (unlikely(ev->nmi_masked))
		nmi_masked_look(x);
	if (unlikely(ev->reinject)) {
		ev->reinject = false;
		event_inject(x, ev->reinject_type, ev->reinject_vector, ev->reinject_has_error,
			     ev->reinject_error);
		slot = false;
	} else if (unlikely(ev->exc_pending)) {
		exception_inject(x);
		slot = false;
	}
	nmi = atomic_read(&ev->nmi_pending);
	if (unlikely(nmi) && slot && nmi_allowed(x)) {
		atomic_dec(&ev->nmi_pending);
		ev->nmi_masked = true;
		x->core.stat.nmi_injected++;
		event_inject(x, HV_EV_NMI, 2, false, 0);
		slot = false;
		nmi = atomic_read(&ev->nmi_pending);
	}
	/* Masked: watch for the IRET. Not masked but no slot or in a shadow: at the next chance. */
	nmi_wait = ev->nmi_masked && !ev->nmi_iret;
	vector = hv_lapic_attention(x) ? hv_lapic_pending(x) : -1;
	if (vector >= 0 && slot && hv_irq_allowed(x)) {
		hv_lapic_accept(x, vector);
		x->core.stat.irq_injected++;
		event_inject(x, HV_EV_INTR, vector, false, 0);
		vector = hv_lapic_pending(x);
	}
	if (unlikely(vector >= 0 || (nmi && !ev->nmi_masked)))
		windows_set(x, HV_WIN_IRQ, nmi_wait);
	else
		windows_set(x, tpr_window(x), nmi_wait);
	hv_lapic_assist_offer(x);
}

/*
 * The guest is at its IRET and still has to execute it: until then NMIs stay masked, or one
 * would find the frame of the last one in its place.
 */
enum hv_next hv_exit_nmi_window(struct hv_vcpu_x86 *x)
{
	struct hv_x86_events *ev = &x->ev;

	ev->nmi_iret = true;
	ev->nmi_iret_rip = x->rip;
	return HV_NEXT_RESUME;
}

void hv_insn_step_trap(struct hv_vcpu_x86 *x)
{
	hv_exit_db(x, HV_DR6_BS);
}

enum hv_next hv_exit_db(struct hv_vcpu_x86 *x, u64 dr6)
{
	struct hv_x86_events *ev = &x->ev;

	if (ev->nmi_step) {
		nmi_unmask(ev);
		/* IRET loaded the flags of the frame; a trap of ours is not the guest's. */
		if (!ev->nmi_step_tf && (dr6 & HV_DR6_BS) && !(dr6 & 0xf))
			return HV_NEXT_RESUME;
	}
	hv_inject_exception(x, VEC_DB, false, 0, dr6 & DR6_CAUSES);
	return HV_NEXT_RESUME;
}
