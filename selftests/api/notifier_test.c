// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host changes the pages behind a running guest: discarded, punched, protected, moved
 * by mremap, copied on write after fork, merged, swapped for large pages. The guest sees
 * what the host address shows, at once, and its writes are never lost.
 */
#include <fcntl.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define BYTES	(4 * MIB)
#define PAGES	(BYTES / 4096)

static uint32_t *map(int flags, int fd)
{
	char *p = mmap(NULL, BYTES + 2 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p += 2 * MIB - ((uintptr_t)p & (2 * MIB - 1));
	p = mmap(p, BYTES, PROT_READ | PROT_WRITE, MAP_FIXED | flags, fd, 0);
	if (p == MAP_FAILED)
		tap_bail("no memory");
	return (uint32_t *)p;
}

static int memfd(void)
{
	int fd = memfd_create("notifier_test", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, BYTES))
		tap_bail("no memfd");
	return fd;
}

static void fill(uint32_t *p, uint32_t val)
{
	for (uint32_t i = 0; i < PAGES; i++)
		p[i * 1024] = val;
}

/* Pages of the guest that do not show @val. */
static uint32_t differ(struct flat *f, uint32_t val)
{
	uint32_t i, n = 0;

	for (i = 0; i < PAGES; i += 31)
		n += flat_read(f, BASE + i * 4096, NULL) != val;
	return n;
}

static void touch(struct flat *f, enum flat_code code, uint32_t val)
{
	struct flat_regs r = { .edi = BASE, .ecx = PAGES, .ebx = 4096, .eax = val };

	if (flat_run(f, code, &r))
		tap_ok(false, "sweep");
}

static void check_still(const char *what, int flags, int fd)
{
	uint32_t *p = map(flags, fd);
	void *q;
	struct flat f;
	long err;

	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	fill(p, 0x11);
	touch(&f, FLAT_WRITE_SWEEP, 0x12);
	tap_is(p[1024], 0x12, "%s: the host sees the guest's writes", what);
	if (fd < 0) {
		madvise(p, BYTES, MADV_DONTNEED);
		tap_is(differ(&f, 0), 0, "%s: discarded pages are zero", what);
	} else {
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BYTES);
		tap_is(differ(&f, 0), 0, "%s: punched pages are zero", what);
	}
	touch(&f, FLAT_WRITE_SWEEP, 0x13);
	tap_is(p[1024 * (PAGES - 1)], 0x13, "%s: and can be written", what);

	mprotect(p, BYTES, PROT_READ);
	tap_is(flat_write(&f, BASE, 1), HV_EXIT_MEMORY_FAULT, "%s: protected: a write is a memory fault",
	       what);
	tap_ok(f.run->fault.gpa == BASE && f.run->fault.flags == HV_FAULT_F_WRITE &&
	       f.run->fault.error == -EFAULT, "%s: which says where and why", what);
	tap_is(flat_read(&f, BASE, NULL), 0x13, "%s: reading goes on", what);
	mprotect(p, BYTES, PROT_READ | PROT_WRITE);
	tap_is(flat_write(&f, BASE, 0x14), 0, "%s: unprotected: the write goes on", what);

	q = mremap(p, BYTES, BYTES, MREMAP_MAYMOVE | MREMAP_FIXED, map(flags, fd));
	flat_read(&f, BASE, &err);
	tap_is(err, HV_EXIT_MEMORY_FAULT, "%s: moved away: a memory fault", what);
	tap_is(flat_slot(&f, 1, 0, BASE, BYTES, q), 0, "%s: slot at the new address", what);
	tap_is(flat_read(&f, BASE, NULL), 0x14, "%s: the memory is back", what);
	munmap(q, BYTES);
	flat_read(&f, BASE, &err);
	tap_is(err, HV_EXIT_MEMORY_FAULT, "%s: unmapped: a memory fault", what);
	flat_close(&f);
}

/* Guest memory that the module must not map. */
static void check_refused(void)
{
	int zero = open("/dev/zero", O_RDWR);
	struct flat f;
	void *run, *none;
	long err;

	flat_new(&f, 0, 1);
	run = hv_run_map(f.vcpu);
	none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	flat_slot(&f, 1, 0, BASE, 4096, none);
	flat_read(&f, BASE, &err);
	tap_is(err, HV_EXIT_MEMORY_FAULT, "PROT_NONE memory");
	flat_slot(&f, 1, 0, BASE, 4096, (void *)0x10000);
	flat_read(&f, BASE, &err);
	tap_is(err, HV_EXIT_MEMORY_FAULT, "nothing mapped");
	flat_slot(&f, 1, 0, BASE, 4096, run);
	flat_read(&f, BASE, &err);
	tap_ok(err == 0 || err == HV_EXIT_MEMORY_FAULT, "the run page itself: no harm (%ld)", err);
	close(zero);
	flat_close(&f);
}

/* A page that was only read is the shared zero page: the first write gets its own. */
static void check_zero_page(void)
{
	uint32_t *p = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	struct flat f;

	madvise(p, BYTES, MADV_NOHUGEPAGE);
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	touch(&f, FLAT_READ_SWEEP, 0);
	tap_is(differ(&f, 0), 0, "fresh memory is zero");
	touch(&f, FLAT_WRITE_SWEEP, 0x21);
	tap_is(p[1024 * 77], 0x21, "writes arrive in the host");
	tap_is(differ(&f, 0x21), 0, "and are seen by the guest");
	flat_close(&f);
}

/* After fork parent and child share pages; the guest writes to the parent's. */
static void check_fork(void)
{
	uint32_t *p = map(MAP_PRIVATE | MAP_ANONYMOUS, -1), bad = 0, i;
	int go[2], status = 0;
	struct flat f;
	pid_t pid;
	char c;

	if (pipe(go))
		tap_bail("pipe");
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	touch(&f, FLAT_WRITE_SWEEP, 0x31);
	pid = fork();
	if (!pid) {
		/* The parent's guest has written by then. */
		if (read(go[0], &c, 1) != 1)
			_exit(2);
		for (i = 0; i < PAGES; i++)
			bad += p[i * 1024] != 0x31;
		_exit(bad != 0);
	}
	touch(&f, FLAT_WRITE_SWEEP, 0x32);
	tap_is(write(go[1], "x", 1), 1, "fork: tell the child");
	waitpid(pid, &status, 0);
	tap_is(status, 0, "fork: the child's copy is what it was at the fork");
	tap_is(differ(&f, 0x32), 0, "fork: the guest has what it wrote");
	flat_close(&f);
}

struct storm {
	uint32_t *p;
	int fd;
	volatile int stop;
	volatile unsigned long rounds;
};

/* Everything that takes pages away without changing what they hold. */
static void *storm(void *arg)
{
	struct storm *s = arg;
	pid_t pid;

	while (!s->stop) {
		uint32_t *at = s->p + s->rounds % 8 * 64 * 1024;

		mprotect(at, MIB / 4, PROT_READ);
		mprotect(at, MIB / 4, PROT_READ | PROT_WRITE);
#ifdef MADV_PAGEOUT
		madvise(at, MIB / 4, MADV_COLD);
		madvise(at, MIB / 4, MADV_PAGEOUT);
#endif
		madvise(s->p, BYTES, s->rounds & 1 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
		if (s->fd < 0 && s->rounds % 8 == 0) {
			pid = vfork();
			if (!pid)
				_exit(0);
			waitpid(pid, NULL, 0);
			pid = fork();
			if (!pid)
				_exit(0);
			waitpid(pid, NULL, 0);
		}
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
		if (s->rounds % 16 == 1)
			madvise(s->p, BYTES, MADV_COLLAPSE);
		s->rounds++;
	}
	return NULL;
}

/* A write fault while the range is read-only is a memory fault: go on then. */
static void *counter(void *arg)
{
	struct flat *f = arg;

	while (!f->stop) {
		f->last = hv_raw(f->vcpu, HV_VCPU_RUN, NULL);
		if (f->last == -EINTR || (!f->last && f->run->exit_kind == HV_EXIT_MEMORY_FAULT))
			continue;
		f->exit_kind = f->run->exit_kind;
		break;
	}
	return NULL;
}

static void check_storm(const char *what, int flags, int fd)
{
	struct flat_regs r = { .esi = BASE, .ebx = 4096 * 4 + 4, .edx = 200 };
	struct storm s = { .p = map(flags, fd), .fd = fd };
	const volatile uint32_t *last = s.p + 199 * (4096 + 1);
	uint32_t i, bad = 0, top = 0;
	pthread_t t, g;
	struct flat f;

	fill(s.p, 0);
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, s.p);
	/* Registers, then our own loop in place of flat_start()'s. */
	flat_start(&f, FLAT_COUNT, &r);
	flat_stop(&f, &r);
	f.stop = 0;
	f.last = 0;
	f.exit_kind = HV_EXIT_NONE;
	pthread_create(&g, NULL, counter, &f);
	pthread_create(&t, NULL, storm, &s);
	for (i = 0; i < 3 || (i < LATE_MS / 1000 && !(s.rounds && *last)); i++)
		sleep(1);
	s.stop = 1;
	pthread_join(t, NULL);
	f.stop = 1;
	f.run->immediate_exit = 1;
	pthread_kill(g, SIGUSR1);
	pthread_join(g, NULL);
	f.run->immediate_exit = 0;
	tap_is(f.exit_kind, HV_EXIT_NONE, "%s: the guest ran on (HV_VCPU_RUN: %ld)", what, f.last);
	/* Each word was counted up by one each round: they differ by one at most. */
	for (i = 0; i < 200; i++) {
		uint32_t v = s.p[i * (4096 + 1)];

		top = v > top ? v : top;
		bad += i && (v > s.p[0] || s.p[0] - v > 1);
	}
	tap_is(bad, 0, "%s: no increment was lost in %lu changes, %u rounds", what, s.rounds, top);
	tap_ok(top > 0 && s.rounds > 0, "%s: both ran", what);
	flat_close(&f);
	munmap(s.p, BYTES);
}

int main(void)
{
	check_still("anonymous", MAP_PRIVATE | MAP_ANONYMOUS, -1);
	check_still("memfd", MAP_SHARED, memfd());
	check_refused();
	check_zero_page();
	check_fork();
	check_storm("anonymous", MAP_PRIVATE | MAP_ANONYMOUS, -1);
	check_storm("memfd", MAP_SHARED, memfd());
	return tap_done();
}
