// SPDX-License-Identifier: GPL-2.0-only
/*
 * port.c - ports that connection ids lead to: eventfds, and those of the module's own
 *
 * HvSignalEvent is a guest's doorbell, so the table is a hash and not a tree: an XArray
 * takes about 100 instructions more for the ids that hosts give out. Readers find a port under RCU. An event port is signalled inside the read section; a
 * message port's handler may sleep, so its callers count themselves in and out, and who
 * removes the port waits for the last of them. After a removal nothing is called any more.
 */
#include <linux/completion.h>
#include <linux/eventfd.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/rculist.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <hv/arch.h>
#include <hv/compat.h>
#include <hv/core.h>
#include <hv/tlfs.h>
#include <hv/trace.h>
#include "port.h"

/* What happens at a port: exactly one of @ctx, @event, @message is set. */
struct hv_port {
	struct hlist_node node;		/* lock of the table, RCU */
	u32 connection;			/* I */
	struct eventfd_ctx *ctx;	/* I */
	hv_port_event_fn event;		/* I */
	hv_port_message_fn message;	/* I */
	void *data;			/* I: of @event or @message */
	refcount_t users;		/* A: the table, each message under way */
	struct completion idle;		/* no users */
};

struct hv_port_table {
	struct mutex lock;
	DECLARE_HASHTABLE(ports, 7);	/* by connection id; @lock for writers, RCU for readers */
};

int hv_port_vm_create(struct hv_vm *vm)
{
	vm->ports = kzalloc(sizeof(*vm->ports), GFP_KERNEL_ACCOUNT);
	if (!vm->ports)
		return -ENOMEM;
	mutex_init(&vm->ports->lock);
	hash_init(vm->ports->ports);
	return 0;
}

static void port_free(struct hv_port *port)
{
	if (port->ctx)
		eventfd_ctx_put(port->ctx);
	kfree(port);
}

/* No vCPU exists any more: nobody looks a port up. */
void hv_port_vm_release(struct hv_vm *vm)
{
	struct hlist_node *next;
	struct hv_port *port;
	unsigned int i;

	if (!vm->ports)
		return;
	hash_for_each_safe(vm->ports->ports, i, next, port, node)
		port_free(port);
	mutex_destroy(&vm->ports->lock);
	kfree(vm->ports);
	vm->ports = NULL;
}

/* In an RCU read section, or under the table's lock. */
static struct hv_port *port_find(struct hv_port_table *t, u32 connection)
{
	struct hv_port *port;

	hash_for_each_possible_rcu(t->ports, port, node, connection, lockdep_is_held(&t->lock))
		if (likely(port->connection == connection))
			return port;
	return NULL;
}

static void port_leave(struct hv_port *port)
{
	if (refcount_dec_and_test(&port->users))
		complete(&port->idle);
}

/* It is out of the table: wait until nobody is in it, free it. */
static void port_end(struct hv_port *port)
{
	synchronize_rcu();
	port_leave(port);
	wait_for_completion(&port->idle);
	port_free(port);
}

/* Remove @connection if it is an eventfd or not, as @eventfd says. */
static int port_remove(struct hv_vm *vm, u32 connection, bool eventfd)
{
	struct hv_port_table *t = vm->ports;
	struct hv_port *port;

	mutex_lock(&t->lock);
	port = port_find(t, connection);
	if (port && !port->ctx == !eventfd)
		hash_del_rcu(&port->node);
	else
		port = NULL;
	mutex_unlock(&t->lock);
	if (!port)
		return -ENOENT;
	port_end(port);
	return 0;
}

static int port_add(struct hv_vm *vm, u32 connection, const struct hv_port *init)
{
	struct hv_port_table *t = vm->ports;
	struct hv_port *port;
	bool taken;

	if (!connection || connection & ~TLFS_CONNECTION_MASK)
		return -EINVAL;
	port = kmemdup(init, sizeof(*init), GFP_KERNEL_ACCOUNT);
	if (!port)
		return -ENOMEM;
	port->connection = connection;
	refcount_set(&port->users, 1);
	init_completion(&port->idle);
	mutex_lock(&t->lock);
	taken = port_find(t, connection);
	if (!taken)
		hash_add_rcu(t->ports, &port->node, connection);
	mutex_unlock(&t->lock);
	if (!taken)
		return 0;
	kfree(port);
	return -EEXIST;
}

int hv_port_set_event(struct hv_vm *vm, u32 connection, struct eventfd_ctx *ctx)
{
	const struct hv_port port = { .ctx = ctx };

	return ctx ? port_add(vm, connection, &port) : port_remove(vm, connection, true);
}

int hv_port_add_event(struct hv_vm *vm, u32 connection, hv_port_event_fn fn, void *data)
{
	const struct hv_port port = { .event = fn, .data = data };

	return port_add(vm, connection, &port);
}

int hv_port_add_message(struct hv_vm *vm, u32 connection, hv_port_message_fn fn, void *data)
{
	const struct hv_port port = { .message = fn, .data = data };

	return port_add(vm, connection, &port);
}

void hv_port_remove(struct hv_vm *vm, u32 connection)
{
	port_remove(vm, connection, false);
}

u16 hv_port_signal(struct hv_vm *vm, u32 connection, u32 flag)
{
	u16 status = TLFS_INVALID_CONNECTION_ID;
	struct hv_port *port;

	rcu_read_lock();
	port = port_find(vm->ports, connection);
	if (likely(port && port->ctx)) {
		status = TLFS_INVALID_PARAMETER;
		if (likely(!flag)) {
			hv_compat_eventfd_signal(port->ctx);
			status = TLFS_OK;
		}
	} else if (port && port->event) {
		status = port->event(port->data, flag);
	}
	rcu_read_unlock();
	return status;
}

u16 hv_port_post(struct hv_vcpu *vcpu, const struct tlfs_in_post_message *in)
{
	struct hv_port *port;
	u16 status;

	rcu_read_lock();
	port = port_find(vcpu->vm->ports, in->connection);
	if (port && (!port->message || !refcount_inc_not_zero(&port->users)))
		port = NULL;
	rcu_read_unlock();
	if (!port)
		return TLFS_INVALID_CONNECTION_ID;
	hv_arch_section_end(vcpu);
	status = port->message(vcpu, port->data, in);
	port_leave(port);
	return status;
}
