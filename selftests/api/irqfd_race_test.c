// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * irqfds written, assigned, deassigned and closed at once from several threads, while a
 * vCPU runs and, in the end, while the VM goes. What is asked is that all of it ends.
 */
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/hvio.h"

#define SLOTS	8
#define SECONDS	3

static int vm, fds[SLOTS];
static volatile int stop;
static unsigned long writes, turns;

static void *writer(void *arg)
{
	uint64_t one = 1;
	unsigned int i = 0;

	(void)arg;
	while (!stop) {
		/* An fd that was closed a moment ago is part of the game. */
		if (write(__atomic_load_n(&fds[i++ % SLOTS], __ATOMIC_RELAXED), &one, 8) == 8)
			__atomic_fetch_add(&writes, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static long irqfd(int fd, int resample, uint32_t flags, unsigned int i)
{
	struct hv_irqfd_args a = { .flags = flags, .fd = fd, .resample_fd = resample };

	if (flags & HV_IRQFD_F_RESAMPLE) {
		a.target.kind = HV_IRQ_GSI;
		a.target.gsi = i % 4;
	} else {
		a.target.kind = HV_IRQ_MSI;
		a.target.msi_addr = 0xfee00000;
		a.target.msi_data = 0x40 + i % 32;
	}
	return hv_try(vm, HV_VM_SET_IRQFD, &a);
}

static void *changer(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg;

	while (!stop) {
		unsigned int slot = i % SLOTS;
		int fd = eventfd(0, EFD_NONBLOCK), ack = eventfd(0, EFD_NONBLOCK), old;
		bool resample = i % 5 == 0;

		if (fd < 0 || ack < 0 ||
		    irqfd(fd, ack, resample ? HV_IRQFD_F_RESAMPLE : 0, i))
			tap_bail("cannot make an irqfd");
		old = __atomic_exchange_n(&fds[slot], fd, __ATOMIC_SEQ_CST);
		if (old >= 0) {
			if (i & 1)
				irqfd(old, -1, HV_IRQFD_F_DEASSIGN, 0);
			close(old);
		}
		close(ack);
		i += 2;
		__atomic_fetch_add(&turns, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

int main(void)
{
	int sys = hv_open(), vcpu, i;
	struct hv_runner runner;
	pthread_t t[4];

	vm = hv_vm_new(sys, 0, 1);
	hv_reset_code(vm, hv_code_spin, sizeof(hv_code_spin));
	vcpu = hv_vcpu_new(vm, 0);
	for (i = 0; i < SLOTS; i++)
		fds[i] = -1;
	hv_runner_start(&runner, vcpu);
	for (i = 0; i < 4; i++)
		if (pthread_create(&t[i], NULL, i < 2 ? writer : changer, (void *)(uintptr_t)i))
			tap_bail("no thread");
	for (i = 0; i < SECONDS || (i < LATE_MS / 1000 && (writes <= 100 || turns <= 100)); i++)
		sleep(1);
	stop = 1;
	for (i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	hv_runner_stop(&runner);
	stop = 0;
	/* The VM goes while its irqfds are being written. */
	if (pthread_create(&t[0], NULL, writer, NULL))
		tap_bail("no thread");
	close(vcpu);
	close(vm);
	usleep(100000);
	stop = 1;
	pthread_join(t[0], NULL);
	tap_ok(writes > 100 && turns > 100, "%lu writes, %lu irqfds made and dropped", writes, turns);
	return tap_done();
}
