// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * VMBus channels for devices: the channel fds of libhv in the loop.
 *
 * A channel is closed in two steps. The module tells that the guest closed it; the device is told to
 * stop; when it has, the rings are unmapped and the module hears that nothing touches the guest's memory
 * any more. The module opens it again only after that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "devices/chan.h"
#include "libhv/libhv_bus.h"
#include "machine_impl.h"

#define NTSTATUS_NO_RESOURCES	0xc000009au	/* STATUS_INSUFFICIENT_RESOURCES */

struct bus_chan {
	struct machine		*m;
	struct chan		*c;
	int			fd;		/* -1: not offered (a sub-channel to be) */
	struct loop_source	src;
	struct loop_source	wake;		/* the guest's signals, of a device that has no thread */
	struct libhv_rings	rings;		/* base NULL: not mapped */
	bool			open;		/* the device has it */
	bool			gone;		/* nothing comes from the fd any more */
	struct loop_work	closed;
	struct loop_work	sub;		/* to be offered as a sub-channel of @primary */
	struct chan		*primary;
	struct bus_chan		*next;		/* m->chans */
};

static void chan_unmap(struct bus_chan *b)
{
	if (b->rings.base)
		libhv_chan_unmap(&b->rings);
	memset(&b->rings, 0, sizeof(b->rings));
}

static int chan_map(struct bus_chan *b, const struct hv_chan_event_args *e)
{
	struct chan *c = b->c;
	int ret = libhv_chan_map(b->fd, e->out_pages, e->in_pages, &b->rings);

	if (!ret)
		ret = hv_ring_consumer(&c->from_guest, b->rings.out_header, b->rings.out_data,
				       e->out_pages);
	if (!ret)
		ret = hv_ring_producer(&c->to_guest, b->rings.in_header, b->rings.in_data, e->in_pages);
	return ret;
}

static void chan_opened(struct bus_chan *b, const struct hv_chan_event_args *e)
{
	int ret = chan_map(b, e), answer;

	b->c->target_vp = e->target_vp;
	b->c->restored = e->kind == HV_CHAN_EVENT_RESTORED;
	if (!ret)
		ret = b->c->ops->open(b->c);
	b->c->restored = false;
	b->open = !ret;
	if (ret) {
		chan_unmap(b);
		vmm_log(b->m->log, LOG_WARN, "a VMBus channel was not opened: %s", strerror(-ret));
	}
	answer = e->kind == HV_CHAN_EVENT_RESTORED ? 0 :
		 libhv_chan_open_result(b->fd, ret ? NTSTATUS_NO_RESOURCES : 0);
	if (!answer && b->open && b->c->ops->signal)
		b->c->ops->signal(b->c);
	/* -ESTALE: the guest has given up; a CLOSED event follows. */
	if (answer && answer != -ESTALE && answer != -ENXIO)
		vmm_log(b->m->log, LOG_ERROR, "opening a VMBus channel: %s", strerror(-answer));
}

static void chan_over(struct bus_chan *b)
{
	if (b->open)
		b->c->ops->close(b->c);		/* chan_closed() comes back */
	else
		libhv_chan_ack(b->fd, HV_CHAN_EVENT_CLOSED, 0);
}

/* A sub-channel that is over can be offered anew; the fd of a primary one stays for its owner. */
static void chan_drop(struct bus_chan *b)
{
	if (!b->c->index || b->fd < 0)
		return;
	close(b->fd);
	b->fd = -1;
}

static void closed_work(struct loop_work *w)
{
	struct bus_chan *b = dev_container(w, struct bus_chan, closed);

	b->open = false;
	chan_unmap(b);
	if (b->fd >= 0)
		libhv_chan_ack(b->fd, HV_CHAN_EVENT_CLOSED, 0);
	if (b->gone)
		chan_drop(b);
}

static void chan_gone(struct bus_chan *b)
{
	b->gone = true;
	loop_del(b->m->loop, &b->src);
	if (!b->open)
		chan_drop(b);
}

static void chan_ready(struct loop_source *src, uint32_t events)
{
	struct bus_chan *b = dev_container(src, struct bus_chan, src);
	struct hv_chan_event_args e;
	int ret;

	while (!(ret = libhv_chan_event(b->fd, &e))) {
		switch ((enum hv_chan_event_kind)e.kind) {
		case HV_CHAN_EVENT_OPEN:
		case HV_CHAN_EVENT_RESTORED:
			chan_opened(b, &e);
			break;
		case HV_CHAN_EVENT_CLOSED:
			chan_over(b);
			break;
		case HV_CHAN_EVENT_MODIFIED:
			b->c->target_vp = e.target_vp;
			break;
		case HV_CHAN_EVENT_GPADL_TEARDOWN:
			if (b->c->ops->gpadl_gone)
				b->c->ops->gpadl_gone(b->c, e.gpadl);
			libhv_chan_ack(b->fd, HV_CHAN_EVENT_GPADL_TEARDOWN, e.gpadl);
			break;
		default:
			break;
		}
	}
	if (ret != -EAGAIN || events & EPOLLHUP)
		chan_gone(b);
}

/* Loop thread, so that bus_chan_each() finds the list whole. */
static void chan_list(struct bus_chan *b)
{
	struct bus_chan **at = &b->m->chans;

	while (*at && *at != b)
		at = &(*at)->next;
	*at = b;
}

static void chan_unlist(struct bus_chan *b)
{
	struct bus_chan **at = &b->m->chans;

	while (*at && *at != b)
		at = &(*at)->next;
	if (*at)
		*at = b->next;
	b->next = NULL;
}

/* The channel's fd is there: connect its signals and listen. */
static int chan_watch(struct bus_chan *b, int fd)
{
	int ret = libhv_chan_eventfd(fd, b->c->wake);

	if (!ret) {
		b->src.fd = fd;
		b->src.events = EPOLLIN;
		b->src.ready = chan_ready;
		ret = loop_add(b->m->loop, &b->src);
	}
	b->gone = false;
	if (ret) {
		close(fd);
		return ret;
	}
	b->fd = fd;
	chan_list(b);
	return 0;
}

static void sub_work(struct loop_work *w)
{
	struct bus_chan *b = dev_container(w, struct bus_chan, sub), *p = b->primary->host;
	int fd;

	if (b->fd >= 0 || !p || p->fd < 0)
		return;
	fd = libhv_chan_sub(p->fd, b->c->index, NULL);
	atomic_store(&b->c->packets, 0);	/* as the module's counters */
	if (fd >= 0)
		fd = chan_watch(b, fd);
	if (fd < 0)
		vmm_log(b->m->log, LOG_WARN, "VMBus sub-channel %u: %s", b->c->index, strerror(-fd));
}

static void wake_ready(struct loop_source *src, uint32_t events)
{
	struct bus_chan *b = dev_container(src, struct bus_chan, wake);
	uint64_t n;

	(void)events;
	if (read(src->fd, &n, sizeof(n)) == sizeof(n) && b->open)
		b->c->ops->signal(b->c);
}

/* The guest's signals come to the loop thread. */
static int wake_watch(struct bus_chan *b)
{
	int ret;

	b->c->wake = b->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (b->wake.fd < 0)
		return -errno;
	b->wake.events = EPOLLIN;
	b->wake.ready = wake_ready;
	ret = loop_add(b->m->loop, &b->wake);
	if (ret) {
		close(b->wake.fd);
		b->wake.fd = -1;
	}
	return ret;
}

static void wake_drop(struct bus_chan *b)
{
	if (b->wake.fd < 0)
		return;
	loop_del(b->m->loop, &b->wake);
	close(b->wake.fd);
	b->wake.fd = b->c->wake = -1;
}

static struct bus_chan *chan_host(struct machine *m, struct chan *c)
{
	struct bus_chan *b = c->host;

	if (b)
		return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		return NULL;
	b->m = m;
	b->c = c;
	b->fd = b->wake.fd = -1;
	b->closed.run = closed_work;
	b->sub.run = sub_work;
	c->host = b;
	return b;
}

int bus_chan_create(struct machine *m, const struct chan_offer *offer, struct chan *c)
{
	struct hv_channel_args args = {
		.flags = offer->pipe ? HV_CHANNEL_F_PIPE : 0, .max_sub_channels = offer->max_subs,
	};
	struct bus_chan *b = chan_host(m, c);
	int fd;

	if (!b)
		return -ENOMEM;
	memcpy(args.interface, offer->interface, sizeof(args.interface));
	memcpy(args.instance, offer->instance, sizeof(args.instance));
	fd = c->ops->signal ? wake_watch(b) : 0;
	if (!fd)
		fd = libhv_vm_channel(m->vm, &args);
	if (fd >= 0)
		fd = chan_watch(b, fd);
	if (fd < 0) {
		wake_drop(b);
		free(b);
		c->host = NULL;
		return fd == -ENOENT ? -ENODEV : fd;
	}
	return 0;
}

void bus_chan_sub_create(struct machine *m, struct chan *primary, struct chan *c)
{
	struct bus_chan *b = chan_host(m, c);

	if (!b)
		return;
	b->primary = primary;
	/* Its record comes next. */
	if (m->state == VMM_STATE_SETUP)
		sub_work(&b->sub);
	else
		loop_call(m->loop, &b->sub);
}

bool bus_chan_offered(struct machine *m, struct chan *c)
{
	struct bus_chan *b = c->host;

	(void)m;
	return b && (b->fd >= 0 || b->sub.queued);
}

void bus_chan_remove(struct machine *m, struct chan *c)
{
	struct bus_chan *b = c->host;

	if (!b)
		return;
	if (b->fd >= 0) {
		if (!b->gone)
			loop_del(m->loop, &b->src);
		close(b->fd);
	}
	chan_unlist(b);
	wake_drop(b);
	chan_unmap(b);
	loop_uncall(m->loop, &b->closed);
	loop_uncall(m->loop, &b->sub);
	free(b);
	c->host = NULL;
}

/* One that ends leaves the list only when it is offered anew. */
void bus_chan_events(struct machine *m)
{
	for (struct bus_chan *b = m->chans; b; b = b->next)
		if (b->fd >= 0 && !b->gone)
			chan_ready(&b->src, 0);
}

void bus_chan_each(struct machine *m, bus_chan_fn fn, void *arg)
{
	for (struct bus_chan *b = m->chans; b; b = b->next)
		if (b->fd >= 0)
			fn(arg, b->fd, b->c);
}

void bus_chan_signal(struct chan *c)
{
	struct bus_chan *b = c->host;

	/* Closed meanwhile: nobody is there to hear it. */
	libhv_chan_signal(b->fd);
}

void bus_chan_closed(struct machine *m, struct chan *c)
{
	struct bus_chan *b = c->host;

	loop_call(m->loop, &b->closed);
}

int bus_chan_gpadl_get(struct chan *c, uint32_t gpadl, struct chan_gpadl *out)
{
	struct bus_chan *b = c->host;
	struct hv_chan_gpadl_args info;
	uint32_t nr = 0;
	int ret = libhv_chan_gpadl(b->fd, gpadl, true, 0, NULL, &nr, &info);

	if (ret)
		return ret;
	*out = (struct chan_gpadl){ .npages = info.npages, .bytes = info.bytes, .offset = info.offset };
	out->pfns = calloc(info.npages, sizeof(*out->pfns));
	nr = info.npages;
	ret = out->pfns ? libhv_chan_gpadl(b->fd, gpadl, true, 0, out->pfns, &nr, NULL) : -ENOMEM;
	if (!ret && nr != out->npages)
		ret = -EPROTO;
	if (!ret)
		return 0;
	libhv_chan_ack(b->fd, HV_CHAN_EVENT_GPADL_TEARDOWN, gpadl);	/* given back */
	free(out->pfns);
	out->pfns = NULL;
	return ret;
}
