// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A slot is taken away while its memory is given back to the host by another thread. The guest
 * writes to it all the time and must not reach the page once the host has it: that is somebody
 * else's then.
 *
 * One CPU is the guest's. On the other one an idle-class thread takes the slot away, and one
 * that wakes up in the middle of that gives the page back, takes fresh ones, which the kernel
 * gives out last-freed first, and looks whether they stay as they are.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/cpus.h"
#include "selftests/lib/flat.h"

#define BASE	0x10000000u
#define PAGE	0xd0000000u		/* whose entry goes last */
#define BYTES	(PAGE - BASE + 4096)
#define FILL	16384u			/* pages in front of it that make the taking long */
#define ROUNDS	80
#define FRESH	8
#define PATTERN	0x5eadbeefu

static uint8_t *ram;
static struct flat f;
static int cpu[2];
static volatile int round_nr, done_nr;
static struct timespec wake;
static unsigned int changed;

static void ns_add(struct timespec *t, long ns)
{
	t->tv_nsec += ns;
	t->tv_sec += t->tv_nsec / 1000000000;
	t->tv_nsec %= 1000000000;
}

static long ns_since(const struct timespec *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - t->tv_sec) * 1000000000 + now.tv_nsec - t->tv_nsec;
}

static unsigned int differ(const uint32_t *p)
{
	unsigned int i, n = 0;

	for (i = 0; i < FRESH * 1024; i++)
		n += p[i] != PATTERN;
	return n;
}

/* Gives the page back at the time that was set, and watches what the host gives out next. */
static void *giver(void *unused)
{
	struct timespec start;
	unsigned int i;
	uint32_t *p;
	int nr;

	(void)unused;
	cpu_pin(0, cpu[1]);
	for (nr = 1; nr <= ROUNDS; nr++) {
		while (round_nr != nr)
			usleep(100);
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
		p = mmap(NULL, FRESH * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		madvise(ram + (PAGE - BASE), 4096, MADV_DONTNEED);
		for (i = 0; i < FRESH * 1024; i++)
			p[i] = PATTERN;
		clock_gettime(CLOCK_MONOTONIC, &start);
		while (ns_since(&start) < 4000000)
			;
		changed += differ(p) > 0;
		munmap(p, FRESH * 4096);
		done_nr = nr;
	}
	return NULL;
}

/* Where we are, and how much we want to be; threads we start are the same. */
static void place(int where, int policy)
{
	if (cpu_pin(0, where) || sched_setscheduler(0, policy, &(struct sched_param){ 0 }))
		tap_bail("scheduling");
}

/* Every page in front has an entry, and the guest writes to the last one. */
static void prepare(void)
{
	struct flat_regs fill = { .eax = 1, .edi = BASE, .ecx = FILL, .ebx = 4096 };

	memset(ram + (PAGE - BASE), 0, 4096);
	if (flat_slot(&f, 1, 0, BASE, BYTES, ram) || flat_run(&f, FLAT_WRITE_SWEEP, &fill))
		tap_bail("the slot can not be filled");
	place(cpu[0], SCHED_OTHER);
	flat_start(&f, FLAT_COUNT, &(struct flat_regs){ .esi = PAGE, .edx = 64, .ebx = 64 });
	while (!*(volatile uint32_t *)(ram + (PAGE - BASE)))
		usleep(100);
	place(cpu[1], SCHED_IDLE);
}

/* How long the taking lasts when nobody comes in between, ns. */
static long take_alone(void)
{
	struct timespec start;

	prepare();
	clock_gettime(CLOCK_MONOTONIC, &start);
	flat_slot(&f, 1, 0, BASE, 0, NULL);
	return ns_since(&start);
}

static void *taker(void *unused)
{
	long lasts, lead;
	int nr;

	(void)unused;
	lasts = take_alone();
	flat_stop(&f, NULL);
	tap_note("it takes %ld us", lasts / 1000);
	for (nr = 1; nr <= ROUNDS; nr++) {
		prepare();
		lead = lasts * nr / ROUNDS * nr / ROUNDS;	/* most often early */
		clock_gettime(CLOCK_MONOTONIC, &wake);
		ns_add(&wake, 3000000 + lead);
		round_nr = nr;
		while (ns_since(&wake) < -lead)
			;
		if (flat_slot(&f, 1, 0, BASE, 0, NULL))
			tap_bail("the slot can not be taken away");
		while (done_nr != nr)
			usleep(100);
		flat_stop(&f, NULL);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[2];

	cpus_two(cpu);
	ram = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (ram == MAP_FAILED)
		tap_bail("no memory");
	madvise(ram, BYTES, MADV_NOHUGEPAGE);
	flat_new(&f, 0, 1);
	pthread_create(&threads[0], NULL, giver, NULL);
	pthread_create(&threads[1], NULL, taker, NULL);
	pthread_join(threads[1], NULL);
	pthread_join(threads[0], NULL);
	tap_is(changed, 0, "in %d rounds nobody else's page was written", ROUNDS);
	flat_close(&f);
	return tap_done();
}
