/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Key-value pairs as their own files see them: kvp (channel, one question at a time), kvp_sweep (which ones). */
#ifndef HV_DEVICES_KVP_IMPL_H
#define HV_DEVICES_KVP_IMPL_H

#include "ic_link.h"
#include "kvp.h"
#include "kvp_msg.h"

enum kvp_state {
	KVP_S_CLOSED,
	KVP_S_OPENED,		/* the guest is being told that it may; it hears nothing yet */
	KVP_S_NEGOTIATING,	/* versions were sent; without a daemon the answer never comes */
	KVP_S_IDLE,
	KVP_S_ASKED,		/* a question is under way */
	KVP_S_SILENT,		/* it is overdue: nothing more is asked until it is answered after all */
	KVP_S_BROKEN,		/* no version in common, or nonsense: left alone until it is opened anew */
	KVP_STATES
};

enum kvp_step { KVP_STEP_AUTO, KVP_STEP_IP, KVP_STEP_EXTERNAL, KVP_STEP_GUEST, KVP_STEPS };

enum kvp_count {
	KVP_C_QUESTIONS, KVP_C_ANSWERS, KVP_C_ERRORS, KVP_C_OVERDUE, KVP_C_STRAYS, KVP_C_NONSENSE, KVP_COUNTS
};

struct kvp {
	struct device		dev;		/* first */
	struct kvp_config	cfg;
	struct chan		chan;
	struct ic_link		link;
	enum kvp_state		state, saved;	/* @saved: loaded, in effect when the channel is restored */
	struct dev_timer	timer;		/* the question's limit, or the next sweep */
	bool			drained;
	bool			late_logged;
	uint64_t		count[KVP_COUNTS];

	bool			sweeping, full, again;	/* @full: users' pools too; @again: another full one behind it */
	enum kvp_step		step;
	uint32_t		index;		/* in the pool, or of the adapter */
	uint64_t		every;		/* ns until the next sweep, growing */
	struct kvp_list		fresh;		/* of the pool that is being read */

	uint32_t		sweeps;
	uint64_t		swept_at;
	struct kvp_list		pool[VMB_KVP_POOLS];
	struct kvp_adapter	adapter[KVP_ADAPTERS];

	bool			changing;	/* @set is to be sent, or has been */
	bool			change_asked;	/* the question under way is that */
	uint32_t		change;
	enum kvp_outcome	outcome[KVP_CHANGES];
	struct vmb_kvp		set;
	int			set_bytes;
};

union kvp_question {
	struct vmb_kvp		kvp;
	struct vmb_kvp_ip	ip;
};

/* ---- kvp_sweep.c ---- */
void kvp_sweep_begin(struct kvp *k, bool full);
void kvp_sweep_stop(struct kvp *k);
/* The next question into @q. Return: bytes; 0: the sweep is over. */
int kvp_sweep_ask(struct kvp *k, union kvp_question *q);
/* The answer to it. */
void kvp_sweep_answer(struct kvp *k, uint32_t status, const void *body, uint32_t bytes);
/* The guest's driver is gone, and with it all it told. */
void kvp_forget(struct kvp *k);

#endif
