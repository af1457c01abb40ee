// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * drive.c - run the bench guest on hv or KVM: "drive hv|kvm IMAGE [vector=ROW]"
 *
 * Prints the guest's ROW lines, and vm.create: VM, interrupt controllers, a 64 MiB slot
 * and a vCPU, mean of 20 that live at the same time. Single-threaded but for the thread
 * that answers the signal round trip.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drive.h"

#define NR_VMS	20

static const struct drive_ops *d;

static uint64_t tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence\n\trdtsc" : "=a"(lo), "=d"(hi) : : "memory");
	return (uint64_t)hi << 32 | lo;
}

static int failed(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", d->name, what, strerror(errno));
	return 1;
}

/* Anonymous memory, 2 MiB aligned; @pages: small pages, touched. */
static void *memory(size_t bytes, int pages)
{
	char *p = mmap(NULL, bytes + (2 << 20), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t i;

	if (p == MAP_FAILED)
		return NULL;
	p = (char *)(((uintptr_t)p + (2 << 20) - 1) & ~((2ul << 20) - 1));
	madvise(p, bytes, pages ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	for (i = 0; pages && i < bytes; i += 4096)
		((volatile char *)p)[i] = 1;
	return p;
}

struct round {
	int from, to;
};

static void *answer(void *arg)
{
	struct round *r = arg;
	uint64_t v;

	while (read(r->from, &v, sizeof(v)) == sizeof(v)) {
		v = 1;
		if (write(r->to, &v, sizeof(v)) != sizeof(v))
			break;
	}
	return NULL;
}

/* Load a 32-bit ELF file; its entry, or 0. */
static uint32_t load(const char *path, char *ram)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), i;
	static char file[4 << 20];
	Elf32_Ehdr *e = (Elf32_Ehdr *)file;
	Elf32_Phdr *p;
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, file, sizeof(file));
	close(fd);
	if (n < (ssize_t)sizeof(*e) || e->e_phoff + e->e_phnum * sizeof(*p) > (size_t)n)
		return 0;
	p = (Elf32_Phdr *)(file + e->e_phoff);
	for (i = 0; i < e->e_phnum; i++, p++)
		if (p->p_type == PT_LOAD && p->p_paddr + p->p_memsz < RAM_BYTES &&
		    p->p_offset + p->p_filesz <= (size_t)n)
			memcpy(ram + p->p_paddr, file + p->p_offset, p->p_filesz);
	return e->e_entry;
}

static int serve(void)
{
	struct drive_io io;
	int status;

	for (;;) {
		switch (d->run(&io)) {
		case DRIVE_PIO:
			if (io.in)
				memset(io.data, io.port == 0x3fd ? 0x60 : 0xff, 4);
			else if (io.port == 0x3f8)
				putchar(*(char *)io.data);
			else if (io.port == 0xf4) {
				status = *(unsigned char *)io.data;
				fflush(stdout);
				return status;
			}
			break;
		case DRIVE_MMIO:
			break;
		default:
			return failed("the guest stopped");
		}
	}
}

static int guest(const char *image, const char *more)
{
	char *ram = memory(RAM_BYTES, 0);
	uint32_t *mb = (uint32_t *)(ram + 0x9000), entry = load(image, ram);
	static struct round round;
	pthread_t thread;

	if (!entry)
		return failed(image);
	if (d->vm_create() || d->slot(0, 0, ram, RAM_BYTES) ||
	    d->slot(1, TOUCH_GPA, memory(TOUCH_BYTES, 1), TOUCH_BYTES) ||
	    d->slot(2, RTOUCH_GPA, memory(RTOUCH_BYTES, 1), RTOUCH_BYTES) || d->vcpu_create())
		return failed("cannot create the VM");
	mb[0] = 5;	/* memory sizes and command line are valid */
	mb[1] = 640;
	mb[2] = (RAM_BYTES >> 10) - 1024;
	mb[4] = 0x9800;
	sprintf(ram + 0x9800, "bench pio=%#x mmio=%#lx kickp=%#x kickm=%#lx conn=%#x round=%#x touch=%#lx rtouch=%#lx %.64s",
		PORT_USER, MMIO_USER, PORT_KICK, MMIO_KICK, CONN_PLAIN, CONN_ROUND, TOUCH_GPA,
		RTOUCH_GPA, more);
	if (d->enter_32(entry, 0x2badb002, 0x9000))
		return failed("cannot set registers");
	round.from = eventfd(0, EFD_CLOEXEC);
	round.to = eventfd(0, EFD_CLOEXEC);
	if (d->ioeventfd(PORT_KICK, 1, eventfd(0, EFD_CLOEXEC)) ||
	    d->ioeventfd(MMIO_KICK, 0, eventfd(0, EFD_CLOEXEC)) ||
	    d->event_port(CONN_PLAIN, eventfd(0, EFD_CLOEXEC)) ||
	    d->event_port(CONN_ROUND, round.from) || d->irqfd_sint(round.to, ROUND_VECTOR_SINT))
		return failed("cannot connect events");
	if (pthread_create(&thread, NULL, answer, &round))
		return failed("thread");
	return serve();
}

static int create_many(void)
{
	void *ram = memory(RAM_BYTES, 0);
	uint64_t t, sum = 0;
	int i;

	for (i = 0; i < NR_VMS; i++) {
		t = tsc();
		if (d->vm_create() || d->slot(0, 0, ram, RAM_BYTES) || d->vcpu_create())
			return failed("cannot create many VMs");
		sum += tsc() - t;
	}
	printf("ROW vm.create %lu %lu %d\n", (unsigned long)(sum / NR_VMS),
	       (unsigned long)(sum / NR_VMS), NR_VMS);
	return 0;
}

int main(int argc, char **argv)
{
	int status;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: drive hv|kvm IMAGE [WORD for the guest]\n");
		return 2;
	}
	d = !strcmp(argv[1], "kvm") ? &drive_kvm : &drive_hv;
	if (d->open())
		return failed("cannot open the device");
	status = guest(argv[2], argc > 3 ? argv[3] : "");
	if (!status)
		status = create_many();
	fflush(stdout);
	_exit(status);	/* the answering thread sleeps in a read */
}
