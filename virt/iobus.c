// SPDX-License-Identifier: GPL-2.0-only
/*
 * iobus.c - guest writes that end in the module: the ioeventfds, by address
 *
 * Readers search a sorted array under RCU; writers replace the array. An ioeventfd answers
 * writes that start at its address, of its length or any, of its value or any; no two
 * answer the same write.
 */
#include <linux/eventfd.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <hv/compat.h>
#include "irq.h"

/* Index of the first entry at or above @addr. */
static u32 lower_bound(const struct hv_iobus_space *s, u64 addr)
{
	u32 lo = 0, hi = s->nr;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (s->ev[mid].addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct hv_ioevent *match(const struct hv_iobus_space *s, u64 addr, u32 len, u64 val)
{
	u32 i = lower_bound(s, addr);

	for (; i < s->nr && s->ev[i].addr == addr; i++) {
		const struct hv_ioevent *e = &s->ev[i];

		if ((!e->len || e->len == len) && (!e->match || e->datamatch == val))
			return e;
	}
	return NULL;
}

static int bus_write(struct hv_vm *vm, enum hv_iobus_kind kind, u64 addr, u32 len, u64 val)
{
	const struct hv_iobus_space *s;
	const struct hv_ioevent *e = NULL;

	rcu_read_lock();
	s = rcu_dereference(vm->iobus->space[kind]);
	if (s) {
		if (len < 8)
			val &= (1ULL << len * 8) - 1;
		e = match(s, addr, len, val);
		if (e)
			hv_compat_eventfd_signal(e->ctx);
	}
	rcu_read_unlock();
	return e ? 0 : -EOPNOTSUPP;
}

int hv_iobus_write_pio(struct hv_vcpu *vcpu, u16 port, u32 len, u64 val)
{
	return bus_write(vcpu->vm, HV_IOBUS_PIO, port, len, val);
}

int hv_iobus_write_mmio(struct hv_vcpu *vcpu, hv_gpa_t gpa, u32 len, u64 val)
{
	return bus_write(vcpu->vm, HV_IOBUS_MMIO, gpa, len, val);
}

/* An ioeventfd has nothing to answer a read with, and nothing else is on this bus. */
int hv_iobus_read_mmio(struct hv_vcpu *vcpu, hv_gpa_t gpa, u32 len, u64 *val)
{
	return -EOPNOTSUPP;
}

/* ---- writers ---- */

static struct hv_iobus_space *space_locked(struct hv_iobus *bus, enum hv_iobus_kind kind)
{
	return rcu_dereference_protected(bus->space[kind], lockdep_is_held(&bus->lock));
}

/* Is there a write that both would answer? */
static bool clash(const struct hv_ioevent *a, const struct hv_ioevent *b)
{
	return a->addr == b->addr && (!a->len || !b->len || a->len == b->len) &&
	       (!a->match || !b->match || a->datamatch == b->datamatch);
}

static bool same(const struct hv_ioevent *a, const struct hv_ioevent *b)
{
	return a->addr == b->addr && a->len == b->len && a->match == b->match &&
	       a->datamatch == b->datamatch && a->ctx == b->ctx;
}

static struct hv_iobus_space *space_alloc(u32 nr)
{
	struct hv_iobus_space *s = kvzalloc(struct_size(s, ev, nr), GFP_KERNEL_ACCOUNT);

	if (s)
		s->nr = nr;
	return s;
}

int hv_iobus_add(struct hv_iobus *bus, enum hv_iobus_kind kind, const struct hv_ioevent *ev)
{
	struct hv_iobus_space *old, *new;
	u32 i, at = 0, nr = 0;
	int ret = 0;

	mutex_lock(&bus->lock);
	old = space_locked(bus, kind);
	if (old) {
		nr = old->nr;
		at = lower_bound(old, ev->addr);
		for (i = at; i < nr && old->ev[i].addr == ev->addr; i++)
			if (clash(&old->ev[i], ev))
				ret = -EEXIST;
	}
	if (ret)
		goto out;
	if (nr >= HV_IOBUS_MAX) {
		ret = -ENOSPC;
		goto out;
	}
	new = space_alloc(nr + 1);
	if (!new) {
		ret = -ENOMEM;
		goto out;
	}
	if (old) {
		memcpy(new->ev, old->ev, at * sizeof(*ev));
		memcpy(new->ev + at + 1, old->ev + at, (nr - at) * sizeof(*ev));
	}
	new->ev[at] = *ev;
	rcu_assign_pointer(bus->space[kind], new);
	if (old)
		kvfree_rcu(old, rcu);
out:
	mutex_unlock(&bus->lock);
	return ret;
}

int hv_iobus_del(struct hv_iobus *bus, enum hv_iobus_kind kind, const struct hv_ioevent *ev)
{
	struct hv_iobus_space *old, *new = NULL;
	int ret = -ENOENT;
	u32 i, nr;

	mutex_lock(&bus->lock);
	old = space_locked(bus, kind);
	nr = old ? old->nr : 0;
	for (i = 0; i < nr; i++)
		if (same(&old->ev[i], ev))
			break;
	if (i == nr)
		goto out;
	if (nr > 1) {
		ret = -ENOMEM;
		new = space_alloc(nr - 1);
		if (!new)
			goto out;
		memcpy(new->ev, old->ev, i * sizeof(*ev));
		memcpy(new->ev + i, old->ev + i + 1, (nr - 1 - i) * sizeof(*ev));
	}
	rcu_assign_pointer(bus->space[kind], new);
	/* A vCPU may be about to signal it: the caller may count on that being over. */
	synchronize_rcu();
	eventfd_ctx_put(old->ev[i].ctx);
	kvfree(old);
	ret = 0;
out:
	mutex_unlock(&bus->lock);
	return ret;
}

int hv_iobus_create(struct hv_vm *vm)
{
	struct hv_iobus *bus = kzalloc(sizeof(*bus), GFP_KERNEL_ACCOUNT);

	if (!bus)
		return -ENOMEM;
	mutex_init(&bus->lock);
	vm->iobus = bus;
	return 0;
}

void hv_iobus_release(struct hv_vm *vm)
{
	struct hv_iobus_space *s;
	unsigned int kind;
	u32 i;

	for (kind = 0; kind < HV_IOBUS_NR; kind++) {
		/* No vCPU runs: nobody reads. */
		s = rcu_dereference_protected(vm->iobus->space[kind], true);
		for (i = 0; s && i < s->nr; i++)
			eventfd_ctx_put(s->ev[i].ctx);
		kvfree(s);
	}
	mutex_destroy(&vm->iobus->lock);
	kfree(vm->iobus);
	vm->iobus = NULL;
}
