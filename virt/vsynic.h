/* SPDX-License-Identifier: GPL-2.0-only */
/* vsynic.h - the synthetic interrupt controller and timers of a vCPU, inside virt */
#ifndef _HV_VIRT_VSYNIC_H
#define _HV_VIRT_VSYNIC_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <hv/core.h>
#include <hv/tlfs.h>
#include "lib/stimer_rules.h"

/* A message on its way to a slot. Its owner fills all but @link. */
struct hv_vsynic_msg {
	struct list_head link;	/* Q; empty: not queued */
	u32 type;
	u8  sint;
	u8  size;
	bool posted;		/* I: by hv_vsynic_post(): goes to @spare when it leaves the queue */
	u64 sender;
	void *payload;		/* stays as it is until the message has left the queue */
};

struct hv_vstimer {
	struct hrtimer timer;
	struct hv_stimer_regs regs;		/* Q */
	struct hv_vsynic_msg msg;		/* Q */
	struct tlfs_timer_message payload;	/* Q */
	struct hv_vsynic *synic;		/* I */
};

/* Letters: hv/tlfs.h. */
struct hv_vsynic {
	struct hv_tlfs_vcpu hot;	/* first; what vcpu->tlfs points to */
	struct hv_vcpu *vcpu;		/* I */
	raw_spinlock_t lock;
	struct list_head queue;		/* Q: messages of all SINTs in order of arrival */
	struct list_head spare;		/* Q: memory of posted messages that were delivered */
	u8 waiting[TLFS_SINTS];		/* Q: posted ones in @queue, <= HV_VSYNIC_BACKLOG */
	u32 full;			/* Q: SINTs on which a post was refused */
	u32 deaf;			/* Q: SINTs on which an event was refused */
	u32 tell;			/* Q, peeked at: those of them that may be tried again */
	struct tlfs_message *slots;	/* Q: the SIMP while it takes messages, else NULL */
	unsigned long *events;		/* A, written under Q: likewise the SIEFP */
	u64 sint[TLFS_SINTS];		/* A, written under Q */
	u64 scontrol;			/* T */
	u64 siefp;			/* T */
	u64 simp;			/* T */
	u64 vp_assist;			/* T */
	u32 parked;			/* Q, peeked at: timers the host does not wake up for */
	struct hv_vstimer timer[TLFS_STIMERS];
};

static inline struct hv_vsynic *to_vsynic(struct hv_vcpu *vcpu)
{
	return container_of(vcpu->tlfs, struct hv_vsynic, hot);
}

/* ---- vsynic.c ---- */
void hv_vsynic_init(struct hv_vsynic *s, struct hv_vcpu *vcpu);
void hv_vsynic_reset(struct hv_vsynic *s);	/* registers and queue; the timers are stopped */
/* Interrupts of @sints; tells those who wait for room, too. The lock is dropped. [any] */
void hv_vsynic_raise(struct hv_vsynic *s, u32 sints);
/* Registers were written: derived pointers and bitmaps follow. */
void hv_vsynic_update(struct hv_vsynic *s);

/* MSR rows: @index counts from the first MSR of the row. [run] */
enum hv_msr_result hv_vsynic_scontrol_get(struct hv_vcpu *vcpu, u32 index, u64 *val);
enum hv_msr_result hv_vsynic_scontrol_set(struct hv_vcpu *vcpu, u32 index, u64 val);
enum hv_msr_result hv_vsynic_sversion_get(struct hv_vcpu *vcpu, u32 index, u64 *val);
enum hv_msr_result hv_vsynic_page_get(struct hv_vcpu *vcpu, u32 index, u64 *val);
enum hv_msr_result hv_vsynic_page_set(struct hv_vcpu *vcpu, u32 index, u64 val);
enum hv_msr_result hv_vsynic_eom_get(struct hv_vcpu *vcpu, u32 index, u64 *val);
enum hv_msr_result hv_vsynic_eom_set(struct hv_vcpu *vcpu, u32 index, u64 val);
enum hv_msr_result hv_vsynic_sint_get(struct hv_vcpu *vcpu, u32 index, u64 *val);
enum hv_msr_result hv_vsynic_sint_set(struct hv_vcpu *vcpu, u32 index, u64 val);

/* ---- vsynic_queue.c ---- */
/* Put @msg at the end of the queue. The caller delivers. */
void hv_vsynic_queue_locked(struct hv_vsynic *s, struct hv_vsynic_msg *msg);
/* Take it out, if it is in. The caller delivers, or hot.queued may say too much until somebody does. */
void hv_vsynic_unqueue_locked(struct hv_vsynic *s, struct hv_vsynic_msg *msg);
void hv_vsynic_drop_locked(struct hv_vsynic *s);	/* all of them */
/* Move what fits into slots. Returns the SINTs to raise once the lock is dropped. */
u32 hv_vsynic_deliver_locked(struct hv_vsynic *s);
/* Deliver and raise. [any] */
void hv_vsynic_rescan(struct hv_vsynic *s);
/* Those refused before hear that there is room: hv_vsynic_watch. The lock is dropped. [any] */
void hv_vsynic_tell(struct hv_vsynic *s);
void hv_vsynic_queue_release(struct hv_vsynic *s);	/* memory; after hv_vsynic_reset(). [proc] */

/* ---- vstimer.c ---- */
void hv_vstimer_init(struct hv_vsynic *s);
void hv_vstimer_reset(struct hv_vsynic *s);	/* stopped, callbacks have ended. [proc] */
/* Hold the host's timers, or arm them by what the reference time is now. */
void hv_vstimer_hold(struct hv_vsynic *s);
void hv_vstimer_rearm(struct hv_vsynic *s);
void hv_vstimer_service(struct hv_vsynic *s);	/* before an entry: those that are parked [run] */
/* A saved timer that had expired: its message waits (again). */
void hv_vstimer_queue_locked(struct hv_vstimer *t, u64 due);
enum hv_msr_result hv_vstimer_get(struct hv_vcpu *vcpu, u32 index, u64 *val);
enum hv_msr_result hv_vstimer_set(struct hv_vcpu *vcpu, u32 index, u64 val);

#endif /* _HV_VIRT_VSYNIC_H */
