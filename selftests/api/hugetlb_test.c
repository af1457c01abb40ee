// SPDX-License-Identifier: GPL-2.0-or-later
/* hugetlb memory of both sizes: entries as large, split by an overlay and the dirty log, freed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "selftests/lib/flat.h"

#define MIB	(1ul << 20)
#define GIB	(1ul << 30)
#define BASE	0x40000000u

#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB	(21 << 26)
#define MAP_HUGE_1GB	(30 << 26)
#endif

static long pool(const char *size, const char *what, long set)
{
	char path[128], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%s/%s", size, what);
	fd = open(path, set < 0 ? O_RDONLY : O_WRONLY);
	if (fd < 0)
		return -1;
	if (set >= 0) {
		snprintf(text, sizeof(text), "%ld", set);
		if (write(fd, text, strlen(text)) < 0)
			set = -1;
	} else if (read(fd, text, sizeof(text) - 1) > 0) {
		set = atol(text);
	}
	close(fd);
	return set;
}

static void check(const char *size, unsigned long page, int flag, const char *stat, bool gib)
{
	uint32_t *p;
	struct hv_dirty_args dirty = { .flags = HV_DIRTY_F_CLEAR, .slot = 1, .npages = page / 4096 };
	uint64_t *bits = calloc(page / 4096 / 64, 8);
	struct flat_regs r = { .edi = BASE, .ecx = 64, .ebx = (uint32_t)(page / 64), .eax = 5 };
	struct flat_regs again = r;
	struct flat f;

	pool(size, "nr_hugepages", 1);
	p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | flag, -1, 0);
	if (p == MAP_FAILED) {
		tap_ok(!gib, "%s: there is a page to try with", size);
		free(bits);
		return;
	}
	p[0] = 1;
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, page, p);
	tap_is(flat_run(&f, FLAT_WRITE_SWEEP, &r), 0, "%s: written from one end to the other", size);
	tap_is(flat_stat(&f, stat), page / 4096, "%s: by one entry", size);
	tap_is(flat_slot(&f, 1, HV_SLOT_F_DIRTY_LOG, BASE, page, p), 0, "%s: dirty log", size);
	r = again;
	tap_is(flat_run(&f, FLAT_WRITE_SWEEP, &r), 0, "%s: written again", size);
	dirty.addr = (uintptr_t)bits;
	tap_is(hv_try(f.vm, HV_VM_GET_DIRTY, &dirty), 0, "%s: the log", size);
	tap_is(dirty.count, 64, "%s: has the 64 pages", size);
	tap_is(flat_stat(&f, stat), 0, "%s: the entry was split", size);
	tap_is(flat_slot(&f, 1, 0, 0, 0, NULL), 0, "%s: deleted", size);
	tap_is(flat_stat(&f, "slat_pages_4k") + flat_stat(&f, "slat_pages_2m"), 1,
	       "%s: nothing but the code is mapped", size);
	flat_close(&f);
	munmap(p, page);
	tap_is(pool(size, "free_hugepages", -1), 1, "%s: the page is back in its pool", size);
	pool(size, "nr_hugepages", 0);
	free(bits);
}

int main(void)
{
	bool gib = pool("1048576kB", "nr_hugepages", -1) > 0;

	check("2048kB", 2 * MIB, MAP_HUGE_2MB, "slat_pages_2m", false);
	check("1048576kB", GIB, MAP_HUGE_1GB, "slat_pages_1g", gib);
	return tap_done();
}
