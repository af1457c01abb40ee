// SPDX-License-Identifier: GPL-2.0-only
/*
 * bus_state.c - the bus, its channels, GPADLs and waiting messages as records
 *
 * Set into a bus nobody has used yet, in the order of the records' numbers: a channel's record
 * comes before the GPADL of its rings, and when that is there the device is told.
 */
#include <linux/err.h>
#include <hv/hv_state.h>
#include <hv/vm.h>
#include "bus.h"

#define RECORD_VERSION	1

/* Room on GET: 0 asks. Returns 1 if the question was answered. */
static int room(u32 bytes, u32 *len)
{
	u32 has = *len;

	*len = bytes;
	if (!has)
		return 1;
	return has < bytes ? -ENOSPC : 0;
}

/* ---- the bus ---- */

static int bus_get(struct hv_bus *bus, u32 index, void *buf, u32 *len)
{
	const struct hv_conn *c = &bus->conn;
	struct hv_rec_bus *r = buf;
	int ret = room(sizeof(*r), len);

	BUILD_BUG_ON(sizeof(r->contact) != sizeof(c->contact));
	if (ret)
		return ret;
	r->max_version = c->max_version;
	r->state = c->state;
	r->next = c->next;
	r->version = c->version;
	r->target_vp = c->target_vp;
	r->offers = c->offers;
	memcpy(r->contact, &c->contact, sizeof(r->contact));
	return 0;
}

static int bus_set(struct hv_bus *bus, const void *buf, u32 len)
{
	const struct hv_rec_bus *r = buf;
	struct hv_conn *c = &bus->conn;

	if (len != sizeof(*r) || r->max_version != c->max_version || r->state >= HV_CONN_STATES ||
	    r->next > HV_CONN_NEXT_UNLOAD || r->offers > 1 || r->version > c->max_version ||
	    !r->version != (r->state != HV_CONN_UP))
		return -EINVAL;
	if (c->state != HV_CONN_OFF || bus->nr_gpadls || bus->nr_out)
		return -EBUSY;
	c->state = r->state;
	c->next = r->next;
	c->version = r->version;
	c->target_vp = r->target_vp;
	c->offers = r->offers;
	memcpy(&c->contact, r->contact, sizeof(c->contact));
	/* An end that waited for devices waits no more: theirs are not here. */
	hv_bus_settle_locked(bus);
	return 0;
}

/* ---- channels ---- */

static int chan_get(struct hv_bus *bus, u32 index, void *buf, u32 *len)
{
	struct hv_rec_bus_channel *r = buf;
	struct hv_chan *c;
	int ret;

	list_for_each_entry(c, &bus->chans, link) {
		/* Only its device knows of it any more, which need not come along. */
		if (c->going && c->state == HV_CHAN_DRAINING)
			continue;
		if (index--)
			continue;
		ret = room(sizeof(*r), len);
		if (ret)
			return ret;
		BUILD_BUG_ON(sizeof(r->open) != sizeof(c->open));
		memcpy(r->interface, &c->offer.interface, sizeof(r->interface));
		memcpy(r->instance, &c->offer.instance, sizeof(r->instance));
		r->sub_channel = c->offer.sub_channel;
		r->relid = c->offer.relid;
		r->state = c->going ? HV_CHAN_RESCINDED : c->state;
		r->target_vp = c->target_vp;
		r->opening = c->opening;
		memcpy(r->open, &c->open, sizeof(r->open));
		return 0;
	}
	return -ENOENT;
}

static struct hv_chan *chan_of(struct hv_bus *bus, const struct hv_rec_bus_channel *r)
{
	struct hv_chan *c;

	list_for_each_entry(c, &bus->chans, link)
		if (!memcmp(&c->offer.interface, r->interface, sizeof(r->interface)) &&
		    !memcmp(&c->offer.instance, r->instance, sizeof(r->instance)) &&
		    c->offer.sub_channel == r->sub_channel)
			return c;
	return NULL;
}

/* @c gets @relid, which nobody has, or stays as it is. */
static int chan_move(struct hv_chan *c, u32 relid)
{
	struct hv_bus *bus = c->bus;
	struct hv_vm *vm = hv_bus_vm_locked(bus);
	u32 old = c->offer.relid;
	int ret = xa_err(xa_store(&bus->relids, relid, c, GFP_KERNEL_ACCOUNT));

	if (ret)
		return ret;
	c->offer.relid = relid;
	ret = hv_chan_port_add(c, vm);	/* -EEXIST: the VMM has a port of its own there */
	if (ret) {
		c->offer.relid = old;
		xa_erase(&bus->relids, relid);
		return ret;
	}
	hv_port_remove(vm, VMB_CONNECTION_CHANNELS + old);
	xa_erase(&bus->relids, old);
	return 0;
}

/* @c gets @relid; whoever has it gets @c's, until its own record comes. */
static int chan_renumber(struct hv_chan *c, u32 relid)
{
	struct hv_chan *other = xa_load(&c->bus->relids, relid);
	u32 old = c->offer.relid;
	int ret;

	if (other == c)
		return 0;
	if (!other)
		return chan_move(c, relid);
	ret = chan_move(other, VMB_RELIDS);	/* for the time being: no channel's number */
	if (ret)
		return ret;
	ret = chan_move(c, relid);
	if (ret) {
		chan_move(other, relid);
		return ret;
	}
	return chan_move(other, old);
}

/* What the old device had to acknowledge, it has. */
static u32 state_of(const struct hv_rec_bus_channel *r)
{
	if (r->state == HV_CHAN_CLOSING)
		return HV_CHAN_OFFERED;
	return r->state == HV_CHAN_DRAINING ? HV_CHAN_HIDDEN : r->state;
}

static int chan_set(struct hv_bus *bus, const void *buf, u32 len)
{
	const struct hv_rec_bus_channel *r = buf;
	struct hv_chan *c;
	int ret;

	if (len != sizeof(*r) || r->rsvd || r->rsvd2 || r->state >= HV_CHAN_DEAD || !r->relid ||
	    r->relid >= VMB_RELIDS)
		return -EINVAL;
	c = chan_of(bus, r);
	if (!c)		/* a device that had gone does not come along */
		return r->state == HV_CHAN_RESCINDED ? 0 : -ENOENT;
	if (c->state != HV_CHAN_HIDDEN)
		return -EBUSY;
	if (hv_chan_is_offered(r->state) && !bus->conn.version)
		return -EINVAL;
	ret = chan_renumber(c, r->relid);
	if (ret)
		return ret;
	c->opening = r->opening;
	memcpy(&c->open, r->open, sizeof(c->open));
	WRITE_ONCE(c->target_vp, r->target_vp);
	WRITE_ONCE(c->state, state_of(r));
	return 0;
}

/* ---- GPADLs ---- */

static int gpadl_get(struct hv_bus *bus, u32 index, void *buf, u32 *len)
{
	struct hv_rec_bus_gpadl *r = buf;
	struct hv_gpadl *g;
	unsigned long i;
	int ret;

	xa_for_each(&bus->gpadls, i, g) {
		/* Nobody uses those any more, and their channel need not come along. */
		if (g->chan->state == HV_CHAN_RESCINDED || g->chan->going)
			continue;
		if (index--)
			continue;
		ret = room(sizeof(*r) + g->have * sizeof(u64), len);
		if (ret)
			return ret;
		r->relid = g->chan->offer.relid;
		r->gpadl = g->handle;
		r->npages = g->shape.npages;
		r->bytes = g->shape.bytes;
		r->offset = g->shape.offset;
		r->have = g->have;
		r->ending = g->ending;
		memcpy(r + 1, g->pfn, g->have * sizeof(u64));
		return 0;
	}
	return -ENOENT;
}

/* The rings of an opening have come: its device may go on. */
static int rings_are_here(struct hv_chan *c, const struct hv_gpadl *g)
{
	int ret;

	if (c->open.gpadl != g->handle || (c->state != HV_CHAN_OPEN && c->state != HV_CHAN_OPENING))
		return 0;
	if (hv_chan_rings_check(g->shape.npages, g->shape.bytes, g->shape.offset,
				c->open.downstream, c->offer.max_ring_pages))
		return -EINVAL;
	ret = hv_ringmap_show(&c->map, hv_bus_vm_locked(c->bus), g->pfn, g->shape.npages);
	if (ret)
		return ret;
	c->ring_pages = g->shape.npages;
	hv_chan_notify_locked(c, c->state == HV_CHAN_OPEN ? HV_CP_RESTORED : HV_CP_OPEN);
	return 0;
}

static int gpadl_set(struct hv_bus *bus, const void *buf, u32 len)
{
	const struct hv_rec_bus_gpadl *r = buf;
	struct hv_gpadl_shape s;
	struct hv_gpadl *g;
	struct hv_chan *c;
	int ret;

	if (len < sizeof(*r) || r->rsvd || r->ending > 1 || !r->npages ||
	    r->npages > HV_GPADL_MAX_PAGES || r->have > r->npages ||
	    len != sizeof(*r) + r->have * sizeof(u64) || r->offset >= VMB_PAGE || !r->bytes ||
	    ((u64)r->offset + r->bytes + VMB_PAGE - 1) / VMB_PAGE != r->npages)
		return -EINVAL;
	c = hv_chan_find_locked(bus, r->relid);
	if (!c || !hv_chan_is_offered(c->state))
		return -ENOENT;
	s.npages = r->npages;
	s.bytes = r->bytes;
	s.offset = r->offset;
	g = hv_gpadl_new_locked(c, r->gpadl, &s);
	if (IS_ERR(g))
		return PTR_ERR(g);
	memcpy(g->pfn, r + 1, r->have * sizeof(u64));
	g->have = r->have;
	g->ending = r->ending;
	if (g->ending) {
		hv_gpadl_reap_locked(c);	/* nobody here uses it */
		return 0;
	}
	if (g->have < g->shape.npages)
		return 0;
	ret = rings_are_here(c, g);
	if (ret)
		hv_gpadl_free_locked(g);
	return ret;
}

/* ---- messages ---- */

/*
 * What a device had to acknowledge counts as acknowledged where the records go: of a channel that is to
 * be rescinded the guest hears then that its GPADLs are torn down, and this. Its length, 0: no more.
 */
static u32 going_message(struct hv_bus *bus, u32 index, void *msg)
{
	struct vmb_gpadl_torndown torn = { .header.type = VMB_MSG_GPADL_TORNDOWN };
	struct vmb_rescind gone = { .header.type = VMB_MSG_RESCIND };
	struct hv_gpadl *g;
	struct hv_chan *c;
	unsigned long i;

	list_for_each_entry(c, &bus->chans, link) {
		if (!c->going || c->state != HV_CHAN_CLOSING)
			continue;
		xa_for_each(&bus->gpadls, i, g) {
			if (g->chan != c || !g->ending || index--)
				continue;
			torn.gpadl = g->handle;
			memcpy(msg, &torn, sizeof(torn));
			return sizeof(torn);
		}
		if (index--)
			continue;
		gone.relid = c->offer.relid;
		memcpy(msg, &gone, sizeof(gone));
		return sizeof(gone);
	}
	return 0;
}

static int message_get(struct hv_bus *bus, u32 index, void *buf, u32 *len)
{
	u8 msg[VMB_MESSAGE_MAX];
	u32 bytes = index < bus->nr_out ? hv_bus_out_get_locked(bus, index, msg) :
					  going_message(bus, index - bus->nr_out, msg);
	int ret;

	if (!bytes)
		return -ENOENT;
	ret = room(bytes, len);
	if (!ret)
		memcpy(buf, msg, bytes);
	return ret;
}

static int message_set(struct hv_bus *bus, const void *buf, u32 len)
{
	if (len < sizeof(struct vmb_header) || len > VMB_MESSAGE_MAX ||
	    bus->nr_out >= HV_BUS_OUT_MAX + 2 * VMB_RELIDS)
		return -EINVAL;
	hv_bus_send_locked(bus, buf, len);
	return 0;
}

/* ---- all of them ---- */

static const struct {
	int (*get)(struct hv_bus *bus, u32 index, void *buf, u32 *len);
	int (*set)(struct hv_bus *bus, const void *buf, u32 len);
} records[] = {
	[HV_REC_BUS - HV_REC_BUS] = { bus_get, bus_set },
	[HV_REC_BUS_CHANNEL - HV_REC_BUS] = { chan_get, chan_set },
	[HV_REC_BUS_GPADL - HV_REC_BUS] = { gpadl_get, gpadl_set },
	[HV_REC_BUS_MESSAGE - HV_REC_BUS] = { message_get, message_set },
};

int hv_bus_get_state(struct hv_vm *vm, u32 rec, u32 index, void *buf, u32 *len, u32 *version)
{
	struct hv_bus *bus = vm->bus;
	int ret;

	lockdep_assert_held(&vm->lock);
	if (!bus)
		return -ENOENT;
	*version = RECORD_VERSION;
	mutex_lock(&bus->lock);
	ret = records[rec - HV_REC_BUS].get(bus, index, buf, len);
	mutex_unlock(&bus->lock);
	return min(ret, 0);
}

int hv_bus_set_state(struct hv_vm *vm, u32 rec, u32 index, const void *buf, u32 len, u32 version)
{
	struct hv_bus *bus = vm->bus;
	int ret;

	lockdep_assert_held(&vm->lock);
	if (!bus)
		return -ENOENT;
	if (version > RECORD_VERSION)
		return -EOPNOTSUPP;
	mutex_lock(&bus->lock);
	ret = records[rec - HV_REC_BUS].set(bus, buf, len);
	mutex_unlock(&bus->lock);
	return ret;
}
