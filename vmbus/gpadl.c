// SPDX-License-Identifier: GPL-2.0-only
/*
 * gpadl.c - the guest's lists of its pages
 *
 * A list of page numbers, never of pages: what lies there is looked up when it is used.
 * A list may be torn down while the device uses it; the guest is answered when it does not.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "bus.h"

static bool is_complete(const struct hv_gpadl *g)
{
	return g->have == g->shape.npages;
}

void hv_gpadl_free_locked(struct hv_gpadl *g)
{
	struct hv_bus *bus = g->chan->bus;

	lockdep_assert_held(&bus->lock);
	xa_erase(&bus->gpadls, g->handle);
	bus->nr_gpadls--;
	bus->gpadl_pages -= g->shape.npages;
	kvfree(g);
}

struct hv_gpadl *hv_gpadl_new_locked(struct hv_chan *c, u32 handle, const struct hv_gpadl_shape *s)
{
	struct hv_bus *bus = c->bus;
	struct hv_gpadl *g;
	int ret;

	lockdep_assert_held(&bus->lock);
	if (bus->nr_gpadls >= HV_BUS_GPADLS_MAX ||
	    s->npages > HV_BUS_GPADL_PAGES_MAX - bus->gpadl_pages)
		return ERR_PTR(-ENOSPC);
	g = kvzalloc(struct_size(g, pfn, s->npages), GFP_KERNEL_ACCOUNT);
	if (!g)
		return ERR_PTR(-ENOMEM);
	g->handle = handle;
	g->chan = c;
	g->shape = *s;
	ret = xa_insert(&bus->gpadls, handle, g, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kvfree(g);
		return ERR_PTR(ret == -EBUSY ? -EEXIST : ret);
	}
	bus->nr_gpadls++;
	bus->gpadl_pages += s->npages;
	return g;
}

/* ---- made ---- */

static void send_created(struct hv_bus *bus, u32 relid, u32 handle, u32 status)
{
	const struct vmb_gpadl_created m = {
		.header.type = VMB_MSG_GPADL_CREATED,
		.relid = relid,
		.gpadl = handle,
		.status = status,
	};

	hv_bus_send_locked(bus, &m, sizeof(m));
}

static void pages_arrive(struct hv_bus *bus, struct hv_gpadl *g, const void *msg, u32 nr,
			 u64 (*pfn)(const void *msg, u32 i))
{
	u32 i;

	for (i = 0; i < nr; i++)
		g->pfn[g->have + i] = pfn(msg, i);
	g->have += nr;
	if (!is_complete(g))
		return;
	g->chan->stat.gpadls++;
	send_created(bus, g->chan->offer.relid, g->handle, VMB_STATUS_OK);
}

static u32 header_status(struct hv_bus *bus, const struct vmb_gpadl_header *h, const void *msg,
			 u32 bytes)
{
	struct hv_chan *c = hv_chan_find_locked(bus, h->relid);
	struct hv_gpadl_shape shape;
	struct hv_gpadl *g;
	u32 nr;

	if (!c || !hv_chan_is_offered(c->state))
		return VMB_STATUS_NOT_FOUND;
	if (hv_gpadl_header(msg, bytes, &shape, &nr))
		return VMB_STATUS_INVALID_PARAMETER;
	g = hv_gpadl_new_locked(c, h->gpadl, &shape);
	if (IS_ERR(g))
		return PTR_ERR(g) == -EEXIST ? VMB_STATUS_INVALID_PARAMETER :
					       VMB_STATUS_NO_RESOURCES;
	pages_arrive(bus, g, msg, nr, hv_gpadl_header_pfn);
	return VMB_STATUS_OK;
}

void hv_gpadl_header_locked(struct hv_bus *bus, const void *msg, u32 bytes)
{
	struct vmb_gpadl_header h;
	u32 status;

	memcpy(&h, msg, sizeof(h));
	status = header_status(bus, &h, msg, bytes);
	if (status)
		send_created(bus, h.relid, h.gpadl, status);
}

/* A body of nothing known is dropped: it was answered with its header. */
void hv_gpadl_body_locked(struct hv_bus *bus, const void *msg, u32 bytes)
{
	const struct vmb_gpadl_body *b = msg;
	struct hv_gpadl *g = xa_load(&bus->gpadls, b->gpadl);
	int nr;

	if (!g || g->ending)
		return;
	nr = hv_gpadl_body(bytes, g->shape.npages - g->have);
	if (nr > 0)
		pages_arrive(bus, g, msg, nr, hv_gpadl_body_pfn);
}

/* ---- used ---- */

struct hv_gpadl *hv_gpadl_find_locked(struct hv_chan *c, u32 handle)
{
	struct hv_gpadl *g = xa_load(&c->bus->gpadls, handle);

	lockdep_assert_held(&c->bus->lock);
	return g && g->chan == c && is_complete(g) && !g->ending ? g : NULL;
}

bool hv_gpadl_any_taken_locked(const struct hv_chan *c)
{
	struct hv_gpadl *g;
	unsigned long i;

	xa_for_each(&c->bus->gpadls, i, g)
		if (g->chan == c && g->taken)
			return true;
	return false;
}

int hv_chan_get_gpadl(struct hv_chan *c, struct hv_chan_gpadl_args *args, u64 *pfn)
{
	struct hv_gpadl *g;
	int ret = -ENOENT;

	mutex_lock(&c->bus->lock);
	g = hv_gpadl_find_locked(c, args->gpadl);
	if (!g || c->state >= HV_CHAN_RESCINDED)	/* the guest may use its memory otherwise */
		goto out;
	ret = -EINVAL;
	if (args->first > g->shape.npages)
		goto out;
	ret = 0;
	if (args->flags & HV_GPADL_F_TAKE)
		g->taken = true;
	args->npages = g->shape.npages;
	args->bytes = g->shape.bytes;
	args->offset = g->shape.offset;
	args->nr = min(args->nr, g->shape.npages - args->first);
	memcpy(pfn, g->pfn + args->first, args->nr * sizeof(*pfn));
out:
	mutex_unlock(&c->bus->lock);
	return ret;
}

/* ---- torn down ---- */

/* Rings are used until the device has let go of the opening. */
static bool is_ring(const struct hv_gpadl *g)
{
	const struct hv_chan *c = g->chan;

	return c->state >= HV_CHAN_OPENING && c->state <= HV_CHAN_CLOSING &&
	       c->open.gpadl == g->handle;
}

void hv_gpadl_reap_locked(struct hv_chan *c)
{
	struct vmb_gpadl_torndown m = { .header.type = VMB_MSG_GPADL_TORNDOWN };
	struct hv_gpadl *g;
	unsigned long i;

	xa_for_each(&c->bus->gpadls, i, g) {
		if (g->chan != c || !g->ending || g->taken || is_ring(g))
			continue;
		m.gpadl = g->handle;
		hv_gpadl_free_locked(g);
		hv_bus_send_locked(c->bus, &m, sizeof(m));
	}
}

void hv_gpadl_teardown_locked(struct hv_bus *bus, const struct vmb_gpadl_teardown *m)
{
	struct hv_gpadl *g = xa_load(&bus->gpadls, m->gpadl);
	struct hv_chan *c;

	if (!g || g->ending || g->chan->offer.relid != m->relid)
		return;
	c = g->chan;
	if (is_ring(g))
		hv_chan_shut_locked(c);
	g->ending = true;
	if (g->taken)
		hv_chan_notify_locked(c, HV_CP_TEARDOWN);
	hv_gpadl_reap_locked(c);
}

struct hv_gpadl *hv_gpadl_announce_locked(struct hv_chan *c)
{
	struct hv_gpadl *g;
	unsigned long i;

	xa_for_each(&c->bus->gpadls, i, g) {
		if (g->chan != c || !g->ending || !g->taken || g->announced)
			continue;
		g->announced = true;
		return g;
	}
	return NULL;
}

int hv_gpadl_give_back_locked(struct hv_chan *c, u32 handle)
{
	struct hv_gpadl *g = xa_load(&c->bus->gpadls, handle);

	if (!g || g->chan != c || !g->taken)
		return -ESTALE;
	g->taken = false;
	hv_gpadl_reap_locked(c);
	return 0;
}

void hv_gpadl_give_back_all_locked(struct hv_chan *c)
{
	struct hv_gpadl *g;
	unsigned long i;

	xa_for_each(&c->bus->gpadls, i, g)
		if (g->chan == c)
			g->taken = false;
}

void hv_gpadl_free_all_locked(struct hv_chan *c)
{
	struct hv_gpadl *g;
	unsigned long i;

	xa_for_each(&c->bus->gpadls, i, g)
		if (g->chan == c)
			hv_gpadl_free_locked(g);
}
