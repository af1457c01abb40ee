// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fault-around and mapping sizes: how many exits it takes to touch memory that the host
 * has, and that neighbours mapped on the way look untouched to the host. The TSC figures
 * mean something in the counted lab only.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define BYTES	(64 * MIB)
#define PAGES	(BYTES / 4096)

/* @skew moves the host address against the guest's by so many pages. */
static uint32_t *memory(int advice, size_t skew)
{
	char *p = mmap(NULL, BYTES + 4 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	p += 2 * MIB - ((uintptr_t)p & (2 * MIB - 1)) + skew * 4096;
	madvise(p, BYTES, advice);
	memset(p, 1, BYTES);
	return (uint32_t *)p;
}

static void cost(const char *what, struct flat *f, uint64_t faults, uint64_t ticks, uint32_t pages)
{
	tap_note("%s: %llu faults, %llu ticks a page of %u, %llu in large entries, %llu tables",
		 what, (unsigned long long)faults, (unsigned long long)(ticks / pages), pages,
		 (unsigned long long)flat_stat(f, "slat_pages_2m"),
		 (unsigned long long)flat_stat(f, "slat_tables"));
}

static uint64_t sweep(struct flat *f, enum flat_code code, uint32_t pages, uint64_t *ticks)
{
	struct flat_regs r = { .edi = BASE, .ecx = pages, .ebx = 4096, .eax = 2 };
	uint64_t before = flat_vcpu_stat(f, "slat_faults_mapped"), t = __rdtsc();

	if (flat_run(f, code, &r))
		tap_ok(false, "sweep");
	*ticks = __rdtsc() - t;
	return flat_vcpu_stat(f, "slat_faults_mapped") - before;
}

static void check_sequential(const char *what, int advice, size_t skew, uint32_t flags,
			     uint64_t most)
{
	uint32_t *p = memory(advice, skew);
	uint64_t faults, ticks;
	struct flat f;

	flat_new(&f, flags, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	flat_write(&f, BASE + BYTES - 4096, 1);	/* the code's page, upper tables */
	faults = sweep(&f, FLAT_WRITE_SWEEP, PAGES - 512, &ticks);
	tap_ok(faults <= most, "%s: %llu faults for %u pages, at most %llu", what,
	       (unsigned long long)faults, PAGES - 512, (unsigned long long)most);
	cost(what, &f, faults, ticks, PAGES - 512);
	flat_close(&f);
	munmap(p, BYTES);
}

static void check_random(void)
{
	uint32_t *p = memory(MADV_NOHUGEPAGE, 0), i, gpa, n = 1024, seed = 1;
	struct flat_regs r = { .eax = 3 };
	uint64_t faults, t, ticks = 0;
	struct flat f;

	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	faults = flat_vcpu_stat(&f, "slat_faults_mapped");
	for (i = 0; i < n; i++) {
		uint64_t idle;

		seed = seed * 1103515245 + 12345;
		gpa = BASE + (seed >> 8) % PAGES * 4096;
		r.edi = gpa;
		t = __rdtsc();
		flat_run(&f, FLAT_WRITE, &r);
		ticks += __rdtsc() - t;
		/* The same again has no fault: what is left is the fault. */
		r.edi = gpa;
		t = __rdtsc();
		flat_run(&f, FLAT_WRITE, &r);
		idle = __rdtsc() - t;
		ticks -= idle;
	}
	faults = flat_vcpu_stat(&f, "slat_faults_mapped") - faults;
	tap_ok(faults <= 40, "random: %llu faults for %u pages", (unsigned long long)faults, n);
	cost("random", &f, faults, ticks, n);
	flat_close(&f);
	munmap(p, BYTES);
}

/* Memory the host has not: no more than the page and its neighbourhood comes. */
static void check_fresh(void)
{
	uint32_t *p = memory(MADV_NOHUGEPAGE, 0);
	uint64_t faults, ticks;
	struct flat f;

	madvise(p, BYTES, MADV_DONTNEED);
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);
	faults = sweep(&f, FLAT_WRITE_SWEEP, 2048, &ticks);
	cost("fresh small pages", &f, faults, ticks, 2048);
	tap_is(flat_stat(&f, "slat_pages_4k"), 2049, "fresh: nothing is mapped that was not touched");
	flat_close(&f);
	munmap(p, BYTES);
}

/* Bits of /proc/self/pagemap and kpageflags say what the host thinks of a page. */
static uint64_t page_flags(const void *addr)
{
	int map = open("/proc/self/pagemap", O_RDONLY), flags = open("/proc/kpageflags", O_RDONLY);
	uint64_t entry = 0, val = 0;

	if (pread(map, &entry, 8, (off_t)((uintptr_t)addr / 4096 * 8)) != 8 ||
	    pread(flags, &val, 8, (off_t)((entry & ((1ull << 55) - 1)) * 8)) != 8)
		tap_bail("no page flags");
	close(map);
	close(flags);
	return val;
}

#define KPF_DIRTY	(1ull << 4)

/*
 * File pages that were only read: mapped around, they stay clean; the one written becomes
 * dirty when its entry goes.
 */
static void check_untouched(void)
{
	const char *name = "/tmp/touch_test.tmp";
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	volatile uint32_t *p;
	uint32_t i, dirty = 0, sum = 0;
	struct flat f;
	char *mem;

	if (fd < 0 || ftruncate(fd, 2 * MIB))
		tap_bail("no file");
	mem = mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p = (void *)mem;
	for (i = 0; i < 512; i++)
		sum += p[i * 1024];
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, 2 * MIB, mem);
	flat_read(&f, BASE, NULL);
	tap_ok(flat_stat(&f, "slat_pages_4k") > 256, "file: neighbours were mapped (%u)", sum);
	flat_write(&f, BASE + 7 * 4096, 9);
	for (i = 0; i < 512; i++)
		dirty += !!(page_flags(mem + i * 4096) & KPF_DIRTY);
	tap_note("file: %u dirty pages before the entries go", dirty);
	flat_slot(&f, 1, 0, 0, 0, NULL);
	for (i = 0, dirty = 0; i < 512; i++)
		dirty += !!(page_flags(mem + i * 4096) & KPF_DIRTY) && i != 7;
	tap_ok(page_flags(mem + 7 * 4096) & KPF_DIRTY, "file: the written page is dirty");
	tap_note("file: %u other dirty pages", dirty);
	flat_close(&f);
	munmap(mem, 2 * MIB);
	close(fd);
	unlink(name);
}

int main(void)
{
	check_sequential("small pages", MADV_NOHUGEPAGE, 0, 0, 33);
	check_sequential("large pages", MADV_HUGEPAGE, 0, 0, 33);
	check_sequential("large pages, small entries by flag", MADV_HUGEPAGE, 0, HV_VM_F_SMALL_PAGES, 33);
	check_sequential("small pages, incongruent", MADV_NOHUGEPAGE, 5, 0, 66);
	check_sequential("large pages, incongruent", MADV_HUGEPAGE, 5, 0, 66);
	check_random();
	check_fresh();
	check_untouched();
	return tap_done();
}
