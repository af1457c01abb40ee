// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of a bus at each step of what a guest does on it: the VM is reset, its fds are closed, the
 * process of its VMM is killed, or that of its devices, or both. Nothing of it is left
 * then, and the next connection works, of the same guest where the VM lives on.
 *
 * Without arguments each step has one of the ends, in turn. "all": each step has all of them; or the
 * number of one end, and of one step.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <hv/hv_bus.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/bus_dev.h"
#include "selftests/lib/hvio.h"
#include "selftests/lib/memgroup.h"

#define CPUS	2
#define LIFE_S	200		/* a guest has so long */

enum end {
	END_RESET,		/* the device lets go at once */
	END_RESET_LATE,		/* after the next kernel has made contact */
	END_CLOSE_VM,		/* the fds of VM and vCPUs, by a process that goes on */
	END_CLOSE_DEVICE,	/* those of the channels, and then their rings' mappings */
	END_KILL_DEVICE,
	END_KILL_VMM,
	END_KILL_BOTH,
	ENDS,
};

static const char *const names[ENDS] = {
	[END_RESET] = "reset", [END_RESET_LATE] = "reset before the device lets go",
	[END_CLOSE_VM] = "fds of the VM closed", [END_CLOSE_DEVICE] = "fds of the channels closed",
	[END_KILL_DEVICE] = "device killed", [END_KILL_VMM] = "VMM killed",
	[END_KILL_BOTH] = "VMM and device killed",
};

/* Of the VMM's process. */
static struct life {
	enum end end;
	uint32_t step;
	bool done;		/* the end has come */
	uint32_t restart;	/* the guest is told to */
	int reached;		/* pipe: the step is reached, kill me */
	struct bus_dev dev[2], *now;
	int wrong;
} life;

static struct {
	pid_t device;		/* of the present life */
} *sh;

static void must(bool good, const char *what)
{
	if (good)
		return;
	tap_note("%s at step %u: %s", names[life.end], life.step, what);
	life.wrong++;
}

/* ---- the VMM ---- */

static int chan_new(int vm, uint8_t n)
{
	struct hv_channel_args a = { .max_sub_channels = n ? 0 : 1 };

	a.interface[15] = 0x77;
	a.instance[0] = (uint8_t)(0xa1 + n);
	return (int)hv_do(vm, HV_VM_CREATE_CHANNEL, &a);
}

static void device_give(struct bare *b, struct bus_dev *d)
{
	int first = chan_new(b->vm, 0), second = chan_new(b->vm, 1);

	life.now = d;
	sh->device = d->pid;
	bus_dev_give(d, first, second);
}

static void device_ends(int want)
{
	int status = -1;

	must(waitpid(life.now->pid, &status, 0) == life.now->pid && status == want,
	     "the device did not end as it should");
}

static void prepare(struct bare *b)
{
	struct hv_bus_args bus = { 0 };

	hv_do(b->vm, HV_VM_CREATE_BUS, &bus);
	device_give(b, life.done ? &life.dev[1] : &life.dev[0]);
}

static void act(struct bare *b)
{
	life.done = true;
	switch (life.end) {
	case END_RESET:
	case END_RESET_LATE:
	case END_CLOSE_VM:
		b->stop = true;
		return;
	case END_CLOSE_DEVICE:
		must(bus_dev_tell(life.now, DEV_CLOSE), "the device is dead");
		device_ends(0);
		life.restart = 1;
		return;
	case END_KILL_DEVICE:
		kill(life.now->pid, SIGKILL);
		device_ends(SIGKILL);
		life.restart = 1;
		return;
	default:
		if (write(life.reached, "", 1) != 1)
			_exit(99);
		if (life.step & 1)
			pause();
	}
}

static void port(struct bare *b, struct hv_run *run)
{
	uint32_t *data = (uint32_t *)((uint8_t *)run + HV_RUN_PIO_DATA);

	if (run->pio.in) {
		*data = life.restart;
		life.restart = 0;
	} else if (run->pio.port == BUS_PORT_STEP) {
		if (!life.done && *data == life.step)
			act(b);
	} else if (*data == DO_NEW_DEVICE) {
		device_give(b, &life.dev[1]);
	} else {
		must(bus_dev_tell(life.now, (uint8_t)*data), "the device is dead");
	}
}

static long record(int vm, uint32_t rec, void *buf, uint32_t len)
{
	struct hv_state_args a = { .record = rec, .addr = (uintptr_t)buf, .len = len };

	return hv_try(vm, HV_VM_GET_STATE, &a);
}

static bool again(struct bare *b)
{
	struct hv_reset_args reset = { 0 };
	struct hv_rec_bus bus;
	uint8_t buf[1024];

	if (!b->stop || life.end == END_CLOSE_VM)
		return false;
	if (life.end == END_RESET_LATE)
		bus_dev_tell(life.now, DO_HOLD_ACKS);
	hv_do(b->vm, HV_VM_RESET, &reset);
	must(!record(b->vm, HV_REC_BUS, &bus, sizeof(bus)) && !bus.version && !bus.offers &&
	     bus.state != 1, "a connection outlived a reset");
	must(record(b->vm, HV_REC_BUS_GPADL, buf, sizeof(buf)) == -ENOENT, "a GPADL is left");
	must(record(b->vm, HV_REC_BUS_MESSAGE, buf, sizeof(buf)) == -ENOENT, "a message is left");
	must(bus_dev_tell(life.now, DEV_LOOK), "the device is dead");
	if (life.step >= STEP_RESCINDED) {
		/* Its second channel is over; a VMM has a new device then. */
		kill(life.now->pid, SIGKILL);
		device_ends(SIGKILL);
		device_give(b, &life.dev[1]);
	} else {
		bus_dev_tell(life.now, life.end == END_RESET ? DO_ACK : DEV_ACK_SOON);
	}
	madvise(b->ram, BARE_RAM, MADV_DONTNEED);
	return true;
}

/* The fds of the VM have gone: so has the VM, and the next one of this process is as good. */
static void next_vm(struct bare *b, int ret)
{
	must(ret == -4, "the guest did not come so far");
	must(bus_dev_tell(life.now, DEV_VM_GONE), "the device is dead");
	device_ends(0);
	must(!bare_run(b), "the next VM's guest");
}

/* All of one VMM's process; how much went wrong. */
static int vmm(enum end end, uint32_t step, int reached)
{
	struct bare b = { .image = "build/guest/bus_end.elf", .cpus = CPUS, .seconds = LIFE_S,
			  .prepare = prepare, .port = port, .again = again };
	int none = -1, others[2] = { -1, -1 }, ret;

	life = (struct life){ .end = end, .step = step, .reached = reached };
	memgroup_join();
	bus_dev_start(&life.dev[0], &none);
	others[0] = life.dev[0].sock;
	bus_dev_start(&life.dev[1], others);
	ret = bare_run(&b);
	if (end == END_CLOSE_VM)
		next_vm(&b, ret);
	else
		must(!ret, "the guest that connected again");
	must(life.done, "the step was not reached");
	return life.wrong;
}

/* ---- from outside ---- */

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

static bool users_are(int want)
{
	int i;

	for (i = 0; i < LATE_MS / 10 && module_users() != want; i++)
		usleep(10000);
	return module_users() == want;
}

/* The step is reached: some time later, or while the vCPU waits there, it is over. */
static bool kill_it(enum end end, pid_t pid, int reached)
{
	char byte;

	if (read(reached, &byte, 1) != 1)
		return false;
	usleep((useconds_t)(rand() % 3000));
	if (end == END_KILL_BOTH && rand() & 1)
		kill(sh->device, SIGKILL);
	kill(pid, SIGKILL);
	if (end == END_KILL_BOTH)
		kill(sh->device, SIGKILL);
	return true;
}

/* All of its processes have ended as they should. */
static bool reap(enum end end, pid_t pid)
{
	bool killed = end >= END_KILL_VMM, good = true, ok;
	int status;
	pid_t p;

	while ((p = waitpid(-1, &status, 0)) > 0) {
		ok = status == (killed && p == pid ? SIGKILL : 0) ||
		     (end == END_KILL_BOTH && p == sh->device && status == SIGKILL);
		if (!ok)
			tap_note("process %s ended with 0x%x", p == pid ? "of the VMM" : "of a device",
				 status);
		good &= ok;
	}
	return good;
}

static bool one_end(enum end end, uint32_t step)
{
	int reached[2], users = module_users();
	bool good = true;
	pid_t pid;

	if (pipe(reached))
		tap_bail("pipe");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(reached[0]);
		_exit(vmm(end, step, reached[1]));
	}
	close(reached[1]);
	if (end >= END_KILL_VMM)
		good = kill_it(end, pid, reached[0]);
	close(reached[0]);
	good &= reap(end, pid);
	if (!users_are(users)) {
		tap_note("step %u: %d users of the module, there were %d", step, module_users(), users);
		good = false;
	}
	return good;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool no_vms(void)
{
	FILE *f = fopen("/sys/kernel/debug/hv/vms", "re");
	int c = f ? fgetc(f) : 'x';

	if (f)
		fclose(f);
	return c == EOF;
}

static bool wanted(int argc, char **argv, uint32_t end, uint32_t step)
{
	if (argc < 2)
		return (step + end) % ENDS == 0;
	if (!strcmp(argv[1], "all"))
		return true;
	return end == (uint32_t)atoi(argv[1]) && (argc < 3 || step == (uint32_t)atoi(argv[2]));
}

int main(int argc, char **argv)
{
	unsigned int lives = 0, good, n;
	uint32_t end, step;
	long start;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (sh == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1))
		tap_bail("no memory");
	setvbuf(stdout, NULL, _IOLBF, 0);	/* processes of it are killed */
	memgroup_make();
	for (end = 0; end < ENDS; end++) {
		start = now_ms();
		for (n = good = step = 0; step < STEPS; step++) {
			if (!wanted(argc, argv, end, step))
				continue;
			n++;
			good += one_end((enum end)end, step);
		}
		lives += n;
		tap_is(good, n, "%s, at %u steps", names[end], n);
		tap_note("%ld ms", now_ms() - start);
	}
	tap_ok(no_vms(), "no VM is left");
	memgroup_check(lives * 1024ul + 131072, lives);	/* some is per CPU, or of the group */
	return tap_done();
}
