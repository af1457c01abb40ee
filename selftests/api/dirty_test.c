// SPDX-License-Identifier: GPL-2.0-or-later
/* The dirty log: exactly what was written, through small, large and cleared mappings. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define BYTES	(8 * MIB)
#define PAGES	(BYTES / 4096)
#define SLOT	1

static uint64_t bits[PAGES / 64];

static long fetch(const struct flat *f, uint32_t flags, uint64_t first, uint64_t npages,
		  uint64_t *count)
{
	struct hv_dirty_args a = {
		.flags = flags, .slot = SLOT, .first = first, .npages = npages,
		.addr = (uintptr_t)bits,
	};
	long ret = hv_try(f->vm, HV_VM_GET_DIRTY, &a);

	*count = a.count;
	return ret;
}

static uint64_t take(const struct flat *f)
{
	uint64_t n = 0;

	memset(bits, 0, sizeof(bits));
	if (fetch(f, HV_DIRTY_F_CLEAR, 0, PAGES, &n))
		return ~0ull;
	return n;
}

static bool is_set(uint32_t page)
{
	return bits[page / 64] >> page % 64 & 1;
}

static void sweep(struct flat *f, enum flat_code code, uint32_t first, uint32_t n, uint32_t stride)
{
	struct flat_regs r = { .edi = BASE + first * 4096, .ecx = n, .ebx = stride * 4096 };

	if (flat_run(f, code, &r))
		tap_ok(false, "sweep of %u pages", n);
}

/* 2 MiB aligned, so that large mappings are possible. */
static void *memory(int advice)
{
	char *p = mmap(NULL, BYTES + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	p += 2 * MIB - ((uintptr_t)p & (2 * MIB - 1));
	madvise(p, BYTES, advice);
	memset(p, 1, BYTES);
	return p;
}

static void check_log(const char *what, int advice)
{
	void *mem = memory(advice);
	uint64_t n, bad = 0;
	struct flat f;
	uint32_t i;

	flat_new(&f, 0, 1);
	flat_slot(&f, SLOT, 0, BASE, BYTES, mem);
	sweep(&f, FLAT_WRITE_SWEEP, 0, PAGES, 1);
	tap_note("%s: %llu pages in large mappings", what,
		 (unsigned long long)flat_stat(&f, "slat_pages_2m"));
	if (advice == MADV_HUGEPAGE)
		tap_ok(flat_stat(&f, "slat_pages_2m") > 0, "%s: mapped large", what);
	tap_is(fetch(&f, 0, 0, PAGES, &n), -ENOENT, "%s: no log yet", what);
	tap_is(flat_slot(&f, SLOT, HV_SLOT_F_DIRTY_LOG, BASE, BYTES, mem), 0, "%s: log on", what);
	tap_is(take(&f), 0, "%s: nothing is dirty at the start", what);
	sweep(&f, FLAT_READ_SWEEP, 0, PAGES, 1);
	tap_is(take(&f), 0, "%s: reading dirties nothing", what);

	sweep(&f, FLAT_WRITE_SWEEP, 3, 100, 7);
	tap_is(fetch(&f, 0, 0, PAGES, &n), 0, "%s: fetch without clearing", what);
	tap_is(n, 100, "%s: pages", what);
	tap_is(take(&f), 100, "%s: the same again, cleared", what);
	for (i = 0; i < PAGES; i++)
		bad += is_set(i) != (i >= 3 && i < 703 && (i - 3) % 7 == 0);
	tap_is(bad, 0, "%s: exactly the pages written", what);
	tap_is(take(&f), 0, "%s: clean now", what);
	sweep(&f, FLAT_WRITE_SWEEP, 3, 2, 7);
	tap_is(take(&f), 2, "%s: a page that is cleared is logged again", what);

	tap_is(flat_slot(&f, SLOT, 0, BASE, BYTES, mem), 0, "%s: log off", what);
	sweep(&f, FLAT_WRITE_SWEEP, 0, PAGES, 1);
	tap_is(flat_slot(&f, SLOT, HV_SLOT_F_DIRTY_LOG, BASE, BYTES, mem), 0, "%s: on again", what);
	tap_is(take(&f), 0, "%s: starts empty", what);
	sweep(&f, FLAT_WRITE_SWEEP, 0, PAGES, 1);
	tap_is(take(&f), PAGES, "%s: all pages", what);
	flat_close(&f);
}

static void check_args(void)
{
	void *mem = memory(MADV_NOHUGEPAGE), *other;
	struct flat f;
	uint64_t n;
	struct hv_dirty_args a = { .flags = HV_DIRTY_F_CLEAR, .slot = SLOT, .npages = 64, .addr = 8 };

	flat_new(&f, 0, 1);
	tap_is(fetch(&f, 0, 0, 64, &n), -ENOENT, "no such slot");
	flat_slot(&f, SLOT, HV_SLOT_F_DIRTY_LOG, BASE, BYTES - 4096, mem);
	tap_is(fetch(&f, 0, 1, 64, &n), -EINVAL, "first not a multiple of 64");
	tap_is(fetch(&f, 0, 0, 65, &n), -EINVAL, "length not a multiple of 64");
	tap_is(fetch(&f, 0, 0, PAGES, &n), -EINVAL, "beyond the end");
	tap_is(fetch(&f, 0, 0, -64ull, &n), -EINVAL, "length 2^64 - 64");
	tap_is(fetch(&f, 0, PAGES - 64, 63, &n), 0, "odd length to the end");
	tap_is(fetch(&f, 0, 0, 0, &n), 0, "nothing");
	flat_write(&f, BASE, 1);
	tap_is(hv_try(f.vm, HV_VM_GET_DIRTY, &a), -EFAULT, "bad address");
	tap_is(fetch(&f, HV_DIRTY_F_CLEAR, 0, 64, &n), 0, "fetch after that");
	tap_is(n, 1, "the bit was not lost");

	other = memory(MADV_NOHUGEPAGE);
	flat_slot(&f, SLOT, HV_SLOT_F_DIRTY_LOG, BASE, BYTES - 4096, other);
	tap_is(fetch(&f, 0, 0, PAGES - 1, &n), 0, "fetch after replacing the backing");
	tap_is(n, PAGES - 1, "everything is dirty then");
	flat_close(&f);
}

/* A counting guest: the page's last value is always in a snapshot taken after its bit. */
static void check_running(void)
{
	struct flat_regs r = { .esi = BASE, .ebx = 4096, .edx = 64 };
	uint32_t *mem = memory(MADV_HUGEPAGE), *copy, i, rounds;
	struct flat f;

	copy = calloc(64, 4);
	memset(mem, 0, BYTES);
	flat_new(&f, 0, 1);
	flat_slot(&f, SLOT, HV_SLOT_F_DIRTY_LOG, BASE, BYTES, mem);
	flat_start(&f, FLAT_COUNT, &r);
	for (rounds = 0; rounds < 300; rounds++) {
		take(&f);
		for (i = 0; i < 64; i++)
			if (is_set(i))
				copy[i] = mem[i * 1024];
		usleep(rounds % 5 * 200);
	}
	flat_stop(&f, &r);
	take(&f);
	for (i = 0; i < 64; i++)
		if (is_set(i))
			copy[i] = mem[i * 1024];
	for (i = 0, rounds = 0; i < 64; i++)
		rounds += copy[i] != mem[i * 1024];
	tap_is(rounds, 0, "copying what the log says gives the memory of a running guest");
	tap_ok(mem[0] > 0, "it ran: %u rounds", r.ebp);
	flat_close(&f);
}

/* What it costs, for 1024 small pages; the TSC figures mean something in the counted lab only. */
static void measure(void)
{
	void *mem = memory(MADV_NOHUGEPAGE);
	uint64_t t, on, first, full, again, empty, n;
	struct flat f;

	flat_new(&f, 0, 1);
	flat_slot(&f, SLOT, 0, BASE, BYTES, mem);
	sweep(&f, FLAT_WRITE_SWEEP, 0, 1024, 1);
	t = __rdtsc();
	flat_slot(&f, SLOT, HV_SLOT_F_DIRTY_LOG, BASE, BYTES, mem);
	on = __rdtsc() - t;
	t = __rdtsc();
	sweep(&f, FLAT_WRITE_SWEEP, 0, 1024, 1);
	first = __rdtsc() - t;
	t = __rdtsc();
	n = take(&f);
	full = __rdtsc() - t;
	t = __rdtsc();
	sweep(&f, FLAT_WRITE_SWEEP, 0, 1024, 1);
	again = __rdtsc() - t;
	take(&f);
	t = __rdtsc();
	n += take(&f);
	empty = __rdtsc() - t;
	tap_is((long)n, 1024, "pages counted");
	tap_note("ticks: log on %llu, first write %llu, again %llu, fetch 1024 dirty %llu, clean %llu",
		 (unsigned long long)on, (unsigned long long)first / 1024,
		 (unsigned long long)again / 1024, (unsigned long long)full,
		 (unsigned long long)empty);
	flat_close(&f);
}

int main(void)
{
	measure();
	check_args();
	check_log("small pages", MADV_NOHUGEPAGE);
	check_log("large pages", MADV_HUGEPAGE);
	check_running();
	return tap_done();
}
