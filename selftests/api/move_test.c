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

#define ROOM		8192
#define MAX_RECORDS	128
#define CPUS		2

static const uint32_t vm_ids[] = {
	HV_REC_VM_CONFIG, HV_REC_VM_CLOCK, HV_REC_VM_TLFS, HV_REC_VM_IOAPIC, HV_REC_VM_OVERLAY,
};

static const uint32_t vcpu_ids[] = {
	HV_REC_VCPU_REGS, HV_REC_VCPU_SREGS, HV_REC_VCPU_DEBUG, HV_REC_VCPU_XSAVE,
	HV_REC_VCPU_MSRS, HV_REC_VCPU_LAPIC, HV_REC_VCPU_EVENTS, HV_REC_VCPU_TLFS,
	HV_REC_VCPU_PENDING,
};

/* What passes from one process to the next, besides guest memory. */
static struct shared {
	uint32_t moves;
	int32_t result;		/* of the last process */
	uint32_t nr;
	struct saved {
		int32_t vcpu;	/* -1: of the VM */
		uint32_t id, index, len, version;
		uint8_t data[ROOM];
	} rec[MAX_RECORDS];
} *sh;

static long get_one(int fd, unsigned long cmd, int vcpu, uint32_t id, uint32_t index)
{
	struct saved *r = &sh->rec[sh->nr];
	struct hv_state_args a = { .size = sizeof(a), .record = id, .index = index,
				   .addr = (uintptr_t)r->data, .len = ROOM };
	long ret;

	if (sh->nr == MAX_RECORDS)
		tap_bail("more records than expected");
	ret = hv_raw(fd, cmd, &a);
	if (ret < 0)
		return ret;
	r->vcpu = vcpu;
	r->id = id;
	r->index = index;
	r->len = a.len;
	r->version = a.version;
	sh->nr++;
	return ret;
}

static void set_run_state(int vm, uint32_t state)
{
	struct hv_run_state_args a = { .state = state };

	hv_do(vm, HV_VM_SET_RUN_STATE, &a);
}

static void save(struct bare *b)
{
	uint32_t i, c, index;
	long ret;

	set_run_state(b->vm, HV_RUN_STATE_PAUSED);
	sh->nr = 0;
	for (i = 0; i < sizeof(vm_ids) / sizeof(vm_ids[0]); i++)
		for (index = 0; ; index++) {
			ret = get_one(b->vm, HV_VM_GET_STATE, -1, vm_ids[i], index);
			if (vm_ids[i] == HV_REC_VM_OVERLAY && ret == -ENOENT)
				break;
			if (ret < 0)
				tap_bail("get VM record 0x%x: %ld", vm_ids[i], ret);
			if (vm_ids[i] != HV_REC_VM_OVERLAY)
				break;
		}
	for (c = 0; c < b->cpus; c++)
		for (i = 0; i < sizeof(vcpu_ids) / sizeof(vcpu_ids[0]); i++) {
			ret = get_one(b->vcpu[c], HV_VCPU_GET_STATE, (int)c, vcpu_ids[i], 0);
			if (ret < 0)
				tap_bail("get vCPU record 0x%x: %ld", vcpu_ids[i], ret);
		}
}

static void restore(struct bare *b)
{
	uint32_t i;

	set_run_state(b->vm, HV_RUN_STATE_PAUSED);
	for (i = 0; i < sh->nr; i++) {
		struct saved *r = &sh->rec[i];
		struct hv_state_args a = { .size = sizeof(a), .record = r->id, .index = r->index,
					   .addr = (uintptr_t)r->data, .len = r->len,
					   .version = r->version };
		long ret = hv_raw(r->vcpu < 0 ? b->vm : b->vcpu[r->vcpu],
				  r->vcpu < 0 ? HV_VM_SET_STATE : HV_VCPU_SET_STATE, &a);

		if (ret < 0)
			tap_bail("set record 0x%x: %ld", r->id, ret);
	}
	set_run_state(b->vm, HV_RUN_STATE_RUNNING);
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
	tap_ok(i >= moves / 2, "it was moved often enough before it ended (%u)", i);
	return tap_done();
}
