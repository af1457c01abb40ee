// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bus of a VM and channel fds: rules of the calls, a device that echoes the packets of
 * selftests/guest/vmbus.c from a process of its own, and memory exchanged below its mapping.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <hv/hv_bus.h>
#include <hvguest/vmbus.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/child.h"
#include "selftests/lib/hvio.h"
#include "selftests/lib/uffd.h"
#include "vmbus/lib/ring.h"

#define PAGE	4096u
#define BUFFER	0xe1e11u

enum { DO_HOLD_ACKS = 1, DO_ACK = 2, DO_REFUSE = 3, DO_SWAP_PAGE = 4, DO_SWAP_SLOT = 5,
       DO_RESCIND = 6, DO_CHECK_ZEROS = 7, DO_SUB = 8, DO_TAKE = 9, DO_GIVE_BACK = 10,
       DO_NOW_OFFER = 11, DO_STALL = 12, DO_RESUME = 13 };

/* The device of the first channel; @lock lets the vCPU's thread in for what the guest asks. */
static struct device {
	pthread_mutex_t lock;
	pthread_t thread;
	int chan, second, sub, event;
	volatile int stop;
	bool hold, refuse, closed, stalled;
	uint8_t *map, *stale;
	uint32_t out_pages, in_pages;
	struct hv_ring in, out;		/* ours: in from the guest */
	unsigned int opens, resets, packets, broken, modified;
	bool any;			/* what the guest asks for may be nonsense */
} dev = { .lock = PTHREAD_MUTEX_INITIALIZER, .second = -1, .sub = -1 };

static uint8_t *ram;
static struct bare *machine;

static void channel_args(struct hv_channel_args *a, int n)
{
	memset(a, 0, sizeof(*a));
	a->interface[15] = 0x77;
	a->instance[0] = (uint8_t)(0xa1 + n);
	a->mmio_megabytes = 8;
	a->max_sub_channels = n ? 0 : 2;
	a->flags = n ? HV_CHANNEL_F_PIPE : 0;
	a->user_defined[5] = 0x55;
}

/* ---- the device ---- */

static void dev_map(const struct hv_chan_event_args *e)
{
	size_t bytes = (size_t)(e->out_pages + e->in_pages) * PAGE;

	dev.map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dev.chan, 0);
	if (dev.map == MAP_FAILED)
		tap_bail("mapping the rings");
	dev.out_pages = e->out_pages;
	dev.in_pages = e->in_pages;
	if (hv_ring_consumer(&dev.in, dev.map, dev.map + PAGE, e->out_pages) ||
	    hv_ring_producer(&dev.out, dev.map + e->out_pages * PAGE,
			     dev.map + (e->out_pages + 1) * PAGE, e->in_pages))
		dev.broken++;
}

static void dev_ack(void)
{
	struct hv_chan_ack_args a = { .kind = HV_CHAN_EVENT_CLOSED };

	if (!dev.closed)
		return;
	dev.closed = false;
	dev.broken += hv_try(dev.chan, HV_CHAN_ACK, &a) != 0;
}

static void dev_opened(const struct hv_chan_event_args *e)
{
	struct hv_chan_open_result_args r = { .status = dev.refuse ? VMB_STATUS_UNSUCCESSFUL : 0 };

	dev.opens++;
	if (!dev.any)
		dev.broken += e->out_pages != 10 || e->in_pages != 30 || e->user_defined[2] != 3;
	if (!dev.refuse)
		dev_map(e);
	dev.refuse = false;
	dev.broken += hv_try(dev.chan, HV_CHAN_SET_OPEN_RESULT, &r) != 0;
}

static void dev_events(void)
{
	struct hv_chan_event_args e;

	for (;;) {
		memset(&e, 0, sizeof(e));
		if (hv_try(dev.chan, HV_CHAN_GET_EVENT, &e))
			return;
		if (e.kind == HV_CHAN_EVENT_OPEN) {
			dev_opened(&e);
		} else if (e.kind == HV_CHAN_EVENT_CLOSED) {
			dev.resets += e.event_flags & HV_CHAN_EVENT_F_RESET;
			dev.closed = true;
			dev.stale = dev.map;	/* leaked on purpose: it stays harmless */
			dev.map = NULL;
			if (!dev.hold)
				dev_ack();
		} else if (e.kind == HV_CHAN_EVENT_MODIFIED) {
			dev.modified++;
		}
	}
}

static void dev_packets(void)
{
	uint8_t buf[4096];
	struct hv_ring_packet p;
	uint32_t i, len;

	if (!dev.map || dev.stalled)
		return;
	do {
		hv_ring_mask(&dev.in);
		while (!hv_ring_peek(&dev.in, &p)) {
			len = hv_ring_payload(&p);
			if (len > sizeof(buf) || hv_ring_copy(&dev.in, &p, p.header_bytes, buf, len)) {
				dev.broken++;
				return;
			}
			for (i = 0; i < len; i++)
				buf[i]++;
			hv_ring_next(&dev.in, &p);
			hv_ring_release(&dev.in);
			if (hv_ring_complete(&dev.out, p.transaction, buf, len))
				dev.broken++;
			/* always: the guest waits for the flag of each */
			hv_ring_publish(&dev.out);
			hv_raw(dev.chan, HV_CHAN_SIGNAL, NULL);
			dev.packets++;
		}
	} while (hv_ring_unmask(&dev.in));
}

static void *dev_thread(void *arg)
{
	struct pollfd fds[2] = { { .fd = dev.chan, .events = POLLIN },
				 { .fd = dev.event, .events = POLLIN } };
	uint64_t n;

	(void)arg;
	while (!dev.stop) {
		poll(fds, 2, 50);
		if (read(dev.event, &n, 8) < 0)
			n = 0;
		pthread_mutex_lock(&dev.lock);
		dev_events();
		dev_packets();
		pthread_mutex_unlock(&dev.lock);
	}
	return NULL;
}

/* ---- what the guest asks for ---- */

/* Find the host address of a ring page: by what stands in it. */
static uint64_t ring_gpa(uint32_t page)
{
	struct hv_chan_info_args info = { 0 };
	uint64_t pfn = 0;
	struct hv_chan_gpadl_args g = { .first = page, .nr = 1, .addr = (uintptr_t)&pfn };

	hv_do(dev.chan, HV_CHAN_GET_INFO, &info);
	g.gpadl = info.gpadl;
	hv_do(dev.chan, HV_CHAN_GET_GPADL, &g);
	return pfn * PAGE;
}

/* Another host page where a ring's page is, with the same content: the mapping must follow. */
static void swap_page(void)
{
	uint8_t *at = ram + ring_gpa(1), *copy = malloc(PAGE);
	uint8_t *seen = dev.map + PAGE;

	memcpy(copy, at, PAGE);
	tap_ok(!memcmp(seen, copy, PAGE), "mapping and guest memory are the same");
	if (mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
		tap_bail("mmap");
	tap_ok(!seen[8] && !seen[9], "a page exchanged by the VMM shows at once");
	memcpy(at, copy, PAGE);
	tap_ok(!memcmp(seen, copy, PAGE), "and what is written there");
	madvise(at, PAGE, MADV_DONTNEED);
	tap_ok(!seen[8], "discarded: zeros");
	memcpy(seen, copy, PAGE);
	tap_ok(!memcmp(at, copy, PAGE), "written through the mapping: in guest memory");
	free(copy);
}

static void swap_slot(void)
{
	struct hv_slot_args s = { .slot = 0, .vnode = HV_NO_VNODE, .bytes = BARE_RAM, .fd = -1 };
	uint8_t *old = ram, *seen = dev.map + PAGE;
	uint64_t at = ring_gpa(1);

	ram = mmap(NULL, BARE_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memcpy(ram, old, BARE_RAM);
	seen[5]++;	/* fault it in for writing */
	ram[at + 5] = old[at + 5];
	s.host_addr = (uintptr_t)ram;
	hv_do(machine->vm, HV_VM_SET_SLOT, &s);
	old[at + 5] ^= 0xff;
	tap_ok(seen[5] == ram[at + 5], "a slot's backing replaced: the mapping shows the new one");
	seen[6] ^= 1;
	tap_ok(ram[at + 6] == seen[6] && old[at + 6] != seen[6], "and writes there alone");
	memset(old, 0xee, BARE_RAM);	/* nobody may see it */
	machine->ram = ram;
}

static void dev_take(bool take)
{
	struct hv_chan_gpadl_args g = { .flags = HV_GPADL_F_TAKE, .gpadl = BUFFER, .nr = 30 };
	struct hv_chan_ack_args a = { .kind = HV_CHAN_EVENT_GPADL_TEARDOWN, .gpadl = BUFFER };
	uint64_t pfn[30];

	g.addr = (uintptr_t)pfn;
	if (!take) {
		tap_is(hv_try(dev.chan, HV_CHAN_ACK, &a), 0, "the device gives a GPADL back");
		tap_is(hv_try(dev.chan, HV_CHAN_ACK, &a), -ESTALE, "once");
		return;
	}
	tap_is(hv_try(dev.chan, HV_CHAN_GET_GPADL, &g), 0, "the device takes a GPADL");
	tap_ok(g.nr == 20 && g.npages == 20 && g.bytes == 20 * PAGE && !g.offset, "its sizes");
	tap_ok(pfn[19] == pfn[0] + 19, "its pages");
	g.first = 18;
	tap_ok(!hv_try(dev.chan, HV_CHAN_GET_GPADL, &g) && g.nr == 2 && pfn[0] == pfn[1] - 1, "a part of it");
	g.first = 21;
	tap_is(hv_try(dev.chan, HV_CHAN_GET_GPADL, &g), -EINVAL, "beyond its end");
	g.gpadl = 999;
	tap_is(hv_try(dev.chan, HV_CHAN_GET_GPADL, &g), -ENOENT, "another's handle");
}

static void dev_rescind(void)
{
	struct hv_chan_rescind_args r = { 0 };

	tap_is(hv_try(dev.second, HV_CHAN_RESCIND, &r), 0, "rescind");
	tap_is(hv_try(dev.second, HV_CHAN_RESCIND, &r), -EALREADY, "twice");
}

/* The guest has released it: its instance may be used again. */
static void dev_offer_again(void)
{
	struct pollfd p = { .fd = dev.second, .events = POLLIN };
	struct hv_chan_event_args e = { 0 };
	struct hv_channel_args a;

	tap_ok(poll(&p, 1, LATE_MS) == 1 && (p.revents & POLLHUP), "HUP after the release");
	tap_is(hv_try(dev.second, HV_CHAN_GET_EVENT, &e), 0, "an event");
	tap_is(e.kind, HV_CHAN_EVENT_RELEASED, "that says so");
	close(dev.second);
	channel_args(&a, 1);
	dev.second = (int)hv_try(machine->vm, HV_VM_CREATE_CHANNEL, &a);
	tap_ok(dev.second >= 0, "the instance is free again");
}

static void dev_sub(void)
{
	struct hv_chan_sub_args s = { .index = 1 };

	dev.sub = (int)hv_try(dev.chan, HV_CHAN_CREATE_SUB, &s);
	tap_ok(dev.sub >= 0 && s.relid, "a sub-channel");
	tap_is(hv_try(dev.chan, HV_CHAN_CREATE_SUB, &s), -EEXIST, "its index is taken");
	s.index = 3;
	tap_is(hv_try(dev.chan, HV_CHAN_CREATE_SUB, &s), -EINVAL, "beyond the last index");
	s.index = 1;
	tap_is(hv_try(dev.sub, HV_CHAN_CREATE_SUB, &s), -EINVAL, "a sub-channel has none");
}

/* What was mapped while the channel was open: zeros, and writes that lead nowhere. */
static void check_zeros(void)
{
	uint64_t i, sum = 0, bytes = (uint64_t)(dev.out_pages + dev.in_pages) * PAGE;

	for (i = 0; i < bytes; i++)
		sum += dev.stale[i];
	tap_ok(!sum, "after the close the mapping shows zeros");
	memset(dev.stale, 0x99, bytes);
	tap_ok(dev.stale[0] == 0x99, "may be written");
}

static void port(struct bare *b, struct hv_run *run)
{
	uint32_t what;

	(void)b;
	memcpy(&what, (uint8_t *)run + HV_RUN_PIO_DATA, sizeof(what));
	pthread_mutex_lock(&dev.lock);
	dev_events();
	switch (what) {
	case DO_HOLD_ACKS: dev.hold = true; break;
	case DO_ACK: dev.hold = false; dev_ack(); break;
	case DO_REFUSE: dev.refuse = true; break;
	case DO_SWAP_PAGE: swap_page(); break;
	case DO_SWAP_SLOT: swap_slot(); break;
	case DO_RESCIND: dev_rescind(); break;
	case DO_CHECK_ZEROS: check_zeros(); break;
	case DO_SUB: dev_sub(); break;
	case DO_TAKE: dev_take(true); break;
	case DO_GIVE_BACK: dev_take(false); break;
	case DO_NOW_OFFER: dev_offer_again(); break;
	case DO_STALL: dev.stalled = true; break;
	case DO_RESUME: dev.stalled = false; dev_packets(); break;
	}
	pthread_mutex_unlock(&dev.lock);
}

static void prepare(struct bare *b)
{
	struct hv_bus_args bus = { 0 };
	struct hv_chan_eventfd_args ev = { 0 };
	struct hv_channel_args a;

	machine = b;
	hv_do(b->vm, HV_VM_CREATE_BUS, &bus);
	channel_args(&a, 0);
	dev.chan = (int)hv_do(b->vm, HV_VM_CREATE_CHANNEL, &a);
	channel_args(&a, 1);
	dev.second = (int)hv_do(b->vm, HV_VM_CREATE_CHANNEL, &a);
	dev.event = eventfd(0, EFD_NONBLOCK);
	ev.fd = dev.event;
	hv_do(dev.chan, HV_CHAN_SET_EVENTFD, &ev);
	pthread_create(&dev.thread, NULL, dev_thread, NULL);
}

static void leave(struct bare *b)
{
	(void)b;
	dev.stop = 1;
	pthread_join(dev.thread, NULL);
}

static void test_guest(void)
{
	struct bare b = { .image = "build/guest/vmbus.elf", .cpus = 2, .seconds = 200,
			  .prepare = prepare, .port = port, .leave = leave };
	struct hv_chan_event_args e = { 0 };
	struct pollfd p;

	ram = mmap(NULL, BARE_RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	b.ram = ram;
	tap_is(bare_run(&b), 0, "guest vmbus");
	tap_is(dev.broken, 0, "the device met nothing strange");
	tap_ok(dev.packets > 700, "packets: %u", dev.packets);
	tap_ok(dev.opens >= 7, "openings: %u", dev.opens);
	tap_is(dev.resets, 3, "closings by the end of a connection");
	tap_ok(dev.modified >= 2, "changes of the target: %u", dev.modified);
	p = (struct pollfd){ .fd = dev.chan, .events = POLLIN };
	tap_ok(poll(&p, 1, LATE_MS) == 1 && (p.revents & POLLHUP), "the VM is gone: HUP");
	while (!hv_try(dev.chan, HV_CHAN_GET_EVENT, &e))
		;
	tap_is(hv_try(dev.chan, HV_CHAN_GET_EVENT, &e), -ENXIO, "and no calls");
	tap_is(hv_raw(dev.chan, HV_CHAN_SIGNAL, NULL), -ENXIO, "nor signals");
	close(dev.chan);
	close(dev.second);
	close(dev.sub);
}

/* The device may find anything in its rings; it closes them in its mind and goes on. */
static void test_hostile(void)
{
	struct bare b = { .image = "build/guest/vmbus_hostile.elf", .cpus = 1, .seconds = 250,
			  .prepare = prepare, .port = port, .leave = leave };

	memset(&dev, 0, sizeof(dev));
	dev.sub = -1;
	dev.any = true;
	pthread_mutex_init(&dev.lock, NULL);
	tap_is(bare_run(&b), 0, "guest vmbus_hostile");
	tap_ok(dev.opens > 1, "it got as far as %u openings", dev.opens);
	close(dev.chan);
	close(dev.second);
}

static void test_no_bus(void)
{
	struct bare b = { .image = "build/guest/vmbus.elf", .append = "nobus=1", .cpus = 1,
			  .seconds = 60 };

	tap_is(bare_run(&b), 0, "guest of a VM without a bus");
}

/* ---- rules ---- */

static long signal_from(void *arg)
{
	return hv_raw(*(int *)arg, HV_CHAN_SIGNAL, NULL);
}

/* All channels of a bus are open at once. */
static void fds_allow(rlim_t n)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l))
		tap_bail("getrlimit");
	if (l.rlim_cur >= n)
		return;
	l.rlim_cur = n;
	if (l.rlim_max < n)
		l.rlim_max = n;
	if (setrlimit(RLIMIT_NOFILE, &l))
		tap_bail("this test needs %lu open files, and the limit can not be raised to it",
			 (unsigned long)n);
}

static void test_rules(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 1), plain = hv_vm_new(sys, HV_VM_F_NO_TLFS, 1);
	struct hv_bus_args bus = { 0 };
	struct hv_channel_args a;
	struct hv_chan_event_args e = { 0 };
	struct hv_chan_ack_args ack = { .kind = HV_CHAN_EVENT_CLOSED };
	struct hv_chan_open_result_args res = { 0 };
	struct hv_chan_info_args info = { 0 };
	struct hv_chan_eventfd_args ev = { .fd = 9999 };
	struct hv_stats_args st = { 0 };
	int c, n, fds[2100];
	uint8_t *m;

	fds_allow(2200);
	channel_args(&a, 0);
	tap_is(hv_try(vm, HV_VM_CREATE_CHANNEL, &a), -ENOENT, "a channel without a bus");
	tap_is(hv_try(plain, HV_VM_CREATE_BUS, &bus), -EOPNOTSUPP, "a bus without the TLFS");
	bus.max_version = 0x50004;
	tap_is(hv_try(vm, HV_VM_CREATE_BUS, &bus), -EINVAL, "a version that is none");
	bus.max_version = VMB_VERSION_WIN10;
	tap_is(hv_try(vm, HV_VM_CREATE_BUS, &bus), 0, "a bus");
	tap_is(hv_try(vm, HV_VM_CREATE_BUS, &bus), -EEXIST, "one is enough");
	c = (int)hv_try(vm, HV_VM_CREATE_CHANNEL, &a);
	tap_ok(c >= 0 && a.relid == 1 && a.connection == 0x2001, "a channel");
	tap_is(hv_try(vm, HV_VM_CREATE_CHANNEL, &a), -EEXIST, "its instance is taken");
	memset(a.interface, 0, sizeof(a.interface));
	tap_is(hv_try(vm, HV_VM_CREATE_CHANNEL, &a), -EINVAL, "no class");
	tap_is(hv_try(c, HV_CHAN_GET_EVENT, &e), -EAGAIN, "no event");
	tap_is(hv_try(c, HV_CHAN_ACK, &ack), -ESTALE, "nothing to acknowledge");
	tap_is(hv_try(c, HV_CHAN_SET_OPEN_RESULT, &res), -ESTALE, "nothing to answer");
	tap_is(hv_try(c, HV_CHAN_SET_EVENTFD, &ev), -EBADF, "no eventfd");
	ev.fd = vm;
	tap_is(hv_try(c, HV_CHAN_SET_EVENTFD, &ev), -EINVAL, "not an eventfd");
	ev.fd = -1;
	tap_is(hv_try(c, HV_CHAN_SET_EVENTFD, &ev), 0, "none");
	tap_is(hv_raw(c, HV_CHAN_SIGNAL, NULL), -EAGAIN, "a signal while it is closed");
	tap_is(child_call(signal_from, &c), -EAGAIN, "from another process, too");
	tap_is(hv_try(c, HV_CHAN_GET_STATS, &st), 0, "counters");
	tap_ok(st.len > 100, "are there");
	tap_is(hv_try(c, HV_CHAN_GET_INFO, &info), 0, "what it is");
	tap_ok(info.state == HV_CHAN_HIDDEN && info.relid == 1 && info.instance[0] == 0xa1, "told");
	tap_is(hv_raw(c, HV_VM_RESET, NULL), -ENOTTY, "not a VM's call");
	m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c, 0);
	tap_ok(m != MAP_FAILED && !m[0] && !m[3 * PAGE], "mapped while closed: zeros");
	m[0] = 1;
	tap_ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, c, 0) == MAP_FAILED, "not privately");
	tap_ok(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, c, 0) == MAP_FAILED, "nor for code");
	channel_args(&a, 0);
	for (n = 0; n < 2100; n++) {
		a.instance[1] = (uint8_t)(n >> 8);
		a.instance[2] = (uint8_t)n;
		a.instance[3] = 1;
		fds[n] = (int)hv_try(vm, HV_VM_CREATE_CHANNEL, &a);
		if (fds[n] < 0)
			break;
	}
	tap_ok(n == 2046 && fds[n] == -ENOSPC, "%d more channels, and then %d", n, fds[n]);
	while (n--)
		close(fds[n]);
	fds[0] = (int)hv_try(vm, HV_VM_CREATE_CHANNEL, &a);
	tap_ok(fds[0] >= 0, "and they are free again");
	close(vm);
	tap_is(hv_try(c, HV_CHAN_GET_INFO, &info), 0, "the fd outlives the VM");
	tap_is(info.state, HV_CHAN_DEAD, "but the channel is over");
	m[PAGE] = 2;
	tap_ok(m[PAGE] == 2, "and its mapping harmless");
	close(fds[0]);
	close(c);
	m[2 * PAGE] = 3;
	close(plain);
}

/* ---- records ---- */

static long record(int vm, unsigned long cmd, uint32_t rec, uint32_t index, void *buf, uint32_t *len)
{
	struct hv_state_args a = { .size = sizeof(a), .record = rec, .index = index,
				   .addr = (uintptr_t)buf, .len = *len, .version = 1 };
	long ret = hv_raw(vm, cmd, &a);

	*len = a.len;
	return ret;
}

static long rec_set(int vm, uint32_t rec, const void *buf, uint32_t len)
{
	return record(vm, HV_VM_SET_STATE, rec, 0, (void *)(uintptr_t)buf, &len);
}

/* What is read back is what was set. */
static void rec_same(int vm, uint32_t rec, uint32_t index, const void *want, uint32_t bytes,
		     const char *what)
{
	uint8_t buf[512];
	uint32_t len = sizeof(buf);
	long ret = record(vm, HV_VM_GET_STATE, rec, index, buf, &len);

	tap_ok(!ret && len == bytes && !memcmp(buf, want, len), "%s reads back as it was set", what);
}

static struct hv_rec_bus_channel channel_record(int n, uint32_t relid, uint32_t state)
{
	struct hv_rec_bus_channel r = { .relid = relid, .state = state, .opening = 3 };
	struct vmb_open m = { .header.type = VMB_MSG_OPEN, .relid = relid, .open_id = relid,
			      .gpadl = 5, .downstream = 2, .user_defined = { 9, 8, 7 } };

	r.interface[15] = 0x77;
	r.instance[0] = (uint8_t)(0xa1 + n);
	memcpy(r.open, &m, sizeof(m));
	return r;
}

/* A bus as another process left it, with the first channel open. */
static void test_records(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 1), c[2];
	uint8_t *mem = hv_ram_new(vm, 0, 0, 16 * PAGE), *m;
	struct hv_bus_args bus = { 0 };
	struct hv_rec_bus rb = { .max_version = VMB_VERSION_WIN10_V5_3, .state = 1,
				 .version = VMB_VERSION_WIN10_V5_3, .offers = 1 };
	struct hv_rec_bus_channel rc[2] = { channel_record(0, 2, HV_CHAN_OPEN),
					    channel_record(1, 1, HV_CHAN_OFFERED) }, bad;
	struct { struct hv_rec_bus_gpadl h; uint64_t pfn[4]; } rg = {
		{ .relid = 2, .gpadl = 5, .npages = 4, .bytes = 4 * PAGE, .have = 4 }, { 7, 3, 9, 1 } };
	struct vmb_relid waiting = { .header.type = VMB_MSG_RESCIND, .relid = 77 };
	struct hv_chan_event_args e = { 0 };
	struct hv_chan_info_args info = { 0 };
	struct hv_channel_args a;
	struct hv_reset_args reset = { 0 };
	uint32_t len = sizeof(rb);
	int i;

	tap_is(record(vm, HV_VM_GET_STATE, HV_REC_BUS, 0, &rb, &len), -ENOENT, "no bus, no record");
	tap_is(rec_set(vm, HV_REC_BUS, &rb, sizeof(rb)), -ENOENT, "nor one to set");
	hv_do(vm, HV_VM_CREATE_BUS, &bus);
	for (i = 0; i < 2; i++) {
		channel_args(&a, i);
		c[i] = (int)hv_do(vm, HV_VM_CREATE_CHANNEL, &a);
	}
	tap_is(rec_set(vm, HV_REC_BUS_CHANNEL, &rc[0], sizeof(rc[0])), -EINVAL, "a channel before the bus");
	rb.version = 0;
	tap_is(rec_set(vm, HV_REC_BUS, &rb, sizeof(rb)), -EINVAL, "connected without a version");
	rb.version = VMB_VERSION_WIN10_V5_3;
	tap_is(rec_set(vm, HV_REC_BUS, &rb, sizeof(rb)), 0, "the bus");
	tap_is(rec_set(vm, HV_REC_BUS, &rb, sizeof(rb)), -EBUSY, "once");
	bad = channel_record(5, 3, HV_CHAN_OFFERED);
	tap_is(rec_set(vm, HV_REC_BUS_CHANNEL, &bad, sizeof(bad)), -ENOENT, "a channel that is not here");
	bad = channel_record(0, 2048, HV_CHAN_OFFERED);
	tap_is(rec_set(vm, HV_REC_BUS_CHANNEL, &bad, sizeof(bad)), -EINVAL, "a relid that is none");
	tap_is(rec_set(vm, HV_REC_BUS_CHANNEL, &rc[0], sizeof(rc[0])), 0, "an open channel, renumbered");
	tap_is(rec_set(vm, HV_REC_BUS_CHANNEL, &rc[1], sizeof(rc[1])), 0, "the other one");
	tap_is(hv_try(c[0], HV_CHAN_GET_EVENT, &e), -EAGAIN, "no event before its rings are here");
	rg.h.have = 5;
	tap_is(rec_set(vm, HV_REC_BUS_GPADL, &rg, sizeof(rg)), -EINVAL, "more pages than there are");
	rg.h.have = 4;
	tap_is(rec_set(vm, HV_REC_BUS_GPADL, &rg, sizeof(rg)), 0, "the GPADL of its rings");
	tap_is(rec_set(vm, HV_REC_BUS_GPADL, &rg, sizeof(rg)), -EEXIST, "once");
	tap_is(hv_try(c[0], HV_CHAN_GET_EVENT, &e), 0, "an event");
	tap_ok(e.kind == HV_CHAN_EVENT_RESTORED && e.out_pages == 2 && e.in_pages == 2 &&
	       e.opening == 3 && e.user_defined[1] == 8, "it was restored, and how");
	tap_is(hv_try(c[0], HV_CHAN_GET_INFO, &info), 0, "told");
	tap_ok(info.relid == 2 && info.connection == 0x2002 && info.state == HV_CHAN_OPEN, "its numbers");
	m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c[0], 0);
	for (i = 0; i < 4; i++)
		mem[rg.pfn[i] * PAGE] = (uint8_t)(i + 1);
	tap_ok(m[0] == 1 && m[PAGE] == 2 && m[2 * PAGE] == 3 && m[3 * PAGE] == 4, "its rings, in order");
	tap_is(rec_set(vm, HV_REC_BUS_MESSAGE, &waiting, 4), -EINVAL, "half a message");
	waiting.relid = 77;
	hv_vcpu_new(vm, 0);		/* its SynIC is off: what is sent waits */
	tap_is(rec_set(vm, HV_REC_BUS_MESSAGE, &waiting, sizeof(waiting)), 0, "a message that waits");
	rec_same(vm, HV_REC_BUS_MESSAGE, 0, &waiting, sizeof(waiting), "it");
	rec_same(vm, HV_REC_BUS, 0, &rb, sizeof(rb), "the bus");
	rec_same(vm, HV_REC_BUS_CHANNEL, 0, &rc[0], sizeof(rc[0]), "the open channel");
	rec_same(vm, HV_REC_BUS_CHANNEL, 1, &rc[1], sizeof(rc[1]), "the other one");
	rec_same(vm, HV_REC_BUS_GPADL, 0, &rg, sizeof(rg), "the GPADL");
	len = sizeof(bad);
	tap_is(record(vm, HV_VM_GET_STATE, HV_REC_BUS_CHANNEL, 2, &bad, &len), -ENOENT, "and no more");
	hv_do(vm, HV_VM_RESET, &reset);
	tap_ok(!m[0] && !m[PAGE], "a reset of the VM takes the rings away");
	tap_ok(!hv_try(c[0], HV_CHAN_GET_EVENT, &e) && e.kind == HV_CHAN_EVENT_CLOSED &&
	       e.event_flags == HV_CHAN_EVENT_F_RESET, "and tells");
	close(c[0]);
	close(c[1]);
	close(vm);
	close(sys);
}

/* An open channel whose rings are pages 0 to 3 of memory, without a guest. */
static int channel_open(int vm)
{
	struct hv_bus_args bus = { 0 };
	struct hv_rec_bus rb = { .max_version = VMB_VERSION_WIN10_V5_3, .state = 1,
				 .version = VMB_VERSION_WIN10_V5_3, .offers = 1 };
	struct hv_rec_bus_channel rc = channel_record(0, 2, HV_CHAN_OPEN);
	struct { struct hv_rec_bus_gpadl h; uint64_t pfn[4]; } rg = {
		{ .relid = 2, .gpadl = 5, .npages = 4, .bytes = 4 * PAGE, .have = 4 }, { 0, 1, 2, 3 } };
	struct hv_channel_args a;
	int c;

	hv_do(vm, HV_VM_CREATE_BUS, &bus);
	channel_args(&a, 0);
	c = (int)hv_do(vm, HV_VM_CREATE_CHANNEL, &a);
	if (rec_set(vm, HV_REC_BUS, &rb, sizeof(rb)) ||
	    rec_set(vm, HV_REC_BUS_CHANNEL, &rc, sizeof(rc)) ||
	    rec_set(vm, HV_REC_BUS_GPADL, &rg, sizeof(rg)))
		tap_bail("an open channel");
	return c;
}

/* A bus as another process left it: its one channel in @state. */
static int channel_left(int vm, uint32_t state, uint32_t relid)
{
	struct hv_bus_args bus = { 0 };
	struct hv_rec_bus rb = { .max_version = VMB_VERSION_WIN10_V5_3, .state = 1,
				 .version = VMB_VERSION_WIN10_V5_3, .offers = 1 };
	struct hv_rec_bus_channel rc = channel_record(0, relid, state);
	struct hv_channel_args a;
	int c;

	hv_do(vm, HV_VM_CREATE_BUS, &bus);
	channel_args(&a, 0);
	c = (int)hv_do(vm, HV_VM_CREATE_CHANNEL, &a);
	if (rec_set(vm, HV_REC_BUS, &rb, sizeof(rb)))
		tap_bail("a bus");
	tap_is(rec_set(vm, HV_REC_BUS_CHANNEL, &rc, sizeof(rc)), 0, "a channel in state %u", state);
	return c;
}

/* Records that fail leave things as they were. */
static void test_records_refused(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 1), c, event = eventfd(0, 0);
	struct hv_rec_bus_channel rc = channel_record(0, 3, HV_CHAN_OFFERED);
	struct { struct hv_rec_bus_gpadl h; uint64_t pfn[3]; } rg = {
		{ .relid = 1, .gpadl = 5, .npages = 3, .bytes = 3 * PAGE, .have = 3 }, { 7, 3, 9 } };
	struct hv_event_port_args port = { .connection = VMB_CONNECTION_CHANNELS + 3, .fd = event };
	struct hv_chan_info_args info = { 0 };
	uint32_t len = sizeof(rg);

	c = channel_left(vm, HV_CHAN_OPEN, 1);
	hv_ram_new(vm, 0, 0, 16 * PAGE);
	tap_is(rec_set(vm, HV_REC_BUS_GPADL, &rg, sizeof(rg)), -EINVAL, "rings too small for what was opened");
	tap_is(record(vm, HV_VM_GET_STATE, HV_REC_BUS_GPADL, 0, &rg, &len), -ENOENT, "that GPADL is not there");
	close(c);
	close(vm);
	vm = hv_vm_new(sys, 0, 1);
	c = channel_left(vm, HV_CHAN_HIDDEN, 1);
	hv_do(vm, HV_VM_SET_EVENT_PORT, &port);
	tap_is(rec_set(vm, HV_REC_BUS_CHANNEL, &rc, sizeof(rc)), -EEXIST, "the VMM has the connection of relid 3");
	tap_is(hv_try(c, HV_CHAN_GET_INFO, &info), 0, "the channel");
	tap_is(info.relid, 1, "keeps its own");
	port.connection = VMB_CONNECTION_CHANNELS + 1;
	tap_is(hv_try(vm, HV_VM_SET_EVENT_PORT, &port), -EEXIST, "and hears the guest's signals there");
	close(event);
	close(c);
	close(vm);
	close(sys);
}

static void test_refused(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 1), c;
	struct { struct hv_rec_bus_gpadl h; uint64_t pfn[4]; } rg = {
		{ .relid = 1, .gpadl = 5, .npages = 4, .bytes = 4 * PAGE, .have = 4 }, { 7, 3, 9, 1 } };
	struct hv_chan_open_result_args res = { .status = VMB_STATUS_UNSUCCESSFUL };
	struct hv_chan_rescind_args gone = { 0 };
	struct hv_chan_event_args e = { 0 };

	hv_ram_new(vm, 0, 0, 16 * PAGE);
	c = channel_left(vm, HV_CHAN_OPENING, 1);
	hv_vcpu_new(vm, 0);
	tap_is(rec_set(vm, HV_REC_BUS_GPADL, &rg, sizeof(rg)), 0, "its rings");
	tap_ok(!hv_try(c, HV_CHAN_GET_EVENT, &e) && e.kind == HV_CHAN_EVENT_OPEN, "it is being opened");
	tap_is(hv_try(c, HV_CHAN_SET_OPEN_RESULT, &res), 0, "the device refuses");
	tap_is(hv_try(c, HV_CHAN_RESCIND, &gone), 0, "and takes the channel back");
	tap_is(hv_try(c, HV_CHAN_GET_EVENT, &e), -EAGAIN, "what was refused is not closed");
	close(c);
	close(vm);
	close(sys);
}

static void test_rescinded(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 1), c;
	struct { struct hv_rec_bus_gpadl h; uint64_t pfn[4]; } rg;
	struct hv_chan_rescind_args gone = { 0 };
	uint32_t len = sizeof(rg);
	void *m;

	hv_ram_new(vm, 0, 0, 16 * PAGE);
	c = channel_open(vm);
	m = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, c, 0);
	tap_ok(m != MAP_FAILED && mprotect(m, PAGE, PROT_READ | PROT_WRITE),
	       "rings mapped to be read stay so: nobody would hear of what is written");
	munmap(m, PAGE);
	tap_is(record(vm, HV_VM_GET_STATE, HV_REC_BUS_GPADL, 0, &rg, &len), 0, "the GPADL of its rings");
	hv_vcpu_new(vm, 0);
	tap_is(hv_try(c, HV_CHAN_RESCIND, &gone), 0, "a channel is rescinded");
	len = sizeof(rg);
	tap_is(record(vm, HV_VM_GET_STATE, HV_REC_BUS_GPADL, 0, &rg, &len), -ENOENT,
	       "its GPADLs are in no record: they could not be set");
	close(c);
	close(vm);
	close(sys);
}

static uint32_t chan_state(int c)
{
	struct hv_chan_info_args info = { 0 };

	hv_do(c, HV_CHAN_GET_INFO, &info);
	return info.state;
}

/* Message @index that waits for the guest, or 0. */
static uint32_t message_waits(int vm, uint32_t index)
{
	uint8_t buf[VMB_MESSAGE_MAX];
	struct vmb_header h = { 0 };
	uint32_t len = sizeof(buf);

	if (record(vm, HV_VM_GET_STATE, HV_REC_BUS_MESSAGE, index, buf, &len))
		return 0;
	memcpy(&h, buf, sizeof(h));
	return h.type;
}

/* A device that has its channel open takes it back: the guest hears of it when it has let go. */
static void test_going(void)
{
	int sys = hv_open(), vm = hv_vm_new(sys, 0, 1), c;
	struct hv_chan_gpadl_args g = { .gpadl = 5 };
	struct hv_chan_ack_args ack = { .kind = HV_CHAN_EVENT_CLOSED };
	struct hv_chan_rescind_args gone = { 0 };
	struct hv_chan_event_args e = { 0 };
	struct hv_rec_bus_channel rc = { 0 };
	uint32_t len = sizeof(rc);

	hv_ram_new(vm, 0, 0, 16 * PAGE);
	c = channel_open(vm);
	hv_vcpu_new(vm, 0);		/* its SynIC is off: what is sent waits */
	tap_ok(!hv_try(c, HV_CHAN_GET_EVENT, &e) && e.kind == HV_CHAN_EVENT_RESTORED, "a channel is open");
	tap_is(hv_try(c, HV_CHAN_RESCIND, &gone), 0, "its device takes it back");
	tap_is(hv_try(c, HV_CHAN_RESCIND, &gone), -EALREADY, "once");
	tap_is(chan_state(c), HV_CHAN_CLOSING, "it waits for the device");
	tap_is(hv_try(c, HV_CHAN_ACK, &ack), -ESTALE, "which was not told yet");
	tap_ok(!hv_try(c, HV_CHAN_GET_EVENT, &e) && e.kind == HV_CHAN_EVENT_CLOSED &&
	       e.event_flags == HV_CHAN_EVENT_F_RESET, "told: of the rings and all GPADLs");
	tap_is(hv_try(c, HV_CHAN_GET_EVENT, &e), -EAGAIN, "once");
	tap_ok(!record(vm, HV_VM_GET_STATE, HV_REC_BUS_CHANNEL, 0, &rc, &len) &&
	       rc.state == HV_CHAN_RESCINDED, "moved, it is rescinded");
	tap_ok(message_waits(vm, 0) == VMB_MSG_RESCIND && !message_waits(vm, 1), "and the guest hears of it there");
	tap_is(hv_try(c, HV_CHAN_ACK, &ack), 0, "the device lets go");
	tap_is(chan_state(c), HV_CHAN_RESCINDED, "it is rescinded");
	tap_ok(message_waits(vm, 0) == VMB_MSG_RESCIND && !message_waits(vm, 1), "and the guest hears of it");
	tap_is(hv_try(c, HV_CHAN_GET_GPADL, &g), -ENOENT, "the guest's memory is its own");
	tap_is(hv_try(c, HV_CHAN_ACK, &ack), 0, "a device that says so again means no harm");
	close(c);
	close(vm);
	close(sys);
}

static int module_users(void)
{
	FILE *f = fopen("/sys/module/hv/refcnt", "re");
	int n = -1;

	if (f) {
		if (fscanf(f, "%d", &n) != 1)
			n = -1;
		fclose(f);
	}
	return n;
}

static void *touch(void *p)
{
	*(volatile uint8_t *)p;
	return NULL;
}

/* In a process of its own, which a SIGSEGV ends: the mapping it touches goes meanwhile. */
static long fault_outlives(void *arg)
{
	int users = module_users(), sys = hv_open(), vm = hv_vm_new(sys, 0, 1), c, uffd;
	uint8_t *mem = hv_ram_new(vm, 0, 0, 16 * PAGE), *m;
	int *result = arg;
	pthread_t t;

	c = channel_open(vm);
	madvise(mem, 16 * PAGE, MADV_DONTNEED);
	uffd = uffd_open(mem, 16 * PAGE);
	m = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, c, 0);
	if (m == MAP_FAILED || pthread_create(&t, NULL, touch, m) || !uffd_asked(uffd, LATE_MS))
		return 1;
	munmap(m, PAGE);
	close(c);
	close(vm);
	close(sys);
	usleep(100000);
	*result = module_users() - users;
	uffd_give(uffd, mem, NULL);
	pthread_join(t, NULL);
	return 2;
}

static void test_fault_outlives(void)
{
	int *users = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit((int)fault_outlives(users));
	waitpid(pid, &status, 0);
	tap_ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
	       "a fault waits for memory while its mapping goes (status 0x%x)", status);
	tap_ok(*users > 0, "the module cannot go before it is over (%d users)", *users);
	munmap(users, PAGE);
}

int main(int argc, char **argv)
{
	if (argc < 2 || !strcmp(argv[1], "rules"))
		test_rules();
	if (argc < 2 || !strcmp(argv[1], "records"))
		test_records();
	if (argc < 2 || !strcmp(argv[1], "refused")) {
		test_records_refused();
		test_refused();
	}
	if (argc < 2 || !strcmp(argv[1], "rescinded"))
		test_rescinded();
	if (argc < 2 || !strcmp(argv[1], "going"))
		test_going();
	if (argc < 2 || !strcmp(argv[1], "fault"))
		test_fault_outlives();
	if (argc < 2 || !strcmp(argv[1], "nobus"))
		test_no_bus();
	if (argc < 2 || !strcmp(argv[1], "guest"))
		test_guest();
	if (argc < 2 || !strcmp(argv[1], "hostile"))
		test_hostile();
	return tap_done();
}
