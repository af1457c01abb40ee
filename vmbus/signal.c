// SPDX-License-Identifier: GPL-2.0-only
/*
 * signal.c - what goes to the guest: messages in order, event flags; and its signals to us
 *
 * Messages wait in the bus's queue until the SynIC takes them (16 of them wait there, too).
 * The queue is bounded for what a guest can cause: while HV_BUS_OUT_MAX wait, its PostMessage
 * is answered "insufficient buffers" (server.c), and it tries again. Losing an answer would
 * hang the guest, so an answer's memory is not allowed to fail; it is small and bounded.
 */
#include <linux/slab.h>
#include <hv/compat.h>
#include <hv/trace.h>
#include <hvguest/tlfs.h>
#include "bus.h"

#define RETRY	msecs_to_jiffies(20)	/* the SynIC was out of memory, or its vCPU has not run yet */

struct out_message {
	struct list_head link;
	u32 bytes;
	u8 data[];
};

/* ---- messages ---- */

static int post(struct hv_bus *bus, const struct out_message *o)
{
	struct tlfs_message m = { .type = VMB_MESSAGE_TYPE, .size = o->bytes };
	struct hv_vm *vm = hv_bus_vm_locked(bus);
	struct hv_vcpu *vcpu;

	if (!vm)
		return -ENXIO;
	/* A machine being put together: its vCPU's own waiting messages come first, by record. */
	vcpu = hv_vm_vcpu(vm, bus->conn.target_vp);
	if (vcpu && !READ_ONCE(vcpu->started))
		return -ENOMEM;
	memcpy(m.payload, o->data, o->bytes);
	return hv_vsynic_post(vm, bus->conn.target_vp, VMB_SINT, &m);
}

static void out_free(struct hv_bus *bus, struct out_message *o)
{
	list_del(&o->link);
	bus->nr_out--;
	kfree(o);
}

void hv_bus_pump_locked(struct hv_bus *bus)
{
	struct out_message *o, *next;
	int ret;

	lockdep_assert_held(&bus->lock);
	list_for_each_entry_safe(o, next, &bus->out, link) {
		ret = post(bus, o);
		if (ret == -EAGAIN)
			return;		/* the watch tells when to go on */
		if (ret == -ENOMEM) {
			mod_delayed_work(system_wq, &bus->pump, RETRY);
			return;
		}
		/* -EINVAL: the guest named a VP that is not there; it hears nothing. */
		trace_hv_bus_message(bus->vm_id, true, get_unaligned_le32(o->data), o->bytes, ret);
		out_free(bus, o);
	}
}

void hv_bus_send_locked(struct hv_bus *bus, const void *msg, u32 bytes)
{
	struct out_message *o;

	lockdep_assert_held(&bus->lock);
	if (WARN_ON_ONCE(bytes > VMB_MESSAGE_MAX))
		return;
	o = kmalloc(struct_size(o, data, bytes), GFP_KERNEL | __GFP_NOFAIL);
	o->bytes = bytes;
	memcpy(o->data, msg, bytes);
	list_add_tail(&o->link, &bus->out);
	bus->nr_out++;
	hv_bus_pump_locked(bus);
}

void hv_bus_send_header_locked(struct hv_bus *bus, u32 type)
{
	const struct vmb_header h = { .type = type };

	hv_bus_send_locked(bus, &h, sizeof(h));
}

void hv_bus_unsend_locked(struct hv_bus *bus)
{
	struct out_message *o, *next;

	lockdep_assert_held(&bus->lock);
	list_for_each_entry_safe(o, next, &bus->out, link)
		out_free(bus, o);
}

u32 hv_bus_out_get_locked(struct hv_bus *bus, u32 index, void *buf)
{
	struct out_message *o;

	lockdep_assert_held(&bus->lock);
	list_for_each_entry(o, &bus->out, link) {
		if (index--)
			continue;
		memcpy(buf, o->data, o->bytes);
		return o->bytes;
	}
	return 0;
}

/* Somebody listens again: what waited, and signals nobody heard. */
static void pump_work(struct work_struct *work)
{
	struct hv_bus *bus = container_of(to_delayed_work(work), struct hv_bus, pump);
	struct hv_chan *c;

	mutex_lock(&bus->lock);
	hv_bus_pump_locked(bus);
	list_for_each_entry(c, &bus->chans, link) {
		if (READ_ONCE(c->unheard)) {
			WRITE_ONCE(c->unheard, false);
			hv_chan_signal(c);
		}
	}
	mutex_unlock(&bus->lock);
}

static void ready(struct hv_vsynic_watch *w, u32 vp, u32 sint)
{
	struct hv_bus *bus = container_of(w, struct hv_bus, watch);

	if (sint == VMB_SINT)
		mod_delayed_work(system_wq, &bus->pump, 0);
}

void hv_bus_signal_init(struct hv_bus *bus)
{
	INIT_LIST_HEAD(&bus->out);
	INIT_DELAYED_WORK(&bus->pump, pump_work);
	bus->watch.ready = ready;
}

/* ---- event flags to the guest ---- */

/* Nobody listens now. Noted first, then tried again: the watch may have come in between. */
static noinline void signal_late(struct hv_chan *c, struct hv_vm *vm)
{
	c->stat.host_signals_late++;
	WRITE_ONCE(c->unheard, true);
	smp_mb();
	hv_vsynic_signal(vm, READ_ONCE(c->target_vp), VMB_SINT, c->offer.relid);
}

int hv_chan_signal(struct hv_chan *c)
{
	struct hv_vm *vm;
	int ret = -ENXIO;

	rcu_read_lock();
	vm = rcu_dereference(c->bus->vm);
	if (unlikely(!vm))
		goto out;
	ret = -EAGAIN;
	if (unlikely(READ_ONCE(c->state) != HV_CHAN_OPEN))
		goto out;
	c->stat.host_signals++;
	if (unlikely(hv_vsynic_signal(vm, READ_ONCE(c->target_vp), VMB_SINT, c->offer.relid)))
		signal_late(c, vm);
	ret = 0;
out:
	rcu_read_unlock();
	return ret;
}

/* ---- the guest's signals ---- */

static u16 guest_signal(void *data, u32 flag)
{
	struct hv_chan *c = data;
	struct eventfd_ctx *ctx = rcu_dereference(c->eventfd);

	if (unlikely(flag))
		return TLFS_INVALID_PARAMETER;
	c->stat.guest_signals++;
	if (likely(ctx))
		hv_compat_eventfd_signal(ctx);
	return TLFS_OK;
}

int hv_chan_port_add(struct hv_chan *c, struct hv_vm *vm)
{
	return hv_port_add_event(vm, hv_offer_connection(&c->offer), guest_signal, c);
}

void hv_chan_port_remove(struct hv_chan *c, struct hv_vm *vm)
{
	hv_port_remove(vm, hv_offer_connection(&c->offer));
}

int hv_chan_set_eventfd(struct hv_chan *c, struct eventfd_ctx *ctx)
{
	struct eventfd_ctx *old;

	mutex_lock(&c->bus->lock);
	old = rcu_replace_pointer(c->eventfd, ctx, lockdep_is_held(&c->bus->lock));
	mutex_unlock(&c->bus->lock);
	if (old) {
		synchronize_rcu();
		eventfd_ctx_put(old);
	}
	return 0;
}
