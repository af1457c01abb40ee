// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SMP guests side by side with few address-space ids (module parameter asids, see tests.cfg):
 * ids run out and are handed out again all the time. The model of unit.asid sees what an
 * emulator that flushes at every entry hides.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/hvio.h"

#define VMS	3
#define CPUS	2

static struct shared {
	int result;
	uint64_t taken, rollovers, flushes;
} *sh;

static struct shared *mine;

static void leave(struct bare *b)
{
	uint32_t i;

	for (i = 0; i < b->cpus; i++) {
		mine->taken += hv_counter(b->vcpu[i], HV_VCPU_GET_STATS, "asids_taken");
		mine->rollovers += hv_counter(b->vcpu[i], HV_VCPU_GET_STATS, "asid_rollovers");
		mine->flushes += hv_counter(b->vcpu[i], HV_VCPU_GET_STATS, "tlb_flushes");
	}
}

static void port(struct bare *b, struct hv_run *run)
{
	(void)b;
	sched_yield();		/* another vCPU gets this CPU */
	if (run->pio.in)
		memset((uint8_t *)run + HV_RUN_PIO_DATA, 0xff, run->pio.bytes);
}

static void one(uint32_t n)
{
	char append[64];
	struct bare b = { .image = "build/guest/asid.elf", .append = append, .cpus = CPUS,
			  .seconds = 250, .port = port, .leave = leave };

	mine = &sh[n];
	snprintf(append, sizeof(append), "tag=%u rounds=400", n + 1);
	mine->result = bare_run(&b);
}

static long asids_param(void)
{
	FILE *f = fopen("/sys/module/hv/parameters/asids", "r");
	long n = -1;

	if (!f || fscanf(f, "%ld", &n) != 1)
		tap_bail("no parameter asids");
	fclose(f);
	return n;
}

int main(void)
{
	long ids = asids_param();
	uint32_t i;
	pid_t pid;

	sh = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED)
		tap_bail("shared memory");
	for (i = 0; i < VMS; i++) {
		sh[i].result = -9;
		fflush(stdout);
		pid = fork();
		if (!pid) {
			if (!freopen("/dev/null", "w", stdout))
				_exit(1);
			one(i);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	for (i = 0; i < VMS; i++) {
		tap_is(sh[i].result, 0, "machine %u of %u sees its own pages", i, VMS);
		tap_note("asids %ld: %llu taken, %llu rollovers, %llu flushes asked for", ids,
			 (unsigned long long)sh[i].taken, (unsigned long long)sh[i].rollovers,
			 (unsigned long long)sh[i].flushes);
		tap_ok(sh[i].taken > 2 * CPUS, "ids were taken anew");
		if (ids == 1)
			tap_is((long)sh[i].rollovers, (long)sh[i].taken,
			       "with one id each is a flush of all");
		else if (ids > 1)
			tap_ok(sh[i].rollovers && sh[i].rollovers < sh[i].taken,
			       "some of them after all were used up");
	}
	return tap_done();
}
