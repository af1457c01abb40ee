// SPDX-License-Identifier: GPL-2.0-only
/*
 * server.c - the bus of a VM: its birth and end, and what the guest's messages do
 *
 * Messages arrive by HvPostMessage in the thread of the vCPU that sent them, and are handled
 * there under the bus's lock. A connection can end at any moment, by a new contact (kexec),
 * an unload, a reset of the VM or its death; all of them go the same way: channels are
 * disconnected, devices let go, GPADLs are forgotten, and then the guest hears what it waits for.
 */
#include <linux/err.h>
#include <linux/slab.h>
#include <hv/tlfs.h>
#include <hv/trace.h>
#include "bus.h"

void hv_bus_put(struct hv_bus *bus)
{
	if (!refcount_dec_and_test(&bus->refs))
		return;
	xa_destroy(&bus->relids);
	xa_destroy(&bus->gpadls);
	mutex_destroy(&bus->lock);
	kfree(bus);
}

/* ---- the end of a connection ---- */

static void answer_contact(struct hv_bus *bus)
{
	struct vmb_version_response r;

	hv_conn_answer(&bus->conn, &r);
	trace_hv_bus_contact(bus->vm_id, bus->conn.contact.version, r.supported);
	hv_bus_send_locked(bus, &r, sizeof(r));
}

void hv_bus_settle_locked(struct hv_bus *bus)
{
	struct hv_chan *c;

	lockdep_assert_held(&bus->lock);
	if (bus->conn.state != HV_CONN_ENDING)
		return;
	list_for_each_entry(c, &bus->chans, link)
		if (hv_chan_is_busy(c->state))
			return;
	switch (hv_conn_ended(&bus->conn)) {
	case HV_CONN_NEXT_CONTACT:
		answer_contact(bus);
		break;
	case HV_CONN_NEXT_UNLOAD:
		hv_bus_send_header_locked(bus, VMB_MSG_UNLOAD_RESPONSE);
		break;
	case HV_CONN_NEXT_NONE:
		break;
	}
}

static void disconnect(struct hv_bus *bus, enum hv_conn_next next)
{
	struct hv_chan *c, *tmp;

	/* What waits was meant for the connection that is over. */
	hv_bus_unsend_locked(bus);
	hv_conn_end(&bus->conn, next);
	list_for_each_entry_safe(c, tmp, &bus->chans, link)
		hv_chan_disconnect_locked(c);
	hv_bus_unsend_locked(bus);
	hv_bus_settle_locked(bus);
}

/* ---- messages ---- */

static void on_contact(struct hv_bus *bus, const void *msg, u32 bytes)
{
	memcpy(&bus->conn.contact, msg, sizeof(bus->conn.contact));
	disconnect(bus, HV_CONN_NEXT_CONTACT);
}

static void on_unload(struct hv_bus *bus, const void *msg, u32 bytes)
{
	disconnect(bus, HV_CONN_NEXT_UNLOAD);
}

static void on_request_offers(struct hv_bus *bus, const void *msg, u32 bytes)
{
	struct hv_chan *c;

	if (bus->conn.offers)
		return;
	bus->conn.offers = 1;
	list_for_each_entry(c, &bus->chans, link)
		hv_chan_offer_locked(c);
	hv_bus_send_header_locked(bus, VMB_MSG_OFFERS_DELIVERED);
}

static void on_open(struct hv_bus *bus, const void *msg, u32 bytes)
{
	struct vmb_open m;
	struct hv_chan *c;

	memcpy(&m, msg, sizeof(m));
	c = hv_chan_find_locked(bus, m.relid);
	if (c)
		hv_chan_open_locked(c, &m);
}

static void on_close(struct hv_bus *bus, const void *msg, u32 bytes)
{
	const struct vmb_relid *m = msg;
	struct hv_chan *c = hv_chan_find_locked(bus, m->relid);

	if (c)
		hv_chan_shut_locked(c);
}

static void on_gpadl_teardown(struct hv_bus *bus, const void *msg, u32 bytes)
{
	hv_gpadl_teardown_locked(bus, msg);
}

static void on_released(struct hv_bus *bus, const void *msg, u32 bytes)
{
	const struct vmb_relid *m = msg;
	struct hv_chan *c = hv_chan_find_locked(bus, m->relid);

	if (c)
		hv_chan_released_locked(c);
}

static void on_modify(struct hv_bus *bus, const void *msg, u32 bytes)
{
	const struct vmb_modify_channel *m = msg;
	struct hv_chan *c = hv_chan_find_locked(bus, m->relid);
	struct vmb_modify_channel_response r = {
		.header.type = VMB_MSG_MODIFY_CHANNEL_RESPONSE,
		.relid = m->relid,
		.status = VMB_STATUS_NOT_FOUND,
	};

	if (c)
		r.status = hv_chan_modify_locked(c, m->target_vp);
	if (bus->conn.version >= VMB_VERSION_WIN10_V5_3)
		hv_bus_send_locked(bus, &r, sizeof(r));
}

/* Nobody listens for hv_sock connections: refused, so that the guest's connect fails at once. */
static void on_tl_connect(struct hv_bus *bus, const void *msg, u32 bytes)
{
	const struct vmb_tl_connect *m = msg;
	struct vmb_tl_connect_result r = {
		.header.type = VMB_MSG_TL_CONNECT_RESULT,
		.endpoint = m->endpoint,
		.service = m->service,
		.status = VMB_STATUS_REFUSED,
	};

	hv_bus_send_locked(bus, &r, sizeof(r));
}

/* Rows for what hv_busmsg_check() lets through; the shape's minimum is there to be read. */
static void (*const handlers[VMB_MSG_TYPES])(struct hv_bus *bus, const void *msg, u32 bytes) = {
	[VMB_MSG_REQUEST_OFFERS] = on_request_offers,
	[VMB_MSG_OPEN] = on_open,
	[VMB_MSG_CLOSE] = on_close,
	[VMB_MSG_GPADL_HEADER] = hv_gpadl_header_locked,
	[VMB_MSG_GPADL_BODY] = hv_gpadl_body_locked,
	[VMB_MSG_GPADL_TEARDOWN] = on_gpadl_teardown,
	[VMB_MSG_RELID_RELEASED] = on_released,
	[VMB_MSG_INITIATE_CONTACT] = on_contact,
	[VMB_MSG_UNLOAD] = on_unload,
	[VMB_MSG_TL_CONNECT] = on_tl_connect,
	[VMB_MSG_MODIFY_CHANNEL] = on_modify,
};

static u16 handle(struct hv_bus *bus, struct hv_vm *vm, const struct tlfs_in_post_message *in)
{
	int type = hv_busmsg_check(in->payload, in->size, bus->conn.version);

	vm->stat.bus_messages++;
	if (type < 0) {
		vm->stat.bus_refused++;
		return TLFS_INVALID_PARAMETER;
	}
	/* A guest that asks faster than it reads answers waits; starting anew it may always. */
	if (bus->nr_out >= HV_BUS_OUT_MAX && type != VMB_MSG_INITIATE_CONTACT &&
	    type != VMB_MSG_UNLOAD) {
		vm->stat.bus_throttled++;
		return TLFS_INSUFFICIENT_BUFFERS;
	}
	handlers[type](bus, in->payload, in->size);
	return TLFS_OK;
}

static u16 on_message(struct hv_vcpu *vcpu, void *data, const struct tlfs_in_post_message *in)
{
	struct hv_bus *bus = data;
	u16 status;

	mutex_lock(&bus->lock);
	status = handle(bus, vcpu->vm, in);
	trace_hv_bus_message(bus->vm_id, false, get_unaligned_le32(in->payload), in->size, status);
	mutex_unlock(&bus->lock);
	return status;
}

/* ---- birth and end of the bus ---- */

static int ports_add(struct hv_vm *vm, struct hv_bus *bus)
{
	int ret = hv_port_add_message(vm, VMB_CONNECTION_MESSAGES, on_message, bus);

	/* Without the second one a guest steps down to what the first is for. */
	if (ret || bus->conn.max_version < VMB_VERSION_WIN10_V5)
		return ret;
	ret = hv_port_add_message(vm, VMB_CONNECTION_CONTACT, on_message, bus);
	if (ret)
		hv_port_remove(vm, VMB_CONNECTION_MESSAGES);
	return ret;
}

static void ports_remove(struct hv_vm *vm)
{
	hv_port_remove(vm, VMB_CONNECTION_MESSAGES);
	hv_port_remove(vm, VMB_CONNECTION_CONTACT);
}

int hv_bus_create_locked(struct hv_vm *vm, const struct hv_bus_args *args)
{
	struct hv_bus *bus;
	int ret;

	lockdep_assert_held(&vm->lock);
	if (!vm->tlfs)
		return -EOPNOTSUPP;
	if (vm->bus)
		return -EEXIST;
	bus = kzalloc(sizeof(*bus), GFP_KERNEL_ACCOUNT);
	if (!bus)
		return -ENOMEM;
	refcount_set(&bus->refs, 1);
	mutex_init(&bus->lock);
	INIT_LIST_HEAD(&bus->chans);
	xa_init_flags(&bus->relids, XA_FLAGS_ALLOC1 | XA_FLAGS_ACCOUNT);
	xa_init_flags(&bus->gpadls, XA_FLAGS_ACCOUNT);
	hv_bus_signal_init(bus);
	bus->vm_id = vm->id;
	RCU_INIT_POINTER(bus->vm, vm);
	ret = hv_conn_init(&bus->conn, args->max_version);
	if (ret)
		goto put;
	ret = hv_vsynic_watch(vm, &bus->watch);
	if (ret)
		goto put;
	ret = ports_add(vm, bus);
	if (ret)
		goto unwatch;
	vm->bus = bus;
	return 0;
unwatch:
	hv_vsynic_watch(vm, NULL);
	cancel_delayed_work_sync(&bus->pump);
	mutex_lock(&bus->lock);
	hv_bus_unsend_locked(bus);	/* the guest may have used the first port already */
	mutex_unlock(&bus->lock);
put:
	hv_bus_put(bus);
	return ret;
}

void hv_bus_vm_reset(struct hv_vm *vm)
{
	if (!vm->bus)
		return;
	mutex_lock(&vm->bus->lock);
	disconnect(vm->bus, HV_CONN_NEXT_NONE);
	mutex_unlock(&vm->bus->lock);
}

void hv_bus_vm_release(struct hv_vm *vm)
{
	struct hv_bus *bus = vm->bus;
	struct hv_chan *c, *tmp;

	if (!bus)
		return;
	vm->bus = NULL;
	ports_remove(vm);
	hv_vsynic_watch(vm, NULL);
	mutex_lock(&bus->lock);
	list_for_each_entry_safe(c, tmp, &bus->chans, link)
		hv_chan_end_locked(c, vm);
	hv_bus_unsend_locked(bus);
	rcu_assign_pointer(bus->vm, NULL);
	mutex_unlock(&bus->lock);
	synchronize_rcu();	/* signals under way */
	cancel_delayed_work_sync(&bus->pump);
	hv_bus_put(bus);
}
