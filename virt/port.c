// SPDX-License-Identifier: GPL-2.0-only
/*
 * port.c - ports that connection ids lead to; now those that are eventfds
 *
 * Readers find a port under RCU and take no reference: a port is freed a grace period
 * after it left the table, and the signal happens inside the read section.
 */
#include <linux/eventfd.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <hv/compat.h>
#include <hv/tlfs.h>
#include "port.h"

struct hv_port {
	struct eventfd_ctx *ctx;	/* I */
};

struct hv_port_table {
	struct xarray ports;		/* by connection id; writers: vm->lock */
};

int hv_port_vm_create(struct hv_vm *vm)
{
	vm->ports = kzalloc(sizeof(*vm->ports), GFP_KERNEL_ACCOUNT);
	if (!vm->ports)
		return -ENOMEM;
	xa_init_flags(&vm->ports->ports, XA_FLAGS_ACCOUNT);
	return 0;
}

static void port_free(struct hv_port *port)
{
	eventfd_ctx_put(port->ctx);
	kfree(port);
}

/* No vCPU exists any more: nobody looks a port up. */
void hv_port_vm_release(struct hv_vm *vm)
{
	struct hv_port *port;
	unsigned long id;

	if (!vm->ports)
		return;
	xa_for_each(&vm->ports->ports, id, port)
		port_free(port);
	xa_destroy(&vm->ports->ports);
	kfree(vm->ports);
	vm->ports = NULL;
}

static int port_remove(struct hv_port_table *t, u32 connection)
{
	struct hv_port *port = xa_erase(&t->ports, connection);

	if (!port)
		return -ENOENT;
	synchronize_rcu();
	port_free(port);
	return 0;
}

int hv_port_set_event(struct hv_vm *vm, u32 connection, struct eventfd_ctx *ctx)
{
	struct hv_port *port;
	int ret;

	if (!connection || connection & ~TLFS_CONNECTION_MASK)
		return -EINVAL;
	if (!ctx)
		return port_remove(vm->ports, connection);
	port = kmalloc(sizeof(*port), GFP_KERNEL_ACCOUNT);
	if (!port)
		return -ENOMEM;
	port->ctx = ctx;
	ret = xa_insert(&vm->ports->ports, connection, port, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(port);
		return ret == -EBUSY ? -EEXIST : ret;
	}
	return 0;
}

u16 hv_port_signal(struct hv_vm *vm, u32 connection, u32 flag)
{
	XA_STATE(xas, &vm->ports->ports, connection);
	u16 status = TLFS_INVALID_CONNECTION_ID;
	struct hv_port *port;

	rcu_read_lock();
	do {
		port = xas_load(&xas);
	} while (unlikely(xas_retry(&xas, port)));
	if (likely(port)) {
		status = TLFS_INVALID_PARAMETER;
		if (likely(!flag)) {
			hv_compat_eventfd_signal(port->ctx);
			status = TLFS_OK;
		}
	}
	rcu_read_unlock();
	return status;
}
