// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest never holds a host CPU: while one tries (selftests/guest/hostage.c) the CPU takes
 * its own timer interrupts, other threads run there, and the guest can be stopped and killed.
 * How often is told, and only asked to be more than a CPU would that does so by accident.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/bare.h"
#include "selftests/lib/cpus.h"
#include "selftests/lib/hvio.h"

#define CPU		1
#define SECONDS		2
#define LEAST		20	/* interrupts and wake-ups in that time, of 500 and 1000 or more */
#define PER_SECOND	10000	/* expiries of one timer: a period is 100 us or longer */
#define TIMERS		4
#define KILL_MS		60000

static const struct {
	const char *name;
	uint32_t way;
	bool debug, timers;
} ways[] = {
	{ "interrupts off", 1, false, false },
	{ "#DB after #DB", 2, true, false },
	{ "timers with the shortest period", 3, false, true },
	{ "the same with interrupts off", 4, false, true },
};

static volatile int done;
static volatile unsigned long wakes;
static uint64_t exits_intr, exits_exception, expired;

static void pin(void)
{
	if (cpu_pin(0, CPU))
		tap_bail("cannot go to CPU %d", CPU);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Local timer interrupts that the CPU has taken. */
static unsigned long timer_interrupts(void)
{
	FILE *f = fopen("/proc/interrupts", "re");
	unsigned long n[CPU + 1] = { 0 };
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " LOC: %lu %lu", &n[0], &n[1]) == 2)
			break;
	if (f)
		fclose(f);
	return n[CPU];
}

static void *sleeper(void *arg)
{
	struct timespec ms = { 0, 1000000 };

	(void)arg;
	pin();
	while (!done) {
		nanosleep(&ms, NULL);
		wakes++;
	}
	return NULL;
}

static void counters(struct bare *b)
{
	exits_intr = hv_counter(b->vcpu[0], HV_VCPU_GET_STATS, "exits_intr");
	exits_exception = hv_counter(b->vcpu[0], HV_VCPU_GET_STATS, "exits_exception");
	expired = hv_counter(b->vcpu[0], HV_VCPU_GET_STATS, "vstimer_expired");
}

static int guest_run(uint32_t way, uint32_t seconds)
{
	char words[16];
	struct bare b = { .image = "build/guest/hostage.elf", .append = words, .cpus = 1,
			  .seconds = seconds, .leave = counters };

	snprintf(words, sizeof(words), "way=%u", way);
	return bare_run(&b);
}

static void host_goes_on(const char *name, uint32_t way, bool debug, bool timers)
{
	unsigned long before = timer_interrupts(), taken;
	uint64_t start = now_ms(), took;
	pthread_t t;

	done = 0;
	wakes = 0;
	if (pthread_create(&t, NULL, sleeper, NULL))
		tap_bail("cannot start a thread");
	tap_is(guest_run(way, SECONDS), -1, "%s: the guest stays until it is told to stop", name);
	done = 1;
	pthread_join(t, NULL);
	took = now_ms() - start;
	taken = timer_interrupts() - before;
	tap_note("%llu ms: %lu timer interrupts, %lu wake-ups, %llu exits by interrupts, "
		 "%llu by exceptions, %llu timers expired", (unsigned long long)took, taken, wakes,
		 (unsigned long long)exits_intr, (unsigned long long)exits_exception,
		 (unsigned long long)expired);
	tap_ok(taken >= LEAST && exits_intr >= LEAST, "%s: its CPU takes interrupts", name);
	tap_ok(wakes >= LEAST, "%s: another thread runs there", name);
	if (debug)
		tap_ok(exits_exception >= LEAST, "%s: each of them ends its run", name);
	if (timers)
		tap_ok(expired && expired <= TIMERS * PER_SECOND * (took + 100) / 1000,
		       "%s: they expire, but no more often than every 100 us", name);
}

static void can_be_killed(const char *name, uint32_t way)
{
	pid_t pid;
	int i;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		guest_run(way, 600);
		_exit(0);
	}
	usleep(1000000);
	kill(pid, SIGKILL);
	for (i = 0; i < KILL_MS && !waitpid(pid, NULL, WNOHANG); i++)
		usleep(1000);
	tap_ok(i < KILL_MS, "%s: its process can be killed", name);
}

int main(void)
{
	uint32_t i;

	pin();
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		host_goes_on(ways[i].name, ways[i].way, ways[i].debug, ways[i].timers);
		can_be_killed(ways[i].name, ways[i].way);
	}
	return tap_done();
}
