// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The whole state of a running 2-vCPU guest, copied by record into a fresh VM in a fresh
 * process, again and again at random points. The guest (guest/moved.c) must not notice.
 *
 * Arguments: moves (default 100), seed (default 1, printed).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"
#include "selftests/lib/records.h"

#define CPUS		2

/* What passes from one process to the next, besides guest memory. */
static struct shared {
	uint32_t moves;
	int32_t result;		/* of the last process */
	uint32_t posted;	/* messages the guest was sent */
	uint64_t reftime;	/* when it was saved last, 100 ns */
	uint64_t resumed[2];	/* host's clock before and after its time went on, 100 ns */
	uint32_t jumps;		/* legs after which the reference time was not what it should be */
	struct records state;
} *sh;

/* A few messages to SINT 6 of VP 0: some wait for the slot, and move. The guest counts them. */
static void post(int vm)
{
	struct hv_message_args a = { .sint = 6, .type = 1, .len = sizeof(sh->posted),
				     .addr = (uintptr_t)&sh->posted };
	uint32_t i;

	for (i = 0; i < 3; i++)
		sh->posted += !hv_try(vm, HV_VM_POST_MESSAGE, &a);
}

static uint64_t host_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 10000000 + (uint64_t)t.tv_nsec / 100;
}

/*
 * The state was taken of a VM stopped between @before and @after: since the last save the
 * reference time went on by as long as the VM's time ran here, and not by the move.
 */
static void clock_check(uint64_t before, uint64_t after)
{
	const struct hv_rec_clock *c = records_find(&sh->state, -1, HV_REC_VM_CLOCK);
	uint64_t ran = c->reftime - sh->reftime, slack;

	if (sh->moves) {
		slack = (after - sh->resumed[0]) / 100 + 10000;	/* clocks may differ a little */
		sh->jumps += c->reftime < sh->reftime || ran > after - sh->resumed[0] + slack ||
			     ran + slack < before - sh->resumed[1];
	}
	sh->reftime = c->reftime;
}

static void save(struct bare *b)
{
	uint64_t before = host_time(), after;

	post(b->vm);
	if (records_run_state(b->vm, HV_RUN_STATE_PAUSED))
		tap_bail("pause");
	after = host_time();
	records_save(&sh->state, b->vm, b->vcpu, b->cpus);
	clock_check(before, after);
}

static void restore(struct bare *b)
{
	if (records_run_state(b->vm, HV_RUN_STATE_PAUSED))
		tap_bail("pause");
	records_load(&sh->state, b->vm, b->vcpu);
	sh->resumed[0] = host_time();
	if (records_run_state(b->vm, HV_RUN_STATE_RUNNING))
		tap_bail("go on");
	sh->resumed[1] = host_time();
}

static void *shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		tap_bail("shared memory");
	return p;
}

/* One process: go on with what the last one saved, stop at some point, save. */
static void leg(struct bare *b, bool last)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (sh->moves) {
			b->loaded = true;
			b->prepare = restore;
		}
		b->leave = save;
		b->ms = last ? 0 : (uint32_t)rand() % 40;
		b->seconds = last ? 150 : 0;
		sh->result = bare_run(b);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		tap_bail("no process");
	sh->moves++;
	rand();
}

int main(int argc, char **argv)
{
	uint32_t moves = argc > 1 ? (uint32_t)atoi(argv[1]) : 100;
	unsigned int seed = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	char words[32];
	struct bare b = { .image = "build/guest/moved.elf", .cpus = CPUS, .append = words };
	uint32_t i;

	snprintf(words, sizeof(words), "rounds=%u", moves * 12);
	srand(seed);
	sh = shared(sizeof(*sh));
	b.ram = shared(BARE_RAM);
	sh->result = -1;
	for (i = 0; i < moves && sh->result == -1; i++)
		leg(&b, false);
	i = sh->moves;
	if (sh->result == -1)
		leg(&b, true);
	tap_note("%u moves, seed %u", i, seed);
	tap_is(sh->result, 0, "a guest moved at random points finds nothing missing");
	tap_is((long)sh->jumps, 0, "its reference time went on where it had stopped");
	tap_ok(sh->posted > moves, "%u messages were posted", sh->posted);
	tap_ok(i >= moves / 2, "it was moved often enough before it ended (%u)", i);
	return tap_done();
}
