// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A device is asked once for each read of the guest, whatever happens between its answer
 * and the end of the instruction: the store has to wait for its page (userfaultfd), memory is
 * protected or punched, the vCPU is stopped by signals, saved, and loaded into a fresh VM.
 *
 * The devices here count: each item read is the next number, so an answer that is lost or
 * asked for twice leaves a gap.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "selftests/lib/flat.h"
#include "selftests/lib/records.h"
#include "selftests/lib/uffd.h"

#define BASE	0x10000000u	/* RAM */
#define PAGES	4u
#define HOLE	0x20000000u	/* the counting device's registers */
#define PORT	0x300

static uint8_t *ram;
static int uffd;
static uint32_t asked;		/* items the devices have given */
static struct records *state;

static void vm_new(struct flat *f)
{
	flat_new(f, 0, 1);
	if (flat_slot(f, 1, 0, BASE, PAGES * 4096, ram))
		tap_bail("slot");
}

/* Everything the VM is goes into a fresh one. */
static void vm_move(struct flat *f)
{
	struct flat to;

	if (records_run_state(f->vm, HV_RUN_STATE_PAUSED))
		tap_bail("pause");
	records_save(state, f->vm, &f->vcpu, 1);
	vm_new(&to);
	if (records_run_state(to.vm, HV_RUN_STATE_PAUSED))
		tap_bail("pause");
	records_load(state, to.vm, &to.vcpu);
	if (records_run_state(to.vm, HV_RUN_STATE_RUNNING))
		tap_bail("go on");
	flat_close(f);
	*f = to;
}

/* The devices. False: the exit is none of theirs. */
static bool answer(struct hv_run *run)
{
	uint8_t *data = (uint8_t *)run + HV_RUN_PIO_DATA;
	uint32_t i;

	if (run->exit_kind == HV_EXIT_MMIO && !run->mmio.write) {
		memcpy(run->mmio.data, &asked, 4);
		asked++;
		return true;
	}
	if (run->exit_kind != HV_EXIT_PIO || run->pio.port != PORT || !run->pio.in)
		return false;
	for (i = 0; i < run->pio.count; i++, asked++)
		memcpy(data + i * run->pio.bytes, &asked, run->pio.bytes);
	return true;
}

/* To the end of the snippet. 0, -errno, or the exit that no device answers. */
static long run_through(struct flat *f)
{
	long ret;

	for (;;) {
		ret = hv_raw(f->vcpu, HV_VCPU_RUN, NULL);
		if (ret == -EINTR)
			continue;
		if (ret)
			return ret;
		if (answer(f->run))
			continue;
		return f->run->exit_kind == HV_EXIT_PIO && f->run->pio.port == 0x81 ? 0 :
		       f->run->exit_kind;
	}
}

/* Items of @bytes that do not follow each other from 0 on. */
static uint32_t gaps(const void *p, uint32_t n, uint32_t bytes)
{
	uint32_t i, bad = 0;

	for (i = 0; i < n; i++)
		bad += memcmp((const uint8_t *)p + i * bytes, &i, bytes) != 0;
	return bad;
}

/* ---- batches, without trouble ---- */

static void check_plain(void)
{
	struct flat_regs r = { .edi = BASE + 4096 - 5, .ecx = 200, .edx = PORT };
	uint32_t sent = 0, i;
	struct flat f;
	long ret;

	vm_new(&f);
	asked = 0;
	flat_set(&f, FLAT_INSB, &r);
	tap_is(run_through(&f), 0, "rep insb over a page's end");
	tap_is(gaps(ram + 4096 - 5, 200, 1), 0, "bytes in order");
	tap_is(asked, 200, "port read");
	flat_get(&f, &r);
	tap_ok(r.ecx == 0 && r.edi == BASE + 4096 - 5 + 200, "registers");

	asked = 0;
	r = (struct flat_regs){ .edi = BASE + 4096 - 6, .ecx = 50, .edx = PORT };
	flat_set(&f, FLAT_INSL, &r);
	tap_is(run_through(&f), 0, "rep insl, a word across a page's end");
	tap_is(gaps(ram + 4096 - 6, 50, 4), 0, "words in order");

	r = (struct flat_regs){ .esi = BASE + 4096 - 5, .ecx = 600, .edx = PORT };
	for (i = 0; i < 600; i++)
		ram[4096 - 5 + i] = (uint8_t)(i * 7);
	flat_set(&f, FLAT_OUTSB, &r);
	for (ret = 0; !ret; ) {
		ret = hv_raw(f.vcpu, HV_VCPU_RUN, NULL);
		if (ret || f.run->exit_kind != HV_EXIT_PIO || f.run->pio.port != PORT)
			break;
		for (i = 0; i < f.run->pio.count; i++, sent++)
			if (((uint8_t *)f.run)[HV_RUN_PIO_DATA + i] != (uint8_t)(sent * 7))
				ret = 1;
	}
	tap_is(ret, 0, "rep outsb: bytes in order");
	tap_is(sent, 600, "rep outsb: port written");
	flat_close(&f);
}

/* ---- the store waits for its page ---- */

struct way {
	const char *name;
	enum flat_code code;
	struct flat_regs r;
	uint16_t kind;		/* enum hv_pending_kind */
	uint32_t items, bytes;	/* that it reads in all */
};

/* The destination starts at the second page, which is missing. */
static const struct way ways[] = {
	{ "rep insb", FLAT_INSB, { .edi = BASE + 4096, .ecx = 40, .edx = PORT },
	  HV_PENDING_PIO_IN, 40, 1 },
	{ "rep insl", FLAT_INSL, { .edi = BASE + 4096, .ecx = 9, .edx = PORT },
	  HV_PENDING_PIO_IN, 9, 4 },
	{ "rep movsl from a device", FLAT_MOVSL, { .esi = HOLE, .edi = BASE + 4096, .ecx = 5 },
	  HV_PENDING_MMIO_READ, 5, 4 },
};

enum trouble { SIGNALS, MOVE, MOVE_TWICE, PROTECT, NR_TROUBLES };

static const char *const troubles[] = {
	"signals", "a move", "two moves", "protected memory",
};

static void page_take(uint8_t *page)
{
	madvise(page, 4096, MADV_DONTNEED);
}

/* Stands with its answer, and can not store it. */
static void stand(struct flat *f, const struct way *w, enum trouble t, bool new_vm)
{
	const struct hv_rec_pending *p;

	flat_start(f, w->code, NULL);
	/* Of one VM only the first wait is heard of: it goes on until the page comes. */
	if (t == PROTECT || !new_vm)
		usleep(20000);
	else
		tap_ok(uffd_asked(uffd, LATE_MS) == ram + 4096, "%s, %s: the store asks for its page",
		       w->name, troubles[t]);
	flat_stop(f, NULL);
	if (records_run_state(f->vm, HV_RUN_STATE_PAUSED))
		tap_bail("pause");
	records_save(state, f->vm, &f->vcpu, 1);
	if (records_run_state(f->vm, HV_RUN_STATE_RUNNING))
		tap_bail("go on");
	p = records_find(state, 0, HV_REC_VCPU_PENDING);
	tap_ok(p && p->kind == w->kind && p->flags == HV_PENDING_F_ANSWERED && !p->data[0],
	       "%s, %s: the answer is in the record", w->name, troubles[t]);
}

static void check_wait(const struct way *w, enum trouble t)
{
	struct flat f;
	uint32_t first;

	vm_new(&f);
	asked = 0;
	memset(ram, 0xee, 4096);
	flat_set(&f, w->code, &w->r);
	tap_is(hv_raw(f.vcpu, HV_VCPU_RUN, NULL), 0, "%s, %s: run", w->name, troubles[t]);
	page_take(ram + 4096);
	tap_ok(answer(f.run), "%s, %s: the device answers", w->name, troubles[t]);
	first = asked;
	if (t == PROTECT) {
		mprotect(ram + 4096, 4096, PROT_NONE);
		tap_is(hv_raw(f.vcpu, HV_VCPU_RUN, NULL), 0, "%s, %s: leaves", w->name, troubles[t]);
		tap_ok(f.run->exit_kind == HV_EXIT_MEMORY_FAULT && f.run->fault.error == -EFAULT &&
		       f.run->fault.gpa == BASE + 4096 && f.run->fault.flags == HV_FAULT_F_WRITE,
		       "%s, %s: memory fault", w->name, troubles[t]);
		memset(f.run, 0xff, HV_RUN_BYTES);	/* it is not read again */
		f.run->immediate_exit = 0;
	}
	stand(&f, w, t, true);
	if (t == SIGNALS)
		stand(&f, w, t, false);
	if (t == MOVE || t == MOVE_TWICE)
		vm_move(&f);
	if (t == MOVE_TWICE) {
		stand(&f, w, t, true);
		vm_move(&f);
	}
	mprotect(ram + 4096, 4096, PROT_READ | PROT_WRITE);
	tap_is(asked, first, "%s, %s: the device was left alone", w->name, troubles[t]);
	uffd_give(uffd, ram + 4096, NULL);
	tap_is(run_through(&f), 0, "%s, %s: with the page it goes on", w->name, troubles[t]);
	tap_is(gaps(ram + 4096, w->items, w->bytes), 0, "%s, %s: items in order", w->name,
	       troubles[t]);
	tap_is(asked, w->items, "%s, %s: and none was read twice", w->name, troubles[t]);
	flat_close(&f);
}

/* A save between the answer and the call that takes it; what user space does is in hv.h. */
static void check_save_point(const struct way *w, bool handed_in)
{
	const char *how = handed_in ? "handed in" : "not handed in";
	struct flat f;

	vm_new(&f);
	memset(ram, 0, PAGES * 4096);
	asked = 0;
	flat_set(&f, w->code, &w->r);
	hv_raw(f.vcpu, HV_VCPU_RUN, NULL);
	tap_ok(answer(f.run), "%s, %s: an answer", w->name, how);
	if (handed_in) {
		f.run->immediate_exit = 1;
		tap_is(hv_raw(f.vcpu, HV_VCPU_RUN, NULL), w->kind == HV_PENDING_PIO_IN ? -EINTR : 0,
		       "%s, %s: the answer is taken", w->name, how);
		/* MOVS goes on to its next word, and says so. */
		f.run->immediate_exit = 0;
	} else {
		asked = 0;	/* the device's state is saved with the VM: it had not answered */
	}
	vm_move(&f);
	tap_is(run_through(&f), 0, "%s, %s: goes on in the next VM", w->name, how);
	tap_is(gaps(ram + 4096, w->items, w->bytes), 0, "%s, %s: items in order", w->name, how);
	tap_is(asked, w->items, "%s, %s: none twice", w->name, how);
	flat_close(&f);
}

/* ---- all of it at random ---- */

struct storm {
	pthread_t target;
	unsigned int seed;
	volatile int stop;
	volatile unsigned long rounds;
};

static void *storm(void *arg)
{
	struct storm *s = arg;
	void *at;

	while (!s->stop) {
		page_take(ram + 4096);
		usleep((useconds_t)(rand_r(&s->seed) % 300));
		if (rand_r(&s->seed) % 4 == 0)
			pthread_kill(s->target, SIGUSR1);
		while ((at = uffd_asked(uffd, 0)) != NULL)
			uffd_give(uffd, at, NULL);
		/* Long enough for whoever waited to use it, mostly. */
		usleep(2000);
		s->rounds++;
	}
	/* Nobody is left waiting, whoever asked before the last round. */
	uffd_give(uffd, ram + 4096, NULL);
	return NULL;
}

static void nothing(int sig)
{
	(void)sig;
}

#define STORM_ROUNDS	1500

static void check_storm(const char *name, enum flat_code code, struct flat_regs r, uint32_t items)
{
	struct sigaction sa = { .sa_handler = nothing };
	struct storm s = { .target = pthread_self(), .seed = 3 };
	uint32_t moves = 0, stops = 0;
	unsigned int seed = 5;
	struct flat f;
	pthread_t t;
	long ret;

	sigaction(SIGUSR1, &sa, NULL);
	vm_new(&f);
	asked = 0;
	r.ebp = STORM_ROUNDS;
	flat_set(&f, code, &r);
	pthread_create(&t, NULL, storm, &s);
	while (!s.rounds)
		usleep(1000);
	for (;;) {
		ret = hv_raw(f.vcpu, HV_VCPU_RUN, NULL);
		if (ret == -EINTR) {
			stops++;
			if (rand_r(&seed) % 8 == 0) {
				vm_move(&f);
				moves++;
			}
			continue;
		}
		if (ret || !answer(f.run))
			break;
	}
	s.stop = 1;
	pthread_join(t, NULL);
	tap_ok(!ret && f.run->exit_kind == HV_EXIT_PIO && f.run->pio.port == 0x81,
	       "%s, storm: to the end (%ld, exit %u)", name, ret, f.run->exit_kind);
	tap_is(asked, STORM_ROUNDS * items, "%s, storm: reads of the device", name);
	tap_ok(stops > 0, "%s: %lu pages taken, %u stops, %u moves", name, s.rounds, stops, moves);
	flat_close(&f);
}

int main(void)
{
	unsigned int i, t;

	state = malloc(sizeof(*state));
	ram = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED || !state)
		tap_bail("no memory");
	memset(ram, 0, PAGES * 4096);
	check_plain();
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		check_save_point(&ways[i], false);
		check_save_point(&ways[i], true);
	}
	uffd = uffd_open(ram, PAGES * 4096);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (t = 0; t < NR_TROUBLES; t++)
			check_wait(&ways[i], t);
	check_storm("rep insb", FLAT_INSB_LOOP,
		    (struct flat_regs){ .esi = BASE + 4096, .edx = PORT }, 24);
	check_storm("rep movsl", FLAT_MOVSL_LOOP,
		    (struct flat_regs){ .ebx = HOLE, .edx = BASE + 4096 }, 3);
	return tap_done();
}
