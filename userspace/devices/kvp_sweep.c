// SPDX-License-Identifier: GPL-2.0-or-later
/* A sweep: which questions a guest is asked one behind the other, and what its answers leave behind. */
#include <stdlib.h>
#include <string.h>

#include "kvp_impl.h"

#define IP_SINCE	4	/* message version */

static const struct {
	uint8_t	pool;			/* enum vmb_kvp_pool */
	bool	addresses;		/* not a pool, but the adapters */
	bool	full;			/* of a full sweep only */
} steps[KVP_STEPS] = {
	[KVP_STEP_AUTO] = { VMB_KVP_AUTO, false, false },
	[KVP_STEP_IP] = { VMB_KVP_EXTERNAL, true, false },
	[KVP_STEP_EXTERNAL] = { VMB_KVP_EXTERNAL, false, true },
	[KVP_STEP_GUEST] = { VMB_KVP_GUEST, false, true },
};

void kvp_sweep_begin(struct kvp *k, bool full)
{
	k->sweeping = true;
	k->full = full;
	k->again = false;
	k->step = 0;
	k->index = 0;
}

void kvp_sweep_stop(struct kvp *k)
{
	k->sweeping = k->again = false;
	kvp_list_free(&k->fresh);
}

static void adapter_forget(struct kvp_adapter *a)
{
	free(a->address);
	free(a->mask);
	free(a->gateway);
	free(a->dns);
	*a = (struct kvp_adapter){ 0 };
}

void kvp_forget(struct kvp *k)
{
	kvp_sweep_stop(k);
	for (unsigned int i = 0; i < VMB_KVP_POOLS; i++)
		kvp_list_free(&k->pool[i]);
	for (unsigned int i = 0; i < KVP_ADAPTERS; i++)
		adapter_forget(&k->adapter[i]);
	k->swept_at = 0;
}

static void step_on(struct kvp *k)
{
	do
		k->step++;
	while (k->step < KVP_STEPS && steps[k->step].full && !k->full);
	k->index = 0;
}

int kvp_sweep_ask(struct kvp *k, union kvp_question *q)
{
	if (k->step == KVP_STEP_IP && (k->link.message.major < IP_SINCE || k->index >= k->cfg.adapters))
		step_on(k);
	if (k->step >= KVP_STEPS)
		return 0;
	if (steps[k->step].addresses)
		return kvp_ask_ip(&q->ip, k->cfg.mac[k->index]);
	return kvp_ask_entry(&q->kvp, steps[k->step].pool, k->index);
}

/* The pool is what was read of it just now. */
static void pool_end(struct kvp *k)
{
	struct kvp_list *l = &k->pool[steps[k->step].pool];

	kvp_list_free(l);
	*l = k->fresh;
	k->fresh = (struct kvp_list){ 0 };
	step_on(k);
}

static void pool_answer(struct kvp *k, uint32_t status, const void *body, uint32_t bytes)
{
	static struct kvp_pair pair;		/* loop thread */

	if (status == VMB_KVP_S_END) {
		pool_end(k);
		return;
	}
	if (status) {
		/* Not its end: what is known of the pool stays. */
		k->count[KVP_C_ERRORS]++;
		kvp_list_free(&k->fresh);
		step_on(k);
		return;
	}
	/* An entry that makes no sense is passed over; there are so many of them at most, too. */
	if (kvp_entry(body, bytes, steps[k->step].pool, k->index, &pair)) {
		k->count[KVP_C_NONSENSE]++;
	} else if (kvp_list_add(&k->fresh, pair.name, pair.value)) {
		pool_end(k);
		return;
	}
	if (++k->index < KVP_LIST_MAX)
		return;
	k->fresh.cut = true;
	pool_end(k);
}

static void ip_answer(struct kvp *k, uint32_t status, const void *body, uint32_t bytes)
{
	struct kvp_adapter *a = &k->adapter[k->index++];
	static struct kvp_ip ip;		/* loop thread */

	adapter_forget(a);
	if (status) {
		k->count[KVP_C_ERRORS]++;	/* the guest has no such adapter, or does not use it */
	} else if (kvp_ip(body, bytes, &ip)) {
		k->count[KVP_C_NONSENSE]++;
	} else {
		*a = (struct kvp_adapter){
			.dhcp = ip.dhcp, .address = strdup(ip.address), .mask = strdup(ip.mask),
			.gateway = strdup(ip.gateway), .dns = strdup(ip.dns),
		};
		a->known = a->address && a->mask && a->gateway && a->dns;
	}
}

void kvp_sweep_answer(struct kvp *k, uint32_t status, const void *body, uint32_t bytes)
{
	if (!k->sweeping)
		return;
	if (steps[k->step].addresses)
		ip_answer(k, status, body, bytes);
	else
		pool_answer(k, status, body, bytes);
}
