// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A beat that brings a CPU back whose interrupt the emulator lost.
 *
 * QEMU's TCG sets the bit of a pending virtual interrupt, at VMRUN, without the lock under
 * which another thread sets the bit of a real one in the same word (svm_helper.c of 7.2): now
 * and then the real one is lost. It stays in the APIC's IRR, and the next interrupt for that
 * CPU delivers both; but when it was the timer's, and a guest spins there, none may come.
 * One thread a CPU wakes the next one's, which is an interrupt for it: every BEAT_MS by the
 * clock, however often it is woken itself. Counted from then on, a CPU that the one before it wakes
 * just as its time is up would never wake the next one.
 */
#include "lab.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define CPUS_MAX	16
#define BEAT_MS		250

static int wake[CPUS_MAX];
static long cpus;

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static void *beat(void *arg)
{
	long cpu = (long)arg;
	long long due = now_ms() + BEAT_MS, left;
	struct pollfd fd = { .fd = wake[cpu], .events = POLLIN };
	cpu_set_t set;
	uint64_t n;

	for (;;) {
		/* Each time: a CPU that was offline has lost its threads. */
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
		left = due - now_ms();
		if (left > 0) {
			/* Woken: that was the interrupt. */
			if (poll(&fd, 1, left) > 0 && read(fd.fd, &n, sizeof(n)) != sizeof(n))
				return NULL;
			continue;
		}
		due = now_ms() + BEAT_MS;
		n = 1;
		if (write(wake[(cpu + 1) % cpus], &n, sizeof(n)) != sizeof(n))
			return NULL;
	}
}

void beat_start(void)
{
	sigset_t all, old;
	pthread_t t;
	long i;

	/* SIGCHLD is for the thread that waits for the command. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (cpus > CPUS_MAX)
		cpus = CPUS_MAX;
	for (i = 0; i < cpus; i++) {
		wake[i] = eventfd(0, EFD_CLOEXEC);
		if (wake[i] < 0)
			cpus = 0;
	}
	for (i = 0; cpus > 1 && i < cpus; i++)
		if (pthread_create(&t, NULL, beat, (void *)i))
			channel_log("no beat on CPU %ld", i);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}
