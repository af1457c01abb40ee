// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages of a running guest that change their place in the host, not their content: moved between
 * host nodes, by compaction, split and collapsed as large pages, merged by KSM. A guest counts in
 * them all the while, and not one increment may be lost. L1 has two nodes: see tests.cfg.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define BYTES	(4 * MIB)
#define PAGES	(BYTES / 4096)
#define STRIDE	(4096u * 4 + 4)
#define WORDS	200u
#define MOVE	2		/* MPOL_MF_MOVE */
#define SECONDS	2
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static uint32_t *mem;

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_note("%s: %s", file, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static unsigned long field(const char *file, const char *name)
{
	unsigned long value = 0;
	char line[256];
	size_t len = name ? strlen(name) : 0;
	FILE *f = fopen(file, "r");

	while (f && fgets(line, sizeof(line), f))
		if (!name || (!strncmp(line, name, len) && line[len] == ' '))
			value = strtoul(line + (name ? len + 1 : 0), NULL, 10);
	if (f)
		fclose(f);
	return value;
}

/* To @node, or with -1: how many are on node 1. */
static uint32_t pages_move(int node)
{
	static void *page[PAGES];
	static int nodes[PAGES], status[PAGES];
	uint32_t i, n = 0;

	for (i = 0; i < PAGES; i++) {
		page[i] = mem + i * 1024;
		nodes[i] = node;
	}
	syscall(SYS_move_pages, 0, (unsigned long)PAGES, page, node < 0 ? NULL : nodes, status, MOVE);
	for (i = 0; i < PAGES; i++)
		n += status[i] == 1;
	return n;
}

static void step_nodes(unsigned long round)
{
	pages_move((int)(round & 1));
}

/* Every other page of a big area goes, so that compaction has something to move for. */
static void step_compact(unsigned long round)
{
	const size_t bytes = 64 * MIB;
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	size_t at;

	(void)round;
	for (at = 0; p != MAP_FAILED && at < bytes; at += 8192)
		madvise(p + at, 4096, MADV_DONTNEED);
	put("/proc/sys/vm/compact_memory", "1");
	munmap(p, bytes);
}

static void step_large(unsigned long round)
{
	char text[96];

	if (round & 1) {
		madvise(mem, BYTES, MADV_HUGEPAGE);
		madvise(mem, BYTES, MADV_COLLAPSE);
		return;
	}
	snprintf(text, sizeof(text), "%d,0x%lx,0x%lx", getpid(), (unsigned long)mem,
		 (unsigned long)mem + BYTES);
	put("/sys/kernel/debug/split_huge_pages", text);
}

/* All at once: large pages between nodes, collapsed while they move. */
static void step_all(unsigned long round)
{
	step_large(round);
	step_nodes(round >> 1);
	if (round % 16 == 0)
		step_compact(round);
}

struct storm {
	void (*step)(unsigned long round);
	volatile int stop;
	unsigned long rounds;
};

static void *storm(void *arg)
{
	struct storm *s = arg;

	while (!s->stop)
		s->step(s->rounds++);
	return NULL;
}

static void guest_new(struct flat *f)
{
	char *p = mmap(NULL, BYTES + 2 * MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);

	if (p == MAP_FAILED)
		tap_bail("no memory");
	p += 2 * MIB - ((uintptr_t)p & (2 * MIB - 1));
	mem = (uint32_t *)p;
	madvise(mem, BYTES, MADV_NOHUGEPAGE);
	memset(mem, 0, BYTES);
	flat_new(f, 0, 1);
	if (flat_slot(f, 1, 0, BASE, BYTES, mem))
		tap_bail("slot");
}

/* The guest has counted all words once, and the pages of @counter are more than @moved. */
static int went_on(unsigned long moved, const char *counter)
{
	return ((volatile uint32_t *)mem)[(WORDS - 1) * (STRIDE / 4)] &&
		field("/proc/vmstat", counter) > moved;
}

static void check_storm(const char *what, void (*step)(unsigned long), const char *counter)
{
	struct flat_regs r = { .esi = BASE, .ebx = STRIDE, .edx = WORDS };
	unsigned long moved = field("/proc/vmstat", counter);
	struct storm s = { .step = step };
	uint64_t invalidates;
	uint32_t i, bad = 0;
	struct flat f;
	pthread_t t;

	guest_new(&f);
	invalidates = flat_stat(&f, "notifier_invalidates");
	flat_start(&f, FLAT_COUNT, &r);
	pthread_create(&t, NULL, storm, &s);
	for (i = 0; i < SECONDS || (i < LATE_MS / 1000 && !went_on(moved, counter)); i++)
		sleep(1);
	s.stop = 1;
	pthread_join(t, NULL);
	flat_stop(&f, &r);
	moved = field("/proc/vmstat", counter) - moved;
	invalidates = flat_stat(&f, "notifier_invalidates") - invalidates;
	tap_ok(f.last == -EINTR, "%s: the guest ran on (%ld)", what, f.last);
	for (i = 0; i < WORDS; i++) {
		uint32_t v = mem[i * (STRIDE / 4)];

		bad += v != r.ebp && v != r.ebp + 1;
	}
	tap_is(bad, 0, "%s: no increment was lost in %lu steps, %u rounds", what, s.rounds, r.ebp);
	tap_ok(r.ebp > 0 && moved > 0 && invalidates > 0, "%s: %s %lu, %llu invalidations", what,
	       counter, moved, (unsigned long long)invalidates);
	flat_close(&f);
	munmap(mem, BYTES);
}

/* The guest's writes go where the page is now, and its reads come from there. */
static void check_places(void)
{
	struct flat_regs w = { .edi = BASE, .ecx = PAGES, .ebx = 4096, .eax = 0x51 };
	uint32_t i, bad = 0;
	struct flat f;

	guest_new(&f);
	flat_run(&f, FLAT_WRITE_SWEEP, &w);
	tap_is(pages_move(1), PAGES, "all pages on node 1");
	for (i = 0; i < PAGES; i += 37)
		bad += flat_read(&f, BASE + i * 4096, NULL) != 0x51;
	tap_is(bad, 0, "the guest reads what it wrote");
	w = (struct flat_regs){ .edi = BASE, .ecx = PAGES, .ebx = 4096, .eax = 0x52 };
	flat_run(&f, FLAT_WRITE_SWEEP, &w);
	tap_is(pages_move(0), 0, "all pages on node 0");
	for (i = 0; i < PAGES; i++)
		bad += mem[i * 1024] != 0x52;
	tap_is(bad, 0, "its writes came along");
	flat_close(&f);
	munmap(mem, BYTES);
}

/* Equal pages become one under a guest that reads them, and part again where it writes. */
static void check_merge(void)
{
	struct flat_regs watch = { .esi = BASE, .ebx = 4096, .edx = PAGES };
	struct flat_regs w = { .edi = BASE, .ecx = PAGES / 2, .ebx = 8192, .eax = 0x62 };
	unsigned long merged = 0;
	uint32_t i, bad = 0;
	struct flat f;

	guest_new(&f);
	for (i = 0; i < PAGES; i++)
		mem[i * 1024] = 0x61;
	madvise(mem, BYTES, MADV_MERGEABLE);
	put("/sys/kernel/mm/ksm/pages_to_scan", "2000");
	put("/sys/kernel/mm/ksm/sleep_millisecs", "10");
	put("/sys/kernel/mm/ksm/run", "1");
	flat_start(&f, FLAT_WATCH, &watch);
	for (i = 0; i < 1200 && merged < PAGES / 2; i++) {
		usleep(50000);
		merged = field("/sys/kernel/mm/ksm/pages_sharing", NULL);
	}
	flat_stop(&f, &watch);
	/* How far ksmd comes beside a guest that never sleeps is the host's; some hundred will do. */
	tap_ok(merged >= 128, "KSM: %lu pages merged under a reading guest", merged);
	tap_ok(f.last == -EINTR && watch.ebp > 0, "KSM: it ran on, %u rounds", watch.ebp);
	flat_run(&f, FLAT_WRITE_SWEEP, &w);
	for (i = 0; i < PAGES; i++)
		bad += mem[i * 1024] != (i & 1 ? 0x61 : 0x62);
	tap_is(bad, 0, "KSM: writes reach the written pages alone");
	for (i = 0; i < PAGES; i += 7)
		bad += flat_read(&f, BASE + i * 4096, NULL) != (i & 1 ? 0x61u : 0x62u);
	tap_is(bad, 0, "KSM: and the guest sees the same");
	put("/sys/kernel/mm/ksm/run", "2");
	flat_close(&f);
	munmap(mem, BYTES);
}

int main(void)
{
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	check_places();
	check_storm("nodes", step_nodes, "pgmigrate_success");
	check_storm("compaction", step_compact, "compact_migrate_scanned");
	check_storm("large pages", step_large, "thp_split_page");
	check_storm("all of it", step_all, "pgmigrate_success");
	check_merge();
	return tap_done();
}
