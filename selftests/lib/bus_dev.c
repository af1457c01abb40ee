// SPDX-License-Identifier: GPL-2.0-or-later
/* bus_dev.c - see bus_dev.h */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <hv/hv_bus.h>
#include <hvguest/vmbus.h>
#include "bus_dev.h"
#include "child.h"
#include "hvio.h"
#include "vmbus/lib/ring.h"

#define PAGE	4096u
#define SECONDS	250		/* then it is lost */

enum { FIRST, SECOND, SUB, CHANS };

struct chan {
	int fd, event;		/* -1: not there */
	uint8_t *map;
	uint32_t out_pages, in_pages;
	struct hv_ring in, out;	/* ours: in from the guest */
	bool open_waits, closed;
};

static struct chan chans[CHANS];
static bool hold_open, hold_acks, stalled, taken, buffer_ends;
static uint64_t ack_at;		/* ms; 0: not */
static int wrong;

static void must(bool good, const char *what)
{
	if (good)
		return;
	tap_note("device: %s", what);
	wrong++;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- openings ---- */

static size_t map_bytes(const struct chan *c)
{
	return (size_t)(c->out_pages + c->in_pages) * PAGE;
}

static void map_rings(struct chan *c, const struct hv_chan_event_args *e)
{
	c->out_pages = e->out_pages;
	c->in_pages = e->in_pages;
	c->map = mmap(NULL, map_bytes(c), PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	if (c->map == MAP_FAILED)
		tap_bail("mapping the rings");
	must(!hv_ring_consumer(&c->in, c->map, c->map + PAGE, e->out_pages) &&
	     !hv_ring_producer(&c->out, c->map + e->out_pages * PAGE,
			       c->map + (e->out_pages + 1) * PAGE, e->in_pages), "rings make no sense");
}

static void unmap_rings(struct chan *c)
{
	if (c->map)
		munmap(c->map, map_bytes(c));
	c->map = NULL;
}

/* What the guest had there must not be seen any more. */
static void rings_are_zeros(struct chan *c)
{
	size_t i, bytes = c->map ? map_bytes(c) : 0;
	uint8_t sum = 0;

	for (i = 0; i < bytes; i += 8)
		sum |= c->map[i];
	must(!sum, "revoked rings are not zeros");
}

/* The guest may have given up meanwhile. */
static void answer_open(struct chan *c)
{
	struct hv_chan_open_result_args r = { 0 };
	long ret = hv_try(c->fd, HV_CHAN_SET_OPEN_RESULT, &r);

	c->open_waits = false;
	must(!ret || ret == -ESTALE || ret == -ENXIO, "an opening can not be answered");
}

static void let_go(struct chan *c)
{
	struct hv_chan_ack_args a = { .kind = HV_CHAN_EVENT_CLOSED };
	long ret;

	c->closed = false;
	ret = hv_try(c->fd, HV_CHAN_ACK, &a);
	must(!ret || ret == -ENXIO, "a close can not be acknowledged");
}

static void give_back(void)
{
	struct hv_chan_ack_args a = { .kind = HV_CHAN_EVENT_GPADL_TEARDOWN, .gpadl = BUS_BUFFER };

	buffer_ends = taken = false;
	hv_try(chans[FIRST].fd, HV_CHAN_ACK, &a);
}

static void let_go_of_all(void)
{
	struct chan *c;

	hold_acks = hold_open = false;
	ack_at = 0;
	if (buffer_ends)
		give_back();
	for (c = chans; c < chans + CHANS; c++)
		if (c->closed)
			let_go(c);
}

static void take_event(struct chan *c, const struct hv_chan_event_args *e)
{
	switch (e->kind) {
	case HV_CHAN_EVENT_OPEN:
		map_rings(c, e);
		if (hold_open)
			c->open_waits = true;
		else
			answer_open(c);
		break;
	case HV_CHAN_EVENT_CLOSED:
		rings_are_zeros(c);
		unmap_rings(c);
		c->open_waits = false;
		c->closed = true;
		if (c == &chans[FIRST] && e->event_flags & HV_CHAN_EVENT_F_RESET)
			taken = buffer_ends = stalled = false;
		if (!hold_acks)
			let_go(c);
		break;
	case HV_CHAN_EVENT_GPADL_TEARDOWN:
		must(taken && e->gpadl == BUS_BUFFER, "a teardown of something not taken");
		buffer_ends = true;
		if (!hold_acks)
			give_back();
		break;
	}
}

static void take_events(struct chan *c)
{
	struct hv_chan_event_args e;

	for (;;) {
		memset(&e, 0, sizeof(e));
		if (c->fd < 0 || hv_try(c->fd, HV_CHAN_GET_EVENT, &e))
			return;
		take_event(c, &e);
	}
}

/* ---- packets ---- */

static void echo(struct chan *c)
{
	struct hv_ring_packet p;
	uint8_t buf[2048];
	uint32_t i, len;

	if (!c->map || c->closed || c->open_waits || (c == &chans[FIRST] && stalled))
		return;
	do {
		hv_ring_mask(&c->in);
		while (!hv_ring_peek(&c->in, &p)) {
			len = hv_ring_payload(&p);
			/* Revoked under our hands, it is zeros. */
			if (len > sizeof(buf) || hv_ring_copy(&c->in, &p, p.header_bytes, buf, len))
				return;
			for (i = 0; i < len; i++)
				buf[i]++;
			hv_ring_next(&c->in, &p);
			hv_ring_release(&c->in);
			hv_ring_complete(&c->out, p.transaction, buf, len);
			hv_ring_publish(&c->out);
			hv_raw(c->fd, HV_CHAN_SIGNAL, NULL);
		}
	} while (hv_ring_unmask(&c->in));
}

/* ---- channels ---- */

static void chan_add(struct chan *c, int fd)
{
	struct hv_chan_eventfd_args ev = { 0 };

	c->fd = fd;
	c->event = eventfd(0, EFD_NONBLOCK);
	ev.fd = c->event;
	hv_do(fd, HV_CHAN_SET_EVENTFD, &ev);
}

/* The channel is over with its last mapping. */
static void chan_close(struct chan *c)
{
	if (c->fd < 0)
		return;
	close(c->fd);
	close(c->event);
	c->fd = c->event = -1;
	unmap_rings(c);
	c->closed = c->open_waits = false;
}

/* One of the last sub-channel is over, at the latest when the guest opened its primary one anew. */
static void sub_add(void)
{
	struct hv_chan_sub_args s = { .index = 1 };
	long fd;

	take_events(&chans[SUB]);
	chan_close(&chans[SUB]);
	fd = hv_try(chans[FIRST].fd, HV_CHAN_CREATE_SUB, &s);
	must(fd >= 0, "no sub-channel");
	if (fd >= 0)
		chan_add(&chans[SUB], (int)fd);
}

static void take_buffer(void)
{
	uint64_t pfn[20];
	struct hv_chan_gpadl_args g = { .flags = HV_GPADL_F_TAKE, .gpadl = BUS_BUFFER, .nr = 20,
					.addr = (uintptr_t)pfn };

	must(!hv_try(chans[FIRST].fd, HV_CHAN_GET_GPADL, &g) && g.nr == 20, "the buffer's GPADL");
	taken = true;
}

/* After a reset of the VM: no connection, no mapping; who has let go is as new. */
static void look(void)
{
	struct hv_chan_info_args info = { 0 };
	struct chan *c;

	for (c = chans; c < chans + CHANS; c++) {
		if (c->fd < 0)
			continue;
		must(!c->map || !c->map[0], "rings are shown after a reset");
		hv_do(c->fd, HV_CHAN_GET_INFO, &info);
		must(info.state == HV_CHAN_HIDDEN || info.state == HV_CHAN_DRAINING ||
		     info.state == HV_CHAN_DEAD, "a channel outlived a reset");
		must(!info.version, "a connection outlived a reset");
		must(hv_counter(c->fd, HV_CHAN_GET_STATS, "ring_faults") ==
		     hv_counter(c->fd, HV_CHAN_GET_STATS, "ring_zaps"), "a host page is still held");
		take_events(c);
	}
}

static void do_rescind(void)
{
	struct hv_chan_rescind_args r = { 0 };

	must(!hv_try(chans[SECOND].fd, HV_CHAN_RESCIND, &r), "rescind");
}

/* The VMM is dead, or has closed its fds: all channels are over, and harmless. */
static void after_vm(void)
{
	struct hv_chan_event_args e = { 0 };
	struct chan *c;
	struct pollfd p;
	long ret;

	for (c = chans; c < chans + CHANS; c++) {
		if (c->fd < 0)
			continue;
		p = (struct pollfd){ .fd = c->fd };
		must(poll(&p, 1, LATE_MS) == 1 && p.revents & POLLHUP, "no HUP when the VM is gone");
		while (!(ret = hv_try(c->fd, HV_CHAN_GET_EVENT, &e)))
			;
		must(ret == -ENXIO, "an event of a VM that is gone");
		must(hv_raw(c->fd, HV_CHAN_SIGNAL, NULL) == -ENXIO, "a signal to it");
		rings_are_zeros(c);
		chan_close(c);
	}
}

static void close_all(void)
{
	struct chan *c;

	for (c = chans; c < chans + CHANS; c++)
		chan_close(c);
}

static void answer(int sock)
{
	if (send(sock, "", 1, MSG_NOSIGNAL) != 1)
		tap_note("device: its VMM has gone");
}

static void end_by(int sock, void (*how)(void))
{
	how();
	answer(sock);
	_exit(wrong);
}

static void tell_done(int sock, uint8_t what)
{
	struct chan *c;

	for (c = chans; c < chans + CHANS; c++)
		take_events(c);
	switch (what) {
	case DO_HOLD_OPEN: hold_open = true; break;
	case DO_OPEN:
		hold_open = false;
		if (chans[FIRST].open_waits)
			answer_open(&chans[FIRST]);
		break;
	case DO_SUB: sub_add(); break;
	case DO_STALL: stalled = true; break;
	case DO_RESUME: stalled = false; echo(&chans[FIRST]); break;
	case DO_TAKE: take_buffer(); break;
	case DO_HOLD_ACKS: hold_acks = true; break;
	case DO_ACK_FIRST:
		if (chans[FIRST].closed)
			let_go(&chans[FIRST]);
		break;
	case DO_ACK: let_go_of_all(); break;
	case DO_RESCIND: do_rescind(); break;
	case DEV_LOOK: look(); break;
	case DEV_ACK_SOON: ack_at = now_ms() + (uint64_t)rand() % 40; break;
	case DEV_CLOSE: end_by(sock, close_all); break;
	case DEV_VM_GONE: end_by(sock, after_vm); break;
	}
	answer(sock);
}

static void serve(int sock)
{
	struct pollfd p[1 + 2 * CHANS];
	uint64_t n, end = now_ms() + SECONDS * 1000;
	uint8_t what;
	int i;

	for (;;) {
		p[0] = (struct pollfd){ .fd = sock, .events = POLLIN };
		for (i = 0; i < CHANS; i++) {
			p[1 + 2 * i] = (struct pollfd){ .fd = chans[i].fd, .events = POLLIN };
			p[2 + 2 * i] = (struct pollfd){ .fd = chans[i].event, .events = POLLIN };
		}
		poll(p, 1 + 2 * CHANS, 10);
		if (p[0].revents) {
			if (read(sock, &what, 1) != 1)
				break;
			tell_done(sock, what);
		}
		for (i = 0; i < CHANS; i++) {
			if (chans[i].event >= 0 && read(chans[i].event, &n, 8) < 0)
				n = 0;
			take_events(&chans[i]);
			echo(&chans[i]);
		}
		if (ack_at && now_ms() >= ack_at)
			let_go_of_all();
		if (now_ms() > end) {
			must(false, "its VMM lives for ever");
			break;
		}
	}
	after_vm();
}

static void live(int sock)
{
	int i, fd;

	for (i = 0; i < CHANS; i++)
		chans[i].fd = chans[i].event = -1;
	for (i = FIRST; i <= SECOND; i++) {
		fd = child_recv_fd(sock);
		if (fd < 0)
			_exit(wrong);	/* not needed */
		chan_add(&chans[i], fd);
	}
	serve(sock);
	_exit(wrong);
}

/* ---- from outside ---- */

void bus_dev_start(struct bus_dev *d, const int *others)
{
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s))
		tap_bail("socketpair");
	d->sock = s[0];
	d->pid = fork();
	if (!d->pid) {
		close(s[0]);
		for (; *others >= 0; others++)
			close(*others);
		live(s[1]);
	}
	close(s[1]);
	if (d->pid < 0)
		tap_bail("fork");
}

void bus_dev_give(struct bus_dev *d, int first, int second)
{
	if (child_send_fd(d->sock, first) || child_send_fd(d->sock, second))
		tap_note("the device is dead");
	close(first);
	close(second);
}

bool bus_dev_tell(struct bus_dev *d, uint8_t what)
{
	return send(d->sock, &what, 1, MSG_NOSIGNAL) == 1 && read(d->sock, &what, 1) == 1;
}
