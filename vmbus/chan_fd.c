// SPDX-License-Identifier: GPL-2.0-only
/*
 * chan_fd.c - a channel as its fd sees it: made, asked, told, closed
 *
 * Events are not a queue: a bit each, or a mark on a GPADL, and what they tell is read off the
 * channel when they are taken. So a guest can not make them pile up.
 */
#include <linux/err.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include "bus.h"

/* ---- made ---- */

static struct hv_chan *chan_alloc(struct hv_bus *bus)
{
	struct hv_chan *c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!c)
		return ERR_PTR(-ENOMEM);
	ret = hv_ringmap_init(&c->map, &c->stat);
	if (ret) {
		kfree(c);
		return ERR_PTR(ret);
	}
	refcount_set(&c->refs, 1);
	refcount_inc(&bus->refs);
	c->bus = bus;
	INIT_LIST_HEAD(&c->link);
	init_waitqueue_head(&c->wait);
	c->state = HV_CHAN_HIDDEN;
	return c;
}

/* Onto the bus: a relid, a port. The list has a reference of its own. */
static int chan_join_locked(struct hv_chan *c)
{
	struct hv_bus *bus = c->bus;
	struct hv_vm *vm = hv_bus_vm_locked(bus);
	struct hv_chan *other;
	int ret;

	lockdep_assert_held(&bus->lock);
	if (!vm)
		return -ENXIO;
	list_for_each_entry(other, &bus->chans, link)
		if (hv_offer_same(&other->offer, &c->offer))
			return -EEXIST;
	ret = xa_alloc(&bus->relids, &c->offer.relid, c, XA_LIMIT(1, VMB_RELIDS - 1),
		       GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -ENOSPC : ret;
	ret = hv_chan_port_add(c, vm);
	if (ret) {
		xa_erase(&bus->relids, c->offer.relid);
		return ret;
	}
	refcount_inc(&c->refs);
	list_add_tail(&c->link, &bus->chans);
	return 0;
}

static struct hv_chan *chan_join(struct hv_chan *c)
{
	int ret;

	mutex_lock(&c->bus->lock);
	ret = chan_join_locked(c);
	mutex_unlock(&c->bus->lock);
	if (!ret)
		return c;
	hv_chan_put(c);
	return ERR_PTR(ret);
}

struct hv_chan *hv_chan_create(struct hv_vm *vm, struct hv_channel_args *args)
{
	struct hv_chan *c;
	struct hv_offer offer;

	if (!vm->bus)
		return ERR_PTR(-ENOENT);
	if (hv_offer_init(&offer, args))
		return ERR_PTR(-EINVAL);
	c = chan_alloc(vm->bus);
	if (IS_ERR(c))
		return c;
	c->offer = offer;
	c = chan_join(c);
	if (IS_ERR(c))
		return c;
	args->relid = c->offer.relid;
	args->connection = hv_offer_connection(&c->offer);
	return c;
}

struct hv_chan *hv_chan_create_sub(struct hv_chan *primary, struct hv_chan_sub_args *args)
{
	struct hv_chan *c;

	if (primary->primary || !args->index || args->index > primary->offer.max_sub_channels)
		return ERR_PTR(-EINVAL);
	c = chan_alloc(primary->bus);
	if (IS_ERR(c))
		return c;
	c->offer = primary->offer;
	c->offer.sub_channel = args->index;
	c->offer.max_sub_channels = 0;
	refcount_inc(&primary->refs);
	c->primary = primary;
	c = chan_join(c);
	if (!IS_ERR(c))
		args->relid = c->offer.relid;
	return c;
}

void hv_chan_publish(struct hv_chan *c)
{
	mutex_lock(&c->bus->lock);
	c->published = true;
	if (c->bus->conn.offers)
		hv_chan_offer_locked(c);
	mutex_unlock(&c->bus->lock);
}

void hv_chan_close(struct hv_chan *c)
{
	struct hv_bus *bus = c->bus;

	mutex_lock(&bus->lock);
	c->fd_gone = true;
	if (!list_empty(&c->link)) {
		hv_chan_rescind_locked(c);
		hv_bus_settle_locked(bus);
	}
	mutex_unlock(&bus->lock);
	hv_chan_put(c);
}

/* ---- events ---- */

__poll_t hv_chan_poll(struct hv_chan *c, struct file *file, poll_table *pt)
{
	__poll_t mask = 0;

	poll_wait(file, &c->wait, pt);
	if (READ_ONCE(c->pending))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (READ_ONCE(c->state) == HV_CHAN_DEAD)
		mask |= EPOLLHUP;
	return mask;
}

static void fill_opening(struct hv_chan *c, struct hv_chan_event_args *a)
{
	a->gpadl = c->open.gpadl;
	a->out_pages = c->open.downstream;
	a->in_pages = c->ring_pages - c->open.downstream;
	memcpy(a->user_defined, c->open.user_defined, sizeof(a->user_defined));
	c->seen = true;
}

/* The first of c->pending, in the order of its bits. False: it was none after all. */
static bool event_take(struct hv_chan *c, struct hv_chan_event_args *a)
{
	static const u8 kinds[] = {
		HV_CHAN_EVENT_CLOSED, HV_CHAN_EVENT_OPEN, HV_CHAN_EVENT_RESTORED,
		HV_CHAN_EVENT_MODIFIED, HV_CHAN_EVENT_GPADL_TEARDOWN, HV_CHAN_EVENT_RELEASED,
	};
	u32 bit = c->pending & -c->pending;
	struct hv_gpadl *g;

	a->kind = kinds[__ffs(bit)];
	if (bit == HV_CP_TEARDOWN) {
		g = hv_gpadl_announce_locked(c);
		if (g) {
			a->gpadl = g->handle;
			return true;
		}
		WRITE_ONCE(c->pending, c->pending & ~bit);
		return false;
	}
	WRITE_ONCE(c->pending, c->pending & ~bit);
	if (bit == HV_CP_CLOSED && c->reset)
		a->event_flags |= HV_CHAN_EVENT_F_RESET;
	if (bit & (HV_CP_OPEN | HV_CP_RESTORED))
		fill_opening(c, a);
	return true;
}

int hv_chan_get_event(struct hv_chan *c, struct hv_chan_event_args *a)
{
	struct hv_bus *bus = c->bus;
	int ret = -EAGAIN;

	mutex_lock(&bus->lock);
	a->kind = HV_CHAN_EVENT_NONE;
	a->event_flags = 0;
	a->gpadl = 0;
	a->out_pages = 0;
	a->in_pages = 0;
	memset(a->user_defined, 0, sizeof(a->user_defined));
	a->version = bus->conn.version;
	a->target_vp = c->target_vp;
	a->opening = c->opening;
	while (ret && c->pending)
		if (event_take(c, a))
			ret = 0;
	if (ret && !hv_bus_vm_locked(bus))
		ret = -ENXIO;
	if (!ret)
		c->stat.events++;
	mutex_unlock(&bus->lock);
	return ret;
}

/* ---- answers ---- */

int hv_chan_set_open_result(struct hv_chan *c, u32 status)
{
	struct hv_bus *bus = c->bus;
	int ret;

	mutex_lock(&bus->lock);
	ret = hv_bus_vm_locked(bus) ? hv_chan_accept_locked(c, status) : -ENXIO;
	mutex_unlock(&bus->lock);
	return ret;
}

static int ack_closed(struct hv_chan *c)
{
	/* Told a second time meanwhile: that one is to be acknowledged. */
	if (c->pending & HV_CP_CLOSED)
		return -ESTALE;
	if (!hv_chan_is_busy(c->state))
		return c->state >= HV_CHAN_RESCINDED ? 0 : -ESTALE;
	hv_chan_let_go_locked(c);
	hv_bus_settle_locked(c->bus);
	return 0;
}

int hv_chan_ack(struct hv_chan *c, u32 kind, u32 gpadl)
{
	struct hv_bus *bus = c->bus;
	int ret = -EINVAL;

	mutex_lock(&bus->lock);
	if (!hv_bus_vm_locked(bus))
		ret = -ENXIO;
	else if (kind == HV_CHAN_EVENT_CLOSED)
		ret = gpadl ? -EINVAL : ack_closed(c);
	else if (kind == HV_CHAN_EVENT_GPADL_TEARDOWN)
		ret = hv_gpadl_give_back_locked(c, gpadl);
	mutex_unlock(&bus->lock);
	return ret;
}

int hv_chan_rescind(struct hv_chan *c)
{
	struct hv_bus *bus = c->bus;
	int ret = -EALREADY;

	mutex_lock(&bus->lock);
	if (!hv_bus_vm_locked(bus)) {
		ret = -ENXIO;
	} else if (c->state < HV_CHAN_RESCINDED && !c->going) {
		hv_chan_rescind_locked(c);
		hv_bus_settle_locked(bus);
		ret = 0;
	}
	mutex_unlock(&bus->lock);
	return ret;
}

int hv_chan_get_info(struct hv_chan *c, struct hv_chan_info_args *a)
{
	struct hv_bus *bus = c->bus;
	bool open;

	mutex_lock(&bus->lock);
	open = c->state >= HV_CHAN_OPENING && c->state <= HV_CHAN_DRAINING;
	a->state = c->state;
	a->relid = c->offer.relid;
	a->connection = hv_offer_connection(&c->offer);
	a->sub_channel = c->offer.sub_channel;
	a->target_vp = c->target_vp;
	a->version = bus->conn.version;
	a->gpadl = open ? c->open.gpadl : 0;
	a->out_pages = open ? c->open.downstream : 0;
	a->in_pages = open ? c->ring_pages - c->open.downstream : 0;
	a->opening = c->opening;
	memcpy(a->interface, &c->offer.interface, sizeof(a->interface));
	memcpy(a->instance, &c->offer.instance, sizeof(a->instance));
	mutex_unlock(&bus->lock);
	return 0;
}

const struct hv_stats_chan *hv_chan_stats(struct hv_chan *c)
{
	return &c->stat;
}
