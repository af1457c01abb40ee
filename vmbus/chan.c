// SPDX-License-Identifier: GPL-2.0-only
/*
 * chan.c - the life of a channel as the guest drives it
 *
 * Every move is an edge of vmbus/lib/chan.c; what it brings with it is done here. A channel
 * that was open has a device that may have guest memory in use: where the guest waits for the
 * end of that, the channel stays CLOSING or DRAINING until the device says so.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <hv/trace.h>
#include "bus.h"

void hv_chan_put(struct hv_chan *c)
{
	if (!refcount_dec_and_test(&c->refs))
		return;
	hv_ringmap_release(&c->map);
	if (rcu_access_pointer(c->eventfd))
		eventfd_ctx_put(rcu_dereference_protected(c->eventfd, true));
	if (c->primary)
		hv_chan_put(c->primary);
	hv_bus_put(c->bus);
	kfree(c);
}

struct hv_chan *hv_chan_find_locked(struct hv_bus *bus, u32 relid)
{
	lockdep_assert_held(&bus->lock);
	return xa_load(&bus->relids, relid);
}

bool hv_chan_move_locked(struct hv_chan *c, enum hv_chan_move move)
{
	int to = hv_chan_edge(c->state, move);

	lockdep_assert_held(&c->bus->lock);
	if (to < 0)
		return false;
	trace_hv_chan_state(c->bus->vm_id, c->offer.relid, move, c->state, to);
	WRITE_ONCE(c->state, to);
	return true;
}

void hv_chan_notify_locked(struct hv_chan *c, u32 pending)
{
	lockdep_assert_held(&c->bus->lock);
	WRITE_ONCE(c->pending, c->pending | pending);
	wake_up_interruptible_poll(&c->wait, EPOLLIN);
}

/* ---- offers ---- */

void hv_chan_offer_locked(struct hv_chan *c)
{
	struct vmb_offer m;

	if (!c->published || c->fd_gone)
		return;
	if (c->primary && c->primary->state != HV_CHAN_OPEN)
		return;
	if (!hv_chan_move_locked(c, HV_CM_OFFER))
		return;
	hv_offer_fill(&c->offer, &m);
	hv_bus_send_locked(c->bus, &m, sizeof(m));
}

/* Sub-channels that were made before @primary was open. */
static void offer_subs(struct hv_chan *primary)
{
	struct hv_chan *c;

	list_for_each_entry(c, &primary->bus->chans, link)
		if (c->primary == primary)
			hv_chan_offer_locked(c);
}

/* ---- open and close ---- */

static void send_open_result(struct hv_bus *bus, const struct vmb_open *m, u32 status)
{
	const struct vmb_open_result r = {
		.header.type = VMB_MSG_OPEN_RESULT,
		.relid = m->relid,
		.open_id = m->open_id,
		.status = status,
	};

	hv_bus_send_locked(bus, &r, sizeof(r));
}

static u32 open_check(struct hv_chan *c, const struct vmb_open *m, struct hv_gpadl **gpadl)
{
	struct hv_gpadl *g = hv_gpadl_find_locked(c, m->gpadl);

	if (!g)
		return VMB_STATUS_NOT_FOUND;
	if (!hv_vm_vcpu(hv_bus_vm_locked(c->bus), m->target_vp))
		return VMB_STATUS_INVALID_PARAMETER;
	*gpadl = g;
	return hv_chan_rings_check(g->shape.npages, g->shape.bytes, g->shape.offset,
				   m->downstream, c->offer.max_ring_pages);
}

void hv_chan_open_locked(struct hv_chan *c, const struct vmb_open *m)
{
	struct hv_gpadl *g = NULL;
	u32 status;

	/* After a rescind the guest gives up by itself; it is not answered. */
	if (c->state == HV_CHAN_RESCINDED || c->state == HV_CHAN_DEAD)
		return;
	status = c->state == HV_CHAN_OFFERED ? open_check(c, m, &g) : VMB_STATUS_UNSUCCESSFUL;
	if (!status && hv_ringmap_show(&c->map, hv_bus_vm_locked(c->bus), g->pfn, g->shape.npages))
		status = VMB_STATUS_NO_RESOURCES;
	if (status) {
		send_open_result(c->bus, m, status);
		return;
	}
	hv_chan_move_locked(c, HV_CM_OPEN);
	c->open = *m;
	c->ring_pages = g->shape.npages;
	WRITE_ONCE(c->target_vp, m->target_vp);
	c->opening++;
	c->seen = false;
	c->stat.opens++;
	hv_chan_notify_locked(c, HV_CP_OPEN);
}

int hv_chan_accept_locked(struct hv_chan *c, u32 status)
{
	if (!c->seen || !hv_chan_move_locked(c, status ? HV_CM_REFUSE : HV_CM_ACCEPT))
		return -ESTALE;
	if (status) {
		hv_ringmap_revoke(&c->map);
		c->seen = false;
	}
	send_open_result(c->bus, &c->open, status);
	if (!status)
		offer_subs(c);
	return 0;
}

/* The device had an opening, or GPADLs: it is told to let go. If it knows of nothing, it need not. */
static void ask_to_let_go(struct hv_chan *c, bool reset)
{
	hv_ringmap_revoke(&c->map);
	WRITE_ONCE(c->pending, c->pending & ~(HV_CP_OPEN | HV_CP_MODIFIED | HV_CP_RESTORED));
	c->reset = reset;
	if (c->fd_gone || (!c->seen && !hv_gpadl_any_taken_locked(c)))
		hv_chan_let_go_locked(c);
	else
		hv_chan_notify_locked(c, HV_CP_CLOSED);
}

/* May the device use memory of the guest's? */
static bool in_use(const struct hv_chan *c)
{
	return !c->fd_gone && (hv_chan_is_busy(c->state) || c->seen || hv_gpadl_any_taken_locked(c));
}

void hv_chan_shut_locked(struct hv_chan *c)
{
	struct hv_chan *sub, *next;

	if (!hv_chan_move_locked(c, HV_CM_CLOSE))
		return;
	c->stat.closes++;
	/* A primary channel opened again asks for new sub-channels. */
	list_for_each_entry_safe(sub, next, &c->bus->chans, link)
		if (sub->primary == c)
			hv_chan_rescind_locked(sub);
	ask_to_let_go(c, false);
}

/* Nobody uses anything of the guest's on its behalf. */
static void rescind_now(struct hv_chan *c)
{
	struct vmb_rescind m = { .header.type = VMB_MSG_RESCIND, .relid = c->offer.relid };
	bool known = hv_chan_is_offered(c->state);

	if (!hv_chan_move_locked(c, HV_CM_RESCIND))
		return;
	hv_ringmap_revoke(&c->map);
	c->seen = false;
	WRITE_ONCE(c->pending, c->pending & ~(HV_CP_OPEN | HV_CP_MODIFIED | HV_CP_RESTORED));
	hv_gpadl_give_back_all_locked(c);
	hv_gpadl_reap_locked(c);
	if (known)
		hv_bus_send_locked(c->bus, &m, sizeof(m));
	if (c->state == HV_CHAN_DEAD)
		hv_chan_end_locked(c, hv_bus_vm_locked(c->bus));
}

void hv_chan_let_go_locked(struct hv_chan *c)
{
	WRITE_ONCE(c->pending, c->pending & ~HV_CP_CLOSED);
	c->seen = false;
	if (!hv_chan_move_locked(c, HV_CM_ACK))
		return;
	/* A sub-channel goes with the connection. */
	if (c->going || (c->state == HV_CHAN_HIDDEN && c->primary))
		rescind_now(c);
	else
		hv_gpadl_reap_locked(c);
}

void hv_chan_disconnect_locked(struct hv_chan *c)
{
	bool busy = c->state == HV_CHAN_OPENING || c->state == HV_CHAN_OPEN ||
		    hv_chan_is_busy(c->state) || hv_gpadl_any_taken_locked(c);
	bool asked = hv_chan_is_busy(c->state);

	if (!hv_chan_move_locked(c, busy ? HV_CM_DRAIN : HV_CM_DISCONNECT))
		return;
	if (c->state == HV_CHAN_DRAINING && !asked) {
		ask_to_let_go(c, true);
	} else if (c->state == HV_CHAN_DRAINING) {
		/* It was asked for the rings alone: a second time, if it has more. */
		if (!c->reset && hv_gpadl_any_taken_locked(c))
			hv_chan_notify_locked(c, HV_CP_CLOSED);
		c->reset = true;
	} else if (c->state == HV_CHAN_HIDDEN && c->primary) {
		rescind_now(c);
	}
	/* The lists are void; what the device still uses it has copied. */
	hv_gpadl_free_all_locked(c);
	if (c->state == HV_CHAN_DEAD)
		hv_chan_end_locked(c, hv_bus_vm_locked(c->bus));
}

u32 hv_chan_modify_locked(struct hv_chan *c, u32 vp)
{
	if (c->state != HV_CHAN_OPENING && c->state != HV_CHAN_OPEN)
		return VMB_STATUS_UNSUCCESSFUL;
	if (!hv_vm_vcpu(hv_bus_vm_locked(c->bus), vp))
		return VMB_STATUS_INVALID_PARAMETER;
	WRITE_ONCE(c->target_vp, vp);
	if (c->seen)
		hv_chan_notify_locked(c, HV_CP_MODIFIED);
	return VMB_STATUS_OK;
}

/* ---- the end ---- */

void hv_chan_end_locked(struct hv_chan *c, struct hv_vm *vm)
{
	struct hv_bus *bus = c->bus;

	lockdep_assert_held(&bus->lock);
	if (list_empty(&c->link))
		return;
	WRITE_ONCE(c->state, HV_CHAN_DEAD);
	hv_ringmap_revoke(&c->map);
	hv_gpadl_free_all_locked(c);
	hv_chan_port_remove(c, vm);
	xa_erase(&bus->relids, c->offer.relid);
	list_del_init(&c->link);
	hv_chan_notify_locked(c, HV_CP_RELEASED);
	wake_up_interruptible_poll(&c->wait, EPOLLHUP);
	hv_chan_put(c);
}

void hv_chan_rescind_locked(struct hv_chan *c)
{
	struct hv_chan *sub, *next;
	bool asked = c->going || (hv_chan_is_busy(c->state) && !hv_gpadl_any_taken_locked(c));

	list_for_each_entry_safe(sub, next, &c->bus->chans, link)
		if (sub->primary == c)
			hv_chan_rescind_locked(sub);
	if (!in_use(c)) {
		rescind_now(c);
		return;
	}
	c->going = true;
	/* One that is closing was asked for its rings alone. */
	if (hv_chan_move_locked(c, HV_CM_RETIRE) && !asked)
		ask_to_let_go(c, true);
}

void hv_chan_released_locked(struct hv_chan *c)
{
	if (!hv_chan_move_locked(c, HV_CM_RELEASE))
		return;
	hv_gpadl_give_back_all_locked(c);
	if (c->state == HV_CHAN_DEAD)
		hv_chan_end_locked(c, hv_bus_vm_locked(c->bus));
	else
		hv_gpadl_free_all_locked(c);
}
