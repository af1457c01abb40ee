// SPDX-License-Identifier: GPL-2.0-or-later
/* block_dev.c - see block_dev.h */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <hv/hv_bus.h>
#include <hvguest/vmbus.h>
#include "block_dev.h"
#include "hvio.h"
#include "vmbus/lib/ring.h"

#define PAGE	4096u
#define CHANS	2
#define WORKERS	2

enum { FREE, TAKEN, DONE };

static struct chan {
	int fd, event;
	uint8_t *map;
	struct hv_ring in, out;		/* ours: in from the guest */
} chans[CHANS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* table, rings */
static pthread_t ring_thread, workers[WORKERS];
static struct block_table *table;
static bool busy[BLOCK_ENTRIES];	/* a worker has it */
static volatile bool stop;
static uint8_t *ram;
static uint64_t ram_bytes;
static int disk, kick;

/* ---- requests ---- */

static uint32_t execute(const struct block_request *r)
{
	off_t at = (off_t)r->sector * BLOCK_BYTES;

	switch (r->op) {
	case BLOCK_READ:
		return pread(disk, ram + r->gpa, BLOCK_BYTES, at) != BLOCK_BYTES;
	case BLOCK_WRITE:
		return pwrite(disk, ram + r->gpa, BLOCK_BYTES, at) != BLOCK_BYTES;
	case BLOCK_ADD:
		table->counter[r->sector]++;
		return 0;
	}
	return 1;
}

static struct block_entry *entry_find(uint32_t state)
{
	uint32_t i;

	for (i = 0; i < BLOCK_ENTRIES; i++)
		if (table->entry[i].state == state && !busy[i])
			return &table->entry[i];
	return NULL;
}

/* Its end is seen by whoever holds the lock, so that a request is done once or not at all. */
static void *work(void *arg)
{
	unsigned int seed = (unsigned int)(uintptr_t)arg + table->executed;
	struct block_entry *e;

	while (!stop) {
		pthread_mutex_lock(&lock);
		e = entry_find(TAKEN);
		if (e)
			busy[e - table->entry] = true;
		pthread_mutex_unlock(&lock);
		usleep((useconds_t)(rand_r(&seed) % 3000));
		if (!e)
			continue;
		pthread_mutex_lock(&lock);
		if (!stop) {
			e->answer.status = execute(&e->req);
			e->answer.counter = table->counter[e->req.sector];
			e->state = DONE;
			table->executed++;
		}
		busy[e - table->entry] = false;
		pthread_mutex_unlock(&lock);
		eventfd_write(kick, 1);
	}
	return NULL;
}

/* ---- rings ---- */

static void take(uint32_t n)
{
	struct chan *c = &chans[n];
	struct block_entry *e;
	struct hv_ring_packet p;

	do {
		hv_ring_mask(&c->in);
		while ((e = entry_find(FREE)) && !hv_ring_peek(&c->in, &p)) {
			if (hv_ring_payload(&p) != sizeof(e->req) ||
			    hv_ring_copy(&c->in, &p, p.header_bytes, &e->req, sizeof(e->req)) ||
			    e->req.sector >= BLOCK_SECTORS || e->req.gpa > ram_bytes - BLOCK_BYTES) {
				table->refused++;
				return;
			}
			e->chan = n;
			e->tid = p.transaction;
			e->state = TAKEN;
			hv_ring_next(&c->in, &p);
			hv_ring_release(&c->in);
		}
	} while (hv_ring_unmask(&c->in) && entry_find(FREE));
}

static void answer(uint32_t n)
{
	struct chan *c = &chans[n];
	struct block_entry *e;
	uint32_t i;

	for (i = 0; i < BLOCK_ENTRIES; i++) {
		e = &table->entry[i];
		if (e->state != DONE || e->chan != n ||
		    hv_ring_complete(&c->out, e->tid, &e->answer, sizeof(e->answer)))
			continue;
		if (hv_ring_publish(&c->out))
			hv_raw(c->fd, HV_CHAN_SIGNAL, NULL);
		e->state = FREE;
	}
}

static void open_chan(struct chan *c, const struct hv_chan_event_args *e)
{
	struct hv_chan_open_result_args r = { 0 };

	c->map = mmap(NULL, (size_t)(e->out_pages + e->in_pages) * PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED, c->fd, 0);
	if (c->map == MAP_FAILED || hv_ring_consumer(&c->in, c->map, c->map + PAGE, e->out_pages) ||
	    hv_ring_producer(&c->out, c->map + e->out_pages * PAGE,
			     c->map + (e->out_pages + 1) * PAGE, e->in_pages))
		tap_bail("rings");
	if (e->kind == HV_CHAN_EVENT_OPEN)
		hv_do(c->fd, HV_CHAN_SET_OPEN_RESULT, &r);
}

static void turn(void)
{
	struct hv_chan_event_args e = { 0 };
	uint32_t n;

	for (n = 0; n < CHANS; n++) {
		while (!hv_try(chans[n].fd, HV_CHAN_GET_EVENT, &e))
			if (e.kind == HV_CHAN_EVENT_OPEN || e.kind == HV_CHAN_EVENT_RESTORED)
				open_chan(&chans[n], &e);
		if (!chans[n].map)
			continue;
		answer(n);
		take(n);
	}
}

static void *serve(void *arg)
{
	struct pollfd p[1 + 2 * CHANS] = { { .fd = kick, .events = POLLIN } };
	eventfd_t v;
	int i;

	(void)arg;
	for (i = 0; i < CHANS; i++) {
		p[1 + 2 * i] = (struct pollfd){ .fd = chans[i].fd, .events = POLLIN };
		p[2 + 2 * i] = (struct pollfd){ .fd = chans[i].event, .events = POLLIN };
	}
	while (!stop) {
		pthread_mutex_lock(&lock);
		turn();
		pthread_mutex_unlock(&lock);
		poll(p, 1 + 2 * CHANS, 1000);
		eventfd_read(kick, &v);
		for (i = 0; i < CHANS; i++)
			eventfd_read(chans[i].event, &v);
	}
	return NULL;
}

/* ---- from outside ---- */

static void chan_add(struct chan *c, long fd)
{
	struct hv_chan_eventfd_args ev = { 0 };

	c->fd = (int)fd;
	c->event = eventfd(0, EFD_NONBLOCK);
	ev.fd = c->event;
	hv_do(c->fd, HV_CHAN_SET_EVENTFD, &ev);
}

void block_dev_make(struct block_table *t, int vm, uint8_t *mem, uint64_t bytes, int file)
{
	struct hv_bus_args bus = { 0 };
	struct hv_channel_args a = { .max_sub_channels = 1 };
	struct hv_chan_sub_args s = { .index = 1 };

	table = t;
	ram = mem;
	ram_bytes = bytes;
	disk = file;
	kick = eventfd(0, EFD_NONBLOCK);
	a.interface[15] = 0x78;
	a.instance[0] = 0xd1;
	hv_do(vm, HV_VM_CREATE_BUS, &bus);
	chan_add(&chans[0], hv_do(vm, HV_VM_CREATE_CHANNEL, &a));
	chan_add(&chans[1], hv_do(chans[0].fd, HV_CHAN_CREATE_SUB, &s));
}

void block_dev_start(void)
{
	uintptr_t i;

	stop = false;
	if (pthread_create(&ring_thread, NULL, serve, NULL))
		tap_bail("no thread");
	for (i = 0; i < WORKERS; i++)
		if (pthread_create(&workers[i], NULL, work, (void *)i))
			tap_bail("no thread");
}

static uint32_t under_way(void)
{
	uint32_t i, n = 0;

	pthread_mutex_lock(&lock);
	for (i = 0; i < BLOCK_ENTRIES; i++)
		n += table->entry[i].state != FREE;
	pthread_mutex_unlock(&lock);
	return n;
}

void block_dev_stop(bool drain)
{
	int i;

	for (i = 0; drain && under_way() && i < LATE_MS; i++)
		usleep(1000);
	stop = true;
	eventfd_write(kick, 1);
	pthread_join(ring_thread, NULL);
	for (i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	table->carried += under_way();
}
