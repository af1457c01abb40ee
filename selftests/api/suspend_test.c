// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host sleeps while guests run: to memory, where it loses all that is in its CPUs, and as
 * far as suspend to idle goes in an emulator that has nothing to wake it up again: devices are
 * suspended, the CPUs are not (/sys/power/pm_test). One guest counts and watches its TSC, one (guest/moved.c) uses IPIs, synthetic timers,
 * the reference page and messages on two processors and tells if anything is lost.
 *
 * Goes through real sleeps of the machine, woken by its clock. In the lab 9p does not live
 * through them: selftests/lab/tests/suspend.sh gives this program a root of its own.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/cpus.h"
#include "selftests/lib/hvio.h"

#define SLEEP_SECONDS	6	/* to memory, until the clock rings */
#define TEST_SECONDS	1	/* what the kernel is told to wait in a test of suspend */
#define MSR_EFER	0xc0000080u
#define MSR_HSAVE	0xc0010117u
#define EFER_SVME	(1ull << 12)
#define NS		1000000000ll
#define CPUS		2

struct guest {
	int vm, vcpu;
	void *page;
	uint8_t *ram;
	struct hv_count_cells *cell;
	struct hv_runner r;
};

static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static void guest_start(struct guest *g, int sys)
{
	g->vm = hv_vm_new(sys, 0, 1);
	g->vcpu = hv_vcpu_new(g->vm, 0);
	g->page = hv_reset_code(g->vm, hv_code_count, sizeof(hv_code_count));
	g->ram = hv_ram_new(g->vm, HV_RESET_SLOT + 1, 0, 0x10000);
	g->cell = (struct hv_count_cells *)(g->ram + HV_COUNT_CELLS);
	hv_runner_start(&g->r, g->vcpu);
}

static void guest_end(struct guest *g, const char *what)
{
	tap_is(hv_runner_stop(&g->r), -EINTR, "%s ran to its end", what);
	hv_ram_free(g->vm, HV_RESET_SLOT, g->page, 4096);
	hv_ram_free(g->vm, HV_RESET_SLOT + 1, g->ram, 0x10000);
	close(g->vcpu);
	close(g->vm);
}

static bool counts(const struct guest *g)
{
	uint32_t was = g->cell->rounds;
	int i;

	for (i = 0; i < 60000 && g->cell->rounds == was; i++)
		usleep(1000);
	return g->cell->rounds != was;
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_bail("%s: cannot write %s: %s", path, text, strerror(errno));
	close(fd);
}

static uint64_t msr(unsigned int cpu, uint32_t index)
{
	char path[40];
	uint64_t val = 0;
	int fd;

	snprintf(path, sizeof(path), "/dev/cpu/%u/msr", cpu);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &val, sizeof(val), index) != sizeof(val))
		tap_bail("%s: %s", path, strerror(errno));
	close(fd);
	return val;
}

static uint64_t tsc_hz(int sys)
{
	struct hv_cap_args a = { .cap = HV_CAP_TSC_KHZ };

	hv_do(sys, HV_SYS_GET_CAP, &a);
	return a.value * 1000;
}

/* Returns for how long, in ns, guests must have stood at least, besides what the clocks say. */
static int64_t host_sleeps(const char *state)
{
	bool idle = !strcmp(state, "freeze");
	char text[8];

	put("/sys/power/pm_test", idle ? "platform" : "none");
	if (idle) {
		snprintf(text, sizeof(text), "%d", TEST_SECONDS);
		put("/sys/module/suspend/parameters/pm_test_delay", text);
		put("/sys/power/state", state);
		/* It waits in a loop that was timed at boot: in an emulator it may be a third shorter. */
		return TEST_SECONDS * NS / 2;
	}
	snprintf(text, sizeof(text), "+%d", SLEEP_SECONDS);
	put("/sys/class/rtc/rtc0/wakealarm", "0");
	put("/sys/class/rtc/rtc0/wakealarm", text);
	put("/sys/power/state", state);
	return 0;
}

struct clocks {
	int64_t boot, mono;
	uint64_t tsc;		/* of the counting guest */
};

/*
 * All three at one time: the guest's is from within the last millisecond, not from before it had
 * to wait for a CPU; again if that does not come out.
 */
static struct clocks clocks_now(const struct guest *g)
{
	volatile uint64_t *tsc = &g->cell->tsc;
	uint64_t old, spins;
	struct clocks c;
	int64_t before;
	int i;

	for (i = 0; i < 1000; i++) {
		old = *tsc;
		spins = 0;
		do {
			before = now(CLOCK_BOOTTIME);
		} while (*tsc == old && ++spins < 1000000);
		c.tsc = *tsc;
		c.mono = now(CLOCK_MONOTONIC);
		c.boot = now(CLOCK_BOOTTIME);
		if (c.boot - before < NS / 1000)
			break;
	}
	return c;
}

/* What the counting guest and the host saw of one sleep; it was in it for @least ns. */
static void clocks_compare(const struct guest *g, int sys, const struct clocks *was, int64_t least,
			   const char *state)
{
	struct clocks is;
	int64_t passed, slept, ran;

	if (!tap_ok(counts(g), "%s: the counting guest goes on", state))
		return;
	is = clocks_now(g);
	passed = is.boot - was->boot;
	slept = passed - (is.mono - was->mono);
	ran = (int64_t)((is.tsc - was->tsc) / (tsc_hz(sys) / 1000000)) * 1000;
	tap_note("%s: %lld ms passed, %lld of them asleep; the guest's TSC says %lld", state,
		 (long long)passed / 1000000, (long long)slept / 1000000, (long long)ran / 1000000);
	tap_ok(least || slept > NS, "%s: the host did sleep", state);
	tap_ok(ran > 0 && ran <= passed - slept - least + NS / 10,
	       "%s: the guest's clock stood meanwhile", state);
	tap_is(g->cell->back, 0, "%s: its TSC never went back", state);
}

static void fresh_vm_on_each_cpu(int sys, const char *state)
{
	int cpu[CPUS], i;
	struct guest g;
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	cpus_two(cpu);
	for (i = 0; i < CPUS; i++) {
		cpu_pin(0, cpu[i]);	/* its thread inherits that */
		guest_start(&g, sys);
		tap_ok(counts(&g), "%s: a new guest runs on CPU %d", state, cpu[i]);
		guest_end(&g, "it");
	}
	sched_setaffinity(0, sizeof(set), &set);
}

/* Rounds of guest/moved.c in a process of its own; its result is the exit status. */
static pid_t busy_start(const char *rounds)
{
	char words[32];
	struct bare b = { .image = "build/guest/moved.elf", .cpus = 2, .append = words,
			  .seconds = 100 };
	pid_t pid;

	snprintf(words, sizeof(words), "rounds=%s", rounds);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int ret = bare_run(&b);

		if (ret)
			tap_note("the busy guest ended with %d", ret);
		fflush(stdout);
		_exit(ret ? 1 : 0);
	}
	return pid;
}

static void one_sleep(const struct guest *g, int sys, const char *rounds, const char *state)
{
	struct clocks was;
	uint64_t save[CPUS];
	pid_t busy = busy_start(rounds);
	int64_t least;
	unsigned int cpu;
	int status = -1;

	for (cpu = 0; cpu < CPUS; cpu++)
		save[cpu] = msr(cpu, MSR_HSAVE);
	sleep(1);	/* the busy guest is well on its way */
	tap_ok(counts(g), "%s: the counting guest runs", state);
	was = clocks_now(g);
	least = host_sleeps(state);
	clocks_compare(g, sys, &was, least, state);
	for (cpu = 0; cpu < CPUS; cpu++) {
		tap_ok(msr(cpu, MSR_EFER) & EFER_SVME, "%s: SVM is on on CPU %u", state, cpu);
		tap_ok(save[cpu] && msr(cpu, MSR_HSAVE) == save[cpu],
		       "%s: with its save area (0x%llx)", state, (unsigned long long)save[cpu]);
	}
	tap_is(waitpid(busy, NULL, WNOHANG), 0, "%s: the busy guest is still at it", state);
	fresh_vm_on_each_cpu(sys, state);
	waitpid(busy, &status, 0);
	tap_is(status, 0, "%s: the busy guest lost nothing", state);
}

int main(int argc, char **argv)
{
	static char *const both[] = { NULL, "400", "freeze", "mem", NULL };
	char *const *word = argc > 2 ? argv : both;
	int sys = hv_open(), i;
	struct guest g;

	guest_start(&g, sys);
	for (i = 2; word[i]; i++)
		one_sleep(&g, sys, word[1], word[i]);
	guest_end(&g, "the counting guest");
	close(sys);
	return tap_done();
}
