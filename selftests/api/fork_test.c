// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fork of a running VM by fork(2) of its process: guest memory is private to the process,
 * the child makes a VM of its own over the same addresses and goes on from the parent's
 * registers; its child does the same. This is the prototype of
 * Documentation/adr/0002-fork-backing.rst, and measures what that decides between: the
 * TSC figures mean something in the counted lab only.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define BYTES	(64 * MIB)
#define PAGES	(BYTES / 4096)
#define WORDS	256u
#define STRIDE	(BYTES / WORDS)
#define GENERATIONS	3	/* parent, child, grandchild */

static const char *const name[] = { "parent", "child", "grandchild" };

static uint32_t *memory(int advice)
{
	char *p = mmap(NULL, BYTES + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	p += 2 * MIB - ((uintptr_t)p & (2 * MIB - 1));
	madvise(p, BYTES, advice);
	for (uint32_t i = 0; i < PAGES; i++)
		p[i * 4096 + 8] = 1;
	return (uint32_t *)p;
}

/* The counting guest's memory at rest: word i has the first one's value, or one less. */
static bool consistent(const uint32_t *p)
{
	uint32_t i;

	for (i = 1; i < WORDS; i++)
		if (p[0] - p[i * (STRIDE / 4)] > 1)
			return false;
	return true;
}

/* Only the parent reports results; its descendants count failures and say what failed. */
static int depth;

static unsigned int check(bool cond, const char *what)
{
	if (!depth)
		tap_ok(cond, "%s: %s", name[0], what);
	else if (!cond)
		tap_note("%s: failed: %s", name[depth], what);
	return !cond;
}

/* Until the guest has gone round some times, however slow the machine is. */
static bool run_on(struct flat *f, const volatile uint32_t *p, const struct flat_regs *r)
{
	uint32_t i, from = p[0];

	flat_start(f, FLAT_COUNT, r);
	for (i = 0; i < 60000 && p[0] - from < 3; i++)
		usleep(1000);
	flat_stop(f, NULL);
	return p[0] - from >= 3;
}

static unsigned int generation(struct flat *f, uint32_t *p);

/* The forked side: the same guest in a new VM, once the parent's has run on. */
static unsigned int next_generation(const struct flat *f, uint32_t *p, struct flat_state *state,
				    uint32_t at_fork, int go)
{
	uint64_t t = __rdtsc();
	unsigned int bad = 0;
	struct flat next;
	char c;

	depth++;
	flat_new(&next, 0, 1);
	flat_slot(&next, 1, 0, BASE, BYTES, p);
	flat_load(&next, state);
	tap_note("%s: VM made anew in %llu ticks", name[depth], (unsigned long long)(__rdtsc() - t));
	bad += check(hv_raw(f->vcpu, HV_VCPU_RUN, NULL) == -EIO, "the parent's vCPU is not its own");
	bad += check(read(go, &c, 1) == 1, "the parent ran on");
	bad += check(p[0] == at_fork && consistent(p), "memory is what it was at the fork");
	return bad + generation(&next, p);
}

/* Run, fork, and run again while the next generation does the same. Returns failed checks. */
static unsigned int generation(struct flat *f, uint32_t *p)
{
	struct flat_regs r = { .esi = BASE, .ebx = STRIDE, .edx = WORDS };
	uint32_t at_fork, now;
	unsigned int bad = 0;
	struct flat_state state;
	int status = 0, go[2];
	uint64_t t;
	pid_t pid;

	bad += check(run_on(f, p, depth ? NULL : &r), "runs");
	bad += check(consistent(p), "its memory holds what it counted");
	if (depth == GENERATIONS - 1)
		return bad;
	if (pipe(go))
		return bad + 1;
	flat_save(f, &state);
	at_fork = p[0];
	fflush(NULL);
	t = __rdtsc();
	pid = fork();
	if (!pid) {
		bad = next_generation(f, p, &state, at_fork, go[0]);
		fflush(NULL);
		_exit((int)bad);
	}
	tap_note("%s: fork took %llu ticks", name[depth], (unsigned long long)(__rdtsc() - t));
	bad += check(run_on(f, p, NULL), "runs on after the fork");
	bad += check(consistent(p), "its memory holds what it counted since");
	now = p[0];
	bad += check(write(go[1], "x", 1) == 1, "tells its child");
	waitpid(pid, &status, 0);
	bad += check(!status, "its descendants' checks hold");
	bad += check(p[0] == now && consistent(p), "memory is its own");
	close(go[0]);
	close(go[1]);
	return bad;
}

/* Cost of one write sweep of the guest over all pages, per page, and of the fork before it. */
static void measure_fork(const char *what, int advice)
{
	struct flat_regs r = { .edi = BASE, .ecx = PAGES, .ebx = 4096 };
	uint32_t *p = memory(advice);
	uint64_t t, t_fork, t_read, t_write;
	struct flat_regs again;
	struct flat f;
	pid_t pid;
	int hold[2];
	char c;

	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	again = r;
	flat_run(&f, FLAT_WRITE_SWEEP, &again);
	if (pipe(hold))
		tap_bail("pipe");
	t = __rdtsc();
	pid = fork();
	if (!pid) {
		close(hold[1]);
		if (read(hold[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	t_fork = __rdtsc() - t;
	again = r;
	t = __rdtsc();
	flat_run(&f, FLAT_READ_SWEEP, &again);
	t_read = __rdtsc() - t;
	again = r;
	t = __rdtsc();
	flat_run(&f, FLAT_WRITE_SWEEP, &again);
	t_write = __rdtsc() - t;
	tap_note("%s: fork of %u MiB: %llu ticks; afterwards, a 4 KiB page: read %llu, write %llu", what,
		 BYTES / MIB, (unsigned long long)t_fork, (unsigned long long)(t_read / PAGES),
		 (unsigned long long)(t_write / PAGES));
	close(hold[0]);
	close(hold[1]);
	waitpid(pid, NULL, 0);
	flat_close(&f);
	munmap(p, BYTES);
}

/*
 * The alternative without fork(2): a frozen file with private mappings over it. What a
 * child wrote is in no file, so its own fork must write it to a new one and map that over
 * the old, run by run. @every: one page in so many is dirty.
 */
static void measure_layers(uint32_t every)
{
	int base = memfd_create("base", MFD_CLOEXEC), layer = memfd_create("layer", MFD_CLOEXEC);
	uint32_t dirty = 0, maps = 0, failed = 0, i;
	int pagemap = open("/proc/self/pagemap", O_RDONLY);
	static uint64_t pm[PAGES];
	uint64_t t_scan, t_write, t_map;
	char *p;

	if (base < 0 || layer < 0 || ftruncate(base, BYTES) || ftruncate(layer, BYTES))
		tap_bail("memfd");
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, base, 0);
	memset(p, 1, BYTES);
	munmap(p, BYTES);
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, base, 0);
	for (i = 0; i < PAGES; i += every)
		p[i * 4096] = 2;
	t_scan = __rdtsc();
	if (pread(pagemap, pm, sizeof(pm), (off_t)((uintptr_t)p / 4096 * 8)) != sizeof(pm))
		tap_bail("pagemap");
	t_scan = __rdtsc() - t_scan;
	t_write = __rdtsc();
	for (i = 0; i < PAGES; i++) {
		/* Present and not of a file: the process's own copy. */
		if ((pm[i] >> 61 & 5) != 4)
			continue;
		dirty++;
		failed += pwrite(layer, p + i * 4096, 4096, i * 4096) != 4096;
	}
	t_write = __rdtsc() - t_write;
	t_map = __rdtsc();
	for (i = 0; i < PAGES; i += every) {
		failed += mmap(p + i * 4096, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED,
			       layer, i * 4096) == MAP_FAILED;
		maps++;
	}
	t_map = __rdtsc() - t_map;
	tap_note("layers, 1 in %u: find %llu, write %llu, map %llu ticks; %u pages, %u maps, %u refused",
		 every, (unsigned long long)t_scan, (unsigned long long)t_write,
		 (unsigned long long)t_map, dirty, maps, failed);
	munmap(p, BYTES);
	close(base);
	close(layer);
	close(pagemap);
}

static void check_generations(const char *what, int advice)
{
	uint32_t *p = memory(advice);
	struct flat f;

	tap_note("%s", what);
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	generation(&f, p);
	flat_close(&f);
	munmap(p, BYTES);
}

int main(void)
{
	check_generations("small pages", MADV_NOHUGEPAGE);
	check_generations("large pages", MADV_HUGEPAGE);
	measure_fork("small pages", MADV_NOHUGEPAGE);
	measure_fork("large pages", MADV_HUGEPAGE);
	measure_layers(64);
	measure_layers(8);
	measure_layers(2);
	return tap_done();
}
