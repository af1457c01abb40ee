/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * lapic.h - the local APIC of a vCPU
 *
 * The thread that runs the vCPU (or holds its lock) is the owner: it changes everything but
 * what is marked "any CPU". Other CPUs deliver by setting a bit of IRR, then @attention,
 * then HV_REQ_EVENT with a kick. Nothing here takes a lock.
 */
#ifndef _HV_ARCH_X86_LAPIC_H
#define _HV_ARCH_X86_LAPIC_H

#include <linux/hrtimer.h>
#include <hv/tlfs.h>
#include "x86.h"
#include "lib/apic_msg.h"

/* Bits of hv_lapic.latch. */
enum hv_lapic_latch {
	HV_LAPIC_INIT,
	HV_LAPIC_SIPI,
};

struct hv_lapic {
	/*
	 * Something in IRR may be deliverable: any CPU sets it after a bit of IRR, the owner
	 * clears it when a look found nothing, with a full barrier and a second look.
	 */
	bool attention;
	bool held_back;			/* the last look found a vector, below the priority */
	struct hv_apic apic;		/* irr, tmr, esr_pending: any CPU; the rest: owner */
	struct hv_vcpu_x86 *vcpu;	/* I */
	u64 key;			/* A: hv_apic_key(), what senders look at */
	u64 base;			/* IA32_APIC_BASE */
	unsigned long latch;		/* any CPU: INIT and SIPI that arrived */
	u8 sipi_vector;			/* any CPU, before HV_LAPIC_SIPI */

	/* timer: lapic_timer.c */
	bool paused;			/* U: the VM's time stands still */
	bool armed;			/* A: @timer is started, or @parked; its callback clears it */
	bool parked;			/* A: a period nobody waits for; the next expiry is in @timer */
	int timer_cpu;			/* host CPU @timer was started on */
	u64 tsc_deadline;		/* A: IA32_TSC_DEADLINE, guest ticks; 0: none */
	u64 period_ns;			/* A: 0: one-shot */
	u64 left_ns;			/* while @paused: until expiry; HV_LAPIC_NOT_ARMED */
	struct hrtimer timer;
};

#define HV_LAPIC_NOT_ARMED	(~0ULL)

/* One load before every entry: is hv_lapic_pending() worth a call? Owner. */
static inline bool hv_lapic_attention(const struct hv_vcpu_x86 *x)
{
	return READ_ONCE(x->lapic->attention);
}

/*
 * EOI assist (TLFS 10.3.5). Offer it as the last thing before an entry, when everything
 * to inject is known; collect it as the first thing after the exit. Owner.
 */
void hv_lapic_assist_offer_slow(struct hv_lapic *l);
void hv_lapic_assist_ended(struct hv_lapic *l);

static inline void hv_lapic_assist_offer(struct hv_vcpu_x86 *x)
{
	if (unlikely(x->lapic->apic.isr_top >= 0 && hv_assist_wanted(&x->core)))
		hv_lapic_assist_offer_slow(x->lapic);
}

static inline void hv_lapic_assist_collect(struct hv_vcpu_x86 *x)
{
	if (unlikely(hv_assist_collect(&x->core)))
		hv_lapic_assist_ended(x->lapic);
}

/* ---- delivery: any CPU, any context ---- */
/*
 * Interrupt @vector to this APIC. 0 delivered, 1 coalesced (pending already), -EINVAL the
 * APIC is off or the vector illegal (its ESR says so).
 */
int hv_lapic_deliver(struct hv_vcpu_x86 *x, u8 vector, bool level);
/* NMI, INIT, SIPI (@vector: page to start at); SMI is taken and has no effect. 0, -EINVAL. */
int hv_lapic_deliver_special(struct hv_vcpu_x86 *x, u8 delivery, u8 vector);
/* A local source: what its LVT entry says. True: an interrupt that was not pending already. */
bool hv_lapic_local(struct hv_lapic *l, enum hv_apic_lvt which);
/* Error @bit of ESR; raises the error interrupt when it is new. */
void hv_lapic_error(struct hv_lapic *l, u32 bit);
/* Send @m from @from (NULL: not a local APIC). Result as hv_lapic_deliver(), the best of all. irq.c */
int hv_apic_msg_send(struct hv_vm *vm, struct hv_vcpu_x86 *from, const struct hv_apic_msg *m);

/* ---- owner ---- */
/* Priorities changed for the better: look at IRR again before the next entry. */
static inline void hv_lapic_prio_changed(struct hv_lapic *l)
{
	if (l->held_back)
		WRITE_ONCE(l->attention, true);
}

void hv_lapic_key_update(struct hv_lapic *l);	/* publish hv_apic_key() */
void hv_lapic_icr_send(struct hv_lapic *l);	/* send what ICR says */
void hv_lapic_self(struct hv_lapic *l, u8 vector);	/* fixed edge interrupt to itself */
/* Latched INIT and SIPI, for struct hv_rec_events. */
void hv_lapic_latch_get(struct hv_vcpu_x86 *x, u8 *init, u8 *sipi, u8 *vector);
void hv_lapic_latch_set(struct hv_vcpu_x86 *x, bool init, bool sipi, u8 vector);

/* ---- IA32_APIC_BASE and registers: lapic_msr.c, owner ---- */
static inline u64 hv_lapic_base(const struct hv_vcpu_x86 *x)
{
	return x->lapic->base;
}

/* By the guest: 0, or -EINVAL for an illegal value or transition. */
int hv_lapic_base_set(struct hv_vcpu_x86 *x, u64 base);
/* From a save record: any legal value, whatever the mode now. 0, -EINVAL. */
int hv_lapic_base_restore(struct hv_vcpu_x86 *x, u64 base);
/* A register by its offset in the page, with all that follows from a write. -EINVAL refused. */
int hv_lapic_reg_read(struct hv_lapic *l, u32 reg, bool x2, u64 *val);
int hv_lapic_reg_write(struct hv_lapic *l, u32 reg, bool x2, u64 val);

/* ---- lapic_timer.c, owner ---- */
void hv_lapic_timer_init(struct hv_lapic *l);
void hv_lapic_timer_stop(struct hv_lapic *l);		/* disarm; the callback has ended */
void hv_lapic_timer_count(struct hv_lapic *l);		/* initial count written */
void hv_lapic_timer_divide(struct hv_lapic *l, u32 old_tdcr);	/* divider written */
void hv_lapic_timer_mode(struct hv_lapic *l, u32 old_lvtt);	/* LVT's timer mode changed */
u32 hv_lapic_timer_current(struct hv_lapic *l);		/* current count register */
void hv_lapic_timer_deadline(struct hv_lapic *l, u64 tsc);	/* IA32_TSC_DEADLINE written */
void hv_lapic_timer_move(struct hv_lapic *l);		/* to this host CPU */
/* The guest's TSC was changed: a deadline timer is armed anew. */
void hv_lapic_timer_retime(struct hv_vcpu_x86 *x);
void hv_lapic_timer_save(struct hv_lapic *l, struct hv_rec_lapic *rec);
void hv_lapic_timer_load(struct hv_lapic *l, const struct hv_rec_lapic *rec);

#endif /* _HV_ARCH_X86_LAPIC_H */
