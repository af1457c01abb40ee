// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest that keeps a disk busy, copied by record into a fresh VM in a fresh process, again and
 * again at random points, with requests under way that are carried along, or drained. Guest
 * (guest/disk_moved.c) and device count each request: none is lost, none is done twice.
 *
 * Arguments: moves (default 40), seed (default 1, printed).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/block_dev.h"
#include "selftests/lib/hvio.h"
#include "selftests/lib/records.h"

#define CPUS	2

/* What passes from one process to the next, besides guest memory and the disk. */
static struct shared {
	uint32_t moves, mid;	/* mid: moves while a channel was open */
	int32_t result;		/* of the last process */
	uint32_t told;		/* requests the guest has had answered */
	struct block_table table;
	struct records state;
} *sh;

static int disk;
static bool drain;

static void run_state(struct bare *b, uint32_t state)
{
	if (records_run_state(b->vm, state))
		tap_bail("run state %u", state);
}

static void prepare(struct bare *b)
{
	block_dev_make(&sh->table, b->vm, b->ram, BARE_RAM, disk);
	if (b->loaded) {
		run_state(b, HV_RUN_STATE_PAUSED);
		records_load(&sh->state, b->vm, b->vcpu);
		run_state(b, HV_RUN_STATE_RUNNING);
	}
	block_dev_start();
}

static void save(struct bare *b)
{
	run_state(b, HV_RUN_STATE_PAUSED);
	block_dev_stop(drain);
	records_save(&sh->state, b->vm, b->vcpu, b->cpus);
	sh->mid += records_find(&sh->state, -1, HV_REC_BUS_GPADL) != NULL;
}

static void port(struct bare *b, struct hv_run *run)
{
	(void)b;
	if (run->pio.port == BLOCK_PORT && !run->pio.in)
		memcpy(&sh->told, (uint8_t *)run + HV_RUN_PIO_DATA, sizeof(sh->told));
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
	drain = rand() & 1;
	b->ms = last ? 0 : (uint32_t)rand() % 40;
	b->seconds = last ? 150 : 0;
	b->loaded = sh->moves;
	pid = fork();
	if (!pid) {
		sh->result = bare_run(b);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		tap_bail("no process");
	sh->moves++;
}

static bool enough(uint32_t moves)
{
	return sh->mid >= moves / 3 && sh->table.carried >= moves / 4;
}

int main(int argc, char **argv)
{
	uint32_t moves = argc > 1 ? (uint32_t)atoi(argv[1]) : 40, i;
	unsigned int seed = argc > 2 ? (unsigned int)atoi(argv[2]) : 1;
	char words[32];
	struct bare b = { .image = "build/guest/disk_moved.elf", .cpus = CPUS, .append = words,
			  .prepare = prepare, .leave = save, .port = port };

	snprintf(words, sizeof(words), "requests=%u", moves * 12);
	srand(seed);
	sh = shared(sizeof(*sh));
	b.ram = shared(BARE_RAM);
	disk = memfd_create("disk", MFD_CLOEXEC);
	if (disk < 0 || ftruncate(disk, BLOCK_SECTORS * BLOCK_BYTES))
		tap_bail("no disk");
	sh->result = -1;
	/* On a busy machine the guest gets little done between two moves. */
	while (sh->result == -1 && (sh->moves < moves || !enough(moves)) && sh->moves < 10 * moves)
		leg(&b, false);
	i = sh->moves;
	if (sh->result == -1)
		leg(&b, true);
	tap_note("%u moves, %u of them with channels open, %u requests carried along, seed %u", i, sh->mid,
		 sh->table.carried, seed);
	tap_is(sh->result, 0, "a guest moved under disk load finds all requests answered, and rightly");
	tap_is(sh->table.executed, sh->told, "each was done once");
	tap_is(sh->table.refused, 0, "none came mutilated");
	tap_ok(enough(moves), "it was moved often enough with its disk open (%u), and requests under way (%u)",
	       sh->mid, sh->table.carried);
	return tap_done();
}
