// SPDX-License-Identifier: GPL-2.0-only
/*
 * lapic.c - the local APIC: delivery, priorities, end of interrupt, life
 *
 * Ordering of a delivery: IRR bit (a full barrier), @attention, HV_REQ_EVENT, kick. The
 * owner clears @attention, full barrier, looks at IRR. Either the owner sees the bit, or
 * its clear came before the sender's set and @attention stays.
 */
#include <linux/bitops.h>
#include <linux/slab.h>
#include <asm/cpufeatures.h>
#include "ioapic.h"
#include "lapic.h"

static inline unsigned long *bits(u64 *set)
{
	return (unsigned long *)set;
}

/* ---- delivery: any CPU ---- */

/* Into IRR; 0, or 1 if it was there already. */
static inline int request_vector(struct hv_lapic *l, u8 vector, bool level)
{
	if (level)
		set_bit(vector, bits(l->apic.tmr));
	else if (hv_apic_bit(l->apic.tmr, vector))
		clear_bit(vector, bits(l->apic.tmr));
	if (test_and_set_bit(vector, bits(l->apic.irr)))
		return 1;
	WRITE_ONCE(l->attention, true);
	return 0;
}

int hv_lapic_deliver(struct hv_vcpu_x86 *x, u8 vector, bool level)
{
	struct hv_lapic *l = x->lapic;
	u64 key = READ_ONCE(l->key);

	if (unlikely(!hv_apic_key_enabled(key) || hv_apic_key_mode(key) == HV_APIC_OFF))
		return -EINVAL;
	if (unlikely(!hv_apic_vector_ok(vector))) {
		hv_lapic_error(l, HV_APIC_ESR_RECV_ILLEGAL);
		return -EINVAL;
	}
	if (request_vector(l, vector, level))
		return 1;
	hv_vcpu_request(&x->core, HV_REQ_EVENT);
	return 0;
}

int hv_lapic_deliver_special(struct hv_vcpu_x86 *x, u8 delivery, u8 vector)
{
	struct hv_lapic *l = x->lapic;

	if (hv_apic_key_mode(READ_ONCE(l->key)) == HV_APIC_OFF)
		return -EINVAL;
	switch (delivery) {
	case HV_APIC_NMI:
		return hv_arch_vcpu_inject_nmi(&x->core);
	case HV_APIC_INIT:
		/* A SIPI that came before has no effect any more. */
		xchg(&l->latch, BIT(HV_LAPIC_INIT));
		hv_vcpu_request(&x->core, HV_REQ_INIT_SIPI);
		return 0;
	case HV_APIC_SIPI:
		WRITE_ONCE(l->sipi_vector, vector);
		smp_mb__before_atomic();
		set_bit(HV_LAPIC_SIPI, &l->latch);
		hv_vcpu_request(&x->core, HV_REQ_INIT_SIPI);
		return 0;
	case HV_APIC_SMI:
		return 0;
	}
	return -EINVAL;
}

bool hv_lapic_local(struct hv_lapic *l, enum hv_apic_lvt which)
{
	u32 lvt = READ_ONCE(l->apic.lvt[which]);
	u8 delivery = lvt >> 8 & 7;

	if (lvt & HV_APIC_LVT_MASKED)
		return false;
	if (delivery == HV_APIC_FIXED)
		return !hv_lapic_deliver(l->vcpu, (u8)lvt, false);
	if (delivery == HV_APIC_NMI)
		hv_lapic_deliver_special(l->vcpu, delivery, 0);
	return false;
}

void hv_lapic_error(struct hv_lapic *l, u32 bit)
{
	/* Only a new error interrupts: so an illegal vector in the error LVT ends here. */
	if (!test_and_set_bit(__ffs(bit), bits(&l->apic.esr_pending)))
		hv_lapic_local(l, HV_APIC_LVT_ERROR);
}

/* ---- owner: priorities ---- */

/* Nothing deliverable was found: sleep until somebody calls, but do not miss a call. */
static noinline int look_again(struct hv_lapic *l)
{
	int top, vector;

	WRITE_ONCE(l->attention, false);
	/* Pairs with test_and_set_bit() in request_vector(). */
	smp_mb();
	vector = hv_apic_deliverable(&l->apic, &top);
	if (unlikely(vector >= 0 && l->apic.mode != HV_APIC_OFF)) {
		WRITE_ONCE(l->attention, true);
		return vector;
	}
	l->held_back = top >= 0;
	return -1;
}

int hv_lapic_pending(struct hv_vcpu_x86 *x)
{
	struct hv_lapic *l = x->lapic;
	int top, vector;

	if (!READ_ONCE(l->attention))
		return -1;
	vector = hv_apic_deliverable(&l->apic, &top);
	if (vector >= 0 && likely(l->apic.mode != HV_APIC_OFF))
		return vector;
	return look_again(l);
}

void hv_lapic_accept(struct hv_vcpu_x86 *x, u8 vector)
{
	struct hv_lapic *l = x->lapic;
	struct hv_tlfs_vcpu *tlfs = x->core.tlfs;

	clear_bit(vector, bits(l->apic.irr));
	if (tlfs && test_bit(vector, tlfs->auto_eoi))
		return;
	hv_apic_enter_service(&l->apic, vector);
}

void hv_lapic_eoi(struct hv_vcpu_x86 *x)
{
	struct hv_lapic *l = x->lapic;
	int vector = hv_apic_leave_service(&l->apic);

	if (unlikely(vector < 0))
		return;
	hv_lapic_prio_changed(l);
	if (unlikely(hv_apic_bit(l->apic.tmr, vector)))
		hv_ioapic_eoi(to_vm_x86(x->core.vm), vector);
	if (x->core.tlfs)
		hv_tlfs_eoi(&x->core, vector);
}

/*
 * The guest may end the interrupt in service without an exit: it is an edge one, alone,
 * nothing is to be injected after it, and no message waits for its EOI. A later delivery
 * kicks the vCPU out of the guest, and the offer is taken back.
 */
void hv_lapic_assist_offer_slow(struct hv_lapic *l)
{
	struct hv_vcpu *vcpu = &l->vcpu->core;
	u8 vector = l->apic.isr_top;
	u64 *isr = l->apic.isr;

	if (hv_apic_bit(l->apic.tmr, vector) || READ_ONCE(vcpu->tlfs->queued) ||
	    hv_apic_top(l->apic.irr) >= 0)
		return;
	if (hweight64(isr[0]) + hweight64(isr[1]) + hweight64(isr[2]) + hweight64(isr[3]) > 1)
		return;
	hv_assist_offer(vcpu);
}

void hv_lapic_assist_ended(struct hv_lapic *l)
{
	hv_lapic_eoi(l->vcpu);
}

u8 hv_lapic_tpr_get(struct hv_vcpu_x86 *x)
{
	return x->lapic->apic.tpr;
}

void hv_lapic_tpr_set(struct hv_vcpu_x86 *x, u8 tpr)
{
	hv_apic_set_tpr(&x->lapic->apic, tpr);
	hv_lapic_prio_changed(x->lapic);
}

/* ---- owner: sending ---- */

void hv_lapic_key_update(struct hv_lapic *l)
{
	WRITE_ONCE(l->key, hv_apic_key(&l->apic));
}

/* The owner looks at @attention before it enters: no request, no kick. */
void hv_lapic_self(struct hv_lapic *l, u8 vector)
{
	if (unlikely(!hv_apic_vector_ok(vector)))
		hv_lapic_error(l, HV_APIC_ESR_SEND_ILLEGAL);
	else if (likely(hv_apic_enabled(&l->apic)))
		request_vector(l, vector, false);
}

void hv_lapic_icr_send(struct hv_lapic *l)
{
	struct hv_apic_msg m;

	hv_apic_msg_from_icr(&m, l->apic.mode, l->apic.icr, l->apic.icr2);
	if (m.ignored)
		return;
	if (m.delivery <= HV_APIC_LOWEST) {
		if (m.shorthand == HV_APIC_TO_SELF) {
			hv_lapic_self(l, m.vector);
			return;
		}
		if (unlikely(!hv_apic_vector_ok(m.vector))) {
			hv_lapic_error(l, HV_APIC_ESR_SEND_ILLEGAL);
			return;
		}
	}
	hv_apic_msg_send(l->vcpu->core.vm, l->vcpu, &m);
}

/* ---- requests ---- */

void hv_lapic_service(struct hv_vcpu_x86 *x)
{
	struct hv_lapic *l = x->lapic;

	if (unlikely(READ_ONCE(l->latch))) {
		if (test_and_clear_bit(HV_LAPIC_INIT, &l->latch))
			hv_vcpu_init_signal(x);
		if (test_and_clear_bit(HV_LAPIC_SIPI, &l->latch))
			hv_vcpu_sipi(x, READ_ONCE(l->sipi_vector));
	}
	hv_lapic_timer_move(l);
}

void hv_lapic_latch_get(struct hv_vcpu_x86 *x, u8 *init, u8 *sipi, u8 *vector)
{
	unsigned long latch = READ_ONCE(x->lapic->latch);

	*init = !!(latch & BIT(HV_LAPIC_INIT));
	*sipi = !!(latch & BIT(HV_LAPIC_SIPI));
	*vector = *sipi ? READ_ONCE(x->lapic->sipi_vector) : 0;
}

void hv_lapic_latch_set(struct hv_vcpu_x86 *x, bool init, bool sipi, u8 vector)
{
	unsigned long latch = (init ? BIT(HV_LAPIC_INIT) : 0) | (sipi ? BIT(HV_LAPIC_SIPI) : 0);

	WRITE_ONCE(x->lapic->sipi_vector, vector);
	xchg(&x->lapic->latch, latch);
	if (latch)
		hv_vcpu_request(&x->core, HV_REQ_INIT_SIPI);
}

/* ---- life ---- */

int hv_lapic_create(struct hv_vcpu_x86 *x)
{
	struct hv_lapic *l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);

	if (!l)
		return -ENOMEM;
	l->vcpu = x;
	l->apic.id = x->core.index;
	l->apic.has_deadline = hv_cpuid_has(to_vm_x86(x->core.vm), X86_FEATURE_TSC_DEADLINE_TIMER);
	hv_lapic_timer_init(l);
	x->lapic = l;
	hv_lapic_reset(x, false);
	return 0;
}

void hv_lapic_release(struct hv_vcpu_x86 *x)
{
	if (!x->lapic)
		return;
	hv_lapic_timer_stop(x->lapic);
	kfree(x->lapic);
	x->lapic = NULL;
}

void hv_lapic_reset(struct hv_vcpu_x86 *x, bool init)
{
	struct hv_lapic *l = x->lapic;

	hv_lapic_timer_stop(l);
	if (!init) {
		l->base = HV_APIC_BASE_DEFAULT | HV_APIC_BASE_ENABLE |
			  (x->core.index ? 0 : HV_APIC_BASE_BSP);
		l->apic.mode = HV_APIC_XAPIC;
		l->latch = 0;
	}
	hv_apic_reset(&l->apic);
	hv_lapic_key_update(l);
	WRITE_ONCE(l->attention, true);
}

/* ---- state ---- */

int hv_lapic_get_state(struct hv_vcpu_x86 *x, struct hv_rec_lapic *rec)
{
	struct hv_lapic *l = x->lapic;

	memset(rec, 0, sizeof(*rec));
	hv_apic_store(&l->apic, rec->regs);
	rec->esr_pending = (u32)READ_ONCE(l->apic.esr_pending);
	hv_lapic_timer_save(l, rec);
	return 0;
}

int hv_lapic_set_state(struct hv_vcpu_x86 *x, const struct hv_rec_lapic *rec)
{
	struct hv_lapic *l = x->lapic;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(rec->pending_eoi); i++)
		if (rec->pending_eoi[i])
			return -EINVAL;
	if (rec->esr_pending & ~0xffu || rec->rsvd)
		return -EINVAL;
	hv_lapic_timer_stop(l);
	ret = hv_apic_load(&l->apic, rec->regs);
	if (ret)
		return ret;
	WRITE_ONCE(l->apic.esr_pending, rec->esr_pending);
	hv_lapic_key_update(l);
	hv_lapic_timer_load(l, rec);
	WRITE_ONCE(l->attention, true);
	return 0;
}
