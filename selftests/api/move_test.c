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

static void save(struct bare *b)
{
	post(b->vm);
	if (records_run_state(b->vm, HV_RUN_STATE_PAUSED))
		tap_bail("pause");
	records_save(&sh->state, b->vm, b->vcpu, b->cpus);
}

static void restore(struct bare *b)
{
	if (records_run_state(b->vm, HV_RUN_STATE_PAUSED))
		tap_bail("pause");
	records_load(&sh->state, b->vm, b->vcpu);
	if (records_run_state(b->vm, HV_RUN_STATE_RUNNING))
		tap_bail("go on");
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
		b->seconds = last ? 60 : 0;
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
	tap_ok(sh->posted > moves, "%u messages were posted", sh->posted);
	tap_ok(i >= moves / 2, "it was moved often enough before it ended (%u)", i);
	return tap_done();
}
